#pragma once

#include "api/router.hpp"

namespace stele::api {

/// From an HTTP request to its answer: finds the operation, asks for the credential, calls the handler and turns errors
/// into answers. Thread-safe; the services outlive it.
class Dispatch {
public:
    explicit Dispatch(Services& services) : services_(services), router_(all_routes()) {}

    boost::asio::awaitable<Response> operator()(net::HttpRequest& http) const;

private:
    boost::asio::awaitable<Response> handle(net::HttpRequest& http, std::string request_id) const;
    boost::asio::awaitable<Response> call(const Route& route, Request& request) const;
    boost::asio::awaitable<Response> call_once(const Route& route, Request& request) const;
    boost::asio::awaitable<Response> show_made(const Request& request, std::string id) const;
    bool may_enter(const net::Headers& headers) const;

    Services& services_;
    Router router_;
};

}  // namespace stele::api
