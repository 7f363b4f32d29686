#include "storage/search_queue.hpp"

namespace stele::storage {
namespace {

// At most this many messages wait for nobody else: a transaction of them takes some ten milliseconds.
constexpr std::int64_t batch_messages_max = 500;

constexpr Statement select_batch_end{
    "search_queue.batch_end",
    "SELECT MAX(position) FROM (SELECT position FROM message_search_queue ORDER BY position LIMIT $1)"};
constexpr Statement insert_batch{"search_queue.enter",
                                 "INSERT INTO message_search (rowid, owner, text)"
                                 " SELECT m.position, replace(m.agent_id, '-', ''), m.text"
                                 " FROM message_search_queue q"
                                 " JOIN message m ON m.agent_id = q.agent_id AND m.position = q.position"
                                 " WHERE q.position <= $1"};
constexpr Statement delete_batch{"search_queue.forget", "DELETE FROM message_search_queue WHERE position <= $1"};

bool enter_batch(SqliteConnection& connection) {
    Rows end;
    connection.run(Query{select_batch_end, pack(batch_messages_max)}, end);
    if (end.empty() || end.front().is_null(0)) return false;
    const std::int64_t last = end.front().integer(0);
    Rows none;
    connection.run(Query{insert_batch, pack(last)}, none);
    connection.run(Query{delete_batch, pack(last)}, none);
    return true;
}

}  // namespace

bool drain_search_queue(SqliteConnection& connection, std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    bool more = true;
    do {
        connection.execute("BEGIN IMMEDIATE");
        try {
            more = enter_batch(connection);
            connection.execute("COMMIT");
        } catch (const SqliteFailure&) {
            if (!connection.idle()) connection.execute("ROLLBACK");
            throw;
        }
    } while (more && std::chrono::steady_clock::now() < end);
    return !more;
}

}  // namespace stele::storage
