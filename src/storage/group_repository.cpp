#include "storage/group_repository.hpp"

#include "storage/message_columns.hpp"
#include "storage/message_repository.hpp"
#include "storage/project_filter.hpp"

#include <algorithm>

namespace stele::storage {
namespace {

// The columns of a group, in the order of `to_group`; then one member and one shared block a row.
#define STELE_GROUP_COLUMNS                                                                             \
    "g.id, g.manager_type, g.manager_agent_id, g.description, g.termination_token, g.max_turns,"        \
    " g.sleeptime_agent_frequency, g.turns_counter, g.last_processed_message_id,"                       \
    " g.max_message_buffer_length, g.min_message_buffer_length, g.hidden, g.project_id, g.template_id," \
    " g.base_template_id, g.deployment_id, g.created_by_id, g.last_updated_by_id, g.created_at,"        \
    " g.updated_at, g.version, m.agent_id, b.block_id"
#define STELE_GROUPS                                              \
    "agent_group g LEFT JOIN group_member m ON m.group_id = g.id" \
    " LEFT JOIN group_block b ON b.group_id = g.id"
constexpr std::size_t member_column = 21, block_column = 22;

constexpr Statement select_by_id{"group.by_id", "SELECT " STELE_GROUP_COLUMNS " FROM " STELE_GROUPS
                                                " WHERE g.organization_id = $1 AND g.id = $2"
                                                " ORDER BY m.position, b.position"};
constexpr Statement select_managed{"group.managed", "SELECT " STELE_GROUP_COLUMNS " FROM " STELE_GROUPS
                                                    " WHERE g.manager_agent_id = $1"
                                                    " ORDER BY g.created_at DESC, g.id, m.position, b.position"};
constexpr Statement select_count{"group.count",
                                 "SELECT COUNT(*) FROM agent_group WHERE organization_id = $1"
                                 " AND COALESCE(hidden, 0) = 0"};
constexpr Statement insert_row{
    "group.insert",
    "INSERT INTO agent_group (id, organization_id, manager_type, manager_agent_id, description, termination_token,"
    " max_turns, sleeptime_agent_frequency, turns_counter, max_message_buffer_length, min_message_buffer_length,"
    " hidden, project_id, template_id, base_template_id, deployment_id, created_by_id, last_updated_by_id, created_at,"
    " updated_at, version)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"};
constexpr Statement update_row{
    "group.update",
    "UPDATE agent_group SET manager_agent_id = $3, description = $4, termination_token = $5, max_turns = $6,"
    " sleeptime_agent_frequency = $7, max_message_buffer_length = $8, min_message_buffer_length = $9, project_id = $10,"
    " last_updated_by_id = $11, updated_at = $12, template_id = $14, version = version + 1"
    " WHERE organization_id = $1 AND id = $2 AND version = $13"};
constexpr Statement delete_row{"group.delete", "DELETE FROM agent_group WHERE organization_id = $1 AND id = $2"};
constexpr Statement delete_members{"group.delete_members", "DELETE FROM group_member WHERE group_id = $1"};
constexpr Statement delete_blocks{"group.delete_blocks", "DELETE FROM group_block WHERE group_id = $1"};
constexpr Statement insert_member{"group.insert_member",
                                  "INSERT INTO group_member (group_id, agent_id, position) VALUES ($1, $2, $3)"};
constexpr Statement insert_block{"group.insert_block",
                                 "INSERT INTO group_block (group_id, block_id, position) VALUES ($1, $2, $3)"};

constexpr Statement insert_message{
    "group.insert_message",
    "INSERT INTO group_message (group_id, position, agent_id) SELECT g.id, m.position, m.agent_id"
    " FROM agent_group g JOIN message m ON m.agent_id = $2 AND m.position = $3 WHERE g.id = $1"};
constexpr Statement delete_messages{"group.delete_messages", "DELETE FROM group_message WHERE group_id = $1"};
// With a call goes its return, which shares its step; and no compaction that is undone brings any of it back.
constexpr Statement update_evict{
    "group.evict",
    "UPDATE message SET context_position = NULL, evicted_by = NULL, evicted_position = NULL WHERE agent_id = $2"
    " AND (context_position IS NOT NULL OR evicted_by IS NOT NULL)"
    " AND (group_id = $1 OR step_id IN (SELECT s.step_id FROM message s WHERE s.group_id = $1 AND s.agent_id = $2))"};
// Who answers has heard all that was said before, also with a call that waits (a decision about one has no model). So
// has whose window holds what it was told of it, or did before a compaction: its answer may be deleted by now. What a
// turn that failed was told is in no window, and is told again.
constexpr Statement select_unheard{
    "group.unheard",
    "SELECT " STELE_MESSAGE_COLUMNS
    " FROM group_message g JOIN message m ON m.agent_id = g.agent_id AND m.position = g.position"
    " WHERE g.group_id = $1 AND (m.agent_id <> $2 OR m.context_position IS NULL)"
    " AND m.role IN ('user', 'system', 'assistant') AND g.position > COALESCE((SELECT s.position FROM message s"
    " WHERE s.group_id = $1 AND s.agent_id = $2"
    " AND (s.role = 'assistant' OR s.role = 'approval' AND s.model IS NOT NULL OR s.role IN ('user', 'system')"
    " AND (s.context_position IS NOT NULL OR s.evicted_by IS NOT NULL)) ORDER BY s.position DESC LIMIT 1), 0)"
    " ORDER BY g.position DESC LIMIT $3"};
constexpr Statement select_transcript{
    "group.transcript", "SELECT " STELE_MESSAGE_COLUMNS
                        " FROM message m WHERE m.agent_id = $1 AND m.role IN ('user', 'assistant') AND m.position > $2"
                        " AND NOT EXISTS (SELECT 1 FROM reflection_mark r WHERE r.agent_id = m.agent_id"
                        " AND r.conversation_id = m.conversation_id AND r.position >= m.position)"
                        " ORDER BY m.position DESC LIMIT $3"};

constexpr Statement update_counter{
    "group.count_turn",
    "UPDATE agent_group SET turns_counter = (COALESCE(turns_counter, -1) + 1) % $2 WHERE id = $1"
    " RETURNING turns_counter"};
constexpr Statement select_processed{"group.processed",
                                     "SELECT COALESCE(last_processed_position, 0) FROM agent_group WHERE id = $1"};
constexpr Statement update_processed{"group.note_processed",
                                     "UPDATE agent_group SET last_processed_message_id = $3,"
                                     " last_processed_position = $4"
                                     " WHERE id = $1 AND COALESCE(last_processed_position, 0) = $2"};

Group to_group(Row& row) {
    Group group;
    group.id = row.take_text(0);
    const auto type = parse_manager_type(row.text(1));
    STELE_ASSERT(type.has_value());
    group.manager_type = *type;
    group.manager_agent_id = row.optional_text(2);
    group.description = row.take_text(3);
    group.termination_token = row.optional_text(4);
    group.max_turns = row.optional_integer(5);
    group.sleeptime_agent_frequency = row.optional_integer(6);
    group.turns_counter = row.optional_integer(7);
    group.last_processed_message_id = row.optional_text(8);
    group.max_message_buffer_length = row.optional_integer(9);
    group.min_message_buffer_length = row.optional_integer(10);
    group.hidden = row.optional_flag(11);
    group.project_id = row.optional_text(12);
    group.template_id = row.optional_text(13);
    group.base_template_id = row.optional_text(14);
    group.deployment_id = row.optional_text(15);
    group.created_by_id = row.optional_text(16);
    group.last_updated_by_id = row.optional_text(17);
    group.created_at = from_micros(row.integer(18));
    group.updated_at = from_micros(row.integer(19));
    group.version = row.integer(20);
    return group;
}

void add_once(std::vector<std::string>& ids, const std::optional<std::string>& id) {
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
}

Select select_ids(const std::string& organization_id, const GroupFilter& filter) {
    Select select("SELECT g.id, g.created_at FROM agent_group g WHERE g.organization_id = ?",
                  to_value(organization_id));
    select.where("COALESCE(g.hidden, 0) = 0");
    if (filter.manager_type) select.where("g.manager_type = ?", to_string(*filter.manager_type));
    if (filter.project_id) where_project(select, "g.project_id", *filter.project_id);
    if (filter.agent_id)
        select.where(
            "(g.manager_agent_id = ? OR EXISTS (SELECT 1 FROM group_member m WHERE m.group_id = g.id"
            " AND m.agent_id = ?))",
            filter.agent_id, filter.agent_id);
    return select;
}

std::vector<Message> oldest_first(Rows rows) {
    std::vector<Message> messages = MessageRepository::from_rows(std::move(rows));
    std::reverse(messages.begin(), messages.end());
    return messages;
}

}  // namespace

boost::asio::awaitable<std::optional<Group>> GroupRepository::find(std::string organization_id, std::string id) const {
    std::vector<Group> found =
        from_rows(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

boost::asio::awaitable<std::vector<Group>> GroupRepository::managed_by(std::string agent_id) const {
    co_return from_rows(co_await database_.query(select_managed, std::move(agent_id)));
}

// The page first, then each of its groups with what belongs to it, in one round. Whoever deletes one in between would
// leave the page short or empty, which reads like the end of the list: then it is read again.
boost::asio::awaitable<std::vector<Group>> GroupRepository::list(std::string organization_id, GroupFilter filter,
                                                                 Page page) const {
    const PageOrder order{"agent_group g", "group", "g.created_at", "g.id"};
    const Select select = select_ids(organization_id, filter);
    for (;;) {
        const Rows page_rows = co_await read_page(database_, select, page, order, organization_id);
        std::vector<Group> groups;
        if (page_rows.empty()) co_return groups;
        ReadBatch batch;
        for (const Row& row : page_rows) batch.add(select_by_id, organization_id, row.text(0));
        std::vector<Rows> rows = co_await database_.read(std::move(batch));
        for (Rows& each : rows)
            for (Group& group : from_rows(std::move(each))) groups.push_back(std::move(group));
        if (groups.size() == page_rows.size()) co_return groups;
    }
}

boost::asio::awaitable<std::int64_t> GroupRepository::count(std::string organization_id) const {
    const Rows rows = co_await database_.query(select_count, std::move(organization_id));
    co_return rows.front().integer(0);
}

void GroupRepository::add_relations(Transaction& transaction, const Group& group) const {
    std::int64_t position = 0;
    for (const std::string& id : group.agent_ids) transaction.add(insert_member, group.id, id, position++);
    position = 0;
    for (const std::string& id : group.shared_block_ids) transaction.add(insert_block, group.id, id, position++);
}

void GroupRepository::insert(Transaction& transaction, const std::string& organization_id, const Group& group) const {
    transaction.add(insert_row, group.id, organization_id, to_string(group.manager_type), group.manager_agent_id,
                    group.description, group.termination_token, group.max_turns, group.sleeptime_agent_frequency,
                    group.turns_counter, group.max_message_buffer_length, group.min_message_buffer_length, group.hidden,
                    group.project_id, group.template_id, group.base_template_id, group.deployment_id,
                    group.created_by_id, group.last_updated_by_id, to_micros(group.created_at),
                    to_micros(group.updated_at), group.version);
    add_relations(transaction, group);
}

void GroupRepository::update(Transaction& transaction, const std::string& organization_id, Group& group) const {
    transaction
        .add(update_row, organization_id, group.id, group.manager_agent_id, group.description, group.termination_token,
             group.max_turns, group.sleeptime_agent_frequency, group.max_message_buffer_length,
             group.min_message_buffer_length, group.project_id, group.last_updated_by_id, to_micros(group.updated_at),
             group.version, group.template_id)
        .expect_row(changed_meanwhile("Group", group.id));
    ++group.version;
    transaction.add(delete_members, group.id);
    transaction.add(delete_blocks, group.id);
    add_relations(transaction, group);
}

void GroupRepository::remove(Transaction& transaction, const std::string& organization_id, const Group& group) const {
    const SortKeys keys{to_micros(group.created_at), to_micros(group.updated_at), std::nullopt};
    add_tombstone(transaction, organization_id, group.id, keys);
    transaction.add(delete_row, organization_id, group.id).expect_row(not_found("Group", group.id));
}

void GroupRepository::add_messages(Transaction& transaction, const std::string& group_id,
                                   const std::vector<Message>& messages) const {
    for (const Message& message : messages)
        transaction.add(insert_message, group_id, message.agent_id, message.position);
}

void GroupRepository::forget_messages(Transaction& transaction, const std::string& group_id) const {
    transaction.add(delete_messages, group_id);
}

void GroupRepository::evict_messages(Transaction& transaction, const std::string& group_id,
                                     const std::string& agent_id) const {
    transaction.add(update_evict, group_id, agent_id);
}

boost::asio::awaitable<std::vector<Message>> GroupRepository::unheard(std::string group_id, std::string agent_id,
                                                                      std::int64_t limit) const {
    Rows rows = co_await database_.query(select_unheard, std::move(group_id), std::move(agent_id), limit);
    co_return oldest_first(std::move(rows));
}

boost::asio::awaitable<std::vector<Message>> GroupRepository::transcript(std::string agent_id, std::int64_t after,
                                                                         std::int64_t limit) const {
    Rows rows = co_await database_.query(select_transcript, std::move(agent_id), after, limit);
    co_return oldest_first(std::move(rows));
}

boost::asio::awaitable<bool> GroupRepository::count_turn(std::string group_id, std::int64_t frequency) const {
    Transaction transaction;
    transaction.add(update_counter, std::move(group_id), frequency);
    const std::vector<Rows> rows = co_await database_.commit(std::move(transaction));
    co_return !rows.front().empty() && rows.front().front().integer(0) == 0;
}

boost::asio::awaitable<std::int64_t> GroupRepository::processed(std::string group_id) const {
    const Rows rows = co_await database_.query(select_processed, std::move(group_id));
    co_return rows.empty() ? 0 : rows.front().integer(0);
}

void GroupRepository::note_processed(Transaction& transaction, const std::string& group_id, std::int64_t from,
                                     const std::string& message_id, std::int64_t to) const {
    transaction.add(update_processed, group_id, from, message_id, to);
}

const Statement& GroupRepository::managed_statement() { return select_managed; }

std::vector<Group> GroupRepository::from_rows(Rows rows) {
    std::vector<Group> groups;
    for (Row& row : rows) {
        if (groups.empty() || groups.back().id != row.text(0)) groups.push_back(to_group(row));
        add_once(groups.back().agent_ids, row.optional_text(member_column));
        add_once(groups.back().shared_block_ids, row.optional_text(block_column));
    }
    return groups;
}

std::vector<Statement> GroupRepository::statements() {
    GroupFilter everything;
    everything.manager_type = ManagerType::dynamic;
    everything.project_id = everything.agent_id = "x";
    return {select_by_id,
            select_managed,
            select_count,
            insert_row,
            update_row,
            delete_row,
            delete_members,
            delete_blocks,
            insert_member,
            insert_block,
            insert_message,
            delete_messages,
            update_evict,
            select_unheard,
            select_transcript,
            update_counter,
            select_processed,
            update_processed,
            select_ids("o", everything).query().statement};
}

}  // namespace stele::storage
