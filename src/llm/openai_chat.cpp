#include "llm/openai_chat.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "llm/chat_answer.hpp"
#include "llm/chat_request.hpp"
#include "llm/model_failure.hpp"
#include "llm/openai_batches.hpp"
#include "net/url.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::llm {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::size_t error_body_bytes_max = 64u << 10;
constexpr std::size_t answer_bytes_max = 64u << 20;
constexpr std::size_t refusing_models_max = 1'000;

// A failure of the connection in the terms of a model call.
Error connection_failure(const Error& error, const std::string& model) {
    if (error.code == ErrorCode::cancelled) return error;
    const bool timed_out = error.code == ErrorCode::timed_out;
    Error failure = model_failure(timed_out ? "llm_timeout" : "llm_connection",
                                  "The model '" + model + "' could not be asked: " + error.what());
    failure.final = timed_out || error.final;  // the whole patience has been used up: as much again would help nobody
    return failure;
}

// An answer of nothing, and what the server said of why.
Error empty_answer(const ModelAnswer& answer, const std::string& model, const std::string& host) {
    const char* why = answer.finish == Finish::length           ? ": all its output tokens went into reasoning"
                      : answer.finish == Finish::content_filter ? ": a content filter has withheld the answer"
                      : !answer.reasoning.empty()               ? " but reasoning"
                                                                : "";
    return model_failure("llm_empty_response", "The model '" + model + "' at " + host + " answered with nothing" + why);
}

Error redirected(int status, const std::string* location, const std::string& host) {
    Error error = model_failure("llm_error", "The server " + host + " answered with a redirect (status " +
                                                 std::to_string(status) + ") to " +
                                                 (location == nullptr ? "nowhere" : location->substr(0, 200)) +
                                                 ": set the provider's base URL to where its API is");
    error.final = true;
    return error;
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

std::string base_url_of(std::string_view text, bool below_v1) {
    constexpr std::string_view blanks = " \t\r\n";
    while (!text.empty() && blanks.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
    while (!text.empty() && (text.back() == '/' || blanks.find(text.back()) != std::string_view::npos))
        text.remove_suffix(1);
    constexpr std::string_view method = "/chat/completions";
    if (text.ends_with(method)) text.remove_suffix(method.size());
    std::string url(text);
    if (url.find("://") == std::string::npos) url.insert(0, "http://");
    const std::size_t path = url.find('/', url.find("://") + 3);
    const std::string_view last = std::string_view(url).substr(url.rfind('/') + 1);
    const bool versioned = last.size() >= 2 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9';
    if (path == std::string::npos || (below_v1 && !versioned)) url += "/v1";
    return url;
}

/// One complete() while it lasts.
struct OpenAiChat::Call {
    std::string model;
    std::string body;
    DeltaSink* sink = nullptr;
    bool delta_sent = false;
    int refusal_status = 0;  ///< of the last attempt, with the answer's body; 0 if it was not refused
    std::string refusal_body;
    Refusals refusals;  ///< what the body leaves out
    bool learnt = false;
};

OpenAiChat::OpenAiChat(net::HttpClient& client, ChatEndpoint endpoint)
    : client_(client), endpoint_(std::move(endpoint)) {
    const auto url = net::parse_url(endpoint_.base_url);
    host_ = url ? url->host : endpoint_.base_url;
    endpoint_.quirks.official_openai = host_ == "api.openai.com";
    if (endpoint_.batches) batches_ = std::make_unique<OpenAiBatches>(client_, endpoint_);
    if (host_.ends_with(".deepseek.com")) endpoint_.quirks.reasoning_back = true;  // given as an OpenAI base URL
}

Refusals OpenAiChat::known_refusals(const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const auto known = refusals_.find(model);
    return known == refusals_.end() ? Refusals() : known->second;
}

// True if the server has said which part of the request it refuses, and the request can do without.
bool OpenAiChat::weaken(Call& call) const {
    Refusals refusals = call.refusals;
    if (!learn(refusals, call.refusal_status, call.refusal_body)) return false;
    std::string weaker = without(refusals, call.body);
    if (weaker == call.body) return false;
    log::info("model.request_weakened", {{"model", call.model}, {"host", host_}, {"status", call.refusal_status}});
    call.refusals = std::move(refusals);
    call.body = std::move(weaker);
    call.learnt = true;
    return true;
}

// Only what has led to an answer is kept: a guess that did not help may have been wrong.
void OpenAiChat::remember_refusals(Call& call) {
    if (!call.learnt) return;
    forget_passing(call.refusals);
    const std::lock_guard lock(mutex_);
    if (refusals_.size() < refusing_models_max || refusals_.contains(call.model))
        refusals_[call.model] = std::move(call.refusals);
}

std::string OpenAiChat::request_json(const ModelRequest& request, bool stream) const {
    const Refusals refusals = known_refusals(request.model);
    std::string body = encode_chat_request(request, endpoint_.quirks, stream);
    return refusals.empty() ? body : without(refusals, body);
}

awaitable<ModelAnswer> OpenAiChat::complete(ModelRequest request, DeltaSink* sink) {
    Call call;
    call.model = request.model;
    call.body = request_json(request, sink != nullptr);
    call.refusals = known_refusals(call.model);
    call.sink = sink;
    request = {};  // the history may be long and the model slow: only the encoded body stays in memory
    for (int number = 1;;) {
        std::optional<Error> failure;
        call.refusal_status = 0;
        try {
            ModelAnswer answer = co_await attempt(call);
            remember_refusals(call);
            answer.request_json = std::move(call.body);
            co_return answer;
        } catch (const Error& error) {
            failure = error.code == ErrorCode::model_failed ? error : connection_failure(error, call.model);
        }
        if (call.refusal_status != 0 && failure->type != "llm_context_overflow" && weaken(call)) continue;
        // What a reader has seen can't be taken back: after the first delta there is no second attempt.
        const auto wait = call.delta_sent || failure->code == ErrorCode::cancelled
                              ? std::nullopt
                              : next_attempt(*failure, number, endpoint_.attempts_max, jitter());
        if (!wait) throw std::move(*failure);
        log::warn("model.retry",
                  {{"model", call.model}, {"host", host_}, {"type", failure->type}, {"wait_ms", wait->count()}});
        asio::steady_timer timer(co_await asio::this_coro::executor, *wait);
        const auto [interrupted] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (interrupted) throw Error(ErrorCode::cancelled, "The request was cancelled");
        ++number;
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
    request.borrowed_body = call.body;
    request.connect_timeout = endpoint_.connect_timeout;
    request.head_timeout = request.idle_timeout =
        call.sink != nullptr ? endpoint_.silence_timeout : endpoint_.answer_timeout;
    request.total_timeout = call.sink != nullptr ? endpoint_.total_timeout : endpoint_.answer_timeout;
    std::unique_ptr<net::ClientStream> stream = co_await client_.open(std::move(request));

    if (stream->status() >= 300 && stream->status() < 400)
        throw redirected(stream->status(), stream->headers().find("Location"), host_);
    if (stream->status() < 200 || stream->status() >= 300) {
        const net::Headers headers = stream->headers();
        const auto wait = parse_retry_after(headers.find("retry-after"), headers.find("retry-after-ms"), now());
        const std::string* repeat = headers.find("x-should-retry");
        call.refusal_status = stream->status();
        call.refusal_body = co_await read_body(*stream, error_body_bytes_max);
        Error failure = failure_of_answer(call.refusal_status, call.refusal_body, wait, call.model, host_);
        if (repeat != nullptr) failure.final = failure.final || *repeat == "false";
        throw failure;
    }
    // Some servers stream although nobody asked, others answer whole although a stream was asked for.
    const std::string* type = stream->headers().find("Content-Type");
    if (type != nullptr && type->find("event-stream") != std::string::npos)
        co_return co_await read_stream(call, *stream);

    const std::string body = co_await read_body(*stream, answer_bytes_max);
    co_return whole_answer(body, call.model);
}

ModelAnswer OpenAiChat::read_answer(std::string_view body) const { return whole_answer(body, "of a batch"); }

ModelAnswer OpenAiChat::whole_answer(std::string_view body, const std::string& model) const {
    auto answer = read_chat_answer(body);
    if (!answer && is_error_body(body)) throw failure_within_answer(body, model, host_);
    if (!answer)
        throw model_failure("llm_error", "The model '" + model + "' at " + host_ +
                                             " answered with no chat completion: " + message_of_error_body(body));
    if (answer->text.empty() && answer->tool_calls.empty()) throw empty_answer(*answer, model, host_);
    return std::move(*answer);
}

awaitable<ModelAnswer> OpenAiChat::read_stream(Call& call, net::ClientStream& stream) {
    ChatStreamDecoder decoder;
    std::vector<Delta> deltas;
    while (!decoder.done()) {
        std::string bytes;
        try {
            bytes = co_await stream.read();
        } catch (const Error& error) {  // broken behind the end of the answer: nothing is missing
            if (error.code == ErrorCode::cancelled || !decoder.complete()) throw;
        }
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
        if (!decoder.error_body().empty()) throw failure_within_answer(decoder.error_body(), call.model, host_);
    }
    if (!decoder.complete())
        throw model_failure("llm_connection",
                            "The stream of the model '" + call.model + "' at " + host_ + " broke off");
    ModelAnswer answer = decoder.finish();
    if (answer.text.empty() && answer.tool_calls.empty()) throw empty_answer(answer, call.model, host_);
    co_return answer;
}

}  // namespace stele::llm
