#include "storage/tool_repository.hpp"

#include "storage/decode_cache.hpp"

namespace stele::storage {
namespace {

constexpr Statement select_by_id{"tool.by_id",
                                 "SELECT t.definition, t.created_at, t.version FROM tool t"
                                 " WHERE t.organization_id = $1 AND t.id = $2"};
constexpr Statement select_of_agent{
    "tool.of_agent",
    "SELECT t.definition, t.created_at, t.version FROM agent_tool a JOIN tool t ON t.id = a.tool_id"
    " WHERE a.agent_id = $1 ORDER BY a.position, t.id"};
constexpr Statement upsert_row{
    "tool.upsert",
    "INSERT INTO tool (id, organization_id, name, tool_type, definition, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (organization_id, name) DO UPDATE SET tool_type = excluded.tool_type,"
    " definition = excluded.definition, version = tool.version + 1"};
constexpr Statement insert_row{
    "tool.insert",
    "INSERT INTO tool (id, organization_id, name, tool_type, definition, created_at) VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Statement update_row{"tool.update",
                               "UPDATE tool SET name = $3, tool_type = $4, definition = $5, version = version + 1"
                               " WHERE organization_id = $1 AND id = $2 AND version = $6"};
constexpr Statement delete_row{"tool.delete", "DELETE FROM tool WHERE organization_id = $1 AND id = $2"};
constexpr Statement select_agents{"tool.agents",
                                  "SELECT agent_id FROM agent_tool WHERE tool_id = $1 ORDER BY agent_id"};
constexpr Statement insert_link{"tool.attach",
                                "INSERT INTO agent_tool (agent_id, tool_id, position) VALUES ($1, $2, $3)"
                                " ON CONFLICT (agent_id, tool_id) DO NOTHING"};
constexpr Statement delete_link{"tool.detach", "DELETE FROM agent_tool WHERE agent_id = $1 AND tool_id = $2"};
constexpr Statement delete_links{"tool.detach_all", "DELETE FROM agent_tool WHERE agent_id = $1"};

constexpr PageOrder by_created{"tool t", "tool", "t.created_at", "t.id"};

Select select_tools(const std::string& organization_id) {
    return Select("SELECT t.definition, t.created_at, t.version FROM tool t WHERE t.organization_id = ?",
                  to_value(organization_id));
}

void add_filter(Select& select, const ToolFilter& filter) {
    if (filter.name) select.where("t.name = ?", filter.name);
    if (filter.search) select.where("LOWER(t.name) LIKE LOWER(?) ESCAPE '\\'", like_pattern(*filter.search));
    if (!filter.names.empty()) select.where_in("t.name IN (?)", filter.names);
    if (!filter.tool_ids.empty()) select.where_in("t.id IN (?)", filter.tool_ids);
    if (!filter.tool_types.empty()) select.where_in("t.tool_type IN (?)", filter.tool_types);
    if (!filter.exclude_tool_types.empty()) select.where_in("t.tool_type NOT IN (?)", filter.exclude_tool_types);
    if (filter.built_in)
        select.where(*filter.built_in ? "t.tool_type LIKE 'letta_%'" : "t.tool_type NOT LIKE 'letta_%'");
}

}  // namespace

boost::asio::awaitable<std::optional<Tool>> ToolRepository::find(std::string organization_id, std::string id) const {
    std::vector<Tool> tools =
        from_rows(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
    if (tools.empty()) co_return std::nullopt;
    co_return std::move(tools.front());
}

boost::asio::awaitable<std::vector<Tool>> ToolRepository::find_by_names(std::string organization_id,
                                                                        std::vector<std::string> names) const {
    Select select = select_tools(organization_id);
    select.where_in("t.name IN (?)", names);
    Query query = select.query();
    co_return from_rows(co_await database_.query_packed(std::move(query)));
}

boost::asio::awaitable<std::vector<Tool>> ToolRepository::find_by_ids(std::string organization_id,
                                                                      std::vector<std::string> ids) const {
    Select select = select_tools(organization_id);
    select.where_in("t.id IN (?)", ids);
    Query query = select.query();
    co_return from_rows(co_await database_.query_packed(std::move(query)));
}

boost::asio::awaitable<std::vector<Tool>> ToolRepository::list(std::string organization_id, ToolFilter filter,
                                                               Page page) const {
    Select select = select_tools(organization_id);
    add_filter(select, filter);
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

boost::asio::awaitable<std::int64_t> ToolRepository::count(std::string organization_id, ToolFilter filter) const {
    Select select("SELECT COUNT(*) FROM tool t WHERE t.organization_id = ?", to_value(std::move(organization_id)));
    add_filter(select, filter);
    Query query = select.query();
    const Rows rows = co_await database_.query_packed(std::move(query));
    co_return rows.front().integer(0);
}

boost::asio::awaitable<std::vector<Tool>> ToolRepository::of_agent(std::string agent_id) const {
    co_return from_rows(co_await database_.query(select_of_agent, std::move(agent_id)));
}

boost::asio::awaitable<std::vector<Tool>> ToolRepository::page_of_agent(std::string organization_id,
                                                                        std::string agent_id, Page page) const {
    Select select = select_tools(organization_id);
    select.where("EXISTS (SELECT 1 FROM agent_tool a WHERE a.agent_id = ? AND a.tool_id = t.id)", agent_id);
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

void ToolRepository::upsert(Transaction& transaction, const std::string& organization_id, const Tool& tool) const {
    transaction.add(upsert_row, tool.id, organization_id, tool.name, tool.tool_type, to_json(tool),
                    to_micros(tool.created_at));
}

void ToolRepository::insert(Transaction& transaction, const std::string& organization_id, const Tool& tool) const {
    transaction
        .add(insert_row, tool.id, organization_id, tool.name, tool.tool_type, to_json(tool), to_micros(tool.created_at))
        .expect_free(changed_meanwhile("Tool", tool.name));
}

void ToolRepository::update(Transaction& transaction, const std::string& organization_id, const Tool& tool) const {
    auto added =
        transaction.add(update_row, organization_id, tool.id, tool.name, tool.tool_type, to_json(tool), tool.version);
    added.expect_row(changed_meanwhile("Tool", tool.id));
    added.expect_free(refused("Another tool is named '" + tool.name + "'"));
}

void ToolRepository::remove(Transaction& transaction, const std::string& organization_id, const Tool& tool) const {
    transaction.add(delete_row, organization_id, tool.id).expect_row(not_found("Tool", tool.id));
    add_tombstone(transaction, organization_id, tool.id, {to_micros(tool.created_at), to_micros(tool.created_at), {}});
}

boost::asio::awaitable<std::vector<std::string>> ToolRepository::agents_of(std::string tool_id) const {
    Rows rows = co_await database_.query(select_agents, std::move(tool_id));
    std::vector<std::string> ids;
    for (Row& row : rows) ids.push_back(row.take_text(0));
    co_return ids;
}

void ToolRepository::attach(Transaction& transaction, const std::string& agent_id, const std::string& tool_id) const {
    transaction.add(insert_link, agent_id, tool_id, next_position());
}

void ToolRepository::detach(Transaction& transaction, const std::string& agent_id, const std::string& tool_id) const {
    transaction.add(delete_link, agent_id, tool_id);
}

void ToolRepository::detach_all(Transaction& transaction, const std::string& agent_id) const {
    transaction.add(delete_links, agent_id);
}

const Statement& ToolRepository::of_agent_statement() { return select_of_agent; }

std::vector<Tool> ToolRepository::from_rows(Rows rows) {
    std::vector<Tool> tools;
    tools.reserve(rows.size());
    for (const Row& row : rows) {
        tools.push_back(decoded<Tool>(row.text(0)));
        tools.back().created_at = from_micros(row.integer(1));
        tools.back().version = row.integer(2);
    }
    return tools;
}

std::vector<Statement> ToolRepository::statements() {
    ToolFilter everything;
    everything.name = everything.search = "x";
    everything.names = everything.tool_ids = everything.tool_types = everything.exclude_tool_types = {"x"};
    everything.built_in = true;
    Select list = select_tools("o");
    add_filter(list, everything);
    return {select_by_id,
            select_of_agent,
            upsert_row,
            insert_row,
            update_row,
            delete_row,
            select_agents,
            insert_link,
            delete_link,
            delete_links,
            list.query().statement};
}

}  // namespace stele::storage
