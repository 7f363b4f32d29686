#include "net/egress.hpp"
#include "base/error.hpp"
#include "net/client.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace stele::net {
namespace {

TEST(Egress, KnowsPublicAddresses) {
    for (const char* address :
         {"1.1.1.1",        "8.8.8.8",         "9.255.255.255",   "11.0.0.0",         "100.63.255.255",
          "100.128.0.0",    "126.255.255.255", "128.0.0.1",       "169.253.255.255",  "169.255.0.0",
          "172.15.255.255", "172.32.0.0",      "192.0.1.0",       "192.167.255.255",  "192.169.0.0",
          "198.17.255.255", "198.20.0.0",      "223.255.255.255", "2606:4700::1111",  "2a00:1450:4001::8a",
          "2001:200::1",    "2001:db7::1",     "::ffff:8.8.8.8",  "64:ff9b::808:808", "2002:808:808::1"})
        EXPECT_TRUE(is_public(boost::asio::ip::make_address(address))) << address;
}

TEST(Egress, KnowsAddressesThatAreNobodyElsesBusiness) {
    for (const char* address : {"0.0.0.0",
                                "0.255.255.255",
                                "10.0.0.1",
                                "10.255.255.255",
                                "100.64.0.1",
                                "100.127.255.255",
                                "127.0.0.1",
                                "127.255.255.254",
                                "169.254.0.1",
                                "169.254.169.254",
                                "168.63.129.16",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.0.0.1",
                                "192.0.2.1",
                                "192.88.99.1",
                                "192.168.0.1",
                                "192.168.255.255",
                                "198.18.0.1",
                                "198.19.255.255",
                                "198.51.100.7",
                                "203.0.113.9",
                                "224.0.0.1",
                                "239.255.255.255",
                                "240.0.0.1",
                                "255.255.255.255",
                                "::",
                                "::1",
                                "::127.0.0.1",
                                "::ffff:127.0.0.1",
                                "::ffff:10.1.2.3",
                                "::ffff:169.254.169.254",
                                "fe80::1",
                                "fc00::1",
                                "fdff::1",
                                "fec0::1",
                                "ff02::1",
                                "100::1",
                                "2001::1",
                                "2001:10::1",
                                "2001:db8::1",
                                "3fff::1",
                                "2002:7f00:1::1",
                                "2002:a00:1::1",
                                "64:ff9b::7f00:1",
                                "64:ff9b::a00:1",
                                "64:ff9b:1::1",
                                "5f00::1",
                                "4000::1"})
        EXPECT_FALSE(is_public(boost::asio::ip::make_address(address))) << address;
}

/// What comes of a request to `url` by a client that may go to public addresses alone.
std::optional<ErrorCode> refusal(const std::string& url) {
    ClientOptions options;
    options.egress.allows = is_public;
    HttpClient client(options);
    boost::asio::io_context context(1);
    std::optional<ErrorCode> refused;
    boost::asio::co_spawn(
        context,
        [](HttpClient& sender, std::string target) -> boost::asio::awaitable<void> {
            ClientRequest request;
            request.url = std::move(target);
            request.connect_timeout = std::chrono::seconds(5);
            co_await sender.send(std::move(request));
        }(client, url),
        [&](std::exception_ptr failure) {
            try {
                if (failure) std::rethrow_exception(failure);
            } catch (const Error& error) {
                refused = error.code;
            }
        });
    context.run();
    return refused;
}

TEST(Egress, KnowsWhereCloudsKeepTheirMachinesCredentials) {
    for (const char* text : {"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254",
                             "fd20:ce::254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "168.63.129.16",
                             "100.100.100.200", "192.0.0.192", "::ffff:168.63.129.16"})
        EXPECT_TRUE(is_link_local(boost::asio::ip::make_address(text))) << text;
    for (const char* text : {"169.253.1.1", "127.0.0.1", "10.0.0.1", "fd00::1", "::1", "2606:4700::1",
                             "64:ff9b::10.0.0.1", "168.63.129.17", "100.100.100.201", "fd20:ce::253"})
        EXPECT_FALSE(is_link_local(boost::asio::ip::make_address(text))) << text;
}

TEST(Egress, HoldsForEverySpellingOfAHost) {
    for (const char* host : {"127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0", "[::1]",
                             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "10.0.0.1", "169.254.169.254"})
        EXPECT_EQ(refusal("http://" + std::string(host) + ":9/"), ErrorCode::permission_denied) << host;
}

}  // namespace
}  // namespace stele::net
