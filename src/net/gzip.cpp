#include "net/gzip.hpp"

#include "net/http.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

namespace stele::net {
namespace {

constexpr int gzip_window = 15 + 16;  // zlib's way to say: gzip header and trailer
constexpr int fast_level = 1;
constexpr int memory_level = 8;

/// A deflate state holds 256 KB; one a thread is kept and reset.
struct Deflater {
    Deflater() {
        if (deflateInit2(&stream, fast_level, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
    }
    ~Deflater() { deflateEnd(&stream); }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;

    z_stream stream{};
};

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Bytef* bytes_of(const char* text) { return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text)); }

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
    bool accepted = false;
    while (!accept_encoding.empty()) {
        const std::size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
        const std::string_view item = accept_encoding.substr(0, end);
        accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
        const std::size_t parameters = std::min(item.find(';'), item.size());
        const std::string_view coding = trimmed(item.substr(0, parameters));
        if (!same_name(coding, "gzip") && coding != "*") continue;
        const std::string_view quality = trimmed(item.substr(std::min(parameters + 1, item.size())));
        const bool refused = quality.size() >= 3 && same_name(quality.substr(0, 2), "q=") &&
                             quality.find_first_not_of("0.", 2) == std::string_view::npos;
        if (coding != "*") return !refused;  // what is said of gzip itself outweighs the star
        accepted = !refused;
    }
    return accepted;
}

std::string gzip(std::string_view text) {
    thread_local Deflater deflater;
    z_stream& stream = deflater.stream;
    deflateReset(&stream);
    std::string packed(deflateBound(&stream, text.size()), '\0');
    stream.next_in = bytes_of(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = bytes_of(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    return packed;
}

std::optional<std::string> gunzip(std::string_view packed, std::size_t bytes_max, GunzipFailure& failure) {
    z_stream stream{};
    if (inflateInit2(&stream, gzip_window) != Z_OK) throw std::bad_alloc();
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
    stream.next_in = bytes_of(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string text;
    std::array<char, 32'768> piece;
    for (;;) {
        stream.next_out = bytes_of(piece.data());
        stream.avail_out = static_cast<uInt>(piece.size());
        const int result = inflate(&stream, Z_NO_FLUSH);
        text.append(piece.data(), piece.size() - stream.avail_out);
        if (text.size() > bytes_max) {
            failure = GunzipFailure::too_large;
            return std::nullopt;
        }
        if (result == Z_STREAM_END) break;
        if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            failure = GunzipFailure::malformed;
            return std::nullopt;
        }
    }
    failure = GunzipFailure::none;
    return text;
}

}  // namespace stele::net
