#include "api/conversation_place.hpp"
#include "api/terminal_services.hpp"
#include "api/tool_caller.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "domain/conversation.hpp"
#include "runtime/conversation_service.hpp"
#include "runtime/ephemeral_conversations.hpp"
#include "runtime/runtime.hpp"
#include "storage/conversation_repository.hpp"

namespace stele::api {
namespace {

std::string agent_of_query(const Request& request) {
    const auto agent_id = request.query.text("agent_id");
    if (!agent_id) throw invalid_field("query.agent_id", "is required");
    if (!is_id(*agent_id, "agent")) throw invalid_field("query.agent_id", "must match 'agent-{uuid4}'");
    return *agent_id;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of(request.query, {.order_by = {"created_at", "last_run_completion", "last_message_at"}});
    storage::ConversationFilter filter;
    filter.agent_id = request.query.text("agent_id");
    filter.summary_search = request.query.text("summary_search");
    const std::string archive_status = request.query.text("archive_status").value_or("unarchived");
    if (archive_status != "all") filter.archived = archive_status == "archived";
    if (archive_status != "all" && archive_status != "archived" && archive_status != "unarchived")
        throw invalid_field("query.archive_status", "must be unarchived, archived or all");
    const std::vector<Conversation> found =
        co_await services.conversations.list(request.organization_id, std::move(filter), std::move(page));
    co_return answer(found);
}

awaitable<Response> create(Services& services, const Request& request) {
    auto body = decode_optional<CreateConversation>(request);
    const std::string agent_id = agent_of_query(request);
    const Conversation made = co_await services.conversation_service.create(
        request.organization_id, request.user_id, agent_id, std::move(body), request.idempotency_key);
    co_return answer(made);
}

awaitable<Response> retrieve(Services& services, const Request& request) {
    const std::string id = request.path_id("conversation_id", "conv");
    const Conversation found = co_await services.conversation_service.get(request.organization_id, id);
    co_return answer(found);
}

awaitable<Response> update(Services& services, const Request& request) {
    const std::string id = request.path_id("conversation_id", "conv");
    auto change = decode<UpdateConversation>(request.body());
    const Conversation changed =
        co_await services.conversation_service.update(request.organization_id, request.user_id, id, std::move(change));
    co_return answer(changed);
}

awaitable<Response> remove(Services& services, const Request& request) {
    const std::string id = request.path_id("conversation_id", "conv");
    will_wait(services, request, {}, id);
    co_await services.terminal.ephemeral.remove(request.organization_id, id);
    co_return json_answer("null");
}

awaitable<Response> fork(Services& services, const Request& request) {
    const ConversationPlace place = co_await conversation_place(services, request, std::nullopt);
    runtime::ForkRequest wanted;
    wanted.agent_id = place.agent_id;
    wanted.source = place.conversation_id;
    wanted.hidden = request.query.flag("hidden").value_or(false);
    wanted.message_id = request.query.text("message_id");
    if (wanted.message_id && !is_id(*wanted.message_id, "message"))
        throw invalid_field("query.message_id", "must match 'message-{uuid4}'");
    const Conversation made = co_await services.conversation_service.fork(request.organization_id, request.user_id,
                                                                          std::move(wanted), request.idempotency_key);
    co_return answer(made);
}

awaitable<Response> recompile(Services& services, const Request& request) {
    const auto body = decode_optional<ConversationCompactionRequest>(request);
    const ConversationPlace place = co_await conversation_place(services, request, body.agent_id.optional());
    const bool dry_run = request.query.flag("dry_run").value_or(false);
    const bool update_timestamp = request.query.flag("update_timestamp").value_or(false);
    const std::string text = co_await services.runtime.recompile(request.organization_id, place.agent_id,
                                                                 place.conversation_id, update_timestamp, dry_run);
    co_return json_answer(json_string(text));
}

awaitable<Response> compact(Services& services, const Request& request) {
    auto body = decode_optional<ConversationCompactionRequest>(request);
    const ConversationPlace place = co_await conversation_place(services, request, body.agent_id.optional());
    will_wait(services, request, place.agent_id, place.conversation_id);
    const CompactionResponse done = co_await services.runtime.compact(
        request.organization_id, request.user_id, place.agent_id, place.conversation_id, std::move(body));
    co_return answer(done);
}

awaitable<Response> undo_compaction(Services& services, const Request& request) {
    const ConversationPlace place = co_await conversation_place(services, request, std::nullopt);
    will_wait(services, request, place.agent_id, place.conversation_id);
    const CompactionResponse done =
        co_await services.runtime.undo_compaction(request.organization_id, place.agent_id, place.conversation_id);
    co_return answer(done);
}

}  // namespace

std::span<const Route> conversation_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/conversations", list, "conversations.list", "", "Conversation[]",
         "agent_id, summary_search, archive_status", Trait::paged},
        {Method::post, "/v1/conversations", create, "conversations.create", "CreateConversation?", "Conversation",
         "agent_id!"},
        {Method::get, "/v1/conversations/{conversation_id}", retrieve, "conversations.retrieve", "", "Conversation"},
        {Method::patch, "/v1/conversations/{conversation_id}", update, "conversations.update", "UpdateConversation",
         "Conversation"},
        {Method::delete_, "/v1/conversations/{conversation_id}", remove, "conversations.delete", "", "null"},
        {Method::post, "/v1/conversations/{conversation_id}/fork", fork, "conversations.fork", "", "Conversation",
         "agent_id, hidden:boolean, message_id"},
        {Method::post, "/v1/conversations/{conversation_id}/recompile", recompile, "conversations.recompile",
         "ConversationCompactionRequest?", "string", "agent_id, dry_run:boolean, update_timestamp:boolean"},
        {Method::post, "/v1/conversations/{conversation_id}/compact", compact, "conversations.messages.compact",
         "ConversationCompactionRequest?", "CompactionResponse", "agent_id"},
        {Method::post, "/v1/conversations/{conversation_id}/compact/undo", undo_compaction,
         "conversations.messages.undo_compaction", "", "CompactionResponse", "agent_id"},
    };
    return routes;
}

}  // namespace stele::api
