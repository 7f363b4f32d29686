#pragma once

#include "net/client.hpp"

#include <boost/json/object.hpp>

#include <optional>

namespace stele::tools::mcp {

/// Fetches what a login needs from servers that nobody vouches for: addresses are checked, redirects not followed,
/// bodies bounded, and all fetches of one login together end at `until`. Throws Error{permission_denied} for an address
/// that is not gone to, Error{timed_out, unavailable} for what went wrong there, each named so that a person can tell.
struct OauthFetch {
    net::HttpClient& client;  ///< outlives it
    bool private_addresses = false;
    std::chrono::steady_clock::time_point until;

    struct Answer {
        int status = 0;
        boost::json::value body;  ///< null where it is no JSON
    };

    boost::asio::awaitable<Answer> get(std::string url) const;
    boost::asio::awaitable<Answer> post_json(std::string url, boost::json::object body) const;
    boost::asio::awaitable<Answer> post_form(std::string url, std::string form, std::string authorization) const;

private:
    boost::asio::awaitable<Answer> send(net::ClientRequest request) const;
};

/// What an authorization server says went wrong: "<error>: <description>", or its status.
std::string refusal_words(const OauthFetch::Answer& answer);

}  // namespace stele::tools::mcp
