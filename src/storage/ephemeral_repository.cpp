#include "storage/ephemeral_repository.hpp"

namespace stele::storage {
namespace {

constexpr Statement select_one{"ephemeral.one",
                               "SELECT 1 FROM ephemeral_agent WHERE organization_id = $1 AND agent_id = $2"};
constexpr Statement select_unused{
    "ephemeral.unused",
    "SELECT e.agent_id FROM ephemeral_agent e JOIN agent a ON a.id = e.agent_id"
    " WHERE e.organization_id = $1 AND e.created_at < $2 AND COALESCE(a.last_run_completion, e.created_at) < $2"
    " ORDER BY e.created_at LIMIT $3"};
constexpr Statement insert_row{
    "ephemeral.insert", "INSERT INTO ephemeral_agent (agent_id, organization_id, created_at) VALUES ($1, $2, $3)"};

}  // namespace

boost::asio::awaitable<bool> EphemeralRepository::holds(std::string organization_id, std::string agent_id) const {
    const Rows rows = co_await database_.query(select_one, std::move(organization_id), std::move(agent_id));
    co_return !rows.empty();
}

boost::asio::awaitable<std::vector<std::string>> EphemeralRepository::unused(std::string organization_id,
                                                                             Timestamp before,
                                                                             std::int64_t limit) const {
    const std::int64_t time = to_micros(before);
    Rows rows = co_await database_.query(select_unused, std::move(organization_id), time, limit);
    std::vector<std::string> ids;
    for (Row& row : rows) ids.push_back(row.take_text(0));
    co_return ids;
}

void EphemeralRepository::insert(Transaction& transaction, const std::string& organization_id,
                                 const std::string& agent_id, Timestamp at) const {
    transaction.add(insert_row, agent_id, organization_id, to_micros(at));
}

std::vector<Statement> EphemeralRepository::statements() { return {select_one, select_unused, insert_row}; }

}  // namespace stele::storage
