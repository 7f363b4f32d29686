// Drives a server over keep-alive connections and prints one line a scenario: rate, p50, p99. One thread, so that it
// takes no more of the machine than it must.
#include "base/error.hpp"
#include "net/client.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>

namespace {

using namespace stele;
using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

struct Load {
    std::string url, model_url;
    int seconds = 5;
    net::HttpClient client;
    std::vector<double> milliseconds;  ///< of each measured operation
    Clock::time_point until;
    std::vector<std::string> agents, blocks;
    std::size_t failed = 0;
};

awaitable<std::string> request(Load& load, net::Method method, std::string url, std::string body) {
    net::ClientRequest made;
    made.method = method;
    made.url = std::move(url);
    made.body = std::move(body);
    if (!made.body.empty()) made.headers.add("Content-Type", "application/json");
    const net::ClientResponse response = co_await load.client.send(std::move(made));
    if (response.status != 200) {
        ++load.failed;
        std::fprintf(stderr, "status %d: %s\n", response.status, response.body.substr(0, 200).c_str());
    }
    co_return response.body;
}

std::string member(const std::string& json, const std::string& name) {
    const std::size_t begin = json.find("\"" + name + "\":\"");
    if (begin == std::string::npos) throw std::runtime_error("no " + name + " in " + json.substr(0, 300));
    const std::size_t value = begin + name.size() + 4;
    return json.substr(value, json.find('"', value) - value);
}

constexpr char agent_body[] =
    R"({"memory_blocks":[{"label":"human","value":"Name: Grace."},{"label":"persona","value":"I am Ada."}]})";

awaitable<void> make_agents(Load& load, int count) {
    for (int i = 0; i < count; ++i) {
        const std::string agent = co_await request(load, net::Method::post, load.url + "/v1/agents/", agent_body);
        load.agents.push_back(member(agent, "id"));
        const std::string block =
            co_await request(load, net::Method::post, load.url + "/v1/blocks", R"({"label":"b","value":""})");
        load.blocks.push_back(member(block, "id"));
    }
}

double since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

awaitable<void> worker(Load& load, std::string scenario, std::size_t number) {
    const std::string agent = load.agents[number % load.agents.size()];
    const std::string block = load.blocks[number % load.blocks.size()];
    for (int round = 0; Clock::now() < load.until; ++round) {
        const auto begin = Clock::now();
        if (scenario == "model") {
            co_await request(load, net::Method::post, load.model_url + "/v1/chat/completions",
                             R"({"model":"mock","messages":[]})");
        } else if (scenario == "turn") {
            co_await request(load, net::Method::post, load.url + "/v1/agents/" + agent + "/messages",
                             R"({"input":"hello"})");
        } else if (scenario == "get") {
            co_await request(load, net::Method::get, load.url + "/v1/agents/" + agent, {});
        } else if (scenario == "create") {
            co_await request(load, net::Method::post, load.url + "/v1/agents/", agent_body);
        } else if (scenario == "patch") {
            co_await request(load, net::Method::patch, load.url + "/v1/blocks/" + block,
                             "{\"value\":\"" + std::to_string(round) + "\"}");
        } else if (scenario == "upsert") {  // half of them make an identity, half find it
            const std::string key = std::to_string(number) + "-" + std::to_string(round / 2);
            co_await request(load, net::Method::put, load.url + "/v1/identities/",
                             R"({"name":"Grace","identity_type":"user","identifier_key":")" + key + "\"}");
        }
        load.milliseconds.push_back(since(begin));
        if (scenario == "turn" && round % 40 == 39)  // a bounded context, as compaction will keep it
            co_await request(load, net::Method::patch, load.url + "/v1/agents/" + agent + "/reset-messages", "{}");
    }
}

// From the model's first chunk, which carries its time, to the client's first word.
awaitable<void> stream_worker(Load& load) {
    while (Clock::now() < load.until) {
        net::ClientRequest made;
        made.method = net::Method::post;
        made.url = load.url + "/v1/agents/" + load.agents.front() + "/messages/stream";
        made.body = R"({"input":"hello","stream_tokens":true})";
        const auto stream = co_await load.client.open(std::move(made));
        std::string text;
        bool found = false;
        for (;;) {
            const std::string piece = co_await stream->read();
            if (piece.empty()) break;
            if (found) continue;
            text += piece;
            const std::size_t at = text.find("\"content\":\"t:");
            if (at == std::string::npos) continue;
            const long long sent = std::stoll(text.substr(at + 13));
            load.milliseconds.push_back(static_cast<double>(Clock::now().time_since_epoch().count() - sent) / 1e6);
            found = true;
        }
        co_await request(load, net::Method::patch, load.url + "/v1/agents/" + load.agents.front() + "/reset-messages",
                         "{}");
    }
}

void run(boost::asio::io_context& context) {
    context.restart();
    context.run();
}

// Turns of several agents in turn, so that whatever else the machine does falls on all of them alike. Each turn is
// followed by the reset that keeps its context as short as it was.
awaitable<void> alternating_worker(Load& load, const std::vector<std::string>& agents,
                                   std::vector<std::vector<double>>& milliseconds) {
    while (Clock::now() < load.until) {
        for (std::size_t i = 0; i < agents.size(); ++i) {
            const std::string agent = load.url + "/v1/agents/" + agents[i];
            const auto begin = Clock::now();
            co_await request(load, net::Method::post, agent + "/messages", R"({"input":"hello"})");
            milliseconds[i].push_back(since(begin));
            co_await request(load, net::Method::patch, agent + "/reset-messages", "{}");
        }
    }
}

void alternate(boost::asio::io_context& context, Load& load, const std::vector<std::string>& agents) {
    std::vector<std::vector<double>> milliseconds(agents.size());
    load.until = Clock::now() + std::chrono::seconds(load.seconds);
    boost::asio::co_spawn(context, alternating_worker(load, agents, milliseconds), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    run(context);
    for (std::size_t i = 0; i < agents.size(); ++i) {
        std::sort(milliseconds[i].begin(), milliseconds[i].end());
        std::printf("%s %zu turns p50 %.3f ms\n", agents[i].c_str(), milliseconds[i].size(),
                    milliseconds[i].empty() ? 0.0 : milliseconds[i][milliseconds[i].size() / 2]);
    }
}

// All that an agent with a long history may be asked for, over and over.
awaitable<void> busy_worker(Load& load, std::string agent) {
    const std::string url = load.url + "/v1/agents/" + agent;
    while (Clock::now() < load.until) {
        co_await request(load, net::Method::post, url + "/messages", R"({"input":"hello"})");
        co_await request(load, net::Method::get, url + "/messages?limit=1000", {});
        co_await request(load, net::Method::get, url + "/context", {});
        co_await request(load, net::Method::post, load.url + "/v1/messages/search",
                         R"({"query":"message about w77777","agent_id":")" + agent + "\"}");
    }
}

// Asks every millisecond, and counts from the time at which it was due: a server that is away for a while is asked no
// fewer questions meanwhile.
awaitable<void> health_worker(Load& load) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (auto due = Clock::now(); due < load.until; due += std::chrono::milliseconds(1)) {
        timer.expires_at(due);
        co_await timer.async_wait(boost::asio::use_awaitable);
        co_await request(load, net::Method::get, load.url + "/v1/health", {});
        load.milliseconds.push_back(since(due));
    }
}

void measure(boost::asio::io_context& context, Load& load, const std::string& scenario, int clients) {
    load.milliseconds.clear();
    const auto began = Clock::now();
    load.until = began + std::chrono::seconds(load.seconds);
    const auto report = [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    };
    if (scenario == "health") {
        boost::asio::co_spawn(context, health_worker(load), report);
        for (int i = 1; i < clients; ++i)
            boost::asio::co_spawn(context, busy_worker(load, load.agents.front()), report);
    } else if (scenario == "stream")
        boost::asio::co_spawn(context, stream_worker(load), report);
    else
        for (int i = 0; i < clients; ++i)
            boost::asio::co_spawn(context, worker(load, scenario, static_cast<std::size_t>(i)), report);
    run(context);
    const double seconds = since(began) / 1e3;
    auto& times = load.milliseconds;
    std::sort(times.begin(), times.end());
    const auto at = [&](double part) {
        return times.empty() ? 0.0 : times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
    };
    std::printf("%-8s %3d clients  %9.0f /s   p50 %7.3f ms   p99 %7.3f ms   failed %zu\n", scenario.c_str(), clients,
                static_cast<double>(times.size()) / seconds, at(0.5), at(0.99), load.failed);
    std::fflush(stdout);
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("Load driver");
    Load load;
    app.add_option("--url", load.url)->required();
    app.add_option("--model-url", load.model_url)->required();
    app.add_option("--seconds", load.seconds);
    std::vector<std::string> given;
    app.add_option("--agent", given, "talk to these, a turn at a time one after the other, and do nothing else");
    app.add_option("--beside", load.agents, "keep this agent busy, and measure /v1/health beside it");
    std::string only;
    app.add_option("--only", only, "measure this scenario alone");
    CLI11_PARSE(app, argument_count, arguments);
    boost::asio::io_context context(1);
    if (!load.agents.empty()) {
        measure(context, load, "health", 1);  // with nothing beside it
        measure(context, load, "health", 3);
        return load.failed == 0 ? 0 : 1;
    }
    if (!given.empty()) {
        alternate(context, load, given);
        return load.failed == 0 ? 0 : 1;
    }
    boost::asio::co_spawn(context, make_agents(load, 32), boost::asio::detached);
    run(context);
    if (!only.empty()) {
        for (const int clients : {1, 8, 32}) measure(context, load, only, clients);
        return load.failed == 0 ? 0 : 1;
    }
    measure(context, load, "model", 1);
    measure(context, load, "turn", 1);
    measure(context, load, "turn", 32);
    measure(context, load, "stream", 1);
    measure(context, load, "get", 8);
    measure(context, load, "create", 8);
    measure(context, load, "create", 32);
    measure(context, load, "patch", 8);
    measure(context, load, "patch", 32);
    measure(context, load, "upsert", 8);
    measure(context, load, "upsert", 32);
    return load.failed == 0 ? 0 : 1;
}
