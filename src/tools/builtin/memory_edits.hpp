#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// How memory tools change a text: pure functions. Each throws ToolFailure with a text for the model.
namespace stele::tools::edits {

/// Refuses text that carries the line numbers of the prompt's display ("12→ ...").
void refuse_line_numbers(const std::string& text, const char* argument);

/// Tabs become spaces up to the next multiple of 8 columns.
std::string expand_tabs(std::string_view text);

/// Replaces the one occurrence of `old_text`. None or several are failures; several name the lines.
std::string replace_once(const std::string& value, const std::string& old_text, const std::string& new_text,
                         const std::string& label);

/// Replaces all occurrences, at least one.
std::string replace_all(const std::string& value, const std::string& old_text, const std::string& new_text,
                        const std::string& label);

/// Inserts `text` as lines after line `line`; 0 is the top, -1 the end.
std::string insert_lines(const std::string& value, const std::string& text, std::int64_t line);

/// Applies the hunks of a unified diff (GNU diffutils manual, "Detailed Description of Unified Format"): context and
/// removed lines must be found; line numbers are hints only, since models get them wrong.
std::string apply_hunks(const std::string& value, std::string_view patch);

}  // namespace stele::tools::edits
