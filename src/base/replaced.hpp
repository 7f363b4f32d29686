#pragma once

#include <string>
#include <string_view>

namespace stele {

/// `text` with `to` wherever `from`, which is not empty, stands in it. In one pass, however often that is: texts that
/// somebody else has written may hold nothing else.
inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string made;
    made.reserve(text.size());
    for (;;) {
        const std::size_t at = text.find(from);
        made += text.substr(0, at);
        if (at == std::string_view::npos) return made;
        made += to;
        text.remove_prefix(at + from.size());
    }
}

}  // namespace stele
