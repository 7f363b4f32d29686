#include "tools/mcp/tool_list.hpp"

#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <sodium.h>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace stele::tools::mcp {
namespace {

namespace json = boost::json;

constexpr std::size_t pages_max = 100, tools_max = 10'000;
constexpr std::size_t list_bytes_max = 16u << 20;  // of all tools together
constexpr std::size_t definition_bytes_max = 256u
                                             << 10;  // of one; larger ones are kept as INVALID, without their schema
constexpr std::size_t definition_depth_max = 44;  // stored, it lies within other objects, and 64 is what is ever read
constexpr std::size_t description_characters_max = 20'000;
constexpr std::size_t remote_name_bytes_max = 256;
constexpr std::size_t own_name_max = 64;  // what model providers take
constexpr char held_back_member[] = "waits_for_approval";
constexpr std::int64_t ttl_ms_max = 3'600'000;

std::optional<std::string> optional_text(const json::value& from, std::string_view name) {
    const json::value& found = member(from, name);
    if (!found.is_string()) return std::nullopt;
    std::string text(found.get_string());
    std::erase(text, '\0');
    text.resize(first_code_points(text, description_characters_max).size());
    return text;
}

bool can_be_said(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string spoken(std::string_view name) {
    std::string made(name);
    for (char& c : made)
        if (!can_be_said(c)) c = '_';
    return made;
}

Json object_or_null(const json::value& from, std::string_view name) {
    const json::value& found = member(from, name);
    return Json{found.is_object() ? json::serialize(found) : "null"};
}

McpTool tool_of(const json::value& from, std::string name, std::size_t bytes) {
    McpTool tool;
    tool.name = std::move(name);
    tool.title = optional_text(from, "title");
    tool.description = optional_text(from, "description");
    std::vector<std::string> problems;
    if (bytes > definition_bytes_max) {
        problems.emplace_back("its definition has more than 256 KiB");
    } else if (depth_of(from) > definition_depth_max) {
        problems.emplace_back("its definition is too deep");
    } else {
        if (member(from, "inputSchema").is_object())
            tool.inputSchema.text = json::serialize(member(from, "inputSchema"));
        tool.outputSchema = object_or_null(from, "outputSchema");
        tool.annotations = object_or_null(from, "annotations");
        tool._meta = object_or_null(from, "_meta");
    }
    const json::value schema = normalised(parsed(tool.inputSchema.text), problems);
    tool.health = health_of(schema, std::move(problems));
    return tool;
}

json::object mcp_of(const Tool& tool) {
    const json::value metadata = parsed(tool.metadata_.text);
    const json::value& mcp = member(metadata, "mcp");
    return mcp.is_object() ? mcp.get_object() : json::object();
}

void set_mcp(Tool& tool, json::object mcp) {
    json::value metadata = parsed(tool.metadata_.text);
    if (!metadata.is_object()) metadata = json::object();
    metadata.get_object()["mcp"] = std::move(mcp);
    tool.metadata_.text = json::serialize(metadata);
}

}  // namespace

bool ToolList::take(const json::value& page) {
    cursor_.clear();
    const json::value& listed = member(page, "tools");
    if (!listed.is_array()) {
        problem_ = "its list of tools is no list";
        return false;
    }
    for (const json::value& each : listed.get_array()) {
        std::string name = text_member(each, "name");
        if (name.empty() || name.size() > remote_name_bytes_max || name.find('\0') != name.npos) continue;
        if (!names_.insert(name).second) continue;
        const std::size_t bytes = json::serialize(each).size();
        bytes_ += std::min(bytes, definition_bytes_max);
        if (tools_.size() == tools_max || bytes_ > list_bytes_max) {
            problem_ = "its list of tools is too long, and was cut";
            return false;
        }
        tools_.push_back(tool_of(each, std::move(name), bytes));
    }
    if (const json::value& ttl = member(page, "ttlMs"); ttl.is_int64())
        ttl_ms_ = std::clamp<std::int64_t>(ttl.get_int64(), 0, ttl_ms_max);
    std::string cursor = text_member(page, "nextCursor");
    if (cursor.empty()) return false;
    if (++pages_ == pages_max || !cursors_.insert(cursor).second) {
        problem_ = "its list of tools does not end, and was cut";
        return false;
    }
    cursor_ = std::move(cursor);
    return true;
}

Tool tool_for(const McpTool& offer, const McpServer& server, const std::string& name) {
    Tool tool;
    tool.tool_type = "external_mcp";
    tool.name = name;
    tool.description = offer.description.value_or(offer.title.value_or(""));
    tool.source_type = "python";
    tool.source_code = "def " + spoken(name) +
                       "(**kwargs):\n    raise RuntimeError(\"This is a tool of an MCP server and runs there\")\n";
    tool.tags = {"mcp:" + server.server_name};
    std::vector<std::string> ignored;
    json::object schema;
    schema["name"] = name;
    schema["description"] = *tool.description;
    schema["parameters"] = normalised(parsed(offer.inputSchema.text), ignored);
    if (offer.health) {
        schema["mcp:SCHEMA_STATUS"] = offer.health->status;
        json::array reasons;
        for (const std::string& reason : offer.health->reasons) reasons.emplace_back(reason);
        schema["mcp:SCHEMA_WARNINGS"] = std::move(reasons);
    }
    tool.json_schema.text = json::serialize(schema);
    set_mcp(tool, {{"server_name", server.server_name},
                   {"server_id", server.id},
                   {"tool_name", offer.name},
                   {"fingerprint", fingerprint_of(offer)}});
    return tool;
}

std::string own_name(const std::string& remote_name, const std::string& server_name, bool qualified) {
    std::string name = spoken(qualified ? server_name + "__" + remote_name : remote_name);
    if (name.size() <= own_name_max) return name;
    return name.substr(name.size() - own_name_max);  // the end tells tools apart
}

// Thousands of names may be one to models: so each number is tried once, not anew for every tool.
std::string OwnNames::take(const std::string& remote_name) {
    std::string name = own_name(remote_name, server_name_, false);
    if (taken_.contains(name)) name = own_name(remote_name, server_name_, true);
    if (taken_.contains(name)) {
        int& number = numbers_.try_emplace(name, 1).first->second;
        while (taken_.contains(name)) name = own_name(remote_name + "_" + std::to_string(++number), server_name_, true);
    }
    taken_.insert(name);
    return name;
}

std::string fingerprint_of(const McpTool& offer) {
    const std::string text = offer.description.value_or(offer.title.value_or("")) + "\n" + offer.inputSchema.text;
    unsigned char hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    char hex[sizeof hash * 2 + 1];
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return hex;
}

bool is_as_approved(const Tool& tool, const McpTool& offer, const McpServer& server) {
    const std::string approved = text_member(mcp_of(tool), "fingerprint");
    if (!approved.empty()) return approved == fingerprint_of(offer);
    const Tool offered = tool_for(offer, server, tool.name);
    return tool.description.value_or("") == *offered.description &&
           member(parsed(tool.json_schema.text), "parameters") ==
               member(parsed(offered.json_schema.text), "parameters");
}

std::optional<ToolOrigin> origin_of(const Tool& tool) {
    if (tool.tool_type != "external_mcp") return std::nullopt;
    const json::value mcp = mcp_of(tool);
    ToolOrigin origin;
    origin.server_id = text_member(mcp, "server_id");
    origin.server_name = text_member(mcp, "server_name");
    origin.remote_name = text_member(mcp, "tool_name");
    if (origin.remote_name.empty()) origin.remote_name = tool.name;  // imported from elsewhere
    origin.fingerprint = text_member(mcp, "fingerprint");
    const json::value& held = member(mcp, held_back_member);
    origin.offered_fingerprint = text_member(held, "fingerprint");
    origin.waits_for_approval = !held.is_null();
    return origin;
}

void hold_back(Tool& tool, const McpTool& offer, const McpServer& server) {
    const Tool offered = tool_for(offer, server, tool.name);
    json::object mcp = mcp_of(tool);
    mcp[held_back_member] = json::object{{"description", *offered.description},
                                         {"json_schema", parsed(offered.json_schema.text)},
                                         {"fingerprint", fingerprint_of(offer)}};
    set_mcp(tool, std::move(mcp));
}

void accept(Tool& tool, const McpTool& offer, const McpServer& server) {
    hold_back(tool, offer, server);
    accept_held_back(tool);
}

bool accept_held_back(Tool& tool) {
    json::object mcp = mcp_of(tool);
    const json::value held = member(mcp, held_back_member);
    if (!held.is_object()) return false;
    tool.description = text_member(held, "description");
    tool.json_schema.text = json::serialize(member(held, "json_schema"));
    mcp["fingerprint"] = text_member(held, "fingerprint");
    mcp.erase(held_back_member);
    set_mcp(tool, std::move(mcp));
    return true;
}

void forget_held_back(Tool& tool) {
    json::object mcp = mcp_of(tool);
    mcp.erase(held_back_member);
    set_mcp(tool, std::move(mcp));
}

void follow_rename(Tool& tool, const McpServer& server, const std::string& old_name) {
    std::replace(tool.tags.begin(), tool.tags.end(), "mcp:" + old_name, "mcp:" + server.server_name);
    json::object mcp = mcp_of(tool);
    mcp["server_name"] = server.server_name;
    set_mcp(tool, std::move(mcp));
}

}  // namespace stele::tools::mcp
