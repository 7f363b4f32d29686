#include "runtime/git_memory_plan.hpp"

#include "runtime/text_merge.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

const std::string* text_at(const MemoryFiles& files, const std::string& label) {
    const auto found = files.find(label);
    return found == files.end() ? nullptr : &found->second;
}

const Block* block_at(const std::vector<Block>& blocks, const std::string& label) {
    const auto found =
        std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) { return block.label == label; });
    return found == blocks.end() ? nullptr : &*found;
}

// What was pushed, with what the block has become since on top, where that can be told apart.
MemoryFile with_edits(const Block& block, const std::string* before, MemoryFile pushed) {
    const MemoryFile now = memory_file_of(block), base = before == nullptr ? MemoryFile() : read_memory_file(*before);
    if (before == nullptr || now == base) return pushed;
    if (const auto merged = merged_text(base.value, now.value, pushed.value)) pushed.value = *merged;
    if (pushed.description == base.description) pushed.description = now.description;
    if (pushed.limit == base.limit) pushed.limit = now.limit;
    if (pushed.read_only == base.read_only) pushed.read_only = now.read_only;
    return pushed;
}

}  // namespace

PushPlan plan_push(const std::vector<Block>& blocks, const MemoryFiles& before, const MemoryFiles& after) {
    PushPlan plan;
    for (const auto& [label, text] : after) {
        const std::string* old = text_at(before, label);
        if (old != nullptr && *old == text) continue;
        const Block* block = block_at(blocks, label);
        Block made;
        if (block != nullptr) made = *block;
        made.label = label;
        const MemoryFile pushed = read_memory_file(text);
        const bool changes = apply(block == nullptr ? pushed : with_edits(*block, old, pushed), made);
        if (block == nullptr)
            plan.fresh.push_back(std::move(made));
        else if (changes)
            plan.changed.push_back(std::move(made));
    }
    for (const auto& [label, text] : before) {
        const Block* block = after.contains(label) ? nullptr : block_at(blocks, label);
        // One that was edited meanwhile is worth more than its removal.
        if (block != nullptr && memory_file_of(*block) == read_memory_file(text)) plan.gone.push_back(*block);
    }
    return plan;
}

std::vector<tools::GitChange> plan_commit(const std::vector<Block>& blocks, const MemoryFiles& files) {
    std::vector<tools::GitChange> changes;
    for (const Block& block : blocks) {
        const auto path = path_of_label(block.label);
        if (!path) continue;
        const std::string* present = text_at(files, block.label);
        const MemoryFile wanted = memory_file_of(block);
        if (present != nullptr && read_memory_file(*present) == wanted) continue;
        tools::GitChange& change = changes.emplace_back();
        change.path = *path;
        change.text = memory_file_text(wanted, present == nullptr ? std::string_view() : *present);
    }
    for (const auto& [label, text] : files) {
        if (block_at(blocks, label) != nullptr) continue;
        tools::GitChange& change = changes.emplace_back();
        change.path = *path_of_label(label);
    }
    return changes;
}

}  // namespace stele::runtime
