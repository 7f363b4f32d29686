#pragma once

#include "domain/account.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Organisations and their users: the one repository that sees all of them. One that is being deleted (see
/// OrganizationRemoval) is not there any more, and neither are its users.
class AccountRepository {
public:
    explicit AccountRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Organization>> find_organization(std::string id) const;
    /// Oldest first, from behind `after`.
    boost::asio::awaitable<std::vector<Organization>> list_organizations(std::optional<std::string> after,
                                                                         std::int64_t limit) const;
    boost::asio::awaitable<std::vector<std::string>> all_organization_ids() const;
    void insert_organization(Transaction& transaction, const Organization& organization) const;
    /// The commit throws Error{conflict, changed_meanwhile} if the row is no longer as `before`.
    void update_organization(Transaction& transaction, const Organization& before, const Organization& after) const;
    /// From the commit on nobody sees it; what it holds is taken away behind that.
    void mark_deleted(Transaction& transaction, const Organization& organization) const;
    /// Those that were marked and are still there.
    boost::asio::awaitable<std::vector<std::string>> marked_deleted() const;

    boost::asio::awaitable<std::optional<User>> find_user(std::string id) const;
    boost::asio::awaitable<std::vector<User>> list_users(std::optional<std::string> after, std::int64_t limit) const;
    /// The commit throws Error{not_found} if the organisation is not there.
    void insert_user(Transaction& transaction, const User& user) const;
    /// The same; a user who moves leaves their access tokens behind.
    void update_user(Transaction& transaction, const User& user, bool moves) const;
    /// Takes their keys and tokens along.
    void remove_user(Transaction& transaction, const User& user) const;

    /// Keeps what a user says of the software; `details` is JSON.
    void insert_feedback(Transaction& transaction, const std::string& organization_id, const std::string& user_id,
                         const std::string& message, const std::string& details) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
