#include "base/secret.hpp"

#include <sodium.h>

#include <array>

namespace stele {

bool Secret::matches(std::string_view candidate) const {
    std::array<unsigned char, crypto_generichash_BYTES> mine;
    std::array<unsigned char, crypto_generichash_BYTES> theirs;
    crypto_generichash(mine.data(), mine.size(), reinterpret_cast<const unsigned char*>(text_.data()), text_.size(),
                       nullptr, 0);
    crypto_generichash(theirs.data(), theirs.size(), reinterpret_cast<const unsigned char*>(candidate.data()),
                       candidate.size(), nullptr, 0);
    return !text_.empty() && sodium_memcmp(mine.data(), theirs.data(), mine.size()) == 0;
}

void Secret::wipe() {
    if (!text_.empty()) sodium_memzero(text_.data(), text_.size());
    text_.clear();
}

}  // namespace stele
