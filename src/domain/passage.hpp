#pragma once

#include "domain/model_config.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// The vector of a text, as the model gave it: native length, not normalised. Answers show it padded with zeros to
/// `shown_dimensions`, as clients of this API know it, or null while there is none.
struct EmbeddingVector {
    static constexpr std::size_t shown_dimensions = 4'096;

    std::vector<float> values;

    bool operator==(const EmbeddingVector&) const = default;
};
void read_json(const boost::json::value& from, EmbeddingVector& into, Problems& problems);
void write_json(const EmbeddingVector& from, std::string& out);
Schema json_schema(const EmbeddingVector*);

/// How far the vector of a passage has come.
enum class EmbeddingState : std::uint8_t {
    none,    ///< no model is wanted: the passage is found by its words
    queued,  ///< not tried yet
    done,
    failed,  ///< tried in vain; tried again later if that may help
};
std::string_view to_string(EmbeddingState state);
EmbeddingState embedding_state(std::string_view word);

/// A text in an archive, or a chunk of a file: exactly one of `archive_id` and `source_id` is set.
struct Passage {
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    Timestamp created_at{};  ///< as given, so that imports keep their times
    std::optional<Timestamp> updated_at;
    bool is_deleted = false;
    std::string organization_id;
    std::optional<std::string> archive_id;
    std::optional<std::string> source_id;  ///< of the folder
    std::optional<std::string> file_id;
    std::optional<std::string> file_name;
    Json metadata{"{}"};
    std::optional<std::vector<std::string>> tags;  ///< each once; null: none
    std::string id;                                ///< "passage-<uuid>"
    std::string text;
    EmbeddingVector embedding;
    std::optional<EmbeddingConfig> embedding_config;

    // Not described: what answers do not show.
    std::optional<std::int64_t> unit_start, unit_end;  ///< of a chunk: first and last unit of its file's view
    std::optional<std::int64_t> file_position;         ///< of a chunk: its number within the file, from 0
    EmbeddingState embedding_state = EmbeddingState::none;
    std::int64_t position = 0;  ///< order of insertion, unique
};
BOOST_DESCRIBE_STRUCT(Passage, (),
                      (created_by_id, last_updated_by_id, created_at, updated_at, is_deleted, organization_id,
                       archive_id, source_id, file_id, file_name, metadata, tags, id, text, embedding,
                       embedding_config))

/// Body of POST /v1/agents/{agent_id}/archival-memory.
struct CreateArchivalMemory {
    std::string text;
    Patch<std::vector<std::string>> tags;
    Patch<Timestamp> created_at;
};
BOOST_DESCRIBE_STRUCT(CreateArchivalMemory, (), (text, tags, created_at))
void check(const CreateArchivalMemory& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const CreateArchivalMemory*) { return {"text"}; }

/// Body of POST /v1/archives/{archive_id}/passages, and an element of the batch.
struct PassageCreateRequest {
    std::string text;
    Patch<Json> metadata;  ///< an object
    Patch<std::vector<std::string>> tags;
    Patch<Timestamp> created_at;
};
BOOST_DESCRIBE_STRUCT(PassageCreateRequest, (), (text, metadata, tags, created_at))
void check(const PassageCreateRequest& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const PassageCreateRequest*) { return {"text"}; }

/// Body of POST /v1/archives/{archive_id}/passages/batch.
struct PassageBatchCreateRequest {
    std::vector<PassageCreateRequest> passages;
};
BOOST_DESCRIBE_STRUCT(PassageBatchCreateRequest, (), (passages))
void check(const PassageBatchCreateRequest& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const PassageBatchCreateRequest*) { return {"passages"}; }

/// Body of PATCH /v1/agents/{agent_id}/archival-memory/{memory_id}; clients of the first generation send none.
struct PassageUpdate {
    Patch<std::string> text;
    Patch<std::vector<std::string>> tags;
    Patch<Json> metadata;
};
BOOST_DESCRIBE_STRUCT(PassageUpdate, (), (text, tags, metadata))
void check(const PassageUpdate& request, Problems& problems);

/// Body of POST /v1/passages/search.
struct PassageSearchRequest {
    Patch<std::string> query;  ///< absent or blank: the newest
    Patch<std::string> agent_id;
    Patch<std::string> archive_id;
    Patch<std::vector<std::string>> tags;
    std::string tag_match_mode = "any";
    std::int64_t limit = 50;
    Patch<std::string> start_date;  ///< as text: a date alone means its whole day
    Patch<std::string> end_date;
    std::string search_mode = "hybrid";  ///< ours: vector, fts or hybrid
};
BOOST_DESCRIBE_STRUCT(PassageSearchRequest, (),
                      (query, agent_id, archive_id, tags, tag_match_mode, limit, start_date, end_date, search_mode))
void check(const PassageSearchRequest& request, Problems& problems);

/// How a hit came to its place: the ranks count from 1; null in a list that does not have it.
struct PassageSearchMetadata {
    double combined_score = 0;
    std::optional<std::int64_t> vector_rank;
    std::optional<std::int64_t> fts_rank;
    std::string search_mode;  ///< what ran: hybrid, fts, vector, or newest without a query
};
BOOST_DESCRIBE_STRUCT(PassageSearchMetadata, (), (combined_score, vector_rank, fts_rank, search_mode))

/// An element of the answer to POST /v1/passages/search.
struct PassageSearchResult {
    Passage passage;
    double score = 0;
    PassageSearchMetadata metadata;
};
BOOST_DESCRIBE_STRUCT(PassageSearchResult, (), (passage, score, metadata))

struct PassageRelevance {
    double rrf_score = 0;
    std::optional<std::int64_t> vector_rank;
    std::optional<std::int64_t> fts_rank;
};
BOOST_DESCRIBE_STRUCT(PassageRelevance, (), (rrf_score, vector_rank, fts_rank))

/// A hit as the archival tools and GET /v1/agents/{agent_id}/archival-memory/search tell it.
struct ArchivalMemorySearchResult {
    std::string id;
    std::string timestamp;  ///< ISO 8601 in the agent's timezone
    std::string content;
    std::vector<std::string> tags;
    Patch<PassageRelevance> relevance;
};
BOOST_DESCRIBE_STRUCT(ArchivalMemorySearchResult, (), (id, timestamp, content, tags, relevance))

struct ArchivalMemorySearchResponse {
    std::vector<ArchivalMemorySearchResult> results;
    std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(ArchivalMemorySearchResponse, (), (results, count))

/// A new passage of an organisation, made now by `actor`: without its archive or folder, its model still to be chosen.
/// NUL characters are taken out of the text, tags are told once each.
Passage make_passage(PassageCreateRequest request, const std::string& organization_id, const std::string& actor);

/// What an update changed.
enum class PassageChange : std::uint8_t { none, aside, text };
PassageChange apply(const PassageUpdate& update, const std::string& actor, Passage& passage);

/// Each tag once, empty ones left out, in the order they came; null if none is left.
std::optional<std::vector<std::string>> distinct_tags(std::vector<std::string> tags);

}  // namespace stele
