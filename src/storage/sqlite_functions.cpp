#include "storage/sqlite_functions.hpp"

#include <sqlite3.h>

#include <clocale>
#include <cstdint>
#include <cwctype>
#include <string>
#include <string_view>

namespace stele::storage {
namespace {

// Takes one code point from valid UTF-8.
char32_t take(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t code = length == 1 ? first : first & (0x3F >> (length - 1));
    for (std::size_t i = 1; i < length && i < text.size(); ++i)
        code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
    text.remove_prefix(length < text.size() ? length : text.size());
    return code;
}

void append(std::string& out, char32_t code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6));
        tail(0);
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | (code >> 12));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xF0 | (code >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

void lower(sqlite3_context* context, int, sqlite3_value** values) {
    static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
    if (bytes == nullptr) return sqlite3_result_null(context);
    std::string_view text(bytes, static_cast<std::size_t>(sqlite3_value_bytes(values[0])));
    std::string lowered;
    lowered.reserve(text.size());
    while (!text.empty()) {
        const char32_t code = take(text);
        const bool ascii = code < 0x80 || unicode == nullptr;
        if (ascii)
            append(lowered, code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code);
        else
            append(lowered, static_cast<char32_t>(towlower_l(static_cast<wint_t>(code), unicode)));
    }
    sqlite3_result_text64(context, lowered.data(), lowered.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

void add_functions(sqlite3* connection) {
    sqlite3_create_function_v2(connection, "lower", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr,
                               lower, nullptr, nullptr, nullptr);
}

}  // namespace stele::storage
