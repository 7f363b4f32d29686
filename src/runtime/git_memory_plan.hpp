#pragma once

#include "domain/memory_file.hpp"
#include "tools/git/git.hpp"

#include <map>

/// What blocks and files of an agent's git memory have to become so that they say the same. Pure.
namespace stele::runtime {

/// Files of a commit that are blocks: by label, the text.
using MemoryFiles = std::map<std::string, std::string>;

/// What a push does to the blocks.
struct PushPlan {
    std::vector<Block> changed;  ///< as they are to be stored
    std::vector<Block> fresh;    ///< without ids and times
    std::vector<Block> gone;
};

/// `before`, `after`: the files that the blocks agreed with, and those that were pushed. A block that was changed
/// meanwhile keeps its change where the two edits don't touch; else what was pushed counts, and the block's history has
/// the rest.
PushPlan plan_push(const std::vector<Block>& blocks, const MemoryFiles& before, const MemoryFiles& after);

/// What has to be written and taken away so that the files say what the blocks do. `files`: at present.
std::vector<tools::GitChange> plan_commit(const std::vector<Block>& blocks, const MemoryFiles& files);

}  // namespace stele::runtime
