// On whose behalf a request is: found before anything is begun, and what follows from it.
#include "base/ids.hpp"
#include "base/log.hpp"
#include "runtime/runtime.hpp"
#include "storage/identity_repository.hpp"
#include "storage/persona_links.hpp"

#include <algorithm>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

bool is_user_message(const InputMessage& message) {
    return !is_approval(message) && message.role.has_value() && *message.role == "user";
}

// Senders that may be keys: what has the form of an id stays as it is.
bool may_be_key(const InputMessage& message) {
    return message.sender_id.has_value() && !is_id(*message.sender_id, "identity") &&
           !is_id(*message.sender_id, "agent");
}

Identity unknown_user(const std::string& organization_id, const std::string& key,
                      std::optional<std::string> project_id) {
    IdentityCreate wanted;
    wanted.identifier_key = key;
    wanted.name = key;
    Identity identity = make_identity(wanted, organization_id);
    identity.project_id = std::move(project_id);
    return identity;
}

}  // namespace

awaitable<std::string> Runtime::identity_of(std::string organization_id, std::string agent_id, std::string named) {
    const auto agent = co_await services_.agents.find(organization_id, agent_id);
    if (!agent) throw not_found("Agent", agent_id);
    std::optional<Error> unknown;
    try {
        co_return co_await services_.identities.resolve(organization_id, named, agent->project_id);
    } catch (const Error& error) {
        const bool may_be_made =
            services_.identity_rules.create_unknown && error.code == ErrorCode::not_found && !is_id(named, "identity");
        if (!may_be_made) throw;
        unknown = error;
    }
    const Identity made = unknown_user(organization_id, named, agent->project_id);
    storage::Transaction transaction;
    services_.identities.upsert(transaction, made, false);
    if (services_.identity_rules.auto_link_persona) storage::link_personas(transaction, made);
    std::vector<storage::Rows> rows = co_await services_.database.commit(std::move(transaction));
    co_return rows.front().front().take_text(0);
}

awaitable<void> Runtime::name_identity(TurnRequest& request) {
    if (request.body.identity_id) {
        request.identity_id =
            co_await identity_of(request.organization_id, request.agent_id, *request.body.identity_id);
        request.body.identity_id = request.identity_id;
    }
    if (!request.body.messages.has_value()) co_return;
    std::vector<InputMessage>& messages = *request.body.messages;
    std::vector<std::string> keys;
    for (const InputMessage& message : messages)
        if (may_be_key(message)) keys.push_back(*message.sender_id);
    if (!keys.empty()) {
        const auto agent = co_await services_.agents.find(request.organization_id, request.agent_id);
        const std::optional<std::string> project = agent ? agent->project_id : std::nullopt;
        const auto ids = co_await services_.identities.resolve_known(request.organization_id, keys, project);
        std::size_t next = 0;
        for (InputMessage& message : messages) {
            if (!may_be_key(message)) continue;
            if (const auto& id = ids[next++]) message.sender_id = *id;
        }
    }
    for (InputMessage& message : messages)
        if (request.body.identity_id && is_user_message(message) && !message.sender_id.has_value())
            message.sender_id = *request.body.identity_id;
}

// Links that follow from the request itself. The view of this run is the same with them and without.
awaitable<void> Runtime::note_identity(const TurnRequest& request, const LoadedAgent& loaded, RunLog& run_log) {
    if (loaded.identity.id.empty()) co_return;
    const IdentityFacts& facts = loaded.identity_facts;
    if (is_ambiguous(facts, loaded.identity.rules)) run_log.warn("ambiguous-persona");
    storage::Transaction transaction;
    if (!facts.linked) services_.identities.link_agent(transaction, request.identity_id, request.agent_id);
    const std::optional<std::string> learnt = learnt_persona(facts, loaded.identity.rules, now());
    // Runs of other conversations may learn the same at this moment: the first one is believed.
    if (learnt) services_.identities.link_unlinked_block(transaction, request.identity_id, *learnt);
    if (transaction.empty()) co_return;
    co_await services_.database.commit(std::move(transaction));
    if (learnt)
        log::info("identity.persona_linked", {{"identity_id", request.identity_id},
                                              {"block_id", *learnt},
                                              {"agent_id", request.agent_id},
                                              {"run_id", run_log.run_id()}});
}

}  // namespace stele::runtime
