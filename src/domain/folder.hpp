#pragma once

#include "domain/model_config.hpp"

#include <array>

namespace stele {

/// A named collection of files, which agents are given as a whole. Shown to them under its name, with `description`
/// and `instructions`.
struct Folder {
    std::string name;  ///< unique in the organisation
    std::optional<std::string> description;
    std::optional<std::string> instructions;
    Json metadata;
    std::string id;                                   ///< "source-<uuid>"
    std::optional<EmbeddingConfig> embedding_config;  ///< nothing: its files are searched by words alone
    std::string organization_id;
    std::optional<std::string> created_by_id;
    std::optional<std::string> last_updated_by_id;
    Timestamp created_at{};
    Timestamp updated_at{};

    std::int64_t version = 1;  ///< of the row; not described
};
BOOST_DESCRIBE_STRUCT(Folder, (),
                      (name, description, instructions, metadata, id, embedding_config, organization_id, created_by_id,
                       last_updated_by_id, created_at, updated_at))

/// The same under its older name.
struct Source : Folder {
    std::string vector_db_provider = "native";

    Source() = default;
    explicit Source(Folder folder) : Folder(std::move(folder)) {}
};
BOOST_DESCRIBE_STRUCT(Source, (Folder), (vector_db_provider))

/// Body of POST /v1/folders.
struct SourceCreate {
    std::string name;
    Patch<std::string> description;
    Patch<std::string> instructions;
    Patch<Json> metadata;
    Patch<std::string> embedding;  ///< handle
    Patch<std::int64_t> embedding_chunk_size;
    Patch<EmbeddingConfig> embedding_config;
};
BOOST_DESCRIBE_STRUCT(SourceCreate, (),
                      (name, description, instructions, metadata, embedding, embedding_chunk_size, embedding_config))
void check(const SourceCreate& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const SourceCreate*) { return {"name"}; }

/// Body of PATCH /v1/folders/{folder_id}. Null clears a description, instructions and metadata.
struct SourceUpdate {
    Patch<std::string> name;
    Patch<std::string> description;
    Patch<std::string> instructions;
    Patch<Json> metadata;
    Patch<EmbeddingConfig> embedding_config;
};
BOOST_DESCRIBE_STRUCT(SourceUpdate, (), (name, description, instructions, metadata, embedding_config))
void check(const SourceUpdate& request, Problems& problems);

/// Applies what `update` holds; true if anything changed.
bool apply(const SourceUpdate& update, Folder& folder);

/// Answer of GET /v1/folders/metadata: how much there is. Sizes in bytes, as uploaded.
struct FileStats {
    std::string file_id;
    std::string file_name;
    std::optional<std::int64_t> file_size;
};
BOOST_DESCRIBE_STRUCT(FileStats, (), (file_id, file_name, file_size))

struct SourceStats {
    std::string source_id;
    std::string source_name;
    std::int64_t file_count = 0;
    std::int64_t total_size = 0;
    std::vector<FileStats> files;
};
BOOST_DESCRIBE_STRUCT(SourceStats, (), (source_id, source_name, file_count, total_size, files))

struct OrganizationSourcesStats {
    std::int64_t total_sources = 0;
    std::int64_t total_files = 0;
    std::int64_t total_size = 0;
    std::vector<SourceStats> sources;  ///< only where they were asked for
};
BOOST_DESCRIBE_STRUCT(OrganizationSourcesStats, (), (total_sources, total_files, total_size, sources))

}  // namespace stele
