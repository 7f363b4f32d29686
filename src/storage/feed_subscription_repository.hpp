#pragma once

#include "domain/feed.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// A range of texts on its way to an agent.
struct FeedDelivery {
    std::string id;  ///< "feed_delivery-<uuid>"
    std::string subscription_id;
    std::string type;    ///< scheduled, manual or backfill
    std::string run_id;  ///< of the piece at hand
    std::int64_t done_sequence = 0;
    std::int64_t piece_end = 0;  ///< the last of the piece at hand
    std::int64_t to_sequence = 0;
};

/// Subscriptions of agents to feeds, and what was delivered. What is deleted with an agent or a feed goes with its row.
///
/// Each text once, whatever happens to the server: claim() moves the plan on and enters a running delivery with the id
/// of the run that is to be, in one commit; the texts become part of the agent's history with the first step of that
/// run; advance() takes the piece as done and names the next run. A start-up first forgets runs of running deliveries
/// that were cut off before a step (forget_unsent), then goes on with them: a run that is there has been, one that is
/// not is begun.
class FeedSubscriptionRepository {
public:
    explicit FeedSubscriptionRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<FeedSubscription>> find(std::string organization_id, std::string feed_id,
                                                                 std::string id) const;
    boost::asio::awaitable<std::optional<FeedSubscription>> find_any(std::string id) const;

    /// The newest first.
    boost::asio::awaitable<std::vector<FeedSubscription>> list(std::string organization_id, std::string feed_id,
                                                               std::optional<std::string> agent_id, std::int64_t limit,
                                                               std::int64_t offset) const;

    /// The commit throws `if_taken` if the agent is subscribed already.
    void insert(Transaction& transaction, const FeedSubscription& made, Error if_taken) const;

    /// Writes plan, prompt and whether it is disabled. The commit throws Error{not_found} if it is gone.
    void update(Transaction& transaction, const FeedSubscription& changed) const;

    /// The commit throws Error{not_found} if it is gone.
    void remove(Transaction& transaction, const FeedSubscription& gone) const;

    // For the runner.

    /// Those that are due at `time`, the longest due first.
    boost::asio::awaitable<std::vector<FeedSubscription>> due(Timestamp time, std::int64_t limit) const;
    boost::asio::awaitable<std::optional<Timestamp>> next_due() const;

    /// Moves a due subscription on to its next time. The commit throws Error{conflict} of type changed_meanwhile if its
    /// time is not due any more.
    void move_on(Transaction& transaction, const FeedSubscription& due, Timestamp next) const;

    /// Enters a delivery. Backfills aside the commit throws Error{conflict} if another one is running, and of type
    /// changed_meanwhile if one has ended since the subscription was read.
    void begin(Transaction& transaction, const FeedDelivery& delivery) const;

    boost::asio::awaitable<std::optional<FeedDelivery>> running(std::string id) const;
    boost::asio::awaitable<std::vector<FeedDelivery>> all_running() const;
    boost::asio::awaitable<bool> is_busy(std::string subscription_id) const;

    /// The piece is with the agent; `next` is the delivery as it goes on. The commit throws Error{conflict} if it has
    /// an end already, or is gone.
    void advance(Transaction& transaction, const FeedDelivery& before, const FeedDelivery& next) const;

    /// The end of a delivery: completed, failed, canceled or timed_out. Throws as advance.
    void finish(Transaction& transaction, const FeedDelivery& delivery, const std::string& status,
                const std::string& error) const;

    /// The newest first; `after` is the last one of the page before.
    boost::asio::awaitable<std::vector<FeedDeliveryInfo>> history(std::string subscription_id,
                                                                  std::optional<std::string> after,
                                                                  std::int64_t limit) const;

    void forget_old(Transaction& transaction) const;

    /// Forgets runs that a crash cut off before their texts were stored. At the start of the server, before cut-off
    /// runs are closed, in the same transaction.
    static void forget_unsent(Transaction& transaction);

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
