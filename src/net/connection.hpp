#pragma once

#include "net/answer_rules.hpp"
#include "net/request_reader.hpp"
#include "net/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <unordered_set>
#include <utility>

namespace boost::asio::ssl {
class context;
}

// Inside net/ alone: what the server's connections share.
namespace stele::net {

using Clock = std::chrono::steady_clock;

/// Shared by all contexts of one server. Thread-safe.
struct ServerState {
    ServerOptions options;
    std::atomic<std::size_t> connections = 0;
    std::atomic<std::size_t> requests = 0;
    std::atomic<std::size_t> body_bytes = 0;  ///< of bodies that are being read
    std::atomic<bool> stopping = false;
    std::shared_ptr<boost::asio::ssl::context> tls;  ///< null without TLS
};

/// What a body that is being read has of the memory for all of them. Whoever sends it need not have said yet who it is.
class HeldBody {
public:
    explicit HeldBody(ServerState& state) : state_(state) {}
    ~HeldBody() { state_.body_bytes -= bytes_; }
    HeldBody(const HeldBody&) = delete;
    HeldBody& operator=(const HeldBody&) = delete;

    /// The body has `bytes` now. A refusal if all together have more than they may; small ones always may.
    Refusal hold(std::size_t bytes) {
        Refusal refusal;
        if (bytes == bytes_) return refusal;
        state_.body_bytes += bytes;
        state_.body_bytes -= std::exchange(bytes_, bytes);
        if (bytes <= small_bytes_max || state_.body_bytes <= state_.options.bodies_bytes_max) return refusal;
        refusal.status = 503;
        refusal.text = "The server holds as many requests that have not come whole as it can; try again in a moment";
        return refusal;
    }

private:
    static constexpr std::size_t small_bytes_max = 64u << 10;

    ServerState& state_;
    std::size_t bytes_ = 0;
};

/// A connection as its context's sweep sees it. Its context's thread alone.
class SweptConnection {
public:
    virtual ~SweptConnection() = default;

    /// Lets whatever waits give up if its time is over.
    void sweep(Clock::time_point now) {
        if (now >= deadline_) expire();
    }
    virtual void expire() = 0;

    /// The server stops: an idle connection closes now, one at work after its answer.
    virtual void stop() = 0;

    /// The grace of a stopping server is over: a stream may say so before it is cut, anything else is cut now.
    virtual void end() = 0;

    /// Ends the connection whatever it does.
    virtual void cut() = 0;

protected:
    Clock::time_point deadline_ = Clock::time_point::max();
};

/// One io_context's part of a server: acceptor, connections and their coarse clock. One thread. Its coroutines hold it,
/// so it may outlive the Server, but never the io_context.
class ServerContext : public std::enable_shared_from_this<ServerContext> {
public:
    ServerContext(boost::asio::io_context& io, std::shared_ptr<ServerState> state, Handler handler);

    void listen(const boost::asio::ip::tcp::endpoint& endpoint);
    void listen(const std::filesystem::path& socket);
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    void start();

    /// Stops as Server::stop says; `done` is called on this thread.
    void stop(std::chrono::milliseconds grace, std::function<void()> done);

    void add(SweptConnection& connection) { connections_.insert(&connection); }
    void remove(SweptConnection& connection);

    boost::asio::io_context& io() { return io_; }
    ServerState& state() { return *state_; }
    const Handler& handler() const { return handler_; }

private:
    // Static, with the context as parameter: it lives as long as their frames do.
    template <class Acceptor>
    static boost::asio::awaitable<void> accept_loop(std::shared_ptr<ServerContext> self, Acceptor& acceptor);
    static boost::asio::awaitable<void> sweep_loop(std::shared_ptr<ServerContext> self);

    /// Calls `act` for each connection; it may end any of them.
    template <class Act>
    void for_each_connection(const Act& act);
    void finish();

    boost::asio::io_context& io_;
    std::shared_ptr<ServerState> state_;
    Handler handler_;
    boost::asio::ip::tcp::acceptor acceptor_;  ///< one of the two is open
    boost::asio::local::stream_protocol::acceptor local_acceptor_;
    boost::asio::steady_timer clock_;
    std::unordered_set<SweptConnection*> connections_;
    Clock::time_point end_at_ = Clock::time_point::max();
    std::function<void()> done_;
    bool finished_ = false;
};

/// Serves `socket` until it closes. `overloaded`: it is told so and closed.
void serve(std::shared_ptr<ServerContext> context, boost::asio::ip::tcp::socket socket, bool overloaded);
void serve(std::shared_ptr<ServerContext> context, boost::asio::local::stream_protocol::socket socket, bool overloaded);

}  // namespace stele::net
