#include "storage/page.hpp"

#include "base/ids.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <set>

namespace stele::storage {
namespace {

constexpr std::int64_t key_none_low = -1;
constexpr std::int64_t key_none_high = 9'223'372'036'854'775'807;
constexpr std::size_t interned_max = 2'000;
constexpr std::size_t list_values_max = 1'024;

constexpr auto tombstone_age_max = std::chrono::hours(24);

constexpr Statement tombstone_find{
    "page.tombstone",
    "SELECT sort_created, sort_updated, sort_last_run FROM tombstone WHERE organization_id = $1 AND id = $2"};
constexpr Statement tombstone_insert{
    "page.tombstone_insert",
    "INSERT INTO tombstone (organization_id, id, sort_created, sort_updated, sort_last_run, deleted_at)"
    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at"};
constexpr Statement tombstone_forget{"page.tombstone_forget", "DELETE FROM tombstone WHERE deleted_at < $1"};

// Texts put together at run time live for ever, like the constexpr ones, so that engines prepare each once. Values are
// parameters and lists are padded to powers of two, so real clients come to a few dozens; whoever tries out every
// combination of filters beyond `interned_max` has his statements prepared anew each time.
Query composed(std::string sql, Params params) {
    static std::mutex mutex;
    static std::set<std::string, std::less<>> texts;
    {
        const std::lock_guard lock(mutex);
        auto text = texts.find(sql);
        if (text == texts.end() && texts.size() < interned_max) text = texts.insert(std::move(sql)).first;
        if (text != texts.end()) return Query{Statement{*text, *text}, std::move(params)};
    }
    const auto text = std::make_shared<const std::string>(std::move(sql));
    return Query{Statement{"", *text}, std::move(params), text};
}

std::string key_expression(const PageOrder& order, bool ascending) {
    const std::string key(order.key);
    if (!order.nullable_key) return key;
    return "COALESCE(" + key + ", " + std::to_string(ascending ? key_none_high : key_none_low) + ")";
}

std::int64_t tombstone_key(const Row& row, const PageOrder& order, bool ascending) {
    if (order.key.ends_with("updated_at") || order.key.ends_with("total_duration_ns")) return row.integer(1);
    if (order.key.ends_with("last_run_completion"))
        return row.optional_integer(2).value_or(ascending ? key_none_high : key_none_low);
    return row.integer(0);
}

boost::asio::awaitable<Place> find_place(Database& database, std::string organization_id, std::string id,
                                         PageOrder order, bool ascending) {
    if (!is_id(id, order.id_prefix))
        throw invalid_field("query.cursor", "a cursor must match '" + std::string(order.id_prefix) + "-{uuid4}'");
    Query by_id = composed("SELECT " + key_expression(order, ascending) + " FROM " + std::string(order.table) +
                               " WHERE organization_id = $1 AND id = $2",
                           pack(organization_id, id));
    const Rows rows = co_await database.query_packed(std::move(by_id));
    if (!rows.empty()) {
        Place place;
        place.key = rows.front().integer(0);
        place.id = std::move(id);
        co_return place;
    }
    const Rows gone = co_await database.query(tombstone_find, organization_id, id);
    if (gone.empty()) throw Error(ErrorCode::not_found, "The cursor " + id + " does not exist");
    Place place;
    place.key = tombstone_key(gone.front(), order, ascending);
    place.id = std::move(id);
    co_return place;
}

std::optional<Place> place_among(const std::vector<Place>& known, const std::optional<std::string>& id) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const Place& each) { return each.id == id; });
    return found == known.end() ? std::nullopt : std::optional(*found);
}

// (key, id) strictly behind or in front of `place`.
void add_bound(Select& select, const PageOrder& order, bool ascending, const Place& place, bool greater) {
    const std::string key = key_expression(order, ascending);
    const char* comparison = greater ? ">" : "<";
    if (order.id == order.key)
        select.where(key + " " + comparison + " ?", place.key);
    else
        select.where("(" + key + ", " + std::string(order.id) + ") " + comparison + " (?, ?)", place.key, place.id);
}

}  // namespace

std::vector<std::string> padded(std::vector<std::string> values, std::size_t most) {
    if (values.size() > most) throw refused("A filter takes at most " + std::to_string(most) + " values here");
    if (!values.empty()) values.resize(std::bit_ceil(values.size()), std::string(values.back()));
    return values;
}

Select::Select(std::string from, Value organization_id) { append(from, Params{std::move(organization_id)}); }

void Select::add(std::string_view condition, Params params) {
    append(" AND ", {});
    append(condition, std::move(params));
}

void Select::append(std::string_view text, Params params) {
    std::size_t next = 0;
    for (const char c : text) {
        if (c != '?') {
            sql_ += c;
            continue;
        }
        STELE_ASSERT(next < params.size());
        params_.push_back(std::move(params[next++]));
        sql_ += '$';
        sql_ += std::to_string(params_.size());
    }
    STELE_ASSERT(next == params.size());
}

Select& Select::where_in(std::string_view condition, const std::vector<std::string>& values) {
    if (values.empty()) {
        append(" AND 1 = 0", {});
        return *this;
    }
    const std::size_t place = condition.find("(?)");
    STELE_ASSERT(place != std::string_view::npos);
    std::string text(condition.substr(0, place + 1));
    Params params;
    for (std::string& value : padded(values, list_values_max)) {
        text += params.empty() ? "?" : ", ?";
        params.push_back(to_value(std::move(value)));
    }
    text += condition.substr(place + 2);
    add(text, std::move(params));
    return *this;
}

Query Select::query() const { return composed(sql_, params_); }

boost::asio::awaitable<PageBounds> find_bounds(Database& database, Page page, PageOrder order,
                                               std::string organization_id, std::vector<Place> known) {
    if (order.time_list && !page.ascending && page.before && !page.after) std::swap(page.before, page.after);
    std::optional<Place> after = place_among(known, page.after), before = place_among(known, page.before);
    if (page.after && !after)
        after = co_await find_place(database, organization_id, *page.after, order, page.ascending);
    if (page.before && !before)
        before = co_await find_place(database, organization_id, *page.before, order, page.ascending);
    PageBounds bounds;
    bounds.from_end = before && !after;
    bounds.above = page.ascending ? after : before;
    bounds.below = page.ascending ? before : after;
    // Either cursor may come first in the order: two of them mean what lies between.
    if (after && before && *bounds.below < *bounds.above) std::swap(bounds.above, bounds.below);
    co_return bounds;
}

boost::asio::awaitable<Rows> read_between(Database& database, Select select, Page page, PageOrder order,
                                          PageBounds bounds) {
    if (bounds.above) add_bound(select, order, page.ascending, *bounds.above, true);
    if (bounds.below) add_bound(select, order, page.ascending, *bounds.below, false);
    // From the end: the rows nearest to the cursor, so that a backwards walk misses nothing between its pages.
    const bool upwards = page.ascending != bounds.from_end;
    const char* direction = upwards ? " ASC" : " DESC";
    std::string tail = " ORDER BY " + key_expression(order, page.ascending) + direction;
    if (order.id != order.key) tail += ", " + std::string(order.id) + direction;
    select.finish(tail + " LIMIT ?", page.limit);

    Query query = select.query();
    Rows rows = co_await database.query_packed(std::move(query));
    if (bounds.from_end) std::reverse(rows.begin(), rows.end());
    co_return rows;
}

boost::asio::awaitable<Rows> read_page(Database& database, Select select, Page page, PageOrder order,
                                       std::string organization_id) {
    PageBounds bounds = co_await find_bounds(database, page, order, std::move(organization_id), {});
    co_return co_await read_between(database, std::move(select), std::move(page), order, std::move(bounds));
}

boost::asio::awaitable<std::optional<std::int64_t>> find_tombstone(Database& database, std::string organization_id,
                                                                   std::string id) {
    const Rows rows = co_await database.query(tombstone_find, std::move(organization_id), std::move(id));
    if (rows.empty()) co_return std::nullopt;
    co_return rows.front().integer(0);
}

void add_tombstone(Transaction& transaction, const std::string& organization_id, const std::string& id,
                   const SortKeys& keys) {
    const Timestamp deleted = now();
    transaction.add(tombstone_forget, to_micros(deleted - tombstone_age_max));
    transaction.add(tombstone_insert, organization_id, id, keys.created, keys.updated, keys.last_run,
                    to_micros(deleted));
}

std::string like_pattern(const std::string& text) {
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

std::vector<Statement> page_statements() { return {tombstone_find, tombstone_insert, tombstone_forget}; }

}  // namespace stele::storage
