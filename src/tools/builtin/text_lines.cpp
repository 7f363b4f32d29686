#include "tools/builtin/text_lines.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cstring>

namespace stele::tools::edits {
namespace {

constexpr std::size_t quoted_characters_max = 200;

bool breaks_with_crlf(std::string_view text) {
    std::size_t at = text.find('\n');
    if (at == std::string_view::npos) return false;
    for (; at != std::string_view::npos; at = text.find('\n', at + 1))
        if (at == 0 || text[at - 1] != '\r') return false;
    return true;
}

}  // namespace

Lines::Lines(std::string_view text) : crlf(breaks_with_crlf(text)) {
    if (text.empty()) return;
    for (std::size_t begin = 0;;) {
        const std::size_t end = text.find('\n', begin);
        const bool last = end == std::string_view::npos;
        std::string_view line = text.substr(begin, last ? end : end - begin);
        if (crlf && !last) line.remove_suffix(1);
        lines.emplace_back(line);
        if (last) return;
        begin = end + 1;
    }
}

std::string Lines::text() const {
    std::string joined;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) joined += crlf ? "\r\n" : "\n";
        joined += lines[i];
    }
    return joined;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view line = text.substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.emplace_back(line);
        begin = end + 1;
    }
    return lines;
}

std::size_t find_in(std::string_view text, std::string_view part, std::size_t from) {
    if (from > text.size()) return std::string_view::npos;
    const void* found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
    return found == nullptr ? std::string_view::npos
                            : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Knuth, Morris, Pratt 1977: by how much of `part` ends at each of its lines, no line is gone back to.
std::vector<std::size_t> places_in(const std::vector<std::string>& lines, const std::vector<std::string>& part,
                                   std::size_t from) {
    std::vector<std::size_t> places, borders(part.size() + 1, 0);
    if (part.empty()) return places;
    const auto longer = [&](std::size_t border, const std::string& line) {
        while (border > 0 && (border == part.size() || part[border] != line)) border = borders[border];
        return part[border] == line ? border + 1 : border;
    };
    for (std::size_t i = 1; i < part.size(); ++i) borders[i + 1] = longer(borders[i], part[i]);
    for (std::size_t at = from, matched = 0; at < lines.size(); ++at) {
        matched = longer(matched, lines[at]);
        if (matched == part.size()) places.push_back(at + 1 - part.size());
    }
    return places;
}

std::string quoted(std::string_view text) {
    const std::string_view shown = first_code_points(text, quoted_characters_max);
    return "'" + std::string(shown) + (shown.size() < text.size() ? "...'" : "'");
}

}  // namespace stele::tools::edits
