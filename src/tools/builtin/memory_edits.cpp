#include "tools/builtin/memory_edits.hpp"

#include "tools/builtin/text_lines.hpp"
#include "tools/working_memory.hpp"

#include <algorithm>
#include <vector>

namespace stele::tools::edits {
namespace {

constexpr std::string_view line_arrow = "\xe2\x86\x92";  // the arrow of the prompt's line numbers
constexpr std::size_t lines_listed_max = 20;
constexpr std::size_t bytes_compared_max = 64u << 20;  // to count the places of a text that a block is full of
constexpr std::size_t text_bytes_max = 64u << 20;      // what an edit may grow a text to before its limit is looked at

bool has_line_number(std::string_view line) {
    std::size_t i = line.find_first_not_of(" \t");
    const std::size_t digits = i;
    while (i < line.size() && line[i] >= '0' && line[i] <= '9') ++i;
    return digits != std::string_view::npos && i > digits && line.substr(i).starts_with(line_arrow);
}

[[noreturn]] void refuse_display(const char* argument) {
    throw ToolFailure(std::string(argument) +
                      " holds line numbers as the prompt shows them, or the warning about them; they are not part of "
                      "the memory. Send the text without them");
}

// The 1-based numbers of the lines in which `places` (ascending) lie, the first few of them.
std::string line_numbers(std::string_view value, const std::vector<std::size_t>& places) {
    std::string numbers;
    std::size_t line = 1, seen = 0;
    for (std::size_t i = 0; i < std::min(places.size(), lines_listed_max); ++i) {
        line += static_cast<std::size_t>(std::count(value.begin() + static_cast<std::ptrdiff_t>(seen),
                                                    value.begin() + static_cast<std::ptrdiff_t>(places[i]), '\n'));
        seen = places[i];
        numbers += (i == 0 ? "" : ", ") + std::to_string(line);
    }
    return places.size() > lines_listed_max ? numbers + ", ..." : numbers;
}

}  // namespace

void refuse_line_numbers(std::string_view text, const char* argument) {
    if (text.find(line_number_warning) != std::string_view::npos) refuse_display(argument);
    for (const std::string& line : lines_of(text))
        if (has_line_number(line)) refuse_display(argument);
}

void refuse_line_numbers_of_patch(std::string_view patch) {
    if (patch.find(line_number_warning) != std::string_view::npos) refuse_display("patch");
    for (const std::string& line : lines_of(patch)) {
        const bool marked = line.starts_with('+') || line.starts_with('-');
        if (has_line_number(marked ? std::string_view(line).substr(1) : line)) refuse_display("patch");
    }
}

std::string expand_tabs(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    for (const char c : text) {
        if (c == '\t') {
            const std::size_t spaces = 8 - column % 8;
            out.append(spaces, ' ');
            column += spaces;
        } else {
            out += c;
            column = c == '\n' || c == '\r' ? 0 : column + ((static_cast<unsigned char>(c) & 0xc0) != 0x80);
        }
    }
    return out;
}

std::string replace_once(const std::string& value, const std::string& old_text, const std::string& new_text,
                         const std::string& label) {
    if (old_text.empty()) throw ToolFailure("old_string must not be empty; use memory_insert to add text");
    std::vector<std::size_t> places;
    const std::size_t counted_max = std::max<std::size_t>(2, bytes_compared_max / old_text.size());
    for (std::size_t at = 0; places.size() < counted_max; ++at) {
        at = find_in(value, old_text, at);
        if (at == std::string::npos) break;
        places.push_back(at);
    }
    if (places.empty())
        throw ToolFailure("The text " + quoted(old_text) + " was not found in the memory block '" + label + "'");
    if (places.size() > 1)
        throw ToolFailure("The text " + quoted(old_text) + " occurs " + std::to_string(places.size()) +
                          (places.size() == counted_max ? " times or more in '" : " times in '") + label +
                          "', in lines " + line_numbers(value, places) +
                          ". Send more of its surroundings so that it is unique");
    return value.substr(0, places.front()) + new_text + value.substr(places.front() + old_text.size());
}

std::string replace_all(const std::string& value, const std::string& old_text, const std::string& new_text,
                        const std::string& label) {
    if (old_text.empty()) throw ToolFailure("old_content must not be empty");
    std::string out;
    std::size_t from = 0;
    std::size_t at = find_in(value, old_text, 0);
    if (at == std::string::npos)
        throw ToolFailure("The text " + quoted(old_text) + " was not found in the memory block '" + label + "'");
    for (; at != std::string::npos; at = find_in(value, old_text, from)) {
        out.append(value, from, at - from);
        out += new_text;
        from = at + old_text.size();
        if (out.size() > text_bytes_max)
            throw ToolFailure("The new text of the memory block '" + label + "' would be far beyond every limit");
    }
    return out.append(value, from);
}

std::string insert_lines(const std::string& value, const std::string& text, std::int64_t line) {
    Lines block(value);
    const auto count = static_cast<std::int64_t>(block.lines.size());
    if (line == -1) line = count;
    if (line < 0 || line > count)
        throw ToolFailure("insert_line " + std::to_string(line) +
                          " is outside of the block: it must be between 0 and " + std::to_string(count) +
                          ", or -1 for the end");
    std::vector<std::string> added = Lines(text).lines;
    if (added.empty()) added.emplace_back();  // an empty text is an empty line
    block.lines.insert(block.lines.begin() + line, added.begin(), added.end());
    return block.text();
}

}  // namespace stele::tools::edits
