// A chat-completions server that answers at once with canned text: 20 bytes of head-room for the server under test.
// The first word of every answer is the time at which it left, in nanoseconds of the steady clock, so that the load
// driver on the same machine can tell what the server between them costs. With --tool each message of a user is
// answered by a call of that tool first.
#include "net/server.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdio>

namespace {

using namespace stele::net;
using boost::asio::awaitable;

std::string time_word() {
    return "t:" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()) + " ";
}

std::string chunk(const std::string& content, const char* finish) {
    return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"mock","choices":[{"index":0,"delta":)" +
           (content.empty() ? std::string("{}") : R"({"content":")" + content + "\"}") + R"(,"finish_reason":)" +
           finish + "}]}\n\n";
}

struct Speech {
    int words = 10;
    std::string tool;  // to call first
};

awaitable<void> write_stream(int words, BodyWriter& writer) {
    co_await writer.write(chunk(time_word(), "null"));
    for (int i = 1; i < words; ++i) co_await writer.write(chunk("word ", "null"));
    co_await writer.write(chunk("", "\"stop\"") +
                          "data: "
                          "{\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":10,"
                          "\"total_tokens\":110}}\n\n"
                          "data: [DONE]\n\n");
}

// Whether the newest message is a user's, rather than what a tool gave back.
bool is_fresh(const std::string& body) {
    const auto user = body.rfind(R"("role":"user")"), tool = body.rfind(R"("role":"tool")");
    return user != std::string::npos && (tool == std::string::npos || user > tool);
}

std::string call_of(const std::string& tool) {
    return R"({"id":"c","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_)" +
           std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()) +
           R"(","type":"function","function":{"name":")" + tool +
           R"(","arguments":"{\"a\":1,\"b\":2}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110}})";
}

awaitable<HttpResponse> answer(HttpRequest& request, Speech speech) {
    HttpResponse response;
    if (request.path == "/v1/models") {
        response.body = R"({"object":"list","data":[{"id":"mock","object":"model","max_model_len":32000}]})";
    } else if (request.body.find("\"stream\":true") != std::string::npos) {
        response.content_type = "text/event-stream";
        response.producer = [words = speech.words](BodyWriter& writer) { return write_stream(words, writer); };
    } else if (!speech.tool.empty() && is_fresh(request.body)) {
        response.body = call_of(speech.tool);
    } else {
        response.body =
            R"({"id":"c","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":")" +
            time_word() +
            R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110}})";
    }
    co_return response;
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("A model server that answers at once");
    ServerOptions options;
    options.port = 0;
    Speech speech;
    app.add_option("--port", options.port);
    app.add_option("--words", speech.words, "of a streamed answer");
    app.add_option("--tool", speech.tool, "that each message of a user is answered with a call of, by a=1 and b=2");
    CLI11_PARSE(app, argument_count, arguments);
    boost::asio::io_context context(1);
    Server server(options, {&context}, {[speech](HttpRequest& request) { return answer(request, speech); }});
    server.start();
    std::printf("%d\n", server.port());
    std::fflush(stdout);
    context.run();
}
