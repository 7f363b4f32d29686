#include "runtime/request_rates.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::duration<double> minute = std::chrono::minutes(1);

}  // namespace

std::optional<std::chrono::milliseconds> take(RateBucket& bucket, std::int64_t per_minute, Clock::time_point time) {
    const auto most = static_cast<double>(per_minute);
    const std::chrono::duration<double> passed = time - bucket.filled;
    const bool first = bucket.filled == Clock::time_point{};
    bucket.left = first ? most : std::min(most, bucket.left + passed / minute * most);
    bucket.filled = time;
    if (bucket.left >= 1) {
        bucket.left -= 1;
        return std::nullopt;
    }
    return std::chrono::ceil<std::chrono::milliseconds>((1 - bucket.left) / most * minute);
}

std::optional<std::chrono::milliseconds> RequestRates::take(const std::string& name, std::int64_t per_minute) {
    const Clock::time_point time = Clock::now();
    const std::lock_guard lock(mutex_);
    if (buckets_.size() >= buckets_max)
        std::erase_if(buckets_, [&](const auto& each) { return time - each.second.filled >= minute; });
    return runtime::take(buckets_[name], per_minute, time);
}

}  // namespace stele::runtime
