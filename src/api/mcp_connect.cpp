#include "api/mcp_common.hpp"
#include "base/log.hpp"
#include "net/sse.hpp"
#include "net/url.hpp"
#include "storage/mcp_login_repository.hpp"
#include "storage/mcp_server_repository.hpp"
#include "tools/mcp/client.hpp"
#include "tools/mcp/oauth_login.hpp"
#include "tools/mcp/tool_sync.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stele::api {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_interval = std::chrono::milliseconds(250);  // at a login that waits
constexpr auto keep_alive_interval = std::chrono::seconds(15);

/// What a connect stream is about.
struct Connecting {
    McpServer server;
    std::string user_id, redirect_uri;
};

/// How one attempt to reach the server ended: an event, or a challenge that only a login answers.
struct Attempt {
    McpConnectEvent event;
    bool wants_login = false;
    std::string challenge;
};

awaitable<void> write_event(net::BodyWriter& writer, McpConnectEvent event) {
    std::string frame;
    net::append_sse_json(frame, to_json(event));
    co_await writer.write(std::move(frame));
}

McpConnectEvent event_named(const char* name, std::string message = {}) {
    McpConnectEvent event;
    event.event = name;
    if (!message.empty()) event.message = std::move(message);
    return event;
}

bool logs_in(const McpServer& server) {
    return server.type != McpServerType::stdio && credential_of(server.config).empty();
}

// What went wrong is an event: the stream has begun.
awaitable<Attempt> try_to_connect(Services& services, McpServer server) {
    tools::mcp::Caller caller;
    caller.organization_id = server.organization_id;
    const bool may_log_in = logs_in(server);
    Attempt attempt;
    attempt.event = event_named("error");
    try {
        tools::mcp::Offers offers = co_await services.mcp.offered(std::move(server), std::move(caller));
        attempt.event.tools = std::move(offers.tools);
        attempt.event.event = "success";
    } catch (const tools::mcp::Unauthorized& wanted) {
        attempt.wants_login = may_log_in;
        attempt.challenge = wanted.challenge;
        attempt.event.message = std::string("The MCP server refuses the credential that is configured for it");
    } catch (const Error& error) {
        attempt.event.message = std::string(error.what());
    }
    co_return attempt;
}

// Null once the client is gone.
awaitable<std::optional<storage::McpOauthSession>> wait_for_end(Services& services, std::string session_id,
                                                                net::BodyWriter& writer) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    writer.on_close([&timer] { timer.cancel(); });
    const auto until = Clock::now() + services.mcp_oauth.login_patience();
    auto spoken = Clock::now();
    std::optional<storage::McpOauthSession> session;
    while (!writer.closed()) {
        session = co_await services.mcp_logins.find(session_id);
        const bool waits = session && (session->status == "pending" || session->status == "claimed");
        if (!waits || writer.ending() || Clock::now() >= until) break;
        if (Clock::now() - spoken >= keep_alive_interval) {
            spoken = Clock::now();
            std::string comment;
            net::append_sse_comment(comment, "waiting");
            co_await writer.write(std::move(comment));
        }
        timer.expires_after(look_interval);
        boost::system::error_code woken;
        co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    writer.on_close({});
    if (writer.closed()) session.reset();
    co_return session;
}

// The server as it is reached after its login: the stored one that has the tokens now, else with those of the login.
awaitable<McpServer> logged_in(Services& services, McpServer server, storage::McpOauthSession session) {
    if (session.status == "adopted") {
        auto stored = co_await services.mcp_servers.find(server.organization_id, session.login.server_id);
        if (stored) co_return std::move(*stored);
    }
    server.tokens = std::move(session.login.tokens);
    server.login_id = std::move(session.id);
    co_return server;
}

awaitable<void> take_its_tools(Services& services, McpServer server, std::string user_id) {
    const std::string id = server.id;
    try {
        tools::mcp::Caller nobody;
        nobody.organization_id = server.organization_id;
        co_await services.mcp_sync.resync(std::move(server), std::move(user_id), false, std::move(nobody));
    } catch (const Error& error) {
        log::info("mcp.not_synced", {{"mcp_server_id", id}, {"why", error.what()}});
    }
}

awaitable<void> tell_login(Services& services, Connecting job, std::string challenge, net::BodyWriter& writer) {
    McpConnectEvent required = event_named("oauth_required", "The MCP server wants a login");
    co_await write_event(writer, std::move(required));
    tools::mcp::OauthLogins::Begun begun;
    std::string failure;
    try {
        begun = co_await services.mcp_oauth.begin(job.server, job.user_id, std::move(challenge), job.redirect_uri);
    } catch (const Error& error) {
        failure = error.what();
    }
    if (!failure.empty()) {
        McpConnectEvent error = event_named("error", std::move(failure));
        co_return co_await write_event(writer, std::move(error));
    }
    McpConnectEvent page = event_named("authorization_url");
    page.url = begun.url;
    page.session_id = begun.session_id;
    co_await write_event(writer, std::move(page));
    McpConnectEvent waiting = event_named("waiting_for_auth", "Waiting for somebody to log in at that address");
    co_await write_event(writer, std::move(waiting));

    std::optional<storage::McpOauthSession> session = co_await wait_for_end(services, begun.session_id, writer);
    if (writer.closed()) co_return;
    const bool ended = session && (session->status == "authorized" || session->status == "adopted");
    if (!ended) {
        McpConnectEvent over = event_named("error", "Nobody logged in within the time allowed");
        if (writer.ending()) over.message = std::string("The server is stopping");
        if (session && session->failure) over.message = *session->failure;
        co_return co_await write_event(writer, std::move(over));
    }
    McpServer server = co_await logged_in(services, std::move(job.server), std::move(*session));
    Attempt attempt = co_await try_to_connect(services, server);
    if (attempt.wants_login) attempt.event.message = std::string("The MCP server refuses the token of the login");
    const bool stored = server.stored && attempt.event.event == "success";
    if (stored) co_await take_its_tools(services, std::move(server), std::move(job.user_id));
    co_await write_event(writer, std::move(attempt.event));
}

awaitable<void> tell_connecting(Services& services, Connecting job, net::BodyWriter& writer) {
    McpConnectEvent begun = event_named("connection_attempt");
    begun.server_name = job.server.server_name;
    co_await write_event(writer, std::move(begun));
    if (!job.server.stored && logs_in(job.server)) co_await services.mcp_oauth.lend_login(job.server);
    Attempt attempt;
    const bool wants_more = logs_in(job.server) && job.server.tokens && !job.server.tokens->wanted_scope.empty();
    if (wants_more)
        attempt.wants_login = true;
    else
        attempt = co_await try_to_connect(services, job.server);
    if (attempt.wants_login)
        co_await tell_login(services, std::move(job), std::move(attempt.challenge), writer);
    else
        co_await write_event(writer, std::move(attempt.event));
}

}  // namespace

std::string mcp_public_url(const Services& services, const Request& request) {
    if (!services.facts.public_url.empty()) return services.facts.public_url;
    const std::string* host = request.http.headers.find("Host");
    const std::string url = (services.facts.tls ? "https://" : "http://") + (host == nullptr ? std::string() : *host);
    const auto parsed = net::parse_url(url);
    if (!parsed || parsed->target != "/")
        throw invalid_field("header.Host", "must name this server, unless it was started with --public-url");
    return url;
}

Response mcp_connect_stream(Services& services, const Request& request, McpServer server) {
    Connecting job;
    job.server = std::move(server);
    job.user_id = request.user_id;
    job.redirect_uri = mcp_public_url(services, request) + mcp_callback_path;
    Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers.add("Cache-Control", "no-cache");
    response.headers.add("X-Accel-Buffering", "no");
    response.producer = [&services, job = std::move(job)](net::BodyWriter& writer) {
        return tell_connecting(services, job, writer);
    };
    return response;
}

}  // namespace stele::api
