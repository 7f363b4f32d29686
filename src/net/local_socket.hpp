#pragma once

#include <boost/asio/local/stream_protocol.hpp>

#include <filesystem>

namespace stele::net {

/// Lets `acceptor` listen at a Unix socket of this path, however long. What lies there is replaced; its folder is made
/// the owner's alone. Throws Error{unavailable} with a text for the operator.
void listen_on(const std::filesystem::path& path, boost::asio::local::stream_protocol::acceptor& acceptor);

}  // namespace stele::net
