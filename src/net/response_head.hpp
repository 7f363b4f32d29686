#pragma once

#include "net/http.hpp"

namespace stele::net {

/// How the end of an answer's body is told.
enum class Framing : std::uint8_t { length, chunked, until_close, none };

/// The reason phrase of a status (RFC 9110), or a general one.
std::string_view reason_of(int status);

/// Appends status line and headers of `response` with their empty line. `body_bytes` counts with Framing::length.
/// Header values that hold line breaks are left out: they would end the head early.
void append_head(std::string& out, const HttpResponse& response, Framing framing, std::size_t body_bytes,
                 bool keep_alive);

/// What stands before a chunk of that size (RFC 9112, 7.1).
std::string chunk_head(std::size_t bytes);

}  // namespace stele::net
