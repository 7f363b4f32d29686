// The tools' way out, asked by hand: redirects, names that turn, tunnels and Host fields lead nowhere private.
#include "tools/sandbox/egress_proxy.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

namespace stele::tools {
namespace {

namespace asio = boost::asio;
using asio::ip::address;
using asio::ip::make_address;
using asio::ip::tcp;

/// The proxy before an open server on 127.0.0.1, which counts as public here, and a closed one on 127.0.0.2.
struct EgressProxyOfTools : ::testing::Test {
    EgressProxyOfTools()
        : door(io, {make_address("127.0.0.1"), 0}),
          open(io, {make_address("127.0.0.1"), 0}),
          closed(io, {make_address("127.0.0.2"), open.local_endpoint().port()}),
          port(std::to_string(open.local_endpoint().port())) {
        net::EgressRules rules;
        rules.allows = [](const address& each) { return each == make_address("127.0.0.1"); };
        rules.look_up = [this](const std::string& host) {
            asked.push_back(host);
            if (host == "both.test") return std::vector<address>{make_address("127.0.0.2"), make_address("127.0.0.1")};
            if (host == "private.test" || (host == "turning.test" && asked.size() > 1))
                return std::vector<address>{make_address("127.0.0.2")};
            if (host == "public.test" || host == "turning.test") return std::vector<address>{make_address("127.0.0.1")};
            boost::system::error_code no_address;
            const auto literal = make_address(host, no_address);
            return no_address ? std::vector<address>{} : std::vector<address>{literal};
        };
        asio::co_spawn(io, serve(open), asio::detached);
        asio::co_spawn(io, serve(closed), asio::detached);
        proxy =
            std::make_unique<EgressProxy>(io.get_executor(), Descriptor(::dup(door.native_handle())), std::move(rules));
    }

    asio::awaitable<void> serve(tcp::acceptor& acceptor) {
        for (;;) {
            tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
            (&acceptor == &open ? reached_open : reached_closed)++;
            std::string head;
            boost::system::error_code ended;
            co_await asio::async_read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n",
                                            asio::redirect_error(asio::use_awaitable, ended));
            const std::string text = "HTTP/1.1 302 Found\r\nLocation: http://private.test:" + port +
                                     "/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            co_await asio::async_write(socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, ended));
        }
    }

    asio::awaitable<std::string> exchange(std::string said) {
        tcp::socket socket(io);
        co_await socket.async_connect(door.local_endpoint(), asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(said), asio::use_awaitable);
        std::string heard;
        boost::system::error_code ended;
        co_await asio::async_read(socket, asio::dynamic_buffer(heard),
                                  asio::redirect_error(asio::use_awaitable, ended));
        co_return heard;
    }

    /// All that comes back, up to the end of the connection.
    std::string answer(const std::string& said) {
        std::string heard;
        bool done = false;
        asio::co_spawn(io, exchange(said), [&](std::exception_ptr, std::string text) {
            heard = std::move(text);
            done = true;
        });
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        while (!done && std::chrono::steady_clock::now() < until) io.run_one_for(std::chrono::seconds(1));
        return heard;
    }
    std::string status(const std::string& said) { return answer(said).substr(0, 12); }

    asio::io_context io{1};
    tcp::acceptor door, open, closed;
    const std::string port;
    std::vector<std::string> asked;
    int reached_open = 0, reached_closed = 0;
    std::unique_ptr<EgressProxy> proxy;
};

constexpr char refused[] = "HTTP/1.1 403";

TEST_F(EgressProxyOfTools, DoesNotFollowRedirectsAndRefusesWhereTheyLead) {
    EXPECT_EQ(status("GET http://public.test:" + port + "/ HTTP/1.1\r\nHost: public.test\r\n\r\n"), "HTTP/1.1 302");
    EXPECT_EQ(status("GET http://private.test:" + port + "/ HTTP/1.1\r\nHost: private.test\r\n\r\n"), refused);
    EXPECT_EQ(reached_closed, 0);
}

TEST_F(EgressProxyOfTools, ConnectsToTheAddressesOfItsOneLookUp) {
    EXPECT_EQ(status("GET http://turning.test:" + port + "/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 302");
    EXPECT_EQ(asked.size(), 1u);
    EXPECT_EQ(status("GET http://turning.test:" + port + "/ HTTP/1.1\r\n\r\n"), refused);
    EXPECT_EQ(status("GET http://both.test:" + port + "/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 302");
    EXPECT_EQ(reached_closed, 0);
}

TEST_F(EgressProxyOfTools, OpensNoTunnelToAPrivateAddress) {
    for (const std::string host :
         {"private.test", "127.0.0.2", "[::ffff:127.0.0.2]", "[::1]", "10.0.0.1", "169.254.169.254"})
        EXPECT_EQ(status("CONNECT " + host + ":" + port + " HTTP/1.1\r\nHost: public.test:443\r\n\r\n"), refused)
            << host;
    EXPECT_EQ(reached_closed, 0);
}

// Whatever a Host field or a second request says: the target in the first line is whom the bytes go to.
TEST_F(EgressProxyOfTools, GoesByTheTargetAlone) {
    const std::string here = "http://public.test:" + port + "/", there = "http://private.test:" + port + "/";
    for (const std::string& said :
         {"GET " + here + " HTTP/1.1\r\nHost: private.test\r\n\r\n",
          "GET " + here + " HTTP/1.1\r\nHost: public.test\r\nHost: 127.0.0.2\r\nX-Forwarded-Host: private.test\r\n\r\n",
          "GET " + here + " HTTP/1.1\r\nHost: a\r\n\r\nGET " + there + " HTTP/1.1\r\nHost: b\r\n\r\n",
          "GET " + here +
              " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nCONNECT private.test:80 HTTP/1.1\r\n\r\n"}) {
        EXPECT_EQ(status(said), "HTTP/1.1 302") << said;
        EXPECT_EQ(reached_closed, 0) << said;
    }
    EXPECT_EQ(status("GET " + there + " HTTP/1.1\r\nHost: public.test\r\n\r\n"), refused);
    EXPECT_EQ(status("GET http://public.test@private.test:" + port + "/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(status("GET http://private.test\t.public.test/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(reached_closed, 0);
}

TEST_F(EgressProxyOfTools, RefusesMail) {
    EXPECT_EQ(status("CONNECT public.test:25 HTTP/1.1\r\n\r\n"), refused);
    EXPECT_EQ(reached_open, 0);
}

TEST_F(EgressProxyOfTools, GivesUpAHeadWithoutEnd) {
    EXPECT_EQ(answer("GET http://public.test/ HTTP/1.1\r\nX: " + std::string(1 << 20, 'x')), "");
    EXPECT_EQ(status("GET http://public.test:" + port + "/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 302") << "the next works";
}

}  // namespace
}  // namespace stele::tools
