#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::net {

/// `text` in gzip form (RFC 1952), at a level that favours speed.
std::string gzip(std::string_view text);

/// True if an answer to a request with this Accept-Encoding may be gzip'ed (RFC 9110, 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

enum class GunzipFailure : std::uint8_t { none, malformed, too_large };

/// The text in `packed`, or why not: a text beyond `bytes_max` is refused before it is there.
std::optional<std::string> gunzip(std::string_view packed, std::size_t bytes_max, GunzipFailure& failure);

}  // namespace stele::net
