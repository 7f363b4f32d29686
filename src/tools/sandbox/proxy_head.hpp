#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stele::tools {

/// The head of a request to a forward proxy (RFC 9110, 9.3.6 and RFC 9112, 3.2), read.
struct ProxyHead {
    std::string host;  ///< without brackets; empty: refused
    std::uint16_t port = 0;
    bool tunnel = false;  ///< CONNECT: bytes both ways from here on
    std::string forward;  ///< else: the head as the origin gets it, for one request only
};

/// `head` ends in an empty line.
ProxyHead read_proxy_head(std::string_view head);

}  // namespace stele::tools
