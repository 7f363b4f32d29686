#pragma once

#include "runtime/alarm.hpp"
#include "runtime/runtime.hpp"
#include "storage/provider_batch_repository.hpp"

#include <functional>
#include <map>
#include <set>

namespace stele::runtime {

/// Hands items of batches to the batches of providers that have such, and gives the answers to the items' runs: the
/// first step of each takes its answer as the model's, what follows upon it is asked for at once. Whatever a provider
/// does not take or answer goes to its run as it is. What was handed over is on record: a restart goes on with it, and
/// nothing is handed over twice.
class ProviderBatches {
public:
    struct Parts {
        storage::Database& database;
        const storage::ProviderBatchRepository& batches;
        llm::Catalogue& catalogue;
        Runtime& runtime;
        std::chrono::milliseconds look_interval{30'000};  ///< between two looks at what a provider has come to
        std::function<void()> on_queued;                  ///< told when items wait for their runs
    };

    /// `executor`: of one thread.
    ProviderBatches(Parts parts, boost::asio::any_io_executor executor);

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Looks at the batches again: one was made, or closed. Thread-safe.
    void wake() { alarm_.wake(); }

    /// Begins nothing from now on. Thread-safe.
    void stop() { alarm_.stop(); }

    /// The loop and the provider batches at hand. Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

private:
    using Presence = std::shared_ptr<void>;  ///< held by what is at work: outlives this
    struct Draft;

    boost::asio::awaitable<bool> offer();
    boost::asio::awaitable<void> draft(const storage::BatchItem& item, std::vector<Draft>& drafts);
    boost::asio::awaitable<void> go_on(storage::ProviderBatch batch, Presence presence);
    boost::asio::awaitable<void> take_step(storage::ProviderBatch batch);
    boost::asio::awaitable<void> note_failure(storage::ProviderBatch batch, std::string type, std::string why,
                                              bool final);
    boost::asio::awaitable<void> submit(llm::BatchService& service, storage::ProviderBatch batch);
    boost::asio::awaitable<void> note_sent(std::string id, std::string remote_id);
    boost::asio::awaitable<void> collect(llm::BatchService& service, storage::ProviderBatch batch);
    boost::asio::awaitable<void> end(storage::ProviderBatch batch);
    boost::asio::awaitable<std::shared_ptr<llm::BatchService>> service_of(storage::ProviderBatch batch);

    Parts parts_;
    Alarm alarm_;
    Presence at_work_ = std::make_shared<int>();
    // On the executor alone.
    std::set<std::string> at_hand_;        ///< provider batches that something is being done about
    std::set<std::string> begun_here_;     ///< not handed over yet, by nobody
    std::map<std::string, int> failures_;  ///< in a row, by provider batch
};

}  // namespace stele::runtime
