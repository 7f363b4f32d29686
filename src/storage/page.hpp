#pragma once

#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stele::storage {

/// `values` with the last one repeated up to the next power of two, so that few texts of SQL serve every length.
/// Throws Error{invalid_argument} for more than `most`: the depth of an expression is bounded where each value is a
/// condition of its own.
std::vector<std::string> padded(std::vector<std::string> values, std::size_t most = 256);

/// What a list was asked for.
struct Page {
    std::optional<std::string> before;  ///< item ids
    std::optional<std::string> after;
    std::int64_t limit = 50;
    bool ascending = false;
    std::string order_by = "created_at";
};

/// How a list is ordered and where its cursors live.
struct PageOrder {
    std::string_view table;      ///< "block b": columns below may carry the alias
    std::string_view id_prefix;  ///< "block": the form of its cursors
    std::string_view key;        ///< integer column that sorts, e.g. "created_at"
    std::string_view id = "id";  ///< second sort column: makes the order total
    bool nullable_key = false;   ///< rows without a key come last in both directions
    /// A list of events in time: under descending order a lone `before` and a lone `after` both give the older rows
    /// behind the cursor, because clients of both kinds exist.
    bool time_list = false;
};

/// A SELECT put together from optional conditions; '?' in a condition becomes the next parameter. The text takes no
/// value from outside. Equal conditions give equal texts, which engines prepare once.
class Select {
public:
    /// `from`: "SELECT ... FROM ... WHERE organization_id = ?" with its parameter.
    Select(std::string from, Value organization_id);

    template <class... Args>
    Select& where(std::string_view condition, Args&&... args) {
        add(condition, pack(std::forward<Args>(args)...));
        return *this;
    }

    /// A condition with as many parameters as only the run knows.
    Select& where_packed(std::string_view condition, Params params) {
        add(condition, std::move(params));
        return *this;
    }

    /// A condition with one "(?)" that takes a list; an empty list matches nothing.
    Select& where_in(std::string_view condition, const std::vector<std::string>& values);

    /// Ends the text, e.g. " ORDER BY created_at LIMIT ?".
    template <class... Args>
    Select& finish(std::string_view tail, Args&&... args) {
        append(tail, pack(std::forward<Args>(args)...));
        return *this;
    }

    /// The same with as many parameters as only the run knows.
    Select& finish_packed(std::string_view tail, Params params) {
        append(tail, std::move(params));
        return *this;
    }

    Query query() const;

private:
    void add(std::string_view condition, Params params);
    void append(std::string_view text, Params params);

    std::string sql_;
    Params params_;
};

/// A place in a list's total order.
struct Place {
    std::int64_t key = 0;
    std::string id;

    auto operator<=>(const Place&) const = default;
};

/// What a page's cursors come to: its rows lie strictly between the two places, whichever way the list runs.
struct PageBounds {
    std::optional<Place> above, below;
    bool from_end = false;  ///< the limit counts from the end of the interval: a lone `before`

    bool hold(const Place& place) const { return (!above || *above < place) && (!below || place < *below); }
};

/// Looks the cursors up; one of `known` needs no row. Throws as read_page does.
boost::asio::awaitable<PageBounds> find_bounds(Database& database, Page page, PageOrder order,
                                               std::string organization_id, std::vector<Place> known);

/// The rows of `select` within `bounds`, in list order.
boost::asio::awaitable<Rows> read_between(Database& database, Select select, Page page, PageOrder order,
                                          PageBounds bounds);

/// The rows of one page in list order: total order (key, id), pages by key and never by offset, so that no row is
/// skipped or shown twice while others are written; only a key that changes between two pages (updated_at,
/// last_run_completion) moves its row, and the walk that stands on it. A cursor that was deleted meanwhile is found in
/// `tombstone`. Throws Error{not_found} for an unknown cursor, Error{invalid_argument} for a malformed one.
boost::asio::awaitable<Rows> read_page(Database& database, Select select, Page page, PageOrder order,
                                       std::string organization_id);

/// The sort keys of a row, by which lists find the place of a cursor.
struct SortKeys {
    std::int64_t created = 0;
    std::int64_t updated = 0;              ///< of a run: its duration
    std::optional<std::int64_t> last_run;  ///< agents only
};

/// Keeps the place of a row that is about to be deleted, for walks that stand on it, and forgets those of yesterday.
void add_tombstone(Transaction& transaction, const std::string& organization_id, const std::string& id,
                   const SortKeys& keys);

/// The created key of a row that was deleted, if its place is kept.
boost::asio::awaitable<std::optional<std::int64_t>> find_tombstone(Database& database, std::string organization_id,
                                                                   std::string id);

/// `text` as a LIKE pattern that finds it anywhere, with its own % and _ taken literally (ESCAPE '\').
std::string like_pattern(const std::string& text);

/// The statements of this file, for the dialect test.
std::vector<Statement> page_statements();

}  // namespace stele::storage
