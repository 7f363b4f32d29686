#pragma once

#include "base/secret.hpp"
#include "domain/identity.hpp"

#include <string>
#include <vector>

// Declared only: a handler includes what it works with, so that a service's header is read where it is used.
namespace stele {
class Sealer;
}  // namespace stele
namespace stele::llm {
class Catalogue;
}  // namespace stele::llm
namespace stele::net {
class HttpClient;
}  // namespace stele::net
namespace stele::runtime {
class AgentArchive;
class AgentFiles;
class AgentService;
class ArchiveService;
class BatchRunner;
class ConversationService;
class Credentials;
class CustomTools;
class EmbeddingWorker;
class FeedRunner;
class GroupService;
class MessageService;
class FileService;
class FolderService;
class OrganizationService;
class PassageService;
class ProjectService;
class ProviderBatches;
class ProviderService;
class RunTokens;
class Runtime;
class Scheduler;
class TemplateMigrator;
class TemplateService;
class ToolService;
class ToolWriter;
class TrashKeeper;
}  // namespace stele::runtime
namespace stele::storage {
class AccessTokenRepository;
class AccountRepository;
class AgentRepository;
class ApiKeyRepository;
class ArchiveRepository;
class BatchRepository;
class AttachedFileRepository;
class BlockHistory;
class BlockRepository;
class ConversationRepository;
class Database;
class FeedRepository;
class FeedSubscriptionRepository;
class GroupRepository;
class IdempotencyRepository;
class FolderRepository;
class IdentityRepository;
class McpLoginRepository;
class McpServerRepository;
class MessageRepository;
class PassageRepository;
class PassageVectors;
class PipelineRepository;
class ProjectRepository;
class ProviderRepository;
class RunEventRepository;
class RunRepository;
class SandboxRepository;
class ScheduleRepository;
class TemplateRepository;
class ToolRepository;
class TrashRepository;
}  // namespace stele::storage
namespace stele::tools {
class Sandbox;
}  // namespace stele::tools
namespace stele::tools::mcp {
class Client;
class OauthLogins;
class ToolSync;
}  // namespace stele::tools::mcp

namespace stele::api {

struct TerminalServices;

/// What a newcomer is told at "/".
struct ServerFacts {
    std::string version;
    bool has_password = false;
    bool has_model_server = false;
    std::string public_url;  ///< of this server, as browsers reach it; empty: as requests name it
    bool tls = false;
};

/// All that handlers work with. Built by app/, outlives every request. Thread-safe.
struct Services {
    storage::Database& database;
    const storage::AgentRepository& agents;
    const storage::ArchiveRepository& archives;
    const storage::PassageRepository& passages;
    const storage::PassageVectors& passage_vectors;
    const storage::BlockRepository& blocks;
    const storage::BlockHistory& block_history;
    const storage::ToolRepository& tools;
    const storage::MessageRepository& messages;
    const storage::ConversationRepository& conversations;
    const storage::GroupRepository& groups;
    const storage::ProjectRepository& projects;
    const storage::RunRepository& runs;
    const storage::RunEventRepository& run_events;
    const storage::ScheduleRepository& schedules;
    const storage::TemplateRepository& templates;
    const storage::FeedRepository& feeds;
    const storage::FeedSubscriptionRepository& feed_subscriptions;
    const storage::PipelineRepository& pipelines;
    const storage::BatchRepository& batches;
    const storage::IdempotencyRepository& idempotency;
    const storage::IdentityRepository& identities;
    const storage::McpServerRepository& mcp_servers;
    const storage::McpLoginRepository& mcp_logins;
    const storage::SandboxRepository& sandboxes;
    const storage::ProviderRepository& providers;
    const storage::TrashRepository& trash;
    const Sealer& sealer;
    llm::Catalogue& catalogue;
    tools::Sandbox& sandbox;
    runtime::EmbeddingWorker& embedding_worker;
    const runtime::PassageService& passage_service;
    const runtime::ArchiveService& archive_service;
    const runtime::AgentArchive& agent_archive;
    runtime::Runtime& runtime;
    runtime::Scheduler& scheduler;
    runtime::FeedRunner& feed_runner;
    runtime::BatchRunner& batch_runner;
    runtime::TrashKeeper& trash_keeper;
    runtime::ProviderBatches& provider_batches;
    net::HttpClient& egress;  ///< for URLs that requests name
    tools::mcp::Client& mcp;
    const tools::mcp::ToolSync& mcp_sync;
    tools::mcp::OauthLogins& mcp_oauth;
    const runtime::AgentService& agent_service;
    const runtime::ProviderService& provider_service;
    const runtime::AgentFiles& agent_files;
    const runtime::ConversationService& conversation_service;
    const storage::FolderRepository& folders;
    const storage::AttachedFileRepository& attached_files;
    const runtime::FolderService& folder_service;
    const runtime::FileService& file_service;
    const runtime::GroupService& group_service;
    const runtime::MessageService& message_service;
    const runtime::ProjectService& project_service;
    const runtime::TemplateService& template_service;
    runtime::TemplateMigrator& template_migrator;
    const runtime::ToolService& tool_service;
    const runtime::ToolWriter& tool_writer;
    const runtime::CustomTools& custom_tools;
    const runtime::RunTokens& run_tokens;
    const storage::AccountRepository& accounts;
    const storage::ApiKeyRepository& api_keys;
    const storage::AccessTokenRepository& access_tokens;
    runtime::Credentials& credentials;
    const runtime::OrganizationService& organizations;
    TerminalServices& terminal;  ///< see terminal_services.hpp
    IdentityRules identity_rules;
    std::int64_t archival_tokens_max = 8'192;  ///< of a passage that a client adds to an agent's archive
    bool allow_message_edit = true;
    bool redact_secrets = false;  ///< answers leave the values of secrets out
    Secret password;              ///< empty: none is asked for
    ServerFacts facts;
    bool no_default_actor = false;  ///< whoever names no user is nobody
    bool token_require_origin = true;
    std::vector<std::string> cors_origins;  ///< those that the operator has named
};

}  // namespace stele::api
