#include "domain/archive.hpp"

#include "base/ids.hpp"
#include "base/utf8.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t name_characters_max = 1'000;

void check_name(const std::string& name, Problems& problems) {
    if (name.find_first_not_of(" \t\r\n") == std::string::npos)
        problems.add("name", "must not be empty", "string_too_short", json_string(name));
    if (code_points(name) > name_characters_max)
        problems.add("name", "may have at most 1000 characters", "string_too_long");
}

void check_metadata(const Patch<Json>& metadata, Problems& problems) {
    if (metadata.has_value() && !metadata->text.starts_with('{'))
        problems.add("metadata", "must be an object", "dict_type", metadata->text);
}

}  // namespace

void check(const ArchiveCreateRequest& request, Problems& problems) {
    check_name(request.name, problems);
    check_metadata(request.metadata, problems);
}

void check(const ArchiveUpdateRequest& request, Problems& problems) {
    if (request.name.has_value()) check_name(*request.name, problems);
    check_metadata(request.metadata, problems);
}

Archive make_archive(ArchiveCreateRequest request, const std::string& organization_id, const std::string& actor) {
    Archive made;
    made.id = new_id("archive");
    made.organization_id = organization_id;
    made.name = std::move(request.name);
    made.description = request.description.optional();
    if (request.metadata.has_value()) made.metadata = *request.metadata;
    made.created_at = made.updated_at = now();
    made.created_by_id = made.last_updated_by_id = actor;
    return made;
}

bool apply(const ArchiveUpdateRequest& update, Archive& archive) {
    bool changed = update.name.set_into(archive.name);
    changed = update.description.set_into(archive.description) || changed;
    const Json metadata = update.metadata.value_or(Json());
    if (update.metadata.present() && metadata != archive.metadata) {
        archive.metadata = metadata;
        changed = true;
    }
    return changed;
}

std::string embedding_key(const std::optional<EmbeddingConfig>& config) {
    if (!config) return {};
    return config->handle.value_or("") + '\n' + config->embedding_endpoint_type + '\n' +
           config->embedding_endpoint.value_or("") + '\n' + config->embedding_model + '\n' +
           std::to_string(config->embedding_dim);
}

STELE_JSON_WRITTEN(Archive)
STELE_JSON_READ(ArchiveCreateRequest)
STELE_JSON_READ(ArchiveUpdateRequest)

}  // namespace stele
