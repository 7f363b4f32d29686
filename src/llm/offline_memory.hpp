#pragma once

#include "llm/model.hpp"

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What the offline model makes of words and of the memory in its system prompt. Pure.
namespace stele::llm {

std::string lowered(std::string_view text);
std::string trimmed(std::string_view text);

/// The lines that are not blank, trimmed.
std::vector<std::string> lines_of(std::string_view text);

/// Runs of letters, digits and '_', in lower case.
std::vector<std::string> words_of(std::string_view text);

/// Words that tell something, in one spelling; the little ones are in every sentence.
std::set<std::string> content_words(std::string_view text);

/// `text` is in lower case.
bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings);

struct MemoryBlock {
    std::string label, value;
    bool read_only = false;
};

/// The blocks, as they stand in the system prompt.
std::vector<MemoryBlock> memory_of(const ModelRequest& request);

/// The block that is written to: "human" if there is one, else the first that may be written; "" if none.
std::string writable_label(const std::vector<MemoryBlock>& blocks);

/// The line of memory that shares most with `question`, the newest of several; "" if none shares anything.
/// `block`: where it stands, if wanted.
std::string recall(const std::vector<MemoryBlock>& blocks, std::string_view question, MemoryBlock* block = nullptr);

/// How the person is called, by the newest line that says so; "" if none does.
std::string name_in(const std::vector<MemoryBlock>& blocks);

}  // namespace stele::llm
