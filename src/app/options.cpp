#include "app/options.hpp"

#include "base/error.hpp"
#include "net/url.hpp"

#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

namespace stele::app {
namespace {

std::string environment(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::string() : value;
}

std::filesystem::path default_data_folder() {
    if (const std::string shared = environment("XDG_DATA_HOME"); !shared.empty())
        return std::filesystem::path(shared) / "stele";
    const std::string home = environment("HOME");
    return std::filesystem::path(home.empty() ? "." : home) / ".local/share/stele";
}

// What the parser fills, as texts and numbers; Options gets them checked.
struct Raw {
    std::string config, data, password, secret_key, log_level = "info", log_format = "text";
    std::map<std::string, std::string> search_keys;  // by provider
};

// An option with its twin in the environment; older names of the retired server are understood too.
CLI::Option* add(CLI::App& app, const std::string& flag, auto& value, const std::string& text) {
    std::string variable = "STELE_" + flag;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return app.add_option("--" + flag, value, text)->envname(variable)->capture_default_str();
}

void describe_web(CLI::App& serve, Options& options, Raw& raw) {
    std::vector<std::string> names{""};
    for (const tools::web::SearchProvider& each : tools::web::search_providers()) {
        const std::string name = each.name, title = each.title;
        names.push_back(name);
        add(serve, name + "-url", options.web.services[name].base_url,
            "address of " + title + ", by which agents search");
        if (*each.key_variable != '\0')
            add(serve, name + "-api-key", raw.search_keys[name],
                "key of " + title + "; better set as " + each.key_variable);
    }
    add(serve, "web-search", options.web.search, "what agents search the web with; else what there is a key for")
        ->check(CLI::IsMember(names));
}

void describe(CLI::App& serve, Options& options, Raw& raw) {
    add(serve, "host", options.host, "address to listen on");
    add(serve, "port", options.port, "port to listen on; 0 takes a free one");
    add(serve, "data", raw.data, "folder of the database; ~/.local/share/stele when left out");
    add(serve, "config", raw.config, "TOML file with the same keys, and [[providers]]");
    add(serve, "password", raw.password, "what clients send as their key; better set as STELE_PASSWORD");
    add(serve, "secret-key", raw.secret_key, "seals stored secrets; better set as STELE_SECRET_KEY");
    add(serve, "threads", options.threads, "threads for requests; 0: one a core")->check(CLI::Range(0, 256));
    add(serve, "durability", options.durability, "full, or normal: faster, a power cut may lose the last moments")
        ->check(CLI::IsMember({"full", "normal"}));
    add(serve, "tls-cert", options.tls_cert, "PEM file of the certificate chain");
    add(serve, "tls-key", options.tls_key, "PEM file of the certificate's key");
    add(serve, "public-url", options.public_url,
        "how browsers reach this server, such as https://stele.example; else as each request names it");
    add(serve, "cors-origins", options.cors_origins, "origins whose pages may call the API, or *")->delimiter(',');
    add(serve, "token-require-origin", options.token_require_origin,
        "take client-side access tokens from pages of their origin only, not from programs");
    add(serve, "no-default-actor", options.no_default_actor,
        "refuse requests with the password that name no user in the header user_id");
    add(serve, "body-bytes-max", options.body_bytes_max, "largest request body")->check(CLI::PositiveNumber);
    add(serve, "agent-file-bytes-max", options.agent_file_bytes_max,
        "largest body of an agent file that is imported; it lies in the data folder meanwhile")
        ->check(CLI::PositiveNumber);
    add(serve, "header-bytes-max", options.header_bytes_max, "largest head of a request")->check(CLI::PositiveNumber);
    add(serve, "connections-max", options.connections_max, "most connections at once; more are told to come again")
        ->check(CLI::PositiveNumber);
    add(serve, "bodies-bytes-max", options.bodies_bytes_max,
        "most memory for bodies of requests that have not come whole")
        ->check(CLI::PositiveNumber);
    add(serve, "requests-max", options.requests_max, "most requests at work at once, streams not counted")
        ->check(CLI::PositiveNumber);
    add(serve, "head-timeout-seconds", options.head_timeout_seconds, "for the head of a request to come whole")
        ->check(CLI::PositiveNumber);
    add(serve, "body-timeout-seconds", options.body_timeout_seconds, "longest silence within a request's body")
        ->check(CLI::PositiveNumber);
    add(serve, "idle-timeout-seconds", options.idle_timeout_seconds, "how long a connection may wait for a request")
        ->check(CLI::PositiveNumber);
    add(serve, "write-timeout-seconds", options.write_timeout_seconds, "longest wait for a client that does not read")
        ->check(CLI::PositiveNumber);
    add(serve, "grace-seconds", options.grace_seconds, "time for requests at work when asked to stop")
        ->check(CLI::NonNegativeNumber);
    add(serve, "log-level", raw.log_level, "debug, info, warn or error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
    add(serve, "log-format", raw.log_format, "text or json")->check(CLI::IsMember({"text", "json"}));
    add(serve, "tool-env-passthrough", options.tool_env_passthrough, "variables of the server that tools may see")
        ->delimiter(',');
    add(serve, "redact-secrets", options.redact_secrets,
        "leave the values of agents', sandboxes' and MCP servers' secrets out of answers");
    add(serve, "traces", options.traces, "keep each step's exchange with the model");
    add(serve, "default-model", options.default_model, "handle for agents that name none");
    add(serve, "default-embedding", options.default_embedding, "embedding handle for agents that name none");
    add(serve, "embedding-query-seconds", options.embedding_query_seconds,
        "how long a search waits for the vector of its query, before it does without")
        ->check(CLI::Range(1, 3'600));
    add(serve, "archival-tokens-max", options.archival_tokens_max,
        "longest text that a client may add to an agent's archive, in tokens of four bytes")
        ->check(CLI::PositiveNumber);
    add(serve, "vector-cache-mib", options.vector_cache_mib,
        "memory for vectors that are searched; the least recently used go first")
        ->check(CLI::Range(1, 1'048'576));
    add(serve, "schedule-patience-seconds", options.schedule_patience_seconds,
        "how long a planned message waits while its agent is busy")
        ->check(CLI::PositiveNumber);
    add(serve, "batch-concurrency", options.batch_concurrency, "requests of batches that are worked on at once")
        ->check(CLI::Range(1, 256));
    add(serve, "batch-native", options.batch_native, "hand batches to the providers' own, where they have such");
    add(serve, "batch-look-seconds", options.batch_look_seconds,
        "time between two looks at what a provider's batch has come to")
        ->check(CLI::PositiveNumber);
    add(serve, "allow-message-edit", options.allow_message_edit, "let clients change and delete stored messages");
    add(serve, "identity-blocks", options.identity_blocks, "show a request the blocks of the identity that it names");
    add(serve, "identity-block-isolation", options.identity_block_isolation,
        "hide from it blocks Persona_... that are linked to others alone");
    add(serve, "auto-link-persona", options.auto_link_persona,
        "link blocks Persona_... to identities by their key or name");
    add(serve, "identity-in-prompt", options.identity_in_prompt, "tell the model which identity has sent a message");
    add(serve, "identity-unknown", options.identity_unknown,
        "error, or create: what becomes of a message whose identity nobody has made")
        ->check(CLI::IsMember({"error", "create"}));
    add(serve, "upload-mb-max", options.upload_mb_max, "largest file that folders take, in MiB")
        ->check(CLI::Range(1, 1'024));
    add(serve, "file-patience-seconds", options.file_patience_seconds,
        "how long the work on one file of a folder may take")
        ->check(CLI::PositiveNumber);
    add(serve, "true-line-numbers", options.true_line_numbers,
        "count blank lines of files too, so that numbers are those of an editor");
    add(serve, "trash-days", options.trash_days,
        "how long deleted agents, blocks and archives may come back; 0: not at all")
        ->check(CLI::Range(0, 3'650));
    add(serve, "auto-create-projects", options.auto_create_projects,
        "make a project when the first write names its slug (X-Project)");
    add(serve, "egress-private", options.egress_private,
        "let URLs that requests name (callbacks) lead to this machine and private networks");
    add(serve, "providers-private", options.providers_private,
        "let the base URLs of stored providers lead to this machine and private networks");
    add(serve, "tools-mcp-private", options.tools_mcp_private,
        "let the addresses of MCP servers lead to this machine and private networks");
    add(serve, "tools-mcp-stdio", options.tools_mcp_stdio, "let MCP servers be commands, which run in the sandbox");
    add(serve, "tools-mcp-connect-seconds", options.tools_mcp_connect_seconds,
        "how long an MCP server may take to begin a session")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-mcp-list-seconds", options.tools_mcp_list_seconds,
        "how long an MCP server may take to list its tools")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-mcp-call-seconds", options.tools_mcp_call_seconds,
        "longest silence of an MCP server within a call of a tool")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-mcp-config", options.tools_mcp_config,
        "JSON file with \"mcpServers\", which are taken at the start and no longer changed by the API");
    add(serve, "tools-mcp-login-seconds", options.tools_mcp_login_seconds,
        "how long a person may take to log in with an MCP server")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-sandbox", options.tools_sandbox,
        "bubblewrap, or unsafe-none: tools run with all the rights of the server")
        ->check(CLI::IsMember({"bubblewrap", "unsafe-none"}));
    add(serve, "tools-network", options.tools_network, "what tools may connect to: none, public or host")
        ->check(CLI::IsMember({"none", "public", "host"}));
    add(serve, "tools-python", options.tools_python, "interpreter that tools run in");
    add(serve, "tools-node", options.tools_node, "Node.js for tools in TypeScript; else the one on PATH");
    add(serve, "tools-package-index", options.tools_package_index,
        "where packages that tools require come from; else PIP_INDEX_URL");
    add(serve, "tools-packages-bytes-max", options.tools_packages_bytes_max,
        "of all packages installed for tools; above, those not used for longest are removed")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-install-bytes-max", options.tools_install_bytes_max,
        "of the packages that one tool requires; above, they are not installed")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-cgroup", options.tools_cgroup,
        "control groups of sandboxes: auto (below the server's own, if that was delegated to it), off, or a folder");
    add(serve, "tools-memory-bytes-max", options.tools_memory_bytes_max,
        "of a sandbox (the tools of an organization, an MCP server that is a command, an installer) by its control "
        "group")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-processes-max", options.tools_processes_max, "of a sandbox by its control group")
        ->check(CLI::PositiveNumber);
    add(serve, "tools-cpu-percent-max", options.tools_cpu_percent_max,
        "of a sandbox by its control group: 150 are one and a half processors; 0: all")
        ->check(CLI::NonNegativeNumber);
    add(serve, "tools-call-seconds", options.tools_call_seconds, "how long one call of a tool may take")
        ->check(CLI::PositiveNumber);
    describe_web(serve, options, raw);
    add(serve, "ca-file", options.ca_file, "PEM file of further authorities for model servers behind TLS");
    add(serve, "model-timeout-seconds", options.model_timeout_seconds, "longest silence of a model, streaming or not")
        ->check(CLI::PositiveNumber);
    add(serve, "model-answer-timeout-seconds", options.model_answer_timeout_seconds,
        "for a whole answer that is not streamed; 0: as --model-timeout-seconds")
        ->check(CLI::NonNegativeNumber);
    add(serve, "models-refresh-seconds", options.models_refresh_seconds, "how often servers are asked for their models")
        ->check(CLI::PositiveNumber);
    add(serve, "context-window-max", options.context_window_max, "longest context of an agent that asks for none")
        ->check(CLI::PositiveNumber);
}

// The file speaks where neither a flag nor the environment did: its values become the options' defaults for the parser.
void take_file(CLI::App& serve, const std::string& path, Options& options) {
    toml::table file;
    try {
        file = toml::parse_file(path);
    } catch (const toml::parse_error& failure) {
        throw Error(ErrorCode::invalid_argument,
                    "The configuration file " + path + " can't be read: " + std::string(failure.description()));
    }
    for (const auto& [key, node] : file) {
        if (key.str() == "providers") continue;
        std::string flag(key.str());
        std::replace(flag.begin(), flag.end(), '_', '-');
        CLI::Option* option = serve.get_option_no_throw("--" + flag);
        if (option == nullptr || flag == "config")
            throw Error(ErrorCode::invalid_argument, path + ": there is no option '" + std::string(key.str()) + "'");
        if (option->count() > 0) continue;
        std::vector<std::string> values;
        const auto add_value = [&](const toml::node& value) {
            if (const auto text = value.value<std::string>())
                values.push_back(*text);
            else if (const auto number = value.value<std::int64_t>(); number && !value.is_boolean())
                values.push_back(std::to_string(*number));
            else if (const auto flag_value = value.value<bool>())
                values.push_back(*flag_value ? "true" : "false");
        };
        if (const toml::array* list = node.as_array())
            for (const toml::node& value : *list) add_value(value);
        else
            add_value(node);
        for (const std::string& value : values) option->add_result(value);
        option->run_callback();
    }
    const toml::array* providers = file["providers"].as_array();
    if (providers == nullptr) return;
    for (const toml::node& node : *providers) {
        const toml::table* table = node.as_table();
        if (table == nullptr) throw Error(ErrorCode::invalid_argument, path + ": [[providers]] must hold tables");
        llm::EndpointConfig endpoint;
        endpoint.name = (*table)["name"].value_or(std::string());
        endpoint.kind = (*table)["kind"].value_or(std::string("openai"));
        endpoint.base_url = (*table)["base_url"].value_or(std::string());
        endpoint.key = Secret((*table)["key"].value_or(std::string()));
        if (const auto variable = (*table)["key_variable"].value<std::string>())
            endpoint.key = Secret(environment(*variable));
        endpoint.context_window = (*table)["context_window"].value<std::int64_t>();
        endpoint.batches = (*table)["batches"].value<bool>();
        const llm::ProviderKind* kind = llm::find_provider_kind(endpoint.kind);
        if (kind == nullptr)
            throw Error(ErrorCode::invalid_argument, path + ": providers.kind '" + endpoint.kind + "' is not known");
        if (endpoint.base_url.empty()) endpoint.base_url = kind->default_url;
        if (endpoint.name.empty() || endpoint.name.find('/') != std::string::npos || endpoint.base_url.empty())
            throw Error(ErrorCode::invalid_argument, path + ": a provider needs a name without '/', and a base_url");
        options.endpoints.push_back(std::move(endpoint));
    }
}

void take_web(Options& options, const Raw& raw) {
    for (auto& [name, access] : options.web.services) {
        const tools::web::SearchProvider* provider = tools::web::find_search_provider(name);
        const auto key = raw.search_keys.find(name);
        if (key != raw.search_keys.end())
            access.key = Secret(key->second.empty() ? environment(provider->key_variable) : key->second);
        if (access.base_url.empty() && name == "searxng") access.base_url = environment("SEARXNG_URL");
        while (access.base_url.ends_with('/')) access.base_url.pop_back();
        if (!access.base_url.empty() && !net::parse_url(access.base_url))
            throw Error(ErrorCode::invalid_argument, "--" + name + "-url must be an http or https address");
    }
}

void take_environment(Options& options, const Raw& raw) {
    if (options.host.size() > 2 && options.host.front() == '[' && options.host.back() == ']')
        options.host = options.host.substr(1, options.host.size() - 2);  // an address as it stands in a URL
    while (options.public_url.ends_with('/')) options.public_url.pop_back();
    options.data = raw.data.empty() ? default_data_folder() : std::filesystem::path(raw.data);
    options.password = Secret(raw.password.empty() ? environment("LETTA_SERVER_PASSWORD") : raw.password);
    options.secret_key = Secret(raw.secret_key.empty() ? environment("LETTA_ENCRYPTION_KEY") : raw.secret_key);
    if (const std::string handle = environment("LETTA_DEFAULT_LLM_HANDLE");
        !handle.empty() && options.default_model == Options().default_model)
        options.default_model = handle;
    if (const std::string handle = environment("LETTA_DEFAULT_EMBEDDING_HANDLE");
        !handle.empty() && options.default_embedding == Options().default_embedding)
        options.default_embedding = handle;
    if (options.tool_env_passthrough.empty())
        for (std::stringstream names(environment("LETTA_TOOL_ENV_PASSTHROUGH")); names.good();) {
            std::string name;
            std::getline(names, name, ',');
            if (!name.empty()) options.tool_env_passthrough.push_back(std::move(name));
        }
    if (environment("LETTA_REDACT_SECRETS") == "true") options.redact_secrets = true;
    if (environment("LETTA_NO_DEFAULT_ACTOR") == "true") options.no_default_actor = true;
    const auto older_number = [](const char* name, std::int64_t standard, std::int64_t& value) {
        const std::string text = environment(name);
        if (text.empty() || value != standard) return;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failure != std::errc() || end != text.data() + text.size() || value <= 0)
            throw Error(ErrorCode::invalid_argument, std::string(name) + " must be a number above 0");
    };
    older_number("LETTA_MAX_UPLOAD_MB", Options().upload_mb_max, options.upload_mb_max);
    if (options.upload_mb_max > Options().upload_mb_max)  // a larger file has to get in
        options.body_bytes_max = std::max(options.body_bytes_max, (options.upload_mb_max + 8) << 20);
    if (environment("LETTA_TRUE_LINE_NUMBERS") == "true") options.true_line_numbers = true;
    older_number("LETTA_LLM_STREAM_TIMEOUT_SECONDS", Options().model_timeout_seconds, options.model_timeout_seconds);
    older_number("LETTA_LLM_REQUEST_TIMEOUT_SECONDS", Options().model_answer_timeout_seconds,
                 options.model_answer_timeout_seconds);
    older_number("LETTA_ARCHIVAL_MEMORY_TOKEN_LIMIT", Options().archival_tokens_max, options.archival_tokens_max);
    older_number("TOOL_SANDBOX_TIMEOUT", Options().tools_call_seconds, options.tools_call_seconds);
    older_number("MCP_CONNECT_TO_SERVER_TIMEOUT", Options().tools_mcp_connect_seconds,
                 options.tools_mcp_connect_seconds);
    older_number("MCP_LIST_TOOLS_TIMEOUT", Options().tools_mcp_list_seconds, options.tools_mcp_list_seconds);
    older_number("MCP_EXECUTE_TOOL_TIMEOUT", Options().tools_mcp_call_seconds, options.tools_mcp_call_seconds);
    if (environment("LETTA_MCP_ALLOW_PRIVATE") == "true") options.tools_mcp_private = true;
    take_web(options, raw);
    if (environment("MCP_DISABLE_STDIO") == "false") options.tools_mcp_stdio = true;
    if (options.tools_mcp_config.empty() && environment("MCP_READ_FROM_CONFIG") == "true")
        options.tools_mcp_config = environment("HOME") + "/.letta/mcp_config.json";
    for (llm::EndpointConfig& endpoint : llm::endpoints_from_environment(environment))
        options.endpoints.push_back(std::move(endpoint));
    if (options.tools_package_index.empty()) options.tools_package_index = environment("PIP_INDEX_URL");
    options.log_level = raw.log_level == "debug"   ? log::Level::debug
                        : raw.log_level == "warn"  ? log::Level::warn
                        : raw.log_level == "error" ? log::Level::error
                                                   : log::Level::info;
    options.log_format = raw.log_format == "json" ? log::Format::json : log::Format::text;
}

void check(const Options& options) {
    if (options.tls_cert.empty() != options.tls_key.empty())
        throw Error(ErrorCode::invalid_argument, "--tls-cert and --tls-key belong together");
    if (!options.public_url.empty() && !net::parse_url(options.public_url))
        throw Error(ErrorCode::invalid_argument, "--public-url must be an http or https URL");
    if (options.password.empty() && !is_loopback(options.host))
        throw Error(ErrorCode::invalid_argument,
                    "Without a password the server listens on this machine only. Set STELE_PASSWORD to "
                    "listen on " +
                        options.host);
}

}  // namespace

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

CommandLine read_command_line(int argument_count, const char* const* arguments) {
    CommandLine line;
    Raw raw;
    CLI::App app("Stele, a server for stateful agents", "stele");
    CLI::App* serve = app.add_subcommand("serve", "Starts the server");
    CLI::App* version = app.add_subcommand("version", "Prints the version");
    CLI::App* help = app.add_subcommand("help", "Prints this help");
    app.require_subcommand(1);
    describe(*serve, line.options, raw);
    line.help = app.help() + "\n" + serve->help("stele");  // once parsed, app.help() is that of the command given
    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::CallForHelp&) {
        line.command = Command::help;
    } catch (const CLI::ParseError& failure) {
        throw Error(ErrorCode::invalid_argument, std::string(failure.what()) + "; see stele help");
    }
    if (help->parsed()) line.command = Command::help;
    if (version->parsed()) line.command = Command::version;
    if (line.command != Command::serve) return line;
    try {
        if (!raw.config.empty()) take_file(*serve, raw.config, line.options);
    } catch (const CLI::Error& failure) {
        throw Error(ErrorCode::invalid_argument, raw.config + ": " + failure.what());
    }
    take_environment(line.options, raw);
    check(line.options);
    return line;
}

}  // namespace stele::app
