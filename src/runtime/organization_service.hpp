#pragma once

#include "runtime/credentials.hpp"
#include "runtime/runtime.hpp"
#include "storage/organization_removal.hpp"
#include "storage/tool_repository.hpp"

namespace stele::runtime {

/// Organisations as a whole. Thread-safe; what it refers to outlives it.
class OrganizationService {
public:
    struct Parts {
        storage::Database& database;
        const storage::AccountRepository& accounts;
        const storage::ToolRepository& tools;
        Runtime& runtime;
        Credentials& credentials;
    };

    explicit OrganizationService(Parts parts) : parts_(parts), removal_(parts.database) {}

    /// A new one, in which agents can be made at once: it has the built-in tools.
    boost::asio::awaitable<Organization> create(OrganizationCreate request) const;

    /// Deletes the organisation and everything in it. From the first commit on it is gone for everybody; then its runs
    /// are ended and its rows taken away in slices, which a crash leaves to the next start. Throws Error{conflict} for
    /// the first organisation, and for one that holds something unless `force`.
    boost::asio::awaitable<void> remove(Organization organization, bool force) const;

    /// Goes on with what was being deleted when the server ended. Throws nothing.
    boost::asio::awaitable<void> finish_removals() const;

private:
    boost::asio::awaitable<void> take_away(std::string organization_id) const;

    Parts parts_;
    storage::OrganizationRemoval removal_;
};

}  // namespace stele::runtime
