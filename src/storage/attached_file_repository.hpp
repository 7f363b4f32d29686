#pragma once

#include "domain/file.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// What agents have of files: one row for each file of each folder that an agent has, open or closed.
class AttachedFileRepository {
public:
    explicit AttachedFileRepository(Database& database) : database_(database) {}

    /// By their names.
    boost::asio::awaitable<std::vector<AttachedFile>> of_agent(std::string agent_id) const;
    boost::asio::awaitable<std::vector<AttachedFile>> page(std::string organization_id, std::string agent_id,
                                                           std::optional<bool> is_open, Page page) const;

    /// Agents that have the file's folder and not the file: whoever got the folder, or stored the text, does not know
    /// of the other yet.
    boost::asio::awaitable<std::vector<std::string>> agents_without(std::string file_id) const;

    /// Files with a text of the agent's folders that the agent has not got.
    boost::asio::awaitable<std::vector<std::string>> files_without(std::string agent_id) const;

    /// No effect if the agent has the file, or one of the two is gone.
    void insert(Transaction& transaction, const std::string& agent_id, const AttachedFile& file) const;

    /// Writes whether it is open, and what it shows.
    void update(Transaction& transaction, const AttachedFile& file) const;

    /// They were looked at just now.
    void touch(Transaction& transaction, const std::vector<std::string>& ids) const;

    static const Statement& of_agent_statement();  ///< $1 agent
    static std::vector<AttachedFile> from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
