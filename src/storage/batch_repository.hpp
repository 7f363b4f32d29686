#pragma once

#include "domain/batch.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// One request of a batch, and the run that works on it or will.
struct BatchItem {
    std::string id;  ///< "batch_item-<uuid>"
    std::string batch_id;
    std::string agent_id;
    std::string run_id;
    MessageRequest request;
    std::string organization_id, user_id;  ///< of the batch, like the next
    Timestamp batch_created_at{};
    std::string answered_by;  ///< handle of the model whose provider has answered it in a batch; empty: nobody
    std::string answer;       ///< that answer
};

/// What an item that has not ended waits for: whether a provider's batch can take it, the answer of that, or its run.
BOOST_DEFINE_ENUM_CLASS(BatchStage, offered, sent, queued)

/// How an item ended.
struct BatchItemEnd {
    RunStatus status = RunStatus::completed;  ///< completed, failed or cancelled
    bool begun = true;                        ///< a run worked on it
    std::string failure;                      ///< why it is not completed
};

struct BatchKey {
    std::string organization_id, id;
    Timestamp created_at{};
};

/// Batches and their items. An item is carried out once, whatever happens to the server: its run's id is stored with
/// it; a start-up forgets runs that were cut off before their input was stored (forget_unsent), and takes the end of an
/// item whose run is there from that run.
class BatchRepository {
public:
    explicit BatchRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<BatchJob>> find(std::string organization_id, std::string id) const;
    boost::asio::awaitable<std::vector<BatchJob>> list(std::string organization_id, Page page) const;

    /// The items that runs belong to, by run id: pairs of run and item.
    boost::asio::awaitable<TextMap> items_of_runs(std::string batch_id, std::vector<std::string> run_ids) const;

    /// `stage`: offered or queued.
    void insert(Transaction& transaction, const std::string& organization_id, const BatchJob& batch,
                const std::vector<BatchItem>& items, BatchStage stage) const;
    void remove(Transaction& transaction, const std::string& organization_id, const BatchJob& batch) const;

    /// Ends a batch before its time, as cancelled or expired; what waits or is at work counts as cancelled. The commit
    /// throws Error{conflict} if it has ended already.
    void close(Transaction& transaction, const std::string& id, std::string_view status) const;

    // For the runner.

    /// The first item that waits for its run, of an agent that is not among `busy` and of which none came before.
    boost::asio::awaitable<std::optional<BatchItem>> next_waiting(std::vector<std::string> busy) const;
    boost::asio::awaitable<bool> waits(std::string item_id) const;

    /// Puts the end of an item on record, and that of its batch if it was the last; the commit's last rows tell
    /// (has_ended). An item that was cancelled meanwhile stays so.
    void finish(Transaction& transaction, const BatchItem& item, const BatchItemEnd& end) const;
    static bool has_ended(const std::vector<Rows>& rows) { return !rows.back().empty(); }

    /// The oldest batch at work.
    boost::asio::awaitable<std::optional<BatchKey>> oldest() const;

    void claim_callback(Transaction& transaction, const BatchJob& batch) const;
    void save_callback(Transaction& transaction, const BatchJob& batch) const;
    boost::asio::awaitable<std::vector<BatchKey>> callbacks_due() const;

    /// At the start of the server, before cut-off runs are closed, in the same transaction.
    void forget_unsent(Transaction& transaction) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
