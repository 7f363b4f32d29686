#pragma once

#include "runtime/alarm.hpp"
#include "runtime/unattended_run.hpp"
#include "storage/batch_repository.hpp"

#include <functional>
#include <map>
#include <mutex>

namespace stele::runtime {

/// Works through the items of all batches as background runs, in their order: a few at once, never two of one agent. A
/// batch that takes longer than a day expires. What providers answer in batches of their own comes here afterwards
/// (provider_batches.hpp).
class BatchRunner {
public:
    struct Parts {
        storage::Database& database;
        const storage::BatchRepository& batches;
        const storage::RunRepository& runs;
        Runtime& runtime;
        std::size_t at_once = 4;
        /// Told of each batch that ends by itself.
        std::function<void(const std::string& organization_id, const std::string& batch_id)> on_ended;
    };

    /// `executors`: one a thread; the loop lives on the first, the runs are spread over all.
    BatchRunner(Parts parts, std::vector<boost::asio::any_io_executor> executors);

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Looks at the batches again: one was made. Thread-safe.
    void wake() { alarm_.wake(); }

    /// Ends the runs of a batch that was closed in the store.
    boost::asio::awaitable<void> withdraw(std::string batch_id);

    /// Begins nothing from now on. Thread-safe.
    void stop() { alarm_.stop(); }

    /// The loop and the items at work. Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

private:
    using Presence = std::shared_ptr<void>;  ///< held by what is at work: outlives this

    struct AtWork {
        std::string batch_id, run_id;
        bool withdrawn = false;
    };

    boost::asio::awaitable<void> begin_waiting();
    boost::asio::awaitable<std::chrono::milliseconds> expire_old();
    boost::asio::awaitable<void> carry_out(storage::BatchItem item, Presence presence);
    boost::asio::awaitable<std::optional<storage::BatchItemEnd>> end_of(storage::BatchItem item);
    boost::asio::awaitable<void> finish(storage::BatchItem item, storage::BatchItemEnd end);
    std::optional<std::vector<std::string>> busy_agents() const;
    void begin(storage::BatchItem item);
    void end_if_withdrawn(const storage::BatchItem& item, const boost::asio::any_io_executor& executor);

    Parts parts_;
    std::vector<boost::asio::any_io_executor> executors_;
    std::size_t next_executor_ = 0;
    Alarm alarm_;
    Presence at_work_ = std::make_shared<int>();
    mutable std::mutex mutex_;
    std::map<std::string, AtWork> items_;  ///< by agent: it works on one item at a time
};

/// What an item asks for, as the request of a turn; without its run.
TurnRequest turn_of_item(const storage::BatchItem& item);

}  // namespace stele::runtime
