#pragma once

#include "domain/agent.hpp"

namespace stele {

/// One condition of a search for agents.
struct SearchTerm {
    std::string field;                ///< version, name, tags, identity, templateName or agentId
    bool part = false;                ///< of `name`: the value is a part of it, in any case
    std::vector<std::string> values;  ///< several for tags alone: all of them
};

// {"field", "operator"?, "value"}: which operators and values there are depends on the field.
void read_json(const boost::json::value& from, SearchTerm& into, Problems& problems);
Schema json_schema(const SearchTerm*);

/// Body of POST /v1/agents/search.
struct AgentSearch {
    std::vector<SearchTerm> search;
    Patch<std::string> project_id;
    Patch<std::string> combinator;
    std::int64_t limit = 20;
    Patch<std::string> after;
    std::string sortBy = "created_at";
    bool ascending = false;
};
BOOST_DESCRIBE_STRUCT(AgentSearch, (), (search, project_id, combinator, limit, after, sortBy, ascending))
void check(const AgentSearch& search, Problems& problems);

struct FoundAgents {
    std::vector<AgentState> agents;
    std::optional<std::string> nextCursor;
};
BOOST_DESCRIBE_STRUCT(FoundAgents, (), (agents, nextCursor))

struct AgentCount {
    std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(AgentCount, (), (count))

}  // namespace stele
