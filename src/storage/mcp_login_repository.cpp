#include "storage/mcp_login_repository.hpp"

#include <sodium.h>

namespace stele::storage {
namespace {

#define STELE_LOGIN_COLUMNS "id, organization_id, user_id, state_hash, status, secrets, failure, created_at"

constexpr Statement insert_row{"mcp_login.insert",
                               "INSERT INTO mcp_oauth_session (id, organization_id, user_id, server_url_hash, "
                               "state_hash, status, secrets, failure,"
                               " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr Statement select_by_id{"mcp_login.by_id",
                                 "SELECT " STELE_LOGIN_COLUMNS " FROM mcp_oauth_session WHERE id = $1"};
constexpr Statement select_authorized{"mcp_login.authorized",
                                      "SELECT " STELE_LOGIN_COLUMNS
                                      " FROM mcp_oauth_session WHERE organization_id = $1 AND server_url_hash = $2"
                                      " AND user_id = $3 AND status = 'authorized'"
                                      " ORDER BY created_at DESC, id LIMIT 1"};
constexpr Statement claim_row{
    "mcp_login.claim",
    "UPDATE mcp_oauth_session SET status = 'claimed' WHERE state_hash = $1 AND status = 'pending' AND created_at >= $2"
    " RETURNING " STELE_LOGIN_COLUMNS};
constexpr Statement update_row{"mcp_login.update",
                               "UPDATE mcp_oauth_session SET status = $2, secrets = $3, failure = $4 WHERE id = $1"};
constexpr Statement adopt_row{
    "mcp_login.adopt",
    "UPDATE mcp_oauth_session SET status = 'adopted', secrets = $2 WHERE id = $1 AND status = 'authorized'"};
constexpr Statement delete_old{"mcp_login.forget", "DELETE FROM mcp_oauth_session WHERE created_at < $1"};
constexpr Statement delete_with_server{
    "mcp_login.forget_with_server",
    "DELETE FROM mcp_oauth_session WHERE organization_id = $1 AND server_url_hash = $2"};
constexpr Statement select_tokens{"mcp_server.tokens", "SELECT oauth FROM mcp_server WHERE id = $1"};
constexpr Statement update_tokens{"mcp_server.set_tokens", "UPDATE mcp_server SET oauth = $2 WHERE id = $1"};
constexpr Statement swap_tokens{"mcp_server.replace_tokens",
                                "UPDATE mcp_server SET oauth = $2 WHERE id = $1 AND oauth = $3"};
constexpr Statement select_client{
    "mcp_client.find",
    "SELECT registration FROM mcp_oauth_client WHERE organization_id = $1 AND issuer = $2 AND redirect_uri = $3"};
constexpr Statement upsert_client{
    "mcp_client.keep",
    "INSERT INTO mcp_oauth_client (organization_id, issuer, redirect_uri, registration, created_at)"
    " VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (organization_id, issuer, redirect_uri) DO UPDATE SET registration = $4, created_at = $5"};
constexpr Statement delete_clients{"mcp_client.forget",
                                   "DELETE FROM mcp_oauth_client WHERE organization_id = $1 AND issuer = $2"};

std::string hash_of(const std::string& text) {
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    char hex[sizeof hash * 2 + 1];
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return hex;
}

}  // namespace

std::optional<McpOauthSession> McpLoginRepository::from_rows(Rows rows) const {
    if (rows.empty()) return std::nullopt;
    Row& row = rows.front();
    McpOauthSession session;
    session.id = row.take_text(0);
    session.organization_id = row.take_text(1);
    session.user_id = row.take_text(2);
    session.state_hash = row.take_text(3);
    session.status = row.take_text(4);
    session.login = decode_stored<McpLogin>(sealer_.open(row.text(5)));
    session.failure = row.optional_text(6);
    session.created_at = from_micros(row.integer(7));
    return session;
}

void McpLoginRepository::insert(Transaction& transaction, const McpOauthSession& session) const {
    transaction.add(insert_row, session.id, session.organization_id, session.user_id, hash_of(session.login.server_url),
                    session.state_hash, session.status, sealer_.seal(to_json(session.login)), session.failure,
                    to_micros(session.created_at));
}

boost::asio::awaitable<std::optional<McpOauthSession>> McpLoginRepository::find(std::string id) const {
    co_return from_rows(co_await database_.query(select_by_id, std::move(id)));
}

boost::asio::awaitable<std::optional<McpOauthSession>> McpLoginRepository::find_authorized(
    std::string organization_id, std::string user_id, std::string server_url) const {
    std::string hash = hash_of(server_url);
    co_return from_rows(
        co_await database_.query(select_authorized, std::move(organization_id), std::move(hash), std::move(user_id)));
}

boost::asio::awaitable<std::optional<McpOauthSession>> McpLoginRepository::claim(std::string state_hash,
                                                                                 Timestamp oldest) const {
    Transaction transaction;
    transaction.add(claim_row, std::move(state_hash), to_micros(oldest));
    std::vector<Rows> rows = co_await database_.commit(std::move(transaction));
    co_return from_rows(std::move(rows.front()));
}

void McpLoginRepository::update(Transaction& transaction, const McpOauthSession& session) const {
    transaction.add(update_row, session.id, session.status, sealer_.seal(to_json(session.login)), session.failure);
}

void McpLoginRepository::adopt(Transaction& transaction, const std::string& id) const {
    transaction.add(adopt_row, id, sealer_.seal(to_json(McpLogin{})))
        .expect_row(changed_meanwhile("Login with an MCP server", id));
}

void McpLoginRepository::forget(Transaction& transaction, Timestamp before) const {
    transaction.add(delete_old, to_micros(before));
}

void McpLoginRepository::forget_with_server(Transaction& transaction, const std::string& organization_id,
                                            const std::string& server_url) const {
    transaction.add(delete_with_server, organization_id, hash_of(server_url));
}

boost::asio::awaitable<std::optional<McpTokens>> McpLoginRepository::tokens_of_server(std::string server_id) const {
    const Rows rows = co_await database_.query(select_tokens, std::move(server_id));
    if (rows.empty()) co_return std::nullopt;
    const auto sealed = rows.front().optional_text(0);
    if (!sealed) co_return std::nullopt;
    auto tokens = decode_stored<McpTokens>(sealer_.open(*sealed));
    tokens.stored_as = *sealed;
    co_return tokens;
}

void McpLoginRepository::set_tokens(Transaction& transaction, const std::string& server_id,
                                    const std::optional<McpTokens>& tokens) const {
    std::optional<std::string> sealed;
    if (tokens) sealed = sealer_.seal(to_json(*tokens));
    transaction.add(update_tokens, server_id, sealed);
}

void McpLoginRepository::replace_tokens(Transaction& transaction, const std::string& server_id,
                                        const McpTokens& tokens) const {
    transaction.add(swap_tokens, server_id, sealer_.seal(to_json(tokens)), tokens.stored_as)
        .expect_row(changed_meanwhile("Tokens of the MCP server", server_id));
}

boost::asio::awaitable<std::optional<McpOauthClient>> McpLoginRepository::find_client(std::string organization_id,
                                                                                      std::string issuer,
                                                                                      std::string redirect_uri) const {
    const Rows rows =
        co_await database_.query(select_client, std::move(organization_id), std::move(issuer), std::move(redirect_uri));
    if (rows.empty()) co_return std::nullopt;
    co_return decode_stored<McpOauthClient>(sealer_.open(rows.front().text(0)));
}

void McpLoginRepository::keep_client(Transaction& transaction, const std::string& organization_id,
                                     const std::string& issuer, const std::string& redirect_uri,
                                     const McpOauthClient& client) const {
    transaction.add(upsert_client, organization_id, issuer, redirect_uri, sealer_.seal(to_json(client)),
                    to_micros(now()));
}

void McpLoginRepository::forget_clients(Transaction& transaction, const std::string& organization_id,
                                        const std::string& issuer) const {
    transaction.add(delete_clients, organization_id, issuer);
}

std::vector<Statement> McpLoginRepository::statements() {
    return {insert_row,  select_by_id,  select_authorized,  claim_row,     update_row,
            adopt_row,   delete_old,    delete_with_server, select_tokens, update_tokens,
            swap_tokens, select_client, upsert_client,      delete_clients};
}

}  // namespace stele::storage
