#pragma once

#include "net/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>

/// Real sockets for the tests of net: a server of ours on its own thread, a client that sends what it is told byte by
/// byte, and a server that misbehaves by script. Everything waits at most `patience`.
namespace stele::net::test {

inline constexpr std::chrono::seconds patience{20};

/// Asks `condition` again and again; false if it did not come true in time.
bool eventually(const std::function<bool()>& condition);

/// An io_context (or several) at work on threads of its own until destroyed.
class Loop {
public:
    Loop() : work_(io.get_executor()), thread_([this] { io.run(); }) {}
    ~Loop() {
        work_.reset();
        io.stop();
        thread_.join();
    }

    /// Runs `work` to its end on the loop and gives back or throws what it does.
    template <class T>
    T run(boost::asio::awaitable<T> work) {
        auto result = boost::asio::co_spawn(io, std::move(work), boost::asio::use_future);
        if (result.wait_for(patience) != std::future_status::ready) throw std::runtime_error("the coroutine hangs");
        return result.get();
    }

    boost::asio::io_context io{1};

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

/// A server of ours on a free port of 127.0.0.1. Unless told otherwise it answers a request by telling what it got:
/// "<METHOD> <target> <body>".
class TestServer {
public:
    explicit TestServer(ServerOptions options = {}, Handler handler = {});

    std::uint16_t port() const { return server->port(); }
    std::string url(const std::string& target) const { return "http://127.0.0.1:" + std::to_string(port()) + target; }

    /// Stops with `grace`; true once the server has said that it is done.
    bool stop(std::chrono::milliseconds grace);

    std::unique_ptr<Loop> loop = std::make_unique<Loop>();
    std::unique_ptr<Server> server;

    ~TestServer();
};

/// What TestServer answers by default.
boost::asio::awaitable<HttpResponse> tell(HttpRequest& request);

struct RawResponse {
    std::string head;  ///< with its empty line; "" if the connection ended before it was whole
    std::string body;  ///< by Content-Length, de-chunked, or up to the end
    int status = 0;
    bool whole = false;  ///< the body came to its proper end

    /// The value of a header, or "".
    std::string header(const std::string& name) const;
};

/// A blocking TCP connection.
class RawClient {
public:
    explicit RawClient(std::uint16_t port, int receive_buffer = 0);
    explicit RawClient(int connected) : socket_(connected) {}
    ~RawClient() { close(); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// False if the peer no longer takes anything.
    bool send(std::string_view bytes);
    void finish_sending();
    void close();
    void reset();  ///< closes with RST

    /// Reads one answer; `to_head`: to a HEAD request, so without body. Bytes behind it stay for the next call.
    RawResponse receive(bool to_head = false);

    /// Reads until `mark` has come (true) or the connection has ended. What was read stays in `received`.
    bool receive_until(const std::string& mark);

    /// True if the peer closes without sending anything more.
    bool ended();

    std::string received;  ///< read from the socket but not yet part of an answer

private:
    bool read_some();

    int socket_ = -1;
};

/// Sends `bytes` on a new connection and reads one answer.
RawResponse exchange(std::uint16_t port, std::string_view bytes);

/// Accepts connections one after another on a thread and hands each to `script` with its number (0, 1, ...).
class ScriptedServer {
public:
    explicit ScriptedServer(std::function<void(RawClient&, int)> script);
    ~ScriptedServer();

    std::uint16_t port() const { return port_; }
    std::string url(const std::string& target = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + target;
    }
    int connections() const { return connections_; }

private:
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace stele::net::test
