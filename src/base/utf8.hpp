#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele {

/// True if `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view text);

/// Code points of well-formed UTF-8.
std::size_t code_points(std::string_view text);

/// The longest prefix of well-formed UTF-8 with at most `count` code points.
std::string_view first_code_points(std::string_view text, std::size_t count);

/// The longest prefix of at most `bytes` bytes that ends between code points.
std::string_view first_bytes(std::string_view text, std::size_t bytes);

/// `text` with each ill-formed sequence replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace stele
