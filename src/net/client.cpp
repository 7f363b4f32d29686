#include "net/client.hpp"

#include "base/error.hpp"
#include "net/client_pool.hpp"
#include "net/client_tls.hpp"
#include "net/egress.hpp"
#include "net/gzip.hpp"
#include "net/url.hpp"
#include "net/write_at_once.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <atomic>

namespace stele::net {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = ClientConnection::Clock;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 16u << 10;
constexpr std::size_t first_read_bytes = 2u << 10;     // while a slow model thinks, its connection holds little
constexpr std::size_t write_piece_bytes = 256u << 10;  // the idle time-out holds for each piece
constexpr auto least_attempt = std::chrono::milliseconds(250);

std::atomic<std::uint64_t> clients_made = 0;

std::string_view body_of(const ClientRequest& request) {
    return request.body.empty() ? request.borrowed_body : std::string_view(request.body);
}

std::string render(const ClientRequest& request, const Url& url) {
    std::string head(to_string(request.method));
    head.reserve(512);
    head += ' ';
    head += url.target;
    head += " HTTP/1.1\r\nHost: ";
    head += url.authority;
    head += "\r\n";
    for (const auto& [name, value] : request.headers.fields()) {
        if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            throw Error(ErrorCode::internal, "A header of a request to " + url.host + " holds a line break");
        head += name + ": " + value + "\r\n";
    }
    const std::string_view body = body_of(request);
    if (!body.empty() || request.method == Method::post || request.method == Method::put ||
        request.method == Method::patch)
        head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return head + "\r\n";
}

}  // namespace

struct HttpClient::Impl {
    Impl(ClientOptions given, std::string name)
        : options(std::move(given)), key(std::move(name)), tls(options.ca_file), lookups(options.egress.look_up) {}

    ClientOptions options;
    std::string key;  ///< of this client within the shared pools
    ClientTls tls;
    NameLookups lookups;
};

namespace {

error_code malformed() { return boost::system::errc::make_error_code(boost::system::errc::bad_message); }

// A coroutine that was cancelled between two operations learns so by an exception of Asio's at the next co_await.
[[noreturn]] void raise_cancelled(const boost::system::system_error& failure) {
    if (failure.code() == asio::error::operation_aborted)
        throw Error(ErrorCode::cancelled, "The request was cancelled");
    throw Error(ErrorCode::unavailable, failure.code().message());
}

/// A request on its way and its connection. Returns the connection to its pool when the answer was read to its end,
/// closes it in every other case.
class Exchange final : public ClientStream {
public:
    Exchange(std::shared_ptr<const ClientOptions> options, ClientTls& tls, NameLookups& lookups, std::string client_key,
             ClientRequest request)
        : options_(std::move(options)),
          tls_(tls),
          lookups_(lookups),
          client_key_(std::move(client_key)),
          request_(std::move(request)) {}
    /// An answer that has come to its end frees the connection for the next request even if nobody read the end.
    ~Exchange() override {
        if (connection_ && connection_->reader.state() == ResponseReader::State::done)
            finish();
        else
            drop();
    }

    /// Sends the request and reads the answer's head.
    awaitable<void> begin() {
        auto url = parse_url(request_.url);
        if (!url) throw Error(ErrorCode::unavailable, "This is no http or https URL: " + request_.url.substr(0, 200));
        url_ = std::move(*url);
        if (url_.scheme == "http" && !options_->allow_http)
            throw Error(ErrorCode::unavailable, "Only https is allowed, for " + url_.host);
        pool_key_ = client_key_ + url_.scheme + "://" + url_.host + ":" + url_.port;
        executor_ = co_await asio::this_coro::executor;
        pool_ = &asio::use_service<ClientPool>(static_cast<asio::io_context&>(executor_.context()));
        total_deadline_ = Clock::now() + request_.total_timeout;
        const std::string head = render(request_, url_);
        for (;;) {
            connection_ = pool_->take(pool_key_);
            if (!connection_) co_await connect();
            watch();
            const error_code failure = co_await exchange_heads(head);
            if (!failure) co_return;
            // The server may have closed an idle connection in the very moment we used it: then once more, on a new
            // one.
            const bool again = !request_.once && connection_->reused && !connection_->timed_out && !answer_begun_ &&
                               failure != asio::error::operation_aborted;
            if (!again) raise(failure, "while waiting for the answer of");
            drop();
            broken_ = false;
        }
    }

    int status() const override { return status_; }
    const Headers& headers() const override { return headers_; }

    awaitable<std::string> read() override {
        try {
            co_return co_await read_piece();
        } catch (const boost::system::system_error& failure) {
            drop();
            raise_cancelled(failure);
        }
    }

private:
    awaitable<std::string> read_piece() {
        if (!connection_) co_return std::string();
        ResponseReader& reader = connection_->reader;
        while (reader.body_bytes() == 0 && reader.state() == ResponseReader::State::body) {
            connection_->deadline = Clock::now() + request_.idle_timeout;
            const error_code failure = co_await read_more();
            if (failure) raise(failure, "while reading the answer of");
        }
        if (reader.state() == ResponseReader::State::failed) raise(malformed(), "while reading the answer of");
        std::string bytes = reader.take_body();
        if (reader.state() == ResponseReader::State::done && bytes.empty()) finish();
        co_return bytes;
    }

    void watch() {
        connection_->total_deadline = total_deadline_;
        pool_->watch(*connection_);
    }

    void drop() {
        if (!connection_) return;
        pool_->unwatch(*connection_);
        connection_.reset();
    }

    void finish() {
        pool_->unwatch(*connection_);
        const bool reusable = !broken_ && connection_->reader.keep_alive() && connection_->begin == connection_->end;
        if (reusable)
            pool_->give(pool_key_, std::move(connection_), options_->idle_per_host_max, options_->idle_connection_ttl);
        connection_.reset();
    }

    [[noreturn]] void raise(error_code failure, const char* phase) {
        const bool timed_out = connection_ && connection_->timed_out;
        drop();
        const std::string where = std::string(phase) + " " + url_.host + ":" + url_.port;
        if (timed_out) throw Error(ErrorCode::timed_out, "No answer in time " + where);
        if (failure == asio::error::operation_aborted) throw Error(ErrorCode::cancelled, "Cancelled " + where);
        throw Error(ErrorCode::unavailable, (failure == asio::error::eof ? "The connection was closed"
                                             : failure == malformed()    ? "The answer is no valid HTTP,"
                                                                         : failure.message()) +
                                                " " + where);
    }

    awaitable<void> connect() {
        connection_ = std::make_unique<ClientConnection>(executor_);
        watch();
        connection_->deadline = Clock::now() + request_.connect_timeout;
        std::vector<tcp::endpoint> endpoints = co_await look_up();
        if (options_->egress.allows) {
            const bool link_local = std::any_of(endpoints.begin(), endpoints.end(), [](const tcp::endpoint& each) {
                return is_link_local(each.address());
            });
            std::erase_if(endpoints, [&](const tcp::endpoint& each) {
                return !options_->egress.permit(url_.host, each.address());
            });
            if (endpoints.empty()) {
                drop();
                throw Error(
                    ErrorCode::permission_denied,
                    url_.host + (link_local ? " is a link-local address" : " is no public address of the internet"));
            }
        }
        const auto until = connection_->deadline;
        error_code failure = asio::error::host_not_found;
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            // Each address gets its share of the time, lest a silent one use up that of those behind it.
            const auto share = (until - Clock::now()) / static_cast<int>(endpoints.size() - i);
            connection_->deadline = Clock::now() + std::max<Clock::duration>(share, least_attempt);
            connection_->timed_out = false;
            error_code ignored;
            connection_->socket.close(ignored);
            const auto [error] = co_await connection_->socket.async_connect(endpoints[i], use_tuple);
            failure = error;
            if (!failure || Clock::now() >= until || Clock::now() >= total_deadline_) break;
            if (failure == asio::error::operation_aborted && !connection_->timed_out) break;
        }
        if (failure || connection_->timed_out) raise(failure, "while connecting to");
        connection_->deadline = until;
        connection_->socket.set_option(tcp::no_delay(true), failure);
        connection_->socket.non_blocking(true, failure);
        if (url_.scheme == "https") co_await shake_hands();
    }

    awaitable<std::vector<tcp::endpoint>> look_up() {
        error_code no_address;
        const auto address = asio::ip::make_address(url_.host, no_address);
        const auto port = static_cast<std::uint16_t>(std::stoi(url_.port));  // parse_url has checked it
        if (!no_address) co_return std::vector<tcp::endpoint>{tcp::endpoint(address, port)};
        const auto lookup = connection_->lookup = std::make_shared<Lookup>(executor_);
        bool arrived = false;
        lookup->answer->arrived = [executor = executor_, waiting = std::weak_ptr<Lookup>(lookup), &arrived] {
            asio::post(executor, [waiting, &arrived] {
                const auto still_there = waiting.lock();
                if (!still_there) return;
                arrived = true;
                still_there->arrived.cancel();
            });
        };
        lookups_.begin(lookup->answer, url_.host, url_.port);
        const auto [interrupted] = co_await lookup->arrived.async_wait(use_tuple);
        connection_->lookup.reset();
        const error_code failure = arrived ? lookup->answer->failure : interrupted;
        if (failure || connection_->timed_out) raise(failure, "while looking up");
        co_return std::move(lookup->answer->endpoints);
    }

    awaitable<void> shake_hands() {
        connection_->tls = std::make_unique<ssl::stream<tcp::socket>>(std::move(connection_->socket), tls_.context());
        auto& tls = *connection_->tls;
        error_code failure;
        asio::ip::make_address(url_.host, failure);
        if (failure)
            SSL_set_tlsext_host_name(tls.native_handle(), url_.host.c_str());  // no SNI for addresses (RFC 6066)
        tls.set_verify_mode(ssl::verify_peer);
        tls.set_verify_callback(ssl::host_name_verification(url_.host));
        const auto [error] = co_await tls.async_handshake(ssl::stream_base::client, use_tuple);
        if (error && ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED)
            raise_untrusted(SSL_get_verify_result(tls.native_handle()));
        if (error) raise(error, "in the TLS handshake with");
    }

    [[noreturn]] void raise_untrusted(long verdict) {
        drop();
        Error error(
            ErrorCode::unavailable,
            "The certificate of " + url_.host + ":" + url_.port + " is not trusted (" +
                (verdict == X509_V_OK || verdict == X509_V_ERR_UNSPECIFIED ? "it is another host's"
                                                                           : X509_verify_cert_error_string(verdict)) +
                "); a file of further authorities can be named by --ca-file or SSL_CERT_FILE");
        error.final = true;
        throw error;
    }

    awaitable<error_code> exchange_heads(const std::string& head) {
        answer_begun_ = false;
        connection_->reader.begin(request_.method == Method::head);
        // A server may refuse a large body with an answer and close before it has read all: so a failed write is
        // forgotten if an answer is there.
        const error_code write_failure = co_await write(head);
        if (write_failure == asio::error::operation_aborted || connection_->timed_out) co_return write_failure;
        connection_->deadline = Clock::now() + request_.head_timeout;
        error_code failure;
        while (!failure && connection_->reader.state() == ResponseReader::State::head) failure = co_await read_more();
        if (!failure && connection_->reader.state() == ResponseReader::State::failed) failure = malformed();
        if (failure) co_return write_failure ? write_failure : failure;
        status_ = connection_->reader.status();
        headers_ = connection_->reader.headers();
        co_return error_code();
    }

    awaitable<error_code> write(std::string_view head) {
        std::string_view body = body_of(request_);
        for (;;) {
            std::string_view piece = body.substr(0, write_piece_bytes);
            body.remove_prefix(piece.size());
            connection_->deadline = Clock::now() + request_.idle_timeout;
            error_code failure;
            if (!connection_->tls) failure = write_at_once(connection_->socket, head, piece);
            const std::array buffers{asio::buffer(head.data(), head.size()), asio::buffer(piece.data(), piece.size())};
            if (!failure && connection_->tls) {
                const auto [error, bytes] = co_await asio::async_write(*connection_->tls, buffers, use_tuple);
                failure = error;
            } else if (!failure && asio::buffer_size(buffers) > 0) {
                const auto [error, bytes] = co_await asio::async_write(connection_->socket, buffers, use_tuple);
                failure = error;
            }
            if (failure) broken_ = true;
            head = {};
            if (failure || body.empty()) co_return failure;
        }
    }

    awaitable<error_code> read_more() {
        ClientConnection& connection = *connection_;
        if (connection.begin == connection.end) connection.begin = connection.end = 0;
        const std::size_t wanted =
            connection.reader.state() == ResponseReader::State::head ? first_read_bytes : read_bytes;
        if (connection.buffer.size() - connection.end < wanted / 2) {
            connection.buffer.erase(connection.buffer.begin(),
                                    connection.buffer.begin() + static_cast<std::ptrdiff_t>(connection.begin));
            connection.end -= std::exchange(connection.begin, 0);
            connection.buffer.resize(std::max(connection.end + wanted, connection.buffer.size()));
        }
        const auto space =
            asio::buffer(connection.buffer.data() + connection.end, connection.buffer.size() - connection.end);
        error_code failure;
        std::size_t bytes = 0;
        if (connection.tls) {
            const auto [error, count] = co_await connection.tls->async_read_some(space, use_tuple);
            failure = error;
            bytes = count;
        } else {
            const auto [error, count] = co_await connection.socket.async_read_some(space, use_tuple);
            failure = error;
            bytes = count;
        }
        connection.end += bytes;
        answer_begun_ = answer_begun_ || bytes > 0;
        while (connection.begin < connection.end) {
            const std::size_t used = connection.reader.feed(
                {connection.buffer.data() + connection.begin, connection.end - connection.begin});
            connection.begin += used;
            if (used == 0) break;
        }
        if (failure == asio::error::eof || failure == ssl::error::stream_truncated) {
            connection.reader.feed_end();
            if (connection.reader.state() == ResponseReader::State::done) failure = {};
        }
        co_return failure;
    }

    std::shared_ptr<const ClientOptions> options_;
    ClientTls& tls_;
    NameLookups& lookups_;
    std::string client_key_;
    ClientRequest request_;
    Url url_;
    std::string pool_key_;
    asio::any_io_executor executor_;
    ClientPool* pool_ = nullptr;
    std::unique_ptr<ClientConnection> connection_;
    Clock::time_point total_deadline_{};
    bool answer_begun_ = false;
    bool broken_ = false;  ///< the request could not be sent whole
    int status_ = 0;
    Headers headers_;
};

}  // namespace

HttpClient::HttpClient(ClientOptions options)
    : impl_(std::make_shared<Impl>(std::move(options), std::to_string(++clients_made) + " ")) {}

HttpClient::~HttpClient() = default;

awaitable<std::unique_ptr<ClientStream>> HttpClient::open(ClientRequest request) {
    const std::shared_ptr<const ClientOptions> options(impl_, &impl_->options);
    auto exchange = std::make_unique<Exchange>(options, impl_->tls, impl_->lookups, impl_->key, std::move(request));
    try {
        co_await exchange->begin();
    } catch (const boost::system::system_error& failure) {
        raise_cancelled(failure);
    }
    co_return std::unique_ptr<ClientStream>(std::move(exchange));
}

awaitable<ClientResponse> HttpClient::send(ClientRequest request) {
    const std::size_t bytes_max = request.body_bytes_max;
    const std::string url = request.url;
    std::unique_ptr<ClientStream> stream = co_await open(std::move(request));
    ClientResponse response;
    response.status = stream->status();
    for (;;) {
        const std::string piece = co_await stream->read();
        if (piece.empty()) break;
        response.body += piece;
        if (response.body.size() > bytes_max)
            throw Error(ErrorCode::unavailable, "The answer is larger than " + std::to_string(bytes_max) + " bytes");
    }
    response.headers = stream->headers();
    const std::string* coding = response.headers.find("Content-Encoding");
    if (coding != nullptr && same_name(*coding, "gzip")) {
        GunzipFailure failure = GunzipFailure::none;
        auto text = gunzip(response.body, bytes_max, failure);
        if (!text) throw Error(ErrorCode::unavailable, "The answer is no proper gzip");
        response.body = std::move(*text);
    }
    co_return response;
}

}  // namespace stele::net
