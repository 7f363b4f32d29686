#include "tools/builtin/text_lines.hpp"

#include "base/utf8.hpp"

#include <algorithm>

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

std::string quoted(std::string_view text) {
    const std::string_view shown = first_code_points(text, quoted_characters_max);
    return "'" + std::string(shown) + (shown.size() < text.size() ? "...'" : "'");
}

}  // namespace stele::tools::edits
