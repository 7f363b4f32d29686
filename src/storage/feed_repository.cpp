#include "storage/feed_repository.hpp"

#include "base/ids.hpp"
#include "domain/hosted_error.hpp"

#include <sodium.h>

#include <algorithm>
#include <map>

namespace stele::storage {
namespace {

using boost::asio::awaitable;

constexpr std::chrono::hours kept_for{30 * 24};
constexpr std::size_t digests_at_once = 500;

// The columns of `to_feed`.
#define STELE_FEED_COLUMNS                                                                                       \
    "f.id, f.name, f.description, f.project_id, f.organization_id, f.created_by_id, f.created_at, f.updated_at," \
    " (SELECT COUNT(*) FROM feed_subscription s WHERE s.feed_id = f.id)"

// The columns of `to_message`.
#define STELE_FEED_MESSAGE_COLUMNS "m.id, m.feed_id, m.sequence, m.content, m.expires_at, m.created_at"

constexpr Statement select_feed{"feed.by_id",
                                "SELECT " STELE_FEED_COLUMNS
                                ", (SELECT COUNT(*) FROM feed_message m WHERE m.feed_id = f.id AND m.expires_at > $3)"
                                " FROM feed f WHERE f.organization_id = $1 AND f.id = $2 AND f.deleted_at IS NULL"};
constexpr Statement insert_row{
    "feed.insert",
    "INSERT INTO feed (id, organization_id, project_id, name, description, created_by_id, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Statement update_deleted{
    "feed.delete", "UPDATE feed SET deleted_at = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"};
constexpr Statement delete_messages{"feed.delete_messages", "DELETE FROM feed_message WHERE feed_id = $1"};
constexpr Statement delete_subscriptions{"feed.delete_subscriptions",
                                         "DELETE FROM feed_subscription WHERE feed_id = $1"};
// First: on an engine of many writers the row is locked from then on, so nobody else gets the same numbers.
constexpr Statement update_next{"feed.reserve",
                                "UPDATE feed SET next_sequence = next_sequence + $3, updated_at = $4"
                                " WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"};
constexpr Statement insert_message{
    "feed.publish",
    "INSERT INTO feed_message (feed_id, sequence, id, content, digest, expires_at, created_at)"
    " SELECT f.id, f.next_sequence - CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT),"
    " CAST($6 AS BIGINT), CAST($7 AS BIGINT) FROM feed f WHERE f.id = $1"};
constexpr Statement select_messages{"feed.messages",
                                    "SELECT " STELE_FEED_MESSAGE_COLUMNS
                                    " FROM feed_message m WHERE m.feed_id = $1 AND m.sequence > $2"
                                    " AND m.sequence <= $3 AND m.expires_at > $4 ORDER BY m.sequence LIMIT $5"};
constexpr Statement select_message{"feed.message", "SELECT " STELE_FEED_MESSAGE_COLUMNS
                                                   " FROM feed_message m WHERE m.feed_id = $1 AND m.id = $2"
                                                   " AND m.expires_at > $3"};
constexpr Statement select_range{"feed.range",
                                 "SELECT COUNT(*), COALESCE(MAX(m.sequence), 0) FROM feed_message m"
                                 " WHERE m.feed_id = $1 AND m.sequence > $2 AND m.sequence <= $3"
                                 " AND m.expires_at > $4"};
constexpr Statement delete_old{"feed.forget_old", "DELETE FROM feed_message WHERE expires_at <= $1"};

std::string digest_of(const std::string& text) {
    unsigned char hash[16];
    crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    char hex[sizeof hash * 2 + 1];
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return hex;
}

Feed to_feed(Row& row) {
    Feed feed;
    feed.id = row.take_text(0);
    feed.name = row.take_text(1);
    feed.description = row.optional_text(2);
    feed.project_id = row.take_text(3);
    feed.organization_id = row.take_text(4);
    feed.created_by_id = row.optional_text(5);
    feed.created_at = from_micros(row.integer(6));
    feed.updated_at = from_micros(row.integer(7));
    feed.subscriptions_count = row.integer(8);
    return feed;
}

FeedMessage to_message(Row& row) {
    FeedMessage message;
    message.id = row.take_text(0);
    message.feed_id = row.take_text(1);
    message.sequence = row.integer(2);
    message.content = row.take_text(3);
    message.content_size_bytes = static_cast<std::int64_t>(message.content.size());
    message.expires_at = from_micros(row.integer(4));
    message.created_at = from_micros(row.integer(5));
    return message;
}

Select select_list(const std::string& organization_id, const std::optional<std::string>& project_id,
                   const std::optional<std::string>& name) {
    Select select("SELECT " STELE_FEED_COLUMNS " FROM feed f WHERE f.organization_id = ? AND f.deleted_at IS NULL",
                  to_value(organization_id));
    if (project_id) select.where("f.project_id = ?", project_id);
    if (name) select.where("LOWER(f.name) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*name));
    return select;
}

constexpr char list_end[] = " ORDER BY f.created_at DESC, f.id DESC LIMIT ? OFFSET ?";

Select select_digests(const std::string& feed_id, const std::vector<std::string>& digests) {
    Select select("SELECT m.digest FROM feed_message m WHERE m.feed_id = ?", to_value(feed_id));
    select.where_in("m.digest IN (?)", digests);
    return select;
}

}  // namespace

awaitable<std::optional<Feed>> FeedRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_feed, std::move(organization_id), std::move(id), to_micros(now()));
    if (rows.empty()) co_return std::nullopt;
    Feed feed = to_feed(rows.front());
    feed.messages_count = rows.front().integer(9);
    co_return feed;
}

awaitable<std::vector<Feed>> FeedRepository::list(std::string organization_id, std::optional<std::string> project_id,
                                                  std::optional<std::string> name, std::int64_t limit,
                                                  std::int64_t offset) const {
    Select select = select_list(organization_id, project_id, name);
    select.finish(list_end, limit, offset);
    Query query = select.query();
    Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<Feed> feeds;
    for (Row& row : rows) feeds.push_back(to_feed(row));
    co_return feeds;
}

void FeedRepository::insert(Transaction& transaction, const Feed& made) const {
    transaction.add(insert_row, made.id, made.organization_id, made.project_id, made.name, made.description,
                    made.created_by_id, to_micros(made.created_at), to_micros(made.updated_at));
}

void FeedRepository::remove(Transaction& transaction, const Feed& gone) const {
    transaction.add(update_deleted, gone.organization_id, gone.id, to_micros(now()))
        .expect_row(hosted_error(ErrorCode::not_found, "Feed not found: " + gone.id, "feedNotFound"));
    transaction.add(delete_messages, gone.id);
    transaction.add(delete_subscriptions, gone.id);
}

void FeedRepository::publish(Transaction& transaction, const Feed& feed, const std::vector<std::string>& texts) const {
    const Timestamp time = now();
    auto back = static_cast<std::int64_t>(texts.size());
    transaction.add(update_next, feed.organization_id, feed.id, back, to_micros(time))
        .expect_row(hosted_error(ErrorCode::not_found, "Feed not found: " + feed.id, "feedNotFound"));
    for (const std::string& text : texts)
        transaction.add(insert_message, feed.id, back--, new_id("message"), text, digest_of(text),
                        to_micros(time + kept_for), to_micros(time));
}

awaitable<std::vector<std::string>> FeedRepository::new_texts(std::string feed_id,
                                                              std::vector<std::string> texts) const {
    std::map<std::string, bool> known;  // by digest: whether it is there, or came before
    std::vector<std::string> digests;
    for (const std::string& text : texts) digests.push_back(digest_of(text));
    for (std::size_t at = 0; at < digests.size(); at += digests_at_once) {
        const std::size_t end = std::min(at + digests_at_once, digests.size());
        const std::vector<std::string> some(digests.begin() + static_cast<std::ptrdiff_t>(at),
                                            digests.begin() + static_cast<std::ptrdiff_t>(end));
        Query query = select_digests(feed_id, some).query();
        const Rows rows = co_await database_.query_packed(std::move(query));
        for (const Row& row : rows) known[row.text(0)] = true;
    }
    std::vector<std::string> fresh;
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (!std::exchange(known[digests[i]], true)) fresh.push_back(std::move(texts[i]));
    co_return fresh;
}

awaitable<std::vector<FeedMessage>> FeedRepository::messages(std::string feed_id, std::int64_t after, std::int64_t to,
                                                             std::int64_t limit) const {
    Rows rows = co_await database_.query(select_messages, std::move(feed_id), after, to, to_micros(now()), limit);
    std::vector<FeedMessage> found;
    for (Row& row : rows) found.push_back(to_message(row));
    co_return found;
}

awaitable<std::optional<FeedMessage>> FeedRepository::message(std::string feed_id, std::string id) const {
    Rows rows = co_await database_.query(select_message, std::move(feed_id), std::move(id), to_micros(now()));
    if (rows.empty()) co_return std::nullopt;
    co_return to_message(rows.front());
}

awaitable<FeedRepository::Range> FeedRepository::range(std::string feed_id, std::int64_t after, std::int64_t to) const {
    const Rows rows = co_await database_.query(select_range, std::move(feed_id), after, to, to_micros(now()));
    Range range;
    range.count = rows.front().integer(0);
    range.last = rows.front().integer(1);
    co_return range;
}

void FeedRepository::forget_old(Transaction& transaction) const { transaction.add(delete_old, to_micros(now())); }

std::vector<Statement> FeedRepository::statements() {
    Select list = select_list("o", "p", "n");
    list.finish(list_end, 1, 0);
    return {select_feed,
            insert_row,
            update_deleted,
            delete_messages,
            delete_subscriptions,
            update_next,
            insert_message,
            select_messages,
            select_message,
            select_range,
            delete_old,
            list.query().statement,
            select_digests("f", {"a"}).query().statement};
}

}  // namespace stele::storage
