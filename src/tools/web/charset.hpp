#pragma once

#include <string>
#include <string_view>

namespace stele::tools::web {

/// `bytes` of a web page as well-formed UTF-8 without U+0000. The encoding is, in this order: what a byte order mark
/// says, `declared` (the charset of Content-Type, may be empty), of HTML a <meta> among the first 1024 bytes, UTF-8 if
/// the bytes are that, else Windows-1252. Labels that are not known are passed over; what an encoding does not know
/// becomes U+FFFD. Source: WHATWG Encoding (labels), HTML 13.2.3.2 (order, prescan).
std::string to_utf8(std::string_view bytes, std::string_view declared, bool is_html);

}  // namespace stele::tools::web
