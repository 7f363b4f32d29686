#include "net/chunk_decoder.hpp"

#include <algorithm>

namespace stele::net {
namespace {

constexpr int digits_max = 15;                       // less than 2^60
constexpr std::size_t dropped_bytes_max = 8u << 10;  // of one chunk's extensions, and of all trailers

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

void ChunkDecoder::begin(std::uint64_t body_bytes_max) {
    *this = ChunkDecoder();
    allowed_ = body_bytes_max;
}

void ChunkDecoder::lower(std::uint64_t bytes) {
    if (state_ == State::more && bytes > allowed_)
        state_ = State::too_large;
    else
        allowed_ -= std::min(bytes, allowed_);
}

std::size_t ChunkDecoder::feed(std::string_view bytes, std::string& out) {
    std::size_t at = 0;
    while (at < bytes.size() && state_ == State::more) {
        if (step_ != Step::data) {
            take(bytes[at++]);
            continue;
        }
        const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
        out.append(bytes.substr(at, piece));
        at += piece;
        left_ -= piece;
        if (left_ == 0) step_ = Step::data_cr;
    }
    return at;
}

void ChunkDecoder::take(char c) {
    const auto expect = [&](char wanted, Step next) {
        if (c != wanted) return fail();
        step_ = next;
    };
    const auto drop_until_cr = [&](Step next) {
        if (c == '\r')
            step_ = next;
        else if (is_control(c) || ++dropped_ > dropped_bytes_max)
            fail();
    };
    switch (step_) {
        case Step::size:
            return take_size(c);
        case Step::extension:
            return drop_until_cr(Step::size_lf);
        case Step::size_lf:
            dropped_ = 0;
            return expect('\n', left_ > 0 ? Step::data : Step::trailer_start);
        case Step::data:
            return;  // taken whole by feed
        case Step::data_cr:
            return expect('\r', Step::data_lf);
        case Step::data_lf:
            digits_ = 0;
            return expect('\n', Step::size);
        case Step::trailer_start:
            if (c == '\r') {
                step_ = Step::last_lf;
                return;
            }
            step_ = Step::trailer;
            return drop_until_cr(Step::trailer_lf);
        case Step::trailer:
            return drop_until_cr(Step::trailer_lf);
        case Step::trailer_lf:
            return expect('\n', Step::trailer_start);
        case Step::last_lf:
            if (c != '\n') return fail();
            state_ = State::done;
            return;
    }
}

void ChunkDecoder::take_size(char c) {
    if (const int value = hex_value(c); value >= 0) {
        if (++digits_ > digits_max) return fail();
        left_ = left_ * 16 + static_cast<std::uint64_t>(value);
        return;
    }
    if (digits_ == 0) return fail();
    if (left_ > allowed_) {
        state_ = State::too_large;
        return;
    }
    allowed_ -= left_;
    if (c == '\r')
        step_ = Step::size_lf;
    else if (c == ';' || c == ' ' || c == '\t')  // blanks before the extensions: RFC 9112, 7.1.1 has them read
        step_ = Step::extension;
    else
        fail();
}

}  // namespace stele::net
