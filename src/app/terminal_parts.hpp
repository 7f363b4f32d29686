#pragma once

#include "api/device_hub.hpp"
#include "api/terminal_services.hpp"
#include "app/options.hpp"
#include "base/worker_threads.hpp"
#include "runtime/ephemeral_conversations.hpp"
#include "runtime/git_memory.hpp"
#include "runtime/message_capture.hpp"
#include "runtime/work_folders.hpp"
#include "storage/reflection_repository.hpp"

namespace stele::app {

/// What the terminal client's own routes stand on, in order of need.
class TerminalParts {
public:
    /// Of the rest of the server; outlives this.
    struct Needs {
        const Options& options;
        storage::Database& database;
        const storage::AgentRepository& agents;
        const storage::BlockRepository& blocks;
        const storage::MessageRepository& messages;
        const storage::ConversationRepository& conversations;
        const storage::RunRepository& runs;
        const runtime::AgentService& agent_service;
        const runtime::ConversationService& conversation_service;
        runtime::Runtime& runtime;
        WorkerThreads& workers;
        net::HttpClient& operator_http;
        net::HttpClient& provider_http;
        boost::asio::any_io_executor executor;
    };

    explicit TerminalParts(const Needs& needs);

    api::TerminalServices& services() { return services_; }

    /// Begins what works by itself, on the executor.
    void start(const boost::asio::any_io_executor& executor);
    void stop();

    /// What a stop should wait for.
    std::size_t at_work() const { return git_memory_.at_work(); }

private:
    storage::ReflectionRepository reflections_;
    storage::EphemeralRepository ephemeral_rows_;
    storage::GitMemoryRepository git_rows_;
    storage::DeviceRepository devices_;
    runtime::EphemeralConversations ephemeral_;
    runtime::MessageCapture capture_;
    runtime::GitMemory git_memory_;
    api::DeviceHub device_hub_;
    runtime::WorkFolders work_folders_;
    api::TerminalServices services_;
};

}  // namespace stele::app
