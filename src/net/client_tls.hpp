#pragma once

#include <boost/asio/ssl/context.hpp>

#include <mutex>
#include <optional>
#include <string>

namespace stele::net {

/// Whom a client trusts: this machine's authorities and those of one more file. What TLS needs is made at the first
/// https, and the machine's authorities are read once and shared by all clients without a file of their own: together
/// that takes tens of milliseconds and megabytes, which a server that speaks to its own network alone never needs.
/// Any thread.
class ClientTls {
public:
    /// `ca_file`: PEM, empty for none. Error `unavailable` if it cannot be read.
    explicit ClientTls(const std::string& ca_file);

    /// Ready for a handshake; as long as this lives.
    boost::asio::ssl::context& context();

private:
    std::once_flag ready_;
    std::optional<boost::asio::ssl::context> context_;  ///< from the beginning with a file, as that has to be read
};

}  // namespace stele::net
