// Names whose servers are silent hold up those who ask for the same reason, and nobody else.
#include "base/error.hpp"
#include "net/client.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <future>

namespace stele::net {
namespace {

namespace asio = boost::asio;

// Asked for "silent.test" it answers once it is told to; any other name has no address.
struct Resolver {
    ClientOptions options() {
        ClientOptions made;
        made.egress.look_up = [this](const std::string& host) {
            ++asked;
            if (host == "silent.test") released.wait();
            return std::vector<asio::ip::address>();
        };
        return made;
    }
    void release() {
        if (!std::exchange(is_released, true)) gate.set_value();
    }
    ~Resolver() { release(); }

    std::promise<void> gate;
    std::shared_future<void> released = gate.get_future().share();
    bool is_released = false;
    std::atomic<int> asked = 0;
};

// What the request for `host` failed of.
void ask(asio::io_context& io, HttpClient& client, const std::string& host, std::chrono::milliseconds patience,
         std::vector<std::string>& failures) {
    ClientRequest request;
    request.url = "http://" + host + "/";
    request.connect_timeout = patience;
    asio::co_spawn(io, client.send(std::move(request)), [&failures](std::exception_ptr failure, ClientResponse) {
        try {
            std::rethrow_exception(failure);
        } catch (const Error& error) {
            failures.push_back(error.what());
        }
    });
}

// While `count` requests of `waiting` wait for a silent name, `other` hears at once that a name has no address.
void expect_answer_beside(int count, Resolver& resolver, HttpClient& waiting, HttpClient& other) {
    asio::io_context io(1);
    std::vector<std::string> silent, heard;
    for (int i = 0; i < count; ++i) ask(io, waiting, "silent.test", std::chrono::minutes(5), silent);
    ask(io, other, "there.test", std::chrono::minutes(5), heard);
    while (heard.empty()) io.run_one();

    EXPECT_TRUE(silent.empty());
    EXPECT_EQ(heard.front().find("No answer in time"), std::string::npos) << heard.front();
    resolver.release();
    io.run();
    EXPECT_EQ(silent.size(), static_cast<std::size_t>(count));
}

TEST(NameLookups, OfOneClientHoldUpNoOther) {
    Resolver resolver;
    HttpClient of_users(resolver.options()), of_models(resolver.options());
    expect_answer_beside(30, resolver, of_users, of_models);
}

TEST(NameLookups, OfOneClientGoOnBesideASilentOne) {
    Resolver resolver;
    HttpClient client(resolver.options());
    expect_answer_beside(4, resolver, client, client);
}

TEST(NameLookups, AreNotBegunForThoseWhoHaveGone) {
    Resolver resolver;
    HttpClient client(resolver.options());
    asio::io_context io(1);
    std::vector<std::string> failures, after;

    for (int i = 0; i < 100; ++i) ask(io, client, "silent.test", std::chrono::milliseconds(1), failures);
    while (failures.size() < 100) io.run_one();
    for (const std::string& failure : failures) EXPECT_EQ(failure, "No answer in time while looking up silent.test:80");
    resolver.release();
    ask(io, client, "there.test", std::chrono::minutes(5), after);
    io.run();

    EXPECT_EQ(after.size(), 1u);
    EXPECT_LT(resolver.asked, 100);
}

TEST(NameLookups, MayBeUnderWayWhenAllThatWaitedIsGone) {
    Resolver resolver;
    HttpClient client(resolver.options());
    std::vector<std::string> failures;
    {
        asio::io_context io(1);
        ask(io, client, "silent.test", std::chrono::minutes(5), failures);
        while (resolver.asked == 0) io.poll();
    }
    resolver.release();
    EXPECT_TRUE(failures.empty());
}

}  // namespace
}  // namespace stele::net
