#pragma once

#include "storage/page.hpp"

namespace stele::storage {

/// Where a list that no organisation bounds goes on: strictly behind row `after` of `select_created` ($1 id), whether
/// that is still there or was deleted lately; before everything without one. Throws Error{not_found} for an unknown
/// cursor, Error{invalid_argument} for a malformed one.
boost::asio::awaitable<Place> account_place(Database& database, Statement select_created, std::string_view id_prefix,
                                            std::optional<std::string> after);

/// Keeps the place of a row of such a list that is about to be deleted.
void add_account_tombstone(Transaction& transaction, const std::string& id, std::int64_t created);

}  // namespace stele::storage
