#pragma once

#include "base/time.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// What was answered to a request that carried an Idempotency-Key.
struct KeptAnswer {
    std::string request_digest;
    std::int64_t status = 0;  ///< 0: the request is still being worked on
    std::string answer;
};

/// Keys of POST requests and their answers, per organisation.
class IdempotencyRepository {
public:
    explicit IdempotencyRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<KeptAnswer>> find(std::string organization_id, std::string key) const;

    /// The commit throws Error{conflict} if the key is taken.
    void claim(Transaction& transaction, const std::string& organization_id, const std::string& key,
               const std::string& request_digest) const;

    void keep(Transaction& transaction, const std::string& organization_id, const std::string& key, std::int64_t status,
              const std::string& answer) const;

    /// Keeps that the request made `id`. Goes into the very transaction that makes it: a crash right behind that must
    /// not let a repeated request make a second one. The whole answer follows with `keep`, or is told anew from `id`.
    void keep_made(Transaction& transaction, const std::string& organization_id, const std::string& key,
                   const std::string& id) const;
    static constexpr std::string_view made_mark = "made:";

    /// Gives the key free, unless it has an answer: its request changed nothing.
    void release(Transaction& transaction, const std::string& organization_id, const std::string& key) const;

    /// Forgets keys of before `time`, and those that a crash left without an answer.
    void forget(Transaction& transaction, Timestamp time) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
