#include "runtime/return_limit.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

void cut(std::string& text, std::size_t limit, std::size_t characters, std::size_t limit_of_all) {
    text.resize(first_code_points(text, limit).size());
    text += "... [the return was cut: " + std::to_string(characters) + " > " + std::to_string(limit_of_all) +
            " characters]";
}

// The text in which the limit is reached is cut there, those behind it go.
void shorten_parts(std::vector<ContentPart>& parts, std::size_t limit) {
    std::size_t characters = 0;
    for (const ContentPart& part : parts) characters += code_points(part.text.value_or(""));
    if (characters <= limit) return;
    std::vector<ContentPart> kept;
    std::size_t left = limit;
    bool was_cut = false;
    for (ContentPart& part : parts) {
        if (part.text.has_value()) {
            if (was_cut) continue;
            const std::size_t own = code_points(*part.text);
            was_cut = own > left;
            if (was_cut) cut(*part.text, left, characters, limit);
            left -= std::min(own, left);
        }
        kept.push_back(std::move(part));
    }
    parts = std::move(kept);
}

}  // namespace

void shorten(MessageToolReturn& result, std::int64_t limit_characters) {
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(1, limit_characters));
    if (result.parts.has_value()) {
        shorten_parts(*result.parts, limit);
        result.value = plain_text(*result.parts);
        return;
    }
    const std::size_t characters = code_points(result.value);
    if (characters <= limit) return;
    cut(result.value, limit, characters, limit);
    result.is_object = false;  // half a JSON text is a text
}

}  // namespace stele::runtime
