#include "net/connection.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/answer_rules.hpp"
#include "net/large_body.hpp"
#include "net/response_head.hpp"
#include "net/web_socket.hpp"
#include "net/write_at_once.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
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
constexpr std::size_t write_piece_bytes = 256u << 10;  // the write time-out holds for each piece
constexpr unsigned writes_at_once_max = 16;
constexpr std::size_t early_bytes_max = 64u << 10;  // of pipelined requests, taken while an answer is streamed
constexpr std::size_t lingering_bytes_max = 256u << 20;
constexpr auto lingering_time = std::chrono::seconds(2);

using PlainStream = tcp::socket;
using LocalStream = asio::local::stream_protocol::socket;
using TlsStream = ssl::stream<tcp::socket>;

/// One client. Lives in its own coroutine and on its context's thread.
template <class Stream>
class Connection final : public SweptConnection, public std::enable_shared_from_this<Connection<Stream>> {
public:
    Connection(std::shared_ptr<ServerContext> context, Stream stream)
        : context_(std::move(context)),
          options_(context_->state().options),
          stream_(std::move(stream)),
          reader_(limits_of(options_)) {
        context_->add(*this);
        ++context_->state().connections;
    }
    ~Connection() override {
        --context_->state().connections;
        context_->remove(*this);
    }

    awaitable<void> run(bool overloaded);

    // The deadline stays: if the operation had ended in this very moment, the next sweep ends the one after it.
    void expire() override {
        timed_out_ = true;
        error_code ignored;
        socket().cancel(ignored);
    }
    void stop() override {
        if (idle_ || in_socket_) cut();
    }
    void end() override;
    void cut() override;

    bool is_cut() const { return cut_; }
    asio::cancellation_slot cancellation_slot() { return cancellation_.slot(); }

private:
    class Writer;

    static constexpr bool is_plain = !std::is_same_v<Stream, TlsStream>;

    auto& socket() {
        if constexpr (is_plain)
            return stream_;
        else
            return stream_.next_layer();
    }
    void allow(std::chrono::milliseconds time) {
        timed_out_ = false;
        deadline_ = Clock::now() + time;
    }
    void allow_for_ever() {
        timed_out_ = false;
        deadline_ = Clock::time_point::max();
    }

    awaitable<bool> serve_one();
    awaitable<bool> read_request();
    awaitable<error_code> read_more();
    awaitable<bool> answer();
    awaitable<HttpResponse> handle();
    awaitable<void> refuse(int status, std::string text);
    awaitable<bool> send(HttpResponse response, bool keep_alive);
    awaitable<bool> stream(HttpResponse response, bool keep_alive);
    awaitable<bool> produce(const BodyProducer& producer, bool chunked);
    awaitable<error_code> write(std::string_view head, std::string_view body);
    awaitable<void> linger();
    awaitable<void> watch(std::shared_ptr<Connection> self);

    const std::shared_ptr<ServerContext> context_;
    const ServerOptions& options_;
    Stream stream_;
    RequestReader reader_;
    HttpRequest request_;
    std::string peer_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0, end_ = 0;  ///< bytes of buffer_ that no request has taken yet
    std::string head_;
    unsigned writes_ = 0;
    bool idle_ = true;  ///< between two requests
    bool in_socket_ = false;
    bool timed_out_ = false, cut_ = false;
    bool watching_ = false;      ///< watch() is at work
    Writer* watched_ = nullptr;  ///< the stream whose client is being watched
    asio::cancellation_signal cancellation_;
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
            frame = chunk_head(bytes.size());
            bytes += "\r\n";
        }
        const error_code failure = co_await connection_.write(frame, bytes);
        if (!failure) co_return;
        close();
        throw Error(ErrorCode::cancelled, "The client has closed the stream, or does not read it");
    }
    bool closed() const override { return closed_; }
    bool ending() const override { return ending_; }
    void on_close(std::function<void()> hook) override { hook_ = std::move(hook); }

    void end() {
        ending_ = true;
        if (const auto hook = hook_) hook();
    }

    void close() {
        if (std::exchange(closed_, true)) return;
        if (auto hook = std::exchange(hook_, {})) hook();
    }

private:
    Connection& connection_;
    bool chunked_;
    bool closed_ = false;
    bool ending_ = false;
    std::function<void()> hook_;
};

template <class Stream>
void Connection<Stream>::end() {
    const auto self = this->shared_from_this();
    if (watched_ == nullptr) return cut();
    if (!watched_->ending()) watched_->end();
}

template <class Stream>
void Connection<Stream>::cut() {
    const auto self = this->shared_from_this();  // the hook or the cancellation may end the coroutine that holds us
    if (std::exchange(cut_, true)) return;
    error_code ignored;
    socket().close(ignored);
    if (watched_ != nullptr) watched_->close();
    cancellation_.emit(asio::cancellation_type::terminal);  // a handler waits for somebody else than this client
}

template <class Stream>
awaitable<void> Connection<Stream>::run(bool overloaded) {
    error_code ignored;
    if constexpr (is_plain) socket().non_blocking(true, ignored);
    if constexpr (!std::is_same_v<Stream, LocalStream>) {
        socket().set_option(tcp::no_delay(true), ignored);
        const tcp::endpoint peer = socket().remote_endpoint(ignored);
        peer_ = peer.address().to_string();
    }
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
    co_return again && !context_->state().stopping;
}

/// False if no request came, or one that was refused: then the connection ends.
template <class Stream>
awaitable<bool> Connection<Stream>::read_request() {
    request_.peer = peer_;
    reader_.begin(request_);
    idle_ = begin_ == end_;
    bool begun = !idle_, continued = false;
    std::optional<Clock::time_point> body_began;
    HeldBody held(context_->state());
    allow(begun ? options_.head_timeout : options_.idle_timeout);
    for (;;) {
        while (begin_ < end_) {
            const std::size_t used = reader_.feed({buffer_.data() + begin_, end_ - begin_});
            begin_ += used;
            if (used == 0) break;
        }
        Refusal refusal;
        if (reader_.large()) refusal = co_await spool_large_body(options_.large, reader_, request_);
        if (refusal.status == 0) refusal = held.hold(request_.body.size());
        if (refusal.status != 0) {
            co_await refuse(refusal.status, std::move(refusal.text));
            co_return false;
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
            if (!body_began) body_began = Clock::now();
            allow(body_patience(options_, request_, *body_began));
        }
        const error_code failure = co_await read_more();
        if (failure) {
            if (begun && timed_out_) co_await refuse(408, "The request did not come in time");
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
    // HTTP/1.0 clients get one answer a connection: what they take "keep-alive" to mean differs.
    const bool keep_alive = reader_.keep_alive() && !reader_.http_1_0();
    Refusal refusal = unpack_body(options_, request_);
    if (refusal.status != 0) {
        co_await refuse(refusal.status, std::move(refusal.text));
        co_return false;
    }
    HttpResponse response;
    if (!answer_preflight(options_, request_, response)) response = co_await handle();
    if (response.socket && opens_web_socket(request_) && begin_ == end_) {
        in_socket_ = true;  // the connection is nothing else from here on, and ends with it
        if (options_.on_answered) options_.on_answered(request_, 101, {});
        const std::string why = co_await serve_web_socket(stream_, request_, std::move(response.socket));
        if (!why.empty() && !cut_) log::error("http.socket_failed", {{"path", request_.path}, {"why", why}});
        co_return false;
    }
    if (response.socket) response = own_answer(options_, 426, "Open a WebSocket here");
    const int status = response.status;
    const bool again = co_await send(std::move(response), keep_alive);
    request_.large_body.reset();
    if (options_.on_answered) options_.on_answered(request_, status, Clock::now() - began);
    if (buffer_.size() > body_read_bytes && begin_ == end_) std::vector<char>().swap(buffer_);
    co_return again;
}

template <class Stream>
awaitable<HttpResponse> Connection<Stream>::handle() {
    struct Slot {
        explicit Slot(std::atomic<std::size_t>& counter) : used(counter), number(++used) {}
        ~Slot() { --used; }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        std::atomic<std::size_t>& used;
        const std::size_t number;
    };
    const Slot slot(context_->state().requests);
    if (slot.number > options_.requests_max)
        co_return own_answer(options_, 503,
                             "The server is at work on as many requests as it can; try again in a moment");
    std::string why;
    try {
        co_return co_await context_->handler()(request_);
    } catch (const std::exception& error) {
        why = error.what();
    } catch (...) {
        why = "an exception of an unknown type";
    }
    if (!cut_) log::error("http.handler_failed", {{"path", request_.path}, {"why", why}});
    co_return own_answer(options_, 500, "An unknown error occurred");
}

template <class Stream>
awaitable<bool> Connection<Stream>::send(HttpResponse response, bool keep_alive) {
    keep_alive = keep_alive && !context_->state().stopping;
    add_cors(options_, request_, response);
    if (response.producer) co_return co_await stream(std::move(response), keep_alive);
    compress(request_, response);
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
    head_.clear();
    append_head(head_, response, chunked ? Framing::chunked : Framing::until_close, 0, keep_alive);
    const error_code failure = co_await write(head_, {});
    if (failure) co_return false;
    if (request_.method == Method::head) co_return keep_alive;
    if (begin_ == end_) {  // a stream may stay open for hours: it keeps no buffers
        begin_ = end_ = 0;
        std::vector<char>().swap(buffer_);
    }
    std::string().swap(head_);
    std::string().swap(request_.body);

    asio::co_spawn(context_->io(), watch(this->shared_from_this()), [](std::exception_ptr) {});
    const bool finished = co_await produce(response.producer, chunked);
    error_code ignored;
    socket().cancel(ignored);  // ends the watch; nothing else is pending here
    while (watching_) co_await asio::post(context_->io(), asio::use_awaitable);
    if (!finished) co_return false;
    if (!chunked) co_return false;
    const error_code unsent = co_await write("0\r\n\r\n", {});
    co_return !unsent && keep_alive;
}

/// True if the body came to its proper end. Whatever else happens, the client must not take it for whole.
template <class Stream>
awaitable<bool> Connection<Stream>::produce(const BodyProducer& producer, bool chunked) {
    Writer writer(*this, chunked);
    struct Watched {
        Writer*& place;
        ~Watched() { place = nullptr; }
    } const watched{watched_};
    watched_ = &writer;
    std::string why;
    try {
        co_await producer(writer);
        co_return !writer.closed();
    } catch (const std::exception& error) {
        why = error.what();
    } catch (...) {
        why = "an exception of an unknown type";
    }
    if (!writer.closed()) log::error("http.stream_failed", {{"path", request_.path}, {"why", why}});
    co_return false;
}

// Notices a client that leaves while nothing is written to it. Bytes that come early are the next request's and are
// kept; more of them than any client sends in earnest end the watch.
template <class Stream>
awaitable<void> Connection<Stream>::watch(std::shared_ptr<Connection> self) {
    struct Watching {
        bool& on;
        ~Watching() { on = false; }
    } const watching{self->watching_};
    watching_ = true;
    error_code failure;
    while (!failure && end_ - begin_ < early_bytes_max) {
        if constexpr (is_plain) {  // waiting needs no buffer
            const auto [error] = co_await stream_.async_wait(Stream::wait_read, use_tuple);
            failure = error;
        }
        if (!failure) failure = co_await read_more();
    }
    if (failure && watched_ != nullptr) watched_->close();
}

template <class Stream>
awaitable<error_code> Connection<Stream>::write(std::string_view head, std::string_view body) {
    error_code failure;
    for (;;) {
        std::string_view piece = body.substr(0, write_piece_bytes);
        body.remove_prefix(piece.size());
        if constexpr (is_plain) {
            // Every so often the loop has a round nevertheless: an answer that nothing holds up lets others in.
            if (++writes_ % writes_at_once_max != 0) failure = write_at_once(stream_, head, piece);
        }
        if (!failure && (!head.empty() || !piece.empty())) {
            const std::array buffers{asio::buffer(head.data(), head.size()), asio::buffer(piece.data(), piece.size())};
            allow(options_.write_timeout);
            const auto [error, bytes] = co_await asio::async_write(stream_, buffers, use_tuple);
            allow_for_ever();
            failure = error;
        }
        head = {};
        if (failure || body.empty()) break;
    }
    co_return failure;
}

template <class Stream>
awaitable<void> Connection<Stream>::refuse(int status, std::string text) {
    HttpResponse response = own_answer(options_, status, text);
    const bool sent = co_await send(std::move(response), false);
    static_cast<void>(sent);  // it never keeps the connection
    if (options_.on_answered) options_.on_answered(request_, status, {});
    co_await linger();
}

// A client that is still sending would lose our answer to a reset: so its bytes are taken for a while and dropped.
template <class Stream>
awaitable<void> Connection<Stream>::linger() {
    error_code failure;
    if constexpr (is_plain) stream_.shutdown(Stream::shutdown_send, failure);
    allow(lingering_time);
    begin_ = end_ = 0;
    buffer_.resize(body_read_bytes);
    for (std::size_t dropped = 0; !failure && dropped < lingering_bytes_max;) {
        const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(buffer_), use_tuple);
        failure = error;
        dropped += bytes;
    }
}

template <class C>
void spawn(ServerContext& context, std::shared_ptr<C> connection, bool overloaded) {
    C& served = *connection;
    const auto ended = [kept = std::move(connection)](std::exception_ptr failure) {
        if (!failure || kept->is_cut()) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            log::error("http.connection_failed", {{"why", error.what()}});
        }
    };
    asio::co_spawn(context.io(), served.run(overloaded),
                   asio::bind_cancellation_slot(served.cancellation_slot(), ended));
}

}  // namespace

void serve(std::shared_ptr<ServerContext> context, tcp::socket socket, bool overloaded) {
    ServerContext& spawning = *context;
    if (!context->state().tls) {
        spawn(spawning, std::make_shared<Connection<PlainStream>>(std::move(context), std::move(socket)), overloaded);
        return;
    }
    TlsStream stream(std::move(socket), *context->state().tls);
    spawn(spawning, std::make_shared<Connection<TlsStream>>(std::move(context), std::move(stream)), overloaded);
}

void serve(std::shared_ptr<ServerContext> context, LocalStream socket, bool overloaded) {
    ServerContext& spawning = *context;
    spawn(spawning, std::make_shared<Connection<LocalStream>>(std::move(context), std::move(socket)), overloaded);
}

}  // namespace stele::net
