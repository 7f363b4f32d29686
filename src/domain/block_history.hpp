#pragma once

#include "domain/block.hpp"

#include <array>

namespace stele {

/// Who changes a block: a user over the API, or a tool of an agent within a run that a user has asked for.
struct BlockOrigin {
    std::optional<std::string> user_id, run_id, tool;
};

/// What prompts have shown of a block for a while. `version` is the last version of the block that had it: versions
/// between two of the history differ in nothing that prompts show.
struct BlockVersion {
    std::string id;  ///< the version as a text: the cursor of its list
    std::string block_id;
    std::int64_t version = 1;
    std::string label;
    std::string value;
    std::int64_t limit = 0;
    bool read_only = false;
    std::optional<std::string> description;
    std::optional<Timestamp> changed_at;  ///< when it came to be; absent where the versions before are no longer kept
    std::optional<std::string> changed_by_id;
    std::optional<std::string> run_id;  ///< that changed it, if a run did
    std::optional<std::string> tool;    ///< by which
    bool current = false;
};
BOOST_DESCRIBE_STRUCT(BlockVersion, (),
                      (id, block_id, version, label, value, limit, read_only, description, changed_at, changed_by_id,
                       run_id, tool, current))

/// A member that two versions have differently.
struct BlockVersionChange {
    std::string name;
    Json from;
    Json to;
};
BOOST_DESCRIBE_STRUCT(BlockVersionChange, (), (name, from, to))

/// What lies between two versions: `changes` of all members but the value, whose lines `diff` tells (text_diff.hpp).
struct BlockDiff {
    std::string block_id;
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::vector<BlockVersionChange> changes;
    std::string diff;
};
BOOST_DESCRIBE_STRUCT(BlockDiff, (), (block_id, from, to, changes, diff))

/// Body of POST /v1/blocks/{block_id}/restore.
struct BlockRestore {
    std::int64_t version = 0;
};
BOOST_DESCRIBE_STRUCT(BlockRestore, (), (version))
constexpr std::array<std::string_view, 1> required_members(const BlockRestore*) { return {"version"}; }

BlockDiff diff_of(const BlockVersion& from, const BlockVersion& to);

/// The update that makes a block what `version` was. `is_json`: its value is still marked as JSON.
BlockUpdate update_to(const BlockVersion& version, bool is_json);

}  // namespace stele
