#include "runtime/compactor.hpp"
#include "runtime/runtime.hpp"

// Compaction by request: the same as a turn makes by itself, without a run.
namespace stele::runtime {
namespace {

using boost::asio::awaitable;

CompactionResponse response_of(std::string summary, std::size_t before, std::size_t after) {
    CompactionResponse response;
    response.summary = std::move(summary);
    response.num_messages_before = static_cast<std::int64_t>(before);
    response.num_messages_after = static_cast<std::int64_t>(after);
    return response;
}

}  // namespace

awaitable<CompactionResponse> Runtime::compact(std::string organization_id, std::string user_id, std::string agent_id,
                                               std::string conversation_id, CompactionRequest request) {
    const bool there = co_await services_.agents.exists(organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    const Lease lease = co_await leases_.acquire(lease_key(agent_id, conversation_id));
    auto loaded = co_await load_agent(services_.database, organization_id, agent_id, conversation_id);
    if (!loaded) throw not_found("Agent", agent_id);

    CompactionOrder order;
    order.settings = loaded->agent.compaction_settings.value_or(CompactionSettings{});
    if (request.compaction_settings.has_value()) stele::apply(*request.compaction_settings, order.settings);
    order.model = co_await model_of(organization_id, std::nullopt, loaded->agent.llm_config);
    order.handle = order.model.info().handle;
    order.user_id = std::move(user_id);
    order.messages_max = request.messages_max;
    co_await learn_senders(services_, organization_id, loaded->messages, order.sender_marks);

    const std::size_t before = loaded->messages.size();
    if (before == 2 && loaded->messages.back().role == MessageRole::summary)
        co_return response_of(summary_of_package(text_of(loaded->messages.back())), before, before);
    auto compaction = co_await write_compaction(services_.catalogue, *loaded, std::move(order));
    if (!compaction) throw refused("The conversation holds nothing that a summary could replace");
    if (compaction->messages_after >= before)
        throw refused("A summary would not make the conversation shorter: it holds " + std::to_string(before) +
                      " messages with the system message");

    CompactionResponse response = response_of(compaction->text, before, compaction->messages_after);
    if (request.preview) co_return response;
    co_await load_archive_facts(services_.database, *loaded);
    apply_compaction(*compaction, *loaded);
    storage::Transaction transaction;
    add_compaction(transaction, services_, organization_id, *compaction, *loaded);
    co_await services_.database.commit(std::move(transaction));
    co_return response;
}

awaitable<CompactionResponse> Runtime::undo_compaction(std::string organization_id, std::string agent_id,
                                                       std::string conversation_id) {
    const bool there = co_await services_.agents.exists(organization_id, agent_id);
    if (!there) throw not_found("Agent", agent_id);
    const Lease lease = co_await leases_.acquire(lease_key(agent_id, conversation_id));
    auto loaded = co_await load_agent(services_.database, organization_id, agent_id, conversation_id);
    if (!loaded) throw not_found("Agent", agent_id);
    const auto summary = co_await services_.messages.last_summary(agent_id, conversation_id);
    if (!summary)
        throw Error(ErrorCode::conflict, "The context window of agent " + agent_id + " holds no summary to undo");

    storage::Transaction transaction;
    services_.messages.undo_compaction(transaction, *summary);
    co_await services_.database.commit(std::move(transaction));
    const std::size_t before = loaded->messages.size();
    loaded = co_await load_agent(services_.database, organization_id, agent_id, conversation_id);
    if (!loaded) throw not_found("Agent", agent_id);
    co_return response_of(summary_of_package(text_of(*summary)), before, loaded->messages.size());
}

}  // namespace stele::runtime
