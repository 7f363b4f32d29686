#pragma once

#include "base/secret.hpp"

#include <string>
#include <string_view>

namespace stele {

/// Encrypts what the store must keep but nobody who copies the file may read (libsodium secretbox: XSalsa20-Poly1305,
/// a random nonce for each text). Thread-safe.
class Sealer {
public:
    /// `key`: any text; the box's key is its BLAKE2b hash. Throws Error{invalid_argument} for an empty one.
    explicit Sealer(const Secret& key);

    /// `text`, sealed, as hexadecimal.
    std::string seal(std::string_view text) const;

    /// The text in `sealed`. Throws Error{unavailable} if it was sealed with another key or has been altered.
    std::string open(std::string_view sealed) const;

    /// 32 bytes that only this key gives for `purpose`, always the same (HMAC-SHA-256).
    std::string derive(std::string_view purpose) const;

private:
    Secret key_;  ///< 32 bytes
};

}  // namespace stele
