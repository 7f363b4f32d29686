#pragma once

#include "domain/passage.hpp"
#include "storage/database.hpp"

namespace stele::storage {

/// Which vectors can be compared: the id follows from the organisation and the configuration's embedding_key.
std::string embedding_model_id(const std::string& organization_id, const EmbeddingConfig& config);

/// Adds the row of that model, if it is not there.
void add_embedding_model(Transaction& transaction, const std::string& organization_id, const EmbeddingConfig& config);

/// Adds the vector of the passage at `position`, in the place of one that it has.
void add_vector(Transaction& transaction, std::int64_t position, const std::string& scope_id,
                const std::string& model_id, const std::vector<float>& values);
void remove_vector(Transaction& transaction, std::int64_t position);

/// A vector as it is stored: little-endian floats, like those of this machine. Asserts that the size is one.
std::vector<float> floats_of(const std::string& bytes);
std::string bytes_of(const std::vector<float>& values);

/// A passage whose vector is to be made.
struct QueuedPassage {
    std::int64_t position = 0;
    std::string organization_id;
    std::string scope_id;
    std::string model_id;
    std::string text;
    EmbeddingConfig config;
    std::int64_t attempts = 0;  ///< that failed
};

/// The vectors of a scope's passages by one model, in as few words as tell whether a copy of them is up to date.
struct VectorsState {
    std::int64_t count = 0;
    std::int64_t last_sequence = 0;
};

struct StoredVector {
    std::int64_t position = 0;
    std::int64_t sequence = 0;
    std::vector<float> values;
};

/// Vectors of passages, and which are still to be made. Reads suspend; writes are added to the caller's transaction.
class PassageVectors {
public:
    explicit PassageVectors(Database& database) : database_(database) {}

    boost::asio::awaitable<VectorsState> state(std::string scope_id, std::string model_id) const;

    /// In the order in which they were written, those behind `sequence`.
    boost::asio::awaitable<std::vector<StoredVector>> after(std::string scope_id, std::string model_id,
                                                            std::int64_t sequence, std::int64_t limit) const;
    boost::asio::awaitable<std::vector<StoredVector>> at(std::string scope_id, std::string model_id,
                                                         std::vector<std::int64_t> positions) const;
    boost::asio::awaitable<std::vector<std::int64_t>> positions(std::string scope_id, std::string model_id) const;

    /// What all vectors of an organisation take, in bytes.
    boost::asio::awaitable<std::int64_t> bytes(std::string organization_id) const;

    /// Those that are due, the longest first, at most `limit`, of models other than `not_of`.
    boost::asio::awaitable<std::vector<QueuedPassage>> due(Timestamp time, std::vector<std::string> not_of,
                                                           std::int64_t limit) const;
    boost::asio::awaitable<std::optional<Timestamp>> next_due() const;

    /// The passages at `positions` that wait, due or not.
    boost::asio::awaitable<std::vector<QueuedPassage>> waiting(std::vector<std::int64_t> positions) const;

    /// Stores a vector, unless the passage was deleted, has got another text or wants another model meanwhile.
    void put(Transaction& transaction, const QueuedPassage& passage, const std::vector<float>& values) const;

    /// It is tried again at `due`, if ever.
    void put_failed(Transaction& transaction, const QueuedPassage& passage, std::optional<Timestamp> due) const;

    /// Those of a model that wait for their next attempt are due now: the model answers again.
    void hurry(Transaction& transaction, const std::string& model_id) const;

    /// Lets all passages of a scope have vectors by `config`, or none. Old ones are replaced as new ones come.
    void want(Transaction& transaction, const std::string& organization_id, const std::string& scope_id,
              const std::optional<EmbeddingConfig>& config) const;

    static std::vector<Statement> statements();

private:
    Database& database_;
};

}  // namespace stele::storage
