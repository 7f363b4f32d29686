#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace stele::runtime {

/// What is left of a rate: a bucket that holds as many requests as a minute may have and fills again evenly.
struct RateBucket {
    double left = 0;
    std::chrono::steady_clock::time_point filled{};  ///< never: full
};

/// Takes one request out of `bucket`; or leaves it and returns after what time there will be one.
std::optional<std::chrono::milliseconds> take(RateBucket& bucket, std::int64_t per_minute,
                                              std::chrono::steady_clock::time_point time);

/// The buckets of all keys and tokens that ask. In memory alone: a restart fills them. Thread-safe.
class RequestRates {
public:
    /// As take above, for the bucket called `name`.
    std::optional<std::chrono::milliseconds> take(const std::string& name, std::int64_t per_minute);

private:
    static constexpr std::size_t buckets_max = 100'000;  ///< then those that are full again are forgotten

    std::mutex mutex_;
    std::unordered_map<std::string, RateBucket> buckets_;
};

}  // namespace stele::runtime
