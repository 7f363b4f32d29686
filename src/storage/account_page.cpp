#include "storage/account_page.hpp"

#include "base/ids.hpp"
#include "domain/audit.hpp"

#include <limits>

namespace stele::storage {

boost::asio::awaitable<Place> account_place(Database& database, Statement select_created, std::string_view id_prefix,
                                            std::optional<std::string> after) {
    Place place;
    place.key = std::numeric_limits<std::int64_t>::min();
    if (!after) co_return place;
    if (!is_id(*after, id_prefix))
        throw invalid_field("query.after", "a cursor must match '" + std::string(id_prefix) + "-{uuid4}'");
    place.id = *after;
    const Rows rows = co_await database.query(select_created, *after);
    if (!rows.empty()) {
        place.key = rows.front().integer(0);
        co_return place;
    }
    const auto gone = co_await find_tombstone(database, default_organization_id, *after);
    if (!gone) throw Error(ErrorCode::not_found, "The cursor " + *after + " does not exist");
    place.key = *gone;
    co_return place;
}

// Such rows belong to the whole server, and the first organisation is the one that is always there.
void add_account_tombstone(Transaction& transaction, const std::string& id, std::int64_t created) {
    SortKeys keys;
    keys.created = keys.updated = created;
    add_tombstone(transaction, default_organization_id, id, keys);
}

}  // namespace stele::storage
