#pragma once

#include "domain/model_config.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// A shelf of passages. An agent has at most one; several agents may share one.
struct Archive {
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    Timestamp created_at{};
    Timestamp updated_at{};
    std::string name;
    std::optional<std::string> description;
    std::string organization_id;
    std::string vector_db_provider = "native";
    std::optional<EmbeddingConfig> embedding_config;  ///< null: its passages are found by their words
    Json metadata;                                    ///< an object, or null
    std::string id;                                   ///< "archive-<uuid>"
    std::int64_t version = 1;                         ///< of the row; not described
};
BOOST_DESCRIBE_STRUCT(Archive, (),
                      (created_by_id, last_updated_by_id, created_at, updated_at, name, description, organization_id,
                       vector_db_provider, embedding_config, metadata, id))

/// Body of POST /v1/archives.
struct ArchiveCreateRequest {
    std::string name;
    Patch<std::string> description;
    Patch<std::string> embedding;  ///< a handle; absent: the server's default, null: none
    Patch<EmbeddingConfig> embedding_config;
    Patch<Json> metadata;  ///< ours
};
BOOST_DESCRIBE_STRUCT(ArchiveCreateRequest, (), (name, description, embedding, embedding_config, metadata))
void check(const ArchiveCreateRequest& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const ArchiveCreateRequest*) { return {"name"}; }

/// Body of PATCH /v1/archives/{archive_id}. Another embedding has all passages embedded anew.
struct ArchiveUpdateRequest {
    Patch<std::string> name;
    Patch<std::string> description;
    Patch<std::string> embedding;  ///< ours, like the next two; null: none
    Patch<EmbeddingConfig> embedding_config;
    Patch<Json> metadata;
};
BOOST_DESCRIBE_STRUCT(ArchiveUpdateRequest, (), (name, description, embedding, embedding_config, metadata))
void check(const ArchiveUpdateRequest& request, Problems& problems);

/// A new archive, made now by `actor`, its embedding still to be chosen.
Archive make_archive(ArchiveCreateRequest request, const std::string& organization_id, const std::string& actor);

/// Applies all but the embedding. False if nothing changed.
bool apply(const ArchiveUpdateRequest& update, Archive& archive);

/// Two configurations with the same key give vectors that can be compared: endpoint, model and dimensions. Of those
/// without a model: empty.
std::string embedding_key(const std::optional<EmbeddingConfig>& config);

}  // namespace stele
