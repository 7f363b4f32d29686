#pragma once

#include "runtime/alarm.hpp"
#include "runtime/unattended_run.hpp"
#include "storage/feed_repository.hpp"
#include "storage/feed_subscription_repository.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <set>

namespace stele::runtime {

/// Gives agents what is new in the feeds that they are subscribed to, when it comes up: one loop with one timer claims
/// what is due, a coroutine for each delivery carries it out, piece by piece, as background runs. What an earlier life
/// of the server began goes on at the start (FeedSubscriptionRepository).
class FeedRunner {
public:
    struct Parts {
        storage::Database& database;
        const storage::FeedRepository& feeds;
        const storage::FeedSubscriptionRepository& subscriptions;
        const storage::AgentRepository& agents;
        const storage::RunRepository& runs;
        Runtime& runtime;
        /// Told of each run that is begun.
        std::function<void(const std::string& organization_id, const Run& run)> on_begun;
        std::chrono::milliseconds busy_patience = std::chrono::minutes(10);  ///< until an agent is free
    };

    /// `executors`: one a thread; the loop lives on the first, the runs are spread over all.
    FeedRunner(Parts parts, std::vector<boost::asio::any_io_executor> executors);

    /// Until stop(). Throws nothing.
    boost::asio::awaitable<void> run();

    /// Looks at the plans again: one was made or has changed. Thread-safe.
    void wake() { alarm_.wake(); }

    /// Claims nothing from now on. Thread-safe.
    void stop() { alarm_.stop(); }

    /// The loop and the deliveries that have not ended. Thread-safe.
    std::size_t at_work() const { return static_cast<std::size_t>(at_work_.use_count() - 1); }

    /// The delivery of the texts above `after` up to `to`, entered into `transaction`; nothing if there are none. Once
    /// that is committed, begin() has it carried out.
    boost::asio::awaitable<std::optional<storage::FeedDelivery>> plan(storage::Transaction& transaction,
                                                                      FeedSubscription subscription, std::string type,
                                                                      std::int64_t after, std::int64_t to) const;

    /// No effect on one that is carried out already. Thread-safe.
    void begin(std::string delivery_id);

private:
    using Presence = std::shared_ptr<void>;  ///< held by what is at work: outlives this

    boost::asio::awaitable<void> take_up();
    boost::asio::awaitable<std::chrono::milliseconds> deliver_due();
    boost::asio::awaitable<void> claim(FeedSubscription subscription);
    boost::asio::awaitable<void> carry_out(std::string delivery_id, Presence presence);
    boost::asio::awaitable<bool> next_piece(std::string delivery_id);
    boost::asio::awaitable<std::optional<UnattendedEnd>> send(storage::FeedDelivery delivery,
                                                              FeedSubscription subscription,
                                                              std::vector<FeedMessage> texts);
    boost::asio::awaitable<void> record(storage::FeedDelivery delivery, FeedSubscription subscription,
                                        UnattendedEnd end);

    Parts parts_;
    std::vector<boost::asio::any_io_executor> executors_;
    std::atomic<std::size_t> next_executor_ = 0;
    Alarm alarm_;
    Presence at_work_ = std::make_shared<int>();
    std::chrono::steady_clock::time_point forget_at_{};
    std::mutex mutex_;
    std::set<std::string> carried_;  ///< deliveries that a coroutine is at work on
};

/// The newest sequence there may be.
inline constexpr std::int64_t newest_sequence = std::int64_t{1} << 62;

}  // namespace stele::runtime
