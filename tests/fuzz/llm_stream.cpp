// Any bytes as a model's stream, answer, error or listing: no crash, and cut anywhere a stream gives the same answer.
#include "llm/anthropic_models.hpp"
#include "llm/chat_answer.hpp"
#include "llm/model_failure.hpp"
#include "llm/model_listing.hpp"
#include "llm/refusals.hpp"

#include <cstdlib>

using namespace stele::llm;

namespace {

// Without the ids: those that the server left out are made at random.
std::string told(ModelAnswer answer) {
    std::string text = answer.text + "\n" + answer.reasoning;
    for (const ToolCall& call : answer.tool_calls) text += "\n" + call.name + " " + call.arguments;
    return text;
}

void try_stream(std::string_view bytes) {
    ChatStreamDecoder one, many;
    std::vector<Delta> whole, pieces;
    const bool read = one.feed(bytes, whole).has_value();
    bool all = true;
    for (std::size_t at = 0; at < bytes.size() && all; at += 5)
        all = many.feed(bytes.substr(at, 5), pieces).has_value();
    if (!read || !all || !one.error_body().empty()) return;
    if (whole.size() != pieces.size() || one.complete() != many.complete()) std::abort();
    const ModelAnswer answer = one.finish();
    for (std::size_t i = 0; i < answer.tool_calls.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (answer.tool_calls[i].id == answer.tool_calls[j].id) std::abort();
    if (told(answer) != told(many.finish())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try_stream(bytes);
    if (auto answer = read_chat_answer(bytes)) chat_answer_json(*answer);
    is_error_body(bytes);
    failure_within_answer(bytes, "m", "h");
    read_model_list(bytes);
    read_anthropic_models(bytes);
    if (const auto names = read_ollama_tags(bytes); names && !names->empty()) read_ollama_model(names->front(), bytes);
    Refusals refusals;
    if (learn(refusals, 400, bytes)) without(refusals, R"({"model":"m","stream":true,"tool_choice":{}})");
    return 0;
}
