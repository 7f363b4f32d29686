#include "storage/mcp_server_repository.hpp"

#include "storage/tool_repository.hpp"

namespace stele::storage {
namespace {

#define STELE_MCP_COLUMNS                                                                        \
    "s.id, s.organization_id, s.server_name, s.server_type, s.config, s.oauth, s.created_by_id," \
    " s.last_updated_by_id, s.created_at, s.updated_at, s.version"

constexpr Statement select_by_id{
    "mcp_server.by_id", "SELECT " STELE_MCP_COLUMNS " FROM mcp_server s WHERE s.organization_id = $1 AND s.id = $2"};
constexpr Statement select_by_name{"mcp_server.by_name",
                                   "SELECT " STELE_MCP_COLUMNS
                                   " FROM mcp_server s WHERE s.organization_id = $1 AND s.server_name = $2"};
constexpr Statement insert_row{
    "mcp_server.insert",
    "INSERT INTO mcp_server (id, organization_id, server_name, server_type, config, oauth, created_by_id,"
    " last_updated_by_id, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
constexpr Statement update_row{
    "mcp_server.update",
    "UPDATE mcp_server SET server_name = $3, config = $4, last_updated_by_id = $5, updated_at = $6,"
    " version = version + 1 WHERE organization_id = $1 AND id = $2 AND version = $7"};
constexpr Statement delete_row{"mcp_server.delete", "DELETE FROM mcp_server WHERE organization_id = $1 AND id = $2"};
constexpr Statement delete_tools{
    "mcp_server.delete_tools",
    "DELETE FROM tool WHERE organization_id = $1 AND id IN (SELECT m.tool_id FROM mcp_tool m WHERE m.server_id = $2)"};

constexpr Statement select_tools{"mcp_server.tools",
                                 "SELECT t.definition, t.created_at, t.version, m.remote_name FROM mcp_tool m"
                                 " JOIN tool t ON t.id = m.tool_id"
                                 " WHERE t.organization_id = $1 AND m.server_id = $2 ORDER BY t.created_at, t.id"};
constexpr Statement insert_link{"mcp_server.link_tool",
                                "INSERT INTO mcp_tool (server_id, tool_id, remote_name) VALUES ($1, $2, $3)"};

constexpr PageOrder by_created{"mcp_server s", "mcp_server", "s.created_at", "s.id"};

Select select_servers(const std::string& organization_id) {
    return Select("SELECT " STELE_MCP_COLUMNS " FROM mcp_server s WHERE s.organization_id = ?",
                  to_value(organization_id));
}

Error name_taken(const McpServer& server) {
    Error error(ErrorCode::conflict, "There is an MCP server named '" + server.server_name + "' already");
    error.final = true;
    return error;
}

SortKeys keys_of(Timestamp created, Timestamp updated) {
    return SortKeys{to_micros(created), to_micros(updated), std::nullopt};
}

}  // namespace

std::vector<McpServer> McpServerRepository::from_rows(Rows rows) const {
    std::vector<McpServer> servers;
    for (Row& row : rows) {
        McpServer& server = servers.emplace_back();
        server.stored = true;
        server.id = row.take_text(0);
        server.organization_id = row.take_text(1);
        server.server_name = row.take_text(2);
        const auto type = parse_mcp_server_type(row.text(3));
        STELE_ASSERT(type.has_value());
        server.type = *type;
        server.config = decode_stored<McpConfig>(sealer_.open(row.text(4)));
        if (const auto oauth = row.optional_text(5)) {
            server.tokens = decode_stored<McpTokens>(sealer_.open(*oauth));
            server.tokens->stored_as = *oauth;
        }
        server.created_by_id = row.take_text(6);
        server.last_updated_by_id = row.take_text(7);
        server.created_at = from_micros(row.integer(8));
        server.updated_at = from_micros(row.integer(9));
        server.version = row.integer(10);
    }
    return servers;
}

boost::asio::awaitable<std::optional<McpServer>> McpServerRepository::find(std::string organization_id,
                                                                           std::string id) const {
    std::vector<McpServer> found =
        from_rows(co_await database_.query(select_by_id, std::move(organization_id), std::move(id)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

boost::asio::awaitable<std::optional<McpServer>> McpServerRepository::find_by_name(std::string organization_id,
                                                                                   std::string name) const {
    std::vector<McpServer> found =
        from_rows(co_await database_.query(select_by_name, std::move(organization_id), std::move(name)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

boost::asio::awaitable<std::vector<McpServer>> McpServerRepository::list(std::string organization_id, Page page) const {
    Select select = select_servers(organization_id);
    co_return from_rows(co_await read_page(database_, std::move(select), std::move(page), by_created, organization_id));
}

void McpServerRepository::insert(Transaction& transaction, const McpServer& server) const {
    std::optional<std::string> tokens;
    if (server.tokens) tokens = sealer_.seal(to_json(*server.tokens));
    transaction
        .add(insert_row, server.id, server.organization_id, server.server_name, to_string(server.type),
             sealer_.seal(to_json(server.config)), tokens, server.created_by_id, server.last_updated_by_id,
             to_micros(server.created_at), to_micros(server.updated_at), server.version)
        .expect_free(name_taken(server));
}

void McpServerRepository::update(Transaction& transaction, McpServer& server) const {
    auto added = transaction.add(update_row, server.organization_id, server.id, server.server_name,
                                 sealer_.seal(to_json(server.config)), server.last_updated_by_id,
                                 to_micros(server.updated_at), server.version);
    added.expect_row(changed_meanwhile("MCP server", server.id));
    added.expect_free(name_taken(server));
    ++server.version;
}

void McpServerRepository::remove(Transaction& transaction, const McpServer& server) const {
    add_tombstone(transaction, server.organization_id, server.id, keys_of(server.created_at, server.updated_at));
    transaction.add(delete_tools, server.organization_id, server.id);
    transaction.add(delete_row, server.organization_id, server.id).expect_row(not_found("MCP server", server.id));
}

boost::asio::awaitable<std::vector<McpToolLink>> McpServerRepository::tools_of(std::string organization_id,
                                                                               std::string server_id) const {
    const Rows rows = co_await database_.query(select_tools, std::move(organization_id), std::move(server_id));
    std::vector<McpToolLink> links;
    for (const Row& row : rows) links.emplace_back().remote_name = row.text(3);
    std::vector<Tool> tools = ToolRepository::from_rows(rows);
    for (std::size_t i = 0; i < links.size(); ++i) links[i].tool = std::move(tools[i]);
    co_return links;
}

void McpServerRepository::link_tool(Transaction& transaction, const std::string& server_id,
                                    const McpToolLink& link) const {
    transaction.add(insert_link, server_id, link.tool.id, link.remote_name);
}

boost::asio::awaitable<std::vector<std::string>> McpServerRepository::taken_names(
    std::string organization_id, std::vector<std::string> names) const {
    Select select("SELECT t.name FROM tool t WHERE t.organization_id = ?", to_value(std::move(organization_id)));
    select.where_in("t.name IN (?)", names);
    Query query = select.query();
    const Rows rows = co_await database_.query_packed(std::move(query));
    std::vector<std::string> taken;
    for (const Row& row : rows) taken.push_back(row.text(0));
    co_return taken;
}

std::vector<Statement> McpServerRepository::statements() {
    Select taken("SELECT t.name FROM tool t WHERE t.organization_id = ?", to_value("o"));
    taken.where_in("t.name IN (?)", {"x"});
    return {select_by_id,
            select_by_name,
            insert_row,
            update_row,
            delete_row,
            delete_tools,
            select_tools,
            insert_link,
            taken.query().statement,
            select_servers("o").query().statement};
}

}  // namespace stele::storage
