#include "domain/reflection.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::int64_t turns_max = 10'000;

}  // namespace

void check(const ReflectionUpdate& update, Problems& problems) {
    if (update.min_turn_count.has_value() && (*update.min_turn_count < 1 || *update.min_turn_count > turns_max))
        problems.add("min_turn_count", "must lie between 1 and 10000", "greater_than_equal");
}

void check(const ReflectionMarkUpdate& update, Problems& problems) {
    if (!is_id(update.reflected_through_message_id, "message"))
        problems.add("reflected_through_message_id", "must match 'message-{uuid4}'", "string_pattern_mismatch",
                     json_string(first_code_points(update.reflected_through_message_id, 64)));
}

STELE_JSON_WRITTEN(ReflectionConfig)
STELE_JSON_READ(ReflectionUpdate)
STELE_JSON_READ(ReflectionMarkUpdate)
STELE_JSON_WRITTEN(ReflectionMark)

}  // namespace stele
