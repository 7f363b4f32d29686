#pragma once

#include <string>
#include <string_view>

namespace stele {

/// What is kept of the name under which a client sent a file: its last part, without leading dots and without
/// characters that file systems forbid; at most 255 bytes, of which the extension stays. Empty: nothing is left.
std::string clean_file_name(std::string_view sent);

/// The name of the file number `number` with this name: "test.txt", "test_(1).txt", "test_(2).txt".
std::string numbered_file_name(std::string_view name, std::size_t number);

}  // namespace stele
