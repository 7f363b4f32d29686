#pragma once

#include "app/options.hpp"
#include "llm/catalogue.hpp"
#include "net/client.hpp"
#include "net/server.hpp"
#include "runtime/agent_service.hpp"
#include "storage/sqlite_database.hpp"
#include "tools/mcp/client.hpp"
#include "tools/mcp/oauth_login.hpp"
#include "tools/sandbox/control_group.hpp"
#include "tools/sandbox/pdf_text.hpp"
#include "tools/sandbox/sandbox.hpp"

/// What the operator's options mean to each part of the server.
namespace stele::app {

storage::SqliteOptions store_options(const Options& options);
IdentityRules identity_rules(const Options& options);
runtime::ModelDefaults defaults_of(const Options& options);
llm::CatalogueOptions catalogue_options(const Options& options, WorkerThreads& workers);
/// One for the whole server: making it may move the server into a subgroup of its own.
std::shared_ptr<tools::ControlGroups> control_groups(const Options& options);
tools::SandboxOptions sandbox_options(const Options& options, std::shared_ptr<tools::ControlGroups> groups);
tools::PdfOptions pdf_options(const Options& options);
tools::mcp::ClientOptions mcp_options(const Options& options, std::shared_ptr<tools::ControlGroups> groups);
tools::mcp::OauthLoginParts oauth_parts(const Options& options, storage::Database& database,
                                        const storage::McpServerRepository& servers,
                                        const storage::McpLoginRepository& logins, net::HttpClient& http);

/// Of the client for servers that the operator names, of the one for addresses that requests and models name, and of
/// the one for MCP servers and their logins.
/// Where the server listens, with TLS or without, and its limits.
net::ServerOptions listening_options(const Options& options);
net::ClientOptions client_options(const Options& options);
net::ClientOptions egress_options(const Options& options);
/// For the servers of models that organisations bring along.
net::ClientOptions provider_http_options(const Options& options);

net::ClientOptions mcp_http_options(const Options& options);

/// Where tools speak to this server.
std::filesystem::path api_socket(const Options& options);

/// What tools see of the server's own environment: only what the operator named.
TextMap passed_on(const Options& options);

}  // namespace stele::app
