#pragma once

#include <boost/asio/ssl/context.hpp>

#include <mutex>
#include <string>

namespace stele::net {

/// Whom a client trusts: this machine's authorities and those of one more file. The machine's are read at the first
/// https of the process and shared by all clients without a file of their own: that takes tens of milliseconds and
/// some megabytes, which a server that speaks to its own network alone never needs. Any thread.
class ClientTls {
public:
    /// `ca_file`: PEM, empty for none. Error `unavailable` if it cannot be read.
    explicit ClientTls(const std::string& ca_file);

    /// Ready for a handshake; as long as this lives.
    boost::asio::ssl::context& context();

private:
    boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
    const bool own_authorities_;
    std::once_flag ready_;
};

}  // namespace stele::net
