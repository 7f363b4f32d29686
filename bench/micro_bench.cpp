// What the hot path does in memory: turns from messages, the request's bytes, deltas from a stream, answers as JSON.
#include "domain/message_view.hpp"
#include "llm/chat_answer.hpp"
#include "llm/chat_request.hpp"
#include "runtime/model_turns.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace stele;

std::vector<Message> history(int count) {
    std::vector<Message> messages;
    for (int i = 0; i < count; ++i) {
        Message message;
        message.id = "message-00000000-0000-4000-8000-000000000000";
        message.role = i == 0 ? MessageRole::system : i % 2 == 1 ? MessageRole::user : MessageRole::assistant;
        message.content.push_back(text_part(std::string(i == 0 ? 3'000 : 200, 'x')));
        messages.push_back(std::move(message));
    }
    return messages;
}

void turns_and_request(benchmark::State& state) {
    const std::vector<Message> messages = history(static_cast<int>(state.range(0)));
    for (auto _ : state) {
        llm::ModelRequest request;
        request.model = "m";
        request.turns = runtime::make_turns(messages, {});
        benchmark::DoNotOptimize(llm::encode_chat_request(request, {}, false));
    }
}
BENCHMARK(turns_and_request)->Arg(10)->Arg(100);

void stream_of_words(benchmark::State& state) {
    std::string stream;
    for (int i = 0; i < 100; ++i)
        stream +=
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word "
            "\"},\"finish_reason\":null}]}\n\n";
    for (auto _ : state) {
        llm::ChatStreamDecoder decoder;
        std::vector<llm::Delta> deltas;
        benchmark::DoNotOptimize(decoder.feed(stream, deltas));
    }
}
BENCHMARK(stream_of_words);

void messages_as_json(benchmark::State& state) {
    const std::vector<Message> messages = history(100);
    for (auto _ : state) benchmark::DoNotOptimize(to_json_array(expand_all(messages, {})));
}
BENCHMARK(messages_as_json);

}  // namespace
