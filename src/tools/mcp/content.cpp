#include "tools/mcp/content.hpp"

#include "base/utf8.hpp"
#include "tools/mcp/rpc.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

constexpr std::size_t text_bytes_max = 4u << 20;

// "[image: image/png, 1234 bytes]"
std::string note(const std::string& what, const json::value& part, const std::string& base64) {
    std::string type = text_member(part, "mimeType");
    if (type.empty()) type = "unknown type";
    return "[" + what + ": " + type + ", " + std::to_string(base64.size() / 4 * 3) + " bytes]";
}

std::string resource_text(const json::value& resource) {
    if (member(resource, "text").is_string()) return text_member(resource, "text");
    return note("resource " + text_member(resource, "uri"), resource, text_member(resource, "blob"));
}

std::string part_text(const json::value& part) {
    const std::string type = text_member(part, "type");
    if (type == "text") return text_member(part, "text");
    if (type == "image" || type == "audio") return note(type, part, text_member(part, "data"));
    if (type == "resource") return resource_text(member(part, "resource"));
    if (type == "resource_link") return text_member(part, "name") + ": " + text_member(part, "uri");
    return "[content of the unknown type '" + type + "']";
}

std::string joined(const json::value& content, bool& has_text) {
    std::string text;
    std::string before;
    if (!content.is_array()) return text;
    for (const json::value& part : content.get_array()) {
        const std::string type = text_member(part, "type");
        if (!before.empty()) text += before == "text" && type == "text" ? " " : "\n";
        text += part_text(part);
        has_text = has_text || type == "text";
        before = type.empty() ? "?" : type;
        if (text.size() > text_bytes_max) break;
    }
    return text;
}

}  // namespace

CallResult call_result(const json::value& result) {
    if (!result.is_object()) return {false, true, "The server's answer is no result of a tool"};
    const std::string kind = text_member(result, "resultType");
    if (kind == "input_required")
        return {false, true, "The tool asks its user for more input, which can't be given here"};
    if (!kind.empty() && kind != "complete")
        return {false, true, "The server's answer is of the unknown kind '" + kind + "'"};
    bool has_text = false;
    std::string text = joined(member(result, "content"), has_text);
    const json::value& structured = member(result, "structuredContent");
    if (!has_text && !structured.is_null()) text += (text.empty() ? "" : "\n") + json::serialize(structured);
    if (text.empty()) text = "Empty response from tool";
    std::erase(text, '\0');
    text.resize(first_bytes(text, text_bytes_max).size());
    const json::value& failed = member(result, "isError");
    return {!(failed.is_bool() && failed.get_bool()), true, std::move(text)};
}

}  // namespace stele::tools::mcp
