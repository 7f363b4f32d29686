#include "api/dispatch.hpp"

#include "api/error_response.hpp"
#include "api/message_answer.hpp"
#include "api/token_policy.hpp"
#include "api/tool_caller.hpp"
#include "base/ids.hpp"
#include "base/let_others_run.hpp"
#include "base/log.hpp"
#include "base/seal.hpp"
#include "base/utf8.hpp"
#include "net/body_spool.hpp"
#include "runtime/project_service.hpp"
#include "runtime/run_tokens.hpp"
#include "storage/database.hpp"
#include "storage/idempotency_repository.hpp"

#include <sodium.h>

#include <algorithm>

namespace stele::api {
namespace {

// A handler of a PATCH has no effect before its one commit, so after a lost race it may simply run again.
constexpr int attempts_max = 8;
constexpr std::size_t idempotency_key_bytes_max = 255;
constexpr std::size_t digested_at_once = 256u << 10;
constexpr std::string_view sealed_mark = "sealed:";  // a kept answer whole: it may hold an agent's secrets
constexpr std::string_view run_mark = "run:";        // a kept answer that is a run, told anew from what it stored

const Route* route_for(const std::vector<const Route*>& routes, Method method) {
    for (const Route* route : routes)
        if (route->method == method || (method == Method::head && route->method == Method::get)) return route;
    return nullptr;
}

Error not_allowed(const std::vector<const Route*>& routes) {
    Error error(ErrorCode::method_not_allowed, "Method Not Allowed");
    for (const Route* route : routes)
        error.type += (error.type.empty() ? "" : ", ") + std::string(net::to_string(route->method));
    return error;
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

awaitable<std::string> digest_of(const net::HttpRequest& http) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, crypto_generichash_BYTES);
    crypto_generichash_update(&state, bytes_of(http.path), http.path.size());
    crypto_generichash_update(&state, bytes_of("\n"), 1);
    crypto_generichash_update(&state, bytes_of(http.body), http.body.size());
    std::string piece;
    if (http.large_body) piece.resize(digested_at_once);
    for (std::uint64_t at = 0; http.large_body && at < http.large_body->size();) {
        const std::size_t bytes = http.large_body->read(at, piece.data(), piece.size());
        if (bytes == 0) break;
        crypto_generichash_update(&state, bytes_of(piece), bytes);
        at += bytes;
        co_await let_others_run();
    }
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash_final(&state, hash, sizeof hash);
    char hex[sizeof hash * 2 + 1];
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    co_return std::string(hex);
}

}  // namespace

bool Dispatch::takes_large_body(const net::HttpRequest& http) const {
    if (http.headers.find("Content-Encoding") != nullptr) return false;  // it is unpacked in memory
    const Router::Match match = router_.find(http.path);
    const Route* route = route_for(match.routes, http.method);
    return route != nullptr && route->trait == Trait::large_body;
}

awaitable<bool> Dispatch::admits_large_body(const net::HttpRequest& http) const {
    try {
        const Router::Match match = router_.find(http.path);
        const Route* route = route_for(match.routes, http.method);
        const Caller caller = co_await gate_.admit(http);
        gate_.demand_scope(caller, *route);
        co_return true;
    } catch (const Error&) {
        co_return false;  // it is told why when the request is whole
    }
}

// Null if the credential is no run token, or that of a call that has ended.
std::shared_ptr<FromTool> Dispatch::tool_of(const net::Headers& headers) const {
    const auto token = credential(headers.find("Authorization"), "Bearer");
    auto caller = token ? services_.run_tokens.find(*token) : std::nullopt;
    if (!caller) return nullptr;
    auto made = std::make_shared<FromTool>();
    made->caller = std::move(*caller);
    return made;
}

awaitable<Response> Dispatch::answer_to(net::HttpRequest& http, bool from_tool) const {
    const std::string request_id = random_hex(8);
    http.id = request_id;
    std::optional<Error> failure;
    try {
        std::shared_ptr<FromTool> tool;
        if (from_tool) tool = tool_of(http.headers);
        if (from_tool && !tool)
            throw Error(ErrorCode::unauthenticated, "Only a tool may ask here, and only while its call lasts");
        Response response = co_await handle(http, request_id, tool);
        if (tool) keep_waits(response, tool);
        response.headers.add("X-Request-Id", request_id);
        co_return response;
    } catch (const Error& error) {
        failure = error;
    } catch (const std::exception& error) {
        log::error("request.failed",
                   {{"request_id", request_id}, {"path", path_to_show(http.path)}, {"why", error.what()}});
        failure = Error(ErrorCode::internal, "An unknown error occurred");
    }
    Response response = error_response(*failure, request_id);
    // Git asks its user for a password where it is told so, and takes the one of its URL along only then.
    if (failure->code == ErrorCode::unauthenticated && http.path.find("/git/") != std::string::npos)
        response.headers.add("WWW-Authenticate", "Basic realm=\"stele\"");
    response.headers.add("X-Request-Id", request_id);
    co_return response;
}

awaitable<Response> Dispatch::handle(net::HttpRequest& http, std::string request_id,
                                     std::shared_ptr<FromTool> from_tool) const {
    Router::Match match = router_.find(http.path);
    const Route* route = route_for(match.routes, http.method);
    const Route* known = route != nullptr || match.routes.empty() ? route : match.routes.front();
    const bool open = known != nullptr && known->trait == Trait::open;
    Caller caller = co_await caller_of(http, open, from_tool.get());
    if (match.routes.empty()) throw Error(ErrorCode::not_found, "Not Found");
    if (route == nullptr) throw not_allowed(match.routes);
    if (!open) {
        gate_.demand_scope(caller, *route);
        co_await gate_.act_for(caller, http, *route);
    }
    match.values = Router::named(std::move(match.values), *route);

    Request request{http,
                    Query(http.query),
                    std::move(match.values),
                    std::move(caller.organization_id),
                    std::move(caller.user_id),
                    false,
                    {},
                    {},
                    nullptr};
    request.generation_2 = is_generation_2(http.headers);
    request.request_id = std::move(request_id);
    request.from_tool = std::move(from_tool);
    request.token = std::move(caller.token);
    if (!request.token) co_return co_await carry_out(*route, request);
    co_await demand_policy(services_, request, *route);
    Response response = co_await carry_out(*route, request);
    co_await follow_token(services_, request, response);
    co_return response;
}

// Whoever asks for what is open to everybody is nobody in particular.
awaitable<Caller> Dispatch::caller_of(const net::HttpRequest& http, bool open, const FromTool* from_tool) const {
    Caller caller;
    if (from_tool != nullptr) {
        caller.organization_id = from_tool->caller.organization_id;
        caller.user_id = from_tool->caller.user_id;
        caller.reach = Scope::write;
        co_return caller;
    }
    if (!open) co_return co_await gate_.admit(http);
    caller.organization_id = default_organization_id;
    caller.user_id = default_user_id;
    co_return caller;
}

awaitable<Response> Dispatch::carry_out(const Route& route, Request& request) const {
    co_await find_project(request);
    const std::string* key = request.http.headers.find("Idempotency-Key");
    if (request.http.method == Method::post && key != nullptr && !key->empty()) {
        if (key->size() > idempotency_key_bytes_max || !is_utf8(*key))
            throw invalid_field("header.Idempotency-Key", "must be a text of at most 255 bytes");
        // Keys of a token are its own: others may have sent the same to make what it must not see.
        request.idempotency_key = request.token ? request.token->id + ":" + *key : *key;
        co_return co_await call_once(route, request);
    }
    co_return co_await call(route, request);
}

// The project that bodies without one belong to. A write makes one that a slug names for the first time.
awaitable<void> Dispatch::find_project(Request& request) const {
    const net::Headers& headers = request.http.headers;
    if (const std::string* id = headers.find("X-Project-Id"); id != nullptr && !id->empty()) {
        if (!is_utf8(*id)) throw invalid_field("header.X-Project-Id", "must be the id of a project");
        request.project_id = *id;
        co_return;
    }
    const std::string* slug = headers.find("X-Project");
    if (slug == nullptr || slug->empty()) co_return;
    const Method method = request.http.method;
    const bool write = method == Method::post || method == Method::put || method == Method::patch;
    request.project_id = co_await services_.project_service.of_header(request.organization_id, *slug, write);
}

awaitable<Response> Dispatch::call(const Route& route, Request& request) const {
    for (int attempt = 1;; ++attempt) {
        std::optional<Error> lost;
        try {
            co_return co_await route.handler(services_, request);
        } catch (const Error& error) {
            const bool again = error.code == ErrorCode::conflict && error.type == changed_meanwhile_type;
            if (!again || route.method != Method::patch || attempt == attempts_max) throw;
            lost = error;
        }
        log::debug("request.again", {{"request_id", request.request_id}, {"why", lost->what()}});
    }
}

// What an earlier request made, as it is now: the answer itself was lost in a crash right behind the commit.
awaitable<Response> Dispatch::show_made(const Request& request, std::string id) const {
    std::string kind = id.substr(0, id.find('-'));
    if (kind == "conv") kind = "conversation";
    if (kind == "identity") kind = "identitie";
    std::replace(kind.begin(), kind.end(), '_', '-');
    Router::Match match = router_.find("/v1/" + kind + "s/" + id);
    STELE_ASSERT(!match.routes.empty());
    const Route* route = route_for(match.routes, Method::get);
    STELE_ASSERT(route != nullptr);
    match.values = Router::named(std::move(match.values), *route);
    Request get{request.http,    Query(""), std::move(match.values), request.organization_id,
                request.user_id, false,     request.request_id,      {},
                nullptr};  // not of generation 2: who makes something is shown all of it
    co_return co_await route->handler(services_, get);
}

// The first request with a key is carried out, every later one gets its answer. A key whose request changed nothing is
// given free again.
awaitable<Response> Dispatch::call_once(const Route& route, Request& request) const {
    const std::string digest = co_await digest_of(request.http);
    const std::string key = *request.idempotency_key;
    const auto kept = co_await services_.idempotency.find(request.organization_id, key);
    if (kept) {
        if (kept->request_digest != digest)
            throw invalid_field("header.Idempotency-Key", "was used for another request before");
        if (kept->status == 0) {
            Error busy(ErrorCode::conflict, "A request with this Idempotency-Key is being worked on");
            busy.retry_after = std::chrono::seconds(1);
            throw busy;
        }
        Response again;
        if (kept->answer.starts_with(run_mark)) {
            again = co_await repeat_run(services_, request, kept->answer.substr(run_mark.size()));
        } else if (kept->answer.starts_with(storage::IdempotencyRepository::made_mark)) {
            again = co_await show_made(request, kept->answer.substr(storage::IdempotencyRepository::made_mark.size()));
        } else {
            again.status = static_cast<int>(kept->status);
            const bool sealed = kept->answer.starts_with(sealed_mark);
            again.body = sealed ? services_.sealer.open(std::string_view(kept->answer).substr(sealed_mark.size()))
                                : kept->answer;
        }
        again.headers.add("Idempotent-Replayed", "true");
        co_return again;
    }
    storage::Transaction claim;
    services_.idempotency.claim(claim, request.organization_id, key, digest);
    co_await services_.database.commit(std::move(claim));

    std::exception_ptr failure;  // of whatever kind: a key that is not given back refuses for good
    Response response;
    try {
        response = co_await call(route, request);
    } catch (...) {
        failure = std::current_exception();
    }
    storage::Transaction end;
    const bool is_run = response.headers.find(run_header) != nullptr;
    const bool refused = failure || response.status >= 400;
    if (refused || (response.producer && !is_run))  // a stream that makes nothing is told anew
        services_.idempotency.release(end, request.organization_id, key);
    else if (!is_run)  // a run keeps its answer itself, in the transaction of its first step
        services_.idempotency.keep(end, request.organization_id, key, response.status,
                                   std::string(sealed_mark) + services_.sealer.seal(response.body));
    co_await services_.database.commit(std::move(end));
    if (failure) std::rethrow_exception(std::move(failure));
    co_return response;
}

}  // namespace stele::api
