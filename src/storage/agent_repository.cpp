#include "storage/agent_repository.hpp"

#include "storage/agent_search.hpp"
#include "storage/conversation_repository.hpp"
#include "storage/decode_cache.hpp"
#include "storage/project_filter.hpp"
#include "storage/trash.hpp"

#include <algorithm>
#include <unordered_map>

namespace stele::storage {
namespace {

// The columns of an agent, in the order of `to_agent`.
#define STELE_AGENT_COLUMNS                                                                                   \
    "a.id, a.organization_id, a.name, a.settings, a.hidden, a.project_id, a.template_id, a.base_template_id," \
    " a.deployment_id, a.entity_id, a.last_run_completion, a.last_run_duration_ms, a.last_stop_reason,"       \
    " a.message_count, a.created_by_id, a.last_updated_by_id, a.created_at, a.updated_at, a.version,"         \
    " (SELECT COUNT(*) FROM agent_folder l WHERE l.agent_id = a.id),"                                         \
    " CASE WHEN EXISTS (SELECT 1 FROM agent_tag g WHERE g.agent_id = a.id AND g.tag = 'git-memory-enabled')"  \
    " OR EXISTS (SELECT 1 FROM git_memory g WHERE g.agent_id = a.id) THEN 1 ELSE 0 END"

constexpr Statement select_by_id{
    "agent.by_id", "SELECT " STELE_AGENT_COLUMNS " FROM agent a WHERE a.organization_id = $1 AND a.id = $2"};
constexpr Statement select_exists{"agent.exists", "SELECT 1 FROM agent WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_tags{"agent.tags", "SELECT tag FROM agent_tag WHERE agent_id = $1 ORDER BY tag"};
constexpr Statement select_variables{
    "agent.variables",
    "SELECT id, name, sealed_value, created_at, created_by_id FROM agent_variable WHERE agent_id = $1 ORDER BY name"};
constexpr Statement insert_row{
    "agent.insert",
    "INSERT INTO agent (id, organization_id, name, settings, hidden, project_id, template_id, base_template_id,"
    " deployment_id, entity_id, last_run_completion, last_run_duration_ms, last_stop_reason, message_count,"
    " created_by_id, last_updated_by_id, created_at, updated_at, version)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"};
constexpr Statement update_row{
    "agent.update",
    "UPDATE agent SET name = $3, settings = $4, hidden = $5, project_id = $6, template_id = $7, base_template_id = $8,"
    " deployment_id = $9, entity_id = $10, last_run_completion = $11, last_run_duration_ms = $12,"
    " last_stop_reason = $13, last_updated_by_id = $14, updated_at = $15, version = version + 1"
    " WHERE organization_id = $1 AND id = $2 AND version = $16"};
constexpr Statement update_turn{
    "agent.finish_turn",
    "UPDATE agent SET message_count = message_count + $2, last_run_completion = $3, last_run_duration_ms = $4,"
    " last_stop_reason = $5 WHERE id = $1"};
constexpr Statement update_count{"agent.count_messages",
                                 "UPDATE agent SET message_count = message_count + $2 WHERE id = $1"};
// Its messages go with it: walks over the messages of all agents may stand on one of them.
constexpr Statement keep_message_places{
    "agent.keep_message_places",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, deleted_at)"
    " SELECT m.id, m.organization_id, m.position, m.position, CAST($2 AS BIGINT) FROM message m WHERE m.agent_id = $1"
    " ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at"};
// And its conversations, in lists of those of all agents.
constexpr Statement keep_conversation_places{
    "agent.keep_conversation_places",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, sort_last_run, deleted_at)"
    " SELECT c.id, c.organization_id, c.created_at, c.updated_at, c.last_run_completion, CAST($2 AS BIGINT)"
    " FROM conversation c WHERE c.agent_id = $1 ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at"};
constexpr Statement keep_block_places{
    "agent.keep_block_places",
    "INSERT INTO tombstone (id, organization_id, sort_created, sort_updated, deleted_at)"
    " SELECT b.id, b.organization_id, b.created_at, b.updated_at, CAST($2 AS BIGINT) FROM block b WHERE b.id IN"
    " (SELECT c.block_id FROM conversation_block c JOIN conversation v ON v.id = c.conversation_id"
    " WHERE v.agent_id = $1) ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at"};
constexpr Statement delete_row{"agent.delete", "DELETE FROM agent WHERE organization_id = $1 AND id = $2"};
constexpr Statement delete_tags{"agent.delete_tags", "DELETE FROM agent_tag WHERE agent_id = $1"};
constexpr Statement insert_tag{"agent.insert_tag",
                               "INSERT INTO agent_tag (agent_id, organization_id, tag, created_at)"
                               " SELECT a.id, CAST($2 AS TEXT), CAST($3 AS TEXT), a.created_at FROM agent a"
                               " WHERE a.id = $1 ON CONFLICT (agent_id, tag) DO NOTHING"};
constexpr Statement delete_variables{"agent.delete_variables", "DELETE FROM agent_variable WHERE agent_id = $1"};
constexpr Statement insert_variable{
    "agent.insert_variable",
    "INSERT INTO agent_variable (id, agent_id, name, sealed_value, created_at, created_by_id)"
    " VALUES ($1, $2, $3, $4, $5, $6)"};

Agent to_agent(Row& row) {
    Agent agent;
    static_cast<AgentSettings&>(agent) = decoded<AgentSettings>(row.text(3));
    agent.id = row.take_text(0);
    agent.organization_id = row.take_text(1);
    agent.name = row.take_text(2);
    agent.hidden = row.optional_flag(4);
    agent.project_id = row.optional_text(5);
    agent.template_id = row.optional_text(6);
    agent.base_template_id = row.optional_text(7);
    agent.deployment_id = row.optional_text(8);
    agent.entity_id = row.optional_text(9);
    if (const auto at = row.optional_integer(10)) agent.last_run_completion = from_micros(*at);
    agent.last_run_duration_ms = row.optional_integer(11);
    if (!row.is_null(12)) agent.last_stop_reason = parse_stop_reason(row.text(12));
    agent.message_count = row.integer(13);
    agent.created_by_id = row.optional_text(14);
    agent.last_updated_by_id = row.optional_text(15);
    agent.created_at = from_micros(row.integer(16));
    agent.updated_at = from_micros(row.integer(17));
    agent.version = row.integer(18);
    agent.folder_count = row.integer(19);
    agent.git_memory = row.flag(20);
    return agent;
}

std::vector<Agent> to_agents(Rows rows) {
    std::vector<Agent> agents;
    agents.reserve(rows.size());
    for (Row& row : rows) agents.push_back(to_agent(row));
    return agents;
}

std::optional<std::int64_t> micros(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_micros(*time)) : std::nullopt;
}

std::optional<std::string> word(const std::optional<StopReason>& reason) {
    return reason ? std::optional(std::string(to_string(*reason))) : std::nullopt;
}

std::string settings_json(const Agent& agent) { return to_json(static_cast<const AgentSettings&>(agent)); }

void add_filter(Select& select, const AgentFilter& filter) {
    if (filter.name) select.where("a.name = ?", filter.name);
    if (filter.query_text) select.where("LOWER(a.name) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.query_text));
    if (filter.project_id) where_project(select, "a.project_id", *filter.project_id);
    if (filter.template_id) select.where("a.template_id = ?", filter.template_id);
    if (filter.base_template_id) select.where("a.base_template_id = ?", filter.base_template_id);
    if (filter.created_by_id) select.where("a.created_by_id = ?", filter.created_by_id);
    if (filter.not_created_by_id) select.where("COALESCE(a.created_by_id, '') <> ?", filter.not_created_by_id);
    if (filter.last_stop_reason) select.where("a.last_stop_reason = ?", filter.last_stop_reason);
    for (const SearchTerm& term : filter.terms) add_term(select, term);
    if (!filter.show_hidden) select.where("COALESCE(a.hidden, 0) = 0");
    if (filter.identity_id)
        select.where("EXISTS (SELECT 1 FROM identity_agent l WHERE l.agent_id = a.id AND l.identity_id = ?)",
                     filter.identity_id);
    if (filter.block_id)
        select.where("EXISTS (SELECT 1 FROM agent_block l WHERE l.agent_id = a.id AND l.block_id = ?)",
                     filter.block_id);
    if (filter.archive_id)
        select.where("EXISTS (SELECT 1 FROM agent_archive l WHERE l.agent_id = a.id AND l.archive_id = ?)",
                     filter.archive_id);
    if (!filter.identifier_keys.empty())
        select.where_in(
            "EXISTS (SELECT 1 FROM identity_agent l JOIN identity i ON i.id = l.identity_id"
            " WHERE l.agent_id = a.id AND i.identifier_key IN (?))",
            filter.identifier_keys);
    if (!filter.tags.empty()) {
        if (filter.match_all_tags)
            for (const std::string& tag : padded(filter.tags))
                select.where("EXISTS (SELECT 1 FROM agent_tag t WHERE t.agent_id = a.id AND t.tag = ?)", tag);
        else
            select.where_in("EXISTS (SELECT 1 FROM agent_tag t WHERE t.agent_id = a.id AND t.tag IN (?))", filter.tags);
    }
    if (!filter.some_tags.empty())
        select.where_in("EXISTS (SELECT 1 FROM agent_tag t WHERE t.agent_id = a.id AND t.tag IN (?))",
                        filter.some_tags);
}

Select select_agents(const std::string& organization_id) {
    return Select("SELECT " STELE_AGENT_COLUMNS " FROM agent a WHERE a.organization_id = ?", to_value(organization_id));
}

// Those with one tag, to be put in order by `order_of_tag`: the tag's index leads, whatever the engine would guess.
Select select_agents_with_tag(const std::string& organization_id, const std::string& tag) {
    Select select("SELECT " STELE_AGENT_COLUMNS " FROM agent_tag d CROSS JOIN agent a WHERE d.organization_id = ?",
                  to_value(organization_id));
    select.where("d.tag = ?", tag).where("a.id = d.agent_id");
    return select;
}

// A tag that all of the list's agents have.
const std::string* common_tag(const AgentFilter& filter) {
    const bool one = filter.tags.size() == 1 || (filter.match_all_tags && !filter.tags.empty());
    return one ? &filter.tags.front() : nullptr;
}

// Those of agents and blocks, each once. A tag is its own cursor and need not exist.
Select select_tags_of_all(const std::string& organization_id) {
    return Select(
        "SELECT t.tag FROM (SELECT a.organization_id, a.tag FROM agent_tag a UNION"
        " SELECT b.organization_id, l.tag FROM block_tag l JOIN block b ON b.id = l.block_id) AS t"
        " WHERE t.organization_id = ?",
        to_value(organization_id));
}

PageOrder order_of(const Page& page) {
    PageOrder order{"agent a", "agent", "a.created_at", "a.id"};
    if (page.order_by == "updated_at") order.key = "a.updated_at";
    if (page.order_by == "last_run_completion") {
        order.key = "a.last_run_completion";
        order.nullable_key = true;
    }
    return order;
}

PageOrder order_of_tag() { return PageOrder{"agent a", "agent", "d.created_at", "d.agent_id"}; }

}  // namespace

boost::asio::awaitable<std::optional<Agent>> AgentRepository::find(std::string organization_id, std::string id) const {
    co_return from_rows(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
}

boost::asio::awaitable<bool> AgentRepository::exists(std::string organization_id, std::string id) const {
    const Rows rows = co_await database_.query(select_exists, std::move(organization_id), std::move(id));
    co_return !rows.empty();
}

boost::asio::awaitable<std::vector<Agent>> AgentRepository::find_all(std::string organization_id,
                                                                     std::vector<std::string> ids) const {
    Select select = select_agents(organization_id);
    select.where_in("a.id IN (?)", ids);
    Query query = select.query();
    std::vector<Agent> agents = to_agents(co_await database_.query_packed(std::move(query)));
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], i);
    std::sort(agents.begin(), agents.end(),
              [&](const Agent& a, const Agent& b) { return places.at(a.id) < places.at(b.id); });
    co_return agents;
}

boost::asio::awaitable<std::vector<Agent>> AgentRepository::list(std::string organization_id, AgentFilter filter,
                                                                 Page page) const {
    PageOrder order = order_of(page);
    PageBounds bounds = co_await find_bounds(database_, page, order, organization_id, {});
    const std::string* tag = order.key == "a.created_at" ? common_tag(filter) : nullptr;
    Select select = tag != nullptr ? select_agents_with_tag(organization_id, *tag) : select_agents(organization_id);
    if (tag != nullptr) order = order_of_tag();
    add_filter(select, filter);
    co_return to_agents(co_await read_between(database_, std::move(select), std::move(page), order, std::move(bounds)));
}

boost::asio::awaitable<std::int64_t> AgentRepository::count(std::string organization_id, AgentFilter filter) const {
    Select select("SELECT COUNT(*) FROM agent a WHERE a.organization_id = ?", to_value(std::move(organization_id)));
    add_filter(select, filter);
    Query query = select.query();
    const Rows rows = co_await database_.query_packed(std::move(query));
    co_return rows.front().integer(0);
}

boost::asio::awaitable<std::vector<SealedVariable>> AgentRepository::variables(std::string agent_id) const {
    co_return variables_from_rows(co_await database_.query(select_variables, std::move(agent_id)));
}

const Statement& AgentRepository::variables_statement() { return select_variables; }

std::vector<SealedVariable> AgentRepository::variables_from_rows(Rows rows) {
    std::vector<SealedVariable> variables;
    for (Row& row : rows) {
        SealedVariable variable;
        variable.id = row.take_text(0);
        variable.name = row.take_text(1);
        variable.sealed_value = row.take_text(2);
        variable.created_at = from_micros(row.integer(3));
        variable.created_by_id = row.optional_text(4);
        variables.push_back(std::move(variable));
    }
    return variables;
}

boost::asio::awaitable<std::vector<std::string>> AgentRepository::all_tags(std::string organization_id,
                                                                           std::optional<std::string> query,
                                                                           Page page) const {
    Select select = select_tags_of_all(organization_id);
    if (query) select.where("LOWER(t.tag) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*query));
    const std::optional<std::string> above = page.ascending ? page.after : page.before;
    const std::optional<std::string> below = page.ascending ? page.before : page.after;
    if (above) select.where("t.tag > ?", above);
    if (below) select.where("t.tag < ?", below);
    const bool from_end = page.before && !page.after;
    select.finish(page.ascending != from_end ? " ORDER BY t.tag LIMIT ?" : " ORDER BY t.tag DESC LIMIT ?", page.limit);
    Query text = select.query();
    std::vector<std::string> tags = tags_from_rows(co_await database_.query_packed(std::move(text)));
    if (from_end) std::reverse(tags.begin(), tags.end());
    co_return tags;
}

void AgentRepository::insert(Transaction& transaction, const Agent& agent) const {
    transaction.add(insert_row, agent.id, agent.organization_id, agent.name, settings_json(agent), agent.hidden,
                    agent.project_id, agent.template_id, agent.base_template_id, agent.deployment_id, agent.entity_id,
                    micros(agent.last_run_completion), agent.last_run_duration_ms, word(agent.last_stop_reason),
                    agent.message_count, agent.created_by_id, agent.last_updated_by_id, micros(agent.created_at),
                    micros(agent.updated_at), agent.version);
}

void AgentRepository::update(Transaction& transaction, Agent& agent) const {
    transaction
        .add(update_row, agent.organization_id, agent.id, agent.name, settings_json(agent), agent.hidden,
             agent.project_id, agent.template_id, agent.base_template_id, agent.deployment_id, agent.entity_id,
             micros(agent.last_run_completion), agent.last_run_duration_ms, word(agent.last_stop_reason),
             agent.last_updated_by_id, micros(agent.updated_at), agent.version)
        .expect_row(changed_meanwhile("Agent", agent.id));
    ++agent.version;
}

void AgentRepository::finish_turn(Transaction& transaction, const std::string& agent_id, std::int64_t new_messages,
                                  const AgentLastRun& last_run) const {
    transaction
        .add(update_turn, agent_id, new_messages, micros(last_run.last_run_completion), last_run.last_run_duration_ms,
             word(last_run.last_stop_reason))
        .expect_row(not_found("Agent", agent_id));
}

void AgentRepository::count_messages(Transaction& transaction, const std::string& agent_id,
                                     std::int64_t new_messages) const {
    transaction.add(update_count, agent_id, new_messages).expect_row(not_found("Agent", agent_id));
}

void AgentRepository::remove(Transaction& transaction, const Agent& agent) const {
    const SortKeys keys{to_micros(*agent.created_at), to_micros(*agent.updated_at), micros(agent.last_run_completion)};
    add_tombstone(transaction, agent.organization_id, agent.id, keys);
    transaction.add(keep_message_places, agent.id, to_micros(now()));
    transaction.add(keep_conversation_places, agent.id, to_micros(now()));
    transaction.add(keep_block_places, agent.id, to_micros(now()));
    if (kept_in_trash_.count() > 0) return move_to_trash(transaction, agent, kept_in_trash_);
    ConversationRepository::remove_blocks_of_agent(transaction, agent.id);
    transaction.add(delete_row, agent.organization_id, agent.id).expect_row(not_found("Agent", agent.id));
}

void AgentRepository::set_tags(Transaction& transaction, const Agent& agent,
                               const std::vector<std::string>& tags) const {
    transaction.add(delete_tags, agent.id);
    for (const std::string& tag : tags) transaction.add(insert_tag, agent.id, agent.organization_id, tag);
}

void AgentRepository::set_variables(Transaction& transaction, const std::string& agent_id,
                                    const std::vector<SealedVariable>& variables) const {
    transaction.add(delete_variables, agent_id);
    for (const SealedVariable& variable : variables)
        transaction.add(insert_variable, variable.id, agent_id, variable.name, variable.sealed_value,
                        to_micros(variable.created_at), variable.created_by_id);
}

const Statement& AgentRepository::find_statement() { return select_by_id; }

std::optional<Agent> AgentRepository::from_rows(Rows rows) {
    if (rows.empty()) return std::nullopt;
    return to_agent(rows.front());
}

const Statement& AgentRepository::tags_statement() { return select_tags; }

std::vector<std::string> AgentRepository::tags_from_rows(Rows rows) {
    std::vector<std::string> tags;
    for (Row& row : rows) tags.push_back(row.take_text(0));
    return tags;
}

std::vector<Statement> AgentRepository::statements() {
    AgentFilter everything;
    everything.name = everything.query_text = everything.project_id = everything.template_id =
        everything.base_template_id = everything.created_by_id = everything.last_stop_reason = everything.identity_id =
            everything.not_created_by_id = everything.block_id = everything.archive_id = "x";
    everything.identifier_keys = {"a", "b"};
    everything.tags = everything.some_tags = {"a", "b"};
    const char* fields[] = {"version", "name", "tags", "templateName", "agentId"};
    for (const char* field : fields) everything.terms.push_back({field, false, {"x"}});
    everything.terms.push_back({"name", true, {"x"}});
    everything.terms.push_back({"version", false, {"x:1"}});
    everything.terms.push_back({"version", false, {"x:latest"}});
    Select list = select_agents("o");
    add_filter(list, everything);
    Select tagged = select_agents_with_tag("o", "a");
    add_filter(tagged, everything);
    return {tagged.query().statement,
            select_by_id,
            select_exists,
            select_tags,
            select_variables,
            insert_row,
            update_row,
            update_turn,
            update_count,
            delete_row,
            delete_tags,
            insert_tag,
            delete_variables,
            insert_variable,
            list.query().statement,
            keep_message_places,
            keep_conversation_places,
            keep_block_places,
            select_tags_of_all("o").query().statement};
}

}  // namespace stele::storage
