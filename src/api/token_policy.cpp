#include "api/token_policy.hpp"

#include "api/conversation_place.hpp"
#include "api/message_answer.hpp"
#include "api/run_answer.hpp"
#include "api/token_rules.hpp"
#include "api/token_stream.hpp"
#include "base/ids.hpp"
#include "storage/access_token_repository.hpp"
#include "storage/database.hpp"

#include <boost/describe/enum_to_string.hpp>

namespace stele::api {
namespace {

awaitable<std::string> agent_of(Services& services, const Request& request, TokenPlace place) {
    if (place == TokenPlace::agent) co_return request.path_id("agent_id", "agent");
    std::optional<std::string> named = request.query.text("agent_id");
    if (place == TokenPlace::agent_query) {
        if (!named) throw invalid_field("query.agent_id", "is required");
        co_return std::move(*named);
    }
    if (place == TokenPlace::conversation) {
        // Where body and query both say whose default conversation is meant, they have to agree.
        auto in_body = only_reads(request.http.method) ? std::nullopt : json_member_text(request.body(), "agent_id");
        if (in_body && *in_body == "null") in_body.reset();
        if (in_body && named && *in_body != *named) throw not_of_token("body and query name two agents");
        if (!named) named = std::move(in_body);
        ConversationPlace found = co_await conversation_place(services, request, std::move(named));
        co_return std::move(found.agent_id);
    }
    const std::string run_id = request.path_id("run_id", "run");
    const bool own = co_await services.access_tokens.has_run(request.token->id, run_id);
    if (!own) throw not_found("Run", run_id);
    Run run = co_await find_run(services, request.organization_id, run_id);
    co_return std::move(run.agent_id);
}

awaitable<void> demand_own_runs(Services& services, const Request& request) {
    const auto body = decode_optional<CancelRequest>(request);
    if (!body.run_ids) throw not_of_token("With an access token run_ids has to name the runs to cancel");
    for (const std::string& id : *body.run_ids) {
        const bool own = co_await services.access_tokens.has_run(request.token->id, id);
        if (!own) throw not_found("Run", id);
    }
}

}  // namespace

Error not_of_token(const std::string& text) {
    Error error(ErrorCode::permission_denied, text);
    error.members.emplace_back("message", text);
    return error;
}

bool only_reads(Method method) { return method == Method::get || method == Method::head; }

awaitable<void> demand_policy(Services& services, const Request& request, const Route& route) {
    const TokenRule* rule = find_token_rule(route.operation);
    if (rule == nullptr) throw not_of_token("An access token does not allow this");
    const std::string agent_id = co_await agent_of(services, request, rule->place);
    const std::optional<bool> allowed = allows(request.token->policy, agent_id, rule->access);
    if (!allowed) throw not_found("Agent", agent_id);
    if (!*allowed)
        throw not_of_token(std::string("This access token does not hold ") +
                           boost::describe::enum_to_string(rule->access, "it") + " for the agent");
    if (const auto member = refused_member(rule->body, request.body()))
        throw not_of_token("body." + *member + ": may not be set with an access token");
    if (rule->body == TokenBody::own_runs) co_await demand_own_runs(services, request);
}

awaitable<void> follow_token(Services& services, const Request& request, Response& response) {
    std::string run_id;
    if (const std::string* header = response.headers.find(run_header)) run_id = *header;
    if (run_id.empty()) run_id = json_member_text(response.body, "id").value_or("");
    if (is_id(run_id, "run") && !only_reads(request.http.method)) {
        storage::Transaction transaction;
        services.access_tokens.add_run(transaction, request.token->id, run_id);
        co_await services.database.commit(std::move(transaction));
    }
    if (response.producer) response.producer = while_token_holds(services, request.token, std::move(response.producer));
}

}  // namespace stele::api
