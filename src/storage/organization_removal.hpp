#pragma once

#include "storage/database.hpp"

namespace stele::storage {

/// Takes away what an organisation holds, a bounded slice a transaction, so that nobody waits long for the writer and a
/// crash leaves less to do. tests/unit/storage checks that every table with an organization_id is among them.
class OrganizationRemoval {
public:
    explicit OrganizationRemoval(Database& database) : database_(database) {}

    /// Whether the organisation has anything besides the tools that come by themselves.
    boost::asio::awaitable<bool> is_empty(std::string organization_id) const;

    /// Deletes all rows of the organisation but its own. True if there were any.
    boost::asio::awaitable<bool> remove_rows(std::string organization_id) const;

    /// Deletes the organisation's own row, once nothing refers to it; else the commit throws Error{conflict}.
    void remove_organization(Transaction& transaction, const std::string& organization_id) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
