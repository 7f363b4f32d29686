#pragma once

// JSON <-> described structs. Included by the .cpp files of domain/ only: each instantiates its own structs with
// STELE_JSON, so that a file elsewhere that decodes a body costs the compiler nothing.

#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "domain/json.hpp"
#include "domain/json_parse.hpp"
#include "domain/schema.hpp"

#include <boost/describe.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/static_resource.hpp>
#include <boost/mp11/algorithm.hpp>

#include <charconv>
#include <cmath>
#include <map>
#include <type_traits>
#include <variant>

namespace stele::mapping {

namespace json = boost::json;

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_patch : std::false_type {};
template <class T>
struct is_patch<Patch<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_variant : std::false_type {};
template <class... T>
struct is_variant<std::variant<T...>> : std::true_type {};

template <class T>
using members_of =
    boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;

template <class T>
concept described_struct = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class T>
concept described_enum = boost::describe::has_describe_enumerators<T>::value;

/// A type with a JSON form of its own (a union such as "text or list of parts"): found by argument-dependent lookup.
template <class T>
concept self_reading =
    requires(const json::value& from, T& into, Problems& problems) { read_json(from, into, problems); };
template <class T>
concept self_writing = requires(const T& from, std::string& out) { write_json(from, out); };
template <class T>
concept checked = requires(const T& value, Problems& problems) { check(value, problems); };

/// The members that a request must bring: `required_members(const T*)` beside the struct, found by argument-dependent
/// lookup.
template <class T>
concept demanding = requires { required_members(static_cast<const T*>(nullptr)); };

template <class T>
bool is_required(std::string_view member) {
    if constexpr (demanding<T>) {
        for (const std::string_view each : required_members(static_cast<const T*>(nullptr)))
            if (each == member) return true;
    }
    return false;
}

inline std::string short_input(const json::value& from) {
    std::string text = json::serialize(from);
    if (text.size() > 200) text = json_string(first_bytes(text, 200));
    return text;
}

inline void wrong_type(const json::value& from, const char* expected, const char* type, Problems& problems) {
    problems.add("", std::string("must be ") + expected, type, short_input(from));
}

// An enumerator's word: a trailing underscore keeps C++ keywords apart ("default_" is "default").
inline std::string_view word(const char* name) {
    std::string_view text = name;
    if (text.ends_with('_')) text.remove_suffix(1);
    return text;
}

template <class T>
void read(const json::value& from, T& into, Problems& problems);

inline void read_text(const json::value& from, std::string& into, Problems& problems) {
    if (!from.is_string()) return wrong_type(from, "a text", "string_type", problems);
    into.assign(from.get_string().data(), from.get_string().size());
    if (!problems.takes_nul && into.find('\0') != std::string::npos)
        problems.add("", "must not hold U+0000", "string_pattern_mismatch");
}

inline void read_integer(const json::value& from, std::int64_t& into, Problems& problems) {
    if (from.is_int64()) {
        into = from.get_int64();
    } else if (from.is_double() && std::nearbyint(from.get_double()) == from.get_double() &&
               std::abs(from.get_double()) < 9.0e18) {
        into = static_cast<std::int64_t>(from.get_double());
    } else if (from.is_string()) {
        const auto& text = from.get_string();
        std::int64_t number = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failure != std::errc() || end != text.data() + text.size() || text.empty())
            return wrong_type(from, "an integer", "int_parsing", problems);
        into = number;
    } else {
        wrong_type(from, "an integer", "int_type", problems);
    }
}

inline void read_number(const json::value& from, double& into, Problems& problems) {
    if (from.is_number())
        into = from.to_number<double>();
    else
        wrong_type(from, "a number", "float_type", problems);
}

inline void read_flag(const json::value& from, bool& into, Problems& problems) {
    if (from.is_bool()) {
        into = from.get_bool();
    } else if (from.is_int64() && (from.get_int64() == 0 || from.get_int64() == 1)) {
        into = from.get_int64() == 1;
    } else if (from.is_string() && (from.get_string() == "true" || from.get_string() == "false")) {
        into = from.get_string() == "true";
    } else {
        wrong_type(from, "true or false", "bool_type", problems);
    }
}

template <described_enum E>
void read_enum(const json::value& from, E& into, Problems& problems) {
    bool found = false;
    std::string words;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
        if (!words.empty()) words += ", ";
        words += word(enumerator.name);
        if (from.is_string() && std::string_view(from.get_string()) == word(enumerator.name)) {
            into = enumerator.value;
            found = true;
        }
    });
    if (!found) problems.add("", "must be one of: " + words, "enum", short_input(from));
}

template <described_struct T>
void read_struct(const json::value& from, T& into, Problems& problems) {
    if (!from.is_object()) return wrong_type(from, "an object", "object_type", problems);
    const json::object& object = from.get_object();
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
        using M = std::remove_cvref_t<decltype(into.*member.pointer)>;
        const json::value* value = object.if_contains(std::string_view(member.name));
        if (value == nullptr || value->is_null()) {
            if (is_required<T>(member.name)) problems.add(member.name, "is required", "missing", short_input(from));
        }
        if (value == nullptr) return;
        if constexpr (!is_patch<M>::value && !is_optional<M>::value && !std::is_same_v<M, Json> && !self_reading<M>) {
            if (value->is_null()) return;  // null for a member with a default counts as absent
        }
        problems.enter(member.name);
        read(*value, into.*member.pointer, problems);
        problems.leave();
    });
    if constexpr (checked<T>) check(into, problems);
}

template <class T>
void read(const json::value& from, T& into, Problems& problems) {
    if constexpr (self_reading<T>) {
        read_json(from, into, problems);
    } else if constexpr (std::is_same_v<T, std::string>) {
        read_text(from, into, problems);
    } else if constexpr (std::is_same_v<T, bool>) {
        read_flag(from, into, problems);
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        read_integer(from, into, problems);
    } else if constexpr (std::is_same_v<T, double>) {
        read_number(from, into, problems);
    } else if constexpr (std::is_same_v<T, Json>) {
        into.text = json::serialize(from);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        const auto time = from.is_string() ? parse_iso8601(std::string_view(from.get_string())) : std::nullopt;
        if (time)
            into = *time;
        else
            wrong_type(from, "an ISO 8601 date", "datetime_parsing", problems);
    } else if constexpr (std::is_same_v<T, TextMap>) {
        if (!from.is_object()) return wrong_type(from, "an object of texts", "dict_type", problems);
        into.clear();
        for (const auto& [key, value] : from.get_object()) {
            if (value.is_null()) continue;
            problems.enter(key);
            read_text(value, into.emplace_back(std::string(key), std::string()).second, problems);
            problems.leave();
        }
    } else if constexpr (is_patch<T>::value) {
        if (from.is_null()) {
            into = std::nullopt;
            return;
        }
        std::remove_cvref_t<decltype(*into)> value{};
        read(from, value, problems);
        into = std::move(value);
    } else if constexpr (is_optional<T>::value) {
        if (from.is_null()) {
            into.reset();
            return;
        }
        typename T::value_type value{};
        read(from, value, problems);
        into = std::move(value);
    } else if constexpr (is_vector<T>::value) {
        if (!from.is_array()) return wrong_type(from, "a list", "list_type", problems);
        into.clear();
        into.reserve(from.get_array().size());
        std::size_t index = 0;
        for (const json::value& element : from.get_array()) {
            problems.enter(std::to_string(index++));
            typename T::value_type value{};
            read(element, value, problems);
            into.push_back(std::move(value));
            problems.leave();
        }
    } else if constexpr (described_enum<T>) {
        read_enum(from, into, problems);
    } else {
        static_assert(described_struct<T>, "a type without a description has no JSON form");
        read_struct(from, into, problems);
    }
}

template <class T>
void write(const T& from, std::string& out);

inline void write_integer(std::int64_t number, std::string& out) {
    char text[24];
    const auto [end, ignored] = std::to_chars(text, text + sizeof text, number);
    out.append(text, end);
}

inline void write_number(double number, std::string& out) {
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    char text[32];
    const auto [end, ignored] = std::to_chars(text, text + sizeof text, number);
    const std::string_view written(text, static_cast<std::size_t>(end - text));
    out += written;
    if (written.find_first_of(".e") == std::string_view::npos) out += ".0";  // stays a float for every reader
}

template <described_enum E>
std::string_view enum_word(E value) {
    std::string_view found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
        if (enumerator.value == value) found = word(enumerator.name);
    });
    return found;
}

template <described_struct T>
void write_members(const T& from, std::string& out, bool& first) {
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
        using M = std::remove_cvref_t<decltype(from.*member.pointer)>;
        const M& value = from.*member.pointer;
        if constexpr (is_patch<M>::value) {
            if (!value.present()) return;
        }
        if (!first) out += ',';
        first = false;
        out += '"';
        out += member.name;
        out += "\":";
        write(value, out);
    });
}

template <class T>
void write(const T& from, std::string& out) {
    if constexpr (self_writing<T>) {
        write_json(from, out);
    } else if constexpr (std::is_same_v<T, std::string>) {
        append_json_string(out, from);
    } else if constexpr (std::is_same_v<T, bool>) {
        out += from ? "true" : "false";
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        write_integer(from, out);
    } else if constexpr (std::is_same_v<T, double>) {
        write_number(from, out);
    } else if constexpr (std::is_same_v<T, Json>) {
        out += from.text;
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        out += '"';
        out += to_iso8601(from);
        out += '"';
    } else if constexpr (std::is_same_v<T, TextMap>) {
        out += '{';
        for (const auto& [key, value] : from) {
            if (out.back() != '{') out += ',';
            append_json_string(out, key);
            out += ':';
            append_json_string(out, value);
        }
        out += '}';
    } else if constexpr (is_patch<T>::value) {
        if (from.has_value())
            write(*from, out);
        else
            out += "null";
    } else if constexpr (is_optional<T>::value) {
        if (from)
            write(*from, out);
        else
            out += "null";
    } else if constexpr (is_vector<T>::value) {
        out += '[';
        bool first = true;
        for (const auto& element : from) {
            if (!first) out += ',';
            first = false;
            write(element, out);
        }
        out += ']';
    } else if constexpr (is_variant<T>::value) {
        std::visit([&](const auto& alternative) { write(alternative, out); }, from);
    } else if constexpr (described_enum<T>) {
        out += '"';
        out += enum_word(from);
        out += '"';
    } else {
        static_assert(described_struct<T>, "a type without a description has no JSON form");
        out += '{';
        bool first = true;
        write_members(from, out, first);
        out += '}';
    }
}

template <class T>
T decode_from(std::string_view text, bool takes_nul) {
    unsigned char buffer[8192];
    json::monotonic_resource resource(buffer, sizeof buffer);
    Problems problems("body");
    problems.takes_nul = takes_nul;
    if (!is_utf8(text)) {
        // Not a violation of the schema but of the encoding: status 400 in the API.
        throw refused("Invalid UTF-8 in the body");
    }
    JsonParse parsed = parse_json_value(text, &resource);
    if (parsed.type == "invalid_utf8") throw refused(parsed.problem);
    if (!parsed.problem.empty()) {
        problems.add(parsed.where, parsed.problem, parsed.type);
        problems.throw_if_any();
    }
    T value{};
    read(parsed.value, value, problems);
    problems.throw_if_any();
    return value;
}

template <class T>
T decode_stored_from(std::string_view text) {
    try {
        return decode_from<T>(text, true);
    } catch (const Error&) {
        assertion_failed("stored JSON fits its struct", __FILE__, __LINE__);
    }
}

// ---- JSON Schema (for /openapi.json), from the same description ----

template <class T>
Schema schema_of_type();

template <described_struct T>
void add_properties(Schema& schema) {
    const T defaults{};
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
        using M = std::remove_cvref_t<decltype(defaults.*member.pointer)>;
        SchemaProperty property{member.name, schema_of_type<M>(), {}, is_required<T>(member.name), is_patch<M>::value};
        if constexpr (std::is_same_v<M, bool> || std::is_same_v<M, std::int64_t> || std::is_same_v<M, double> ||
                      described_enum<M>)
            write(defaults.*member.pointer, property.default_json);
        schema.properties.push_back(std::move(property));
    });
}

template <class T>
Schema schema_of_type() {
    Schema schema;
    if constexpr (self_writing<T> || self_reading<T>) {
        schema = json_schema(static_cast<const T*>(nullptr));
    } else if constexpr (std::is_same_v<T, std::string>) {
        schema.type = "string";
    } else if constexpr (std::is_same_v<T, bool>) {
        schema.type = "boolean";
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        schema.type = "integer";
    } else if constexpr (std::is_same_v<T, double>) {
        schema.type = "number";
    } else if constexpr (std::is_same_v<T, Json>) {
        schema.any = true;
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        schema.type = "string";
        schema.format = "date-time";
    } else if constexpr (std::is_same_v<T, TextMap>) {
        schema.type = "object";
        schema.values = std::make_shared<Schema>(schema_of_type<std::string>());
    } else if constexpr (is_patch<T>::value) {
        schema = schema_of_type<std::remove_cvref_t<decltype(*std::declval<T&>())>>();
        schema.nullable = true;
    } else if constexpr (is_optional<T>::value) {
        schema = schema_of_type<typename T::value_type>();
        schema.nullable = true;
    } else if constexpr (is_vector<T>::value) {
        schema.type = "array";
        schema.items = std::make_shared<Schema>(schema_of_type<typename T::value_type>());
    } else if constexpr (described_enum<T>) {
        schema.type = "string";
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
            [&](auto enumerator) { schema.words.emplace_back(word(enumerator.name)); });
    } else if constexpr (is_variant<T>::value) {
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, boost::mp11::mp_rename<T, boost::mp11::mp_list>>>(
            [&](auto alternative) { schema.any_of.push_back(schema_of_type<typename decltype(alternative)::type>()); });
    } else {
        schema.type = "object";
        add_properties<T>(schema);
    }
    return schema;
}

}  // namespace stele::mapping

namespace stele {

template <class T>
T decode(std::string_view text) {
    return mapping::decode_from<T>(text, false);
}

template <class T>
T decode_stored(std::string_view text) {
    return mapping::decode_stored_from<T>(text);
}

template <class T>
void encode(const T& value, std::string& out) {
    mapping::write(value, out);
}

template <class T>
Schema schema_of() {
    return mapping::schema_of_type<T>();
}

}  // namespace stele

#define STELE_JSON_WRITTEN(T)                            \
    template void encode<T>(const T&, std::string& out); \
    template Schema schema_of<T>();

#define STELE_JSON_READ(T)                  \
    template T decode<T>(std::string_view); \
    template Schema schema_of<T>();

#define STELE_JSON(T)                                    \
    template T decode<T>(std::string_view);              \
    template T decode_stored<T>(std::string_view);       \
    template void encode<T>(const T&, std::string& out); \
    template Schema schema_of<T>();
