#pragma once

#include "domain/block.hpp"

namespace stele {

/// An attached file in the form of a block: an element of an agent's `memory.file_blocks`.
struct AttachedFileBlock : BlockBody {
    std::string id;  ///< "block-<uuid>", with the uuid of the file_agent
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    std::vector<std::string> tags;
    std::string file_id;
    std::string source_id;
    bool is_open = false;
    std::optional<Timestamp> last_accessed_at;
};
BOOST_DESCRIBE_STRUCT(AttachedFileBlock, (BlockBody),
                      (id, created_by_id, last_updated_by_id, tags, file_id, source_id, is_open, last_accessed_at))

}  // namespace stele
