#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stele {

struct SchemaProperty;

/// A JSON Schema as /openapi.json needs it; made from a struct's description.
struct Schema {
    std::string type;    ///< "object", "array", "string", ... empty with `any`
    std::string format;  ///< "date-time" or empty
    bool any = false;    ///< any JSON value
    bool nullable = false;
    std::vector<std::string> words;  ///< of an enumeration
    std::shared_ptr<Schema> items;   ///< of an array
    std::vector<SchemaProperty> properties;
    std::vector<Schema> any_of;      ///< a union
    std::shared_ptr<Schema> values;  ///< of an object with free keys
};

struct SchemaProperty {
    std::string name;
    Schema schema;
    std::string default_json;  ///< empty: none worth telling
    bool required = false;     ///< in a request
    bool optional = false;     ///< may be left out of an answer
};

/// The schema of a described struct. Instantiated in domain/*.cpp beside its JSON.
template <class T>
Schema schema_of();

/// Which members a schema calls required: those that a request must bring, or those that every answer has.
enum class SchemaUse : std::uint8_t { request, answer };

/// Appends `schema` as JSON.
void append_schema(const Schema& schema, std::string& out, SchemaUse use = SchemaUse::request);

}  // namespace stele
