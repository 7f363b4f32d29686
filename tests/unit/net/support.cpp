#include "tests/unit/net/support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace stele::net::test {

using boost::asio::awaitable;

bool eventually(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

awaitable<HttpResponse> tell(HttpRequest& request) {
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = std::string(to_string(request.method)) + " " + request.target + " " + request.body;
    co_return response;
}

TestServer::TestServer(ServerOptions options, Handler handler) {
    options.host = "127.0.0.1";
    options.port = 0;
    server = std::make_unique<Server>(std::move(options), std::vector{&loop->io},
                                      std::vector{handler ? handler : Handler(tell)});
    server->start();
}

bool TestServer::stop(std::chrono::milliseconds grace) {
    auto done = std::make_shared<std::promise<void>>();
    auto finished = done->get_future();
    server->stop(grace, [done] { done->set_value(); });
    return finished.wait_for(patience) == std::future_status::ready;
}

TestServer::~TestServer() {
    loop->io.stop();
    eventually([this] { return loop->io.stopped(); });
    server.reset();  // its frames, which the context still holds, outlive it
}

std::string RawResponse::header(const std::string& name) const {
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
        const std::size_t colon = head.find(": ", at);
        if (colon == std::string::npos) break;
        if (same_name(std::string_view(head).substr(at + 2, colon - at - 2), name))
            return head.substr(colon + 2, head.find("\r\n", colon) - colon - 2);
    }
    return {};
}

RawClient::RawClient(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect");
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void RawClient::finish_sending() { ::shutdown(socket_, SHUT_WR); }

void RawClient::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void RawClient::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

bool RawClient::read_some() {
    pollfd waiting{socket_, POLLIN, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
    if (::poll(&waiting, 1, static_cast<int>(limit)) <= 0) throw std::runtime_error("the peer is silent");
    char bytes[16'384];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received.append(bytes, static_cast<std::size_t>(count));
    return true;
}

bool RawClient::receive_until(const std::string& mark) {
    while (received.find(mark) == std::string::npos)
        if (!read_some()) return false;
    return true;
}

bool RawClient::ended() { return received.empty() && !read_some(); }

RawResponse RawClient::receive(bool to_head) {
    RawResponse response;
    if (!receive_until("\r\n\r\n")) return response;
    const std::size_t head_bytes = received.find("\r\n\r\n") + 4;
    response.head = received.substr(0, head_bytes);
    received.erase(0, head_bytes);
    response.status = std::stoi(response.head.substr(9, 3));
    if (to_head || response.status == 204 || response.status == 304 || response.status < 200) {
        response.whole = true;
        return response;
    }
    if (response.header("Transfer-Encoding") == "chunked") {
        for (;;) {
            if (!receive_until("\r\n")) return response;
            const std::size_t line = received.find("\r\n");
            const std::size_t size = std::stoul(received.substr(0, line), nullptr, 16);
            while (received.size() < line + 2 + size + 2)
                if (!read_some()) return response;
            response.body += received.substr(line + 2, size);
            received.erase(0, line + 2 + size + 2);
            if (size == 0) break;
        }
        response.whole = true;
        return response;
    }
    const std::string length = response.header("Content-Length");
    const std::size_t wanted = length.empty() ? std::string::npos : std::stoul(length);
    while (received.size() < wanted)
        if (!read_some()) break;
    response.body = received.substr(0, wanted);
    response.whole = length.empty() || response.body.size() == wanted;
    received.erase(0, response.body.size());
    return response;
}

RawResponse exchange(std::uint16_t port, std::string_view bytes) {
    RawClient client(port);
    client.send(bytes);
    return client.receive();
}

ScriptedServer::ScriptedServer(std::function<void(RawClient&, int)> script)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, script = std::move(script)] {
        for (;;) {
            const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (accepted < 0 || stopping_) {
                if (accepted >= 0) ::close(accepted);
                return;
            }
            RawClient client(accepted);
            script(client, connections_++);
        }
    });
}

ScriptedServer::~ScriptedServer() {
    stopping_ = true;
    try {
        const RawClient waker(port_);
    } catch (const std::runtime_error&) {
        // the thread has ended on its own
    }
    thread_.join();
    ::close(listener_);
}

}  // namespace stele::net::test
