#include "net/connection.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/gzip.hpp"
#include "net/response_head.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <array>

namespace stele::net {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t first_read_bytes = 4u << 10;
constexpr std::size_t body_read_bytes = 64u << 10;
constexpr std::size_t write_piece_bytes = 256u << 10;      // the write time-out holds for each piece
constexpr std::size_t compressed_from_bytes = 1u << 10;
constexpr std::size_t lingering_bytes_max = 16u << 20;
constexpr auto lingering_time = std::chrono::seconds(2);

using PlainStream = tcp::socket;
using TlsStream = ssl::stream<tcp::socket>;

/// One client. Lives in its own coroutine and on its context's thread.
template <class Stream>
class Connection final : public SweptConnection, public std::enable_shared_from_this<Connection<Stream>> {
public:
    Connection(ServerContext& context, Stream stream)
        : context_(context), options_(context.state().options), stream_(std::move(stream)), reader_(limits(options_)) {
        context_.add(*this);
        ++context_.state().connections;
    }
    ~Connection() override {
        --context_.state().connections;
        context_.remove(*this);
    }

    awaitable<void> run(std::shared_ptr<Connection> self, bool overloaded);

    void expire() override {
        timed_out_ = true;
        deadline_ = Clock::time_point::max();
        error_code ignored;
        socket().cancel(ignored);
    }
    void stop() override {
        if (idle_) cut();
    }
    void cut() override {
        error_code ignored;
        socket().close(ignored);
    }

private:
    class Writer;

    tcp::socket& socket() {
        if constexpr (std::is_same_v<Stream, PlainStream>)
            return stream_;
        else
            return stream_.next_layer();
    }
    static RequestReader::Limits limits(const ServerOptions& options) {
        RequestReader::Limits made;
        made.head_bytes_max = options.header_bytes_max;
        made.target_bytes_max = options.target_bytes_max;
        made.body_bytes_max = options.body_bytes_max;
        return made;
    }
    void allow(std::chrono::milliseconds time) { deadline_ = Clock::now() + time; }
    void allow_for_ever() { deadline_ = Clock::time_point::max(); }

    awaitable<bool> serve_one();
    awaitable<bool> read_request();
    awaitable<error_code> read_more();
    awaitable<bool> answer();
    awaitable<void> refuse(int status, std::string text);
    awaitable<bool> send(HttpResponse response, bool keep_alive);
    awaitable<bool> stream(HttpResponse response, bool keep_alive);
    awaitable<error_code> write(std::string_view head, std::string_view body);
    awaitable<void> linger();
    awaitable<void> watch(std::shared_ptr<Connection> self, Writer* writer);
    bool preflight(HttpResponse& response) const;
    void add_cors(HttpResponse& response) const;
    void compress(HttpResponse& response) const;
    HttpResponse own_answer(int status, const std::string& text) const;

    ServerContext& context_;
    const ServerOptions& options_;
    Stream stream_;
    RequestReader reader_;
    HttpRequest request_;
    std::string peer_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0, end_ = 0;      ///< bytes of buffer_ that no request has taken yet
    std::string head_;
    bool idle_ = true;                     ///< between two requests
    bool timed_out_ = false;
    Writer* watched_ = nullptr;            ///< the stream whose client is being watched
};

/// The body of a streamed answer. Closed once the client is gone.
template <class Stream>
class Connection<Stream>::Writer final : public BodyWriter {
public:
    Writer(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}

    awaitable<void> write(std::string bytes) override {
        if (closed_) throw Error(ErrorCode::cancelled, "The client has closed the stream");
        if (bytes.empty()) co_return;
        std::string frame;
        if (chunked_) {
            char size[32];
            std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
            frame = size;
            bytes += "\r\n";
        }
        const error_code failure = co_await connection_.write(frame, bytes);
        if (!failure) co_return;
        close();
        throw Error(ErrorCode::cancelled, "The client has closed the stream, or does not read it");
    }
    bool closed() const override { return closed_; }
    void on_close(std::function<void()> hook) override { hook_ = std::move(hook); }

    void close() {
        if (std::exchange(closed_, true)) return;
        if (auto hook = std::exchange(hook_, {})) hook();
    }

private:
    Connection& connection_;
    bool chunked_;
    bool closed_ = false;
    std::function<void()> hook_;
};

template <class Stream>
awaitable<void> Connection<Stream>::run([[maybe_unused]] std::shared_ptr<Connection> self, bool overloaded) {
    error_code ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    const tcp::endpoint peer = socket().remote_endpoint(ignored);
    peer_ = peer.address().to_string();
    if constexpr (std::is_same_v<Stream, TlsStream>) {
        allow(options_.head_timeout);
        const auto [failure] = co_await stream_.async_handshake(ssl::stream_base::server, use_tuple);
        if (failure) co_return;
    }
    if (overloaded)
        co_await refuse(503, "The server has as many connections as it can hold; try again in a moment");
    else
        while (co_await serve_one()) {
        }
    allow(lingering_time);
    if constexpr (std::is_same_v<Stream, TlsStream>) co_await stream_.async_shutdown(use_tuple);
    socket().close(ignored);
}

template <class Stream>
awaitable<bool> Connection<Stream>::serve_one() {
    const bool complete = co_await read_request();
    if (!complete) co_return false;
    allow_for_ever();
    idle_ = false;
    const bool again = co_await answer();
    co_return again && !context_.state().stopping;
}

/// False if no request came, or one that was refused: then the connection ends.
template <class Stream>
awaitable<bool> Connection<Stream>::read_request() {
    request_.peer = peer_;
    reader_.begin(request_);
    idle_ = begin_ == end_;
    bool begun = !idle_, continued = false;
    allow(begun ? options_.head_timeout : options_.idle_timeout);
    for (;;) {
        while (begin_ < end_) {
            const std::size_t used = reader_.feed({buffer_.data() + begin_, end_ - begin_});
            begin_ += used;
            if (used == 0) break;
        }
        if (reader_.state() == RequestReader::State::done) co_return true;
        if (reader_.state() == RequestReader::State::failed) {
            co_await refuse(reader_.status(), reader_.problem());
            co_return false;
        }
        if (reader_.state() == RequestReader::State::body) {
            if (reader_.expects_continue() && !std::exchange(continued, true) && begin_ == end_) {
                const error_code failure = co_await write("HTTP/1.1 100 Continue\r\n\r\n", {});
                if (failure) co_return false;
            }
            allow(options_.body_timeout);
        }
        const error_code failure = co_await read_more();
        if (failure) {
            if (begun && std::exchange(timed_out_, false)) co_await refuse(408, "The request did not come in time");
            co_return false;
        }
        idle_ = false;
        if (!std::exchange(begun, true)) allow(options_.head_timeout);
    }
}

template <class Stream>
awaitable<error_code> Connection<Stream>::read_more() {
    if (begin_ == end_) begin_ = end_ = 0;
    const std::size_t wanted = reader_.state() == RequestReader::State::body ? body_read_bytes : first_read_bytes;
    if (buffer_.size() - end_ < wanted / 2) {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
        end_ -= begin_;
        begin_ = 0;
        buffer_.resize(std::max(end_ + wanted, buffer_.size()));
    }
    const auto [failure, bytes] =
        co_await stream_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_), use_tuple);
    end_ += bytes;
    co_return failure;
}

template <class Stream>
awaitable<bool> Connection<Stream>::answer() {
    const auto began = Clock::now();
    const bool keep_alive = reader_.keep_alive() && !context_.state().stopping;
    HttpResponse response;
    if (const std::string* coding = request_.headers.find("Content-Encoding"); coding != nullptr && !same_name(*coding, "identity")) {
        GunzipFailure failure = GunzipFailure::malformed;
        std::optional<std::string> text;
        if (same_name(*coding, "gzip")) text = gunzip(request_.body, options_.body_bytes_max, failure);
        if (!text) {
            const bool unknown = !same_name(*coding, "gzip");
            co_await refuse(unknown ? 415 : failure == GunzipFailure::too_large ? 413 : 400,
                            unknown ? "Of the content codings only gzip is known"
                            : failure == GunzipFailure::too_large ? "The unpacked body is too large" : "The body is no gzip");
            co_return false;
        }
        request_.body = std::move(*text);
    }
    if (preflight(response)) {
        co_return co_await send(std::move(response), keep_alive);
    }
    if (++context_.state().requests > options_.requests_max) {
        response = own_answer(503, "The server is at work on as many requests as it can; try again in a moment");
        response.headers.add("Retry-After", "1");
    } else {
        try {
            response = co_await context_.handler()(request_);
        } catch (const std::exception& error) {
            log::error("http.handler_failed", {{"path", request_.path}, {"why", error.what()}});
            response = own_answer(500, "An unknown error occurred");
        }
    }
    const int status = response.status;
    const bool again = co_await send(std::move(response), keep_alive);
    --context_.state().requests;
    if (options_.on_answered) options_.on_answered(request_, status, Clock::now() - began);
    if (buffer_.size() > body_read_bytes && begin_ == end_) std::vector<char>().swap(buffer_);
    co_return again;
}

template <class Stream>
awaitable<bool> Connection<Stream>::send(HttpResponse response, bool keep_alive) {
    add_cors(response);
    if (response.producer) co_return co_await stream(std::move(response), keep_alive);
    compress(response);
    const bool bodyless = response.status == 204 || response.status == 304;
    head_.clear();
    append_head(head_, response, bodyless ? Framing::none : Framing::length, response.body.size(), keep_alive);
    const bool head_only = bodyless || request_.method == Method::head;
    const error_code failure = co_await write(head_, head_only ? std::string_view() : std::string_view(response.body));
    co_return !failure && keep_alive;
}

template <class Stream>
awaitable<bool> Connection<Stream>::stream(HttpResponse response, bool keep_alive) {
    const bool chunked = !reader_.http_1_0();
    keep_alive = keep_alive && chunked;
    head_.clear();
    append_head(head_, response, chunked ? Framing::chunked : Framing::until_close, 0, keep_alive);
    error_code failure = co_await write(head_, {});
    if (failure) co_return false;
    if (request_.method == Method::head) co_return keep_alive && !chunked;
    if (begin_ == end_) {   // a stream may stay open for hours: it keeps no buffers
        begin_ = end_ = 0;
        std::vector<char>().swap(buffer_);
    }
    std::string().swap(head_);
    std::string().swap(request_.body);

    Writer writer(*this, chunked);
    watched_ = &writer;
    asio::co_spawn(context_.io(), watch(this->shared_from_this(), &writer), [](std::exception_ptr) {});
    bool finished = false;
    try {
        co_await response.producer(writer);
        finished = !writer.closed();
    } catch (const std::exception& error) {
        if (!writer.closed()) log::error("http.stream_failed", {{"path", request_.path}, {"why", error.what()}});
    }
    writer.on_close({});
    watched_ = nullptr;
    error_code ignored;
    socket().cancel(ignored);   // ends the watch; nothing else is pending here
    if (!finished) co_return false;
    if (chunked) failure = co_await write("0\r\n\r\n", {});
    co_return !failure && keep_alive;
}

// Notices a client that leaves while nothing is written to it. Bytes that come early are the next request's: they stay
// unread, and the watch ends.
template <class Stream>
awaitable<void> Connection<Stream>::watch(std::shared_ptr<Connection> self, Writer* writer) {
    const auto [failure] = co_await socket().async_wait(tcp::socket::wait_read, use_tuple);
    if (self->watched_ != writer) co_return;
    char byte = 0;
    const bool gone = !failure && ::recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    if (failure || gone) writer->close();
}

template <class Stream>
awaitable<error_code> Connection<Stream>::write(std::string_view head, std::string_view body) {
    error_code failure;
    for (;;) {
        const std::string_view piece = body.substr(0, write_piece_bytes);
        const std::array buffers{asio::buffer(head.data(), head.size()), asio::buffer(piece.data(), piece.size())};
        allow(options_.write_timeout);
        const auto [error, bytes] = co_await asio::async_write(stream_, buffers, use_tuple);
        allow_for_ever();
        failure = error;
        body.remove_prefix(piece.size());
        head = {};
        if (failure || body.empty()) break;
    }
    timed_out_ = false;
    co_return failure;
}

template <class Stream>
awaitable<void> Connection<Stream>::refuse(int status, std::string text) {
    HttpResponse response = own_answer(status, text);
    if (status == 503) response.headers.add("Retry-After", "1");
    const bool sent = co_await send(std::move(response), false);
    static_cast<void>(sent);
    if (options_.on_answered) options_.on_answered(request_, status, {});
    co_await linger();
}

// A client that is still sending would lose our answer to a reset: so its bytes are taken for a while and dropped.
template <class Stream>
awaitable<void> Connection<Stream>::linger() {
    error_code failure;
    socket().shutdown(tcp::socket::shutdown_send, failure);
    allow(lingering_time);
    begin_ = end_ = 0;
    buffer_.resize(body_read_bytes);
    for (std::size_t dropped = 0; !failure && dropped < lingering_bytes_max;) {
        const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(buffer_), use_tuple);
        failure = error;
        dropped += bytes;
    }
}

template <class Stream>
HttpResponse Connection<Stream>::own_answer(int status, const std::string& text) const {
    HttpResponse response;
    response.status = status;
    response.body = options_.error_body ? options_.error_body(status, text) : text;
    return response;
}

template <class Stream>
void Connection<Stream>::add_cors(HttpResponse& response) const {
    if (options_.cors_origins.empty()) return;
    const std::string* origin = request_.headers.find("Origin");
    if (origin == nullptr) return;
    for (const std::string& allowed : options_.cors_origins) {
        if (allowed != "*" && allowed != *origin) continue;
        response.headers.add("Access-Control-Allow-Origin", *origin);
        response.headers.add("Access-Control-Expose-Headers", "*");
        response.headers.add("Vary", "Origin");
        return;
    }
}

template <class Stream>
bool Connection<Stream>::preflight(HttpResponse& response) const {
    if (request_.method != Method::options || request_.headers.find("Origin") == nullptr) return false;
    const std::string* method = request_.headers.find("Access-Control-Request-Method");
    if (method == nullptr) return false;
    response.status = 204;
    response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    const std::string* names = request_.headers.find("Access-Control-Request-Headers");
    if (names != nullptr) response.headers.add("Access-Control-Allow-Headers", *names);
    response.headers.add("Access-Control-Max-Age", "600");
    return true;
}

template <class Stream>
void Connection<Stream>::compress(HttpResponse& response) const {
    if (response.body.size() < compressed_from_bytes || response.headers.find("Content-Encoding") != nullptr) return;
    const bool text = response.content_type.starts_with("application/json") || response.content_type.starts_with("text/");
    const std::string* accepted = request_.headers.find("Accept-Encoding");
    if (!text || accepted == nullptr || accepted->find("gzip") == std::string::npos) return;
    if (accepted->find("gzip;q=0") != std::string::npos && accepted->find("gzip;q=0.") == std::string::npos) return;
    response.body = gzip(response.body);
    response.headers.add("Content-Encoding", "gzip");
    response.headers.add("Vary", "Accept-Encoding");
}

template <class C>
void spawn(ServerContext& context, std::shared_ptr<C> connection, bool overloaded) {
    C& served = *connection;
    asio::co_spawn(context.io(), served.run(std::move(connection), overloaded), [](std::exception_ptr failure) {
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            log::error("http.connection_failed", {{"why", error.what()}});
        }
    });
}

}  // namespace

void serve(ServerContext& context, tcp::socket socket, bool overloaded) {
    if (!context.state().tls) {
        spawn(context, std::make_shared<Connection<PlainStream>>(context, std::move(socket)), overloaded);
        return;
    }
    TlsStream stream(std::move(socket), *context.state().tls);
    spawn(context, std::make_shared<Connection<TlsStream>>(context, std::move(stream)), overloaded);
}

}  // namespace stele::net
