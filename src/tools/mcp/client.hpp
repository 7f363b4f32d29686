#pragma once

#include "net/client.hpp"
#include "storage/mcp_server_repository.hpp"
#include "storage/tool_repository.hpp"
#include "tools/mcp/connect.hpp"
#include "tools/mcp/content.hpp"
#include "tools/mcp/launch.hpp"
#include "tools/mcp/oauth_tokens.hpp"

#include <map>
#include <mutex>

namespace stele::tools::mcp {

struct ClientOptions {
    bool private_addresses = false;  ///< servers may be on this machine and in private networks
    bool stdio = false;              ///< servers may be commands
    LaunchOptions launch;            ///< of those
    bool from_file = false;          ///< a file says what the servers are like, not the API
    std::chrono::milliseconds connect_patience{30'000}, list_patience{30'000}, call_silence{60'000},
        call_patience{300'000};
};

/// References outlive the client.
struct ClientParts {
    storage::Database& database;
    const storage::McpServerRepository& servers;
    const storage::ToolRepository& tools;
    const Sealer& sealer;
    net::HttpClient& http;  ///< goes to public addresses alone unless the options say otherwise
    OauthTokens& tokens;    ///< of logins
    ClientOptions options;
};

/// For whom a server is spoken with.
struct Caller {
    std::string organization_id;
    std::string agent_id;  ///< of that organisation; empty: nobody's run. Its secrets fill {{ NAME }} in headers
};

/// What a server says that it has.
struct Offers {
    std::vector<McpTool> tools;
    bool whole = true;  ///< false: the list was cut, or was none, so what is not in it may well be there
};

/// Speaks with MCP servers. Sessions are kept and used again, one set for each agent. Whatever a server does, a call
/// has an end in time and is bounded in size. Thread-safe.
class Client {
public:
    explicit Client(ClientParts parts);
    ~Client();

    const ClientOptions& options() const { return parts_.options; }

    /// Calls the server's tool that `tool` (of type external_mcp) stands for. Whatever goes wrong there is a result
    /// that is not ok, for the model. A tool whose server offers another description or schema than was approved is not
    /// called, and marked. Throws Error{cancelled} when the coroutine is cancelled, and failures of the store.
    boost::asio::awaitable<CallResult> call(Tool tool, std::string arguments_json, Caller caller);

    /// The same by the server's own name of the tool, whether it is stored or not.
    boost::asio::awaitable<CallResult> call(McpServer server, std::string remote_name, std::string arguments_json,
                                            Caller caller);

    /// The tools that the server offers now. Throws Error{timed_out, unavailable, permission_denied}, Unauthorized for
    /// a server that wants a login.
    boost::asio::awaitable<Offers> offered(McpServer server, Caller caller);

private:
    /// What is known of a server from earlier contacts.
    struct Known {
        std::optional<Era> era;
        std::map<std::string, McpTool> tools;
        std::size_t bytes = 0;  ///< of the tools
        std::chrono::steady_clock::time_point listed_until{};
    };
    struct Opened {
        std::unique_ptr<Session> session;
        std::string key;
        bool fresh = false;
    };

    boost::asio::awaitable<CallResult> guarded_call(McpServer server, std::optional<Tool> tool, std::string remote_name,
                                                    std::string arguments_json, Caller caller);
    boost::asio::awaitable<CallResult> call_once(McpServer server, std::optional<Tool> tool, std::string remote_name,
                                                 std::string arguments_json, Caller caller);
    boost::asio::awaitable<TextMap> secrets_for(const McpServer& server, std::string agent_id) const;
    boost::asio::awaitable<std::unique_ptr<Session>> begin(McpServer server, TextMap headers, std::optional<Era> era);
    boost::asio::awaitable<Opened> open(McpServer server, Caller caller);
    boost::asio::awaitable<bool> renew_login(McpServer& server, std::string challenge);
    boost::asio::awaitable<Offers> list(Session& session, const McpServer& server);
    boost::asio::awaitable<void> mark_changed(McpServer server, Tool tool, McpTool offer);
    std::optional<McpTool> known_tool(const McpServer& server, const std::string& name);
    bool list_is_old(const McpServer& server);
    void forget_list(const McpServer& server);
    void remember(const McpServer& server, const std::vector<McpTool>& tools,
                  std::chrono::steady_clock::time_point until);
    Known& known(const McpServer& server);  ///< under the mutex

    ClientParts parts_;
    std::mutex mutex_;
    std::map<std::string, Known> known_;
    std::size_t known_bytes_ = 0;
};

}  // namespace stele::tools::mcp
