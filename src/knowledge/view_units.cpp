#include "knowledge/view_units.hpp"

#include <algorithm>

namespace stele::knowledge {
namespace {

constexpr std::string_view ascii_space = " \t\r\n\v\f";
constexpr std::string_view wide_spaces[] = {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                                            "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
                                            "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

// Bytes of the white space at the front of `text`; 0: there is none.
std::size_t space_at(std::string_view text) {
    if (text.empty()) return 0;
    if (static_cast<unsigned char>(text.front()) < 0x80) return ascii_space.find(text.front()) != text.npos ? 1 : 0;
    for (const std::string_view space : wide_spaces)
        if (text.starts_with(space)) return space.size();
    return 0;
}

std::size_t space_before(std::string_view text) {
    if (text.empty()) return 0;
    if (static_cast<unsigned char>(text.back()) < 0x80) return ascii_space.find(text.back()) != text.npos ? 1 : 0;
    for (const std::string_view space : wide_spaces)
        if (text.ends_with(space)) return space.size();
    return 0;
}

Unit trimmed(std::string_view text, Unit unit, bool left) {
    for (std::size_t n = 1; left && unit.begin < unit.end && n > 0; unit.begin += n)
        n = space_at(text.substr(unit.begin, unit.end - unit.begin));
    for (std::size_t n = 1; unit.begin < unit.end && n > 0; unit.end -= n)
        n = space_before(text.substr(unit.begin, unit.end - unit.begin));
    return unit;
}

std::vector<Unit> lines_of(FileKind kind, std::string_view text, bool keep_blank) {
    std::vector<Unit> units;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const Unit unit = trimmed(text, {begin, end}, kind != FileKind::code);
        if (unit.begin < unit.end || keep_blank) units.push_back(unit);
        begin = end + 1;
    }
    return units;
}

bool ends_sentence(char c) { return c == '.' || c == '!' || c == '?'; }

std::vector<Unit> sentences_of(std::string_view text) {
    std::vector<Unit> units;
    const auto add = [&](std::size_t begin, std::size_t end) {
        const Unit unit = trimmed(text, {begin, end}, true);
        if (unit.begin < unit.end) units.push_back(unit);
    };
    std::size_t begin = 0;
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
        if (!ends_sentence(text[at])) continue;
        std::size_t next = at + 1;
        for (std::size_t n = 1; next < text.size() && n > 0; next += n) n = space_at(text.substr(next));
        const bool capital = next > at + 1 && next < text.size() && text[next] >= 'A' && text[next] <= 'Z';
        if (!capital) continue;
        add(begin, at + 1);
        begin = next;
        at = next - 1;
    }
    add(begin, text.size());
    return units;
}

}  // namespace

std::vector<Unit> view_units(FileKind kind, std::string_view text, bool keep_blank_lines) {
    return kind == FileKind::documentation ? sentences_of(text) : lines_of(kind, text, keep_blank_lines);
}

std::string unit_text(FileKind kind, std::string_view text, Unit unit) {
    const std::string_view raw = text.substr(unit.begin, unit.end - unit.begin);
    if (kind != FileKind::documentation) return std::string(raw);
    std::string shown;
    for (std::size_t at = 0; at < raw.size();) {
        const std::size_t space = space_at(raw.substr(at));
        if (space == 0) {
            shown += raw[at++];
            continue;
        }
        if (!shown.ends_with(' ')) shown += ' ';
        at += space;
    }
    return shown;
}

std::string_view unit_word(FileKind kind) { return kind == FileKind::documentation ? "sentences" : "lines"; }

UnitSpan units_within(const std::vector<Unit>& units, std::size_t begin, std::size_t end) {
    const auto first =
        std::partition_point(units.begin(), units.end(), [&](const Unit& unit) { return unit.end <= begin; });
    const auto behind = std::partition_point(first, units.end(), [&](const Unit& unit) { return unit.begin < end; });
    UnitSpan span;
    if (first == behind) return span;
    span.first = static_cast<std::size_t>(first - units.begin()) + 1;
    span.last = static_cast<std::size_t>(behind - units.begin());
    return span;
}

}  // namespace stele::knowledge
