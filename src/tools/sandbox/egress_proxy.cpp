#include "tools/sandbox/egress_proxy.hpp"

#include "base/log.hpp"
#include "net/within.hpp"
#include "tools/sandbox/proxy_head.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t head_bytes_max = 16u << 10;
constexpr std::size_t connections_max = 128;  // of one sandbox
constexpr std::size_t piece_bytes = 32u << 10;
constexpr std::chrono::seconds head_time{30}, connect_time{15}, connection_time{600};
constexpr std::chrono::milliseconds accept_pause{200};
constexpr std::uint16_t mail_port = 25;  // nobody's tool is to send unsolicited mail from here

std::string answer(const char* status, const std::string& text) {
    return std::string("HTTP/1.1 ") + status +
           "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " + std::to_string(text.size()) +
           "\r\n\r\n" + text;
}

// One client of the proxy, and whom it is led to.
struct Pair {
    explicit Pair(const asio::any_io_executor& executor) : inside(executor), outside(executor), resolver(executor) {}

    void close() {
        error_code ignored;
        inside.close(ignored);
        outside.close(ignored);
        resolver.cancel();
    }

    tcp::socket inside, outside;
    tcp::resolver resolver;
};

// `pair` owns the sockets.
asio::awaitable<void> pass_on([[maybe_unused]] std::shared_ptr<Pair> pair, tcp::socket& from, tcp::socket& to) {
    std::array<char, piece_bytes> piece;
    error_code failure;
    while (!failure) {
        const std::size_t count =
            co_await from.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failure));
        if (count == 0) break;
        co_await asio::async_write(to, asio::buffer(piece.data(), count),
                                   asio::redirect_error(asio::use_awaitable, failure));
    }
    to.shutdown(tcp::socket::shutdown_send, failure);
}

asio::awaitable<std::size_t> read_head(std::shared_ptr<Pair> pair, std::string& received) {
    co_return co_await asio::async_read_until(pair->inside, asio::dynamic_buffer(received, head_bytes_max), "\r\n\r\n",
                                              asio::use_awaitable);
}

// False where no address may be reached.
asio::awaitable<bool> connect(std::shared_ptr<Pair> pair, std::string host, std::uint16_t port,
                              const net::EgressRules& rules) {
    std::vector<tcp::endpoint> endpoints;
    if (rules.look_up) {
        for (const auto& address : rules.look_up(host)) endpoints.emplace_back(address, port);
    } else {
        const auto found = co_await pair->resolver.async_resolve(host, std::to_string(port), asio::use_awaitable);
        for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    }
    std::erase_if(endpoints, [&](const tcp::endpoint& each) { return !rules.permit(host, each.address()); });
    if (endpoints.empty()) co_return false;
    co_await asio::async_connect(pair->outside, endpoints, asio::use_awaitable);
    co_return true;
}

}  // namespace

class EgressProxy::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(const asio::any_io_executor& executor, Descriptor listener, net::EgressRules rules)
        : acceptor_(executor), rules_(std::move(rules)) {
        acceptor_.assign(tcp::v4(), listener.release());
    }

    asio::awaitable<void> accept();
    void close() {
        error_code ignored;
        acceptor_.close(ignored);
        for (const auto& pair : pairs_) pair->close();
    }
    auto executor() { return acceptor_.get_executor(); }

private:
    asio::awaitable<void> serve(std::shared_ptr<Pair> pair);
    asio::awaitable<std::string> lead(std::shared_ptr<Pair> pair, std::string& received);

    tcp::acceptor acceptor_;
    const net::EgressRules rules_;
    std::set<std::shared_ptr<Pair>> pairs_;
};

asio::awaitable<void> EgressProxy::Impl::accept() {
    const auto kept = shared_from_this();
    error_code failure;
    while (acceptor_.is_open()) {
        const auto pair = std::make_shared<Pair>(acceptor_.get_executor());
        co_await acceptor_.async_accept(pair->inside, asio::redirect_error(asio::use_awaitable, failure));
        if (failure == asio::error::operation_aborted || failure == asio::error::bad_descriptor) co_return;
        if (failure) {  // no descriptors are left, say
            asio::steady_timer pause(acceptor_.get_executor(), accept_pause);
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        if (pairs_.size() >= connections_max) continue;
        pairs_.insert(pair);
        asio::co_spawn(acceptor_.get_executor(), serve(pair), asio::detached);
    }
}

// Until both sides have said all. Throws nothing.
asio::awaitable<void> EgressProxy::Impl::serve(std::shared_ptr<Pair> pair) {
    const auto kept = shared_from_this();
    asio::steady_timer limit(acceptor_.get_executor(), connection_time);
    limit.async_wait([pair](const error_code& failure) {
        if (!failure) pair->close();
    });
    try {
        std::string received;
        const std::string refusal = co_await lead(pair, received);
        if (!refusal.empty()) {
            co_await asio::async_write(pair->inside, asio::buffer(refusal), asio::use_awaitable);
        } else {
            auto executor = acceptor_.get_executor();
            auto back = asio::co_spawn(executor, pass_on(pair, pair->outside, pair->inside), asio::deferred);
            auto forth = asio::co_spawn(executor, pass_on(pair, pair->inside, pair->outside), asio::deferred);
            auto both = asio::experimental::make_parallel_group(std::move(back), std::move(forth));
            co_await both.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
        }
    } catch (const std::exception&) {
        // The tool or its server went away: nothing to tell, and nobody to tell it to.
    }
    limit.cancel();
    pair->close();
    pairs_.erase(pair);
}

// Connects to whom the head names, and hands over what belongs there. Else the answer that refuses.
asio::awaitable<std::string> EgressProxy::Impl::lead(std::shared_ptr<Pair> pair, std::string& received) {
    const std::size_t length = co_await net::within(std::chrono::duration_cast<std::chrono::milliseconds>(head_time),
                                                    read_head(pair, received));
    const ProxyHead head = read_proxy_head(std::string_view(received).substr(0, length));
    if (head.host.empty()) co_return answer("400 Bad Request", "This is a proxy for HTTP and for tunnels.\n");
    bool allowed = head.port != mail_port;
    std::string problem;
    try {
        if (allowed)
            allowed = co_await net::within(std::chrono::duration_cast<std::chrono::milliseconds>(connect_time),
                                           connect(pair, head.host, head.port, rules_));
    } catch (const std::exception& failure) {
        problem = failure.what();
    }
    log::info("tool.egress", {{"host", head.host}, {"port", head.port}, {"allowed", allowed}, {"ok", problem.empty()}});
    if (!allowed)
        co_return answer("403 Forbidden", head.host +
                                              " is no public address of the internet. The operator of this server "
                                              "decides what tools may reach (tools_network).\n");
    if (!problem.empty()) co_return answer("502 Bad Gateway", head.host + " can't be reached: " + problem + "\n");
    std::string to_client = "HTTP/1.1 200 Connection established\r\n\r\n";
    std::string to_server = head.forward + received.substr(length);
    if (head.tunnel) co_await asio::async_write(pair->inside, asio::buffer(to_client), asio::use_awaitable);
    if (!to_server.empty()) co_await asio::async_write(pair->outside, asio::buffer(to_server), asio::use_awaitable);
    co_return std::string();
}

EgressProxy::EgressProxy(const asio::any_io_executor& executor, Descriptor listener, net::EgressRules rules)
    : impl_(std::make_shared<Impl>(executor, std::move(listener), std::move(rules))) {
    asio::co_spawn(executor, impl_->accept(), asio::detached);
}

EgressProxy::~EgressProxy() {
    asio::post(impl_->executor(), [impl = impl_] { impl->close(); });
}

}  // namespace stele::tools
