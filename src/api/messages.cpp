#include "api/identity_query.hpp"
#include "api/images.hpp"
#include "api/message_answer.hpp"
#include "api/message_page.hpp"
#include "api/run_answer.hpp"
#include "api/run_callback.hpp"
#include "api/tool_caller.hpp"
#include "runtime/runtime.hpp"
#include "storage/agent_repository.hpp"
#include "storage/message_repository.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace stele::api {

runtime::TurnRequest turn_of(const Request& request, MessageTarget target, MessageRequest body, bool stream) {
    runtime::TurnRequest turn;
    turn.organization_id = request.organization_id;
    turn.user_id = request.user_id;
    turn.agent_id = std::move(target.agent_id);
    turn.conversation_id = std::move(target.conversation_id);
    turn.stream_tokens = stream && body.stream_tokens;
    turn.background = stream && body.background;
    turn.run_type = stream ? "send_message_streaming" : "send_message";
    turn.idempotency_key = request.idempotency_key;
    turn.request_id = request.request_id;
    turn.refuse_if_busy = target.refuse_if_busy;
    turn.body = std::move(body);
    return turn;
}

namespace {

// The run that stored this very request before: clients that send an otid may repeat it after a lost answer.
awaitable<std::optional<std::string>> earlier_run(const Services& services, std::string agent_id,
                                                  const MessageRequest& body) {
    if (!body.messages.has_value()) co_return std::nullopt;
    for (const InputMessage& message : *body.messages) {
        if (!message.otid.has_value()) continue;
        std::optional<std::string> run_id = co_await services.messages.run_of_otid(agent_id, *message.otid);
        if (run_id) co_return run_id;
    }
    co_return std::nullopt;
}

}  // namespace

awaitable<Response> send_messages(Services& services, const Request& request, MessageTarget target, MessageRequest body,
                                  bool stream) {
    will_wait(services, request, target.agent_id, target.conversation_id);
    auto before = co_await earlier_run(services, target.agent_id, body);
    if (before) co_return co_await repeat_run(services, request, std::move(*before));
    co_await bring_images(services, request, body);
    StreamOptions options;
    options.include_pings = body.include_pings;
    options.background = stream && body.background;
    auto log = co_await services.runtime.start(turn_of(request, std::move(target), std::move(body), stream));
    if (stream) co_return stream_answer(std::move(log), options);
    co_return co_await blocking_answer(std::move(log));
}

std::vector<std::string> wanted_types(const Query& query) {
    std::vector<std::string> types = query.list("include_return_message_types");
    for (const std::string& type : types)
        if (!is_returned_type(type))
            throw invalid_field("query.include_return_message_types", "holds an unknown message type: " + type);
    return types;
}

awaitable<void> refresh_system(Services& services, std::string organization_id, std::string agent_id,
                               std::string conversation_id, std::vector<Message>& messages) {
    const auto shown = std::find_if(messages.begin(), messages.end(), [&](const Message& message) {
        return message.role == MessageRole::system && message.context_position &&
               message.conversation_id == conversation_id;
    });
    if (shown == messages.end()) co_return;
    auto loaded = co_await services.runtime.load_refreshed(std::move(organization_id), std::move(agent_id),
                                                           std::move(conversation_id));
    if (!loaded) co_return;
    for (Message& message : loaded->messages)
        if (message.id == shown->id) shown->content = std::move(message.content);
}

namespace {

// The run as it was made, whatever has become of it since.
Run as_made(Run run) {
    run.status = RunStatus::created;
    run.completed_at.reset();
    run.stop_reason.reset();
    run.ttft_ns.reset();
    run.total_duration_ns.reset();
    run.updated_at = run.created_at;
    return run;
}

awaitable<Response> create_async(Services& services, const Request& request) {
    auto body = decode<MessageRequest>(request.body());
    check_callback_url(body.callback_url);
    MessageTarget target;
    target.agent_id = request.path_id("agent_id", "agent");
    const auto before = co_await earlier_run(services, target.agent_id, body);
    if (before) {
        const Run same = co_await find_run(services, request.organization_id, *before);
        co_return answer(same);
    }
    co_await bring_images(services, request, body);
    runtime::TurnRequest turn = turn_of(request, std::move(target), std::move(body), false);
    turn.background = true;
    turn.run_type = async_run_type;
    turn.idempotency_key.reset();  // what is kept for the key is this answer, not that of the run
    const bool calls_back = turn.body.callback_url.has_value();
    const auto log = co_await services.runtime.start(std::move(turn));
    const auto executor = co_await boost::asio::this_coro::executor;
    if (calls_back)
        boost::asio::co_spawn(executor, send_callback(services, request.organization_id, log->run_id()),
                              boost::asio::detached);
    co_return answer(as_made(log->run()));
}

awaitable<Response> send(Services& services, const Request& request, bool stream) {
    auto body = decode<MessageRequest>(request.body());
    // Clients of generation 1 have no such member: one that sends it would not understand the stream.
    if (!stream && !request.generation_2 && body.streaming.value_or(false))
        throw invalid_field("body.streaming", "needs a client of generation 1.x; use the path .../messages/stream");
    stream = stream || body.streaming.value_or(false);
    MessageTarget target;
    target.agent_id = request.path_id("agent_id", "agent");
    co_return co_await send_messages(services, request, std::move(target), std::move(body), stream);
}

awaitable<Response> create(Services& services, const Request& request) { return send(services, request, false); }
awaitable<Response> create_stream(Services& services, const Request& request) { return send(services, request, true); }

awaitable<Response> list(Services& services, const Request& request) {
    const std::string agent_id = request.path_id("agent_id", "agent");
    const std::vector<std::string> types = wanted_types(request.query);
    const storage::Page page = page_of(request.query, {.limit = 100});
    std::optional<std::string> named = request.query.text("identity_id");
    std::optional<std::string> identity_id = co_await identity_filter(services, request, std::move(named));
    storage::MessageFilter filter;
    filter.agent_id = agent_id;
    filter.group_id = request.query.text("group_id");
    filter.identity_id = std::move(identity_id);
    filter.conversation_id = request.query.text("conversation_id");
    if (filter.conversation_id) filter.conversation_id = stored_conversation_id(*filter.conversation_id);

    const auto agent = co_await services.agents.find(request.organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    ViewOptions view = view_of(agent->agent_type);
    request.query.flag("include_err");  // failed messages are always shown; the switch has to be one all the same
    view.use_assistant_message = request.query.flag("use_assistant_message").value_or(true);
    view.assistant_message_tool_name =
        request.query.text("assistant_message_tool_name").value_or(view.assistant_message_tool_name);
    view.assistant_message_tool_kwarg =
        request.query.text("assistant_message_tool_kwarg").value_or(view.assistant_message_tool_kwarg);
    if (!types.empty()) view.include_types = &types;
    std::vector<Message> messages = co_await page_that_shows(services, request.organization_id, filter, page, view);
    co_await refresh_system(services, request.organization_id, agent_id, filter.conversation_id.value_or(""), messages);
    co_return co_await message_list(std::move(messages), view);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = request.path_id("message_id", "message");
    const auto message = co_await services.messages.find(request.organization_id, id);
    if (!message) throw not_found("Message", id);
    const auto agent = co_await services.agents.find(request.organization_id, message->agent_id);
    std::vector<LettaMessage> parts = expand(*message, view_of(agent ? agent->agent_type : AgentType::letta_v1_agent));
    std::reverse(parts.begin(), parts.end());
    co_return answer(parts);
}

awaitable<Response> list_all(Services& services, const Request& request) {
    const std::vector<std::string> types = wanted_types(request.query);
    const storage::Page page = page_of(request.query, {.limit = 100});
    std::optional<std::string> named = request.query.text("identity_id");
    std::optional<std::string> identity_id = co_await identity_filter(services, request, std::move(named));
    storage::MessageFilter filter;
    filter.identity_id = std::move(identity_id);
    filter.conversation_id = request.query.text("conversation_id");
    if (filter.conversation_id) filter.conversation_id = stored_conversation_id(*filter.conversation_id);
    ViewOptions view;
    if (!types.empty()) view.include_types = &types;
    std::vector<Message> messages = co_await page_that_shows(services, request.organization_id, filter, page, view);
    co_return co_await message_list(std::move(messages), view);
}

}  // namespace

std::span<const Route> message_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/agents/{agent_id}/messages", list, "agents.messages.list", "", "LettaMessage[]",
         "group_id, conversation_id, identity_id, use_assistant_message:boolean, assistant_message_tool_name,"
         " assistant_message_tool_kwarg, include_err:boolean, include_return_message_types[]",
         Trait::paged},
        {Method::post, "/v1/agents/{agent_id}/messages", create, "agents.messages.create", "MessageRequest",
         "LettaResponse"},
        {Method::post, "/v1/agents/{agent_id}/messages/stream", create_stream, "agents.messages.stream",
         "MessageRequest", "LettaStreamingResponse"},
        {Method::post, "/v1/agents/{agent_id}/messages/async", create_async, "agents.messages.create_async",
         "MessageRequest", "Run"},
        {Method::get, "/v1/messages", list_all, "messages.list", "", "LettaMessage[]",
         "conversation_id, identity_id, include_return_message_types[]", Trait::paged},
        {Method::get, "/v1/messages/{message_id}", retrieve, "messages.retrieve", "", "LettaMessage[]"},
    };
    return routes;
}

}  // namespace stele::api
