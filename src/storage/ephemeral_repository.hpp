#pragma once

#include "base/time.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// Which agents stand behind conversations that have none (POST /v1/conversations/ephemeral).
class EphemeralRepository {
public:
    explicit EphemeralRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<bool> holds(std::string organization_id, std::string agent_id) const;

    /// Those that nobody has used since `before`; at most `limit`.
    boost::asio::awaitable<std::vector<std::string>> unused(std::string organization_id, Timestamp before,
                                                            std::int64_t limit) const;

    /// Of an agent that the same transaction stores before. It goes with the agent.
    void insert(Transaction& transaction, const std::string& organization_id, const std::string& agent_id,
                Timestamp at) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
