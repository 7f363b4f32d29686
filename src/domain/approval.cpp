#include "domain/approval.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

namespace json = boost::json;

constexpr std::size_t tool_name_max = 64;  // of the providers

// The API's words are macros of the C library, so these members have no description.
constexpr char stdout_word[] =
    "std"
    "out";
constexpr char stderr_word[] =
    "std"
    "err";

template <class T>
bool read_member(const json::object& from, const char* name, T& into, Problems& problems) {
    const json::value* value = from.if_contains(name);
    if (value == nullptr || value->is_null()) return false;
    problems.enter(name);
    mapping::read(*value, into, problems);
    problems.leave();
    return true;
}

// A text, or a list of texts and images.
void read_return(const json::object& from, ApprovalDecision& into, Problems& problems) {
    const json::value* value = from.if_contains("tool_return");
    if (value == nullptr || value->is_null()) return problems.add("tool_return", "is required", "missing");
    const bool outside = std::exchange(problems.takes_nul, true);
    problems.enter("tool_return");
    if (value->is_string()) {
        into.tool_return = std::string(value->get_string());
    } else if (value->is_array()) {
        mapping::read(*value, into.parts, problems);
        for (std::size_t i = 0; i < into.parts->size(); ++i) {
            ContentPart& part = (*into.parts)[i];
            if (part.type != "text" && part.type != "image")
                problems.add(std::to_string(i) + ".type", "must be text or image", "union_tag_invalid",
                             json_string(part.type));
            if (part.text.has_value()) std::erase(*part.text, '\0');
        }
        into.tool_return = plain_text(*into.parts);
    } else {
        mapping::wrong_type(*value, "a text or a list of content parts", "string_type", problems);
    }
    problems.leave();
    problems.takes_nul = outside;
    std::erase(into.tool_return, '\0');
}

void read_result(const json::object& from, ApprovalDecision& into, Problems& problems) {
    read_return(from, into, problems);
    if (!read_member(from, "status", into.status, problems))
        problems.add("status", "is required", "missing");
    else if (into.status != "success" && into.status != "error")
        problems.add("status", "must be success or error", "literal_error", json_string(into.status));
    read_member(from, stdout_word, into.stdout_lines, problems);
    read_member(from, stderr_word, into.stderr_lines, problems);
}

void read_verdict(const json::object& from, ApprovalDecision& into, Problems& problems) {
    if (!read_member(from, "approve", into.approve, problems)) problems.add("approve", "is required", "missing");
    read_member(from, "reason", into.reason, problems);
}

Schema text_schema(std::vector<std::string> words = {}) {
    Schema schema;
    schema.type = "string";
    schema.words = std::move(words);
    return schema;
}

}  // namespace

void read_json(const json::value& from, ApprovalDecision& into, Problems& problems) {
    if (!from.is_object()) return mapping::wrong_type(from, "an object", "object_type", problems);
    const json::object& object = from.get_object();
    std::string type = object.contains("tool_return") ? "tool" : "approval";
    read_member(object, "type", type, problems);
    if (type != "approval" && type != "tool")
        return problems.add("type", "must be approval or tool", "union_tag_invalid", json_string(type));
    into.kind = type == "tool" ? ApprovalDecision::Kind::tool : ApprovalDecision::Kind::approval;
    if (!read_member(object, "tool_call_id", into.tool_call_id, problems))
        problems.add("tool_call_id", "is required", "missing");
    if (into.kind == ApprovalDecision::Kind::tool)
        read_result(object, into, problems);
    else
        read_verdict(object, into, problems);
}

void write_output_lines(const std::optional<std::vector<std::string>>& stdout_lines,
                        const std::optional<std::vector<std::string>>& stderr_lines, std::string& out) {
    out += std::string(",\"") + stdout_word + "\":";
    mapping::write(stdout_lines, out);
    out += std::string(",\"") + stderr_word + "\":";
    mapping::write(stderr_lines, out);
}

void write_json(const ApprovalDecision& from, std::string& out) {
    if (from.kind == ApprovalDecision::Kind::approval) {
        out += "{\"type\":\"approval\",\"tool_call_id\":" + json_string(from.tool_call_id) +
               ",\"approve\":" + (from.approve ? "true" : "false") + ",\"reason\":";
        mapping::write(from.reason, out);
    } else {
        out += "{\"type\":\"tool\",\"tool_return\":";
        if (from.parts)
            mapping::write(*from.parts, out);
        else
            append_json_string(out, from.tool_return);
        out += ",\"status\":" + json_string(from.status) + ",\"tool_call_id\":" + json_string(from.tool_call_id);
        write_output_lines(from.stdout_lines, from.stderr_lines, out);
    }
    out += '}';
}

Schema json_schema(const ApprovalDecision*) {
    const Schema lines = mapping::schema_of_type<std::optional<std::vector<std::string>>>();
    Schema verdict, result, content;
    content.any_of = {text_schema(), mapping::schema_of_type<std::vector<ContentPart>>()};
    verdict.type = result.type = "object";
    verdict.properties = {{"type", text_schema({"approval"}), "\"approval\""},
                          {"tool_call_id", text_schema(), {}, true},
                          {"approve", mapping::schema_of_type<bool>(), {}, true},
                          {"reason", mapping::schema_of_type<std::optional<std::string>>(), {}}};
    result.properties = {{"type", text_schema({"tool"}), "\"tool\""},
                         {"tool_return", content, {}, true},
                         {"status", text_schema({"success", "error"}), {}, true},
                         {"tool_call_id", text_schema(), {}, true},
                         {stdout_word, lines, {}},
                         {stderr_word, lines, {}}};
    Schema schema;
    schema.any_of = {verdict, result};
    return schema;
}

void check(const ClientTool& tool, Problems& problems) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    if (tool.name.empty())
        problems.add("name", "is required", "missing");
    else if (tool.name.size() > tool_name_max || !std::all_of(tool.name.begin(), tool.name.end(), fits))
        problems.add("name", "may hold at most 64 letters, digits, _ and -", "string_pattern_mismatch",
                     json_string(first_code_points(tool.name, tool_name_max)));
    if (!tool.parameters.is_null() && tool.parameters.text.front() != '{')
        problems.add("parameters", "must be a JSON schema object", "dict_type");
}

STELE_JSON_WRITTEN(ApprovalDecision)
STELE_JSON_READ(ModifyApprovalRequest)

}  // namespace stele
