#include "llm/offline_model.hpp"

#include "base/ids.hpp"
#include "llm/chat_answer.hpp"
#include "llm/chat_request.hpp"
#include "llm/offline_rules.hpp"
#include "llm/token_estimate.hpp"

namespace stele::llm {
namespace {

// The pieces in which `text` is streamed: words with the space behind them.
template <class Emit>
void in_words(std::string_view text, Emit emit) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size() - 1) + 1;
        emit(text.substr(0, end));
        text.remove_prefix(end);
    }
}

void stream(const ModelAnswer& answer, DeltaSink& sink) {
    in_words(answer.text, [&](std::string_view word) {
        Delta delta;
        delta.kind = Delta::Kind::text;
        delta.text = word;
        sink.on_delta(delta);
    });
    for (std::size_t i = 0; i < answer.tool_calls.size(); ++i) {
        const ToolCall& call = answer.tool_calls[i];
        Delta begin;
        begin.kind = Delta::Kind::tool_call;
        begin.index = i;
        begin.tool_call_id = call.id;
        begin.tool_name = call.name;
        sink.on_delta(begin);
        in_words(call.arguments, [&](std::string_view piece) {
            Delta more;
            more.kind = Delta::Kind::tool_arguments;
            more.index = i;
            more.tool_call_id = call.id;
            more.text = piece;
            sink.on_delta(more);
        });
    }
}

}  // namespace

std::string OfflineModel::request_json(const ModelRequest& request, bool stream) const {
    return encode_chat_request(request, Quirks{}, stream);
}

boost::asio::awaitable<ModelAnswer> OfflineModel::complete(ModelRequest request, DeltaSink* sink) {
    ModelAnswer answer = offline_answer(request);
    answer.id = "offline-" + random_hex(8);
    answer.model = "offline";
    for (ToolCall& call : answer.tool_calls) call.id = "call_" + random_hex(12);
    if (!answer.tool_calls.empty()) answer.finish = Finish::tool_calls;
    answer.request_json = request_json(request, sink != nullptr);
    Usage& usage = answer.usage.emplace();
    std::size_t written = answer.text.size();
    for (const ToolCall& call : answer.tool_calls) written += call.name.size() + call.arguments.size();
    usage.input = estimated_request_tokens(answer.request_json);
    usage.output = estimated_tokens(written);
    usage.total = *usage.input + *usage.output;
    usage.cached_input = usage.reasoning = 0;
    answer.response_json = chat_answer_json(answer);
    if (sink != nullptr) stream(answer, *sink);
    co_return answer;
}

}  // namespace stele::llm
