#include "domain/identity.hpp"

#include "base/ids.hpp"
#include "domain/json_mapping.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace stele {
namespace {

constexpr std::size_t key_characters_max = 512, name_characters_max = 4'096, properties_max = 1'000;
constexpr std::size_t mark_characters_max = 64;  // of a name and of a key, before each message

void check_text(const std::string& text, const char* field, std::size_t most, Problems& problems) {
    const std::size_t length = code_points(text);
    if (length == 0)
        problems.add(field, "must not be empty", "string_too_short");
    else if (length > most)
        problems.add(field, "must have at most " + std::to_string(most) + " characters", "string_too_long");
}

void check_ids(const Patch<std::vector<std::string>>& ids, const char* field, const char* prefix, Problems& problems) {
    if (!ids.has_value()) return;
    for (std::size_t i = 0; i < ids->size(); ++i)
        if (!is_id((*ids)[i], prefix))
            problems.add(std::string(field) + "." + std::to_string(i),
                         std::string("must match '") + prefix + "-{uuid4}'", "string_pattern_mismatch",
                         json_string(first_code_points((*ids)[i], 64)));
}

// A text that is the JSON of another type counts as that: forms send texts alone.
bool reads_as(const std::string& json_text, PropertyType type) {
    const boost::json::value value = boost::json::parse(json_text);
    if (!value.is_string()) return false;
    const std::string_view text = value.get_string();
    if (type == PropertyType::boolean) return text == "true" || text == "false";
    double number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failure == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

bool fits(const IdentityProperty& property) {
    const char first = property.value.text.front();
    switch (property.type) {
        case PropertyType::string:
            return first == '"';
        case PropertyType::number:
            return first == '-' || std::isdigit(static_cast<unsigned char>(first)) != 0 ||
                   (first == '"' && reads_as(property.value.text, PropertyType::number));
        case PropertyType::boolean:
            return property.value.text == "true" || property.value.text == "false" ||
                   (first == '"' && reads_as(property.value.text, PropertyType::boolean));
        case PropertyType::json:
            return first == '{' || first == '[';
    }
    return false;
}

PropertyType type_of(const boost::json::value& value) {
    if (value.is_string()) return PropertyType::string;
    if (value.is_bool()) return PropertyType::boolean;
    if (value.is_number()) return PropertyType::number;
    return PropertyType::json;
}

void put(std::vector<IdentityProperty>& list, IdentityProperty property) {
    const auto same =
        std::find_if(list.begin(), list.end(), [&](const IdentityProperty& each) { return each.key == property.key; });
    if (same == list.end())
        list.push_back(std::move(property));
    else
        *same = std::move(property);
}

// On one line, and without what would end the mark.
std::string plain(const std::string& text) {
    std::string shown(first_code_points(text, mark_characters_max));
    for (char& c : shown)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '[' || c == ']') c = ' ';
    return shown;
}

}  // namespace

std::string_view to_string(IdentityType type) { return mapping::enum_word(type); }

std::optional<IdentityType> parse_identity_type(std::string_view word) {
    for (const IdentityType type : {IdentityType::org, IdentityType::user, IdentityType::other})
        if (to_string(type) == word) return type;
    return std::nullopt;
}

void check(const IdentityProperty& property, Problems& problems) {
    check_text(property.key, "key", key_characters_max, problems);
    if (!fits(property))
        problems.add("value",
                     std::string("must be a ") + std::string(mapping::enum_word(property.type)) + ", as its type says",
                     "value_error");
}

void read_json(const boost::json::value& from, IdentityProperties& into, Problems& problems) {
    std::vector<IdentityProperty> sent;
    if (from.is_object()) {
        for (const auto& [key, value] : from.get_object()) {
            IdentityProperty& property = sent.emplace_back();
            property.key = key;
            mapping::read(value, property.value, problems);
            property.type = type_of(value);
            problems.enter(key);
            check(property, problems);
            problems.leave();
        }
    } else {
        mapping::read(from, sent, problems);
    }
    into.list.clear();
    for (IdentityProperty& property : sent) put(into.list, std::move(property));
    if (into.list.size() > properties_max)
        problems.add("", "must be at most " + std::to_string(properties_max), "too_long");
}

void write_json(const IdentityProperties& from, std::string& out) { mapping::write(from.list, out); }
Schema json_schema(const IdentityProperties*) {
    Schema object, schema;
    object.type = "object";
    schema.any_of = {mapping::schema_of_type<std::vector<IdentityProperty>>(), std::move(object)};
    return schema;
}

void check(const IdentityCreate& request, Problems& problems) {
    check_text(request.identifier_key, "identifier_key", key_characters_max, problems);
    check_text(request.name, "name", name_characters_max, problems);
    check_ids(request.agent_ids, "agent_ids", "agent", problems);
    check_ids(request.block_ids, "block_ids", "block", problems);
}

void check(const IdentityUpdate& request, Problems& problems) {
    if (request.identifier_key.has_value())
        check_text(*request.identifier_key, "identifier_key", key_characters_max, problems);
    if (request.name.has_value()) check_text(*request.name, "name", name_characters_max, problems);
    check_ids(request.agent_ids, "agent_ids", "agent", problems);
    check_ids(request.block_ids, "block_ids", "block", problems);
}

Identity make_identity(const IdentityCreate& request, const std::string& organization_id) {
    Identity identity;
    identity.id = new_id("identity");
    identity.identifier_key = request.identifier_key;
    identity.name = request.name;
    identity.identity_type = request.identity_type;
    identity.project_id = request.project_id.optional();
    identity.organization_id = organization_id;
    identity.properties = request.properties.value_or({});
    identity.created_at = identity.updated_at = now();
    return identity;
}

bool apply(const IdentityUpdate& update, bool replace, Identity& identity) {
    bool changed = update.identifier_key.set_into(identity.identifier_key);
    changed |= update.name.set_into(identity.name);
    changed |= update.identity_type.set_into(identity.identity_type);
    changed |= update.project_id.set_into(identity.project_id);
    if (update.properties.has_value()) {
        IdentityProperties after = replace ? IdentityProperties() : identity.properties;
        for (const IdentityProperty& property : update.properties->list) put(after.list, property);
        changed |= replace_properties(std::move(after), identity);
    }
    if (changed) identity.updated_at = now();
    return changed;
}

bool replace_properties(IdentityProperties properties, Identity& identity) {
    if (properties == identity.properties) return false;
    identity.properties = std::move(properties);
    identity.updated_at = now();
    return true;
}

std::string sender_mark(const std::string& name, const std::string& identifier_key) {
    if (name == identifier_key) return "[" + plain(name) + "] ";
    return "[" + plain(name) + " (" + plain(identifier_key) + ")] ";
}

STELE_JSON(Identity)
STELE_JSON(IdentityProperties)
STELE_JSON_WRITTEN(IdentityProperty)
STELE_JSON_READ(IdentityCreate)
STELE_JSON_READ(IdentityUpdate)

}  // namespace stele
