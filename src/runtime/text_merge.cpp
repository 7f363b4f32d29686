#include "runtime/text_merge.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

bool is_inside_character(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

/// Base's text from `begin` to `end` became `text`.
struct Edit {
    std::size_t begin = 0, end = 0;
    std::string_view text;
};

Edit edit_between(std::string_view base, std::string_view changed) {
    const std::size_t shorter = std::min(base.size(), changed.size());
    std::size_t front = 0;
    while (front < shorter && base[front] == changed[front]) ++front;
    while (front > 0 && (is_inside_character(base, front) || is_inside_character(changed, front))) --front;
    std::size_t back = 0;
    while (back < shorter - front && base[base.size() - back - 1] == changed[changed.size() - back - 1]) ++back;
    while (back > 0 && is_inside_character(base, base.size() - back)) --back;
    return {front, base.size() - back, changed.substr(front, changed.size() - back - front)};
}

std::string applied(std::string_view base, const Edit& first, const Edit& second) {
    std::string made(base.substr(0, first.begin));
    made += first.text;
    made += base.substr(first.end, second.begin - first.end);
    made += second.text;
    made += base.substr(second.end);
    return made;
}

}  // namespace

std::optional<std::string> merged_text(std::string_view base, std::string_view ours, std::string_view theirs) {
    if (theirs == base || theirs == ours) return std::string(ours);
    if (ours == base) return std::string(theirs);
    const Edit mine = edit_between(base, ours), other = edit_between(base, theirs);
    if (other.end <= mine.begin) return applied(base, other, mine);
    if (mine.end <= other.begin) return applied(base, mine, other);
    return std::nullopt;
}

}  // namespace stele::runtime
