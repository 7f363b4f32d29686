#include "domain/agent_search.hpp"
#include "api/agent_query.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "runtime/agent_service.hpp"
#include "storage/agent_repository.hpp"

#include <map>

namespace stele::api {
namespace {

storage::AgentFilter filter_of(const AgentSearch& search) {
    storage::AgentFilter filter;
    filter.project_id = search.project_id.optional();
    for (const SearchTerm& term : search.search) {
        if (term.field != "identity") {
            filter.terms.push_back(term);
            continue;
        }
        const std::string& value = term.values.front();
        const bool by_id = is_id(value, "identity");
        const bool again = by_id ? filter.identity_id && *filter.identity_id != value
                                 : !filter.identifier_keys.empty() && filter.identifier_keys.front() != value;
        if (again) throw refused("search: one term on an identity is enough");
        if (by_id)
            filter.identity_id = value;
        else
            filter.identifier_keys = {value};
    }
    return filter;
}

awaitable<Response> search(Services& services, const Request& request) {
    const auto body = decode_optional<AgentSearch>(request);
    storage::Page page;
    page.after = body.after.optional();
    page.limit = body.limit + 1;
    page.ascending = body.ascending;
    page.order_by = body.sortBy;
    storage::AgentFilter filter = filter_of(body);
    std::vector<Agent> agents =
        co_await services.agents.list(request.organization_id, std::move(filter), std::move(page));
    FoundAgents found;
    if (agents.size() > static_cast<std::size_t>(body.limit)) {
        agents.resize(static_cast<std::size_t>(body.limit));
        found.nextCursor = agents.back().id;
    }
    const runtime::AgentInclude everything;
    found.agents = co_await services.agent_service.states(std::move(agents), everything);
    co_return answer(found);
}

// "search" as one JSON text a term, or as search[0][field]=name; the older clients have no call for either.
std::string terms_of(const Query& query) {
    std::string list;
    const auto add = [&](const std::string& term) { list += (list.empty() ? "" : ",") + term; };
    for (const std::string& text : query.list("search")) {
        const auto term = parse_json(text);
        if (!term) throw invalid_field("query.search", "must be a JSON text");
        if (term->text.front() == '[' && term->text.size() > 2)
            add(term->text.substr(1, term->text.size() - 2));
        else if (term->text.front() != '[')
            add(term->text);
    }
    struct Parts {
        std::map<std::string, std::string> members;
        std::vector<std::string> values;
    };
    std::map<std::string, Parts> terms;  // by place
    for (const auto& [key, value] : query.nested("search")) {
        const std::size_t end = key.find(']');
        if (end == std::string::npos || key.compare(end, 2, "][") != 0) continue;
        Parts& parts = terms[key.substr(0, end)];
        const std::string member = key.substr(end + 2, key.find(']', end + 2) - end - 2);
        if (member == "value")
            parts.values.push_back(value);
        else
            parts.members[member] = value;
    }
    for (const auto& [place, parts] : terms) {
        std::string values, members;
        for (const std::string& value : parts.values) values += (values.empty() ? "" : ",") + json_string(value);
        for (const auto& [name, value] : parts.members) members += json_string(name) + ":" + json_string(value) + ",";
        const auto field = parts.members.find("field");
        const bool of_tags = field != parts.members.end() && field->second == "tags";
        add("{" + members + "\"value\":" + (of_tags ? "[" + values + "]" : values.empty() ? "null" : values) + "}");
    }
    return "[" + list + "]";
}

awaitable<Response> count(Services& services, const Request& request) {
    std::string text = "{\"search\":" + terms_of(request.query);
    if (const auto project = request.query.text("project_id")) text += ",\"project_id\":" + json_string(*project);
    if (const auto word = request.query.text("combinator")) text += ",\"combinator\":" + json_string(*word);
    std::optional<AgentSearch> search;
    try {
        search = decode<AgentSearch>(text + "}");
    } catch (Error& error) {
        for (Error::Field& field : error.fields)
            if (field.where.starts_with("body")) field.where.replace(0, 4, "query");
        throw;
    }
    storage::AgentFilter filter = filter_of(*search);
    AgentCount shown;
    shown.count = co_await services.agents.count(request.organization_id, std::move(filter));
    co_return answer(shown);
}

}  // namespace

std::span<const Route> agent_search_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/agents/search", search, "agents.search", "AgentSearch?", "FoundAgents"},
        {Method::get, "/v1/agents/search/count", count, "agents.search_count", "", "AgentCount",
         "search[], project_id, combinator"},
    };
    return routes;
}

}  // namespace stele::api
