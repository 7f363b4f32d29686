#include "base/seal.hpp"

#include "base/error.hpp"

#include <sodium.h>

namespace stele {
namespace {

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

Sealer::Sealer(const Secret& key) {
    if (key.empty()) throw Error(ErrorCode::invalid_argument, "The key that seals secrets is empty");
    if (sodium_init() < 0) throw Error(ErrorCode::internal, "libsodium cannot be used on this machine");
    std::string hash(crypto_secretbox_KEYBYTES, '\0');
    crypto_generichash(bytes(hash), hash.size(), bytes(key.reveal()), key.reveal().size(), nullptr, 0);
    key_ = Secret(std::move(hash));
}

std::string Sealer::seal(std::string_view text) const {
    std::string box(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size(), '\0');
    randombytes_buf(box.data(), crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(bytes(box) + crypto_secretbox_NONCEBYTES, bytes(text), text.size(), bytes(box),
                          bytes(key_.reveal()));
    std::string hex(box.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), bytes(box), box.size());
    hex.pop_back();
    return hex;
}

std::string Sealer::open(std::string_view sealed) const {
    constexpr std::size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    std::string box(sealed.size() / 2, '\0');
    std::size_t size = 0;
    const bool hex = sodium_hex2bin(bytes(box), box.size(), sealed.data(), sealed.size(), nullptr, &size, nullptr) == 0;
    if (hex && size >= overhead) {
        std::string text(size - overhead, '\0');
        if (crypto_secretbox_open_easy(bytes(text), bytes(box) + crypto_secretbox_NONCEBYTES,
                                       size - crypto_secretbox_NONCEBYTES, bytes(box), bytes(key_.reveal())) == 0)
            return text;
    }
    throw Error(ErrorCode::unavailable, "A stored secret cannot be read: it was sealed with another key");
}

std::string Sealer::derive(std::string_view purpose) const {
    std::string made(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256(bytes(made), bytes(purpose), purpose.size(), bytes(key_.reveal()));
    return made;
}

}  // namespace stele
