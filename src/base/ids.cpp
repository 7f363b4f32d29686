#include "base/ids.hpp"

#include "base/time.hpp"

#include <sodium.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace stele {
namespace {

// libsodium's generator costs a system call; a thread takes 1 KiB at a time.
void random_bytes(unsigned char* out, std::size_t size) {
    thread_local std::array<unsigned char, 1024> pool;
    thread_local std::size_t used = pool.size();
    if (size > pool.size()) {
        randombytes_buf(out, size);
        return;
    }
    if (used + size > pool.size()) {
        randombytes_buf(pool.data(), pool.size());
        used = 0;
    }
    std::memcpy(out, pool.data() + used, size);
    used += size;
}

constexpr char hex_digits[] = "0123456789abcdef";

constexpr bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string new_uuid() {
    std::array<unsigned char, 16> bytes;
    random_bytes(bytes.data() + 6, 10);
    const auto millis = static_cast<std::uint64_t>(to_micros(now()) / 1000);
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(millis >> (40 - 8 * i));
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);

    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += hex_digits[bytes[i] >> 4];
        text += hex_digits[bytes[i] & 15];
    }
    return text;
}

std::string new_id(std::string_view prefix) {
    std::string id;
    id.reserve(prefix.size() + 37);
    id += prefix;
    id += '-';
    id += new_uuid();
    return id;
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') return false;
        } else if (!is_hex(text[i])) {
            return false;
        }
    }
    const char version = text[14];
    const char variant = text[19];
    return version >= '1' && version <= '8' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b');
}

bool is_id(std::string_view id, std::string_view prefix) {
    return id.size() == prefix.size() + 37 && id.starts_with(prefix) && id[prefix.size()] == '-' &&
           is_uuid(id.substr(prefix.size() + 1));
}

std::string random_hex(std::size_t bytes) {
    std::string text;
    text.reserve(bytes * 2);
    for (std::size_t i = 0; i < bytes; ++i) {
        unsigned char byte = 0;
        random_bytes(&byte, 1);
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

}  // namespace stele
