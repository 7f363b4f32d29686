#pragma once

#include "base/time.hpp"

#include <boost/describe/class.hpp>

#include <optional>
#include <string>

namespace stele {

/// Who made an object and who changed it last, and when. The first members of most answers.
struct Audit {
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    std::optional<Timestamp> created_at;
    std::optional<Timestamp> updated_at;
};
BOOST_DESCRIBE_STRUCT(Audit, (), (created_by_id, last_updated_by_id, created_at, updated_at))

/// The rows that every store has from its first start.
inline constexpr char default_organization_id[] = "org-00000000-0000-4000-8000-000000000000";
inline constexpr char default_user_id[] = "user-00000000-0000-4000-8000-000000000000";

}  // namespace stele
