#include "storage/conversation_repository.hpp"

#include "storage/message_repository.hpp"

namespace stele::storage {
namespace {

// The columns of a conversation, in the order of `to_conversation`.
#define STELE_CONVERSATION_COLUMNS                                                                                 \
    "c.id, c.agent_id, c.summary, c.description, c.model, c.model_settings, c.llm_config, c.context_window_limit," \
    " c.hidden, c.archived_at, c.last_message_at, c.created_by_id, c.last_updated_by_id, c.created_at,"            \
    " c.updated_at, c.version"

constexpr Statement select_by_id{"conversation.by_id", "SELECT " STELE_CONVERSATION_COLUMNS
                                                       " FROM conversation c WHERE c.organization_id = $1 AND c.id = $2"
                                                       " AND c.deleted_at IS NULL"};
constexpr Statement select_of_agent{"conversation.of_agent",
                                    "SELECT " STELE_CONVERSATION_COLUMNS
                                    " FROM conversation c WHERE c.organization_id = $1 AND c.agent_id = $2"
                                    " AND c.id = $3 AND c.deleted_at IS NULL"};
constexpr Statement select_block_ids{"conversation.block_ids",
                                     "SELECT block_id FROM conversation_block WHERE conversation_id = $1"
                                     " AND block_id IS NOT NULL ORDER BY position, block_id"};
constexpr Statement insert_row{
    "conversation.insert",
    "INSERT INTO conversation (id, organization_id, agent_id, summary, description, model, model_settings, llm_config,"
    " context_window_limit, hidden, archived_at, last_message_at, created_by_id, last_updated_by_id, created_at,"
    " updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"};
constexpr Statement update_row{
    "conversation.update",
    "UPDATE conversation SET summary = $3, description = $4, model = $5, model_settings = $6, llm_config = $7,"
    " context_window_limit = $8, archived_at = $9, last_message_at = COALESCE($10, last_message_at), "
    "last_updated_by_id = $11, updated_at = $12,"
    " version = version + 1 WHERE organization_id = $1 AND id = $2 AND version = $13 AND deleted_at IS NULL"};
constexpr Statement update_messages{
    "conversation.note_messages",
    "UPDATE conversation SET last_message_at = $2, last_run_completion = COALESCE($3, last_run_completion)"
    " WHERE id = $1 AND deleted_at IS NULL"};
constexpr Statement insert_block{"conversation.isolate",
                                 "INSERT INTO conversation_block (conversation_id, replaces, block_id, position)"
                                 " SELECT CAST($1 AS TEXT), a.label, CAST($3 AS TEXT), a.position FROM agent_block a"
                                 " WHERE a.agent_id = $4 AND a.label = $2"};
constexpr Statement insert_shared{
    "conversation.share_messages",
    "INSERT INTO conversation_message (conversation_id, position, agent_id, context_position)"
    " SELECT CAST($1 AS TEXT), m.position, m.agent_id, m.context_position FROM message m WHERE m.agent_id = $2"
    " AND m.conversation_id = $3 AND m.context_position > $4 AND m.context_position <= $5"
    " UNION ALL SELECT CAST($1 AS TEXT), l.position, l.agent_id, l.context_position FROM conversation_message l"
    " WHERE l.conversation_id = $3 AND l.context_position > $4 AND l.context_position <= $5"};
constexpr Statement update_deleted{
    "conversation.delete",
    "UPDATE conversation SET deleted_at = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"};
constexpr Statement delete_blocks{
    "conversation.delete_blocks",
    "DELETE FROM block WHERE id IN (SELECT block_id FROM conversation_block WHERE conversation_id = $1)"};
constexpr Statement delete_blocks_of_agent{"conversation.delete_blocks_of_agent",
                                           "DELETE FROM block WHERE id IN (SELECT b.block_id FROM conversation_block b"
                                           " JOIN conversation c ON c.id = b.conversation_id WHERE c.agent_id = $1)"};
// A walk over blocks may stand on one of them.
constexpr Statement keep_block_places{
    "conversation.keep_block_places",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, deleted_at)"
    " SELECT b.id, b.organization_id, b.created_at, b.updated_at, CAST($2 AS BIGINT) FROM block b"
    " WHERE b.id IN (SELECT block_id FROM conversation_block WHERE conversation_id = $1)"
    " ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at"};
constexpr Statement delete_shared{"conversation.delete_shared",
                                  "DELETE FROM conversation_message WHERE conversation_id = $1"};

// Messages of deleted conversations of an agent that no living one shares.
#define STELE_UNUSED_MESSAGES                                                                      \
    " m.agent_id = $1 AND m.conversation_id <> '' AND m.conversation_id IN"                        \
    " (SELECT id FROM conversation WHERE agent_id = $1 AND deleted_at IS NOT NULL) AND NOT EXISTS" \
    " (SELECT 1 FROM conversation_message l WHERE l.agent_id = m.agent_id AND l.position = m.position)"

constexpr Statement keep_message_places{
    "conversation.keep_message_places",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, deleted_at)"
    " SELECT m.id, m.organization_id, m.position, m.position, CAST($2 AS BIGINT) FROM message m"
    " WHERE" STELE_UNUSED_MESSAGES " ON CONFLICT (id) DO NOTHING"};
constexpr Statement delete_messages{"conversation.delete_messages",
                                    "DELETE FROM message AS m WHERE" STELE_UNUSED_MESSAGES};
constexpr Statement count_messages{
    "conversation.count_messages",
    "UPDATE agent SET message_count = (SELECT COUNT(*) FROM message WHERE agent_id = $1) WHERE id = $1"};

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

std::optional<Timestamp> time_of(const std::optional<std::int64_t>& micros) {
    return micros ? std::optional(from_micros(*micros)) : std::nullopt;
}

template <class T>
std::optional<std::string> json_of(const std::optional<T>& value) {
    return value ? std::optional(to_json(*value)) : std::nullopt;
}

Conversation to_conversation(Row& row) {
    Conversation made;
    made.id = row.take_text(0);
    made.agent_id = row.take_text(1);
    made.summary = row.optional_text(2);
    made.description = row.optional_text(3);
    made.model = row.optional_text(4);
    if (!row.is_null(5)) made.model_settings = decode_stored<ModelSettings>(row.text(5));
    if (!row.is_null(6)) made.llm_config = decode_stored<LlmConfig>(row.text(6));
    made.context_window_limit = row.optional_integer(7);
    made.hidden = row.flag(8);
    made.archived_at = time_of(row.optional_integer(9));
    made.archived = made.archived_at.has_value();
    made.last_message_at = time_of(row.optional_integer(10));
    made.created_by_id = row.optional_text(11);
    made.last_updated_by_id = row.optional_text(12);
    made.created_at = from_micros(row.integer(13));
    made.updated_at = from_micros(row.integer(14));
    made.version = row.integer(15);
    return made;
}

Select select_conversations(const std::string& organization_id, const ConversationFilter& filter) {
    Select select("SELECT " STELE_CONVERSATION_COLUMNS " FROM conversation c WHERE c.organization_id = ?",
                  to_value(organization_id));
    select.where("c.deleted_at IS NULL AND c.hidden = 0");
    if (filter.agent_id) select.where("c.agent_id = ?", filter.agent_id);
    if (filter.summary_search)
        select.where("LOWER(c.summary) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.summary_search));
    if (filter.archived) select.where(*filter.archived ? "c.archived_at IS NOT NULL" : "c.archived_at IS NULL");
    return select;
}

PageOrder order_of(const Page& page) {
    PageOrder order{"conversation c", "conv", "c.created_at", "c.id"};
    if (page.order_by == "created_at") return order;
    order.key = page.order_by == "last_message_at" ? "c.last_message_at" : "c.last_run_completion";
    order.nullable_key = true;
    return order;
}

}  // namespace

boost::asio::awaitable<std::optional<Conversation>> ConversationRepository::find(std::string organization_id,
                                                                                 std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    std::vector<Conversation> found;
    found.push_back(to_conversation(rows.front()));
    found = co_await with_relations(std::move(found));
    co_return std::move(found.front());
}

boost::asio::awaitable<std::optional<std::string>> ConversationRepository::agent_of(std::string organization_id,
                                                                                    std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return rows.front().take_text(1);
}

boost::asio::awaitable<std::vector<Conversation>> ConversationRepository::list(std::string organization_id,
                                                                               ConversationFilter filter,
                                                                               Page page) const {
    Select select = select_conversations(organization_id, filter);
    const PageOrder order = order_of(page);
    Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, organization_id);
    std::vector<Conversation> found;
    for (Row& row : rows) found.push_back(to_conversation(row));
    co_return co_await with_relations(std::move(found));
}

// All reads are one round.
boost::asio::awaitable<std::vector<Conversation>> ConversationRepository::with_relations(
    std::vector<Conversation> conversations) const {
    if (conversations.empty()) co_return conversations;
    ReadBatch batch;
    for (const Conversation& each : conversations)
        batch.add(select_block_ids, each.id)
            .add(MessageRepository::context_ids_statement(each.id), each.agent_id, each.id);
    std::vector<Rows> rows = co_await database_.read(std::move(batch));
    std::size_t next = 0;
    for (Conversation& each : conversations) {
        each.isolated_block_ids = MessageRepository::ids_from_rows(std::move(rows[next++]));
        each.in_context_message_ids = MessageRepository::ids_from_rows(std::move(rows[next++]));
    }
    co_return conversations;
}

void ConversationRepository::insert(Transaction& transaction, const std::string& organization_id,
                                    const Conversation& made) const {
    transaction.add(insert_row, made.id, organization_id, made.agent_id, made.summary, made.description, made.model,
                    json_of(made.model_settings), json_of(made.llm_config), made.context_window_limit,
                    std::int64_t{made.hidden}, micros(made.archived_at), micros(made.last_message_at),
                    made.created_by_id, made.last_updated_by_id, micros(made.created_at), micros(made.updated_at),
                    made.version);
}

void ConversationRepository::update(Transaction& transaction, const std::string& organization_id, Conversation& changed,
                                    std::optional<Timestamp> last_message_at) const {
    transaction
        .add(update_row, organization_id, changed.id, changed.summary, changed.description, changed.model,
             json_of(changed.model_settings), json_of(changed.llm_config), changed.context_window_limit,
             micros(changed.archived_at), micros(last_message_at), changed.last_updated_by_id,
             micros(changed.updated_at), changed.version)
        .expect_row(changed_meanwhile("Conversation", changed.id));
    ++changed.version;
}

void ConversationRepository::note_messages(Transaction& transaction, const std::string& id, Timestamp at,
                                           std::optional<Timestamp> run_ended) const {
    transaction.add(update_messages, id, to_micros(at), micros(run_ended)).expect_row(not_found("Conversation", id));
}

void ConversationRepository::isolate(Transaction& transaction, const Conversation& conversation,
                                     const IsolatedBlock& block) const {
    transaction.add(insert_block, conversation.id, block.replaces, block.block_id, conversation.agent_id)
        .expect_row(changed_meanwhile("Agent", conversation.agent_id));
}

void ConversationRepository::share_messages(Transaction& transaction, const Conversation& fork,
                                            const std::string& source, std::int64_t after, std::int64_t up_to) const {
    transaction.add(insert_shared, fork.id, fork.agent_id, source, after, up_to);
}

void ConversationRepository::remove(Transaction& transaction, const std::string& organization_id,
                                    const Conversation& gone) const {
    const std::int64_t time = to_micros(now());
    transaction.add(update_deleted, organization_id, gone.id, time).expect_row(not_found("Conversation", gone.id));
    transaction.add(keep_block_places, gone.id, time);
    transaction.add(delete_blocks, gone.id);
    transaction.add(delete_shared, gone.id);
    transaction.add(keep_message_places, gone.agent_id, time);
    transaction.add(delete_messages, gone.agent_id);
    transaction.add(count_messages, gone.agent_id);
}

void ConversationRepository::remove_blocks_of_agent(Transaction& transaction, const std::string& agent_id) {
    transaction.add(delete_blocks_of_agent, agent_id);
}

const Statement& ConversationRepository::find_statement() { return select_of_agent; }

std::optional<Conversation> ConversationRepository::from_rows(Rows rows) {
    if (rows.empty()) return std::nullopt;
    return to_conversation(rows.front());
}

const Statement& ConversationRepository::block_ids_statement() { return select_block_ids; }

std::vector<Statement> ConversationRepository::statements() {
    ConversationFilter everything;
    everything.agent_id = everything.summary_search = "x";
    everything.archived = true;
    return {select_by_id,
            select_of_agent,
            select_block_ids,
            insert_row,
            update_row,
            update_messages,
            insert_block,
            insert_shared,
            update_deleted,
            delete_blocks,
            delete_blocks_of_agent,
            keep_block_places,
            delete_shared,
            keep_message_places,
            delete_messages,
            count_messages,
            select_conversations("o", everything).query().statement};
}

}  // namespace stele::storage
