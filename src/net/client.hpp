#pragma once

#include "net/egress.hpp"
#include "net/http.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace stele::net {

struct ClientRequest {
    Method method = Method::get;
    std::string url;  ///< http:// or https://, absolute
    Headers headers;  ///< without Host, Content-Length, Connection
    std::string body;
    std::string_view borrowed_body;  ///< sent where `body` is empty; outlives the answer's head
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds head_timeout{60'000};  ///< from the request sent to the end of the answer's head
    std::chrono::milliseconds idle_timeout{60'000};  ///< longest silence within the answer's body
    std::chrono::milliseconds total_timeout{600'000};
    std::size_t body_bytes_max = 64u << 20;
    bool once = false;  ///< never sent a second time: what it does may have been done although no answer came
};

struct ClientResponse {
    int status = 0;
    Headers headers;
    std::string body;  ///< de-chunked, un-gzipped
};

/// Why a request failed before an answer was there in full. Carried by Error{model_failed-free} codes:
/// Error{timed_out} for every time-out, Error{unavailable} for resolve, connect, TLS and broken connections,
/// Error{cancelled} for a cancelled coroutine. `what()` names host and phase, never a header or the query.

/// An answer whose body is read as it arrives. Destroying it before the end closes the connection.
class ClientStream {
public:
    virtual ~ClientStream() = default;
    virtual int status() const = 0;
    virtual const Headers& headers() const = 0;

    /// The next bytes of the body, at least one; empty at its proper end. Throws as above; a body that ends too early
    /// is Error{unavailable}.
    virtual boost::asio::awaitable<std::string> read() = 0;
};

struct ClientOptions {
    std::size_t idle_per_host_max = 64;
    std::chrono::milliseconds idle_connection_ttl{30'000};
    std::string ca_file;  ///< PEM of further trusted authorities; the system's are always trusted
    bool allow_http = true;
    EgressRules egress;  ///< an address that they don't allow is Error{permission_denied}
};

/// HTTP/1.1 client with keep-alive pools, one pool a (io_context, scheme, host, port): thread-safe as an object, each
/// call stays on the executor of its coroutine. A request on a pooled connection that the peer had closed meanwhile is
/// sent again on a new one, once, if no byte of an answer had come and the request allows it. Cancelling the calling
/// coroutine closes the connection.
class HttpClient {
public:
    explicit HttpClient(ClientOptions options = {});
    ~HttpClient();

    boost::asio::awaitable<ClientResponse> send(ClientRequest request);
    boost::asio::awaitable<std::unique_ptr<ClientStream>> open(ClientRequest request);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace stele::net
