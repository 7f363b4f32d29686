#include "domain/schema.hpp"

#include "base/json_text.hpp"

namespace stele {
namespace {

void append_body(const Schema& schema, std::string& out) {
    if (schema.any) return;
    if (!schema.any_of.empty()) {
        out += "\"anyOf\":[";
        for (const Schema& alternative : schema.any_of) {
            if (out.back() != '[') out += ',';
            append_schema(alternative, out);
        }
        out += ']';
        return;
    }
    out += "\"type\":";
    append_json_string(out, schema.type);
    if (!schema.format.empty()) {
        out += ",\"format\":";
        append_json_string(out, schema.format);
    }
    if (!schema.words.empty()) {
        out += ",\"enum\":[";
        for (const std::string& word : schema.words) {
            if (out.back() != '[') out += ',';
            append_json_string(out, word);
        }
        out += ']';
    }
    if (schema.items) {
        out += ",\"items\":";
        append_schema(*schema.items, out);
    }
    if (!schema.properties.empty()) {
        out += ",\"properties\":{";
        for (const SchemaProperty& property : schema.properties) {
            if (out.back() != '{') out += ',';
            append_json_string(out, property.name);
            out += ':';
            append_schema(property.schema, out);
            if (!property.default_json.empty()) {
                out.pop_back();
                if (out.back() != '{') out += ',';
                out += "\"default\":" + property.default_json + '}';
            }
        }
        out += '}';
    }
}

}  // namespace

void append_schema(const Schema& schema, std::string& out) {
    if (schema.nullable && !schema.any) {
        out += "{\"anyOf\":[{";
        append_body(schema, out);
        out += "},{\"type\":\"null\"}]}";
        return;
    }
    out += '{';
    append_body(schema, out);
    out += '}';
}

}  // namespace stele
