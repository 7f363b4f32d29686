#include "runtime/agent_loader.hpp"

#include "storage/agent_repository.hpp"
#include "storage/attached_file_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/folder_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/passage_repository.hpp"
#include "storage/tool_repository.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr std::int64_t archival_tags_max = 200;  // that a system message lists

storage::ReadBatch settings_batch(const std::string& organization_id, const std::string& agent_id,
                                  const std::string& conversation_id, const RunIdentity& identity) {
    storage::ReadBatch batch;
    batch.add(storage::AgentRepository::find_statement(), organization_id, agent_id)
        .add(storage::ToolRepository::of_agent_statement(), agent_id);
    if (conversation_id.empty()) {
        batch.add(storage::BlockRepository::of_agent_statement(), agent_id);
    } else {
        batch.add(storage::BlockRepository::in_conversation_statement(), agent_id, conversation_id)
            .add(storage::ConversationRepository::find_statement(), organization_id, agent_id, conversation_id)
            .add(storage::ConversationRepository::block_ids_statement(), conversation_id);
    }
    if (!identity.id.empty()) add_fact_reads(batch, organization_id, agent_id, conversation_id, identity.id);
    return batch;
}

// What the conversation calls its model with stands in place of the agent's own.
void take_conversation(Conversation conversation, LoadedAgent& into) {
    apply_model(conversation, into.agent.llm_config);
    const bool own_format = conversation.model_settings && conversation.model_settings->response_format.present();
    if (own_format) into.agent.response_format = Json{};
    into.conversation = std::move(conversation);
}

bool take_settings(std::vector<storage::Rows>& rows, LoadedAgent& into) {
    auto agent = storage::AgentRepository::from_rows(std::move(rows[0]));
    if (!agent) return false;
    into.agent = std::move(*agent);
    into.tools = storage::ToolRepository::from_rows(std::move(rows[1]));
    into.blocks = storage::BlockRepository::from_rows(std::move(rows[2]));
    if (!into.identity.id.empty()) {
        std::size_t next = into.conversation_id.empty() ? 3 : 5;
        into.identity_facts = take_facts(rows, next);
        into.attached = std::move(into.blocks);
        into.blocks = view_of(into.attached, into.identity_facts, into.identity.rules);
    }
    if (into.conversation_id.empty()) return true;
    auto conversation = storage::ConversationRepository::from_rows(std::move(rows[3]));
    if (!conversation) throw not_found("Conversation", into.conversation_id);
    conversation->isolated_block_ids = storage::MessageRepository::ids_from_rows(std::move(rows[4]));
    take_conversation(std::move(*conversation), into);
    return true;
}

}  // namespace

awaitable<std::optional<LoadedAgent>> load_agent(storage::Database& database, std::string organization_id,
                                                 std::string agent_id, std::string conversation_id,
                                                 RunIdentity identity) {
    storage::ReadBatch batch = settings_batch(organization_id, agent_id, conversation_id, identity);
    batch.add(storage::MessageRepository::in_context_statement(conversation_id), agent_id, conversation_id);
    std::vector<storage::Rows> rows = co_await database.read(std::move(batch));
    std::optional<LoadedAgent> loaded(std::in_place);
    loaded->conversation_id = std::move(conversation_id);
    loaded->identity = std::move(identity);
    if (!take_settings(rows, *loaded)) co_return std::nullopt;
    const std::string& named = loaded->identity.id;
    if (!named.empty() && !loaded->identity_facts.exists) throw not_found("Identity", named);
    loaded->messages = storage::MessageRepository::from_rows(std::move(rows.back()));
    loaded->directories = co_await load_directories(database, loaded->agent);
    co_return loaded;
}

awaitable<bool> reload_settings(storage::Database& database, LoadedAgent& loaded) {
    storage::ReadBatch batch =
        settings_batch(loaded.agent.organization_id, loaded.agent.id, loaded.conversation_id, loaded.identity);
    std::vector<storage::Rows> rows = co_await database.read(std::move(batch));
    if (!take_settings(rows, loaded)) co_return false;
    loaded.directories = co_await load_directories(database, loaded.agent);
    co_return true;
}

awaitable<AgentDirectories> load_directories(storage::Database& database, const Agent& agent) {
    AgentDirectories directories;
    if (agent.folder_count == 0) co_return directories;
    storage::ReadBatch batch;
    batch.add(storage::FolderRepository::of_agent_statement(), agent.id)
        .add(storage::AttachedFileRepository::of_agent_statement(), agent.id);
    std::vector<storage::Rows> rows = co_await database.read(std::move(batch));
    directories.folders = storage::FolderRepository::from_rows(std::move(rows[0]));
    directories.files = storage::AttachedFileRepository::from_rows(std::move(rows[1]));
    co_return directories;
}

Message* system_message_of(std::vector<Message>& messages) {
    return messages.empty() || messages.front().role != MessageRole::system ? nullptr : &messages.front();
}

SystemPromptInput prompt_input(const LoadedAgent& loaded, Timestamp at) {
    const std::vector<Block>& stored = loaded.identity.id.empty() ? loaded.blocks : loaded.attached;
    SystemPromptInput input{
        loaded.agent,       stored, loaded.conversation_id, at, 0, loaded.archival_count, loaded.archival_tags,
        &loaded.directories};
    input.recall_count =
        std::max<std::int64_t>(0, loaded.agent.message_count - static_cast<std::int64_t>(loaded.messages.size()));
    return input;
}

awaitable<void> load_archive_facts(storage::Database& database, LoadedAgent& loaded) {
    storage::ReadBatch batch;
    batch.add(storage::PassageRepository::count_statement(), loaded.agent.id)
        .add(storage::PassageRepository::tags_statement(), loaded.agent.id, archival_tags_max);
    std::vector<storage::Rows> rows = co_await database.read(std::move(batch));
    loaded.archival_count = rows[0].front().integer(0);
    loaded.archival_tags.clear();
    for (storage::Row& row : rows[1]) loaded.archival_tags.push_back(row.take_text(0));
}

awaitable<bool> refresh_system_message(storage::Database& database, LoadedAgent& loaded) {
    Message* system = system_message_of(loaded.messages);
    if (system == nullptr || !is_outdated(text_of(*system), prompt_input(loaded, system->created_at))) co_return false;
    co_await load_archive_facts(database, loaded);
    system->content = {text_part(recompiled_system_prompt(text_of(*system), prompt_input(loaded, system->created_at)))};
    co_return true;
}

std::optional<std::string> system_text_for_identity(const LoadedAgent& loaded) {
    if (loaded.identity.id.empty() || loaded.messages.empty() || loaded.messages.front().role != MessageRole::system)
        return std::nullopt;
    const Message& system = loaded.messages.front();
    return system_prompt_with_blocks(
        text_of(system),
        {loaded.agent, loaded.blocks, loaded.conversation_id, system.created_at, 0, 0, {}, &loaded.directories});
}

}  // namespace stele::runtime
