#pragma once

#include "runtime/credentials.hpp"
#include "runtime/provider_service.hpp"
#include "storage/agent_repository.hpp"
#include "storage/batch_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/run_repository.hpp"
#include "storage/schedule_repository.hpp"
#include "storage/tool_repository.hpp"

namespace stele::app {

struct StoreParts {
    storage::Database& database;
    const storage::AccountRepository& accounts;
    const storage::ToolRepository& tools;
    const storage::AgentRepository& agents;
    const storage::MessageRepository& messages;
    const storage::RunRepository& runs;
    const storage::BatchRepository& batches;
    const storage::ScheduleRepository& schedules;
    const storage::IdempotencyRepository& idempotency;
    runtime::Credentials& credentials;
    const runtime::ProviderService& providers;
};

/// Makes the store ready for a new life of the server: built-in tools are entered or brought up to date (their ids
/// stay), runs that a crash cut off are ended as failed (or forgotten, if what they were to send is sent anew), calls
/// that were being made then get a return that says their result is not known,
/// idempotency keys of long ago are forgotten, stored providers are in the catalogue. Blocks until it is done.
void set_up_store(StoreParts parts);

}  // namespace stele::app
