#include "storage/block_history.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace stele::storage {
namespace {

constexpr Statement insert_former{
    "block_history.keep",
    "INSERT INTO block_version (block_id, version, label, value, char_limit, read_only, description, replaced_at,"
    " replaced_by_id, replaced_by_run_id, replaced_by_tool)"
    " SELECT b.id, b.version, b.label, b.value, b.char_limit, b.read_only, b.description, $9, $10, $11, $12"
    " FROM block b WHERE b.organization_id = $1 AND b.id = $2 AND b.version = $3 AND (b.label <> $4 OR b.value <> $5"
    " OR b.char_limit <> $6 OR b.read_only <> $7 OR b.description IS DISTINCT FROM $8)"};
constexpr Statement delete_old{"block_history.forget",
                               "DELETE FROM block_version WHERE block_id = $1 AND version <= $2"};

// All states of a block, $1 organisation and $2 block, between the versions $3 and $4, both exclusive; beside each, who
// made it: what is written at the state before it, or with the block itself.
#define STELE_STATES                                                                                                \
    "SELECT h.version, h.label, h.value, h.char_limit, h.read_only, h.description, h.is_current, p.replaced_at,"    \
    " p.replaced_by_id, p.replaced_by_run_id, p.replaced_by_tool, b.version, b.created_at, b.created_by_id"         \
    " FROM block b JOIN (SELECT v.block_id, v.version, v.label, v.value, v.char_limit, v.read_only, v.description," \
    " 0 AS is_current FROM block_version v WHERE v.block_id = $2 UNION ALL SELECT c.id, c.version, c.label,"        \
    " c.value, c.char_limit, c.read_only, c.description, 1 FROM block c WHERE c.id = $2) AS h ON h.block_id = b.id" \
    " LEFT JOIN block_version p ON p.block_id = h.block_id AND p.version = (SELECT MAX(q.version)"                  \
    " FROM block_version q WHERE q.block_id = h.block_id AND q.version < h.version)"                                \
    " WHERE b.organization_id = $1 AND b.id = $2 AND h.version > $3 AND h.version < $4"

constexpr Statement select_up{"block_history.up", STELE_STATES " ORDER BY h.version LIMIT $5"};
constexpr Statement select_down{"block_history.down", STELE_STATES " ORDER BY h.version DESC LIMIT $5"};

BlockVersion to_version(Row& row, const std::string& block_id) {
    BlockVersion made;
    made.version = row.integer(0);
    made.id = std::to_string(made.version);
    made.block_id = block_id;
    made.label = row.take_text(1);
    made.value = row.take_text(2);
    made.limit = row.integer(3);
    made.read_only = row.flag(4);
    made.description = row.optional_text(5);
    made.current = row.flag(6);
    if (!row.is_null(7)) {
        made.changed_at = from_micros(row.integer(7));
        made.changed_by_id = row.optional_text(8);
        made.run_id = row.optional_text(9);
        made.tool = row.optional_text(10);
    } else if (row.integer(11) <= block_versions_kept) {  // else there were states before it
        made.changed_at = from_micros(row.integer(12));
        made.changed_by_id = row.optional_text(13);
    }
    return made;
}

std::int64_t version_of(const std::string& cursor) {
    std::int64_t version = 0;
    const auto [end, failure] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), version);
    if (failure != std::errc() || end != cursor.data() + cursor.size())
        throw invalid_field("query.cursor", "a cursor must be the number of a version");
    return version;
}

}  // namespace

void keep_former_state(Transaction& transaction, const std::string& organization_id, const Block& block,
                       const BlockOrigin& origin) {
    transaction.add(insert_former, organization_id, block.id, block.version, block.label, block.value, block.limit,
                    std::int64_t{block.read_only}, block.description, to_micros(block.updated_at), origin.user_id,
                    origin.run_id, origin.tool);
    if (block.version > block_versions_kept) transaction.add(delete_old, block.id, block.version - block_versions_kept);
}

boost::asio::awaitable<std::vector<BlockVersion>> BlockHistory::list(std::string organization_id, std::string block_id,
                                                                     Page page) const {
    std::optional<std::int64_t> after, before;
    if (page.after) after = version_of(*page.after);
    if (page.before) before = version_of(*page.before);
    std::int64_t above = (page.ascending ? after : before).value_or(0);
    std::int64_t below = (page.ascending ? before : after).value_or(std::numeric_limits<std::int64_t>::max());
    if (after && before && below < above) std::swap(above, below);
    const bool from_end = before && !after;
    const Statement& select = page.ascending != from_end ? select_up : select_down;
    Rows rows = co_await database_.query(select, std::move(organization_id), block_id, above, below, page.limit);
    std::vector<BlockVersion> versions;
    for (Row& row : rows) versions.push_back(to_version(row, block_id));
    if (from_end) std::reverse(versions.begin(), versions.end());
    co_return versions;
}

boost::asio::awaitable<std::optional<BlockVersion>> BlockHistory::find(std::string organization_id,
                                                                       std::string block_id,
                                                                       std::int64_t version) const {
    if (version < 1) co_return std::nullopt;
    const std::int64_t above = version - 1;
    Rows rows = co_await database_.query(select_up, std::move(organization_id), block_id, above,
                                         std::numeric_limits<std::int64_t>::max(), 1);
    if (rows.empty()) co_return std::nullopt;
    BlockVersion found = to_version(rows.front(), block_id);
    // Behind the oldest that is kept lie others, which this one says nothing of.
    if (!found.changed_at && version < found.version) co_return std::nullopt;
    co_return found;
}

std::vector<Statement> BlockHistory::statements() { return {insert_former, delete_old, select_up, select_down}; }

}  // namespace stele::storage
