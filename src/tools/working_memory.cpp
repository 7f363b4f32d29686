#include "tools/working_memory.hpp"
#include "base/contains.hpp"

#include <algorithm>

namespace stele::tools {
namespace {

ToolFailure over_limit(const std::string& label, const Error& error) {
    const std::string problem = error.fields.empty() ? error.what() : error.fields.front().problem;
    return ToolFailure("Memory block '" + label + "': " + problem + ". Shorten the text or move parts of it elsewhere");
}

void check_new_label(const std::string& label) {
    CreateBlock request;
    request.label = label;
    Problems problems("block");
    check(request, problems);
    if (!problems.empty()) throw ToolFailure("'" + label + "' can't be the label of a memory block");
}

std::vector<Block> those(const std::vector<Block>& blocks, const std::vector<std::string>& ids) {
    std::vector<Block> chosen;
    for (const Block& block : blocks)
        if (contains(ids, block.id)) chosen.push_back(block);
    return chosen;
}

}  // namespace

WorkingMemory::WorkingMemory(std::vector<Block> blocks) : blocks_(std::move(blocks)) {}

std::string WorkingMemory::editor_of(const std::string& id) const {
    const auto found = editors_.find(id);
    return found == editors_.end() ? std::string() : found->second;
}

bool WorkingMemory::has(const std::string& label) const {
    return std::any_of(blocks_.begin(), blocks_.end(), [&](const Block& block) { return block.label == label; });
}

const Block& WorkingMemory::get(const std::string& label) const {
    for (const Block& block : blocks_)
        if (block.label == label) return block;
    std::string labels;
    for (const Block& block : blocks_) labels += (labels.empty() ? "" : ", ") + block.label;
    throw ToolFailure("There is no memory block '" + label +
                      "'. The blocks are: " + (labels.empty() ? "none" : labels));
}

const Block& WorkingMemory::editable(const std::string& label) const {
    const Block& block = get(label);
    if (block.read_only) throw ToolFailure("The memory block '" + label + "' is read-only and can't be edited");
    return block;
}

Block& WorkingMemory::writable(const std::string& label) {
    auto& block = const_cast<Block&>(editable(label));  // our own vector's element, found by a const search
    if (!contains(created_ids_, block.id) && !contains(changed_ids_, block.id)) changed_ids_.push_back(block.id);
    block.updated_at = now();
    editors_[block.id] = tool_;
    return block;
}

void WorkingMemory::set_value(const std::string& label, std::string value) {
    Block edited = editable(label);
    try {
        stele::set_value(edited, std::move(value));
    } catch (const Error& error) {
        throw over_limit(label, error);
    }
    if (edited.value == get(label).value) return;
    Block& block = writable(label);
    block.value = std::move(edited.value);
    block.metadata = std::move(edited.metadata);
}

void WorkingMemory::set_description(const std::string& label, std::string description) {
    writable(label).description = std::move(description);
}

void WorkingMemory::rename(const std::string& label, const std::string& new_label) {
    static_cast<void>(editable(label));
    if (has(new_label)) throw ToolFailure("There is a memory block '" + new_label + "' already");
    check_new_label(new_label);
    writable(label).label = new_label;
}

void WorkingMemory::remove(const std::string& label) {
    const std::string id = writable(label).id;
    std::erase_if(blocks_, [&](const Block& block) { return block.id == id; });
    std::erase(changed_ids_, id);
    if (contains(created_ids_, id))
        std::erase(created_ids_, id);
    else
        removed_ids_.push_back(id);
}

void WorkingMemory::create(const std::string& label, std::string description, std::string value,
                           const std::string& actor) {
    if (has(label)) throw ToolFailure("There is a memory block '" + label + "' already");
    check_new_label(label);
    CreateBlock request;
    request.label = label;
    request.description = std::move(description);
    request.value = BlockValue{std::move(value), false};
    try {
        blocks_.push_back(make_block(std::move(request), actor));
    } catch (const Error& error) {
        throw over_limit(label, error);
    }
    created_ids_.push_back(blocks_.back().id);
}

std::vector<Block> WorkingMemory::created() const { return those(blocks_, created_ids_); }
std::vector<Block> WorkingMemory::changed() const { return those(blocks_, changed_ids_); }

bool WorkingMemory::dirty() const { return !created_ids_.empty() || !changed_ids_.empty() || !removed_ids_.empty(); }

}  // namespace stele::tools
