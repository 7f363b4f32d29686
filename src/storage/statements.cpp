#include "storage/statements.hpp"

#include "storage/agent_repository.hpp"
#include "storage/batch_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/feed_repository.hpp"
#include "storage/feed_subscription_repository.hpp"
#include "storage/group_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/mcp_login_repository.hpp"
#include "storage/mcp_server_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/page.hpp"
#include "storage/pipeline_repository.hpp"
#include "storage/project_repository.hpp"
#include "storage/provider_batch_repository.hpp"
#include "storage/run_event_repository.hpp"
#include "storage/run_repository.hpp"
#include "storage/sandbox_repository.hpp"
#include "storage/schedule_repository.hpp"
#include "storage/template_repository.hpp"
#include "storage/tool_repository.hpp"

namespace stele::storage {

std::vector<Statement> all_statements() {
    std::vector<Statement> all;
    for (const auto& some : {AgentRepository::statements(),
                             BatchRepository::statements(),
                             BlockRepository::statements(),
                             ConversationRepository::statements(),
                             FeedRepository::statements(),
                             FeedSubscriptionRepository::statements(),
                             PipelineRepository::statements(),
                             GroupRepository::statements(),
                             IdempotencyRepository::statements(),
                             McpLoginRepository::statements(),
                             McpServerRepository::statements(),
                             MessageRepository::statements(),
                             ProjectRepository::statements(),
                             ProviderBatchRepository::statements(),
                             RunEventRepository::statements(),
                             RunRepository::statements(),
                             SandboxRepository::statements(),
                             ScheduleRepository::statements(),
                             TemplateRepository::statements(),
                             ToolRepository::statements(),
                             page_statements()})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

}  // namespace stele::storage
