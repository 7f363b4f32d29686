#include "api/agent_query.hpp"

#include <algorithm>

namespace stele::api {

runtime::AgentInclude agent_include(const Request& request) {
    constexpr std::string_view known[] = {
        "agent.blocks",  "agent.identities", "agent.managed_group", "agent.pending_approval",
        "agent.secrets", "agent.sources",    "agent.tags",          "agent.tools"};
    const std::vector<std::string> include = request.query.list("include");
    for (const std::string& word : include)
        if (std::find(std::begin(known), std::end(known), word) == std::end(known))
            throw invalid_field("query.include", "knows no '" + word + "'");
    const std::vector<std::string> older = request.query.list("include_relationships");
    runtime::AgentInclude wanted;
    if (include.empty() && older.empty() && !request.query.has("include_relationships") && !request.generation_2)
        return wanted;
    const auto has = [](const std::vector<std::string>& words, std::string_view word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    wanted.pending_approval = has(include, "agent.pending_approval");
    wanted.blocks = has(include, "agent.blocks") || has(older, "memory");
    wanted.tools = has(include, "agent.tools") || has(older, "tools");
    wanted.tags = has(include, "agent.tags") || has(include, "agent.blocks") || has(older, "tags");
    wanted.identities = has(include, "agent.identities") || has(older, "identity_ids");
    wanted.sources = has(include, "agent.sources") || has(older, "sources");
    wanted.group = has(include, "agent.managed_group") || has(older, "multi_agent_group");
    wanted.secrets =
        has(include, "agent.secrets") || has(older, "secrets") || has(older, "tool_exec_environment_variables");
    return wanted;
}

boost::asio::awaitable<Response> linked_agents(Services& services, const Request& request, storage::AgentFilter filter,
                                               storage::Page page) {
    const runtime::AgentInclude include = agent_include(request);
    filter.show_hidden = true;
    std::vector<Agent> agents =
        co_await services.agents.list(request.organization_id, std::move(filter), std::move(page));
    const std::vector<AgentState> states = co_await services.agent_service.states(std::move(agents), include);
    co_return answer(states);
}

}  // namespace stele::api
