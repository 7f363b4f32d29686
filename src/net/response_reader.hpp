#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <memory>

namespace stele::net {

/// Reads one HTTP/1.1 answer from bytes as they come (RFC 9112); answers of the 1xx kind are skipped. No I/O.
class ResponseReader {
public:
    ResponseReader();
    ~ResponseReader();

    enum class State : std::uint8_t { head, body, done, failed };

    /// `head_request`: the answer will have no body whatever its head says.
    void begin(bool head_request);

    /// Takes bytes from the front of `bytes` and returns how many; call it again while it takes any.
    std::size_t feed(std::string_view bytes);

    /// The peer has closed: completes an answer that is framed so, fails any other.
    void feed_end();

    State state() const { return state_; }
    int status() const;
    const Headers& headers() const;
    bool keep_alive() const;

    /// The body's bytes that came since the last call.
    std::string take_body();
    std::size_t body_bytes() const;  ///< waiting to be taken

private:
    struct Parser;

    void restart();
    std::size_t feed_head(std::string_view bytes);

    std::unique_ptr<Parser> parser_;
    bool head_request_ = false;
    State state_ = State::head;
};

}  // namespace stele::net
