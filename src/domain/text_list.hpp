#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// A list of texts as the JSON array that the store keeps, and back. `text` is one that encode_text_list wrote.
std::string encode_text_list(const std::vector<std::string>& list);
std::vector<std::string> decode_text_list(std::string_view text);

}  // namespace stele
