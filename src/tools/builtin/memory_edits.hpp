#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// How memory tools change a text: pure functions. Each throws ToolFailure with a text for the model.
namespace stele::tools::edits {

/// Stands above a block whose lines the prompt numbers. Here, since edits must not carry it into the memory.
inline constexpr std::string_view line_number_warning =
    "The numbers before the arrows show lines; they are no part of the text, never copy them.";

/// Refuses text that carries the line numbers of the prompt's display ("12\u2192 ...") or the warning about them.
void refuse_line_numbers(std::string_view text, const char* argument);

/// The same for the lines of a patch, behind their '+', '-' or ' '.
void refuse_line_numbers_of_patch(std::string_view patch);

/// Tabs become spaces up to the next multiple of 8 columns.
std::string expand_tabs(std::string_view text);

/// Replaces the one occurrence of `old_text`. None or several are failures; several name the lines.
std::string replace_once(const std::string& value, const std::string& old_text, const std::string& new_text,
                         const std::string& label);

/// Replaces all occurrences, at least one.
std::string replace_all(const std::string& value, const std::string& old_text, const std::string& new_text,
                        const std::string& label);

/// Inserts `text` as lines after line `line`; 0 is the top, -1 the end. A text that breaks its lines with "\r\n"
/// throughout goes on to do so.
std::string insert_lines(const std::string& value, const std::string& text, std::int64_t line);

}  // namespace stele::tools::edits
