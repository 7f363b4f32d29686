#include "api/route.hpp"
#include "base/ids.hpp"
#include "runtime/credentials.hpp"
#include "storage/access_token_repository.hpp"
#include "storage/database.hpp"

#include <charconv>

namespace stele::api {
namespace {

constexpr std::int64_t limit_standard = 10, limit_max = 100, offset_max = 1'000'000;
constexpr std::size_t shown_characters = 8;

// Clients send these as texts or numbers, and read the problem in the form of hosted rows.
std::int64_t number_of(const Request& request, std::string_view name, std::int64_t standard, std::int64_t least,
                       std::int64_t most) {
    const std::optional<std::string> text = request.query.text(name);
    if (!text) return standard;
    std::string_view digits = *text;
    if (digits.ends_with(".0")) digits.remove_suffix(2);  // to some clients every number is a float
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure != std::errc() || end != digits.data() + digits.size() || number < least || number > most)
        throw hosted_refusal("invalidPage", "query." + std::string(name) + ": must be a number from " +
                                                std::to_string(least) + " to " + std::to_string(most));
    return number;
}

awaitable<Response> list(Services& services, const Request& request) {
    const std::int64_t limit = number_of(request, "limit", limit_standard, 1, limit_max);
    const std::int64_t offset = number_of(request, "offset", 0, 0, offset_max);
    std::optional<std::string> agent_id = request.query.text("agentId");
    AccessTokens shown;
    shown.tokens =
        co_await services.access_tokens.list(request.organization_id, std::move(agent_id), now(), limit + 1, offset);
    shown.hasNextPage = shown.tokens.size() > static_cast<std::size_t>(limit);
    if (shown.hasNextPage) shown.tokens.pop_back();
    for (AccessToken& token : shown.tokens) token.token += "...";
    co_return answer(shown);
}

awaitable<Response> create(Services& services, const Request& request) {
    if (request.from_tool) throw Error(ErrorCode::permission_denied, "Tools can't make access tokens");
    const auto body = decode<CreateAccessToken>(request.body());
    AccessToken made = plan_access_token(body, now());
    const std::string text = new_bearer(access_token_prefix);
    made.id = new_id("token");
    made.organization_id = request.organization_id;
    made.user_id = request.user_id;
    made.token = text.substr(0, shown_characters);
    storage::Transaction transaction;
    const Error unknown = hosted_refusal("unknownAgent", "body.policy: names an agent that is not there");
    services.access_tokens.insert(transaction, made, bearer_hash(text), unknown);
    co_await services.database.commit(std::move(transaction));
    services.credentials.token_made(made);
    made.token = text;
    Response response = answer(made);
    response.status = 201;
    co_return response;
}

// By token or id. What is gone already is gone.
awaitable<Response> remove(Services& services, const Request& request) {
    const std::string& named = request.path("token");
    const std::string id_or_hash = is_id(named, "token") ? named : bearer_hash(named);
    const auto gone = co_await services.access_tokens.find(request.organization_id, id_or_hash);
    if (gone) {
        storage::Transaction transaction;
        services.access_tokens.remove(transaction, *gone);
        co_await services.database.commit(std::move(transaction));
        co_await services.credentials.token_revoked(gone->id);
    }
    Response response;
    response.status = 204;
    co_return response;
}

}  // namespace

constexpr std::string_view filters = "agentId, offset:integer, limit:integer";

std::span<const Route> access_token_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/v1/client-side-access-tokens", list, "access_tokens.list", "", "AccessTokens", filters},
        {Method::post, "/v1/client-side-access-tokens", create, "access_tokens.create", "CreateAccessToken",
         "AccessToken", "", Trait::created},
        {Method::delete_, "/v1/client-side-access-tokens/{token}", remove, "access_tokens.delete", "", "", "",
         Trait::no_content},
        {Method::get, "/v1/tokens", list, "access_tokens.list_alias", "", "AccessTokens", filters},
        {Method::post, "/v1/tokens", create, "access_tokens.create_alias", "CreateAccessToken", "AccessToken", "",
         Trait::created},
        {Method::delete_, "/v1/tokens/{token}", remove, "access_tokens.delete_alias", "", "", "", Trait::no_content},
    };
    return routes;
}

}  // namespace stele::api
