// Where a page's address may lead: judged anew at every redirect, by the addresses that are connected to.
#include "tools/web/page_fetch.hpp"

#include "base/error.hpp"
#include "tools/working_memory.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace stele::tools::web {
namespace {

namespace asio = boost::asio;
using asio::ip::address;
using asio::ip::make_address;
using asio::ip::tcp;

/// A server on an address of this machine that gives one answer and notes the heads that it was sent.
class Site {
public:
    Site(asio::io_context& io, const char* where, std::uint16_t port = 0) : acceptor_(io, {make_address(where), port}) {
        asio::co_spawn(io, serve(), asio::detached);
    }
    void close() { acceptor_.close(); }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    std::string answer;
    std::vector<std::string> heads;

private:
    asio::awaitable<void> serve() {
        for (;;) {
            tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
            std::string head;
            co_await asio::async_read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n", asio::use_awaitable);
            heads.push_back(head);
            co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
        }
    }

    tcp::acceptor acceptor_;
};

std::string page(const std::string& text) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
           std::to_string(text.size()) + "\r\n\r\n" + text;
}
std::string redirect(const std::string& to) {
    return "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + to + "\r\n\r\n";
}

/// Two sites of one port: on 127.0.0.1, which counts as public here, and on 127.0.0.2, which does not. "public.test"
/// and "private.test" are their names, "both.test" is either, and "turning.test" is the public one once and then the
/// other.
struct PageFetch : ::testing::Test {
    PageFetch() : open(io, "127.0.0.1"), closed(io, "127.0.0.2", open.port()) {
        open.answer = page("public");
        closed.answer = page("secret");
        options.egress.allows = [](const address& each) { return each == make_address("127.0.0.1"); };
        options.egress.look_up = [this](const std::string& host) {
            ++look_ups;
            const auto a = make_address("127.0.0.1"), b = make_address("127.0.0.2");
            if (host == "public.test") return std::vector<address>{a};
            if (host == "private.test") return std::vector<address>{b};
            if (host == "both.test") return std::vector<address>{b, a};
            if (host == "turning.test") return std::vector<address>{look_ups == 1 ? a : b};
            return std::vector<address>{};
        };
    }

    std::string url(const std::string& host) const {
        return "http://" + host + ":" + std::to_string(open.port()) + "/";
    }

    /// The page's text, or why there is none.
    std::string fetched(const std::string& address_of_page) {
        net::HttpClient client(options);
        std::string outcome;
        asio::co_spawn(io, fetch_page(client, address_of_page), [&](std::exception_ptr failure, FetchedPage got) {
            try {
                if (failure) std::rethrow_exception(failure);
                outcome = got.body;
            } catch (const ToolFailure& refused) {
                outcome = refused.what();
            }
            open.close();
            closed.close();
        });
        io.run();
        return outcome;
    }

    asio::io_context io{1};
    Site open, closed;
    net::ClientOptions options;
    int look_ups = 0;
};

TEST_F(PageFetch, ReachesWhatIsAllowed) {
    EXPECT_EQ(fetched(url("public.test")), "public");
    EXPECT_EQ(look_ups, 1);
}

TEST_F(PageFetch, DoesNotFollowARedirectToAPrivateAddress) {
    open.answer = redirect(url("127.0.0.2"));

    EXPECT_NE(fetched(url("127.0.0.1")).find("no public address"), std::string::npos);
    EXPECT_TRUE(closed.heads.empty());
}

TEST_F(PageFetch, DoesNotFollowARedirectToANameOfAPrivateAddress) {
    open.answer = redirect("//private.test:" + std::to_string(open.port()) + "/x");

    EXPECT_NE(fetched(url("public.test")).find("private.test is no public address"), std::string::npos);
    EXPECT_TRUE(closed.heads.empty());
}

TEST_F(PageFetch, AsksOfANameThatIsBothThePublicAddressAlone) {
    EXPECT_EQ(fetched(url("both.test")), "public");
    EXPECT_TRUE(closed.heads.empty());
}

// DNS rebinding: the name is harmless when it is looked at and private when it is connected to.
TEST_F(PageFetch, IsNotFooledByANameThatTurns) {
    open.answer = redirect(url("turning.test"));  // a new connection, so a new look-up: its answer is judged itself

    EXPECT_NE(fetched(url("turning.test")).find("no public address"), std::string::npos);
    EXPECT_EQ(open.heads.size(), 1u) << "the first look-up is the one that was connected to";
    EXPECT_EQ(look_ups, 2);
    EXPECT_TRUE(closed.heads.empty());
}

TEST_F(PageFetch, TellsAHostThatIsNotThere) {
    EXPECT_NE(fetched(url("nowhere.test")).find("fetch_webpage: "), std::string::npos);
}

TEST_F(PageFetch, SendsNoUserNameAndNoFragment) {
    EXPECT_NE(fetched("http://me:secret@public.test/").find("no http or https address"), std::string::npos);
}

TEST_F(PageFetch, LeavesTheFragmentAtHome) {
    EXPECT_EQ(fetched(url("public.test") + "a b?q=é#part"), "public");
    EXPECT_TRUE(open.heads.at(0).starts_with("GET /a%20b?q=%C3%A9 HTTP/1.1\r\n")) << open.heads.at(0);
}

}  // namespace
}  // namespace stele::tools::web
