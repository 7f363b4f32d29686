#include "domain/passage.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace stele {
namespace {

constexpr std::size_t batch_passages_max = 1'000;
constexpr std::size_t tags_max = 256, tag_bytes_max = 1'000;
constexpr std::int64_t search_limit_max = 100;
constexpr std::string_view state_words[] = {"none", "queued", "done", "failed"};

void check_tags(const Patch<std::vector<std::string>>& tags, Problems& problems) {
    if (!tags.has_value()) return;
    if (tags->size() > tags_max) problems.add("tags", "may hold at most 256 tags", "too_long");
    for (const std::string& tag : *tags)
        if (tag.size() > tag_bytes_max) problems.add("tags", "holds a tag of more than 1000 bytes", "string_too_long");
}

void check_metadata(const Patch<Json>& metadata, Problems& problems) {
    if (metadata.has_value() && !metadata->text.starts_with('{'))
        problems.add("metadata", "must be an object", "dict_type", metadata->text);
}

std::string without_nul(std::string text) {
    std::erase(text, '\0');
    return text;
}

}  // namespace

void read_json(const boost::json::value& from, EmbeddingVector& into, Problems& problems) {
    into.values.clear();
    if (from.is_null()) return;
    std::vector<double> numbers;
    mapping::read(from, numbers, problems);
    into.values.assign(numbers.begin(), numbers.end());
}

void write_json(const EmbeddingVector& from, std::string& out) {
    if (from.values.empty()) {
        out += "null";
        return;
    }
    const std::size_t shown = std::max(from.values.size(), EmbeddingVector::shown_dimensions);
    out.reserve(out.size() + shown * 4 + from.values.size() * 10);
    char text[32];
    for (std::size_t i = 0; i < shown; ++i) {
        out += i == 0 ? '[' : ',';
        if (i >= from.values.size()) {
            out += "0.0";
            continue;
        }
        const char* end = std::to_chars(text, text + sizeof text, from.values[i]).ptr;
        const std::string_view number(text, static_cast<std::size_t>(end - text));
        out += number;
        if (number.find_first_of(".e") == std::string_view::npos) out += ".0";
    }
    out += ']';
}

Schema json_schema(const EmbeddingVector*) {
    Schema schema;
    schema.type = "array";
    schema.nullable = true;
    schema.items = std::make_shared<Schema>();
    schema.items->type = "number";
    return schema;
}

std::string_view to_string(EmbeddingState state) { return state_words[static_cast<std::size_t>(state)]; }

EmbeddingState embedding_state(std::string_view word) {
    const auto* found = std::find(std::begin(state_words), std::end(state_words), word);
    STELE_ASSERT(found != std::end(state_words));
    return static_cast<EmbeddingState>(found - std::begin(state_words));
}

void check(const CreateArchivalMemory& request, Problems& problems) { check_tags(request.tags, problems); }

void check(const PassageCreateRequest& request, Problems& problems) {
    check_tags(request.tags, problems);
    check_metadata(request.metadata, problems);
}

void check(const PassageBatchCreateRequest& request, Problems& problems) {
    if (request.passages.size() > batch_passages_max)
        problems.add("passages", "may hold at most 1000 passages at once", "too_long");
}

void check(const PassageUpdate& request, Problems& problems) {
    check_tags(request.tags, problems);
    check_metadata(request.metadata, problems);
}

void check(const PassageSearchRequest& request, Problems& problems) {
    check_tags(request.tags, problems);
    if (request.tag_match_mode != "any" && request.tag_match_mode != "all")
        problems.add("tag_match_mode", "must be one of: any, all", "literal_error",
                     json_string(request.tag_match_mode));
    if (request.search_mode != "vector" && request.search_mode != "fts" && request.search_mode != "hybrid")
        problems.add("search_mode", "must be one of: vector, fts, hybrid", "literal_error",
                     json_string(request.search_mode));
    if (request.limit < 1 || request.limit > search_limit_max)
        problems.add("limit", "must lie between 1 and 100", "less_than_equal", std::to_string(request.limit));
}

std::optional<std::vector<std::string>> distinct_tags(std::vector<std::string> tags) {
    std::set<std::string> seen;
    std::vector<std::string> kept;
    for (std::string& tag : tags) {
        tag = without_nul(std::move(tag));
        if (!tag.empty() && seen.insert(tag).second) kept.push_back(std::move(tag));
    }
    return kept.empty() ? std::nullopt : std::optional(std::move(kept));
}

Passage make_passage(PassageCreateRequest request, const std::string& organization_id, const std::string& actor) {
    Passage made;
    made.id = new_id("passage");
    made.organization_id = organization_id;
    made.text = without_nul(std::move(request.text));
    made.tags = distinct_tags(request.tags.value_or({}));
    if (request.metadata.has_value()) made.metadata = *request.metadata;
    const Timestamp time = now();
    made.created_at = request.created_at.value_or(time);
    made.updated_at = time;
    made.created_by_id = made.last_updated_by_id = actor;
    made.position = next_position();
    return made;
}

PassageChange apply(const PassageUpdate& update, const std::string& actor, Passage& passage) {
    PassageChange change = PassageChange::none;
    const auto tags = distinct_tags(update.tags.value_or({}));
    if (update.tags.present() && tags != passage.tags) {
        passage.tags = tags;
        change = PassageChange::aside;
    }
    const Json metadata = update.metadata.value_or(Json{"{}"});
    if (update.metadata.present() && metadata != passage.metadata) {
        passage.metadata = metadata;
        change = PassageChange::aside;
    }
    if (update.text.has_value()) {
        std::string text = without_nul(*update.text);
        if (text != passage.text) {
            passage.text = std::move(text);
            change = PassageChange::text;
        }
    }
    if (change == PassageChange::none) return change;
    passage.updated_at = now();
    passage.last_updated_by_id = actor;
    return change;
}

STELE_JSON_WRITTEN(Passage)
STELE_JSON_READ(CreateArchivalMemory)
STELE_JSON_READ(PassageCreateRequest)
STELE_JSON_READ(PassageBatchCreateRequest)
STELE_JSON_READ(PassageUpdate)
STELE_JSON_READ(PassageSearchRequest)
STELE_JSON_WRITTEN(PassageSearchMetadata)
STELE_JSON_WRITTEN(PassageSearchResult)
STELE_JSON_WRITTEN(ArchivalMemorySearchResult)
STELE_JSON_WRITTEN(ArchivalMemorySearchResponse)

}  // namespace stele
