#pragma once

#include <string>
#include <string_view>

namespace stele {

/// Appends `text` as a JSON string with its quotes (RFC 8259, section 7). `text` is expected to be UTF-8; what lies
/// above U+001F goes out as it is.
void append_json_string(std::string& out, std::string_view text);

/// `text` as a JSON string with its quotes.
std::string json_string(std::string_view text);

}  // namespace stele
