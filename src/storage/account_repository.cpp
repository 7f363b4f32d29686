#include "storage/account_repository.hpp"

#include "base/ids.hpp"
#include "storage/account_page.hpp"
#include "storage/trash_organization.hpp"

namespace stele::storage {
namespace {

// The columns of `to_organization` and `to_user`.
#define STELE_ORGANIZATION_COLUMNS "o.id, o.name, o.created_at, o.privileged_tools"
#define STELE_USER_COLUMNS "a.id, a.organization_id, a.name, a.created_at, a.updated_at"
#define STELE_USERS "account a JOIN organization o ON o.id = a.organization_id AND o.deleted_at IS NULL"

constexpr Statement select_organization{"organization.by_id",
                                        "SELECT " STELE_ORGANIZATION_COLUMNS
                                        " FROM organization o WHERE o.id = $1 AND o.deleted_at IS NULL"};
constexpr Statement select_organizations{"organization.list", "SELECT " STELE_ORGANIZATION_COLUMNS
                                                              " FROM organization o WHERE o.deleted_at IS NULL"
                                                              " AND (o.created_at, o.id) > ($1, $2)"
                                                              " ORDER BY o.created_at, o.id LIMIT $3"};
constexpr Statement select_organization_created{"organization.created",
                                                "SELECT created_at FROM organization WHERE id = $1"};
constexpr Statement select_organization_ids{"organization.ids",
                                            "SELECT id FROM organization WHERE deleted_at IS NULL ORDER BY id"};
// But not the one that deleted objects belong to (trash.hpp): it stays.
constexpr Statement select_marked{"organization.marked",
                                  "SELECT id FROM organization WHERE deleted_at IS NOT NULL"
                                  " AND id <> '" STELE_TRASH_ORGANIZATION_ID "' ORDER BY id"};
constexpr Statement insert_organization_row{
    "organization.insert", "INSERT INTO organization (id, name, created_at, privileged_tools) VALUES ($1, $2, $3, $4)"};
constexpr Statement update_organization_row{
    "organization.update",
    "UPDATE organization SET name = $2, privileged_tools = $3 WHERE id = $1 AND deleted_at IS NULL"
    " AND name = $4 AND privileged_tools = $5"};
constexpr Statement mark_row{"organization.mark_deleted",
                             "UPDATE organization SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL"};

constexpr Statement select_user{"user.by_id", "SELECT " STELE_USER_COLUMNS " FROM " STELE_USERS " WHERE a.id = $1"};
constexpr Statement select_users{"user.list", "SELECT " STELE_USER_COLUMNS " FROM " STELE_USERS
                                              " WHERE (a.created_at, a.id) > ($1, $2)"
                                              " ORDER BY a.created_at, a.id LIMIT $3"};
constexpr Statement select_user_created{"user.created", "SELECT created_at FROM account WHERE id = $1"};
// An organisation that is not there, or no longer, gives no row.
constexpr Statement insert_user_row{"user.insert",
                                    "INSERT INTO account (id, organization_id, name, created_at, updated_at)"
                                    " SELECT $1, o.id, $3, CAST($4 AS BIGINT), CAST($4 AS BIGINT) FROM organization o"
                                    " WHERE o.id = $2 AND o.deleted_at IS NULL"};
constexpr Statement update_user_row{"user.update",
                                    "UPDATE account SET organization_id = $2, name = $3, updated_at = $4 WHERE id = $1"
                                    " AND EXISTS (SELECT 1 FROM organization o"
                                    " WHERE o.id = $2 AND o.deleted_at IS NULL)"};
constexpr Statement delete_user_tokens{"user.delete_tokens", "DELETE FROM access_token WHERE user_id = $1"};
constexpr Statement delete_user_row{"user.delete", "DELETE FROM account WHERE id = $1"};
constexpr Statement insert_feedback_row{"feedback.insert",
                                        "INSERT INTO feedback (id, organization_id, user_id, message, details, "
                                        "created_at) VALUES ($1, $2, $3, $4, $5, $6)"};

Organization to_organization(Row& row) {
    Organization made;
    made.id = row.take_text(0);
    made.name = row.take_text(1);
    made.created_at = from_micros(row.integer(2));
    made.privileged_tools = row.flag(3);
    return made;
}

User to_user(Row& row) {
    User made;
    made.id = row.take_text(0);
    made.organization_id = row.take_text(1);
    made.name = row.take_text(2);
    made.created_at = from_micros(row.integer(3));
    made.updated_at = from_micros(row.integer(4));
    return made;
}

std::vector<std::string> first_texts(Rows rows) {
    std::vector<std::string> texts;
    for (Row& row : rows) texts.push_back(row.take_text(0));
    return texts;
}

}  // namespace

boost::asio::awaitable<std::optional<Organization>> AccountRepository::find_organization(std::string id) const {
    Rows rows = co_await database_.query(select_organization, std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_organization(rows.front());
}

boost::asio::awaitable<std::vector<Organization>> AccountRepository::list_organizations(
    std::optional<std::string> after, std::int64_t limit) const {
    const Place from = co_await account_place(database_, select_organization_created, "org", std::move(after));
    Rows rows = co_await database_.query(select_organizations, from.key, from.id, limit);
    std::vector<Organization> found;
    for (Row& row : rows) found.push_back(to_organization(row));
    co_return found;
}

boost::asio::awaitable<std::vector<std::string>> AccountRepository::all_organization_ids() const {
    co_return first_texts(co_await database_.query(select_organization_ids));
}

boost::asio::awaitable<std::vector<std::string>> AccountRepository::marked_deleted() const {
    co_return first_texts(co_await database_.query(select_marked));
}

void AccountRepository::insert_organization(Transaction& transaction, const Organization& organization) const {
    transaction.add(insert_organization_row, organization.id, organization.name, to_micros(organization.created_at),
                    organization.privileged_tools);
}

void AccountRepository::update_organization(Transaction& transaction, const Organization& before,
                                            const Organization& after) const {
    transaction
        .add(update_organization_row, after.id, after.name, after.privileged_tools, before.name,
             before.privileged_tools)
        .expect_row(changed_meanwhile("Organization", after.id));
}

void AccountRepository::mark_deleted(Transaction& transaction, const Organization& organization) const {
    transaction.add(mark_row, organization.id, to_micros(now())).expect_row(not_found("Organization", organization.id));
    add_account_tombstone(transaction, organization.id, to_micros(organization.created_at));
}

boost::asio::awaitable<std::optional<User>> AccountRepository::find_user(std::string id) const {
    Rows rows = co_await database_.query(select_user, std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return to_user(rows.front());
}

boost::asio::awaitable<std::vector<User>> AccountRepository::list_users(std::optional<std::string> after,
                                                                        std::int64_t limit) const {
    const Place from = co_await account_place(database_, select_user_created, "user", std::move(after));
    Rows rows = co_await database_.query(select_users, from.key, from.id, limit);
    std::vector<User> found;
    for (Row& row : rows) found.push_back(to_user(row));
    co_return found;
}

void AccountRepository::insert_user(Transaction& transaction, const User& user) const {
    transaction.add(insert_user_row, user.id, user.organization_id, user.name, to_micros(user.created_at))
        .expect_row(not_found("Organization", user.organization_id));
}

void AccountRepository::update_user(Transaction& transaction, const User& user, bool moves) const {
    transaction.add(update_user_row, user.id, user.organization_id, user.name, to_micros(user.updated_at))
        .expect_row(moves ? not_found("Organization", user.organization_id) : not_found("User", user.id));
    if (moves) transaction.add(delete_user_tokens, user.id);
}

void AccountRepository::remove_user(Transaction& transaction, const User& user) const {
    transaction.add(delete_user_row, user.id).expect_row(not_found("User", user.id));
    add_account_tombstone(transaction, user.id, to_micros(user.created_at));
}

void AccountRepository::insert_feedback(Transaction& transaction, const std::string& organization_id,
                                        const std::string& user_id, const std::string& message,
                                        const std::string& details) const {
    transaction.add(insert_feedback_row, new_id("feedback"), organization_id, user_id, message, details,
                    to_micros(now()));
}

std::vector<Statement> AccountRepository::statements() {
    return {select_organization,
            select_organizations,
            select_organization_created,
            select_organization_ids,
            select_marked,
            insert_organization_row,
            update_organization_row,
            mark_row,
            select_user,
            select_users,
            select_user_created,
            insert_user_row,
            update_user_row,
            delete_user_tokens,
            delete_user_row,
            insert_feedback_row};
}

}  // namespace stele::storage
