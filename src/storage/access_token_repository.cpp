#include "storage/access_token_repository.hpp"

#include "domain/text_list.hpp"

namespace stele::storage {
namespace {

// The columns of `to_token`.
#define STELE_TOKENS                                                                                   \
    "SELECT t.id, t.organization_id, t.user_id, t.token_start, t.hostname, t.expires_at, t.created_at" \
    " FROM access_token t"
#define STELE_HAS_AGENTS " EXISTS (SELECT 1 FROM access_token_agent a WHERE a.token_id = t.id)"

constexpr Statement select_by_hash{"access_token.by_hash", STELE_TOKENS
                                   " JOIN organization o ON o.id = t.organization_id AND o.deleted_at IS NULL"
                                   " WHERE t.token_hash = $1 AND" STELE_HAS_AGENTS};
constexpr Statement select_one{"access_token.by_id_or_hash",
                               STELE_TOKENS " WHERE t.organization_id = $1 AND (t.id = $2 OR t.token_hash = $2)"};
constexpr Statement select_all{"access_token.list",
                               STELE_TOKENS " WHERE t.organization_id = $1 AND t.expires_at > $2 AND" STELE_HAS_AGENTS
                                            " ORDER BY t.created_at DESC, t.id DESC LIMIT $3 OFFSET $4"};
constexpr Statement select_of_agent{"access_token.of_agent", STELE_TOKENS
                                    " JOIN access_token_agent a ON a.token_id = t.id AND a.agent_id = $5"
                                    " WHERE t.organization_id = $1 AND t.expires_at > $2"
                                    " ORDER BY t.created_at DESC, t.id DESC LIMIT $3 OFFSET $4"};
constexpr Statement select_policy{"access_token.policy",
                                  "SELECT agent_id, access FROM access_token_agent WHERE token_id = $1"
                                  " ORDER BY position"};
constexpr Statement select_origins{"access_token.origins",
                                   "SELECT t.hostname, MAX(t.expires_at) AS last_end FROM access_token t"
                                   " WHERE t.expires_at > $1 GROUP BY t.hostname ORDER BY last_end DESC LIMIT $2"};
constexpr Statement delete_ended{"access_token.forget",
                                 "DELETE FROM access_token WHERE organization_id = $1 AND (expires_at <= $2 OR NOT"
                                 " EXISTS (SELECT 1 FROM access_token_agent a WHERE a.token_id = access_token.id))"};
constexpr Statement insert_row{
    "access_token.insert",
    "INSERT INTO access_token (id, organization_id, user_id, token_hash, token_start, hostname, expires_at, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
// An agent of another organisation gives no row.
constexpr Statement insert_agent{"access_token.insert_agent",
                                 "INSERT INTO access_token_agent (token_id, agent_id, position, access)"
                                 " SELECT $1, g.id, CAST($3 AS BIGINT), $4 FROM agent g"
                                 " WHERE g.id = $2 AND g.organization_id = $5"};
constexpr Statement delete_row{"access_token.delete", "DELETE FROM access_token WHERE id = $1"};
constexpr Statement insert_run{"access_token.insert_run",
                               "INSERT INTO access_token_run (token_id, run_id)"
                               " SELECT t.id, $2 FROM access_token t WHERE t.id = $1"
                               " ON CONFLICT (token_id, run_id) DO NOTHING"};
constexpr Statement select_run{"access_token.run",
                               "SELECT 1 FROM access_token_run WHERE token_id = $1 AND run_id = $2"};

AccessToken to_token(Row& row) {
    AccessToken made;
    made.id = row.take_text(0);
    made.organization_id = row.take_text(1);
    made.user_id = row.take_text(2);
    made.token = row.take_text(3);
    made.hostname = row.take_text(4);
    made.expiresAt = from_micros(row.integer(5));
    made.created_at = from_micros(row.integer(6));
    return made;
}

std::vector<AccessToken> to_tokens(Rows rows) {
    std::vector<AccessToken> tokens;
    for (Row& row : rows) tokens.push_back(to_token(row));
    return tokens;
}

}  // namespace

boost::asio::awaitable<void> AccessTokenRepository::read_policies(std::vector<AccessToken>& tokens) const {
    ReadBatch batch;
    for (const AccessToken& token : tokens) batch.add(select_policy, token.id);
    if (tokens.empty()) co_return;
    std::vector<Rows> policies = co_await database_.read(std::move(batch));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        for (Row& row : policies[i]) {
            AccessItem item;
            item.id = row.take_text(0);
            item.access = decode_text_list(row.text(1));
            tokens[i].policy.data.push_back(std::move(item));
        }
    }
}

boost::asio::awaitable<std::optional<AccessToken>> AccessTokenRepository::find_by_hash(std::string hash) const {
    std::vector<AccessToken> found = to_tokens(co_await database_.query(select_by_hash, std::move(hash)));
    if (found.empty()) co_return std::nullopt;
    co_await read_policies(found);
    co_return std::move(found.front());
}

boost::asio::awaitable<std::optional<AccessToken>> AccessTokenRepository::find(std::string organization_id,
                                                                               std::string id_or_hash) const {
    std::vector<AccessToken> found =
        to_tokens(co_await database_.query(select_one, std::move(organization_id), std::move(id_or_hash)));
    if (found.empty()) co_return std::nullopt;
    co_return std::move(found.front());
}

boost::asio::awaitable<std::vector<AccessToken>> AccessTokenRepository::list(std::string organization_id,
                                                                             std::optional<std::string> agent_id,
                                                                             Timestamp time, std::int64_t limit,
                                                                             std::int64_t offset) const {
    Rows rows;
    if (agent_id)
        rows = co_await database_.query(select_of_agent, std::move(organization_id), to_micros(time), limit, offset,
                                        std::move(*agent_id));
    else
        rows = co_await database_.query(select_all, std::move(organization_id), to_micros(time), limit, offset);
    std::vector<AccessToken> found = to_tokens(std::move(rows));
    co_await read_policies(found);
    co_return found;
}

void AccessTokenRepository::insert(Transaction& transaction, const AccessToken& token, const std::string& hash,
                                   const Error& unknown_agent) const {
    transaction.add(delete_ended, token.organization_id, to_micros(token.created_at));
    transaction.add(insert_row, token.id, token.organization_id, token.user_id, hash, token.token, token.hostname,
                    to_micros(token.expiresAt), to_micros(token.created_at));
    std::int64_t position = 0;
    for (const AccessItem& item : token.policy.data)
        transaction
            .add(insert_agent, token.id, item.id, position++, encode_text_list(item.access), token.organization_id)
            .expect_row(unknown_agent);
}

void AccessTokenRepository::remove(Transaction& transaction, const AccessToken& token) const {
    transaction.add(delete_row, token.id);
}

boost::asio::awaitable<std::vector<std::pair<std::string, Timestamp>>> AccessTokenRepository::origins(
    Timestamp time, std::int64_t limit) const {
    Rows rows = co_await database_.query(select_origins, to_micros(time), limit);
    std::vector<std::pair<std::string, Timestamp>> found;
    for (Row& row : rows) found.emplace_back(row.take_text(0), from_micros(row.integer(1)));
    co_return found;
}

void AccessTokenRepository::add_run(Transaction& transaction, const std::string& token_id,
                                    const std::string& run_id) const {
    transaction.add(insert_run, token_id, run_id);
}

boost::asio::awaitable<bool> AccessTokenRepository::has_run(std::string token_id, std::string run_id) const {
    const Rows rows = co_await database_.query(select_run, std::move(token_id), std::move(run_id));
    co_return !rows.empty();
}

std::vector<Statement> AccessTokenRepository::statements() {
    return {select_by_hash, select_one, select_all,   select_of_agent, select_policy, select_origins,
            delete_ended,   insert_row, insert_agent, delete_row,      insert_run,    select_run};
}

}  // namespace stele::storage
