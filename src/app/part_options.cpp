#include "app/part_options.hpp"

#include "api/mcp_common.hpp"

#include <algorithm>
#include <cstdlib>

namespace stele::app {

storage::SqliteOptions store_options(const Options& options) {
    storage::SqliteOptions made;
    made.file = options.data / "stele.db";
    made.synchronous_full = options.durability == "full";
    return made;
}

IdentityRules identity_rules(const Options& options) {
    IdentityRules rules;
    rules.blocks = options.identity_blocks;
    rules.isolation = options.identity_block_isolation;
    rules.auto_link_persona = options.auto_link_persona;
    rules.in_prompt = options.identity_in_prompt;
    rules.create_unknown = options.identity_unknown == "create";
    return rules;
}

runtime::ModelDefaults defaults_of(const Options& options) {
    runtime::ModelDefaults defaults;
    defaults.model = options.default_model;
    defaults.embedding = options.default_embedding;
    defaults.context_window_max = options.context_window_max;
    return defaults;
}

net::ServerOptions listening_options(const Options& options) {
    net::ServerOptions made;
    made.host = options.host;
    made.port = options.port;
    made.body_bytes_max = static_cast<std::size_t>(options.body_bytes_max);
    made.header_bytes_max = static_cast<std::size_t>(options.header_bytes_max);
    made.connections_max = static_cast<std::size_t>(options.connections_max);
    made.requests_max = static_cast<std::size_t>(options.requests_max);
    made.bodies_bytes_max = static_cast<std::size_t>(std::max(options.bodies_bytes_max, options.body_bytes_max));
    made.head_timeout = std::chrono::seconds(options.head_timeout_seconds);
    made.body_timeout = std::chrono::seconds(options.body_timeout_seconds);
    made.idle_timeout = std::chrono::seconds(options.idle_timeout_seconds);
    made.write_timeout = std::chrono::seconds(options.write_timeout_seconds);
    made.cors_origins = options.cors_origins;
    made.tls_certificate_file = options.tls_cert;
    made.tls_key_file = options.tls_key;
    return made;
}

net::ClientOptions client_options(const Options& options) {
    net::ClientOptions made;
    made.ca_file = options.ca_file;
    return made;
}

net::ClientOptions egress_options(const Options& options) {
    net::ClientOptions made = client_options(options);
    if (!options.egress_private) made.egress.allows = net::is_public;
    return made;
}

namespace {

// There machines in clouds get credentials: no MCP server is there, not even one of the operator's.
bool not_link_local(const boost::asio::ip::address& address) { return !net::is_link_local(address); }

}  // namespace

net::ClientOptions mcp_http_options(const Options& options) {
    net::ClientOptions made = client_options(options);
    made.egress.allows = options.tools_mcp_private ? not_link_local : net::is_public;
    return made;
}

net::ClientOptions provider_http_options(const Options& options) {
    net::ClientOptions made = client_options(options);
    made.egress.allows = options.providers_private ? not_link_local : net::is_public;
    return made;
}

std::filesystem::path api_socket(const Options& options) {
    return std::filesystem::absolute(options.data) / "run" / "api.sock";
}

tools::SandboxOptions sandbox_options(const Options& options, std::shared_ptr<tools::ControlGroups> groups) {
    tools::SandboxOptions made;
    made.walls = options.tools_sandbox == "unsafe-none" ? tools::Walls::none : tools::Walls::bubblewrap;
    made.network = options.tools_network == "none"   ? tools::ToolNetwork::none
                   : options.tools_network == "host" ? tools::ToolNetwork::host
                                                     : tools::ToolNetwork::public_only;
    made.egress_private = options.egress_private;
    made.environments = options.data / "tool-environments";
    made.api_socket = api_socket(options);
    made.package_index = options.tools_package_index;
    made.packages_bytes_max = static_cast<std::uintmax_t>(options.tools_packages_bytes_max);
    made.install_bytes_max = static_cast<std::uintmax_t>(options.tools_install_bytes_max);
    made.memory_bytes_max = static_cast<std::uint64_t>(options.tools_memory_bytes_max);
    made.groups = std::move(groups);
    made.python = options.tools_python;
    made.node = options.tools_node;
    return made;
}

std::shared_ptr<tools::ControlGroups> control_groups(const Options& options) {
    tools::GroupLimits limits;
    limits.memory_bytes = static_cast<std::uint64_t>(options.tools_memory_bytes_max);
    limits.processes = static_cast<std::uint64_t>(options.tools_processes_max);
    limits.cpu_percent = static_cast<std::uint64_t>(options.tools_cpu_percent_max);
    return std::make_shared<tools::ControlGroups>(options.tools_cgroup, limits);
}

tools::PdfOptions pdf_options(const Options& options) {
    tools::PdfOptions made;
    made.walls = sandbox_options(options, nullptr).walls;
    return made;
}

tools::mcp::ClientOptions mcp_options(const Options& options, std::shared_ptr<tools::ControlGroups> groups) {
    tools::mcp::ClientOptions made;
    made.private_addresses = options.tools_mcp_private;
    made.stdio = options.tools_mcp_stdio;
    const tools::SandboxOptions sandbox = sandbox_options(options, std::move(groups));
    made.launch.walls = sandbox.walls;
    made.launch.network = sandbox.network;
    made.launch.egress_private = sandbox.egress_private;
    made.launch.python = sandbox.python;
    made.launch.memory_bytes_max = sandbox.memory_bytes_max;
    made.launch.groups = sandbox.groups;
    made.from_file = !options.tools_mcp_config.empty();
    made.connect_patience = std::chrono::seconds(options.tools_mcp_connect_seconds);
    made.list_patience = std::chrono::seconds(options.tools_mcp_list_seconds);
    made.call_silence = std::chrono::seconds(options.tools_mcp_call_seconds);
    return made;
}

tools::mcp::OauthLoginParts oauth_parts(const Options& options, storage::Database& database,
                                        const storage::McpServerRepository& servers,
                                        const storage::McpLoginRepository& logins, net::HttpClient& http) {
    tools::mcp::OauthLoginParts made{database, servers, logins, http, {}, {}, {}, {}};
    made.private_addresses = options.tools_mcp_private;
    made.begin_patience = std::chrono::seconds(options.tools_mcp_connect_seconds);
    made.login_patience = std::chrono::seconds(options.tools_mcp_login_seconds);
    if (options.public_url.starts_with("https://"))
        made.client_document_url = options.public_url + api::mcp_client_document_path;
    return made;
}

llm::CatalogueOptions catalogue_options(const Options& options, WorkerThreads& workers) {
    llm::CatalogueOptions made;
    made.servers.silence_timeout = std::chrono::seconds(options.model_timeout_seconds);
    made.servers.answer_timeout =
        std::chrono::seconds(options.model_answer_timeout_seconds > 0 ? options.model_answer_timeout_seconds
                                                                      : options.model_timeout_seconds);
    made.refresh_interval = std::chrono::seconds(options.models_refresh_seconds);
    made.servers.batches = options.batch_native;
    made.servers.workers = &workers;
    return made;
}

TextMap passed_on(const Options& options) {
    TextMap variables;
    for (const std::string& name : options.tool_env_passthrough)
        if (const char* value = std::getenv(name.c_str())) variables.emplace_back(name, value);
    return variables;
}

}  // namespace stele::app
