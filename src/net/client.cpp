#include "net/client.hpp"

#include "base/error.hpp"
#include "net/client_pool.hpp"
#include "net/gzip.hpp"
#include "net/url.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

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

std::atomic<std::uint64_t> clients_made = 0;

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
    if (!request.body.empty() || request.method == Method::post || request.method == Method::put || request.method == Method::patch)
        head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    return head + "\r\n";
}

}  // namespace

struct HttpClient::Impl {
    ClientOptions options;
    std::string key;         ///< of this client within the shared pools
    ssl::context tls{ssl::context::tls_client};
};

namespace {

/// A request on its way and its connection. Returns the connection to its pool when the answer was read to its end,
/// closes it in every other case.
class Exchange final : public ClientStream {
public:
    Exchange(std::shared_ptr<const ClientOptions> options, ssl::context& tls, std::string client_key, ClientRequest request)
        : options_(std::move(options)), tls_(tls), client_key_(std::move(client_key)), request_(std::move(request)) {}
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
        if (url_.scheme == "http" && !options_->allow_http) throw Error(ErrorCode::unavailable, "Only https is allowed, for " + url_.host);
        pool_key_ = client_key_ + url_.scheme + "://" + url_.host + ":" + url_.port;
        executor_ = co_await asio::this_coro::executor;
        pool_ = &asio::use_service<ClientPool>(static_cast<asio::io_context&>(executor_.context()));
        total_deadline_ = Clock::now() + request_.total_timeout;
        const std::string head = render(request_, url_);
        for (;;) {
            connection_ = pool_->take(pool_key_, options_->idle_connection_ttl);
            if (!connection_) co_await connect();
            watch();
            const error_code failure = co_await exchange_heads(head);
            if (!failure) co_return;
            // The server may have closed an idle connection in the very moment we used it: then once more, on a new one.
            const bool again = connection_->reused && !connection_->timed_out && !answer_begun_ && failure != asio::error::operation_aborted;
            if (!again) raise(failure, "while waiting for the answer of");
            drop();
        }
    }

    int status() const override { return status_; }
    const Headers& headers() const override { return headers_; }

    awaitable<std::string> read() override {
        if (!connection_) co_return std::string();
        ResponseReader& reader = connection_->reader;
        while (reader.body_bytes() == 0 && reader.state() == ResponseReader::State::body) {
            connection_->deadline = Clock::now() + request_.idle_timeout;
            const error_code failure = co_await read_more();
            if (failure) raise(failure, "while reading the answer of");
        }
        if (reader.state() == ResponseReader::State::failed) raise(asio::error::eof, "while reading the answer of");
        std::string bytes = reader.take_body();
        if (reader.state() == ResponseReader::State::done && bytes.empty()) finish();
        co_return bytes;
    }

private:
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
        const bool reusable = connection_->reader.keep_alive() && connection_->begin == connection_->end;
        if (reusable) pool_->give(pool_key_, std::move(connection_), options_->idle_per_host_max);
        connection_.reset();
    }

    [[noreturn]] void raise(error_code failure, const char* phase) {
        const bool timed_out = connection_ && connection_->timed_out;
        drop();
        const std::string where = std::string(phase) + " " + url_.host + ":" + url_.port;
        if (timed_out) throw Error(ErrorCode::timed_out, "No answer in time " + where);
        if (failure == asio::error::operation_aborted) throw Error(ErrorCode::cancelled, "Cancelled " + where);
        throw Error(ErrorCode::unavailable,
                    (failure == asio::error::eof ? std::string("The connection was closed") : failure.message()) + " " + where);
    }

    awaitable<void> connect() {
        connection_ = std::make_unique<ClientConnection>(executor_);
        watch();
        connection_->deadline = Clock::now() + request_.connect_timeout;
        std::vector<tcp::endpoint> endpoints;
        error_code failure;
        const auto address = asio::ip::make_address(url_.host, failure);
        if (!failure) {
            endpoints.emplace_back(address, static_cast<std::uint16_t>(std::stoi(url_.port)));
        } else {
            const auto [error, found] = co_await connection_->resolver.async_resolve(url_.host, url_.port, use_tuple);
            if (error) raise(error, "while looking up");
            for (const auto& entry : found) endpoints.push_back(entry.endpoint());
        }
        failure = asio::error::host_not_found;
        for (const tcp::endpoint& endpoint : endpoints) {
            error_code ignored;
            connection_->socket.close(ignored);
            const auto [error] = co_await connection_->socket.async_connect(endpoint, use_tuple);
            failure = error;
            if (!failure || connection_->timed_out || failure == asio::error::operation_aborted) break;
        }
        if (failure) raise(failure, "while connecting to");
        connection_->socket.set_option(tcp::no_delay(true), failure);
        if (url_.scheme == "https") co_await shake_hands();
    }

    awaitable<void> shake_hands() {
        connection_->tls = std::make_unique<ssl::stream<tcp::socket>>(std::move(connection_->socket), tls_);
        auto& tls = *connection_->tls;
        error_code failure;
        asio::ip::make_address(url_.host, failure);
        if (failure) SSL_set_tlsext_host_name(tls.native_handle(), url_.host.c_str());   // no SNI for addresses (RFC 6066)
        tls.set_verify_mode(ssl::verify_peer);
        tls.set_verify_callback(ssl::host_name_verification(url_.host));
        const auto [error] = co_await tls.async_handshake(ssl::stream_base::client, use_tuple);
        if (error) raise(error, "in the TLS handshake with");
    }

    awaitable<error_code> exchange_heads(const std::string& head) {
        answer_begun_ = false;
        connection_->reader.begin(request_.method == Method::head);
        connection_->deadline = Clock::now() + request_.head_timeout;
        const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(request_.body)};
        error_code failure;
        if (connection_->tls) {
            const auto [error, bytes] = co_await asio::async_write(*connection_->tls, buffers, use_tuple);
            failure = error;
        } else {
            const auto [error, bytes] = co_await asio::async_write(connection_->socket, buffers, use_tuple);
            failure = error;
        }
        while (!failure && connection_->reader.state() == ResponseReader::State::head) failure = co_await read_more();
        if (!failure && connection_->reader.state() == ResponseReader::State::failed) failure = asio::error::eof;
        if (failure) co_return failure;
        status_ = connection_->reader.status();
        headers_ = connection_->reader.headers();
        co_return error_code();
    }

    awaitable<error_code> read_more() {
        ClientConnection& connection = *connection_;
        if (connection.begin == connection.end) connection.begin = connection.end = 0;
        if (connection.buffer.size() - connection.end < read_bytes / 2)
            connection.buffer.resize(connection.end + read_bytes);
        const auto space = asio::buffer(connection.buffer.data() + connection.end, connection.buffer.size() - connection.end);
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
            const std::size_t used = connection.reader.feed({connection.buffer.data() + connection.begin, connection.end - connection.begin});
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
    ssl::context& tls_;
    std::string client_key_;
    ClientRequest request_;
    Url url_;
    std::string pool_key_;
    asio::any_io_executor executor_;
    ClientPool* pool_ = nullptr;
    std::unique_ptr<ClientConnection> connection_;
    Clock::time_point total_deadline_{};
    bool answer_begun_ = false;
    int status_ = 0;
    Headers headers_;
};

}  // namespace

HttpClient::HttpClient(ClientOptions options) : impl_(std::make_shared<Impl>()) {
    impl_->key = std::to_string(++clients_made) + " ";
    error_code ignored;
    impl_->tls.set_default_verify_paths(ignored);
    if (!options.ca_file.empty()) {
        error_code failure;
        impl_->tls.load_verify_file(options.ca_file, failure);
        if (failure) throw Error(ErrorCode::unavailable, "The file of trusted authorities cannot be read: " + options.ca_file);
    }
    impl_->options = std::move(options);
}

HttpClient::~HttpClient() = default;

awaitable<std::unique_ptr<ClientStream>> HttpClient::open(ClientRequest request) {
    const std::shared_ptr<const ClientOptions> options(impl_, &impl_->options);
    auto exchange = std::make_unique<Exchange>(options, impl_->tls, impl_->key, std::move(request));
    co_await exchange->begin();
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
        if (response.body.size() > bytes_max) throw Error(ErrorCode::unavailable, "The answer is larger than " + std::to_string(bytes_max) + " bytes");
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
