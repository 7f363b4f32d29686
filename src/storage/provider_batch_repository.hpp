#pragma once

#include "storage/batch_repository.hpp"

namespace stele::storage {

/// Items of one batch that are with a provider, which answers them as a batch of its own.
struct ProviderBatch {
    std::string id;  ///< "provider_batch-<uuid>": by this name the provider knows it too
    std::string organization_id;
    std::string batch_id;
    std::string handle;                    ///< of the model that is asked
    std::optional<std::string> remote_id;  ///< the provider's id; nothing: not known to have arrived
    Timestamp created_at{};
    bool wanted = true;  ///< the batch is still at work
};

class ProviderBatchRepository {
public:
    explicit ProviderBatchRepository(Database& database) : database_(database) {}

    struct Offered {
        BatchItem item;
        bool first = true;  ///< no item of its agent comes before it
    };

    /// The items of the oldest batch that holds any, in order.
    boost::asio::awaitable<std::vector<Offered>> offered() const;

    /// Those that are not answered yet, in order.
    boost::asio::awaitable<std::vector<ProviderBatch>> open() const;

    /// The items that are with the provider, in order.
    boost::asio::awaitable<std::vector<BatchItem>> items(std::string id) const;

    void begin(Transaction& transaction, const ProviderBatch& batch, const std::vector<std::string>& item_ids) const;
    void note_sent(Transaction& transaction, const std::string& id, const std::string& remote_id) const;

    /// An item goes on to its run; no provider answers it.
    void queue(Transaction& transaction, const std::string& item_id) const;
    void save_answer(Transaction& transaction, const ProviderBatch& batch, const std::string& item_id,
                     const std::string& answer) const;

    /// Nothing more comes from the provider: what it has not answered goes on to its run too.
    void end(Transaction& transaction, const std::string& id) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
