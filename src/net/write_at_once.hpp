#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace stele::net {

/// Sends what the kernel takes now of two pieces, by a socket that does not block, and leaves the rest in them: most
/// writes need no round through the loop.
template <class Socket>
boost::system::error_code write_at_once(Socket& socket, std::string_view& first, std::string_view& second) {
    namespace asio = boost::asio;
    const std::array buffers{asio::buffer(first.data(), first.size()), asio::buffer(second.data(), second.size())};
    boost::system::error_code failure;
    const std::size_t sent = socket.write_some(buffers, failure);
    if (failure == asio::error::would_block || failure == asio::error::try_again) return {};
    second.remove_prefix(sent - std::min(sent, first.size()));
    first.remove_prefix(std::min(sent, first.size()));
    return failure;
}

}  // namespace stele::net
