#include "tools/builtin/memory_patch.hpp"

#include "tools/builtin/text_lines.hpp"
#include "tools/working_memory.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace stele::tools::edits {
namespace {

constexpr std::size_t lines_looked_at_max = 20'000'000;  // for all hunks of a patch: each is looked for in all lines

struct HunkLine {
    char mark;  // ' ', '-', '+'
    std::string text;
};

struct Hunk {
    std::optional<std::size_t> old_line;  // 1-based; of the header, if it has one
    std::vector<HunkLine> lines;

    std::vector<std::string> before() const {
        std::vector<std::string> there;
        for (const HunkLine& line : lines)
            if (line.mark != '+') there.push_back(line.text);
        return there;
    }
};

// "@@ -12,3 +12,4 @@" says 12; "@@" and "@@ a heading" say nothing.
std::optional<std::size_t> old_line_of(std::string_view header) {
    const std::size_t minus = header.find('-');
    if (minus == std::string_view::npos || header.find_first_not_of("@ ") != minus) return std::nullopt;
    std::size_t line = 0;
    const char* begin = header.data() + minus + 1;
    const auto [end, failure] = std::from_chars(begin, header.data() + header.size(), line);
    if (failure != std::errc() || end == begin) return std::nullopt;
    return line;
}

// A line that is wholly empty counts as an empty context line, since models drop its space; at the end of a hunk it is
// only the end of the text.
void drop_empty_end(std::vector<HunkLine>& lines, std::size_t unmarked) {
    while (unmarked-- > 0) lines.pop_back();
}

std::vector<Hunk> parse_hunks(std::string_view patch) {
    std::vector<Hunk> hunks;
    std::size_t unmarked = 0;  // wholly empty lines at the present end
    const auto close = [&] {
        if (!hunks.empty()) drop_empty_end(hunks.back().lines, unmarked);
        unmarked = 0;
    };
    for (const std::string& line : lines_of(patch)) {
        if (line.starts_with("***")) continue;
        if (hunks.empty() && (line.starts_with("--- ") || line.starts_with("+++ "))) continue;  // the names of files
        if (line.starts_with("@@")) {
            close();
            hunks.emplace_back().old_line = old_line_of(line);
            continue;
        }
        if (hunks.empty()) {
            if (line.empty()) continue;
            hunks.emplace_back();  // a patch without a header line is one hunk
        }
        if (line.empty()) {
            hunks.back().lines.push_back({' ', {}});
            ++unmarked;
        } else if (line.front() == ' ' || line.front() == '-' || line.front() == '+') {
            hunks.back().lines.push_back({line.front(), line.substr(1)});
            unmarked = 0;
        } else if (line.front() != '\\') {  // "\ No newline at end of file"
            throw ToolFailure("Each line of the patch must begin with ' ', '+', '-' or '@@'; this one doesn't: " +
                              quoted(line));
        }
    }
    close();
    std::erase_if(hunks, [](const Hunk& hunk) { return hunk.lines.empty(); });
    return hunks;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
    return text;
}

// Where the hunk goes: an index into `lines`, `from` or later. `first`: no hunk went before.
std::size_t place_of(const Hunk& hunk, const std::vector<std::string>& before, const std::vector<std::string>& lines,
                     std::size_t from, bool first) {
    const auto hinted = [&](std::size_t line) { return std::clamp(line, from, lines.size()); };
    // Only added lines: behind the line that the header names, else at the end.
    if (before.empty()) return hunk.old_line ? hinted(*hunk.old_line) : lines.size();

    const std::vector<std::size_t> places = places_in(lines, before, from);
    if (places.empty())
        throw ToolFailure("A hunk of the patch does not fit: these lines are not in the block" +
                          std::string(first ? ": " : " behind the hunk before: ") + quoted(joined(before)));
    if (places.size() == 1) return places.front();
    if (!hunk.old_line)
        throw ToolFailure(
            "A hunk of the patch fits at " + std::to_string(places.size()) +
            " places. Send more lines around the change, or the line in its header: " + quoted(joined(before)));
    const std::size_t wanted = hinted(*hunk.old_line > 0 ? *hunk.old_line - 1 : 0);
    const auto distance = [&](std::size_t at) { return at > wanted ? at - wanted : wanted - at; };
    return *std::min_element(places.begin(), places.end(),
                             [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
}

std::optional<std::string> after(const std::string& line, std::string_view word) {
    if (!line.starts_with(word)) return std::nullopt;
    const std::size_t begin = line.find_first_not_of(" \t", word.size());
    if (begin == std::string::npos) throw ToolFailure("A label is missing in the patch behind '" + line + "'");
    return line.substr(begin, line.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace

std::vector<PatchSection> parse_sections(std::string_view patch) {
    using Kind = PatchSection::Kind;
    std::vector<PatchSection> sections;
    bool first_line = true;  // of an added text
    for (const std::string& line : lines_of(patch)) {
        if (const auto added = after(line, "*** Add Block:")) {
            sections.push_back({Kind::add, *added, {}, {}, {}});
            first_line = true;
        } else if (const auto removed = after(line, "*** Delete Block:")) {
            sections.push_back({Kind::remove, *removed, {}, {}, {}});
        } else if (const auto updated = after(line, "*** Update Block:")) {
            sections.push_back({Kind::update, *updated, {}, {}, {}});
        } else if (const auto moved = after(line, "*** Move to:")) {
            if (sections.empty() || sections.back().kind != Kind::update)
                throw ToolFailure("'*** Move to:' must stand behind an '*** Update Block:' line");
            sections.back().new_label = *moved;
        } else if (line.starts_with("*** ") || sections.empty()) {
            continue;
        } else if (sections.back().kind == Kind::update) {
            sections.back().hunks += line + "\n";
        } else if (sections.back().kind == Kind::add && !line.empty()) {
            if (line.front() != '+')
                throw ToolFailure("Each line of an added block must begin with '+'; this one doesn't: " + quoted(line));
            sections.back().text += (first_line ? "" : "\n") + line.substr(1);
            first_line = false;
        } else if (!line.empty()) {
            throw ToolFailure("A deleted block takes no lines; this one follows it: " + quoted(line));
        }
    }
    for (const PatchSection& section : sections)
        if (section.kind == Kind::update && section.new_label.empty() && parse_hunks(section.hunks).empty())
            throw ToolFailure("The patch says nothing about the block '" + section.label + "'");
    return sections;
}

std::string apply_hunks(const std::string& value, std::string_view patch) {
    Lines block(value);
    const std::vector<Hunk> hunks = parse_hunks(patch);
    if (hunks.empty()) throw ToolFailure("The patch holds no hunk");
    if (hunks.size() * block.lines.size() > lines_looked_at_max)
        throw ToolFailure("The patch holds too many hunks for a block of " + std::to_string(block.lines.size()) +
                          " lines. Apply it in parts");
    // Header lines count those of the block as it was, and each hunk lies behind the one before: so what is made is
    // written from the front to the end.
    std::vector<std::string> made;
    auto keep_until = [&, next = std::size_t{0}](std::size_t end, std::size_t left_out) mutable {
        made.insert(made.end(), block.lines.begin() + static_cast<std::ptrdiff_t>(next),
                    block.lines.begin() + static_cast<std::ptrdiff_t>(end));
        next = end + left_out;
    };
    std::size_t from = 0;
    for (const Hunk& hunk : hunks) {
        const std::vector<std::string> before = hunk.before();
        const std::size_t at = place_of(hunk, before, block.lines, from, &hunk == &hunks.front());
        keep_until(at, before.size());
        for (const HunkLine& line : hunk.lines)
            if (line.mark != '-') made.push_back(line.text);
        from = at + before.size();
    }
    keep_until(block.lines.size(), 0);
    block.lines = std::move(made);
    return block.text();
}

}  // namespace stele::tools::edits
