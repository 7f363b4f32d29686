#include "net/client_tls.hpp"

#include "base/error.hpp"

namespace stele::net {
namespace {

// What is missing here shows at the handshake, as a server that is not trusted.
X509_STORE* system_authorities() {
    static X509_STORE* const store = [] {
        X509_STORE* made = X509_STORE_new();
        if (made != nullptr) X509_STORE_set_default_paths(made);
        return made;
    }();
    return store;
}

}  // namespace

ClientTls::ClientTls(const std::string& ca_file) {
    if (ca_file.empty()) return;
    context_.emplace(boost::asio::ssl::context::tls_client);
    boost::system::error_code failure;
    context_->load_verify_file(ca_file, failure);
    if (failure) throw Error(ErrorCode::unavailable, "The file of trusted authorities cannot be read: " + ca_file);
}

boost::asio::ssl::context& ClientTls::context() {
    std::call_once(ready_, [this] {
        if (context_) {
            boost::system::error_code ignored;
            context_->set_default_verify_paths(ignored);
            return;
        }
        context_.emplace(boost::asio::ssl::context::tls_client);
        SSL_CTX_set1_cert_store(context_->native_handle(), system_authorities());
    });
    return *context_;
}

}  // namespace stele::net
