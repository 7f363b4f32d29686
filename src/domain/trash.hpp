#pragma once

#include "base/time.hpp"
#include "domain/json.hpp"

#include <boost/describe/class.hpp>

namespace stele {

/// Something that was deleted and may come back until `expires_at`.
struct TrashItem {
    std::string id;         ///< "trash-<uuid>"
    std::string kind;       ///< agent, block or archive
    std::string object_id;  ///< of what was deleted; it has this id again when it comes back
    std::string name;       ///< of the agent or archive; of a block its label
    Timestamp deleted_at{};
    Timestamp expires_at{};
    std::string organization_id;  ///< that it belonged to; not described
};
BOOST_DESCRIBE_STRUCT(TrashItem, (), (id, kind, object_id, name, deleted_at, expires_at))

}  // namespace stele
