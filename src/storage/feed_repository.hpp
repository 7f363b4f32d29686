#pragma once

#include "domain/feed.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Feeds of one organisation at a time, and the texts in them. Texts go after 30 days.
class FeedRepository {
public:
    explicit FeedRepository(Database& database) : database_(database) {}

    /// With the counts of its subscriptions and texts.
    boost::asio::awaitable<std::optional<Feed>> find(std::string organization_id, std::string id) const;

    /// The newest first, with the counts of their subscriptions; `name` is a substring, in any case.
    boost::asio::awaitable<std::vector<Feed>> list(std::string organization_id, std::optional<std::string> project_id,
                                                   std::optional<std::string> name, std::int64_t limit,
                                                   std::int64_t offset) const;

    void insert(Transaction& transaction, const Feed& made) const;

    /// With its texts and subscriptions; the row stays. The commit throws Error{not_found} if it is gone.
    void remove(Transaction& transaction, const Feed& gone) const;

    /// Adds texts behind those that there are. The commit throws Error{not_found} if the feed is gone.
    void publish(Transaction& transaction, const Feed& feed, const std::vector<std::string>& texts) const;

    /// Those of `texts` that the feed does not hold, each once.
    boost::asio::awaitable<std::vector<std::string>> new_texts(std::string feed_id,
                                                               std::vector<std::string> texts) const;

    /// In their order, those above `after`, at most `limit`.
    boost::asio::awaitable<std::vector<FeedMessage>> messages(std::string feed_id, std::int64_t after, std::int64_t to,
                                                              std::int64_t limit) const;
    boost::asio::awaitable<std::optional<FeedMessage>> message(std::string feed_id, std::string id) const;

    /// How many lie above `after` up to `to`, and the last of them.
    struct Range {
        std::int64_t count = 0, last = 0;
    };
    boost::asio::awaitable<Range> range(std::string feed_id, std::int64_t after, std::int64_t to) const;

    void forget_old(Transaction& transaction) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
