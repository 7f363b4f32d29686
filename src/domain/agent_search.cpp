#include "domain/agent_search.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::int64_t limit_max = 100;
constexpr std::size_t terms_max = 50;
constexpr std::string_view fields[] = {"version", "name", "tags", "identity", "templateName", "agentId"};

std::string text_of(const boost::json::object& object, std::string_view name, Problems& problems) {
    const boost::json::value* found = object.if_contains(name);
    if (found == nullptr) {
        problems.add(name, "is required", "missing");
        return {};
    }
    if (found->is_string()) return std::string(found->get_string());
    problems.add(name, "must be a text", "string_type", mapping::short_input(*found));
    return {};
}

void read_tags(const boost::json::object& object, SearchTerm& into, Problems& problems) {
    const boost::json::value* found = object.if_contains("value");
    const boost::json::array* list = found != nullptr ? found->if_array() : nullptr;
    if (list == nullptr) return problems.add("value", "must be a list of texts", "list_type");
    for (const boost::json::value& each : *list) {
        if (!each.is_string()) return problems.add("value", "must be a list of texts", "string_type");
        into.values.emplace_back(each.get_string());
    }
}

}  // namespace

void read_json(const boost::json::value& from, SearchTerm& into, Problems& problems) {
    if (!from.is_object())
        return problems.add("", "must be an object", "model_attributes_type", mapping::short_input(from));
    const boost::json::object& object = from.get_object();
    into.field = text_of(object, "field", problems);
    if (std::find(std::begin(fields), std::end(fields), into.field) == std::end(fields))
        return problems.add("field", "must be one of: version, name, tags, identity, templateName, agentId",
                            "literal_error");
    std::string wanted = into.field == "tags" ? "contains" : "eq";
    if (object.contains("operator")) {
        const std::string word = text_of(object, "operator", problems);
        into.part = into.field == "name" && word == "contains";
        if (word != wanted && !into.part)
            problems.add("operator", into.field == "name" ? "must be eq or contains" : "must be " + wanted,
                         "literal_error", json_string(first_code_points(word, 64)));
    }
    if (into.field == "tags") return read_tags(object, into, problems);
    into.values.push_back(text_of(object, "value", problems));
}

Schema json_schema(const SearchTerm*) {
    Schema schema;
    schema.any = true;
    return schema;
}

void check(const AgentSearch& search, Problems& problems) {
    if (search.search.size() > terms_max) problems.add("search", "must hold at most 50 terms", "too_long");
    if (search.limit < 1 || search.limit > limit_max)
        problems.add("limit", "must be within 1 and 100", "less_than_equal");
    if (search.combinator.has_value() && *search.combinator != "AND")
        problems.add("combinator", "must be AND", "literal_error",
                     json_string(first_code_points(*search.combinator, 64)));
    if (search.sortBy != "created_at" && search.sortBy != "updated_at" && search.sortBy != "last_run_completion")
        problems.add("sortBy", "must be one of: created_at, last_run_completion, updated_at", "literal_error",
                     json_string(first_code_points(search.sortBy, 64)));
    if (search.after.has_value() && !is_id(*search.after, "agent"))
        problems.add("after", "must match 'agent-{uuid4}'", "string_pattern_mismatch");
}

STELE_JSON_READ(AgentSearch)
STELE_JSON_WRITTEN(FoundAgents)
STELE_JSON_WRITTEN(AgentCount)

}  // namespace stele
