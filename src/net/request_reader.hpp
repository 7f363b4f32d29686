#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace stele::net {

/// Reads one HTTP/1.1 request from bytes as they come (RFC 9112). No I/O, no clock: cut anywhere, the bytes give the
/// same request. Stricter than the RFC where leniency has led to request smuggling: a request has exactly one Host,
/// never both Content-Length and Transfer-Encoding, no folded header lines and no control characters. Trailers are
/// dropped.
class RequestReader {
public:
    struct Limits {
        std::size_t head_bytes_max = 64u << 10;
        std::size_t target_bytes_max = 16u << 10;
        std::size_t body_bytes_max = 50u << 20;
        std::size_t large_body_bytes_max = 0;                   ///< of what `is_large` holds for, if that is more
        std::function<bool(const HttpRequest&)> is_large = {};  ///< asked above large_from_bytes, and for chunks
        std::size_t large_from_bytes = 1u << 20;
    };

    enum class State : std::uint8_t {
        head,    ///< more of the head is needed
        body,    ///< the head is whole, more of the body is needed
        done,    ///< the request is whole
        failed,  ///< it can't be answered but with status()
    };

    explicit RequestReader(Limits limits);
    ~RequestReader();

    /// Makes ready for the next request, which will be read into `request` (outlives the reading).
    void begin(HttpRequest& request);

    /// Takes bytes from the front of `bytes` and returns how many; may stop after the head, so call it again while it
    /// takes any. What was not taken must be at the front the next time, with what came meanwhile behind it.
    std::size_t feed(std::string_view bytes);

    State state() const { return state_; }

    /// Whether the limit of large bodies holds for this one; it ends with keep_small(), which fails what is larger than
    /// the usual limit.
    bool large() const { return large_; }
    void keep_small();

    /// Of a failed request: 400, 413, 414, 431, 501 or 505, and a sentence.
    int status() const { return status_; }
    const std::string& problem() const { return problem_; }

    // Of a request whose head is whole.
    bool keep_alive() const;
    bool http_1_0() const;
    bool expects_continue() const;

private:
    struct Parser;

    std::size_t feed_head(std::string_view bytes);
    void parse_head(std::string_view head);
    void check_head();
    void fail_too_large();
    std::size_t body_bytes_max() const;
    void fail_too_long();
    void fail(int status, std::string problem);

    Limits limits_;
    std::unique_ptr<Parser> parser_;
    HttpRequest* request_ = nullptr;
    State state_ = State::head;
    bool large_ = false;
    int status_ = 0;
    std::string problem_;
};

}  // namespace stele::net
