#include "domain/conversation_search.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>
#include <span>

namespace stele {
namespace {

constexpr std::string_view modes[] = {"vector", "fts", "hybrid"};
constexpr std::string_view targets[] = {"summary", "description"};
constexpr std::int64_t limit_max = 100;

bool among(std::span<const std::string_view> words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

void check(const ConversationSearchRequest& request, Problems& problems) {
    if (!among(modes, request.search_mode))
        problems.add("search_mode", "must be one of: vector, fts, hybrid", "literal_error",
                     json_string(first_code_points(request.search_mode, 64)));
    if (!among(targets, request.search_target))
        problems.add("search_target", "must be summary or description", "literal_error",
                     json_string(first_code_points(request.search_target, 64)));
    if (request.limit < 1 || request.limit > limit_max)
        problems.add("limit", "must lie between 1 and 100", "less_than_equal");
}

STELE_JSON_READ(ConversationSearchRequest)
STELE_JSON_WRITTEN(ConversationSearchResult)

}  // namespace stele
