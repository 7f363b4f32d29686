#include "api/error_response.hpp"
#include "api/terminal_services.hpp"
#include "api/token_policy.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "domain/anthropic_request.hpp"
#include "llm/anthropic_proxy.hpp"
#include "net/url.hpp"
#include "runtime/message_capture.hpp"
#include "runtime/runtime.hpp"
#include "runtime/system_prompt.hpp"
#include "storage/provider_repository.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

// Calls in the shape of Anthropic's API that go through to Anthropic's server, or to Z.ai's imitation of it, as they
// are: the provider's key is put in here, answers and streams come back as they come. A request for a message that
// names an agent (header X-Agent-Id) is given its memory, and what was said becomes part of its history.
namespace stele::api {
namespace {

constexpr char agent_header[] = "X-Agent-Id";
constexpr auto answer_patience = std::chrono::minutes(10);
constexpr std::size_t answer_bytes_max = 512u << 20;
constexpr char zai_anthropic_path[] = "/api/anthropic";

// Of the client's headers, and of the server's, what belongs to the call and not to the way it takes.
constexpr std::string_view passed_there[] = {"accept", "content-type", "user-agent", "x-app"};
constexpr std::string_view passed_back[] = {"request-id", "retry-after", "retry-after-ms", "x-should-retry",
                                            "cache-control"};

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

bool is_passed(const std::string& header, std::span<const std::string_view> names) {
    const std::string name = lower(header);
    return name.starts_with("anthropic-") || std::find(names.begin(), names.end(), name) != names.end();
}

/// Where a call goes, and with which key.
struct Destination {
    std::string base_url;
    Secret key;
    net::HttpClient* http = nullptr;
    bool with_operators_key = true;
};

// Z.ai's server speaks its own protocol below one path and Anthropic's below another.
std::string base_of(const std::string& kind, std::string url) {
    while (url.ends_with('/')) url.pop_back();
    if (kind == "zai") {
        const std::size_t path = url.find('/', url.find("://") + 3);
        return url.substr(0, path) + zai_anthropic_path;
    }
    if (url.ends_with("/v1")) url.resize(url.size() - 3);
    return url;
}

// An organisation's own provider comes before the operator's, and a key that the request brings before both.
awaitable<Destination> destination_of(Services& services, const Request& request, std::string kind) {
    const TerminalServices& terminal = services.terminal;
    const ProxyTarget& target = terminal.proxies.at(kind);
    Destination made{target.base_url, target.key, &terminal.operator_http, true};
    storage::ProviderFilter filter;
    filter.provider_type = kind;
    storage::Page page;
    page.limit = 1;
    const auto own = co_await services.providers.list(request.organization_id, std::move(filter), std::move(page));
    if (!own.empty()) {
        made.key = own.front().api_key;
        made.http = &terminal.provider_http;
        made.with_operators_key = false;
        if (own.front().shown.base_url) made.base_url = base_of(kind, *own.front().shown.base_url);
    }
    const std::string* brought = request.http.headers.find("x-api-key");
    if (brought != nullptr && !brought->empty()) {
        made.key = Secret(*brought);
        made.with_operators_key = false;
    }
    if (made.key.empty())
        throw refused("There is no key for " + kind + ": send one in x-api-key, store a provider of the type '" + kind +
                      "', or start the server with " + (kind == "zai" ? "ZAI_API_KEY" : "ANTHROPIC_API_KEY"));
    co_return made;
}

// The rest of the path as it was sent. A step upwards would leave what the provider's address allows.
std::string rest_of(const Request& request, const std::string& kind) {
    const std::string mark = "/" + kind + "/v1/";
    const std::string& path = request.http.path;
    const std::size_t at = path.find(mark);
    std::string rest = at == std::string::npos ? std::string() : path.substr(at + mark.size());
    const std::string plain = "/" + net::percent_decode(rest, false).value_or("..") + "/";
    if (plain.find("/../") != std::string::npos || plain.find("/./") != std::string::npos ||
        plain.find('\\') != std::string::npos)
        throw refused("The path must not hold '.' or '..'");
    return rest + (request.http.query.empty() ? "" : "?" + request.http.query);
}

// Whether a call neither leaves anything in the key's account nor tells of what is there.
bool leaves_no_trace(Method method, std::string_view rest) {
    rest = rest.substr(0, rest.find('?'));
    if (method == Method::post) return rest == "messages" || rest == "messages/count_tokens";
    if (!only_reads(method)) return false;
    constexpr std::string_view models = "models/";
    return rest == "models" || (rest.starts_with(models) && rest.find_first_of("/%", models.size()) == rest.npos);
}

// All organisations use the operator's account, which is the default one's: batches and files in it are not for others.
void demand_own_account(const Request& request, const Destination& destination, const std::string& rest) {
    if (!destination.with_operators_key || request.organization_id == default_organization_id) return;
    if (leaves_no_trace(request.http.method, rest)) return;
    throw Error(ErrorCode::permission_denied,
                "With the operator's key there are messages, count_tokens and models alone. Send a key of your own in "
                "x-api-key, or store a provider with one");
}

net::ClientRequest call_of(const Request& request, const Destination& destination, const std::string& rest) {
    net::ClientRequest call;
    call.method = request.http.method == Method::head ? Method::get : request.http.method;
    call.url = destination.base_url + "/v1/" + rest;
    for (const auto& [name, value] : request.http.headers.fields())
        if (is_passed(name, passed_there)) call.headers.add(name, value);
    call.headers.add("x-api-key", std::string(destination.key.reveal()));
    if (request.http.headers.find("anthropic-version") == nullptr) call.headers.add("anthropic-version", "2023-06-01");
    call.body = request.body();
    call.head_timeout = call.idle_timeout = answer_patience;
    call.total_timeout = std::chrono::hours(1);
    call.body_bytes_max = answer_bytes_max;
    call.once = call.method != Method::get;
    return call;
}

/// Whose turn a call is, and what has come of it.
struct Listener {
    runtime::CaptureTask task;
    std::string messages;  ///< of the request, a JSON array
    llm::AnthropicAnswerReader reader{false};
};

awaitable<void> keep(Services& services, std::shared_ptr<Listener> listener) {
    auto turn = listener->reader.finish(listener->messages);
    if (!turn) co_return;
    listener->task.turn = std::move(*turn);
    const std::string agent_id = listener->task.agent_id;
    try {
        co_await services.terminal.capture.capture(std::move(listener->task));
    } catch (const Error& error) {  // the client has its answer already
        if (error.code == ErrorCode::cancelled) throw;
        log::warn("proxy.not_captured", {{"agent_id", agent_id}, {"why", error.what()}});
    }
}

// Passes the body on as it comes. A client that leaves ends the call at once, not with its next byte.
awaitable<void> pass_on(Services& services, std::shared_ptr<net::ClientStream> stream,
                        std::shared_ptr<Listener> listener, net::BodyWriter& writer) {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::cancellation_signal left;
    writer.on_close([&left] { left.emit(boost::asio::cancellation_type::terminal); });
    for (;;) {
        std::string bytes = co_await boost::asio::co_spawn(
            executor, stream->read(), boost::asio::bind_cancellation_slot(left.slot(), boost::asio::use_awaitable));
        if (bytes.empty()) break;
        if (listener) listener->reader.feed(bytes);
        co_await writer.write(std::move(bytes));
    }
    writer.on_close({});
    if (listener) co_await keep(services, std::move(listener));
}

Response answer_of(Services& services, std::shared_ptr<net::ClientStream> stream, std::shared_ptr<Listener> listener) {
    Response response;
    response.status = stream->status();
    const std::string* type = stream->headers().find("Content-Type");
    response.content_type = type == nullptr ? "application/octet-stream" : *type;
    for (const auto& [name, value] : stream->headers().fields())
        if (is_passed(name, passed_back)) response.headers.add(name, value);
    if (response.status == 204 || response.status == 304) return response;
    if (response.status != 200) listener.reset();
    if (listener) listener->reader = llm::AnthropicAnswerReader(response.content_type.starts_with("text/event-stream"));
    response.producer = [&services, stream = std::move(stream), listener = std::move(listener)](
                            net::BodyWriter& writer) { return pass_on(services, stream, listener, writer); };
    return response;
}

// With the status and headers that every other route gives, and `error` as clients of that API read it.
Response refusal(const Error& error, const std::string& request_id) {
    Response response = error_response(error, request_id);
    AnthropicError told;
    told.type = response.status == 404   ? "not_found_error"
                : response.status == 403 ? "permission_error"
                : response.status == 429 ? "rate_limit_error"
                : response.status >= 500 ? "api_error"
                                         : "invalid_request_error";
    told.message = error.code == ErrorCode::internal ? "An unknown error occurred" : error.what();
    response.body = "{\"type\":\"error\",\"error\":" + to_json(told) + "," + response.body.substr(1);
    return response;
}

awaitable<Response> call(Services& services, const Request& request, std::string kind, net::ClientRequest made,
                         net::HttpClient& http, std::shared_ptr<Listener> listener) {
    std::optional<Error> failure;
    try {
        std::shared_ptr<net::ClientStream> stream = co_await http.open(std::move(made));
        co_return answer_of(services, std::move(stream), std::move(listener));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error;
    }
    log::warn("proxy.failed", {{"request_id", request.request_id}, {"provider", kind}, {"why", failure->what()}});
    throw std::move(*failure);
}

awaitable<std::shared_ptr<Listener>> listener_of(Services& services, const Request& request, const std::string& kind,
                                                 const AnthropicMessagesRequest& body, std::string& text) {
    const std::string* named = request.http.headers.find(agent_header);
    if (named == nullptr || named->empty()) co_return nullptr;
    if (!is_id(*named, "agent")) throw refused(std::string(agent_header) + " must match 'agent-{uuid4}'");
    auto loaded = co_await services.runtime.load_refreshed(request.organization_id, *named, std::string());
    if (!loaded) throw not_found("Agent", *named);
    if (!loaded->messages.empty()) {
        const std::string system = text_of(loaded->messages.front());
        const std::string_view memory = runtime::memory_section_of(system);
        if (!memory.empty()) text = llm::with_memory(text, memory);
    }
    auto listener = std::make_shared<Listener>();
    listener->task.organization_id = request.organization_id;
    listener->task.user_id = request.user_id;
    listener->task.request_id = request.request_id;
    listener->task.agent_id = *named;
    listener->task.provider = kind;
    listener->task.model = body.model;
    listener->messages = "[";
    for (const Json& message : body.messages)
        listener->messages += (listener->messages.size() > 1 ? "," : "") + message.text;
    listener->messages += "]";
    co_return listener;
}

awaitable<Response> messages(Services& services, const Request& request, std::string kind) {
    std::optional<Error> failure;
    try {
        const auto body = decode<AnthropicMessagesRequest>(request.body());
        const Destination destination = co_await destination_of(services, request, kind);
        std::string text = request.body();
        auto listener = co_await listener_of(services, request, kind, body, text);
        net::ClientRequest made = call_of(request, destination, rest_of(request, kind));
        made.body = std::move(text);
        co_return co_await call(services, request, kind, std::move(made), *destination.http, std::move(listener));
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error;
    }
    if (request.idempotency_key) throw std::move(*failure);  // dispatch gives the key free
    co_return refusal(*failure, request.request_id);
}

awaitable<Response> pass(Services& services, const Request& request, std::string kind) {
    std::optional<Error> failure;
    try {
        const std::string rest = rest_of(request, kind);
        const Destination destination = co_await destination_of(services, request, kind);
        demand_own_account(request, destination, rest);
        net::ClientRequest made = call_of(request, destination, rest);
        co_return co_await call(services, request, kind, std::move(made), *destination.http, nullptr);
    } catch (const Error& error) {
        if (error.code == ErrorCode::cancelled) throw;
        failure = error;
    }
    if (request.idempotency_key) throw std::move(*failure);
    co_return refusal(*failure, request.request_id);
}

awaitable<Response> anthropic_messages(Services& services, const Request& request) {
    co_return co_await messages(services, request, "anthropic");
}
awaitable<Response> anthropic_pass(Services& services, const Request& request) {
    co_return co_await pass(services, request, "anthropic");
}
awaitable<Response> zai_messages(Services& services, const Request& request) {
    co_return co_await messages(services, request, "zai");
}
awaitable<Response> zai_pass(Services& services, const Request& request) {
    co_return co_await pass(services, request, "zai");
}

}  // namespace

std::span<const Route> model_proxy_routes() {
    static constexpr char anthropic[] = "/v1/anthropic/v1/{endpoint...}", zai[] = "/v1/zai/v1/{endpoint...}";
    static constexpr Route routes[] = {
        {Method::post, "/v1/anthropic/v1/messages", anthropic_messages, "anthropic.messages.create",
         "AnthropicMessagesRequest", "application/json"},
        {Method::get, anthropic, anthropic_pass, "anthropic.get", "", "application/json"},
        {Method::post, anthropic, anthropic_pass, "anthropic.post", "", "application/json"},
        {Method::put, anthropic, anthropic_pass, "anthropic.put", "", "application/json"},
        {Method::patch, anthropic, anthropic_pass, "anthropic.patch", "", "application/json"},
        {Method::delete_, anthropic, anthropic_pass, "anthropic.delete", "", "application/json"},
        {Method::post, "/v1/zai/v1/messages", zai_messages, "zai.messages.create", "AnthropicMessagesRequest",
         "application/json"},
        {Method::get, zai, zai_pass, "zai.get", "", "application/json"},
        {Method::post, zai, zai_pass, "zai.post", "", "application/json"},
        {Method::put, zai, zai_pass, "zai.put", "", "application/json"},
        {Method::patch, zai, zai_pass, "zai.patch", "", "application/json"},
        {Method::delete_, zai, zai_pass, "zai.delete", "", "application/json"},
    };
    return routes;
}

}  // namespace stele::api
