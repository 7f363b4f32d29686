#include "runtime/credentials.hpp"

#include "base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace stele::runtime {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr std::chrono::minutes last_used_interval{1};

bool has_ended(const std::optional<Timestamp>& end) { return end && *end <= now(); }

}  // namespace

struct Credentials::Watch {
    asio::any_io_executor executor;
    std::function<void()> end;
    std::shared_ptr<const AccessToken> token;
};

template <class T>
std::shared_ptr<const T> Credentials::recall(const Known<T>& known, const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = known.find(name);
    return found == known.end() ? nullptr : found->second;
}

// What changed while it was being read may be stale: then the next request reads again.
template <class T>
void Credentials::keep(Known<T>& known, const std::string& name, std::shared_ptr<const T> found, std::uint64_t before) {
    const std::lock_guard lock(mutex_);
    if (changes_ != before) return;
    if (known.size() >= known_max) known.clear();
    known[name] = std::move(found);
}

std::uint64_t Credentials::changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
}

awaitable<std::shared_ptr<const KnownKey>> Credentials::find_key(std::string text) {
    const std::string hash = bearer_hash(text);
    std::shared_ptr<const KnownKey> found = recall(known_keys_, hash);
    if (!found) {
        const std::uint64_t before = changes();
        auto stored = co_await keys_.find_by_hash(hash);
        if (!stored) co_return nullptr;
        found = std::make_shared<const KnownKey>(std::move(*stored));
        keep(known_keys_, hash, found, before);
    }
    if (has_ended(found->key.expires_at)) co_return nullptr;
    co_return found;
}

awaitable<std::shared_ptr<const AccessToken>> Credentials::find_token(std::string text) {
    const std::string hash = bearer_hash(text);
    std::shared_ptr<const AccessToken> found = recall(known_tokens_, hash);
    if (!found) {
        const std::uint64_t before = changes();
        auto stored = co_await tokens_.find_by_hash(hash);
        if (!stored) co_return nullptr;
        found = std::make_shared<const AccessToken>(std::move(*stored));
        keep(known_tokens_, hash, found, before);
    }
    if (has_ended(found->expiresAt)) co_return nullptr;
    co_return found;
}

awaitable<std::shared_ptr<const User>> Credentials::find_user(std::string id) {
    std::shared_ptr<const User> found = recall(known_users_, id);
    if (found) co_return found;
    const std::uint64_t before = changes();
    auto stored = co_await accounts_.find_user(id);
    if (!stored) co_return nullptr;
    found = std::make_shared<const User>(std::move(*stored));
    keep(known_users_, id, found, before);
    co_return found;
}

awaitable<void> Credentials::write_last_used(std::string key_id, Timestamp time) {
    storage::Transaction transaction;
    keys_.set_last_used(transaction, key_id, time);
    try {
        co_await database_.commit(std::move(transaction));
    } catch (const Error& failure) {
        log::warn("key.last_used_not_written", {{"key_id", key_id}, {"why", failure.what()}});
    }
}

void Credentials::used(const ApiKey& key, const asio::any_io_executor& executor) {
    const Timestamp time = now();
    {
        const std::lock_guard lock(mutex_);
        if (uses_.size() >= known_max) uses_.clear();
        Use& use = uses_[key.id];
        use.last = time;
        if (time - use.written < last_used_interval) return;
        use.written = time;
    }
    asio::co_spawn(executor, write_last_used(key.id, time), asio::detached);
}

std::optional<Timestamp> Credentials::last_used(const std::string& key_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = uses_.find(key_id);
    return found == uses_.end() ? std::nullopt : std::optional(found->second.last);
}

bool Credentials::is_token_origin(const std::string& origin) const {
    const std::lock_guard lock(mutex_);
    const auto found = origins_.find(origin);
    return found != origins_.end() && found->second > now();
}

awaitable<void> Credentials::read_origins() {
    const std::uint64_t before = changes();
    const auto stored = co_await tokens_.origins(now(), origins_max);
    const std::lock_guard lock(mutex_);
    if (changes_ != before) co_return;  // whoever changed something reads them again, or has entered it
    origins_.clear();
    origins_.insert(stored.begin(), stored.end());
}

void Credentials::token_made(const AccessToken& token) {
    const std::lock_guard lock(mutex_);
    ++changes_;
    if (origins_.size() >= static_cast<std::size_t>(origins_max))
        std::erase_if(origins_, [&](const auto& each) { return each.second <= token.created_at; });
    Timestamp& until = origins_[token.hostname];
    until = std::max(until, token.expiresAt);
}

// Each on its own thread, and only if it is still open then.
void Credentials::end_streams(const std::string& token_id) {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = watches_.equal_range(token_id);
    for (auto each = first; each != last; ++each)
        if (const auto watch = each->second.lock())
            asio::post(watch->executor, [weak = each->second] {
                if (const auto open = weak.lock()) open->end();
            });
}

awaitable<void> Credentials::token_revoked(std::string token_id) {
    {
        const std::lock_guard lock(mutex_);
        ++changes_;
        std::erase_if(known_tokens_, [&](const auto& each) { return each.second->id == token_id; });
    }
    end_streams(token_id);
    co_await read_origins();
}

awaitable<void> Credentials::changed() {
    std::map<std::string, std::shared_ptr<const AccessToken>> open;
    {
        const std::lock_guard lock(mutex_);
        ++changes_;
        known_keys_.clear();
        known_tokens_.clear();
        known_users_.clear();
        for (const auto& [id, weak] : watches_)
            if (const auto watch = weak.lock()) open.emplace(id, watch->token);
    }
    for (const auto& [id, token] : open) {
        const auto stored = co_await tokens_.find(token->organization_id, id);
        if (!stored) end_streams(id);
    }
    co_await read_origins();
}

void Credentials::agent_deleted() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    known_tokens_.clear();
}

// Entered before the look into the store: a token that is taken back in between is seen by one of the two.
awaitable<std::shared_ptr<void>> Credentials::watch(std::shared_ptr<const AccessToken> token,
                                                    asio::any_io_executor executor, std::function<void()> end) {
    auto made = std::make_shared<Watch>(Watch{std::move(executor), std::move(end), token});
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(watches_, [](const auto& each) { return each.second.expired(); });
        watches_.emplace(token->id, made);
    }
    const auto stored = co_await tokens_.find(token->organization_id, token->id);
    if (!stored) co_return nullptr;
    co_return made;
}

}  // namespace stele::runtime
