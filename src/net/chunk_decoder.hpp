#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stele::net {

/// Takes the chunks of a body apart (RFC 9112, 7.1), as strictly as the grammar has it: lines end in CRLF, sizes are
/// plain hexadecimal. Extensions and trailers are dropped. No I/O, and nothing is kept but the state: cut anywhere.
///
///     chunk   = size [ ";" extensions ] CRLF  data CRLF
///     body    = *chunk  1*"0" [ ";" extensions ] CRLF  *( trailer CRLF )  CRLF
///
/// Own, because Beast 1.81 wants a chunk's head and all trailers in one piece and asserts when they come byte by byte.
class ChunkDecoder {
public:
    enum class State : std::uint8_t { more, done, malformed, too_large };

    /// `body_bytes_max`: for all chunks together, checked as soon as a size announces more.
    void begin(std::uint64_t body_bytes_max);

    /// Allows the body that is being read so many bytes less than it began with.
    void lower(std::uint64_t bytes);

    /// Takes bytes from the front of `bytes`, appends data to `out`, returns how many it took: all, unless the body
    /// ends or fails among them.
    std::size_t feed(std::string_view bytes, std::string& out);

    State state() const { return state_; }

private:
    enum class Step : std::uint8_t {
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer,
        trailer_lf,
        last_lf
    };

    void take(char c);
    void take_size(char c);
    void fail() { state_ = State::malformed; }

    State state_ = State::more;
    Step step_ = Step::size;
    int digits_ = 0;
    std::uint64_t left_ = 0;     ///< of the chunk's data
    std::uint64_t allowed_ = 0;  ///< of the body
    std::size_t dropped_ = 0;    ///< bytes of this line or of the trailers that nobody reads
};

}  // namespace stele::net
