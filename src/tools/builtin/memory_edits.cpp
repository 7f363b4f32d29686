#include "tools/builtin/memory_edits.hpp"

#include "tools/working_memory.hpp"

#include <vector>

namespace stele::tools::edits {
namespace {

constexpr std::string_view line_arrow = "\xe2\x86\x92";  // the arrow of the prompt's line numbers

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = text.find('\n', begin);
        lines.emplace_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
        if (end == std::string_view::npos) return lines;
        begin = end + 1;
    }
}

std::string join_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) text += '\n';
        text += lines[i];
    }
    return text;
}

bool has_line_number(std::string_view line) {
    std::size_t i = line.find_first_not_of(" \t");
    const std::size_t digits = i;
    while (i < line.size() && line[i] >= '0' && line[i] <= '9') ++i;
    return digits != std::string_view::npos && i > digits && line.substr(i).starts_with(line_arrow);
}

std::string quoted(const std::string& text) {
    return "'" + (text.size() > 200 ? text.substr(0, 200) + "..." : text) + "'";
}

// One hunk: what must be there, and what takes its place.
struct Hunk {
    std::vector<std::string> before, after;
};

std::vector<Hunk> parse_hunks(std::string_view patch) {
    std::vector<Hunk> hunks;
    for (const std::string& line : split_lines(patch)) {
        if (line.starts_with("---") || line.starts_with("+++") || line.starts_with("***")) continue;
        if (line.starts_with("@@")) {
            hunks.emplace_back();
            continue;
        }
        if (hunks.empty()) {
            if (line.empty()) continue;
            hunks.emplace_back();  // a patch without a header line is one hunk
        }
        const std::string rest = line.empty() ? std::string() : line.substr(1);
        if (line.empty() || line.front() == ' ') {
            hunks.back().before.push_back(rest);
            hunks.back().after.push_back(rest);
        } else if (line.front() == '-') {
            hunks.back().before.push_back(rest);
        } else if (line.front() == '+') {
            hunks.back().after.push_back(rest);
        } else if (line.front() != '\\') {
            throw ToolFailure("Each line of the patch must begin with ' ', '+', '-' or '@@'; this one doesn't: " +
                              quoted(line));
        }
    }
    // A trailing line break of the patch text is no context line.
    for (Hunk& hunk : hunks) {
        if (!hunk.before.empty() && !hunk.after.empty() && hunk.before.back().empty() && hunk.after.back().empty()) {
            hunk.before.pop_back();
            hunk.after.pop_back();
        }
    }
    return hunks;
}

}  // namespace

void refuse_line_numbers(const std::string& text, const char* argument) {
    for (const std::string& line : split_lines(text))
        if (has_line_number(line))
            throw ToolFailure(
                std::string(argument) +
                " holds line numbers as the prompt shows them; they are not part of the memory. Send the text "
                "without them");
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
            column = c == '\n' ? 0 : column + ((static_cast<unsigned char>(c) & 0xc0) != 0x80);
        }
    }
    return out;
}

std::string replace_once(const std::string& value, const std::string& old_text, const std::string& new_text,
                         const std::string& label) {
    if (old_text.empty()) throw ToolFailure("old_string must not be empty; use memory_insert to add text");
    std::vector<std::size_t> places;
    for (std::size_t at = value.find(old_text); at != std::string::npos; at = value.find(old_text, at + 1))
        places.push_back(at);
    if (places.empty())
        throw ToolFailure("The text " + quoted(old_text) + " was not found in the memory block '" + label + "'");
    if (places.size() > 1) {
        std::string lines;
        for (const std::size_t at : places) {
            std::size_t line = 1;
            for (std::size_t i = 0; i < at; ++i) line += value[i] == '\n';
            lines += (lines.empty() ? "" : ", ") + std::to_string(line);
        }
        throw ToolFailure("The text " + quoted(old_text) + " occurs " + std::to_string(places.size()) + " times in '" +
                          label + "', in lines " + lines + ". Send more of its surroundings so that it is unique");
    }
    return value.substr(0, places.front()) + new_text + value.substr(places.front() + old_text.size());
}

std::string replace_all(const std::string& value, const std::string& old_text, const std::string& new_text,
                        const std::string& label) {
    if (old_text.empty()) throw ToolFailure("old_content must not be empty");
    std::string out;
    std::size_t from = 0;
    std::size_t at = value.find(old_text);
    if (at == std::string::npos)
        throw ToolFailure("The text " + quoted(old_text) + " was not found in the memory block '" + label + "'");
    for (; at != std::string::npos; at = value.find(old_text, from)) {
        out.append(value, from, at - from);
        out += new_text;
        from = at + old_text.size();
    }
    return out.append(value, from);
}

std::string insert_lines(const std::string& value, const std::string& text, std::int64_t line) {
    std::vector<std::string> lines = value.empty() ? std::vector<std::string>{} : split_lines(value);
    const auto count = static_cast<std::int64_t>(lines.size());
    if (line == -1) line = count;
    if (line < 0 || line > count)
        throw ToolFailure("insert_line " + std::to_string(line) +
                          " is outside of the block: it must be between 0 and " + std::to_string(count) +
                          ", or -1 for the end");
    const std::vector<std::string> added = split_lines(text);
    lines.insert(lines.begin() + line, added.begin(), added.end());
    return join_lines(lines);
}

std::string apply_hunks(const std::string& value, std::string_view patch) {
    std::vector<std::string> lines = value.empty() ? std::vector<std::string>{} : split_lines(value);
    const std::vector<Hunk> hunks = parse_hunks(patch);
    if (hunks.empty()) throw ToolFailure("The patch holds no hunk");
    std::size_t from = 0;
    for (const Hunk& hunk : hunks) {
        const auto fits = [&](std::size_t at) {
            for (std::size_t i = 0; i < hunk.before.size(); ++i)
                if (at + i >= lines.size() || lines[at + i] != hunk.before[i]) return false;
            return true;
        };
        std::size_t at = from;
        while (at <= lines.size() && !fits(at)) ++at;
        if (hunk.before.empty()) at = lines.size();
        if (at > lines.size())
            throw ToolFailure("A hunk of the patch does not fit: these lines are not in the block: " +
                              quoted(join_lines(hunk.before)));
        const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(at);
        lines.erase(begin, begin + static_cast<std::ptrdiff_t>(hunk.before.size()));
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), hunk.after.begin(), hunk.after.end());
        from = at + hunk.after.size();
    }
    return join_lines(lines);
}

}  // namespace stele::tools::edits
