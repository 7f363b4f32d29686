// Many token streams at once: how long a token is under way from the model to its reader. The mock model writes into
// each token when it left (mock_model --token-ms), so the same figure without a server between them is had by --direct.
#include "net/client.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdio>

namespace {

using namespace stele;
using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

struct Streams {
    std::string url;
    bool direct = false;
    std::size_t count = 1'000;
    net::HttpClient client;
    std::vector<std::string> agents;
    std::vector<double> milliseconds;  ///< of each token while all streams are at work
    std::size_t begun = 0, ended = 0, tokens = 0;
};

net::ClientRequest post(std::string url, std::string body) {
    net::ClientRequest made;
    made.method = net::Method::post;
    made.url = std::move(url);
    made.body = std::move(body);
    made.headers.add("Content-Type", "application/json");
    return made;
}

awaitable<void> make_agents(Streams& streams) {
    while (streams.agents.size() < streams.count) {
        net::ClientRequest request = post(streams.url + "/v1/agents", R"({"include_base_tools":false})");
        const net::ClientResponse made = co_await streams.client.send(std::move(request));
        const std::size_t begin = made.body.find("\"agent-");
        if (begin == std::string::npos) throw std::runtime_error(made.body.substr(0, 300));
        streams.agents.push_back(made.body.substr(begin + 1, made.body.find('"', begin + 1) - begin - 1));
    }
}

// Takes the times out of what has arrived, and leaves what is not whole yet.
void take_tokens(Streams& streams, std::string& text, bool& first) {
    constexpr std::string_view mark = "\"content\":\"t:";
    const auto now = Clock::now().time_since_epoch().count();
    std::size_t at = 0, done = 0;
    while ((at = text.find(mark, done)) != std::string::npos && text.find(' ', at) != std::string::npos) {
        const long long sent = std::stoll(text.substr(at + mark.size(), 24));
        done = at + mark.size();
        if (!std::exchange(first, true)) ++streams.begun;
        ++streams.tokens;
        if (streams.begun == streams.count && streams.ended == 0)
            streams.milliseconds.push_back(static_cast<double>(now - sent) / 1e6);
    }
    text.erase(0, std::max(done, text.size() < mark.size() ? 0 : text.size() - mark.size()));
}

awaitable<void> read_stream(Streams& streams, std::size_t number) {
    net::ClientRequest request =
        streams.direct ? post(streams.url + "/v1/chat/completions", R"({"model":"mock","messages":[],"stream":true})")
                       : post(streams.url + "/v1/agents/" + streams.agents[number] + "/messages/stream",
                              R"({"input":"hello","stream_tokens":true})");
    const auto stream = co_await streams.client.open(std::move(request));
    std::string text;
    bool first = false;
    for (;;) {
        const std::string piece = co_await stream->read();
        if (piece.empty()) break;
        text += piece;
        take_tokens(streams, text, first);
    }
    if (streams.ended++ == 0) {  // whoever reads this looks at the server's memory while all are at work
        std::puts("over");
        std::fflush(stdout);
    }
}

void report(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("Token streams");
    Streams streams;
    app.add_option("--url", streams.url)->required();
    app.add_option("--streams", streams.count);
    app.add_flag("--direct", streams.direct, "the URL is that of the model");
    CLI11_PARSE(app, argument_count, arguments);
    boost::asio::io_context context(1);
    if (!streams.direct) {
        boost::asio::co_spawn(context, make_agents(streams), report);
        context.run();
        context.restart();
    }
    for (std::size_t i = 0; i < streams.count; ++i) boost::asio::co_spawn(context, read_stream(streams, i), report);
    context.run();
    auto& times = streams.milliseconds;
    std::sort(times.begin(), times.end());
    const auto at = [&](double part) {
        return times.empty() ? 0.0 : times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
    };
    std::printf("%zu %zu %.3f %.3f %.3f\n", streams.tokens, times.size(), at(0.5), at(0.99), at(1));
    return 0;
}
