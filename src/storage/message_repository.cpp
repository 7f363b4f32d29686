#include "storage/message_repository.hpp"

#include "base/ids.hpp"
#include "base/let_others_run.hpp"
#include "storage/message_columns.hpp"

#include <algorithm>
#include <array>

namespace stele::storage {
namespace {

constexpr Statement select_in_context{"message.in_context",
                                      "SELECT " STELE_MESSAGE_COLUMNS
                                      " FROM message m WHERE m.agent_id = $1 AND m.conversation_id = $2"
                                      " AND m.context_position IS NOT NULL ORDER BY m.context_position"};
constexpr Statement select_context_ids{"message.context_ids",
                                       "SELECT m.id FROM message m WHERE m.agent_id = $1 AND m.conversation_id = $2"
                                       " AND m.context_position IS NOT NULL ORDER BY m.context_position"};
// The same for conversations, which may share messages with the one they were forked from.
constexpr Statement select_in_conversation{
    "message.in_conversation",
    "SELECT " STELE_MESSAGE_COLUMNS
    " FROM message m WHERE m.agent_id = $1 AND m.conversation_id = $2 AND m.context_position IS NOT NULL"
    " UNION ALL SELECT " STELE_SHARED_MESSAGE_COLUMNS " FROM " STELE_SHARED_MESSAGES
    " WHERE l.conversation_id = $2 AND l.agent_id = $1 AND l.context_position IS NOT NULL ORDER BY 5"};
constexpr Statement select_conversation_ids{
    "message.conversation_ids",
    "SELECT m.id, m.context_position FROM message m WHERE m.agent_id = $1 AND m.conversation_id = $2"
    " AND m.context_position IS NOT NULL UNION ALL SELECT m.id, l.context_position FROM " STELE_SHARED_MESSAGES
    " WHERE l.conversation_id = $2 AND l.agent_id = $1 AND l.context_position IS NOT NULL ORDER BY 2"};
constexpr Statement select_newest_in_context{
    "message.newest_in_context", "SELECT " STELE_MESSAGE_COLUMNS
                                 " FROM message m WHERE m.agent_id = $1 AND m.conversation_id = $2"
                                 " AND m.context_position IS NOT NULL ORDER BY m.context_position DESC LIMIT 1"};
constexpr Statement select_newest_return{"message.newest_return",
                                         "SELECT " STELE_MESSAGE_COLUMNS
                                         " FROM message m WHERE m.agent_id = $1 AND m.conversation_id = $2"
                                         " AND m.role = 'tool' ORDER BY m.position DESC LIMIT 1"};
constexpr Statement select_by_id{
    "message.by_id", "SELECT " STELE_MESSAGE_COLUMNS " FROM message m WHERE m.organization_id = $1 AND m.id = $2"};
constexpr Statement select_position{"message.position",
                                    "SELECT position FROM message WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_by_otid{"message.by_otid",
                                   "SELECT run_id FROM message WHERE agent_id = $1 AND otid = $2 AND run_id IS NOT NULL"
                                   " AND (step_id IS NOT NULL OR role = 'approval') ORDER BY position LIMIT 1"};
constexpr Statement select_conversations{"message.conversations",
                                         "SELECT m.conversation_id FROM message m WHERE m.agent_id = $1 AND m.id = $2"
                                         " UNION ALL SELECT l.conversation_id FROM " STELE_SHARED_MESSAGES
                                         " WHERE m.agent_id = $1 AND m.id = $2"};
constexpr Statement update_system{"message.rewrite_system",
                                  "UPDATE message SET text = $3, body = NULL WHERE agent_id = $1 AND id = $2"};
constexpr Statement update_body{"message.rewrite",
                                "UPDATE message SET text = $3, body = $4 WHERE agent_id = $1 AND id = $2"};
constexpr Statement delete_one{"message.delete", "DELETE FROM message WHERE agent_id = $1 AND id = $2"};
constexpr Statement update_evict{
    "message.evict",
    "UPDATE message SET context_position = NULL WHERE agent_id = $1 AND conversation_id = $2"
    " AND context_position IS NOT NULL AND id <> $3"};
constexpr Statement update_evict_shared{"message.evict_shared",
                                        "UPDATE conversation_message SET context_position = NULL"
                                        " WHERE conversation_id = $1 AND context_position IS NOT NULL"};
constexpr Statement update_context{
    "message.set_context",
    "UPDATE message SET context_position = $3 WHERE agent_id = $1 AND id = $2 AND conversation_id = ''"};
constexpr Statement update_place{"message.move_in_context",
                                 "UPDATE message SET context_position = $4 WHERE agent_id = $1"
                                 " AND conversation_id = $2 AND id = $3 AND context_position IS NOT NULL"};
constexpr Statement update_place_shared{"message.move_shared_in_context",
                                        "UPDATE conversation_message SET context_position = $3"
                                        " WHERE conversation_id = $1 AND position = $2"
                                        " AND context_position IS NOT NULL"};

constexpr Statement update_compact{
    "message.compact",
    "UPDATE message SET evicted_by = $3, evicted_position = context_position, context_position = NULL"
    " WHERE agent_id = $1 AND conversation_id = $2 AND context_position BETWEEN $4 AND $5"};
constexpr Statement select_last_summary{"message.last_summary",
                                        "SELECT " STELE_MESSAGE_COLUMNS
                                        " FROM message m WHERE m.agent_id = $1 AND m.conversation_id = $2"
                                        " AND m.role = 'summary' AND m.context_position IS NOT NULL"
                                        " ORDER BY m.position DESC LIMIT 1"};
constexpr Statement update_drop_summary{"message.drop_summary",
                                        "UPDATE message SET context_position = NULL"
                                        " WHERE agent_id = $1 AND id = $2 AND context_position IS NOT NULL"};
constexpr Statement update_restore{
    "message.restore",
    "UPDATE message SET context_position = evicted_position, evicted_by = NULL, evicted_position = NULL"
    " WHERE agent_id = $1 AND evicted_by = $2"};

constexpr Statement update_forget_compactions{
    "message.forget_compactions",
    "UPDATE message SET evicted_by = NULL, evicted_position = NULL"
    " WHERE agent_id = $1 AND conversation_id = '' AND evicted_by IS NOT NULL"};

constexpr Statement update_compact_shared{
    "message.compact_shared",
    "UPDATE conversation_message SET evicted_by = $2, evicted_position = context_position, context_position = NULL"
    " WHERE conversation_id = $1 AND context_position BETWEEN $3 AND $4"};
constexpr Statement update_restore_shared{
    "message.restore_shared",
    "UPDATE conversation_message SET context_position = evicted_position, evicted_by = NULL, evicted_position = NULL"
    " WHERE conversation_id = $1 AND evicted_by = $2"};

// Several rows in one statement: a step writes its messages with one.
constexpr std::size_t rows_per_insert_max = 8;
constexpr int insert_columns = 17;

const Statement& insert_statement(std::size_t rows) {
    static const auto statements = [] {
        static std::array<std::string, rows_per_insert_max> names, texts;
        std::array<Statement, rows_per_insert_max> made{};
        for (std::size_t n = 1; n <= rows_per_insert_max; ++n) {
            std::string text =
                "INSERT INTO message (agent_id, position, id, organization_id, conversation_id, context_position, role,"
                " text, body, name, otid, sender_id, group_id, model, run_id, step_id, created_at) VALUES ";
            int parameter = 1;
            for (std::size_t row = 0; row < n; ++row) {
                text += row == 0 ? "(" : ", (";
                for (int column = 0; column < insert_columns; ++column) {
                    if (column > 0) text += ", ";
                    text += "$" + std::to_string(parameter++);
                }
                text += ")";
            }
            names[n - 1] = "message.insert_" + std::to_string(n);
            texts[n - 1] = std::move(text);
            made[n - 1] = Statement{names[n - 1], texts[n - 1]};
        }
        return made;
    }();
    return statements[rows - 1];
}

std::optional<MessageRole> parse_role(std::string_view word) {
    for (const MessageRole role : {MessageRole::user, MessageRole::assistant, MessageRole::tool, MessageRole::system,
                                   MessageRole::approval, MessageRole::summary})
        if (word == to_string(role)) return role;
    return std::nullopt;
}

Message to_message(Row& row) {
    Message message;
    message.agent_id = row.take_text(0);
    message.position = row.integer(1);
    message.id = row.take_text(2);
    message.conversation_id = row.take_text(3);
    message.context_position = row.optional_integer(4);
    const auto role = parse_role(row.text(5));
    STELE_ASSERT(role.has_value());
    message.role = *role;
    if (row.is_null(7))
        message.content.push_back(text_part(row.take_text(6)));
    else
        static_cast<MessageBody&>(message) = decode_stored<MessageBody>(row.text(7));
    message.name = row.optional_text(8);
    message.otid = row.optional_text(9);
    message.sender_id = row.optional_text(10);
    message.group_id = row.optional_text(11);
    message.model = row.optional_text(12);
    message.run_id = row.optional_text(13);
    message.step_id = row.optional_text(14);
    message.created_at = from_micros(row.integer(15));
    return message;
}

// Nothing for a plain text, which its column has.
std::optional<std::string> stored_body(const MessageBody& body) {
    if (is_plain_text(body)) return std::nullopt;
    return to_json(body);
}

void pack_message(Params& params, const std::string& organization_id, const Message& message) {
    const auto add = [&](auto value) { params.push_back(to_value(std::move(value))); };
    add(message.agent_id);
    add(message.position);
    add(message.id);
    add(organization_id);
    add(message.conversation_id);
    add(message.context_position);
    add(std::string(to_string(message.role)));
    add(spoken_text(message));
    add(stored_body(message));
    add(message.name);
    add(message.otid);
    add(message.sender_id);
    add(message.group_id);
    add(message.model);
    add(message.run_id);
    add(message.step_id);
    add(to_micros(message.created_at));
}

}  // namespace

boost::asio::awaitable<std::int64_t> MessageRepository::position_of(std::string organization_id,
                                                                    std::string cursor) const {
    if (!is_id(cursor, "message")) throw invalid_field("query.cursor", "a cursor must match 'message-{uuid4}'");
    const Rows rows = co_await database_.query(select_position, organization_id, cursor);
    if (!rows.empty()) co_return rows.front().integer(0);
    const auto gone = co_await find_tombstone(database_, std::move(organization_id), cursor);
    if (!gone) throw Error(ErrorCode::not_found, "The cursor " + cursor + " was not found among the messages");
    co_return *gone;
}

boost::asio::awaitable<std::vector<Message>> MessageRepository::list(std::string organization_id, MessageFilter filter,
                                                                     Page page) const {
    std::optional<std::int64_t> later_than, earlier_than;
    if (page.after) later_than = co_await position_of(organization_id, *page.after);
    if (page.before) earlier_than = co_await position_of(organization_id, *page.before);
    if (later_than && earlier_than && *earlier_than < *later_than) std::swap(later_than, earlier_than);
    const bool narrowed = filter.agent_id || filter.run_id || filter.step_id || filter.group_id || filter.batch_id ||
                          filter.said_in || !filter.conversation_id.value_or("").empty();
    const auto finish = [&](Select select) {
        if (filter.agent_id) select.where("m.agent_id = ?", filter.agent_id);
        if (!narrowed) select.where(STELE_AGENT_NOT_STAGED);
        if (filter.run_id) select.where("m.run_id = ?", filter.run_id);
        if (filter.step_id) select.where("m.step_id = ?", filter.step_id);
        if (filter.group_id) select.where("m.group_id = ?", filter.group_id);
        if (filter.role) select.where("m.role = ?", filter.role);
        if (filter.identity_id)
            select.where(
                "(m.sender_id = ? OR m.run_id IN (SELECT r.run_id FROM identity_run r WHERE r.identity_id = ?))",
                filter.identity_id, filter.identity_id);
        if (filter.batch_id)
            select.where("m.run_id IN (SELECT i.run_id FROM batch_item i WHERE i.batch_id = ?)", filter.batch_id);
        if (filter.said_in)
            select.where(
                "(m.agent_id, m.position) IN (SELECT s.agent_id, s.position FROM group_message s"
                " WHERE s.group_id = ?)",
                filter.said_in);
        if (later_than) select.where("m.position > ?", later_than);
        if (earlier_than) select.where("m.position < ?", earlier_than);
        select.finish(page.ascending ? " ORDER BY m.position LIMIT ?" : " ORDER BY m.position DESC LIMIT ?",
                      page.limit);
        return select.query();
    };
    ReadBatch batch;
    Select own("SELECT " STELE_MESSAGE_COLUMNS " FROM message m WHERE m.organization_id = ?",
               to_value(organization_id));
    if (filter.conversation_id) own.where("m.conversation_id = ?", filter.conversation_id);
    if (filter.conversation_id && !filter.conversation_id->empty()) {
        own.where("m.conversation_id <> ''");  // so that the index of conversations serves
        Select shared("SELECT " STELE_SHARED_MESSAGE_COLUMNS " FROM " STELE_SHARED_MESSAGES
                      " WHERE m.organization_id = ?",
                      to_value(organization_id));
        shared.where("l.conversation_id = ?", filter.conversation_id);
        batch.queries().push_back(finish(std::move(shared)));
    }
    batch.queries().push_back(finish(std::move(own)));
    std::vector<Message> messages;
    std::vector<Rows> found = co_await database_.read(std::move(batch));
    for (Rows& rows : found) {
        for (Row& row : rows) {
            messages.push_back(to_message(row));
            if (messages.size() % rows_at_once == 0) co_await let_others_run();
        }
    }
    std::sort(messages.begin(), messages.end(),
              [](const Message& a, const Message& b) { return a.position < b.position; });
    const std::size_t surplus = messages.size() - std::min(messages.size(), static_cast<std::size_t>(page.limit));
    if (page.ascending)
        messages.resize(messages.size() - surplus);
    else
        messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(surplus));
    co_return messages;
}

boost::asio::awaitable<std::optional<Message>> MessageRepository::find(std::string organization_id,
                                                                       std::string id) const {
    std::vector<Message> found =
        from_rows(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

boost::asio::awaitable<std::optional<std::string>> MessageRepository::run_of_otid(std::string agent_id,
                                                                                  std::string otid) const {
    const Rows rows = co_await database_.query(select_by_otid, std::move(agent_id), std::move(otid));
    if (rows.empty()) co_return std::nullopt;
    co_return rows.front().optional_text(0);
}

boost::asio::awaitable<std::vector<std::string>> MessageRepository::conversations_with(std::string agent_id,
                                                                                       std::string id) const {
    Rows rows = co_await database_.query(select_conversations, std::move(agent_id), std::move(id));
    std::vector<std::string> conversations;
    for (Row& row : rows) conversations.push_back(row.take_text(0));
    co_return conversations;
}

boost::asio::awaitable<std::vector<Message>> MessageRepository::in_context(std::string agent_id,
                                                                           std::string conversation_id) const {
    const Statement& statement = in_context_statement(conversation_id);
    co_return from_rows(co_await database_.query(statement, std::move(agent_id), std::move(conversation_id)));
}

void MessageRepository::insert(Transaction& transaction, const std::string& organization_id,
                               const std::vector<Message>& messages) const {
    for (std::size_t begin = 0; begin < messages.size(); begin += rows_per_insert_max) {
        const std::size_t rows = std::min(rows_per_insert_max, messages.size() - begin);
        Params params;
        params.reserve(rows * insert_columns);
        for (std::size_t i = begin; i < begin + rows; ++i) pack_message(params, organization_id, messages[i]);
        transaction.add_packed(insert_statement(rows), std::move(params));
    }
}

void MessageRepository::rewrite_system(Transaction& transaction, const Message& message) const {
    transaction.add(update_system, message.agent_id, message.id, text_of(message))
        .expect_row(not_found("Message", message.id));
}

void MessageRepository::rewrite(Transaction& transaction, const Message& message) const {
    transaction.add(update_body, message.agent_id, message.id, spoken_text(message), stored_body(message))
        .expect_row(not_found("Message", message.id));
}

void MessageRepository::remove(Transaction& transaction, const std::string& agent_id, const std::string& id) const {
    transaction.add(delete_one, agent_id, id).expect_row(not_found("Message", id));
}

void MessageRepository::evict_all_but(Transaction& transaction, const std::string& agent_id,
                                      const std::string& conversation_id, const std::string& keep_id) const {
    transaction.add(update_evict, agent_id, conversation_id, keep_id);
    if (!conversation_id.empty()) transaction.add(update_evict_shared, conversation_id);
}

void MessageRepository::set_context(Transaction& transaction, const std::string& agent_id,
                                    const std::vector<std::string>& ids) const {
    transaction.add(update_evict, agent_id, std::string(), std::string());
    // Their places are of the window as it was: in this one they could come to stand before the system message.
    transaction.add(update_forget_compactions, agent_id);
    for (const std::string& id : ids)
        transaction.add(update_context, agent_id, id, next_position())
            .expect_row(refused("message_ids: " + id + " is no message of this agent"));
}

void MessageRepository::move_in_context(Transaction& transaction, const Message& message) const {
    auto own =
        transaction.add(update_place, message.agent_id, message.conversation_id, message.id, message.context_position);
    if (message.conversation_id.empty())
        own.expect_row(changed_meanwhile("The context of agent", message.agent_id));
    else  // it may be a shared one, which stands elsewhere in the window that it comes from
        transaction.add(update_place_shared, message.conversation_id, message.position, message.context_position);
}

boost::asio::awaitable<std::optional<Message>> MessageRepository::newest_return(std::string agent_id,
                                                                                std::string conversation_id) const {
    std::vector<Message> found =
        from_rows(co_await database_.query(select_newest_return, std::move(agent_id), std::move(conversation_id)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

void MessageRepository::compact(Transaction& transaction, const std::string& organization_id, const Message& summary,
                                std::int64_t first, std::int64_t last) const {
    auto own = transaction.add(update_compact, summary.agent_id, summary.conversation_id, summary.id, first, last);
    if (summary.conversation_id.empty())
        own.expect_row(changed_meanwhile("The context of agent", summary.agent_id));
    else  // all of them may be shared ones; nobody but the holder of its lease touches a conversation's window
        transaction.add(update_compact_shared, summary.conversation_id, summary.id, first, last);
    insert(transaction, organization_id, {summary});
}

boost::asio::awaitable<std::optional<Message>> MessageRepository::last_summary(std::string agent_id,
                                                                               std::string conversation_id) const {
    std::vector<Message> found =
        from_rows(co_await database_.query(select_last_summary, std::move(agent_id), std::move(conversation_id)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

void MessageRepository::undo_compaction(Transaction& transaction, const Message& summary) const {
    transaction.add(update_drop_summary, summary.agent_id, summary.id)
        .expect_row(changed_meanwhile("The context of agent", summary.agent_id));
    auto own = transaction.add(update_restore, summary.agent_id, summary.id);
    if (summary.conversation_id.empty())
        own.expect_row(refused("What this summary stands for is no longer there"));
    else
        transaction.add(update_restore_shared, summary.conversation_id, summary.id);
}

const Statement& MessageRepository::in_context_statement(const std::string& conversation_id) {
    return conversation_id.empty() ? select_in_context : select_in_conversation;
}

std::vector<Message> MessageRepository::from_rows(Rows rows) {
    std::vector<Message> messages;
    messages.reserve(rows.size());
    for (Row& row : rows) messages.push_back(to_message(row));
    return messages;
}

const Statement& MessageRepository::newest_in_context_statement() { return select_newest_in_context; }

const Statement& MessageRepository::context_ids_statement(const std::string& conversation_id) {
    return conversation_id.empty() ? select_context_ids : select_conversation_ids;
}

std::vector<std::string> MessageRepository::ids_from_rows(Rows rows) {
    std::vector<std::string> ids;
    ids.reserve(rows.size());
    for (Row& row : rows) ids.push_back(row.take_text(0));
    return ids;
}

std::vector<Statement> MessageRepository::statements() {
    std::vector<Statement> all = {select_in_context,
                                  select_context_ids,
                                  select_in_conversation,
                                  select_conversation_ids,
                                  select_by_id,
                                  select_position,
                                  select_by_otid,
                                  select_conversations,
                                  update_system,
                                  update_body,
                                  delete_one,
                                  update_evict,
                                  update_evict_shared,
                                  update_context,
                                  update_compact,
                                  update_compact_shared,
                                  select_last_summary,
                                  update_drop_summary,
                                  update_restore,
                                  update_restore_shared,
                                  select_newest_in_context,
                                  select_newest_return,
                                  update_place,
                                  update_place_shared,
                                  update_forget_compactions};
    for (std::size_t rows = 1; rows <= rows_per_insert_max; ++rows) all.push_back(insert_statement(rows));
    return all;
}

}  // namespace stele::storage
