#include "net/server.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/connection.hpp"
#include "net/local_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>

namespace stele::net {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto sweep_interval = std::chrono::milliseconds(200);
constexpr auto out_of_sockets_pause = std::chrono::milliseconds(100);
constexpr auto farewell_time = std::chrono::seconds(1);  // for streams to tell their clients that it ends
constexpr std::size_t refused_at_once_max = 256;  // beyond connections_max: told so; any more are closed without a word

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

tcp::endpoint endpoint_of(const ServerOptions& options) {
    asio::io_context io;
    error_code failure;
    const auto found =
        tcp::resolver(io).resolve(options.host, std::to_string(options.port), tcp::resolver::passive, failure);
    if (failure || found.empty())
        throw Error(ErrorCode::unavailable, "Cannot listen on '" + options.host + "': " + failure.message());
    return found.begin()->endpoint();
}

// With SO_REUSEPORT a second server of the same user would silently share the port: so whether it is free is asked
// first by a socket without that option.
void demand_free(const tcp::endpoint& endpoint) {
    asio::io_context io;
    tcp::acceptor probe(io, endpoint.protocol());
    probe.set_option(tcp::acceptor::reuse_address(true));
    error_code failure;
    probe.bind(endpoint, failure);
    if (failure)
        throw Error(ErrorCode::unavailable, "Cannot listen on " + endpoint.address().to_string() + " port " +
                                                std::to_string(endpoint.port()) + ": " + failure.message());
}

std::shared_ptr<asio::ssl::context> tls_of(const ServerOptions& options) {
    if (options.tls_certificate_file.empty() && options.tls_key_file.empty()) return nullptr;
    auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    try {
        tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
        tls->use_certificate_chain_file(options.tls_certificate_file);
        tls->use_private_key_file(options.tls_key_file, asio::ssl::context::pem);
    } catch (const boost::system::system_error& failure) {
        throw Error(ErrorCode::unavailable, "The TLS certificate or key cannot be used: " + failure.code().message());
    }
    SSL_CTX_set_alpn_select_cb(
        tls->native_handle(),
        [](SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned int size,
           void*) {
            static constexpr unsigned char http[] = "\x08http/1.1";
            const int result = SSL_select_next_proto(const_cast<unsigned char**>(chosen), length, http, sizeof http - 1,
                                                     offered, size);
            return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
        },
        nullptr);
    return tls;
}

}  // namespace

ServerContext::ServerContext(asio::io_context& io, std::shared_ptr<ServerState> state, Handler handler)
    : io_(io), state_(std::move(state)), handler_(std::move(handler)), acceptor_(io), local_acceptor_(io), clock_(io) {}

void ServerContext::listen(const tcp::endpoint& endpoint) {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.set_option(reuse_port(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(4'096);
}

void ServerContext::listen(const std::filesystem::path& socket) { listen_on(socket, local_acceptor_); }

void ServerContext::start() {
    const auto self = shared_from_this();
    if (acceptor_.is_open()) asio::co_spawn(io_, accept_loop(self, acceptor_), asio::detached);
    if (local_acceptor_.is_open()) asio::co_spawn(io_, accept_loop(self, local_acceptor_), asio::detached);
    asio::co_spawn(io_, sweep_loop(shared_from_this()), asio::detached);
}

template <class Acceptor>
awaitable<void> ServerContext::accept_loop(std::shared_ptr<ServerContext> self, Acceptor& acceptor) {
    const ServerState& state = *self->state_;
    while (acceptor.is_open()) {
        auto [failure, socket] = co_await acceptor.async_accept(use_tuple);
        if (!failure) {
            const std::size_t open = state.connections, most = state.options.connections_max;
            if (open < most + refused_at_once_max && !state.stopping) serve(self, std::move(socket), open >= most);
        } else if (acceptor.is_open() && failure != asio::error::connection_aborted) {
            log::warn("http.accept_failed", {{"why", failure.message()}});
            asio::steady_timer pause(self->io_, out_of_sockets_pause);
            co_await pause.async_wait(use_tuple);
        }
    }
}

awaitable<void> ServerContext::sweep_loop(std::shared_ptr<ServerContext> self) {
    for (;;) {
        self->clock_.expires_after(sweep_interval);
        const auto [failure] = co_await self->clock_.async_wait(use_tuple);
        if (failure || self->finished_) co_return;
        const auto now = Clock::now();
        const bool over = now >= self->end_at_, long_over = over && now - self->end_at_ >= farewell_time;
        self->for_each_connection([now, over, long_over](SweptConnection& connection) {
            if (long_over)
                connection.cut();
            else if (over)
                connection.end();
            else
                connection.sweep(now);
        });
    }
}

template <class Act>
void ServerContext::for_each_connection(const Act& act) {
    const std::vector<SweptConnection*> all(connections_.begin(), connections_.end());
    for (SweptConnection* connection : all)
        if (connections_.contains(connection)) act(*connection);
}

void ServerContext::stop(std::chrono::milliseconds grace, std::function<void()> done) {
    error_code ignored;
    acceptor_.close(ignored);
    local_acceptor_.close(ignored);
    done_ = std::move(done);
    end_at_ = Clock::now() + grace;
    for_each_connection([](SweptConnection& connection) { connection.stop(); });
    if (connections_.empty()) finish();
}

void ServerContext::remove(SweptConnection& connection) {
    connections_.erase(&connection);
    if (connections_.empty()) finish();
}

void ServerContext::finish() {
    if (!done_) return;  // nobody has asked to stop
    finished_ = true;
    clock_.cancel();
    std::exchange(done_, {})();
}

struct Server::Impl {
    std::shared_ptr<ServerState> state = std::make_shared<ServerState>();
    std::vector<std::shared_ptr<ServerContext>> contexts;
    std::uint16_t port = 0;
};

Server::Server(ServerOptions options, std::vector<asio::io_context*> contexts, std::vector<Handler> handlers)
    : impl_(std::make_unique<Impl>()) {
    STELE_ASSERT(!contexts.empty() && contexts.size() == handlers.size());
    impl_->state->tls = options.socket.empty() ? tls_of(options) : nullptr;
    impl_->state->options = std::move(options);
    if (const auto& socket = impl_->state->options.socket; !socket.empty()) {
        auto& context = impl_->contexts.emplace_back(
            std::make_shared<ServerContext>(*contexts.front(), impl_->state, std::move(handlers.front())));
        context->listen(socket);
        return;
    }
    tcp::endpoint endpoint = endpoint_of(impl_->state->options);
    if (endpoint.port() != 0) demand_free(endpoint);
    for (std::size_t i = 0; i < contexts.size(); ++i) {
        auto& context = impl_->contexts.emplace_back(
            std::make_shared<ServerContext>(*contexts[i], impl_->state, std::move(handlers[i])));
        try {
            context->listen(endpoint);
        } catch (const boost::system::system_error& failure) {
            throw Error(ErrorCode::unavailable, "Cannot listen on " + endpoint.address().to_string() + " port " +
                                                    std::to_string(endpoint.port()) + ": " + failure.code().message());
        }
        endpoint.port(context->port());
    }
    impl_->port = endpoint.port();
}

Server::~Server() = default;

void Server::start() {
    for (auto& context : impl_->contexts) context->start();
}

void Server::stop(std::chrono::milliseconds grace, std::function<void()> done) {
    impl_->state->stopping = true;
    std::error_code ignored;
    if (const auto& socket = impl_->state->options.socket; !socket.empty()) std::filesystem::remove(socket, ignored);
    const auto left = std::make_shared<std::atomic<std::size_t>>(impl_->contexts.size());
    for (auto& context : impl_->contexts) {
        asio::post(context->io(), [part = context, grace, left, done] {
            part->stop(grace, [left, done] {
                if (--*left == 0) done();
            });
        });
    }
}

std::uint16_t Server::port() const { return impl_->port; }
std::size_t Server::open_connections() const { return impl_->state->connections; }

}  // namespace stele::net
