#pragma once

#include "base/log.hpp"
#include "base/secret.hpp"
#include "llm/providers.hpp"
#include "tools/web/web_access.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stele::app {

/// How the server runs. Every member has a flag, an environment variable STELE_<NAME> and a key in the TOML file; a
/// flag beats the environment, which beats the file.
struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8283;
    std::filesystem::path data;  ///< folder; holds stele.db and the key that seals secrets
    Secret password;
    Secret secret_key;                ///< empty: one is made and kept in the data folder
    int threads = 0;                  ///< 0: one a core
    std::string durability = "full";  ///< full: survives a power cut; normal: a cut may lose the last commits
    std::string tls_cert, tls_key;    ///< PEM files; both or none
    std::string public_url;           ///< as browsers reach this server; empty: as each request names it
    std::vector<std::string> cors_origins;
    bool token_require_origin = true;        ///< access tokens are for pages of their origin; else also for programs
    bool no_default_actor = false;           ///< a request of an administrator has to name a user in its header user_id
    std::int64_t body_bytes_max = 58 << 20;  ///< a file of 50 MiB in its form, and a little more
    std::int64_t header_bytes_max = 64 << 10;
    std::int64_t agent_file_bytes_max = std::int64_t{2} << 30;  ///< of the body of an import
    std::int64_t connections_max = 10'000;
    std::int64_t requests_max = 4'096;
    std::int64_t bodies_bytes_max = 1 << 30;
    std::int64_t head_timeout_seconds = 30, body_timeout_seconds = 60;
    std::int64_t idle_timeout_seconds = 75, write_timeout_seconds = 30;
    std::int64_t grace_seconds = 10;  ///< for requests at work when the server is asked to stop
    log::Level log_level = log::Level::info;
    log::Format log_format = log::Format::text;
    std::vector<std::string> tool_env_passthrough;  ///< variables of the server that tools may see
    bool redact_secrets = false;                    ///< answers leave the values of secrets out
    bool traces = true;                             ///< keep each step's exchange with the model
    std::string default_model = "stele/offline";
    std::string default_embedding = "stele/hash";
    std::int64_t embedding_query_seconds = 10;  ///< how long a search waits for the vector of its query
    std::int64_t archival_tokens_max = 8'192;   ///< of a text that a client adds to an agent's archive
    std::int64_t vector_cache_mib = 512;        ///< what copies of vectors in memory may take
    std::int64_t context_window_max = 128'000;
    std::int64_t schedule_patience_seconds = 600;  ///< how long a planned message waits for a busy agent
    std::int64_t batch_concurrency = 4;            ///< requests of batches that are worked on at once
    bool batch_native = true;                      ///< batches go to the providers' own, where there are any
    std::int64_t batch_look_seconds = 30;          ///< between two looks at what a provider's batch has come to
    bool egress_private = false;     ///< URLs that requests name, such as callbacks, may lead into private networks
    bool providers_private = false;  ///< stored providers may be on this machine and in private networks
    bool tools_mcp_private = false;  ///< MCP servers may be on this machine and in private networks
    bool tools_mcp_stdio = false;    ///< MCP servers may be commands, which run in the sandbox
    std::int64_t tools_mcp_connect_seconds = 30, tools_mcp_list_seconds = 30, tools_mcp_call_seconds = 60;
    std::string tools_mcp_config;                ///< JSON file that says which MCP servers there are
    std::int64_t tools_mcp_login_seconds = 300;  ///< for a person to log in
    std::string tools_sandbox = "bubblewrap";    ///< or unsafe-none
    std::string tools_network = "public";        ///< or none, host: what tools may connect to
    std::string tools_node;
    std::string tools_python = "/usr/bin/python3";
    std::string tools_package_index;  ///< where pip finds what tools require; empty: PIP_INDEX_URL, or pip's own
    std::int64_t tools_packages_bytes_max = std::int64_t{4} << 30;  ///< of all that is installed for tools
    std::int64_t tools_install_bytes_max = std::int64_t{1} << 30;   ///< of what one tool requires
    std::string tools_cgroup = "auto";                              ///< or off, or a folder: as of ControlGroups
    std::int64_t tools_memory_bytes_max = std::int64_t{4} << 30;    ///< of a sandbox
    std::int64_t tools_processes_max = 512, tools_cpu_percent_max = 0;
    std::int64_t tools_call_seconds = 180;  ///< how long one call of a tool may take
    tools::web::WebOptions web;             ///< how agents search the web
    std::string ca_file;  ///< PEM of authorities that model servers may be certified by, beside the system's
    bool allow_message_edit = true;
    bool identity_blocks = true;                 ///< a request that names an identity sees the blocks of that
    bool identity_block_isolation = true;        ///< and no block Persona_... that is linked to others alone
    bool auto_link_persona = true;               ///< identities are linked to blocks Persona_... by their key or name
    bool identity_in_prompt = true;              ///< the model reads who has sent a message
    std::int64_t upload_mb_max = 50;             ///< largest file that folders take
    std::int64_t file_patience_seconds = 1'800;  ///< for the work on one file
    bool true_line_numbers = false;              ///< blank lines of files count as lines
    std::int64_t trash_days = 0;                 ///< how long deleted agents and blocks may come back; 0: never
    std::string identity_unknown = "error";      ///< or create: what becomes of a request that names nobody known
    bool auto_create_projects = true;            ///< a slug that nobody knows is made with the first write
    std::int64_t model_timeout_seconds = 600;
    std::int64_t model_answer_timeout_seconds = 0;  ///< 0: as above
    std::int64_t models_refresh_seconds = 60;
    std::vector<llm::EndpointConfig> endpoints;
};

enum class Command : std::uint8_t { serve, version, help };

struct CommandLine {
    Command command = Command::serve;
    Options options;
    std::string help;  ///< the text of `help`
};

/// Reads command line, environment and TOML file. Throws Error{invalid_argument} for wrong use, with a text that names
/// the option.
CommandLine read_command_line(int argument_count, const char* const* arguments);

/// True for an address that only this machine can reach.
bool is_loopback(const std::string& host);

}  // namespace stele::app
