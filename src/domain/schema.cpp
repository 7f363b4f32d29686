#include "domain/schema.hpp"

#include "base/json_text.hpp"

namespace stele {
namespace {

void append_required(const Schema& schema, SchemaUse use, std::string& out) {
    std::string names;
    for (const SchemaProperty& property : schema.properties) {
        if (use == SchemaUse::request ? !property.required : property.optional) continue;
        if (!names.empty()) names += ',';
        append_json_string(names, property.name);
    }
    if (!names.empty()) out += ",\"required\":[" + names + ']';
}

void append_body(const Schema& schema, SchemaUse use, std::string& out) {
    if (schema.any) return;
    if (!schema.any_of.empty()) {
        out += "\"anyOf\":[";
        for (const Schema& alternative : schema.any_of) {
            if (out.back() != '[') out += ',';
            append_schema(alternative, out, use);
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
        append_schema(*schema.items, out, use);
    }
    if (!schema.properties.empty()) {
        out += ",\"properties\":{";
        for (const SchemaProperty& property : schema.properties) {
            if (out.back() != '{') out += ',';
            append_json_string(out, property.name);
            out += ':';
            append_schema(property.schema, out, use);
            if (!property.default_json.empty()) {
                out.pop_back();
                if (out.back() != '{') out += ',';
                out += "\"default\":" + property.default_json + '}';
            }
        }
        out += '}';
        append_required(schema, use, out);
    }
    if (schema.values) {
        out += ",\"additionalProperties\":";
        append_schema(*schema.values, out, use);
    }
}

}  // namespace

void append_schema(const Schema& schema, std::string& out, SchemaUse use) {
    if (schema.nullable && !schema.any) {
        out += "{\"anyOf\":[{";
        append_body(schema, use, out);
        out += "},{\"type\":\"null\"}]}";
        return;
    }
    out += '{';
    append_body(schema, use, out);
    out += '}';
}

}  // namespace stele
