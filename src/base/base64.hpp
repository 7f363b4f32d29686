#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stele {

/// RFC 4648 section 4, with padding.
std::string to_base64(std::string_view bytes);

/// The bytes; nothing if `text` is no base64 with its padding.
std::optional<std::string> from_base64(std::string_view text);

/// True if from_base64 would give bytes. Much cheaper.
bool is_base64(std::string_view text);

}  // namespace stele
