#include "tools/mcp/client.hpp"

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "storage/agent_repository.hpp"
#include "tools/mcp/address.hpp"
#include "tools/mcp/headers.hpp"
#include "tools/mcp/oauth_challenge.hpp"
#include "tools/mcp/session_pool.hpp"
#include "tools/mcp/stdio_session.hpp"
#include "tools/mcp/tool_list.hpp"

#include <sodium.h>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;
using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr std::size_t known_max = 1'000;             // servers that something is remembered of
constexpr std::size_t known_bytes_max = 64u << 20;   // of all their tools
constexpr std::size_t result_bytes_max = 32u << 20;  // of one call: a picture of 20 MiB as base64, and words
constexpr std::size_t error_characters_max = 2'000;
constexpr auto list_age_least = std::chrono::seconds(60), list_age = std::chrono::seconds(300);
constexpr int attempts_max = 2;

std::string hash_of(const std::string& text) {
    unsigned char hash[16];
    crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    return {reinterpret_cast<const char*>(hash), sizeof hash};
}

std::string server_key(const McpServer& server) { return server.id + "\n" + hash_of(to_json(server.config)); }

// Sessions are shared by calls that look the same to the server.
std::string session_key(const McpServer& server, const TextMap& headers) {
    std::string text;
    for (const auto& [name, value] : headers) text += name + ": " + value + "\n";
    return server_key(server) + hash_of(text);
}

CallResult failed(std::string text) { return {false, false, std::move(text)}; }

CallResult result_of(RpcAnswer answer) {
    if (answer.result) return call_result(*answer.result);
    CallResult refusal;
    refusal.answered = answer.error.code == invalid_params;  // there is no such tool, or not with such arguments
    std::string why = answer.error.message;
    std::erase(why, '\0');
    why.resize(first_code_points(why, error_characters_max).size());
    refusal.text = "The MCP server refused the call: " + (why.empty() ? std::to_string(answer.error.code) : why);
    return refusal;
}

std::size_t bytes_of(const McpTool& tool) {
    std::size_t bytes = 0;
    if (tool.health)
        for (const std::string& reason : tool.health->reasons) bytes += reason.size();
    return bytes + tool.name.size() + tool.description.value_or("").size() + tool.inputSchema.text.size() +
           tool.outputSchema.text.size() + tool.annotations.text.size() + tool._meta.text.size() + sizeof tool;
}

std::optional<McpTool> named(const std::vector<McpTool>& tools, const std::string& name) {
    const auto found = std::find_if(tools.begin(), tools.end(), [&](const McpTool& tool) { return tool.name == name; });
    return found == tools.end() ? std::nullopt : std::optional(*found);
}

std::string login_wanted(const McpServer& server, const std::string& challenge) {
    const bool more = parse_challenge(challenge).wants_more_rights();
    return "The MCP server '" + server.server_name + "' wants " + (more ? "more rights" : "a login") +
           ". An operator can log in by connecting to it";
}

}  // namespace

Client::Client(ClientParts parts) : parts_(std::move(parts)) {}
Client::~Client() = default;

Client::Known& Client::known(const McpServer& server) {
    const std::string key = server_key(server);
    if (known_.size() >= known_max && !known_.contains(key)) {
        known_.clear();
        known_bytes_ = 0;
    }
    return known_[key];
}

void Client::remember(const McpServer& server, const std::vector<McpTool>& tools, Clock::time_point until) {
    const std::lock_guard lock(mutex_);
    known_bytes_ -= known(server).bytes;
    Known about;
    about.era = known(server).era;
    about.listed_until = until;
    for (const McpTool& tool : tools) {
        about.bytes += bytes_of(tool);
        about.tools.emplace(tool.name, tool);
    }
    known_bytes_ += about.bytes;
    if (known_bytes_ > known_bytes_max) {  // the others are asked again when they are wanted
        known_.clear();
        known_bytes_ = about.bytes;
    }
    known(server) = std::move(about);
}

std::optional<McpTool> Client::known_tool(const McpServer& server, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const Known& about = known(server);
    const auto found = about.tools.find(name);
    return found == about.tools.end() ? std::nullopt : std::optional(found->second);
}

bool Client::list_is_old(const McpServer& server) {
    const std::lock_guard lock(mutex_);
    return known(server).listed_until <= Clock::now();
}

void Client::forget_list(const McpServer& server) {
    const std::lock_guard lock(mutex_);
    known(server).listed_until = {};
}

// Read only where a header has a place for one.
awaitable<TextMap> Client::secrets_for(const McpServer& server, std::string agent_id) const {
    TextMap secrets;
    if (agent_id.empty() || to_json(server.config).find("{{") == std::string::npos) co_return secrets;
    storage::Rows rows =
        co_await parts_.database.query(storage::AgentRepository::variables_statement(), std::move(agent_id));
    for (const storage::SealedVariable& variable : storage::AgentRepository::variables_from_rows(std::move(rows)))
        secrets.emplace_back(variable.name, parts_.sealer.open(variable.sealed_value));
    co_return secrets;
}

awaitable<std::unique_ptr<Session>> Client::begin(McpServer server, TextMap headers, std::optional<Era> era) {
    if (server.type == McpServerType::stdio) {
        if (!parts_.options.stdio)
            throw Error(ErrorCode::permission_denied, "MCP servers that are commands (stdio) are switched off");
        const auto executor = co_await boost::asio::this_coro::executor;
        auto session = std::make_unique<StdioSession>(executor, launch_of(server, parts_.options.launch));
        Patience patience;
        patience.total = patience.silence = parts_.options.connect_patience;
        co_await session->begin(era, patience);
        co_return std::unique_ptr<Session>(std::move(session));
    }
    Endpoint endpoint;
    endpoint.url = server.config.server_url.value_or("");
    if (const std::string problem = address_problem(endpoint.url, parts_.options.private_addresses); !problem.empty())
        throw Error(ErrorCode::permission_denied, "The address of the MCP server " + problem);
    endpoint.configured_as_sse = server.type == McpServerType::sse;
    endpoint.headers = std::move(headers);
    endpoint.patience = parts_.options.connect_patience;
    endpoint.known = era;
    co_return co_await connect(parts_.http, std::move(endpoint));
}

// True if it is worth while to try once more. More rights than the login gave are remembered for the next one.
awaitable<bool> Client::renew_login(McpServer& server, std::string challenge) {
    if (!OauthTokens::uses_login(server)) co_return false;
    const Challenge wanted = parse_challenge(challenge);
    if (wanted.wants_more_rights()) {
        co_await parts_.tokens.want_scope(server, wanted.scope);
        co_return false;
    }
    if (server.tokens->refresh_token.empty()) co_return false;
    server.tokens = co_await parts_.tokens.refreshed(server);
    co_return true;
}

awaitable<Client::Opened> Client::open(McpServer server, Caller caller) {
    Opened opened;
    if (OauthTokens::wants_refresh(server)) {
        std::optional<McpTokens> fresh;
        try {
            fresh = co_await parts_.tokens.refreshed(server);
        } catch (const Unauthorized&) {
            // The login is over. The server is asked all the same: it says how to get another.
        }
        if (fresh) server.tokens = std::move(*fresh);
    }
    const TextMap secrets = co_await secrets_for(server, caller.agent_id);
    const TextMap headers = server_headers(server, caller.agent_id, secrets);
    opened.key = session_key(server, headers);
    const auto executor = co_await boost::asio::this_coro::executor;
    opened.session = SessionPool::of(executor).take(opened.key);
    if (opened.session) co_return opened;
    std::optional<Era> era;
    {
        const std::lock_guard lock(mutex_);
        era = known(server).era;
    }
    bool changed = false;
    try {
        opened.session = co_await begin(server, headers, era);
    } catch (const Error& error) {
        // It may speak otherwise than it did: what was remembered is forgotten, and it is asked once more.
        if (!era || error.code != ErrorCode::unavailable) throw;
        changed = true;
    }
    if (changed) opened.session = co_await begin(server, headers, std::nullopt);
    opened.fresh = true;
    const std::lock_guard lock(mutex_);
    known(server).era = opened.session->era();
    co_return opened;
}

awaitable<Offers> Client::list(Session& session, const McpServer& server) {
    const auto until = Clock::now() + parts_.options.list_patience;
    ToolList tools;
    for (bool more = true; more;) {
        Patience patience;
        patience.total = patience.silence = std::max(
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()), std::chrono::milliseconds(1));
        json::object params;
        if (!tools.cursor().empty()) params["cursor"] = tools.cursor();
        RpcAnswer answer = co_await session.request("tools/list", std::move(params), patience, {});
        if (!answer.result && answer.error.code == method_not_found) break;  // a server without tools
        if (!answer.result)
            throw Error(ErrorCode::unavailable, "The MCP server refused to list its tools: " + answer.error.message);
        more = tools.take(*answer.result);
    }
    if (!tools.problem().empty()) log::warn("mcp.list_cut", {{"server_id", server.id}, {"why", tools.problem()}});
    const auto told = std::chrono::milliseconds(tools.ttl_ms());
    Offers offers;
    offers.whole = tools.problem().empty();
    offers.tools = tools.take_tools();
    if (session.era() == Era::modern &&
        server.type != McpServerType::stdio)  // a wrong annotation makes a tool one that can't be called
        std::erase_if(offers.tools, [](const McpTool& tool) {
            return !parameter_headers(parsed(tool.inputSchema.text), {}).has_value();
        });
    remember(server, offers.tools,
             Clock::now() + (told.count() > 0 ? std::max<Clock::duration>(told, list_age_least) : list_age));
    co_return offers;
}

awaitable<Offers> Client::offered(McpServer server, Caller caller) {
    bool renewed = false;
    for (int attempt = 1;; ++attempt) {
        Opened opened;
        bool lost = false;
        Offers found;
        std::optional<Unauthorized> unauthorized;
        try {
            opened = co_await open(server, caller);
            found = co_await list(*opened.session, server);
        } catch (const SessionLost&) {
            if (opened.fresh || attempt >= attempts_max) throw;
            lost = true;
        } catch (const Unauthorized& wanted) {
            unauthorized = wanted;
        }
        if (lost) continue;
        if (unauthorized) {
            bool again = false;
            try {
                if (!renewed) again = co_await renew_login(server, unauthorized->challenge);
            } catch (const Unauthorized&) {
                // The login is over; the server's own challenge says how to get another.
            }
            if (!again) throw *unauthorized;
            renewed = true;
            continue;
        }
        const auto executor = co_await boost::asio::this_coro::executor;
        SessionPool::of(executor).give(opened.key, std::move(opened.session));
        co_return found;
    }
}

awaitable<void> Client::mark_changed(McpServer server, Tool tool, McpTool offer) {
    hold_back(tool, offer, server);
    storage::Transaction transaction;
    parts_.tools.update(transaction, server.organization_id, tool);
    try {
        co_await parts_.database.commit(std::move(transaction));
    } catch (const Error& error) {
        if (error.code != ErrorCode::conflict) throw;  // somebody else wrote it: the next call sees the change again
    }
}

awaitable<CallResult> Client::call_once(McpServer server, std::optional<Tool> tool, std::string remote_name,
                                        std::string arguments_json, Caller caller) {
    Opened opened = co_await open(server, caller);
    Session& session = *opened.session;
    // Tools may have changed behind our back: looked at with every new session, when the server says so, and in between
    // when its list is old.
    const bool said_so = session.take_tools_changed();
    std::optional<McpTool> offer = known_tool(server, remote_name);
    if (opened.fresh || said_so || list_is_old(server)) {  // it is old too if it was forgotten meanwhile
        const Offers offers = co_await list(session, server);
        offer = named(offers.tools, remote_name);
    }
    if (tool && offer) {
        const std::optional<ToolOrigin> origin = origin_of(*tool);
        if (origin && !is_as_approved(*tool, *offer, server)) {
            co_await mark_changed(server, *tool, *offer);
            co_return failed(
                "The MCP server has changed the description or the parameters of this tool. It was not "
                "called, and can be once an operator has approved of the change");
        }
    }
    json::value arguments = parsed(arguments_json);
    if (!arguments.is_object()) co_return failed("The arguments of this call are no JSON object");
    TextMap headers;
    if (session.era() == Era::modern) {
        if (offer) headers = parameter_headers(parsed(offer->inputSchema.text), arguments).value_or(TextMap());
        headers.emplace_back("Mcp-Name", header_value(remote_name));
    }
    Patience patience;
    patience.silence = parts_.options.call_silence;
    patience.total = std::max(parts_.options.call_patience, patience.silence);
    patience.bytes_max = result_bytes_max;
    json::object params{{"name", remote_name}, {"arguments", std::move(arguments)}};
    params["_meta"] = json::object{{"progressToken", remote_name}};
    RpcAnswer answer = co_await session.request("tools/call", std::move(params), patience, headers);
    if (session.take_tools_changed()) forget_list(server);  // the next call may have another session, and asks too
    if (answer.error.code == header_mismatch && !answer.result) {
        // The tool's schema may be another now: nothing was done yet.
        co_await list(session, server);
        throw SessionLost();
    }
    const auto executor = co_await boost::asio::this_coro::executor;
    SessionPool::of(executor).give(opened.key, std::move(opened.session));
    co_return result_of(std::move(answer));
}

awaitable<CallResult> Client::guarded_call(McpServer server, std::optional<Tool> tool, std::string remote_name,
                                           std::string arguments_json, Caller caller) {
    bool renewed = false;
    for (int attempt = 1;; ++attempt) {
        std::string why;
        std::optional<std::string> challenge;
        try {
            CallResult result = co_await call_once(server, tool, remote_name, arguments_json, caller);
            co_return result;
        } catch (const SessionLost& lost) {
            if (attempt < attempts_max) continue;
            why = lost.what();
        } catch (const Unauthorized& wanted) {
            challenge = wanted.challenge;
        } catch (const Error& error) {
            if (error.code == ErrorCode::cancelled || error.code == ErrorCode::internal) throw;
            why = error.what();
            if (error.code == ErrorCode::timed_out) why += ". Whether the call took effect is not known";
        } catch (const boost::system::system_error&) {  // Asio's own, between two operations
            throw Error(ErrorCode::cancelled, "The call was cancelled");
        }
        if (challenge) {
            why = login_wanted(server, *challenge);
            try {
                bool again = false;
                if (!renewed) again = co_await renew_login(server, *challenge);
                if (again) {
                    renewed = true;
                    continue;
                }
            } catch (const Unauthorized&) {
                // the login is over: said already
            } catch (const Error& error) {
                if (error.code == ErrorCode::cancelled || error.code == ErrorCode::internal) throw;
                why = error.what();
            }
        }
        co_return failed(std::move(why));
    }
}

awaitable<CallResult> Client::call(McpServer server, std::string remote_name, std::string arguments_json,
                                   Caller caller) {
    return guarded_call(std::move(server), std::nullopt, std::move(remote_name), std::move(arguments_json),
                        std::move(caller));
}

awaitable<CallResult> Client::call(Tool tool, std::string arguments_json, Caller caller) {
    const std::optional<ToolOrigin> origin = origin_of(tool);
    if (!origin) co_return failed("The tool '" + tool.name + "' is of no MCP server");
    if (origin->waits_for_approval)
        co_return failed(
            "The MCP server has changed the description or the parameters of this tool. It can be called "
            "again once an operator has approved of the change");
    std::optional<McpServer> server = co_await parts_.servers.find(caller.organization_id, origin->server_id);
    if (!server) co_return failed("The MCP server '" + origin->server_name + "' of this tool is not known here");
    CallResult result = co_await guarded_call(std::move(*server), std::move(tool), origin->remote_name,
                                              std::move(arguments_json), std::move(caller));
    co_return result;
}

}  // namespace stele::tools::mcp
