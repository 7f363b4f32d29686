// What the sandbox's network leads to, by the operator's setting.
#include "tests/unit/tools/sandbox_support.hpp"
#include "tools/sandbox/proxy_head.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

TEST(ProxyHead, IsReadAsTheStandardSays) {
    const auto read = [](const std::string& line) { return read_proxy_head(line + " HTTP/1.1\r\n\r\n"); };

    EXPECT_EQ(read("CONNECT example.org:443").host, "example.org");
    EXPECT_EQ(read("CONNECT example.org:443").port, 443);
    EXPECT_TRUE(read("CONNECT [::1]:443").tunnel);
    EXPECT_EQ(read("CONNECT [::1]:443").host, "::1");
    EXPECT_EQ(read("GET HTTP://example.org/a?b").forward, "GET /a?b HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(read("GET http://example.org?b").forward, "GET /?b HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(read("GET http://example.org:8080").port, 8080);
    for (const char* line : {"CONNECT example.org", "CONNECT example.org:0", "CONNECT example.org:99999",
                             "CONNECT :443", "GET /path", "GET https://example.org/", "GET http://user@example.org/",
                             "GET http:///x", "GET", "CONNECT [::1:443", "CONNECT a b:443", "GET ftp://example.org/"})
        EXPECT_EQ(read(line).host, "") << line;
    EXPECT_EQ(read_proxy_head("").host, "");
}

TEST(ProxyHead, KeepsFromTheOriginWhatIsTheProxys) {
    const ProxyHead head = read_proxy_head(
        "POST http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Authorization: x\r\nConnection: keep-alive\r\nX: y\r\n\r\n");

    EXPECT_EQ(head.forward, "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\nConnection: close\r\n\r\n");
}

// A server that answers one line to every request.
asio::awaitable<void> answer_all(tcp::acceptor& acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        std::string request;
        co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
        const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
    }
}

std::string fetched(SandboxOptions options) {
    test::Room room(std::move(options));
    tcp::acceptor acceptor(room.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    asio::co_spawn(room.io(), answer_all(acceptor), asio::detached);
    SandboxCall call = test::call_of(
        "import os, urllib.request\ndef f(port: int):\n    os.environ.pop('NO_PROXY', None)\n"
        "    os.environ.pop('no_proxy', None)\n"
        "    return urllib.request.urlopen(f'http://localhost:{port}/', timeout=20).read().decode()",
        "{\"port\": " + std::to_string(acceptor.local_endpoint().port()) + "}");
    const SandboxResult result = room.call(call);
    acceptor.close();
    return result.ok ? result.value_json : result.error_type + ": " + result.error_message;
}

TEST(ToolNetworks, LeadWhereTheOperatorLetsThem) {
    STELE_NEEDS_WALLS();
    SandboxOptions options;
    EXPECT_NE(fetched(options).find("403"), std::string::npos) << "this machine is no public address";
    options.egress_private = true;
    EXPECT_EQ(fetched(options), "\"hello\"");
    options.network = ToolNetwork::none;
    EXPECT_NE(fetched(options).find("URLError"), std::string::npos);
    options.network = ToolNetwork::host;
    EXPECT_EQ(fetched(options), "\"hello\"");
}

}  // namespace
}  // namespace stele::tools
