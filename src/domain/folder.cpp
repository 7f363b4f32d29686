#include "domain/folder.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t name_max = 255;

// The name stands within one line of the prompt, and in front of the names of its files.
void check_name(const std::string& name, Problems& problems) {
    const std::size_t length = code_points(name);
    if (length < 1 || length > name_max)
        problems.add("name", "must have 1 to 255 characters", length < 1 ? "string_too_short" : "string_too_long");
    if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
        problems.add("name", "must not hold control characters", "string_pattern_mismatch");
}

void check_metadata(const Patch<Json>& metadata, Problems& problems) {
    if (metadata.has_value() && !metadata->is_null() && !metadata->text.starts_with('{'))
        problems.add("metadata", "must be an object", "dict_type");
}

}  // namespace

void check(const SourceCreate& request, Problems& problems) {
    check_name(request.name, problems);
    check_metadata(request.metadata, problems);
    if (request.embedding_chunk_size.has_value() && *request.embedding_chunk_size < 1)
        problems.add("embedding_chunk_size", "must be at least 1", "greater_than_equal");
}

void check(const SourceUpdate& request, Problems& problems) {
    if (request.name.has_value()) check_name(*request.name, problems);
    check_metadata(request.metadata, problems);
}

bool apply(const SourceUpdate& update, Folder& folder) {
    bool changed = update.name.set_into(folder.name);
    changed |= update.description.set_into(folder.description);
    changed |= update.instructions.set_into(folder.instructions);
    if (update.metadata.present()) {
        Json metadata = update.metadata.value_or(Json{});
        changed |= !(metadata == folder.metadata);
        folder.metadata = std::move(metadata);
    }
    if (update.embedding_config.has_value()) {
        changed |= !folder.embedding_config || to_json(*folder.embedding_config) != to_json(*update.embedding_config);
        folder.embedding_config = *update.embedding_config;
    }
    return changed;
}

STELE_JSON_WRITTEN(Folder)
STELE_JSON_WRITTEN(Source)
STELE_JSON_READ(SourceCreate)
STELE_JSON_READ(SourceUpdate)
STELE_JSON_WRITTEN(OrganizationSourcesStats)

}  // namespace stele
