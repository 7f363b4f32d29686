#include "api/conversation_place.hpp"
#include "api/identity_query.hpp"
#include "api/images.hpp"
#include "api/message_answer.hpp"
#include "api/message_page.hpp"
#include "domain/conversation.hpp"
#include "runtime/runtime.hpp"

#include <algorithm>

// The messages of one conversation. What is said to it while it is busy is refused; /v1/agents/{agent_id}/messages
// queues instead.
namespace stele::api {
namespace {

MessageTarget target_of(const ConversationPlace& place) {
    MessageTarget target;
    target.agent_id = place.agent_id;
    target.conversation_id = place.conversation_id;
    target.refuse_if_busy = true;
    return target;
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode<ConversationMessageRequest>(request.body());
    const ConversationPlace place = co_await conversation_place(services, request, body.agent_id.optional());
    const bool stream = body.streaming.value_or(true);
    MessageTarget target = target_of(place);
    co_return co_await send_messages(services, request, std::move(target), std::move(body), stream);
}

awaitable<Response> list(Services& services, const Request& request) {
    const std::vector<std::string> types = wanted_types(request.query);
    const storage::Page page = page_of(request.query, {.limit = 100});
    const ConversationPlace place = co_await conversation_place(services, request, std::nullopt);
    std::optional<std::string> named = request.query.text("identity_id");
    std::optional<std::string> identity_id = co_await identity_filter(services, request, std::move(named));
    storage::MessageFilter filter;
    filter.agent_id = place.agent_id;
    filter.conversation_id = place.conversation_id;
    filter.group_id = request.query.text("group_id");
    filter.identity_id = std::move(identity_id);
    request.query.flag("include_err");  // failed messages are always shown; the switch has to be one all the same
    ViewOptions view;
    if (!types.empty()) view.include_types = &types;
    std::vector<Message> messages =
        co_await page_that_shows(services, request.organization_id, filter, in_time_order(page), view);
    co_await refresh_system(services, request.organization_id, place.agent_id, place.conversation_id, messages);
    std::vector<LettaMessage> shown = expand_all(messages, view);
    co_return answer(page.ascending ? shown : newest_first(std::move(shown)));
}

awaitable<Response> preview(Services& services, const Request& request) {
    auto body = decode<ConversationMessageRequest>(request.body());
    const ConversationPlace place = co_await conversation_place(services, request, body.agent_id.optional());
    const bool stream = body.streaming.value_or(true);
    MessageTarget target = target_of(place);
    co_await bring_images(services, request, body);
    const auto prepared =
        co_await services.runtime.prepare(turn_of(request, std::move(target), std::move(body), stream));
    co_return json_answer(prepared.json);
}

}  // namespace

std::span<const Route> conversation_message_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/conversations/{conversation_id}/messages", list, "conversations.messages.list", "",
         "LettaMessage[]", "agent_id, group_id, identity_id, include_err:boolean, include_return_message_types[]",
         Trait::paged},
        {Method::post, "/v1/conversations/{conversation_id}/messages", create, "conversations.messages.create",
         "ConversationMessageRequest", "LettaStreamingResponse"},
        {Method::post, "/v1/conversations/{conversation_id}/messages/preview-raw-payload", preview,
         "conversations.messages.preview", "ConversationMessageRequest", "application/json"},
    };
    return routes;
}

}  // namespace stele::api
