#pragma once

#include "domain/api_key.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Keys of all users, by the hash of their text.
class ApiKeyRepository {
public:
    explicit ApiKeyRepository(Database& database) : database_(database) {}

    /// The key with this hash, unless its organisation is being deleted.
    boost::asio::awaitable<std::optional<ApiKey>> find_by_hash(std::string hash) const;
    boost::asio::awaitable<std::optional<ApiKey>> find(std::string id) const;
    /// Oldest first, from behind `after`; `user_id`: only theirs.
    boost::asio::awaitable<std::vector<ApiKey>> list(std::optional<std::string> user_id,
                                                     std::optional<std::string> after, std::int64_t limit) const;
    void insert(Transaction& transaction, const ApiKey& key, const std::string& hash) const;
    /// The commit throws Error{conflict, changed_meanwhile} if the key is no longer as it was at `read`.
    void update(Transaction& transaction, const ApiKey& key, Timestamp read) const;
    void remove(Transaction& transaction, const ApiKey& key) const;

    /// Nothing happens if the key is gone.
    void set_last_used(Transaction& transaction, const std::string& id, Timestamp time) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
