#pragma once

#include "net/name_lookups.hpp"
#include "net/response_reader.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <list>
#include <map>
#include <optional>
#include <unordered_set>

// Inside net/ alone: the client's connections of one io_context.
namespace stele::net {

/// A name on its way to addresses, for one that waits on `arrived`, which is cancelled as soon as the answer is there.
struct Lookup {
    explicit Lookup(const boost::asio::any_io_executor& executor)
        : arrived(executor, boost::asio::steady_timer::time_point::max()) {}
    ~Lookup() { answer->forget(); }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    boost::asio::steady_timer arrived;
    const std::shared_ptr<LookupAnswer> answer = std::make_shared<LookupAnswer>();
};

/// A connection to a server, plain or TLS. One thread.
struct ClientConnection {
    using Clock = std::chrono::steady_clock;

    explicit ClientConnection(const boost::asio::any_io_executor& executor) : socket(executor) {}

    boost::asio::ip::tcp::socket& lowest() { return tls ? tls->next_layer() : socket; }

    /// Aborts whatever is pending.
    void abort() {
        boost::system::error_code ignored;
        if (lookup) lookup->arrived.cancel();
        lowest().close(ignored);
    }

    boost::asio::ip::tcp::socket socket;  ///< unused once `tls` has taken it
    std::shared_ptr<Lookup> lookup;       ///< while the host's name is being looked up
    std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket>> tls;
    ResponseReader reader;
    std::vector<char> buffer;
    std::size_t begin = 0, end = 0;  ///< bytes of `buffer` that the reader has not taken
    Clock::time_point deadline = Clock::time_point::max();
    Clock::time_point total_deadline = Clock::time_point::max();
    Clock::time_point idle_until{};
    bool timed_out = false;
    bool reused = false;
};

/// The idle connections of one io_context and the clock of those at work: one coarse sweep for all of them instead of a
/// timer for every read and write. A service of the context, so it ends with it. One thread.
class ClientPool final : public boost::asio::execution_context::service {
public:
    using key_type = ClientPool;
    static boost::asio::execution_context::id id;

    explicit ClientPool(boost::asio::execution_context& context)
        : service(context), clock_(static_cast<boost::asio::io_context&>(context)) {}

    /// An idle connection to `server` that its server has not closed, or null.
    std::unique_ptr<ClientConnection> take(const std::string& server);

    /// Keeps `connection` for the next request to `server`; those that nobody took for `ttl` are closed on occasion.
    void give(const std::string& server, std::unique_ptr<ClientConnection> connection, std::size_t idle_max,
              std::chrono::milliseconds ttl);

    /// Watches the deadlines of `connection` until unwatch.
    void watch(ClientConnection& connection);
    void unwatch(ClientConnection& connection) { watched_.erase(&connection); }

private:
    void shutdown() noexcept override;
    void arm();
    void prune(ClientConnection::Clock::time_point now);

    std::map<std::string, std::list<std::unique_ptr<ClientConnection>>> idle_;  ///< the longest idle first
    ClientConnection::Clock::time_point pruned_at_{};
    bool shut_ = false;
    std::unordered_set<ClientConnection*> watched_;
    boost::asio::steady_timer clock_;
    bool armed_ = false;
};

}  // namespace stele::net
