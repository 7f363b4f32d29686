#pragma once

#include "base/error.hpp"
#include "net/http.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

// Inside net/ alone: a WebSocket on a connection that has read the request which opens it.
namespace stele::net {

constexpr std::size_t socket_message_bytes_max = 8u << 20;
constexpr auto socket_silence_max = std::chrono::seconds(90);  // the other end is pinged before

/// True for a request that opens a WebSocket (RFC 6455, 4.2.1).
bool opens_web_socket(const HttpRequest& request);

/// The request as Beast wants it.
boost::beast::http::request<boost::beast::http::empty_body> upgrade_of(const HttpRequest& request);

template <class Stream>
class ServedSocket final : public WebSocket {
public:
    explicit ServedSocket(Stream& stream) : socket_(stream) {
        namespace websocket = boost::beast::websocket;
        websocket::stream_base::timeout times =
            websocket::stream_base::timeout::suggested(boost::beast::role_type::server);
        times.idle_timeout = socket_silence_max;
        socket_.set_option(times);
        socket_.read_message_max(socket_message_bytes_max);
        socket_.text(true);
    }

    boost::asio::awaitable<bool> accept(const HttpRequest& request) {
        const auto upgrade = upgrade_of(request);
        const auto [failure] = co_await socket_.async_accept(upgrade, use_tuple);
        co_return !failure;
    }

    boost::asio::awaitable<std::optional<std::string>> read() override {
        boost::beast::flat_buffer buffer;
        const auto [failure, bytes] = co_await socket_.async_read(buffer, use_tuple);
        if (failure) co_return std::nullopt;
        co_return boost::beast::buffers_to_string(buffer.data());
    }

    boost::asio::awaitable<void> write(std::string text) override {
        const auto [failure, bytes] = co_await socket_.async_write(boost::asio::buffer(text), use_tuple);
        if (failure) throw Error(ErrorCode::cancelled, "The client has closed the socket");
    }

    void close() override {
        boost::system::error_code ignored;
        boost::beast::get_lowest_layer(socket_).close(ignored);
    }

private:
    static constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);

    boost::beast::websocket::stream<Stream&> socket_;
};

/// Until the handler, or the client, ends. Returns why the handler has failed; empty if it has not.
template <class Stream>
boost::asio::awaitable<std::string> serve_web_socket(Stream& stream, const HttpRequest& request,
                                                     WebSocketHandler handler) {
    ServedSocket<Stream> socket(stream);
    const bool accepted = co_await socket.accept(request);
    std::string why;
    try {
        if (accepted) co_await handler(socket);
    } catch (const Error& error) {
        if (error.code != ErrorCode::cancelled) why = error.what();
    } catch (const std::exception& error) {
        why = error.what();
    }
    co_return why;
}

}  // namespace stele::net
