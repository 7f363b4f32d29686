// A chat-completions server that answers at once with canned text: 20 bytes of head-room for the server under test.
// The first word of every answer is the time at which it left, in nanoseconds of the steady clock, so that the load
// driver on the same machine can tell what the server between them costs.
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

awaitable<void> write_stream(int words, BodyWriter& writer) {
    co_await writer.write(chunk(time_word(), "null"));
    for (int i = 1; i < words; ++i) co_await writer.write(chunk("word ", "null"));
    co_await writer.write(chunk("", "\"stop\"") +
                          "data: "
                          "{\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":10,"
                          "\"total_tokens\":110}}\n\n"
                          "data: [DONE]\n\n");
}

awaitable<HttpResponse> answer(HttpRequest& request, int words) {
    HttpResponse response;
    if (request.path == "/v1/models") {
        response.body = R"({"object":"list","data":[{"id":"mock","object":"model","max_model_len":32000}]})";
    } else if (request.body.find("\"stream\":true") != std::string::npos) {
        response.content_type = "text/event-stream";
        response.producer = [words](BodyWriter& writer) { return write_stream(words, writer); };
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
    int words = 10;
    app.add_option("--port", options.port);
    app.add_option("--words", words, "of a streamed answer");
    CLI11_PARSE(app, argument_count, arguments);
    boost::asio::io_context context(1);
    Server server(options, {&context}, {[words](HttpRequest& request) { return answer(request, words); }});
    server.start();
    std::printf("%d\n", server.port());
    std::fflush(stdout);
    context.run();
}
