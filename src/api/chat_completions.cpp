#include "api/chat_frames.hpp"
#include "api/error_response.hpp"
#include "api/images.hpp"
#include "api/message_answer.hpp"
#include "api/tool_caller.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"

#include <boost/asio/this_coro.hpp>

// OpenAI's door to the same loop: an agent's id is the model. The agent remembers, so of the messages only the last one
// of the user counts; `created`, ids and finish_reason are as clients of that API expect.
namespace stele::api {
namespace {

constexpr auto keep_alive_interval = std::chrono::seconds(20);

awaitable<void> follow(std::shared_ptr<runtime::RunLog> log, ChatFrames frames, net::BodyWriter& writer) {
    runtime::RunReader reader(log, co_await boost::asio::this_coro::executor);
    writer.on_close([&reader] { reader.wake(); });
    for (bool over = false; !over;) {
        const std::vector<runtime::RunLog::Event> fresh = co_await reader.read(keep_alive_interval);
        if (writer.closed()) co_return;
        for (const auto& event : fresh) frames.message(event.message());
        over = reader.at_end() || writer.ending();
        if (reader.at_end())
            frames.end(*log->ended());
        else if (writer.ending())
            frames.interrupted();
        else if (fresh.empty())
            frames.keep_alive();
        if (!frames.empty()) co_await writer.write(frames.take());
    }
}

Response stream_of(std::shared_ptr<runtime::RunLog> log, std::string model, bool include_usage) {
    Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers.add("Cache-Control", "no-cache");
    response.headers.add("X-Accel-Buffering", "no");
    ChatFrames frames(log->run_id(), std::move(model), include_usage);
    response.producer = [log = std::move(log), frames = std::move(frames)](net::BodyWriter& writer) {
        return follow(log, frames, writer);
    };
    return response;
}

awaitable<Response> complete(Services& services, const Request& request, std::string agent_id,
                             ChatCompletionRequest body) {
    MessageRequest message;
    message.input = last_user_content(body);
    co_await bring_images(services, request, message);
    const bool stream = body.stream.value_or(false);
    message.stream_tokens = stream;
    if (stream && request.idempotency_key)
        throw invalid_field("header.Idempotency-Key", "can't be taken together with stream");
    const auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    will_wait(services, request, agent_id);
    MessageTarget target;
    target.agent_id = std::move(agent_id);
    runtime::TurnRequest turn = turn_of(request, std::move(target), std::move(message), stream);
    turn.parameters = model_parameters(body);
    turn.idempotency_key.reset();  // dispatch keeps the whole answer, which is in no run's form
    auto log = co_await services.runtime.start(std::move(turn));
    const bool include_usage = stream && body.stream_options.value_or(ChatStreamOptions{}).include_usage;
    if (stream) co_return stream_of(std::move(log), agent->llm_config.model, include_usage);
    runtime::RunEnd end = co_await runtime::wait_for_end(log);
    if (end.failure) throw std::move(*end.failure);
    const ChatCompletion whole = ChatFrames::whole(*log, end, agent->llm_config.model);
    co_return answer(whole);
}

// The status and headers that every other route gives, with `error` as OpenAI's clients read it in front.
Response refusal(const Error& error, const std::string& request_id) {
    Response response = error_response(error, request_id);
    if (is_about_parameters(error)) response.status = 400;  // OpenAI's own: its clients hand such values through
    const std::string told = "{\"error\":" + to_json(chat_error(error));
    response.body = error.code == ErrorCode::model_failed ? told + ",\"detail\":" + json_string(error.what()) + "}"
                                                          : told + "," + response.body.substr(1);
    return response;
}

// `streams`: where the request doesn't say.
awaitable<Response> in_its_shape(Services& services, const Request& request, std::optional<std::string> agent_id,
                                 bool streams) {
    std::optional<Error> failure;
    try {
        auto body = decode<ChatCompletionRequest>(request.body());
        if (!agent_id && body.model.empty()) throw invalid_field("body.model", "is required: the id of an agent");
        if (!agent_id) agent_id = body.model;
        if (!body.stream.has_value()) body.stream = streams;
        if (!is_id(*agent_id, "agent")) throw refused("model: must be the id of an agent, 'agent-{uuid4}'");
        co_return co_await complete(services, request, std::move(*agent_id), std::move(body));
    } catch (const Error& error) {
        failure = error;
    }
    co_return refusal(*failure, request.request_id);
}

awaitable<Response> create(Services& services, const Request& request) {
    co_return co_await in_its_shape(services, request, std::nullopt, false);
}

awaitable<Response> create_for_agent(Services& services, const Request& request) {
    co_return co_await in_its_shape(services, request, request.path_id("agent_id", "agent"), false);
}

// Front ends that turn speech into text and back: they speak a word as soon as it is there.
awaitable<Response> create_voice(Services& services, const Request& request) {
    co_return co_await in_its_shape(services, request, request.path_id("agent_id", "agent"), true);
}

awaitable<Response> create_voice_by_model(Services& services, const Request& request) {
    co_return co_await in_its_shape(services, request, request.query.text("agent_id"), true);
}

}  // namespace

std::span<const Route> chat_completion_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/chat/completions", create, "chat.completions.create", "ChatCompletionRequest",
         "ChatCompletion"},
        {Method::post, "/openai/v1/{agent_id}/chat/completions", create_for_agent, "chat.completions.create_for_agent",
         "ChatCompletionRequest", "ChatCompletion"},
        {Method::post, "/v1/voice-beta/{agent_id}/chat/completions", create_voice,
         "voice.create_voice_chat_completions", "ChatCompletionRequest", "ChatCompletion"},
        {Method::post, "/v1/voice/chat/completions", create_voice_by_model, "voice.chat_completions",
         "ChatCompletionRequest", "ChatCompletion", "agent_id"},
    };
    return routes;
}

}  // namespace stele::api
