#pragma once

#include "domain/access_token.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Client-side access tokens, by the hash of their text. A token of which no agent is left is not there any more.
class AccessTokenRepository {
public:
    explicit AccessTokenRepository(Database& database) : database_(database) {}

    /// `token` of what is found holds its first characters only.
    boost::asio::awaitable<std::optional<AccessToken>> find_by_hash(std::string hash) const;
    /// By id or hash.
    boost::asio::awaitable<std::optional<AccessToken>> find(std::string organization_id, std::string id_or_hash) const;

    /// Those that hold at `time`, newest first; `agent_id`: only with this agent.
    boost::asio::awaitable<std::vector<AccessToken>> list(std::string organization_id,
                                                          std::optional<std::string> agent_id, Timestamp time,
                                                          std::int64_t limit, std::int64_t offset) const;

    /// Also forgets the organisation's tokens that have ended. The commit throws `unknown_agent` if one of its agents
    /// is not the organisation's.
    void insert(Transaction& transaction, const AccessToken& token, const std::string& hash,
                const Error& unknown_agent) const;
    void remove(Transaction& transaction, const AccessToken& token) const;

    /// The origins of all tokens that hold at `time`, and until when; at most `limit`, those that end last.
    boost::asio::awaitable<std::vector<std::pair<std::string, Timestamp>>> origins(Timestamp time,
                                                                                   std::int64_t limit) const;

    /// Keeps that a run was started with the token. Nothing happens if the token is gone.
    void add_run(Transaction& transaction, const std::string& token_id, const std::string& run_id) const;
    boost::asio::awaitable<bool> has_run(std::string token_id, std::string run_id) const;

    static std::vector<Statement> statements();

private:
    boost::asio::awaitable<void> read_policies(std::vector<AccessToken>& tokens) const;

    Database& database_;
};

}  // namespace stele::storage
