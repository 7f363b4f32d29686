#pragma once

#include "domain/message.hpp"
#include "domain/model_parameters.hpp"
#include "llm/catalogue.hpp"
#include "runtime/agent_lease.hpp"
#include "runtime/agent_loader.hpp"
#include "runtime/agent_messenger.hpp"
#include "runtime/agent_shelf.hpp"
#include "runtime/custom_tool.hpp"
#include "runtime/next_action.hpp"
#include "runtime/run_control.hpp"
#include "runtime/run_log.hpp"
#include "runtime/senders.hpp"
#include "runtime/token_events.hpp"
#include "runtime/tool_runner.hpp"
#include "runtime/turn_input.hpp"
#include "storage/agent_repository.hpp"
#include "storage/block_repository.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/group_repository.hpp"
#include "storage/idempotency_repository.hpp"
#include "storage/message_repository.hpp"
#include "storage/run_event_repository.hpp"
#include "storage/run_repository.hpp"
#include "tools/sandbox/sandbox.hpp"

#include <limits>

namespace stele::storage {
class IdentityRepository;
}
namespace stele::tools {
class ArchivalMemory;
}
namespace stele::tools::mcp {
class Client;
}
namespace stele::tools::web {
class WebAccess;
}

namespace stele::runtime {

class Runtime;

/// A turn's part in the talk of a group.
struct GroupPart {
    std::string id;
    std::size_t passed_on = 0;  ///< so many messages of the request, the first ones, were said in the group before
    std::size_t said = std::numeric_limits<std::size_t>::max();  ///< so many behind them are told to the others
    bool aloud = true;                                           ///< and so is what the agent answers
    std::vector<std::string> broadcast_to;  ///< not empty: the agent is made to ask all of these first
};

/// A message request as the runtime takes it.
struct TurnRequest {
    std::string organization_id;
    std::string user_id;
    std::string agent_id;
    std::string conversation_id;  ///< empty: the default one
    MessageRequest body;
    ModelParameters parameters;         ///< of every call of its model
    std::optional<std::string> run_id;  ///< of the run that is to be; nothing: a new one
    std::string run_type = "send_message";
    bool stream_tokens = false;
    bool background = false;
    bool refuse_if_busy = false;                 ///< unless it or its agent says otherwise (double_texting)
    std::optional<std::string> idempotency_key;  ///< claimed; its answer is kept with the first step
    std::string request_id;                      ///< of the HTTP request, for the log
    int depth = 0;                               ///< how many messages from agent to agent led here
    std::optional<GroupPart> group;
    std::string answer;                   ///< of its first model call, if the provider has given it before
    std::string answered_by;              ///< handle of the model that `answer` is of
    std::shared_ptr<RunControl> control;  ///< given by Runtime
    std::string identity_id;              ///< on whose behalf, found by Runtime; empty: nobody's
};

/// What a turn works with. Outlives every turn.
struct TurnServices {
    storage::Database& database;
    const storage::AgentRepository& agents;
    const storage::BlockRepository& blocks;
    const storage::MessageRepository& messages;
    const storage::ConversationRepository& conversations;
    const storage::GroupRepository& groups;
    const storage::RunRepository& runs;
    const storage::IdempotencyRepository& idempotency;
    const storage::IdentityRepository& identities;
    const storage::RunEventRepository& run_events;
    llm::Catalogue& catalogue;
    tools::Sandbox& sandbox;
    const CustomTools& custom_tools;
    tools::mcp::Client& mcp;
    tools::web::WebAccess& web;
    tools::ArchivalMemory& archive;
    AgentShelf::Parts shelf;  ///< files of agents
    IdentityRules identity_rules;
    bool keep_traces = true;
    std::size_t trace_bytes_max =
        1u << 20;                ///< of a step's request and of its answer; longer ones are left out with a note
    Runtime* runtime = nullptr;  ///< sets it itself
};

/// One request being worked on: asks the model, runs tools, commits one transaction a step, tells the log. The
/// decisions are next_action's. Lives on one thread, in its own coroutine.
class Turn {
public:
    /// `loaded` and `input` belong to `lease`, which is held until the turn ends.
    Turn(const TurnServices& services, TurnRequest request, std::shared_ptr<RunLog> log, Lease lease,
         LoadedAgent loaded, TurnInput input, llm::ResolvedModel model);

    /// Works until the turn ends. Throws nothing: a failure ends the run as failed, on record.
    boost::asio::awaitable<void> carry_out();

    /// What the model would be asked first. Nothing is asked and nothing stored; the turn is of no further use.
    boost::asio::awaitable<llm::ModelRequest> first_request();

    /// Writes down a failure that the store did not take when it happened (it was full, say), once it takes it again:
    /// else the run would be called running until the next start. Call it when the turn is over for everybody else.
    boost::asio::awaitable<void> record_late();

private:
    struct StepWork;

    boost::asio::awaitable<bool> step();                ///< false: the turn is over
    boost::asio::awaitable<bool> carry_out_decision();  ///< the same for the step that a client's decision makes
    boost::asio::awaitable<void> prepare(StepWork& work);
    boost::asio::awaitable<void> ask_model(StepWork& work);
    boost::asio::awaitable<void> run_tools(StepWork& work, std::size_t calls);
    boost::asio::awaitable<void> make_calls(StepWork& work);
    boost::asio::awaitable<void> begin_calls(StepWork& work);
    boost::asio::awaitable<void> tell_of_archive(StepWork& work);
    boost::asio::awaitable<void> commit(StepWork& work);
    boost::asio::awaitable<void> fail(Error error);
    boost::asio::awaitable<bool> compact(std::string trigger, bool everything);
    boost::asio::awaitable<bool> try_to_compact(std::string trigger, bool everything);
    boost::asio::awaitable<void> compact_if_full();
    boost::asio::awaitable<void> compact_afterwards();
    void show_compaction(const struct Compaction& compaction);
    std::optional<llm::ModelAnswer> take_given_answer();
    boost::asio::awaitable<llm::ModelAnswer> complete(StepWork& work, TokenEvents& tokens);
    bool window_is_full() const;
    void note_context_size(const llm::ModelAnswer& answer);
    void tell(std::optional<Error> failure);
    boost::asio::awaitable<void> leave_input_in_history();
    storage::Transaction end_record(const Error& error) const;
    std::int64_t deny_waiting(storage::Transaction& transaction) const;

    llm::ModelRequest make_request() const;
    ToolRunner tool_runner();
    void take_calls(StepWork& work, std::size_t calls);
    ToolsReturned note_returns(const StepWork& work);
    void await_approval(StepWork& work, std::size_t calls);
    bool needs_approval(const std::string& tool) const;
    bool is_client_tool(const std::string& tool) const;
    const std::vector<Tool>& offered_tools() const { return client_tools_ ? offered_ : loaded_.tools; }
    void gather_messages(StepWork& work);
    Message returns_of(const StepWork& work, std::vector<MessageToolReturn> returns) const;
    void gather_answer(StepWork& work);
    void gather_decision(StepWork& work);
    storage::Transaction transaction_of(StepWork& work);
    Step step_head(std::string id, const char* status) const;
    Step make_step(const StepWork& work) const;
    void finish_run(StopReason reason);
    Message new_message(MessageRole role, const std::string& step_id) const;
    void show(const StepWork& work);
    ViewOptions view_options() const;
    void take_tools();
    void tell_group(storage::Transaction& transaction, const std::vector<Message>& stored) const;
    void note_group_input(const std::string& id);
    boost::asio::awaitable<void> wake_partners();
    void lend_group_tools();
    std::vector<ToolRule> rules_of_turn() const;
    AgentLastRun last_run() const;

    const TurnServices& services_;
    TurnRequest request_;
    AgentMessenger others_;
    std::shared_ptr<RunLog> log_;
    Lease lease_;
    LoadedAgent loaded_;
    std::vector<Message> input_;                             ///< not stored yet
    std::vector<std::string> told_ids_, quiet_ids_;          ///< of the input: what the group hears, and does not
    std::optional<Message> decision_;                        ///< of a client about the calls that wait, not stored yet
    const std::vector<ClientTool>* client_tools_ = nullptr;  ///< of the request; null if there are none
    std::vector<Tool> offered_;                              ///< with `client_tools_`: all tools of this request
    SenderMarks sender_marks_;                               ///< of all whose messages are in the window
    bool committed_ = false;                                 ///< something of this run is stored
    llm::ResolvedModel model_;
    LoopState state_;
    Run run_;
    UsageStatistics usage_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::string present_step_id_;                   ///< of the step at work, for the record of its failure
    double tokens_per_estimate_ = 1;                ///< of this model, learnt from what it reports
    std::optional<Error> unrecorded_;               ///< the failure that the store did not take
    std::optional<std::string> clear_context_but_;  ///< message_buffer_autoclear: the first commit evicts all others
};

}  // namespace stele::runtime
