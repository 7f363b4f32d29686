#include "net/request_reader.hpp"

#include <gtest/gtest.h>

namespace stele::net {
namespace {

struct Outcome {
    int status = 0;  ///< 0: read whole; -1: more is needed
    std::string request;

    bool operator==(const Outcome&) const = default;
};

std::string text_of(const HttpRequest& request) {
    std::string text = std::string(to_string(request.method)) + " " + request.path + "?" + request.query + "\n";
    for (const auto& [name, value] : request.headers.fields()) text += name + "=" + value + "\n";
    return text + request.body;
}

// As the connection does it: what was not taken is offered again, with what came meanwhile.
Outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
    RequestReader::Limits limits;
    limits.head_bytes_max = 1'000;
    limits.target_bytes_max = 100;
    limits.body_bytes_max = 50;
    RequestReader reader(limits);
    HttpRequest request;
    reader.begin(request);
    std::string waiting;
    while (!bytes.empty()) {
        waiting += bytes.substr(0, piece);
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (std::size_t used = 1; used > 0 && !waiting.empty();) {
            used = reader.feed(waiting);
            waiting.erase(0, used);
        }
    }
    Outcome outcome;
    if (reader.state() == RequestReader::State::failed)
        outcome.status = reader.status();
    else if (reader.state() != RequestReader::State::done)
        outcome.status = -1;
    else
        outcome.request = text_of(request);
    return outcome;
}

struct Case {
    const char* name;
    std::string bytes;
    int status;
};

const std::string host = "Host: a\r\n";

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {"plain get", "GET /a?b=c HTTP/1.1\r\n" + host + "\r\n", 0},
        {"body by length", "POST /a HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello", 0},
        {"body in chunks",
         "POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", 0},
        {"trailers", "POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n",
         0},
        {"unfinished", "POST /a HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhell", -1},
        {"http 1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0},
        {"absolute target", "GET http://a/x?y HTTP/1.1\r\n" + host + "\r\n", 0},
        {"asterisk", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 0},
        {"unknown method", "BREW / HTTP/1.1\r\n" + host + "\r\n", 0},
        {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
        {"length and chunked",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"chunked and length",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
        {"lengths that differ", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
         400},
        {"length twice", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3, 3\r\n\r\nabc", 400},
        {"length with sign", "POST / HTTP/1.1\r\n" + host + "Content-Length: +3\r\n\r\nabc", 400},
        {"negative length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -3\r\n\r\nabc", 400},
        {"hexadecimal length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x3\r\n\r\nabc", 400},
        {"length beyond 64 bits", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {"empty length", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\n", 400},
        {"chunked twice",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"chunked in http 1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"bare line feed", "GET / HTTP/1.1\nHost: a\n\n", 400},
        {"bare line feed in a header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
        {"bare carriage return", "GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n", 400},
        {"nul", std::string("GET / HTTP/1.1\r\n") + host + "X: a" + std::string(1, '\0') + "b\r\n\r\n", 400},
        {"folded header", "GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", 400},
        {"space before the colon", "GET / HTTP/1.1\r\n" + host + "X : a\r\n\r\n", 400},
        {"header without a name", "GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n", 400},
        {"header without a colon", "GET / HTTP/1.1\r\n" + host + "nothing\r\n\r\n", 400},
        {"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
        {"no target", "GET HTTP/1.1\r\n" + host + "\r\n", 400},
        {"target without a slash", "GET a HTTP/1.1\r\n" + host + "\r\n", 400},
        {"garbage", std::string("\x16\x03\x01\x02\x01") + "....\r\n\r\n", 400},
        {"chunk without a size", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        {"chunk without its end",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400},
        {"chunk size beyond 64 bits",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", 400},
        {"endless chunk extension",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'x'), 400},
        {"endless trailers",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(20'000, 'x'), 400},
        {"large body", "POST / HTTP/1.1\r\n" + host + "Content-Length: 51\r\n\r\n", 413},
        {"large chunk", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n33\r\n", 413},
        {"large chunks together",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n20\r\n" + std::string(32, 'x') +
             "\r\n20\r\n",
         413},
        {"long target", "GET /" + std::string(100, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 414},
        {"large head", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(1'000, 'x') + "\r\n\r\n", 431},
        {"endless head", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(5'000, 'x'), 431},
        {"other coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 501},
        {"coding before chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
         501},
        {"http 2", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
        {"http 1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", 505},
    };
    return all;
}

TEST(RequestReader, TellsGoodRequestsFromBadOnes) {
    for (const Case& c : cases()) EXPECT_EQ(read_in_pieces(c.bytes, c.bytes.size()).status, c.status) << c.name;
}

TEST(RequestReader, GivesTheSameRequestWhereverTheBytesAreCut) {
    for (const Case& c : cases()) {
        const Outcome whole = read_in_pieces(c.bytes, c.bytes.size());
        const std::size_t pieces_max = std::min<std::size_t>(c.bytes.size(), 200);
        for (std::size_t piece = 1; piece < pieces_max; ++piece)
            ASSERT_EQ(read_in_pieces(c.bytes, piece), whole) << c.name << ", pieces of " << piece << " bytes";
    }
}

TEST(RequestReader, TakesChunksTogetherAndDropsTrailers) {
    const Outcome read = read_in_pieces(
        "POST /a?q HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nHost: "
        "evil\r\n\r\n",
        1'000);

    EXPECT_EQ(read.status, 0);
    EXPECT_EQ(read.request, "POST /a?q\nHost=a\nTransfer-Encoding=chunked\nabcde");
}

TEST(RequestReader, LeavesTheNextRequestAlone) {
    const std::string first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
    const std::string both = first + "GET / HTTP/1.1\r\n";
    RequestReader reader({});
    HttpRequest request;
    reader.begin(request);

    std::size_t used = 0;
    for (std::size_t step = 1; step > 0; used += step) step = reader.feed(std::string_view(both).substr(used));

    EXPECT_EQ(reader.state(), RequestReader::State::done);
    EXPECT_EQ(used, first.size());
}

TEST(RequestReader, FillsARequestAnewEachTime) {
    RequestReader reader({});
    HttpRequest request;
    reader.begin(request);
    reader.feed("HEAD /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");

    reader.begin(request);
    reader.feed("nonsense\r\n\r\n");

    EXPECT_EQ(reader.status(), 400);
    EXPECT_EQ(request.method, Method::other);
    EXPECT_TRUE(request.path.empty() && request.query.empty() && request.headers.fields().empty());
}

}  // namespace
}  // namespace stele::net
