#pragma once

#include "app/options.hpp"
#include "storage/access_token_repository.hpp"
#include "storage/account_repository.hpp"
#include "storage/agent_import_repository.hpp"
#include "storage/agent_repository.hpp"
#include "storage/api_key_repository.hpp"
#include "storage/archive_repository.hpp"
#include "storage/attached_file_repository.hpp"
#include "storage/batch_repository.hpp"
#include "storage/block_history.hpp"
#include "storage/block_repository.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/feed_repository.hpp"
#include "storage/feed_subscription_repository.hpp"
#include "storage/file_repository.hpp"
#include "storage/folder_repository.hpp"
#include "storage/group_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/identity_repository.hpp"
#include "storage/mcp_login_repository.hpp"
#include "storage/mcp_server_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/passage_repository.hpp"
#include "storage/passage_vectors.hpp"
#include "storage/pipeline_repository.hpp"
#include "storage/project_repository.hpp"
#include "storage/provider_batch_repository.hpp"
#include "storage/provider_repository.hpp"
#include "storage/run_event_repository.hpp"
#include "storage/run_repository.hpp"
#include "storage/sandbox_repository.hpp"
#include "storage/schedule_repository.hpp"
#include "storage/template_repository.hpp"
#include "storage/tool_repository.hpp"
#include "storage/trash.hpp"

namespace stele::app {

/// Every repository, over one database; both outlive it.
struct Repositories {
    Repositories(storage::Database& database, const Sealer& sealer, const Options& options);

    storage::AgentRepository agents;
    storage::AgentImportRepository agent_imports;
    storage::ArchiveRepository archives;
    storage::PassageRepository passages;
    storage::PassageVectors passage_vectors;
    storage::FolderRepository folders;
    storage::FileRepository files;
    storage::AttachedFileRepository attached_files;
    storage::BlockRepository blocks;
    storage::BlockHistory block_history;
    storage::ToolRepository tools;
    storage::MessageRepository messages;
    storage::ConversationRepository conversations;
    storage::GroupRepository groups;
    storage::ProjectRepository projects;
    storage::RunRepository runs;
    storage::RunEventRepository run_events;
    storage::ScheduleRepository schedules;
    storage::TemplateRepository templates;
    storage::FeedRepository feeds;
    storage::FeedSubscriptionRepository feed_subscriptions;
    storage::PipelineRepository pipelines;
    storage::BatchRepository batches;
    storage::ProviderBatchRepository provider_batch_rows;
    storage::IdempotencyRepository idempotency;
    storage::IdentityRepository identities;
    storage::McpServerRepository mcp_servers;
    storage::McpLoginRepository mcp_logins;
    storage::SandboxRepository sandboxes;
    storage::ProviderRepository providers;
    storage::AccountRepository accounts;
    storage::ApiKeyRepository api_keys;
    storage::AccessTokenRepository access_tokens;
    storage::TrashRepository trash;
};

}  // namespace stele::app
