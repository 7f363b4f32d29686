#pragma once

#include "domain/block.hpp"

#include <map>

namespace stele::tools {

/// The blocks of an agent while its tools edit them. A value without I/O: the edits reach the store with the step's
/// transaction, and are made again on fresh blocks if somebody else wrote meanwhile.
class WorkingMemory {
public:
    explicit WorkingMemory(std::vector<Block> blocks);

    const std::vector<Block>& blocks() const { return blocks_; }

    /// The tool that makes the edits from now on, for the blocks' history.
    void edit_as(std::string tool) { tool_ = std::move(tool); }

    /// The tool that has edited the block last; empty: none.
    std::string editor_of(const std::string& id) const;

    /// The block with this label. Throws ToolFailure that lists the labels there are.
    const Block& get(const std::string& label) const;
    bool has(const std::string& label) const;

    /// The same for one that is to be edited. Throws ToolFailure for a read-only block too.
    const Block& editable(const std::string& label) const;

    /// Each throws ToolFailure for a read-only block, an unknown label, or a text over the block's limit.
    void set_value(const std::string& label, std::string value);
    void set_description(const std::string& label, std::string description);
    void rename(const std::string& label, const std::string& new_label);
    void remove(const std::string& label);
    void create(const std::string& label, std::string description, std::string value, const std::string& actor);

    // What has to be stored.
    std::vector<Block> created() const;
    std::vector<Block> changed() const;  ///< with the version that was read
    std::vector<std::string> removed_ids() const { return removed_ids_; }
    bool dirty() const;

private:
    Block& writable(const std::string& label);

    std::vector<Block> blocks_;
    std::string tool_;
    std::map<std::string, std::string> editors_;  ///< by block
    std::vector<std::string> created_ids_, changed_ids_, removed_ids_;
};

/// A tool that could not do what it was asked; its text goes to the model as the call's return with status error.
struct ToolFailure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace stele::tools
