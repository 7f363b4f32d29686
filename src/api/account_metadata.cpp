#include "domain/account_metadata.hpp"
#include "api/route.hpp"
#include "domain/account.hpp"
#include "domain/answer.hpp"
#include "domain/project.hpp"
#include "runtime/credentials.hpp"
#include "storage/account_repository.hpp"
#include "storage/database.hpp"

namespace stele::api {
namespace {

constexpr std::size_t feedback_bytes_max = 1u << 20;

std::string current_project(const Request& request) { return request.project_id.value_or(default_project_id); }

awaitable<Response> user(Services& services, const Request& request) {
    const auto acting = co_await services.credentials.find_user(request.user_id);
    const auto organization = co_await services.accounts.find_organization(request.organization_id);
    if (!acting || !organization) throw not_found("User", request.user_id);
    AccountUser shown;
    shown.id = acting->id;
    shown.name = acting->name;
    shown.organization_id = organization->id;
    shown.organization_name = organization->name;
    shown.current_project_id = current_project(request);
    if (shown.current_project_id == default_project_id) shown.current_project_name = default_project_slug;
    co_return answer(shown);
}

awaitable<Response> status(Services&, const Request& request) {
    AccountStatus shown;
    shown.current_project_id = current_project(request);
    co_return answer(shown);
}

awaitable<Response> balance(Services&, const Request&) { co_return answer(AccountBalance()); }

awaitable<Response> feedback(Services& services, const Request& request) {
    if (request.body().size() > feedback_bytes_max)
        throw Error(ErrorCode::too_large, "Feedback is kept up to " + std::to_string(feedback_bytes_max) +
                                              " bytes, with all that goes along");
    const auto body = decode<AccountFeedback>(request.body());
    storage::Transaction transaction;
    services.accounts.insert_feedback(transaction, request.organization_id, request.user_id, body.message,
                                      request.body());
    co_await services.database.commit(std::move(transaction));
    co_return answer(Success());
}

awaitable<Response> telemetry(Services&, const Request& request) {
    static_cast<void>(decode<AccountTelemetry>(request.body()));
    co_return answer(Success());
}

// What the old web client signs in with.
awaitable<Response> auth(Services& services, const Request& request) {
    const auto body = decode<AuthRequest>(request.body());
    const bool right = services.password.empty() || services.password.matches(body.password.value_or(""));
    if (!right) throw Error(ErrorCode::unauthenticated, "Unauthorized");
    AuthResponse shown;
    const std::string id = default_user_id;
    shown.uuid = id.substr(id.find('-') + 1);
    co_return answer(shown);
}

}  // namespace

std::span<const Route> account_metadata_routes() {
    static constexpr Route routes[] = {
        {Method::post, "/v1/auth", auth, "auth", "AuthRequest", "AuthResponse", "", Trait::open},
        {Method::get, "/v1/metadata/user", user, "metadata.user.retrieve", "", "AccountUser"},
        {Method::get, "/v1/metadata/status", status, "metadata.status.retrieve", "", "AccountStatus"},
        {Method::get, "/v1/metadata/balance", balance, "metadata.balance.retrieve", "", "AccountBalance"},
        {Method::post, "/v1/metadata/feedback", feedback, "metadata.feedback.create", "AccountFeedback", "Success"},
        {Method::post, "/v1/metadata/telemetry", telemetry, "metadata.telemetry.create", "AccountTelemetry", "Success"},
    };
    return routes;
}

}  // namespace stele::api
