// Any bytes as a cron expression: no crash, no endless search, and the times it gives move forward and are whole minutes.
#include "base/cron.hpp"

#include <cstdlib>

using namespace stele;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto parsed = CronExpression::parse({reinterpret_cast<const char*>(data), size});
    const auto* expression = std::get_if<CronExpression>(&parsed);
    if (expression == nullptr) return 0;
    // Clocks that are set forward and back by an hour, every ten days in turn.
    const WallClock clock([](Timestamp moment) {
        const auto tens = std::chrono::floor<std::chrono::days>(moment).time_since_epoch().count() / 10;
        return std::chrono::seconds(tens % 2 == 0 ? 3'600 : 7'200);
    });
    Timestamp at = from_micros(1'774'000'000'123'456);
    for (int i = 0; i < 50; ++i) {
        const auto next = expression->next(at, clock);
        if (!next) return 0;
        if (*next <= at || *next != std::chrono::floor<std::chrono::minutes>(*next)) std::abort();
        at = *next;
    }
    return 0;
}
