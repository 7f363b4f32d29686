#include "domain/block.hpp"

#include "base/ids.hpp"
#include "base/utf8.hpp"
#include "domain/block_value.hpp"
#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {

namespace {

constexpr std::size_t label_characters_max = 255;

void check_label(const std::string& label, Problems& problems) {
    const std::size_t length = code_points(label);
    const bool control =
        std::any_of(label.begin(), label.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (length == 0)
        problems.add("label", "must not be empty", "string_too_short");
    else if (length > label_characters_max)
        problems.add("label", "must have at most 255 characters", "string_too_long");
    else if (control)
        problems.add("label", "must not hold control characters", "string_pattern_mismatch");
}

void check_limit(const Patch<std::int64_t>& limit, Problems& problems) {
    if (limit.has_value() && *limit < 1) problems.add("limit", "must be at least 1", "greater_than_equal");
}

void check_metadata(const Patch<Json>& metadata, Problems& problems) {
    if (metadata.has_value() && !metadata->is_null() && metadata->text.front() != '{')
        problems.add("metadata", "must be an object", "dict_type");
}

std::string without_nul(std::string text) {
    std::erase(text, '\0');
    return text;
}

void enforce_limit(const BlockBody& block, std::size_t length, std::size_t length_before) {
    const auto limit = static_cast<std::size_t>(block.limit);
    if (length <= limit || length <= length_before) return;
    throw invalid_field("body.value", std::to_string(length) + " characters exceeds the block's limit of " +
                                          std::to_string(block.limit));
}

void remove_duplicates(std::vector<std::string>& tags) {
    std::vector<std::string> unique;
    for (std::string& tag : tags)
        if (std::find(unique.begin(), unique.end(), tag) == unique.end()) unique.push_back(std::move(tag));
    tags = std::move(unique);
}

}  // namespace

void check(const CreateBlock& block, Problems& problems) {
    check_label(block.label, problems);
    check_limit(block.limit, problems);
    check_metadata(block.metadata, problems);
}

void check(const BlockUpdate& update, Problems& problems) {
    if (update.label.has_value()) check_label(*update.label, problems);
    check_limit(update.limit, problems);
    check_metadata(update.metadata, problems);
}

Block make_block(CreateBlock request, const std::string& actor) {
    Block block;
    block.id = new_id("block");
    block.label = std::move(request.label);
    block.limit = request.limit.value_or(block.limit);
    if (request.value.has_value()) block.value = without_nul(std::move(request.value->text));
    enforce_limit(block, code_points(block.value), 0);
    block.project_id = request.project_id.optional();
    block.template_name =
        request.template_name.has_value() ? request.template_name.optional() : request.name.optional();
    block.is_template = request.is_template;
    block.template_id = request.template_id.optional();
    block.base_template_id = request.base_template_id.optional();
    block.deployment_id = request.deployment_id.optional();
    block.entity_id = request.entity_id.optional();
    block.preserve_on_migration = request.preserve_on_migration;
    block.read_only = request.read_only;
    block.description = request.description.optional();
    if (request.metadata.has_value() && !request.metadata->is_null()) block.metadata = *request.metadata;
    if (request.value.has_value() && request.value->is_json) mark_as_json(block, true);
    block.hidden = request.hidden.optional();
    block.tags = std::move(request.tags);
    remove_duplicates(block.tags);
    block.created_by_id = actor;
    block.last_updated_by_id = actor;
    block.created_at = block.updated_at = now();
    return block;
}

BlockChange apply(const BlockUpdate& update, Block& block) {
    const std::size_t length_before = code_points(block.value);
    const std::int64_t limit_before = block.limit;
    const bool was_json = marked_as_json(block);
    const std::string metadata_before = block.metadata.text;

    bool seen = update.limit.set_into(block.limit);
    if (update.value.has_value()) {
        std::string value = without_nul(update.value->text);
        if (value != block.value) {
            block.value = std::move(value);
            seen = true;
        }
    }
    // A lowered limit is refused when the stored text does not fit it; a text that was over stays and may shrink.
    const bool was_over = length_before > static_cast<std::size_t>(limit_before);
    enforce_limit(block, code_points(block.value), was_over ? length_before : 0);
    seen |= update.label.set_into(block.label);
    seen |= update.read_only.set_into(block.read_only);
    seen |= update.description.set_into(block.description);

    bool unseen = update.project_id.set_into(block.project_id);
    unseen |= update.name.set_into(block.template_name);
    unseen |= update.template_name.set_into(block.template_name);
    unseen |= update.is_template.set_into(block.is_template);
    unseen |= update.template_id.set_into(block.template_id);
    unseen |= update.base_template_id.set_into(block.base_template_id);
    unseen |= update.deployment_id.set_into(block.deployment_id);
    unseen |= update.entity_id.set_into(block.entity_id);
    unseen |= update.preserve_on_migration.set_into(block.preserve_on_migration);
    unseen |= update.hidden.set_into(block.hidden);
    if (update.metadata.null()) block.metadata.text = "{}";
    update.metadata.set_into(block.metadata);
    // The mark tells of the value: it comes and goes with that, and new metadata leave it.
    if (update.value.has_value())
        mark_as_json(block, update.value->is_json);
    else if (was_json)
        mark_as_json(block, true);
    unseen |= block.metadata.text != metadata_before;
    if (update.tags.has_value()) {
        std::vector<std::string> tags = *update.tags;
        remove_duplicates(tags);
        if (tags != block.tags) {
            block.tags = std::move(tags);
            unseen = true;
        }
    }
    if (!seen && !unseen) return BlockChange::none;
    block.updated_at = now();
    return seen ? BlockChange::seen : BlockChange::unseen;
}

void set_value(Block& block, std::string value) {
    value = without_nul(std::move(value));
    enforce_limit(block, code_points(value), code_points(block.value));
    block.value = std::move(value);
    if (marked_as_json(block) && !is_json(block.value)) mark_as_json(block, false);
}

std::optional<std::string> shown_description(const BlockBody& block) {
    if (block.description) return block.description;
    if (block.label == "human" || block.label == "system/human")
        return "What the agent knows about the person it talks with: name, preferences, plans, and anything that makes "
               "the "
               "next conversation better.";
    if (block.label == "persona" || block.label == "system/persona")
        return "Who the agent is: its character, manner of speaking, and the rules it follows, in its own words.";
    return std::nullopt;
}

STELE_JSON(Block)
STELE_JSON_READ(CreateBlock)
STELE_JSON_READ(BlockUpdate)

}  // namespace stele
