#pragma once

#include "api/gate.hpp"
#include "api/router.hpp"

namespace stele::api {

/// From an HTTP request to its answer: finds the operation, asks for the credential, calls the handler and turns errors
/// into answers. Thread-safe; the services outlive it.
class Dispatch {
public:
    explicit Dispatch(Services& services) : services_(services), router_(all_routes()), gate_(services) {}

    boost::asio::awaitable<Response> operator()(net::HttpRequest& http) const { return answer_to(http, false); }

    /// The same for a request at the socket that tools have: its credential is a run token and nothing else.
    boost::asio::awaitable<Response> from_tool(net::HttpRequest& http) const { return answer_to(http, true); }

    /// Whether the operation that `http` asks for takes a body that is too large for memory. Its head is enough.
    bool takes_large_body(const net::HttpRequest& http) const;

    /// Whether whoever sends it may send such a body. It counts as a request of its own where requests are counted.
    boost::asio::awaitable<bool> admits_large_body(const net::HttpRequest& http) const;

private:
    boost::asio::awaitable<Response> answer_to(net::HttpRequest& http, bool from_tool) const;
    boost::asio::awaitable<Response> handle(net::HttpRequest& http, std::string request_id,
                                            std::shared_ptr<FromTool> from_tool) const;
    awaitable<Caller> caller_of(const net::HttpRequest& http, bool open, const FromTool* from_tool) const;
    awaitable<Response> carry_out(const Route& route, Request& request) const;
    boost::asio::awaitable<void> find_project(Request& request) const;
    boost::asio::awaitable<Response> call(const Route& route, Request& request) const;
    boost::asio::awaitable<Response> call_once(const Route& route, Request& request) const;
    boost::asio::awaitable<Response> show_made(const Request& request, std::string id) const;
    std::shared_ptr<FromTool> tool_of(const net::Headers& headers) const;

    Services& services_;
    Router router_;
    Gate gate_;
};

}  // namespace stele::api
