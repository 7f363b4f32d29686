#pragma once

#include "domain/compaction.hpp"
#include "domain/generation.hpp"
#include "domain/tool_request.hpp"
#include "runtime/sleeptime.hpp"
#include "runtime/turn.hpp"
#include "runtime/wait_graph.hpp"

#include <atomic>
#include <functional>
#include <set>
#include <unordered_map>

namespace stele::runtime {

/// A request to a model, not sent.
struct PreparedRequest {
    llm::ResolvedModel model;
    std::string json;  ///< the body
};

/// A tool of an agent that somebody wants to see run.
struct HandRun {
    std::string organization_id;
    std::string user_id;
    std::string agent_id;
    std::string tool_name;
    Json args;
    CallOrigin origin;
};

/// Starts runs and knows those at work. Thread-safe; outlives every run.
class Runtime {
public:
    explicit Runtime(TurnServices services) : services_(std::move(services)), sleeptime_(services_) {
        services_.runtime = this;
    }
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    /// Begins a run for `request` and returns its log as soon as nothing that the request itself is to blame for can go
    /// wrong any more; the run goes on by itself on the caller's executor. While another run of the same conversation
    /// is at work the new one waits behind it, or is refused if the request says so. A request that repeats an otid of
    /// a run at work follows that run instead. Throws Error{not_found} for an unknown agent or model,
    /// Error{invalid_argument} for input that says nothing, Error{unavailable} when too many wait or the server stops,
    /// Error{conflict} with the id of the run at work.
    boost::asio::awaitable<std::shared_ptr<RunLog>> start(TurnRequest request);

    /// Begins the talk of a group on what `request` brings, whose agent is of no account, and returns the log of the
    /// run that the talk as a whole is. It waits behind a talk at work. Throws Error{not_found} for an unknown group,
    /// Error{invalid_argument} for a group in which nobody can speak, and as start does.
    boost::asio::awaitable<std::shared_ptr<RunLog>> start_talk(TurnRequest request, std::string group_id);

    /// Ends a run that is at work, wherever it is, and returns as soon as it has ended: its agent is free then.
    /// Nothing happens to a run that has ended. False if it has not come to its end in time.
    boost::asio::awaitable<bool> cancel(std::string run_id);

    /// The same without waiting for its end. Throws nothing; from any thread.
    void cancel_soon(const std::string& run_id);

    /// Denies the calls that a conversation waits with for an approval, and ends the run that made them as cancelled:
    /// the conversation is free again. Returns that run's id. Nothing happens if none waits, if a run is at work there,
    /// or if it is not run `only`.
    boost::asio::awaitable<std::optional<std::string>> cancel_waiting(std::string organization_id, std::string agent_id,
                                                                      std::string conversation_id,
                                                                      std::optional<std::string> only);

    /// The log of a run of the organisation that is at work, or null.
    std::shared_ptr<RunLog> find(const std::string& organization_id, const std::string& run_id) const;

    /// The run at work that took up an agent's message with this client's id, or empty.
    std::string run_of_otid(const std::string& agent_id, const std::string& otid) const;

    /// The runs at work, newest first: of everybody, and of one organisation.
    std::vector<Run> active() const;
    std::vector<Run> active_of(const std::string& organization_id) const;

    // In all that follows an empty conversation id means the agent's default one.

    /// The right to write a conversation, for changes over REST that runs must not see halfway.
    boost::asio::awaitable<Lease> lease(std::string agent_id, std::string conversation_id);

    /// The same for several conversations (at least one) at once.
    boost::asio::awaitable<std::vector<Lease>> leases(const std::string& agent_id,
                                                      const std::set<std::string>& conversation_ids);

    /// The agent with its system message brought up to date, in the store too. Nothing if there is no such agent.
    boost::asio::awaitable<std::optional<LoadedAgent>> load_refreshed(std::string organization_id, std::string agent_id,
                                                                      std::string conversation_id);

    /// The system message of a conversation compiled anew, with the time of `update_timestamp` now; stored unless
    /// `dry_run`. Throws Error{not_found} if there is none.
    boost::asio::awaitable<std::string> recompile(std::string organization_id, std::string agent_id,
                                                  std::string conversation_id, bool update_timestamp, bool dry_run);

    /// What `request` would send to its model's provider now. Nothing is sent or stored. Throws as start.
    boost::asio::awaitable<PreparedRequest> prepare(TurnRequest request);

    /// One answer of an agent's model to a prompt. Throws Error{not_found} for an unknown agent or model,
    /// Error{model_failed} for whatever goes wrong at the provider.
    boost::asio::awaitable<GenerateResponse> generate(std::string organization_id, std::string user_id,
                                                      std::string agent_id, GenerateRequest wanted);

    /// Runs a tool that the agent has, outside of any conversation: no rule is asked and no message stored, but what it
    /// does to the agent's memory is real. Throws Error{not_found} for an unknown agent or a tool it has not,
    /// Error{invalid_argument} for one that clients run. A tool that fails is an answer.
    boost::asio::awaitable<ToolExecutionResult> run_tool(HandRun wanted);

    /// Compacts a conversation now, once no run is at work on it; with `preview` only tells what would come of it.
    /// Throws Error{not_found} for an unknown agent, Error{invalid_argument} if nothing would become shorter.
    boost::asio::awaitable<CompactionResponse> compact(std::string organization_id, std::string user_id,
                                                       std::string agent_id, std::string conversation_id,
                                                       CompactionRequest request);

    /// Takes the newest summary out of a conversation's window and brings back what it stands for.
    /// Throws Error{not_found} for an unknown agent, Error{conflict} if its window holds no summary of its own.
    boost::asio::awaitable<CompactionResponse> undo_compaction(std::string organization_id, std::string agent_id,
                                                               std::string conversation_id);

    /// Which conversations wait for others; a run that waits for another one enters itself there.
    WaitGraph& waits() { return waits_; }

    Sleeptime& sleeptime() { return sleeptime_; }

    /// Refuses new runs from now on.
    void stop() { stopping_ = true; }
    bool stopping() const { return stopping_; }

    /// The id of the identity that a request to this agent names by its id or by its key (in the agent's project, then
    /// among those without one, then in the organisation). Throws Error{not_found} for an unknown agent or identity,
    /// unless the operator lets unknown keys make identities.
    boost::asio::awaitable<std::string> identity_of(std::string organization_id, std::string agent_id,
                                                    std::string named);

private:
    struct Active {
        std::shared_ptr<RunLog> log;
        std::shared_ptr<RunControl> control;
        std::string organization_id;
    };

    boost::asio::awaitable<void> name_identity(TurnRequest& request);
    boost::asio::awaitable<void> note_identity(const TurnRequest& request, const LoadedAgent& loaded, RunLog& run_log);
    std::unique_ptr<Turn> make_turn(const std::shared_ptr<RunLog>& run_log, TurnRequest request,
                                    llm::ResolvedModel model, LoadedAgent loaded, TurnInput input, Lease lease) const;
    boost::asio::awaitable<void> carry_out(std::shared_ptr<RunLog> run_log, std::unique_ptr<Turn> turn);
    boost::asio::awaitable<void> begin_or_queue(std::shared_ptr<RunLog> run_log, TurnRequest request,
                                                boost::asio::any_io_executor executor);
    boost::asio::awaitable<void> begin_when_free(std::shared_ptr<RunLog> run_log, TurnRequest request);
    boost::asio::awaitable<llm::ResolvedModel> model_of(std::string organization_id,
                                                        std::optional<std::string> override_model, LlmConfig config);
    boost::asio::awaitable<LoadedAgent> load(TurnRequest request);
    boost::asio::awaitable<void> join_own_group(TurnRequest& request, const LoadedAgent& loaded);
    boost::asio::awaitable<void> end_unbegun(std::shared_ptr<RunLog> run_log, std::string organization_id, Error error);
    void refuse_if_at_work(const std::string& organization_id, const std::string& key,
                           const std::string& own_run_id) const;
    std::shared_ptr<RunLog> remember(const std::shared_ptr<RunLog>& run_log, const TurnRequest& request);
    boost::asio::awaitable<void> record(std::shared_ptr<RunLog> run_log);
    boost::asio::awaitable<void> save_begun(std::string organization_id, Run run);
    boost::asio::awaitable<void> carry_out_talk(std::shared_ptr<RunLog> run_log, TurnRequest request, Group group);
    std::vector<Run> active_that(const std::function<bool(const Active&)>& wanted) const;
    void leave(const RunLog& run_log);
    void forget(const std::string& run_id);

    TurnServices services_;
    Sleeptime sleeptime_;
    LeaseTable leases_;
    WaitGraph waits_;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Active> active_;
    std::unordered_map<std::string, std::string> run_of_otid_;  ///< of runs at work; "agent otid" -> run
};

/// What the lease of a conversation is known by.
std::string lease_key(const std::string& agent_id, const std::string& conversation_id);

/// The run that `request` asks for, as it is before anything has happened.
Run new_run(const TurnRequest& request);

}  // namespace stele::runtime
