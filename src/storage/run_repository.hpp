#pragma once

#include "domain/run.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// A number compared with a run's: "eq", "gte", "lte", "gt", "lt".
struct Comparison {
    std::string_view sql;  ///< "=", ">=", ...
    std::int64_t number = 0;

    bool holds(std::int64_t value) const;
};

struct RunFilter {
    std::vector<std::string> agent_ids, statuses;
    std::vector<std::string> tools_used;  ///< any of these tool ids
    std::optional<std::string> run_id, stop_reason, conversation_id;
    std::optional<std::string> identity_id;                   ///< on whose behalf
    std::optional<std::string> project_id, base_template_id;  ///< of the agent; not seen by matches()
    std::optional<bool> background;
    std::optional<Timestamp> after_time, before_time;  ///< strict
    std::optional<Comparison> step_count;
    std::optional<Comparison> duration_ns;
    /// 1 to 100: at least as slow as this part of the runs of these agents, this project and these statuses.
    std::optional<std::int64_t> duration_percentile;

    bool matches(const Run& run) const;
};

/// A run that has ended and whose callback was not attempted.
struct DueCallback {
    std::string organization_id, run_id;
};

struct StepFilter {
    std::optional<std::string> agent_id, run_id, feedback, project_id;
    std::optional<std::string> model;  ///< name or handle
    std::optional<bool> has_feedback;
    std::vector<std::string> tags;                     ///< any of these
    std::vector<std::string> trace_ids;                ///< any of these
    std::optional<Timestamp> after_time, before_time;  ///< strict
};

/// When the parts of a step began and how long they took, in nanoseconds.
struct StepTimes {
    std::int64_t started_ns = 0;                   ///< since 1970
    std::optional<std::int64_t> model_started_ns;  ///< since 1970
    std::optional<std::int64_t> model_ns, tools_ns, total_ns;
};

/// The exchange with the model as it is kept; empty texts are stored as null.
struct StepTrace {
    std::string request_json, response_json;
};

/// A conversation in which a run stood when the server died.
struct CutOffConversation {
    std::string organization_id;
    std::string agent_id;
    std::string conversation_id;  ///< empty: the default one
};

/// Runs and their steps.
class RunRepository {
public:
    explicit RunRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Run>> find(std::string organization_id, std::string id) const;

    /// One page. `at_work`: runs whose rows may not be there yet or be behind: each stands in the page where its row
    /// belongs, so that a walk meets it exactly once, whenever the row comes.
    boost::asio::awaitable<std::vector<Run>> list(std::string organization_id, RunFilter filter, Page page,
                                                  std::vector<Run> at_work) const;

    boost::asio::awaitable<std::optional<Step>> find_step(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<Step>> list_steps(std::string organization_id, StepFilter filter,
                                                         Page page) const;
    boost::asio::awaitable<std::optional<StepMetrics>> step_metrics(std::string organization_id, std::string id) const;

    /// Of all steps of a run, oldest first, at most `limit`.
    boost::asio::awaitable<std::vector<StepMetrics>> metrics_of_run(std::string organization_id, std::string run_id,
                                                                    std::int64_t limit) const;

    boost::asio::awaitable<std::optional<ProviderTrace>> step_trace(std::string organization_id, std::string id) const;
    boost::asio::awaitable<RunUsage> usage(std::string run_id) const;

    /// Inserts the run, or replaces the row it has.
    void save(Transaction& transaction, const std::string& organization_id, const Run& run) const;
    void remove(Transaction& transaction, const std::string& organization_id, const std::string& id) const;

    /// Inserts the step; of one that is there already, what its calls have made of it is brought up to date.
    void save_step(Transaction& transaction, const Step& step, const StepTimes& times, const StepTrace& trace) const;

    /// Writes feedback, tags and tid.
    void update_step(Transaction& transaction, const Step& step) const;

    /// Takes the run's callback upon oneself. The commit throws Error{conflict} if somebody did before.
    void claim_callback(Transaction& transaction, const Run& run) const;

    /// Writes what came of it: callback_status_code and callback_error.
    void save_callback(Transaction& transaction, const Run& run) const;

    /// The oldest first. For the start of the server.
    boost::asio::awaitable<std::vector<DueCallback>> callbacks_due() const;

    /// Where a crash cut off runs that had stored something, calls perhaps. For the start of the server, before
    /// fail_unfinished.
    boost::asio::awaitable<std::vector<CutOffConversation>> cut_off() const;

    /// Ends as failed whatever a crash cut off: for the start of the server.
    void fail_unfinished(Transaction& transaction) const;

    static std::vector<Statement> statements();

private:
    boost::asio::awaitable<std::int64_t> slow_from(std::string organization_id, RunFilter filter) const;
    boost::asio::awaitable<std::vector<Run>> of_agents(std::string organization_id, RunFilter filter,
                                                       std::vector<Run> runs) const;

    Database& database_;
};

}  // namespace stele::storage
