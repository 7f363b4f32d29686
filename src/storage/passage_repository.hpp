#pragma once

#include "domain/passage.hpp"
#include "storage/page.hpp"

namespace stele::storage {

/// Which passages are meant. Every condition has to hold.
struct PassageFilter {
    std::string organization_id;
    std::vector<std::string> scope_ids;  ///< archives or folders; empty: all archives of the organisation
    std::optional<std::string> file_id;
    std::optional<std::string> substring;  ///< in any case
    std::vector<std::string> tags;
    bool match_all_tags = false;           ///< else any of them
    std::optional<Timestamp> from, until;  ///< of created_at, both included

    /// True if it lets all passages of its scopes through.
    bool takes_all() const { return !file_id && !substring && tags.empty() && !from && !until; }
};

/// Passages: texts of archives and chunks of files. Those of an archive that lies in the trash are nowhere. Reads
/// suspend; writes are added to the caller's transaction. Their vectors are the matter of PassageVectors.
class PassageRepository {
public:
    explicit PassageRepository(Database& database) : database_(database) {}

    boost::asio::awaitable<std::optional<Passage>> find(std::string organization_id, std::string id) const;

    /// By created_at. Throws as read_page does.
    boost::asio::awaitable<std::vector<Passage>> list(PassageFilter filter, Page page) const;

    /// Those of `positions` that are there, in that order.
    boost::asio::awaitable<std::vector<Passage>> at(std::string organization_id,
                                                    std::vector<std::int64_t> positions) const;

    /// What the words of `text` are found in, the best first: positions. Words are joined by OR; whatever `text` holds,
    /// none of it is syntax. Texts without spaces between words are looked for by their characters. A text without
    /// words finds nothing.
    boost::asio::awaitable<std::vector<std::int64_t>> search(PassageFilter filter, std::string text,
                                                             std::int64_t limit) const;

    /// The positions of all that `filter` lets through, rising.
    boost::asio::awaitable<std::vector<std::int64_t>> positions(PassageFilter filter) const;

    boost::asio::awaitable<std::int64_t> count(std::string scope_id) const;

    /// Each tag of a scope's passages once, sorted; at most `most`.
    boost::asio::awaitable<std::vector<std::string>> tags(std::string scope_id, std::int64_t most) const;

    /// Stores new passages. Where `embedding` holds a vector it is kept, else it is made later if the passage has an
    /// `embedding_config`. The commit throws Error{conflict} if the archive is gone.
    void insert(Transaction& transaction, const std::vector<Passage>& made) const;

    /// Text, tags, metadata, embedding. A new text wants a new vector: `passage.embedding` if it holds one.
    /// The commit throws Error{not_found} if the row is gone.
    void update(Transaction& transaction, const Passage& passage, bool text_changed) const;

    /// The commit throws Error{not_found} if it is gone.
    void remove(Transaction& transaction, const Passage& passage) const;

    /// All chunks of a file.
    void remove_of_file(Transaction& transaction, const std::string& organization_id, const std::string& file_id) const;

    /// At most `most` passages of a scope, with RETURNING: a slice that found nothing was the last.
    static void remove_some(Transaction& transaction, const std::string& scope_id, std::int64_t most);

    // Reads to be part of a larger batch.
    static const Statement& count_statement();  ///< $1 agent: how many passages its archive holds
    static const Statement& tags_statement();   ///< $1 agent, $2 most: the tags of its archive, sorted

    static std::vector<Statement> statements();

private:
    boost::asio::awaitable<std::vector<std::int64_t>> positions_of(Query query) const;

    Database& database_;
};

}  // namespace stele::storage
