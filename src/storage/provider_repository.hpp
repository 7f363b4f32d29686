#pragma once

#include "base/seal.hpp"
#include "domain/provider.hpp"
#include "storage/page.hpp"

namespace stele::storage {

struct ProviderFilter {
    std::optional<std::string> name, provider_type;
};

/// Providers that organisations have brought along. Their keys are stored sealed.
class ProviderRepository {
public:
    ProviderRepository(Database& database, const Sealer& sealer) : database_(database), sealer_(sealer) {}

    /// Nothing for a deleted one.
    boost::asio::awaitable<std::optional<StoredProvider>> find(std::string organization_id, std::string id) const;

    /// Also one that is deleted.
    boost::asio::awaitable<std::optional<StoredProvider>> find_by_name(std::string organization_id,
                                                                       std::string name) const;
    boost::asio::awaitable<std::vector<StoredProvider>> list(std::string organization_id, ProviderFilter filter,
                                                             Page page) const;

    /// Those of all organisations that are not deleted.
    boost::asio::awaitable<std::vector<StoredProvider>> all() const;

    /// The commit throws Error{conflict} if its name has been taken meanwhile.
    void insert(Transaction& transaction, const StoredProvider& provider) const;

    /// Writes all of it and raises `version`. The commit throws Error{conflict} of type changed_meanwhile if another
    /// write came first.
    void update(Transaction& transaction, StoredProvider& provider) const;

    void note_synced(Transaction& transaction, const std::string& id, Timestamp at) const;

    static std::vector<Statement> statements();

private:
    std::vector<StoredProvider> from_rows(Rows rows) const;

    Database& database_;
    const Sealer& sealer_;
};

}  // namespace stele::storage
