#include "runtime/argument_stream.hpp"

namespace stele::runtime {
namespace {

constexpr unsigned replacement_character = 0xFFFD;

void append_utf8(unsigned code, std::string& out) {
    const auto put = [&](unsigned byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

unsigned hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return 0;
}

}  // namespace

void ArgumentStream::feed(std::string_view bytes) {
    for (const char c : bytes) {
        switch (place_) {
            case Place::key:
                in_string(c, key_);
                break;
            case Place::string:
                in_string(c, piece_);
                break;
            case Place::skipped:
            case Place::skipped_string:
                skip(c);
                break;
            case Place::done:
                return;
            default:
                outside(c);
        }
    }
    if (place_ == Place::string && !piece_.empty()) {
        sink_(key_, piece_);
        piece_.clear();
    }
}

void ArgumentStream::outside(char c) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') return;
    switch (place_) {
        case Place::start:
            place_ = c == '{' ? Place::key_or_end : Place::done;
            return;
        case Place::key_or_end:
            key_.clear();
            place_ = c == '"' ? Place::key : c == ',' ? Place::key_or_end : Place::done;
            return;
        case Place::colon:
            place_ = c == ':' ? Place::value : Place::done;
            return;
        case Place::value:
            if (c == '"') {
                place_ = Place::string;
            } else {
                depth_ = 0;
                place_ = Place::skipped;
                skip(c);
            }
            return;
        default:
            return;
    }
}

void ArgumentStream::in_string(char c, std::string& into) {
    if (hex_left_ > 0) {
        hex_ = hex_ * 16 + hex_digit(c);
        if (--hex_left_ == 0) append_code_unit(hex_, into);
        return;
    }
    if (escaped_) {
        finish_escape(c, into);
        return;
    }
    if (c == '\\') {
        escaped_ = true;
        return;
    }
    if (high_surrogate_ != 0) {
        append_utf8(replacement_character, into);
        high_surrogate_ = 0;
    }
    if (c != '"') {
        into += c;
        return;
    }
    if (place_ == Place::key) {
        place_ = Place::colon;
        return;
    }
    if (!piece_.empty()) sink_(key_, piece_);
    piece_.clear();
    place_ = Place::key_or_end;
}

void ArgumentStream::finish_escape(char c, std::string& into) {
    escaped_ = false;
    if (c == 'u') {
        hex_left_ = 4;
        hex_ = 0;
        return;
    }
    switch (c) {
        case 'n':
            into += '\n';
            break;
        case 't':
            into += '\t';
            break;
        case 'r':
            into += '\r';
            break;
        case 'b':
            into += '\b';
            break;
        case 'f':
            into += '\f';
            break;
        default:
            into += c;
    }
}

void ArgumentStream::append_code_unit(unsigned unit, std::string& into) {
    if (unit >= 0xD800 && unit < 0xDC00) {
        if (high_surrogate_ != 0) append_utf8(replacement_character, into);
        high_surrogate_ = unit;
    } else if (unit >= 0xDC00 && unit < 0xE000) {
        append_utf8(high_surrogate_ == 0 ? replacement_character
                                         : 0x10000 + ((high_surrogate_ - 0xD800) << 10) + (unit - 0xDC00),
                    into);
        high_surrogate_ = 0;
    } else {
        if (high_surrogate_ != 0) append_utf8(replacement_character, into);
        high_surrogate_ = 0;
        append_utf8(unit, into);
    }
}

void ArgumentStream::skip(char c) {
    if (place_ == Place::skipped_string) {
        if (escaped_)
            escaped_ = false;
        else if (c == '\\')
            escaped_ = true;
        else if (c == '"')
            place_ = Place::skipped;
        return;
    }
    if (c == '"') {
        place_ = Place::skipped_string;
    } else if (c == '{' || c == '[') {
        ++depth_;
    } else if (c == '}' || c == ']') {
        if (depth_-- == 0) place_ = Place::done;
    } else if (c == ',' && depth_ == 0) {
        place_ = Place::key_or_end;
    }
}

}  // namespace stele::runtime
