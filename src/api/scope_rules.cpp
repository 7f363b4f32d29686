#include "api/scope_rules.hpp"

#include <algorithm>

namespace stele::api {
namespace {

// They are asked for with POST and change nothing.
constexpr std::string_view looks[] = {
    "agents.export_with_skills",
    "agents.files.list_by_patch",
    "agents.messages.preview",
    "agents.messages.search",
    "agents.search",
    "conversations.messages.preview",
    "conversations.messages.stream",
    "conversations.search",
    "git.memory.fetch",
    "git.repositories.fetch",
    "internal_search.cache_warm",
    "messages.search",
    "passages.search",
    "runs.messages.stream",
    "tools.search",
};

// They are asked for with GET and change something, or tell of what only members should know.
constexpr std::string_view changes[] = {
    "access_tokens.list",
    "access_tokens.list_alias",
    "mcp_servers.connect",
};

bool holds(std::span<const std::string_view> operations, std::string_view operation) {
    return std::find(operations.begin(), operations.end(), operation) != operations.end();
}

}  // namespace

Scope needed_scope(const Route& route) {
    if (route.operation.starts_with("admin.")) return Scope::admin;
    const bool gets = route.method == Method::get || route.method == Method::head;
    if (holds(looks, route.operation) || (gets && !holds(changes, route.operation))) return Scope::read;
    return Scope::write;
}

}  // namespace stele::api
