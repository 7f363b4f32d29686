#pragma once

#include "domain/compaction.hpp"
#include "runtime/turn.hpp"

#include <atomic>
#include <unordered_map>

namespace stele::runtime {

/// Starts runs and knows those at work. Thread-safe; outlives every run.
class Runtime {
public:
    explicit Runtime(TurnServices services) : services_(std::move(services)) {}

    /// Begins a run for `request` and returns its log as soon as nothing that the request itself is to blame for can go
    /// wrong any more; the run goes on by itself on the caller's executor. While another run of the same conversation
    /// is at work the new one waits behind it. A request that repeats an otid of a run at work follows that run
    /// instead. Throws Error{not_found} for an unknown agent or model, Error{invalid_argument} for input that says
    /// nothing, Error{unavailable} when too many wait or the server stops, and Error{conflict} naming the run at work
    /// if the request is not to wait behind it.
    boost::asio::awaitable<std::shared_ptr<RunLog>> start(TurnRequest request);

    /// Ends a run that is at work, wherever it is, and returns as soon as it has ended: its agent is free then.
    /// Nothing happens to a run that has ended. False if it has not come to its end in time.
    boost::asio::awaitable<bool> cancel(std::string run_id);

    /// The log of a run that is at work, or null.
    std::shared_ptr<RunLog> find(const std::string& run_id) const;

    /// The runs at work, newest first.
    std::vector<Run> active() const;

    /// The right to write the default conversation of an agent, for changes over REST that runs must not see halfway.
    boost::asio::awaitable<Lease> lease(std::string agent_id);

    /// The agent with its system message brought up to date, in the store too. Nothing if there is no such agent.
    boost::asio::awaitable<std::optional<LoadedAgent>> load_refreshed(std::string organization_id,
                                                                      std::string agent_id);

    /// Compacts the default conversation of an agent now, once no run is at work on it; with `preview` only tells
    /// what would come of it. Throws Error{not_found} for an unknown agent, Error{invalid_argument} if nothing would
    /// become shorter.
    boost::asio::awaitable<CompactionResponse> compact(std::string organization_id, std::string user_id,
                                                       std::string agent_id, CompactionRequest request);

    /// Takes the newest summary out of the default conversation's window and brings back what it stands for.
    /// Throws Error{not_found} for an unknown agent, Error{conflict} if its window holds no summary.
    boost::asio::awaitable<CompactionResponse> undo_compaction(std::string organization_id, std::string agent_id);

    /// Refuses new runs from now on.
    void stop() { stopping_ = true; }

private:
    boost::asio::awaitable<void> begin(std::shared_ptr<RunLog> run_log, TurnRequest request, llm::ResolvedModel model,
                                       LoadedAgent loaded, Lease lease);
    boost::asio::awaitable<void> begin_or_queue(std::shared_ptr<RunLog> run_log, TurnRequest request,
                                                boost::asio::any_io_executor executor);
    boost::asio::awaitable<void> begin_when_free(std::shared_ptr<RunLog> run_log, TurnRequest request);
    boost::asio::awaitable<llm::ResolvedModel> model_of(std::optional<std::string> override_model, LlmConfig config);
    boost::asio::awaitable<LoadedAgent> load(TurnRequest request);
    boost::asio::awaitable<void> end_unbegun(std::shared_ptr<RunLog> run_log, std::string organization_id, Error error);
    Error busy(const TurnRequest& request, const std::string& run_id) const;
    std::shared_ptr<RunLog> remember(const std::shared_ptr<RunLog>& run_log, const TurnRequest& request);
    boost::asio::awaitable<void> record(std::shared_ptr<RunLog> run_log);
    boost::asio::awaitable<void> save_begun(std::string organization_id, Run run);
    void leave(const RunLog& run_log);
    void forget(const std::string& run_id);

    TurnServices services_;
    LeaseTable leases_;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    struct Active {
        std::shared_ptr<RunLog> log;
        std::shared_ptr<RunControl> control;
    };
    std::unordered_map<std::string, Active> active_;
    std::unordered_map<std::string, std::string> run_of_otid_;  ///< of runs at work; "agent otid" -> run
};

/// The run that `request` asks for, as it is before anything has happened.
Run new_run(const TurnRequest& request);

}  // namespace stele::runtime
