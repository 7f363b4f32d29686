#pragma once

#include "domain/folder.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Folders of one organisation at a time, and which agents have them.
class FolderRepository {
public:
    explicit FolderRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Folder>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::optional<Folder>> find_by_name(std::string organization_id, std::string name) const;

    /// Those of `ids`, in their order, each once. Throws Error{not_found} for one that there is not.
    boost::asio::awaitable<std::vector<Folder>> demand_all(std::string organization_id,
                                                           std::vector<std::string> ids) const;
    boost::asio::awaitable<std::vector<Folder>> list(std::string organization_id, std::optional<std::string> name,
                                                     Page page) const;
    boost::asio::awaitable<std::int64_t> count(std::string organization_id) const;

    /// How much each of them holds, by name; of one folder with `folder_id`. Without the files.
    boost::asio::awaitable<std::vector<SourceStats>> stats(std::string organization_id,
                                                           std::optional<std::string> folder_id) const;

    /// The commit throws Error{conflict} for a name that is taken, and for a row that somebody else has changed.
    void insert(Transaction& transaction, const Folder& folder) const;
    void update(Transaction& transaction, Folder& folder) const;

    /// With its files and whatever agents see of them. Agents that have no other folder lose the tools of files.
    void remove(Transaction& transaction, const Folder& folder) const;

    /// Ids of the agents that have it, in the order of their making.
    boost::asio::awaitable<std::vector<std::string>> agents(std::string organization_id, std::string folder_id) const;
    boost::asio::awaitable<std::vector<std::string>> page_of_agents(std::string organization_id, std::string folder_id,
                                                                    Page page) const;
    boost::asio::awaitable<std::vector<Folder>> page_of_agent(std::string organization_id, std::string agent_id,
                                                              Page page) const;

    /// In the order in which they were attached.
    boost::asio::awaitable<std::vector<Folder>> of_agent(std::string agent_id) const;

    void attach(Transaction& transaction, const std::string& agent_id, const std::string& folder_id) const;

    /// Its files leave the agent too, and with the last folder the tools of files.
    void detach(Transaction& transaction, const std::string& agent_id, const std::string& folder_id) const;

    static const Statement& of_agent_statement();  ///< $1 agent
    static std::vector<Folder> from_rows(Rows rows);

    static std::vector<Statement> statements();

private:
    Database& database_;
};

/// Ends the name of what Error{conflict} a taken name of a folder is.
Error folder_name_taken(const std::string& name);

}  // namespace stele::storage
