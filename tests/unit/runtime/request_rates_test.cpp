#include "runtime/request_rates.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

using namespace std::chrono_literals;
const std::chrono::steady_clock::time_point start{1h};

TEST(RateBucket, HoldsAMinuteOfRequestsAndFillsEvenly) {
    RateBucket bucket;

    for (int i = 0; i < 60; ++i) EXPECT_FALSE(take(bucket, 60, start)) << i;
    EXPECT_EQ(take(bucket, 60, start), 1'000ms);
    EXPECT_EQ(take(bucket, 60, start + 250ms), 750ms);
    EXPECT_FALSE(take(bucket, 60, start + 1s));
    EXPECT_TRUE(take(bucket, 60, start + 1s));
}

TEST(RateBucket, NeverHoldsMoreThanAMinute) {
    RateBucket bucket;
    EXPECT_FALSE(take(bucket, 2, start));

    EXPECT_FALSE(take(bucket, 2, start + 24h));
    EXPECT_FALSE(take(bucket, 2, start + 24h));
    EXPECT_EQ(take(bucket, 2, start + 24h), 30'000ms);
}

TEST(RateBucket, TakesANewRateAtOnce) {
    RateBucket bucket;
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(take(bucket, 10, start));

    EXPECT_TRUE(take(bucket, 1, start));
    EXPECT_FALSE(take(bucket, 600, start + 1s));
}

TEST(RequestRates, KeepOneBucketForEachName) {
    RequestRates rates;

    EXPECT_FALSE(rates.take("a", 1));
    EXPECT_TRUE(rates.take("a", 1));
    EXPECT_FALSE(rates.take("b", 1));
}

}  // namespace
}  // namespace stele::runtime
