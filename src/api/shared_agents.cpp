#include "api/terminal_services.hpp"
#include "domain/terminal_listing.hpp"
#include "storage/account_repository.hpp"
#include "storage/agent_repository.hpp"

#include <map>

// All users of an organisation share its agents: to the caller those are shared that somebody else has made.
namespace stele::api {
namespace {

constexpr std::int64_t limit_default = 20, limit_max = 100;

storage::Page page_of_query(const Query& query) {
    storage::Page page;
    page.limit = query.integer("limit").value_or(limit_default);
    if (page.limit < 1 || page.limit > limit_max) throw invalid_field("query.limit", "must lie between 1 and 100");
    page.after = query.text("after");
    const std::string order = query.text("order").value_or("desc");
    if (order != "asc" && order != "desc") throw invalid_field("query.order", "must be asc or desc");
    page.ascending = order == "asc";
    page.order_by = query.text("orderBy").value_or("created_at");
    if (page.order_by != "created_at" && page.order_by != "updated_at" && page.order_by != "last_run_completion")
        throw invalid_field("query.orderBy", "must be created_at, updated_at or last_run_completion");
    return page;
}

SharedAgent shown_of(const Agent& agent) {
    SharedAgent shown;
    shown.id = agent.id;
    shown.name = agent.name;
    shown.description = agent.description;
    shown.created_at = agent.created_at;
    shown.updated_at = agent.updated_at;
    shown.last_run_completion = agent.last_run_completion;
    shown.created_by_id = agent.created_by_id;
    return shown;
}

awaitable<Response> list(Services& services, const Request& request) {
    storage::Page page = page_of_query(request.query);
    const std::int64_t limit = page.limit++;
    storage::AgentFilter filter;
    filter.query_text = request.query.text("queryText");
    filter.not_created_by_id = request.user_id;
    std::vector<Agent> agents =
        co_await services.agents.list(request.organization_id, std::move(filter), std::move(page));
    SharedAgents found;
    if (agents.size() > static_cast<std::size_t>(limit)) {
        agents.resize(static_cast<std::size_t>(limit));
        found.nextCursor = agents.back().id;
    }
    std::map<std::string, std::optional<User>> users;
    for (const Agent& agent : agents) {
        SharedAgent shown = shown_of(agent);
        if (agent.created_by_id) {
            const std::string user_id = *agent.created_by_id;
            if (!users.contains(user_id)) {
                auto user = co_await services.accounts.find_user(user_id);
                users[user_id] = std::move(user);
            }
            AgentCreator& creator = shown.creator.emplace();
            creator.id = user_id;
            // Whoever has moved to another organisation since is told of by the id alone.
            const std::optional<User>& user = users[user_id];
            if (user && user->organization_id == request.organization_id) creator.name = user->name;
        }
        found.agents.push_back(std::move(shown));
    }
    co_return answer(found);
}

}  // namespace

std::span<const Route> shared_agent_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/shared-agents", list, "agents.list_shared", "", "SharedAgents",
         "limit:integer, after, queryText, order, orderBy"},
    };
    return routes;
}

}  // namespace stele::api
