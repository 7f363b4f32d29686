#pragma once

#include <string>
#include <string_view>

namespace stele {

/// A new "<prefix>-<uuid>". The uuid has the shape of version 4 that clients expect, but begins with 48 bits of the
/// time in milliseconds, so that rows written together lie together. Thread-safe.
std::string new_id(std::string_view prefix);

/// The uuid part alone.
std::string new_uuid();

/// True if `id` is `<prefix>-` and a lower-case uuid of version 4 (versions 1-8 are taken too: old data holds them).
bool is_id(std::string_view id, std::string_view prefix);

/// True for the 36 characters of a lower-case uuid.
bool is_uuid(std::string_view text);

/// `bytes` random bytes of the system's generator, in hexadecimal. For tokens and trace ids.
std::string random_hex(std::size_t bytes);

}  // namespace stele
