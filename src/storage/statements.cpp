#include "storage/statements.hpp"

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
#include "storage/conversation_search.hpp"
#include "storage/device_repository.hpp"
#include "storage/ephemeral_repository.hpp"
#include "storage/feed_repository.hpp"
#include "storage/feed_subscription_repository.hpp"
#include "storage/file_repository.hpp"
#include "storage/folder_repository.hpp"
#include "storage/git_memory_repository.hpp"
#include "storage/group_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/identity_repository.hpp"
#include "storage/mcp_login_repository.hpp"
#include "storage/mcp_server_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/organization_removal.hpp"
#include "storage/page.hpp"
#include "storage/passage_repository.hpp"
#include "storage/passage_vectors.hpp"
#include "storage/persona_links.hpp"
#include "storage/pipeline_repository.hpp"
#include "storage/project_repository.hpp"
#include "storage/provider_batch_repository.hpp"
#include "storage/provider_repository.hpp"
#include "storage/reflection_repository.hpp"
#include "storage/run_event_repository.hpp"
#include "storage/run_repository.hpp"
#include "storage/sandbox_repository.hpp"
#include "storage/schedule_repository.hpp"
#include "storage/template_repository.hpp"
#include "storage/tool_repository.hpp"
#include "storage/trash.hpp"

namespace stele::storage {

std::vector<Statement> all_statements() {
    std::vector<Statement> all;
    for (const auto& some : {AccessTokenRepository::statements(),
                             AccountRepository::statements(),
                             AgentImportRepository::statements(),
                             AgentRepository::statements(),
                             ApiKeyRepository::statements(),
                             ArchiveRepository::statements(),
                             AttachedFileRepository::statements(),
                             BatchRepository::statements(),
                             BlockHistory::statements(),
                             BlockRepository::statements(),
                             ConversationRepository::statements(),
                             DeviceRepository::statements(),
                             EphemeralRepository::statements(),
                             FeedRepository::statements(),
                             FeedSubscriptionRepository::statements(),
                             FileRepository::statements(),
                             FolderRepository::statements(),
                             GitMemoryRepository::statements(),
                             GroupRepository::statements(),
                             IdempotencyRepository::statements(),
                             IdentityRepository::statements(),
                             McpLoginRepository::statements(),
                             McpServerRepository::statements(),
                             MessageRepository::statements(),
                             OrganizationRemoval::statements(),
                             PassageRepository::statements(),
                             PassageVectors::statements(),
                             PipelineRepository::statements(),
                             ProjectRepository::statements(),
                             ProviderBatchRepository::statements(),
                             ProviderRepository::statements(),
                             ReflectionRepository::statements(),
                             RunEventRepository::statements(),
                             RunRepository::statements(),
                             SandboxRepository::statements(),
                             ScheduleRepository::statements(),
                             TemplateRepository::statements(),
                             ToolRepository::statements(),
                             TrashRepository::statements(),
                             conversation_search_statements(),
                             page_statements(),
                             persona_statements()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

}  // namespace stele::storage
