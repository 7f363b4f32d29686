#include "storage/block_repository.hpp"

#include "domain/text_list.hpp"
#include "storage/block_history.hpp"
#include "storage/persona_links.hpp"
#include "storage/project_filter.hpp"
#include "storage/trash.hpp"

namespace stele::storage {
namespace {

// The columns of a block, in the order of `to_block`.
#define STELE_BLOCK_COLUMNS                                                                                 \
    "b.id, b.label, b.value, b.char_limit, b.read_only, b.description, b.metadata, b.hidden, b.project_id," \
    " b.is_template, b.template_name, b.template_id, b.base_template_id, b.deployment_id, b.entity_id,"     \
    " b.preserve_on_migration, b.tags, b.created_by_id, b.last_updated_by_id, b.created_at, b.updated_at, b.version"

constexpr Statement select_by_id{
    "block.by_id", "SELECT " STELE_BLOCK_COLUMNS " FROM block b WHERE b.organization_id = $1 AND b.id = $2"};

constexpr Statement select_of_agent{"block.of_agent", "SELECT " STELE_BLOCK_COLUMNS
                                                      " FROM agent_block a JOIN block b ON b.id = a.block_id"
                                                      " WHERE a.agent_id = $1 ORDER BY a.position, b.id"};

constexpr Statement select_of_identity{"block.of_identity", "SELECT " STELE_BLOCK_COLUMNS
                                                            " FROM identity_block l JOIN block b ON b.id = l.block_id"
                                                            " WHERE l.identity_id = $1 ORDER BY l.position, b.id"
                                                            " LIMIT 1000"};

constexpr Statement select_in_conversation{
    "block.in_conversation",
    "SELECT " STELE_BLOCK_COLUMNS
    ", a.position FROM agent_block a JOIN block b ON b.id = a.block_id WHERE a.agent_id = $1 AND NOT EXISTS"
    " (SELECT 1 FROM conversation_block c WHERE c.conversation_id = $2 AND c.replaces = a.label)"
    " UNION ALL SELECT " STELE_BLOCK_COLUMNS
    ", c.position FROM conversation_block c JOIN block b ON b.id = c.block_id WHERE c.conversation_id = $2"
    " ORDER BY 23, 1"};

constexpr Statement insert_row{
    "block.insert",
    "INSERT INTO block (organization_id, id, label, value, char_limit, read_only, description, metadata, hidden,"
    " project_id, is_template, template_name, template_id, base_template_id, deployment_id, entity_id,"
    " preserve_on_migration, tags, created_by_id, last_updated_by_id, created_at, updated_at, version)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, "
    "$23)"};

// The same unless the identity with the key $25 (organisation $1, project $24) has a block of this label.
constexpr Statement insert_core_row{
    "block.insert_core",
    "INSERT INTO block (organization_id, id, label, value, char_limit, read_only, description, metadata, hidden,"
    " project_id, is_template, template_name, template_id, base_template_id, deployment_id, entity_id,"
    " preserve_on_migration, tags, created_by_id, last_updated_by_id, created_at, updated_at, version)"
    " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23"
    " WHERE NOT EXISTS (SELECT 1 FROM identity i JOIN identity_block l ON l.identity_id = i.id"
    " JOIN block b ON b.id = l.block_id WHERE i.organization_id = $1 AND i.project_id = $24"
    " AND i.identifier_key = $25 AND b.label = $3)"};

constexpr Statement update_row{
    "block.update",
    "UPDATE block SET label = $3, value = $4, char_limit = $5, read_only = $6, description = $7, metadata = $8,"
    " hidden = $9, project_id = $10, is_template = $11, template_name = $12, template_id = $13, base_template_id = $14,"
    " deployment_id = $15, entity_id = $16, preserve_on_migration = $17, tags = $18, last_updated_by_id = $19,"
    " updated_at = $20, version = version + 1"
    " WHERE organization_id = $1 AND id = $2 AND version = $21"};

constexpr Statement update_links{"block.update_links",
                                 "UPDATE agent_block SET label = $2 WHERE block_id = $1 AND label <> $2"};
constexpr Statement delete_row{"block.delete", "DELETE FROM block WHERE organization_id = $1 AND id = $2"};
constexpr Statement delete_tags{"block.delete_tags", "DELETE FROM block_tag WHERE block_id = $1"};
constexpr Statement insert_tag{"block.insert_tag", "INSERT INTO block_tag (block_id, tag) VALUES ($1, $2)"};
constexpr Statement insert_link{"block.attach",
                                "INSERT INTO agent_block (agent_id, block_id, label, position) VALUES ($1, $2, $3, $4)"
                                " ON CONFLICT (agent_id, block_id) DO NOTHING"};
// The agents that look after the memory of this one hold what it holds, unless the label is taken there.
constexpr Statement insert_partner_links{
    "block.attach_to_partners",
    "INSERT INTO agent_block (agent_id, block_id, label, position) SELECT m.agent_id, $2, $3, $4 FROM agent_group g"
    " JOIN group_member m ON m.group_id = g.id WHERE g.manager_agent_id = $1"
    " AND g.manager_type IN ('sleeptime', 'voice_sleeptime') ON CONFLICT DO NOTHING"};
constexpr Statement delete_link{"block.detach", "DELETE FROM agent_block WHERE agent_id = $1 AND block_id = $2"};
constexpr Statement delete_links{"block.detach_all", "DELETE FROM agent_block WHERE agent_id = $1"};

Block to_block(Row& row) {
    Block block;
    block.id = row.take_text(0);
    block.label = row.take_text(1);
    block.value = row.take_text(2);
    block.limit = row.integer(3);
    block.read_only = row.flag(4);
    block.description = row.optional_text(5);
    block.metadata.text = row.take_text(6);
    block.hidden = row.optional_flag(7);
    block.project_id = row.optional_text(8);
    block.is_template = row.flag(9);
    block.template_name = row.optional_text(10);
    block.template_id = row.optional_text(11);
    block.base_template_id = row.optional_text(12);
    block.deployment_id = row.optional_text(13);
    block.entity_id = row.optional_text(14);
    block.preserve_on_migration = row.flag(15);
    if (row.text(16) != "[]") block.tags = decode_text_list(row.text(16));
    block.created_by_id = row.optional_text(17);
    block.last_updated_by_id = row.optional_text(18);
    block.created_at = from_micros(row.integer(19));
    block.updated_at = from_micros(row.integer(20));
    block.version = row.integer(21);
    return block;
}

Params row_of(const std::string& organization_id, const Block& block) {
    return pack(organization_id, block.id, block.label, block.value, block.limit, std::int64_t{block.read_only},
                block.description, block.metadata.text, block.hidden, block.project_id, std::int64_t{block.is_template},
                block.template_name, block.template_id, block.base_template_id, block.deployment_id, block.entity_id,
                std::int64_t{block.preserve_on_migration}, encode_text_list(block.tags), block.created_by_id,
                block.last_updated_by_id, to_micros(block.created_at), to_micros(block.updated_at), block.version);
}

Error label_taken(const std::string& label) {
    Error error(ErrorCode::conflict,
                "An agent holds at most one block of a label, and one that this concerns has another block labelled '" +
                    label + "'");
    error.final = true;
    return error;
}

void add_tags(Transaction& transaction, const Block& block) {
    for (const std::string& tag : block.tags) transaction.add(insert_tag, block.id, tag);
}

void add_filter(Select& select, const BlockFilter& filter) {
    if (filter.label) select.where("b.label = ?", filter.label);
    if (filter.label_search)
        select.where("LOWER(b.label) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.label_search));
    if (filter.description_search)
        select.where("LOWER(b.description) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.description_search));
    if (filter.value_search)
        select.where("LOWER(b.value) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.value_search));
    if (filter.name) select.where("b.template_name = ?", filter.name);
    if (filter.project_id) where_project(select, "b.project_id", *filter.project_id);
    if (filter.templates_only) select.where("b.is_template = ?", std::int64_t{*filter.templates_only});
    if (filter.identity_id)
        select.where("EXISTS (SELECT 1 FROM identity_block l WHERE l.block_id = b.id AND l.identity_id = ?)",
                     filter.identity_id);
    if (!filter.identifier_keys.empty())
        select.where_in(
            "EXISTS (SELECT 1 FROM identity_block l JOIN identity i ON i.id = l.identity_id"
            " WHERE l.block_id = b.id AND i.identifier_key IN (?))",
            filter.identifier_keys);
    if (!filter.show_hidden) select.where("COALESCE(b.hidden, 0) = 0");
    if (!filter.tags.empty()) {
        if (filter.match_all_tags)
            for (const std::string& tag : padded(filter.tags))
                select.where("EXISTS (SELECT 1 FROM block_tag t WHERE t.block_id = b.id AND t.tag = ?)", tag);
        else
            select.where_in("EXISTS (SELECT 1 FROM block_tag t WHERE t.block_id = b.id AND t.tag IN (?))", filter.tags);
    }
    constexpr const char* agents = "(SELECT COUNT(*) FROM agent_block a WHERE a.block_id = b.id)";
    if (filter.agents_above) select.where(std::string(agents) + " > ?", filter.agents_above);
    if (filter.agents_below) select.where(std::string(agents) + " < ?", filter.agents_below);
    if (!filter.agents_equal.empty()) {
        std::vector<std::string> counts;
        for (const std::int64_t count : filter.agents_equal) counts.push_back(std::to_string(count));
        select.where_in("CAST(" + std::string(agents) + " AS TEXT) IN (?)", counts);
    }
}

}  // namespace

boost::asio::awaitable<std::optional<Block>> BlockRepository::find(std::string organization_id, std::string id) const {
    Rows rows = co_await database_.query(select_by_id, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_block(rows.front());
}

boost::asio::awaitable<std::vector<Block>> BlockRepository::find_all(std::string organization_id,
                                                                     std::vector<std::string> ids) const {
    Select select("SELECT " STELE_BLOCK_COLUMNS " FROM block b WHERE b.organization_id = ?", to_value(organization_id));
    select.where_in("b.id IN (?)", ids);
    Query query = select.query();
    co_return from_rows(co_await database_.query_packed(std::move(query)));
}

boost::asio::awaitable<std::vector<Block>> BlockRepository::list(std::string organization_id, BlockFilter filter,
                                                                 Page page) const {
    Select select("SELECT " STELE_BLOCK_COLUMNS " FROM block b WHERE b.organization_id = ?", to_value(organization_id));
    add_filter(select, filter);
    const PageOrder order{"block b", "block", "b.created_at", "b.id"};
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), order, organization_id));
}

boost::asio::awaitable<std::int64_t> BlockRepository::count(std::string organization_id, BlockFilter filter) const {
    const bool shows_hidden = filter.show_hidden;
    const BlockCount both = co_await count_both(std::move(organization_id), std::move(filter));
    co_return shows_hidden ? both.all : both.all - both.hidden;
}

// Two counts that indexes serve, in place of one that would read every row.
boost::asio::awaitable<BlockCount> BlockRepository::count_both(std::string organization_id, BlockFilter filter) const {
    filter.show_hidden = true;
    Select all("SELECT COUNT(*) FROM block b WHERE b.organization_id = ?", to_value(organization_id));
    add_filter(all, filter);
    Select hidden("SELECT COUNT(*) FROM block b WHERE b.organization_id = ? AND b.hidden = 1",
                  to_value(std::move(organization_id)));
    add_filter(hidden, filter);
    ReadBatch batch;
    batch.queries().push_back(all.query());
    batch.queries().push_back(hidden.query());
    const std::vector<Rows> rows = co_await database_.read(std::move(batch));
    BlockCount count;
    count.all = rows[0].front().integer(0);
    count.hidden = rows[1].front().integer(0);
    co_return count;
}

boost::asio::awaitable<std::vector<Block>> BlockRepository::of_agent(std::string agent_id) const {
    co_return from_rows(co_await database_.query(select_of_agent, std::move(agent_id)));
}

boost::asio::awaitable<std::vector<Block>> BlockRepository::page_of_agent(std::string organization_id,
                                                                          std::string agent_id, Page page) const {
    Select select("SELECT " STELE_BLOCK_COLUMNS " FROM block b WHERE b.organization_id = ?", to_value(organization_id));
    select.where("EXISTS (SELECT 1 FROM agent_block l WHERE l.agent_id = ? AND l.block_id = b.id)", agent_id);
    const PageOrder order{"block b", "block", "b.created_at", "b.id"};
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), order, organization_id));
}

boost::asio::awaitable<std::vector<std::string>> BlockRepository::agents_of(std::string organization_id,
                                                                            std::string block_id, Page page) const {
    Select select("SELECT a.id FROM agent a WHERE a.organization_id = ?", to_value(organization_id));
    select.where("EXISTS (SELECT 1 FROM agent_block l WHERE l.agent_id = a.id AND l.block_id = ?)", block_id);
    const PageOrder order{"agent a", "agent", "a.created_at", "a.id"};
    Rows rows = co_await read_page(database_, std::move(select), std::move(page), order, organization_id);
    std::vector<std::string> ids;
    for (Row& row : rows) ids.push_back(row.take_text(0));
    co_return ids;
}

void BlockRepository::insert(Transaction& transaction, const std::string& organization_id, const Block& block) const {
    transaction.add_packed(insert_row, row_of(organization_id, block));
    add_tags(transaction, block);
    if (rules_.auto_link_persona) link_persona(transaction, organization_id, block);
}

void BlockRepository::insert_core(Transaction& transaction, const Identity& owner, const Block& block) const {
    Params row = row_of(owner.organization_id, block);
    row.push_back(to_value(owner.project_id.value_or("")));
    row.push_back(to_value(owner.identifier_key));
    transaction.add_packed(insert_core_row, std::move(row));
}

void BlockRepository::update(Transaction& transaction, const std::string& organization_id, Block& block,
                             bool tags_changed, const BlockOrigin& origin) const {
    keep_former_state(transaction, organization_id, block, origin);
    transaction
        .add(update_row, organization_id, block.id, block.label, block.value, block.limit,
             std::int64_t{block.read_only}, block.description, block.metadata.text, block.hidden, block.project_id,
             std::int64_t{block.is_template}, block.template_name, block.template_id, block.base_template_id,
             block.deployment_id, block.entity_id, std::int64_t{block.preserve_on_migration},
             encode_text_list(block.tags), block.last_updated_by_id, to_micros(block.updated_at), block.version)
        .expect_row(changed_meanwhile("Block", block.id));
    transaction.add(update_links, block.id, block.label).expect_free(label_taken(block.label));
    if (tags_changed) {
        transaction.add(delete_tags, block.id);
        add_tags(transaction, block);
    }
    ++block.version;
}

void BlockRepository::remove(Transaction& transaction, const std::string& organization_id, const Block& block) const {
    add_tombstone(transaction, organization_id, block.id,
                  SortKeys{to_micros(block.created_at), to_micros(block.updated_at), std::nullopt});
    if (rules_.kept_in_trash.count() > 0)
        return move_to_trash(transaction, organization_id, block, rules_.kept_in_trash);
    transaction.add(delete_row, organization_id, block.id).expect_row(not_found("Block", block.id));
}

void BlockRepository::attach(Transaction& transaction, const std::string& agent_id, const Block& block) const {
    transaction.add(insert_link, agent_id, block.id, block.label, next_position())
        .expect_free(label_taken(block.label));
    transaction.add(insert_partner_links, agent_id, block.id, block.label, next_position());
}

void BlockRepository::detach_if_held(Transaction& transaction, const std::string& agent_id,
                                     const std::string& block_id) const {
    transaction.add(delete_link, agent_id, block_id);
}

void BlockRepository::detach(Transaction& transaction, const std::string& agent_id, const std::string& block_id) const {
    transaction.add(delete_link, agent_id, block_id)
        .expect_row(Error(ErrorCode::not_found, "Block " + block_id + " not found on agent " + agent_id));
}

void BlockRepository::detach_all(Transaction& transaction, const std::string& agent_id) const {
    transaction.add(delete_links, agent_id);
}

const Statement& BlockRepository::of_agent_statement() { return select_of_agent; }

const Statement& BlockRepository::of_identity_statement() { return select_of_identity; }

const Statement& BlockRepository::in_conversation_statement() { return select_in_conversation; }

std::vector<Block> BlockRepository::from_rows(Rows rows) {
    std::vector<Block> blocks;
    blocks.reserve(rows.size());
    for (Row& row : rows) blocks.push_back(to_block(row));
    return blocks;
}

std::vector<Statement> BlockRepository::statements() {
    BlockFilter everything;
    everything.label = everything.description_search = everything.value_search = everything.name =
        everything.project_id = "x";
    everything.templates_only = true;
    everything.tags = {"a", "b"};
    everything.agents_above = everything.agents_below = 1;
    everything.agents_equal = {1};
    everything.identity_id = everything.label_search = "x";
    everything.identifier_keys = {"a", "b"};
    Select list("SELECT " STELE_BLOCK_COLUMNS " FROM block b WHERE b.organization_id = ?", to_value("o"));
    add_filter(list, everything);
    return {select_by_id,         select_of_agent, select_of_identity, select_in_conversation,
            insert_row,           insert_core_row, update_row,         update_links,
            delete_row,           delete_tags,     insert_tag,         insert_link,
            insert_partner_links, delete_link,     delete_links,       list.query().statement};
}

}  // namespace stele::storage
