#include "domain/message_search.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>
#include <span>

namespace stele {
namespace {

constexpr std::string_view modes[] = {"vector", "fts", "hybrid"};
constexpr std::string_view known_roles[] = {"assistant", "user", "tool", "function", "system", "approval", "summary"};
constexpr std::int64_t limit_max = 100;

bool among(std::span<const std::string_view> words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

void check_common(const std::string& mode, std::int64_t limit, Problems& problems) {
    if (!among(modes, mode))
        problems.add("search_mode", "must be one of: vector, fts, hybrid", "literal_error", json_string(mode));
    if (limit < 1 || limit > limit_max) problems.add("limit", "must lie between 1 and 100", "less_than_equal");
}

}  // namespace

void check(const MessageSearchRequest& request, Problems& problems) {
    check_common(request.search_mode, request.limit, problems);
    for (const std::string& role : request.roles.value_or({}))
        if (!among(known_roles, role)) problems.add("roles", "holds an unknown role", "enum", json_string(role));
}

void check(const SearchAllMessagesRequest& request, Problems& problems) {
    check_common(request.search_mode, request.limit, problems);
}

void check(const SearchCacheWarmRequest& request, Problems& problems) {
    if (request.collection != "messages")
        problems.add("collection", "must be: messages", "literal_error", json_string(request.collection));
    if (!request.scope.text.starts_with('{')) problems.add("scope", "must be an object", "dict_type");
}

STELE_JSON_READ(SearchCacheWarmRequest)
STELE_JSON_WRITTEN(SearchCacheWarmed)
STELE_JSON_READ(MessageSearchRequest)
STELE_JSON_READ(SearchAllMessagesRequest)
STELE_JSON_WRITTEN(MessageListResult)
STELE_JSON_WRITTEN(MessageSearchResult)

}  // namespace stele
