#include "llm/openai_chat.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "llm/chat_answer.hpp"
#include "llm/chat_request.hpp"
#include "llm/model_failure.hpp"
#include "net/url.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::llm {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::size_t error_body_bytes_max = 64u << 10;
constexpr std::size_t answer_bytes_max = 64u << 20;

// A failure of the connection in the terms of a model call.
Error connection_failure(const Error& error, const std::string& model) {
    if (error.code == ErrorCode::cancelled) return error;
    const char* type = error.code == ErrorCode::timed_out ? "llm_timeout" : "llm_connection";
    return model_failure(type, "The model '" + model + "' could not be asked: " + error.what());
}

awaitable<std::string> read_body(net::ClientStream& stream, std::size_t bytes_max) {
    std::string body;
    for (;;) {
        const std::string piece = co_await stream.read();
        if (piece.empty()) break;
        body += piece;
        if (body.size() > bytes_max) break;
    }
    co_return body;
}

double jitter() { return static_cast<double>(std::stoul(random_hex(2), nullptr, 16)) / 65'536.0; }

}  // namespace

std::string base_url_of(std::string_view text) {
    while (!text.empty() && text.back() == '/') text.remove_suffix(1);
    constexpr std::string_view method = "/chat/completions";
    if (text.ends_with(method)) text.remove_suffix(method.size());
    const std::size_t authority = text.find("://");
    const bool has_path =
        authority != std::string_view::npos && text.find('/', authority + 3) != std::string_view::npos;
    return std::string(text) + (has_path ? "" : "/v1");
}

/// One complete() while it lasts.
struct OpenAiChat::Call {
    std::string model;
    std::string body;
    DeltaSink* sink = nullptr;
    bool delta_sent = false;
};

OpenAiChat::OpenAiChat(net::HttpClient& client, ChatEndpoint endpoint)
    : client_(client), endpoint_(std::move(endpoint)) {
    const auto url = net::parse_url(endpoint_.base_url);
    host_ = url ? url->host : endpoint_.base_url;
    endpoint_.quirks.official_openai = host_ == "api.openai.com";
}

awaitable<ModelAnswer> OpenAiChat::complete(ModelRequest request, DeltaSink* sink) {
    Call call;
    call.model = request.model;
    call.body = encode_chat_request(request, endpoint_.quirks, sink != nullptr);
    call.sink = sink;
    request = {};  // the history may be long and the model slow: only the encoded body stays in memory
    for (int number = 1;; ++number) {
        std::optional<Error> failure;
        try {
            ModelAnswer answer = co_await attempt(call);
            answer.request_json = std::move(call.body);
            co_return answer;
        } catch (const Error& error) {
            failure = error.code == ErrorCode::model_failed ? error : connection_failure(error, call.model);
        }
        // What a reader has seen can't be taken back: after the first delta there is no second attempt.
        const auto wait = call.delta_sent || failure->code == ErrorCode::cancelled
                              ? std::nullopt
                              : next_attempt(*failure, number, endpoint_.attempts_max, jitter());
        if (!wait) throw std::move(*failure);
        log::warn("model.retry",
                  {{"model", call.model}, {"host", host_}, {"type", failure->type}, {"wait_ms", wait->count()}});
        asio::steady_timer timer(co_await asio::this_coro::executor, *wait);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

awaitable<ModelAnswer> OpenAiChat::attempt(Call& call) {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = endpoint_.base_url + "/chat/completions";
    request.headers.add("Content-Type", "application/json");
    request.headers.add("Accept", call.sink != nullptr ? "text/event-stream" : "application/json");
    if (!endpoint_.key.empty())
        request.headers.add("Authorization", endpoint_.key_scheme + " " + endpoint_.key.reveal());
    request.body = call.body;
    request.connect_timeout = endpoint_.connect_timeout;
    request.head_timeout = request.idle_timeout = endpoint_.silence_timeout;
    request.total_timeout = endpoint_.total_timeout;
    std::unique_ptr<net::ClientStream> stream = co_await client_.open(std::move(request));

    if (stream->status() < 200 || stream->status() >= 300) {
        const auto wait =
            parse_retry_after(stream->headers().find("retry-after"), stream->headers().find("retry-after-ms"));
        const int status = stream->status();
        const std::string body = co_await read_body(*stream, error_body_bytes_max);
        throw failure_of_answer(status, body, wait, call.model, host_);
    }
    // Some servers stream although nobody asked, others answer whole although a stream was asked for.
    const std::string* type = stream->headers().find("Content-Type");
    if (type != nullptr && type->find("event-stream") != std::string::npos)
        co_return co_await read_stream(call, *stream);

    const std::string body = co_await read_body(*stream, answer_bytes_max);
    auto answer = read_chat_answer(body);
    if (!answer)
        throw model_failure("llm_error", "The model '" + call.model + "' at " + host_ +
                                             " answered with no chat completion: " + message_of_error_body(body));
    if (answer->text.empty() && answer->tool_calls.empty())
        throw model_failure("llm_empty_response",
                            "The model '" + call.model + "' at " + host_ + " answered with nothing");
    co_return std::move(*answer);
}

awaitable<ModelAnswer> OpenAiChat::read_stream(Call& call, net::ClientStream& stream) {
    ChatStreamDecoder decoder;
    std::vector<Delta> deltas;
    while (!decoder.done()) {
        const std::string bytes = co_await stream.read();
        if (bytes.empty()) break;
        const auto read = decoder.feed(bytes, deltas);
        if (call.sink != nullptr) {
            for (const Delta& delta : deltas) {
                call.delta_sent = true;
                call.sink->on_delta(delta);
            }
        }
        deltas.clear();
        if (!read)
            throw model_failure("llm_error",
                                "The model '" + call.model + "' at " + host_ + " sent a stream that can't be read");
        if (!decoder.error_body().empty())
            throw failure_of_answer(500, decoder.error_body(), std::nullopt, call.model, host_);
    }
    if (!decoder.complete())
        throw model_failure("llm_connection",
                            "The stream of the model '" + call.model + "' at " + host_ + " broke off");
    ModelAnswer answer = decoder.finish();
    if (answer.text.empty() && answer.tool_calls.empty())
        throw model_failure("llm_empty_response",
                            "The model '" + call.model + "' at " + host_ + " answered with nothing");
    co_return answer;
}

}  // namespace stele::llm
