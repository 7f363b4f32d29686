#include "llm/chat_request.hpp"

#include "base/json_text.hpp"
#include "llm/reasoning_details.hpp"

#include <charconv>

namespace stele::llm {
namespace {

// Member `name`, if there is a number for it.
void append_number(std::string& out, std::string_view name, std::optional<double> number) {
    if (!number) return;
    char digits[32];
    out += ",\"";
    out += name;
    out += "\":";
    out.append(digits, std::to_chars(digits, digits + sizeof digits, *number).ptr);
}

void append_stop(std::string& out, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    out += ",\"stop\":[";
    for (const std::string& text : texts) {
        if (out.back() != '[') out += ',';
        append_json_string(out, text);
    }
    out += ']';
}

void append_image(std::string& out, const Image& image) {
    out += "{\"type\":\"image_url\",\"image_url\":{\"url\":";
    append_json_string(out, image.data.empty() ? image.url : "data:" + image.media_type + ";base64," + image.data);
    if (!image.detail.empty()) {
        out += ",\"detail\":";
        append_json_string(out, image.detail);
    }
    out += "}}";
}

void append_user_content(std::string& out, const Turn& turn) {
    if (turn.images.empty()) {
        append_json_string(out, turn.text);
        return;
    }
    out += '[';
    if (!turn.text.empty()) {
        out += "{\"type\":\"text\",\"text\":";
        append_json_string(out, turn.text);
        out += '}';
    }
    for (const Image& image : turn.images) {
        if (out.back() != '[') out += ',';
        append_image(out, image);
    }
    out += ']';
}

void append_calls(std::string& out, const std::vector<ToolCall>& calls) {
    out += ",\"tool_calls\":[";
    for (const ToolCall& call : calls) {
        if (out.back() != '[') out += ',';
        out += "{\"id\":";
        append_json_string(out, call.id);
        out += ",\"type\":\"function\",\"function\":{\"name\":";
        append_json_string(out, call.name);
        out += ",\"arguments\":";
        append_json_string(out, call.arguments);
        out += "}}";
    }
    out += ']';
}

void append_turn(std::string& out, const Turn& turn, bool developer_role, bool reasoning_back) {
    switch (turn.role) {
        case Role::system:
            out += developer_role ? "{\"role\":\"developer\",\"content\":" : "{\"role\":\"system\",\"content\":";
            append_json_string(out, turn.text);
            break;
        case Role::user:
            out += "{\"role\":\"user\",\"content\":";
            append_user_content(out, turn);
            break;
        case Role::assistant:
            out += "{\"role\":\"assistant\",\"content\":";
            if (turn.text.empty())
                out += "null";
            else
                append_json_string(out, turn.text);
            if (ReasoningDetails::is_list(turn.reasoning_signature)) {
                out += ",\"reasoning_details\":";
                out += turn.reasoning_signature;
            }
            if (turn.tool_calls.empty()) break;
            if (reasoning_back) {  // an empty one too: a call of another model has none
                out += ",\"reasoning_content\":";
                append_json_string(out, turn.reasoning);
            }
            append_calls(out, turn.tool_calls);
            break;
        case Role::tool:
            out += "{\"role\":\"tool\",\"tool_call_id\":";
            append_json_string(out, turn.tool_call_id);
            out += ",\"content\":";
            append_json_string(out, turn.text);
            break;
    }
    out += '}';
}

void append_tools(std::string& out, const ModelRequest& request, const Quirks& quirks) {
    out += ",\"tools\":[";
    for (const ToolSpec& tool : request.tools) {
        if (out.back() != '[') out += ',';
        out += "{\"type\":\"function\",\"function\":{\"name\":";
        append_json_string(out, tool.name);
        out += ",\"description\":";
        append_json_string(out, tool.description);
        out += ",\"parameters\":";
        out += tool.parameters_json;
        if (tool.strict) out += ",\"strict\":true";
        out += "}}";
    }
    out += "],\"tool_choice\":";
    switch (request.tool_choice.kind) {
        case ToolChoice::Kind::automatic:
            out += "\"auto\"";
            break;
        case ToolChoice::Kind::none:
            out += "\"none\"";
            break;
        case ToolChoice::Kind::required:
            out += quirks.no_required_tool ? "\"auto\"" : "\"required\"";
            break;
        case ToolChoice::Kind::tool:
            if (quirks.no_required_tool) {
                out += "\"auto\"";
            } else if (quirks.no_forced_tool) {
                out += "\"required\"";
            } else {
                out += "{\"type\":\"function\",\"function\":{\"name\":";
                append_json_string(out, request.tool_choice.tool);
                out += "}}";
            }
            break;
    }
    if (!quirks.no_parallel_switch)
        out += request.parallel_tool_calls ? ",\"parallel_tool_calls\":true" : ",\"parallel_tool_calls\":false";
}

}  // namespace

bool is_reasoning_model(std::string_view model) {
    for (const std::string_view family : {"o1", "o3", "o4", "gpt-5"})
        if (model.starts_with(family)) return model.find("chat") == std::string_view::npos;
    return false;
}

std::string encode_chat_request(const ModelRequest& request, const Quirks& quirks, bool stream) {
    const bool reasons = quirks.official_openai && is_reasoning_model(request.model);
    std::size_t expected = 512;
    for (const Turn& turn : request.turns) expected += turn.text.size() + 128;
    for (const ToolSpec& tool : request.tools)
        expected += tool.description.size() + tool.parameters_json.size() + tool.name.size() + 96;
    std::string out;
    out.reserve(expected + expected / 8);
    out += "{\"model\":";
    append_json_string(out, request.model);
    out += ",\"messages\":[";
    for (const Turn& turn : request.turns) {
        if (out.back() != '[') out += ',';
        append_turn(out, turn, reasons, quirks.reasoning_back);
    }
    out += ']';
    if (!request.tools.empty()) append_tools(out, request, quirks);
    if (request.max_output_tokens) {
        out += quirks.max_tokens_name ? ",\"max_tokens\":" : ",\"max_completion_tokens\":";
        out += std::to_string(*request.max_output_tokens);
    }
    if (!reasons) {
        append_number(out, "temperature", request.temperature);
        append_number(out, "top_p", request.top_p);
        append_number(out, "presence_penalty", request.presence_penalty);
    }
    append_number(out, "frequency_penalty", request.frequency_penalty);
    if (request.seed) out += ",\"seed\":" + std::to_string(*request.seed);
    append_stop(out, request.stop);
    if (!request.reasoning_effort.empty() && reasons) {
        out += ",\"reasoning_effort\":";
        append_json_string(out, request.reasoning_effort);
    }
    if (!request.verbosity.empty() && reasons) {
        out += ",\"verbosity\":";
        append_json_string(out, request.verbosity);
    }
    if (!request.response_format_json.empty()) {
        out += ",\"response_format\":";
        out += request.response_format_json;
    }
    if (!request.user.empty() && !quirks.no_user) {
        out += ",\"user\":";
        append_json_string(out, request.user);
    }
    if (stream) out += ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
    return out + "}";
}

}  // namespace stele::llm
