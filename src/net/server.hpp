#pragma once

#include "net/http.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace stele {
class WorkerThreads;
}

namespace stele::net {

class BodySpool;

/// Which bodies may be larger than ServerOptions::body_bytes_max. Those above `memory_bytes_max` are put into a file.
struct LargeBodies {
    static constexpr std::size_t memory_bytes_max = 1u << 20;

    std::size_t body_bytes_max = 0;  ///< 413 above; 0: none
    std::shared_ptr<BodySpool> spool;
    WorkerThreads* workers = nullptr;  ///< write the files
    /// Whether the head of a request asks for it; cheap.
    std::function<bool(const HttpRequest&)> meant_for;
    /// Whether its sender may: asked once, before anything is put into a file. Where not, the usual limit holds.
    std::function<boost::asio::awaitable<bool>(const HttpRequest&)> admits;
};

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8283;                ///< 0: any free one, see Server::port
    std::filesystem::path socket;             ///< not empty: of a Unix socket, in place of host, port and TLS
    std::size_t body_bytes_max = 50u << 20;   ///< 413 above
    std::size_t bodies_bytes_max = 1u << 30;  ///< in memory, of all requests that have not come whole; 503 above
    LargeBodies large;
    std::size_t header_bytes_max = 64u << 10;  ///< 431 above
    std::size_t target_bytes_max = 16u << 10;  ///< 414 above
    std::size_t connections_max = 10'000;      ///< 503 with Retry-After above
    std::size_t requests_max = 4'096;  ///< handlers at work at once, streams not counted; 503 + Retry-After above
    std::chrono::milliseconds head_timeout{30'000};   ///< from the first byte of a request to the end of its head: 408
    std::chrono::milliseconds body_timeout{60'000};   ///< longest silence within a body: 408
    std::chrono::milliseconds idle_timeout{75'000};   ///< between requests: closed without a word
    std::chrono::milliseconds write_timeout{30'000};  ///< longest wait for a client that does not read
    std::vector<std::string> cors_origins;            ///< exact origins, or "*"
    /// Whether pages of an origin that is not among those may call all the same; any thread. Empty: none may.
    std::function<bool(const std::string& origin)> allows_origin;
    std::string tls_certificate_file;  ///< PEM; both or none
    std::string tls_key_file;
    /// The body of an answer that the server itself gives (400, 408, 413, ...), from status and text.
    std::function<std::string(int, const std::string&)> error_body;
    /// Called on the connection's thread after each answer, for logs and metrics.
    std::function<void(const HttpRequest&, int status, std::chrono::nanoseconds)> on_answered;
};

/// HTTP/1.1 server: one acceptor (SO_REUSEPORT) and any number of connections on each of `contexts`; a connection stays
/// on the context that accepted it for life. A Unix socket has its acceptor on the first context alone; it lies in a
/// folder that is the owner's alone, takes the place of one that a crash left, and is removed by stop(). The contexts
/// outlive the server; it may be destroyed when they don't run, or after stop() has called `done`.
class Server {
public:
    /// Binds and listens; nothing is accepted before start(). `handlers[i]` serves the connections of `contexts[i]`.
    /// Throws Error{unavailable} with a text for the operator when address, socket or certificate cannot be used.
    Server(ServerOptions options, std::vector<boost::asio::io_context*> contexts, std::vector<Handler> handlers);
    ~Server();

    void start();

    /// Graceful stop, callable from any thread: accepts no more, closes idle connections, lets requests at work end
    /// within `grace`; then streams are told (BodyWriter::ending), and what is still open after that is cut: sockets
    /// are closed and the handlers that still wait cancelled. To be called once. `done` is called once, from any
    /// thread, when the last connection is gone.
    void stop(std::chrono::milliseconds grace, std::function<void()> done);

    std::uint16_t port() const;
    std::size_t open_connections() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace stele::net
