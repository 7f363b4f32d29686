#include "tools/mcp/schema.hpp"

#include "tools/mcp/rpc.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

constexpr int depth_max = 20;
constexpr int references_max = 10;        // within one another
constexpr int repeats_max = 2;            // of one definition within itself
constexpr std::size_t nodes_max = 5'000;  // of a schema, its references written out
constexpr std::size_t reasons_max = 20;
constexpr std::size_t repeated_bytes_max = 256u << 10;  // of what definitions say when they are written out

bool is_object_type(const json::value& type) {
    if (type.is_string()) return type.get_string() == "object";
    return type.is_array() && std::any_of(type.get_array().begin(), type.get_array().end(),
                                          [](const json::value& each) { return is_object_type(each); });
}

bool is_array_type(const json::value& type) { return type.is_string() && type.get_string() == "array"; }

json::value type_of_value(const json::value& value) {
    if (value.is_string()) return "string";
    if (value.is_bool()) return "boolean";
    if (value.is_int64() || value.is_uint64()) return "integer";
    if (value.is_double()) return "number";
    if (value.is_array()) return "array";
    return value.is_null() ? "null" : "object";
}

// How much a value says, counted no further than `most`.
std::size_t bytes_of(const json::value& value, std::size_t most) {
    if (value.is_string()) return value.get_string().size();
    std::size_t bytes = 1;
    if (value.is_array())
        for (const json::value& each : value.get_array()) {
            if (bytes > most) break;
            bytes += bytes_of(each, most - bytes);
        }
    if (value.is_object())
        for (const auto& [key, each] : value.get_object()) {
            if (bytes > most) break;
            bytes += key.size() + bytes_of(each, most - bytes);
        }
    return bytes;
}

/// Writes one schema out.
class Normaliser {
public:
    Normaliser(const json::value& root, std::vector<std::string>& problems) : root_(root), problems_(problems) {}

    json::value node(const json::value& from, int depth, int references) {
        const bool full = ++nodes_ > nodes_max || repeated_ > repeated_bytes_max;
        if (full || depth > depth_max) {
            too_large_ = too_large_ || references == 0 || full;
            return json::object{{"type", "object"}, {"additionalProperties", true}};
        }
        if (!from.is_object()) return json::object();  // true, or nonsense: anything
        const json::object& object = from.get_object();
        if (const json::value* reference = object.if_contains("$ref"))
            return referred(object, *reference, depth, references);
        json::object made;
        for (const auto& [key, value] : object) copy(made, key, value, depth, references);
        settle(made);
        return made;
    }

    bool too_large() const { return too_large_; }

private:
    // The definition with what stands beside the reference, such as a description of its own.
    json::value referred(const json::object& object, const json::value& reference, int depth, int references) {
        const json::value* target = references < references_max ? find(reference) : nullptr;
        if (std::count(within_.begin(), within_.end(), target) >= repeats_max) target = nullptr;
        within_.push_back(target);
        json::value made = target == nullptr ? json::object{{"type", "object"}, {"additionalProperties", true}}
                                             : node(*target, depth + 1, references + 1);
        within_.pop_back();
        if (made.is_object())
            for (const auto& [key, value] : object) {
                if (key == "$ref" || key == "properties" || key == "required") continue;
                if (has_room(key, value, references)) made.get_object()[key] = value;
            }
        return made;
    }

    // "#/$defs/Name" or "#/definitions/Name" of the schema's root; nothing elsewhere is ever looked up.
    const json::value* find(const json::value& reference) {
        if (!reference.is_string()) return nullptr;
        std::string_view path = reference.get_string();
        for (const std::string_view place : {"$defs", "definitions"}) {
            const std::string prefix = "#/" + std::string(place) + "/";
            if (!path.starts_with(prefix)) continue;
            const json::value& definitions = member(root_, place);
            if (!definitions.is_object()) return nullptr;
            return definitions.get_object().if_contains(path.substr(prefix.size()));
        }
        if (path == "#") return &root_;
        problems_.push_back("a reference leads outside of the schema: " + std::string(path.substr(0, 100)));
        return nullptr;
    }

    // A definition that says much may be referred to often: all that is written out of definitions has a limit
    // together.
    bool has_room(std::string_view key, const json::value& value, int references) {
        if (references == 0) return true;
        repeated_ += key.size() + bytes_of(value, repeated_bytes_max);
        too_large_ = too_large_ || repeated_ > repeated_bytes_max;
        return repeated_ <= repeated_bytes_max;
    }

    void copy(json::object& made, std::string_view key, const json::value& value, int depth, int references) {
        if (key == "$defs" || key == "definitions" || key == "$schema" || key == "$id") return;
        if (key == "properties" && value.is_object()) {
            json::object properties;
            for (const auto& [name, property] : value.get_object()) {
                if (references > 0) repeated_ += name.size();
                properties[name] = node(property, depth + 1, references);
            }
            made[key] = std::move(properties);
        } else if ((key == "items" || key == "additionalProperties" || key == "not") && value.is_object()) {
            made[key] = node(value, depth + 1, references);
        } else if ((key == "anyOf" || key == "oneOf" || key == "allOf" || key == "prefixItems") && value.is_array()) {
            json::array all;
            for (const json::value& each : value.get_array()) all.push_back(node(each, depth + 1, references));
            made[key] = key == "anyOf" ? unique_types(std::move(all)) : std::move(all);
        } else {
            if (has_room(key, value, references)) made[key] = value;
        }
    }

    // Members of one plain type say the same: the one with a format, or else with more to say, stays.
    static json::array unique_types(json::array all) {
        json::array kept;
        std::map<std::string, std::size_t> places;  // of plain types in `kept`
        for (json::value& each : all) {
            const std::string type = text_member(each, "type");
            const bool plain = !type.empty() && type != "object" && type != "array";
            const auto [place, is_new] = plain ? places.emplace(type, kept.size()) : std::pair(places.end(), true);
            if (is_new) {
                kept.push_back(std::move(each));
                continue;
            }
            json::value& same = kept[place->second];
            const auto weight = [](const json::value& schema) {
                return schema.get_object().size() + (schema.get_object().contains("format") ? 1'000 : 0);
            };
            if (weight(each) > weight(same)) same = std::move(each);
        }
        return kept;
    }

    static void settle(json::object& made) {
        if (!made.contains("type") && !made.contains("anyOf") && !made.contains("oneOf") && !made.contains("allOf")) {
            const json::value* values = made.if_contains("enum");
            const json::value* constant = made.if_contains("const");
            if (made.contains("properties"))
                made["type"] = "object";
            else if (made.contains("items") || made.contains("prefixItems"))
                made["type"] = "array";
            else if (values != nullptr && values->is_array() && !values->get_array().empty())
                made["type"] = type_of_value(values->get_array().front());
            else if (constant != nullptr)
                made["type"] = type_of_value(*constant);
        }
        const json::value* type = made.if_contains("type");
        if (type == nullptr || !is_object_type(*type)) return;
        // An object that names no properties takes any: closed, nothing could be said in it.
        const json::value* properties = made.if_contains("properties");
        if (properties == nullptr || !properties->is_object() || properties->get_object().empty()) {
            if (!made.contains("additionalProperties")) made["additionalProperties"] = true;
            return;
        }
        if (!made.contains("additionalProperties")) made["additionalProperties"] = false;
        if (!made.contains("required")) made["required"] = json::array();
    }

    const json::value& root_;
    std::vector<std::string>& problems_;
    std::vector<const json::value*> within_;  ///< definitions that are being written out
    std::size_t nodes_ = 0;
    std::size_t repeated_ = 0;  ///< bytes within definitions that were written out
    bool too_large_ = false;
};

/// Judges a normalised schema.
class Judge {
public:
    void node(const json::value& schema, const std::string& where, int depth) {
        if (!schema.is_object() || depth > depth_max * 2) return;
        const json::object& object = schema.get_object();
        for (const char* union_ : {"anyOf", "oneOf", "allOf"})
            if (const json::value* all = object.if_contains(union_); all != nullptr && all->is_array())
                for (const json::value& each : all->get_array()) node(each, where, depth + 1);
        const json::value* type = object.if_contains("type");
        if (type == nullptr) {
            if (!object.contains("anyOf") && !object.contains("oneOf") && !object.contains("allOf"))
                invalid(where + " has no type");
            return;
        }
        if (is_object_type(*type)) object_node(object, where, depth);
        if (is_array_type(*type)) {
            const json::value* items = object.if_contains("items");
            if (items != nullptr && items->is_object())
                node(*items, where + "[]", depth + 1);
            else if (!object.contains("prefixItems"))
                invalid(where + " is a list without items");
        }
    }

    void invalid(std::string reason) {
        is_invalid = true;
        if (reasons.size() < reasons_max) reasons.push_back(std::move(reason));
    }

    bool is_invalid = false, is_open = false;
    std::vector<std::string> reasons;

private:
    void open(std::string reason) {
        is_open = true;
        if (reasons.size() < reasons_max) reasons.push_back(std::move(reason));
    }

    void object_node(const json::object& object, const std::string& where, int depth) {
        static const json::object none;
        const json::value* given = object.if_contains("properties");
        const json::object& properties = given != nullptr && given->is_object() ? given->get_object() : none;
        const json::value* more = object.if_contains("additionalProperties");
        if (more == nullptr || !more->is_bool() || more->get_bool()) open(where + " takes further properties");
        std::set<std::string_view> required;
        if (const json::value* names = object.if_contains("required"); names != nullptr && names->is_array()) {
            for (const json::value& name : names->get_array()) {
                if (!name.is_string()) continue;
                required.insert(name.get_string());
                if (!properties.contains(name.get_string()))
                    invalid(where + " requires '" + std::string(name.get_string()) + "', which it does not describe");
            }
        }
        for (const auto& [name, property] : properties) {
            const std::string place = where + "." + std::string(name);
            if (!required.contains(name)) open(place + " is not required");
            if (required.contains(name) && permits_nothing(property))
                invalid(place + " is required and takes nothing but an empty object");
            node(property, place, depth + 1);
        }
    }

    static bool permits_nothing(const json::value& property) {
        if (!is_object_type(member(property, "type"))) return false;
        const json::value& properties = member(property, "properties");
        const json::value& more = member(property, "additionalProperties");
        return more.is_bool() && !more.get_bool() && (!properties.is_object() || properties.get_object().empty());
    }
};

}  // namespace

json::value normalised(const json::value& input_schema, std::vector<std::string>& problems) {
    json::object root = input_schema.is_object() ? input_schema.get_object() : json::object();
    if (!input_schema.is_object()) problems.push_back("the schema is no object");
    const bool typed = root.contains("type");
    if (!typed && !root.contains("$ref")) root["type"] = "object";
    const json::value whole(root);
    Normaliser normaliser(whole, problems);
    json::value made = normaliser.node(whole, 0, 0);
    if (normaliser.too_large()) problems.push_back("the schema is too large or too deep");
    json::object& object = made.as_object();
    if (!object.contains("properties") || !object["properties"].is_object()) object["properties"] = json::object();
    if (!object.contains("required") || !object["required"].is_array()) object["required"] = json::array();
    // A tool without parameters takes none, unless its schema says otherwise.
    if (!root.contains("additionalProperties")) object["additionalProperties"] = false;
    return made;
}

McpToolHealth health_of(const json::value& schema, std::vector<std::string> problems) {
    Judge judge;
    if (!is_object_type(member(schema, "type"))) judge.invalid("the root is no object");
    judge.node(schema, "root", 0);
    for (std::string& problem : problems) judge.invalid(std::move(problem));
    McpToolHealth health;
    health.status = judge.is_invalid ? "INVALID" : judge.is_open ? "NON_STRICT_ONLY" : "STRICT_COMPLIANT";
    health.reasons = std::move(judge.reasons);
    return health;
}

}  // namespace stele::tools::mcp
