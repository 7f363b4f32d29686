#pragma once

#include "domain/tool.hpp"
#include "storage/page.hpp"

namespace stele::storage {

struct ToolFilter {
    std::optional<std::string> name, search, project_id;
    std::vector<std::string> names, tool_ids, tool_types, exclude_tool_types;
    std::optional<bool> built_in;  ///< false: only tools that users made
};

/// Tools of one organisation at a time, and which agents have them.
class ToolRepository {
public:
    explicit ToolRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Tool>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<Tool>> find_by_names(std::string organization_id,
                                                            std::vector<std::string> names) const;
    boost::asio::awaitable<std::vector<Tool>> find_by_ids(std::string organization_id,
                                                          std::vector<std::string> ids) const;
    boost::asio::awaitable<std::vector<Tool>> list(std::string organization_id, ToolFilter filter, Page page) const;
    boost::asio::awaitable<std::int64_t> count(std::string organization_id, ToolFilter filter) const;
    boost::asio::awaitable<std::vector<Tool>> of_agent(std::string agent_id) const;
    boost::asio::awaitable<std::vector<Tool>> page_of_agent(std::string organization_id, std::string agent_id,
                                                            Page page) const;

    /// Writes the tool, or replaces the definition of the one with the same name and keeps its id. For built-ins.
    void upsert(Transaction& transaction, const std::string& organization_id, const Tool& tool) const;

    /// A new tool. The commit throws Error{conflict, changed_meanwhile} if its name has been taken meanwhile.
    void insert(Transaction& transaction, const std::string& organization_id, const Tool& tool) const;

    /// Its new definition. The commit throws Error{conflict}: of type changed_meanwhile if the row no longer has the
    /// version that was read, else for a name that is taken.
    void update(Transaction& transaction, const std::string& organization_id, const Tool& tool) const;

    /// Takes it from every agent too.
    void remove(Transaction& transaction, const std::string& organization_id, const Tool& tool) const;

    boost::asio::awaitable<std::vector<std::string>> agents_of(std::string tool_id) const;

    void attach(Transaction& transaction, const std::string& agent_id, const std::string& tool_id) const;
    void detach(Transaction& transaction, const std::string& agent_id, const std::string& tool_id) const;
    void detach_all(Transaction& transaction, const std::string& agent_id) const;

    static const Statement& of_agent_statement();  ///< $1 agent
    static std::vector<Tool> from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
