#include "domain/content.hpp"

#include "domain/json_mapping.hpp"

namespace stele {

void read_json(const boost::json::value& from, MessageContent& into, Problems& problems) {
    into.parts.clear();
    const bool outside = std::exchange(problems.takes_nul, true);
    if (from.is_string()) {
        into.parts.push_back(text_part(std::string(from.get_string())));
    } else if (from.is_object()) {
        ContentPart part;
        mapping::read(from, part, problems);
        into.parts.push_back(std::move(part));
    } else if (from.is_array()) {
        mapping::read(from, into.parts, problems);
    } else {
        mapping::wrong_type(from, "a text or a list of content parts", "string_type", problems);
    }
    problems.takes_nul = outside;
    for (ContentPart& part : into.parts)
        if (part.text.has_value()) std::erase(*part.text, '\0');
}

void write_json(const MessageContent& from, std::string& out) {
    if (from.parts.size() == 1 && from.parts.front().type == "text")
        append_json_string(out, from.parts.front().text.value_or(""));
    else
        mapping::write(from.parts, out);
}

Schema json_schema(const MessageContent*) {
    Schema text;
    text.type = "string";
    Schema schema;
    schema.any_of = {text, mapping::schema_of_type<std::vector<ContentPart>>()};
    return schema;
}

void check(const ContentPart& part, Problems& problems) {
    if (part.type == "text") {
        if (!part.text.has_value()) problems.add("text", "is required", "missing");
    } else if (part.type == "image") {
        if (!part.source.has_value()) problems.add("source", "is required", "missing");
    } else if (part.type == "reasoning") {
        if (!part.reasoning.has_value()) problems.add("reasoning", "is required", "missing");
    } else if (part.type != "redacted_reasoning" && part.type != "omitted_reasoning" &&
               part.type != "summarized_reasoning" && part.type != "tool_call" && part.type != "tool_return") {
        problems.add("type", "must be one of: text, image, reasoning, redacted_reasoning, omitted_reasoning",
                     "union_tag_invalid", json_string(part.type));
    }
}

ContentPart text_part(std::string text) {
    ContentPart part;
    part.text = std::move(text);
    part.signature = std::nullopt;
    return part;
}

ContentPart reasoning_part(std::string reasoning, bool is_native, std::string signature) {
    ContentPart part;
    part.type = "reasoning";
    part.is_native = is_native;
    part.reasoning = std::move(reasoning);
    if (signature.empty())
        part.signature = std::nullopt;
    else
        part.signature = std::move(signature);
    return part;
}

ContentPart omitted_reasoning_part(std::string signature) {
    ContentPart part;
    part.type = "omitted_reasoning";
    part.signature = std::move(signature);
    return part;
}

std::string plain_text(const std::vector<ContentPart>& parts) {
    std::string text;
    for (const ContentPart& part : parts) {
        if (!text.empty()) text += '\n';
        text += part.type == "text" ? part.text.value_or("") : "[" + part.type + "]";
    }
    return text;
}

STELE_JSON_WRITTEN(MessageContent)

}  // namespace stele
