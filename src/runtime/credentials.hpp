#pragma once

#include "runtime/request_rates.hpp"
#include "storage/access_token_repository.hpp"
#include "storage/account_repository.hpp"
#include "storage/api_key_repository.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

namespace stele::runtime {

/// A key that may be used; shared by the requests that bring it.
struct KnownKey {
    explicit KnownKey(ApiKey stored) : key(std::move(stored)), reach(reach_of(key.scopes)) {}

    const ApiKey key;
    const Scope reach;
};

/// What keys, tokens and the header user_id stand for. A request costs no read and no write of the store: what was
/// looked up once is kept until something changes it, through the functions below; when a key was last used is written
/// once a minute. One server has the store to itself. Thread-safe.
class Credentials {
public:
    Credentials(storage::Database& database, const storage::AccountRepository& accounts,
                const storage::ApiKeyRepository& keys, const storage::AccessTokenRepository& tokens)
        : database_(database), accounts_(accounts), keys_(keys), tokens_(tokens) {}

    /// The key with this text, or null: there is none, it was deleted or has ended.
    boost::asio::awaitable<std::shared_ptr<const KnownKey>> find_key(std::string text);

    /// Notes that the key has been used now; what is to be written of it is, on `executor`.
    void used(const ApiKey& key, const boost::asio::any_io_executor& executor);

    /// When it was used last, if that is later than the store knows.
    std::optional<Timestamp> last_used(const std::string& key_id) const;

    /// The token with this text, or null, likewise.
    boost::asio::awaitable<std::shared_ptr<const AccessToken>> find_token(std::string text);

    /// The user, or null.
    boost::asio::awaitable<std::shared_ptr<const User>> find_user(std::string id);

    RequestRates& rates() { return rates_; }

    /// Whether pages of this origin may use a token; known without a look into the store.
    bool is_token_origin(const std::string& origin) const;

    /// Reads the origins of all tokens; at the start and when one is taken back.
    boost::asio::awaitable<void> read_origins();

    // What others have changed, once it is committed.
    void token_made(const AccessToken& token);
    /// Ends the streams that were opened with it.
    boost::asio::awaitable<void> token_revoked(std::string token_id);
    /// Users, organisations or keys. Streams whose tokens went along end too.
    boost::asio::awaitable<void> changed();
    /// An agent that tokens may name was deleted.
    void agent_deleted();

    /// Calls `end` on `executor` when the token is taken back, until what is returned is destroyed. Null if it has been
    /// already.
    boost::asio::awaitable<std::shared_ptr<void>> watch(std::shared_ptr<const AccessToken> token,
                                                        boost::asio::any_io_executor executor,
                                                        std::function<void()> end);

private:
    template <class T>
    using Known = std::unordered_map<std::string, std::shared_ptr<const T>>;
    struct Watch;

    template <class T>
    std::shared_ptr<const T> recall(const Known<T>& known, const std::string& name) const;
    template <class T>
    void keep(Known<T>& known, const std::string& name, std::shared_ptr<const T> found, std::uint64_t before);
    boost::asio::awaitable<void> write_last_used(std::string key_id, Timestamp time);
    std::uint64_t changes() const;
    void end_streams(const std::string& token_id);

    static constexpr std::size_t known_max = 10'000;  ///< of each kind; then they are looked up anew
    static constexpr std::int64_t origins_max = 10'000;

    struct Use {
        Timestamp last{};
        Timestamp written{};
    };

    storage::Database& database_;
    const storage::AccountRepository& accounts_;
    const storage::ApiKeyRepository& keys_;
    const storage::AccessTokenRepository& tokens_;
    RequestRates rates_;
    mutable std::mutex mutex_;
    std::uint64_t changes_ = 0;   ///< what was read before the last change is not kept
    Known<KnownKey> known_keys_;  ///< by hash, like the next
    Known<AccessToken> known_tokens_;
    Known<User> known_users_;  ///< by id
    std::unordered_map<std::string, Use> uses_;
    std::map<std::string, Timestamp> origins_;  ///< until when
    std::unordered_multimap<std::string, std::weak_ptr<Watch>> watches_;
};

}  // namespace stele::runtime
