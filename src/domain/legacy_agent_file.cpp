#include "domain/legacy_agent_file.hpp"

#include "base/error.hpp"
#include "domain/json_parse.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace stele {
namespace {

namespace json = boost::json;

// Members of an agent that mean the same in both forms; metadata changes its name.
constexpr std::string_view same_members[] = {
    "agent_type", "name", "description", "system", "llm_config", "embedding_config", "message_buffer_autoclear",
    "tool_rules"};

const json::array& list_of(const json::object& from, std::string_view name) {
    static const json::array nothing;
    const json::value* value = from.if_contains(name);
    return value != nullptr && value->is_array() ? value->get_array() : nothing;
}

// "tool", 3 -> "tool-3"
std::string file_id(std::string_view kind, std::size_t number) {
    return std::string(kind) + "-" + std::to_string(number);
}

// The objects of a list with ids of their own; `ids` gets the ids.
json::array numbered(const json::array& objects, std::string_view kind, json::array& ids) {
    json::array all;
    for (const json::value& each : objects) {
        json::value copy = each;
        const std::string id = file_id(kind, all.size());
        if (copy.is_object()) copy.get_object()["id"] = id;
        ids.emplace_back(id);
        all.push_back(std::move(copy));
    }
    return all;
}

json::array renamed_metadata(json::array blocks) {
    for (json::value& block : blocks) {
        if (!block.is_object()) continue;
        json::object& object = block.get_object();
        if (const json::value* metadata = object.if_contains("metadata_")) {
            json::value moved = *metadata;
            object["metadata"] = std::move(moved);
            object.erase("metadata_");
        }
    }
    return blocks;
}

}  // namespace

std::string legacy_message_id(std::size_t index) { return file_id("message", index); }

json::value upgraded_agent_file(const json::object& from, std::size_t messages) {
    for (const char* needed : {"agent_type", "llm_config", "messages"})
        if (!from.contains(needed))
            throw refused(std::string("Corrupted agent file format: it has neither the member agents nor the member ") +
                          needed + " of the older form");
    json::object agent;
    for (const std::string_view name : same_members)
        if (const json::value* value = from.if_contains(name)) agent[name] = *value;
    if (const json::value* metadata = from.if_contains("metadata_")) agent["metadata"] = *metadata;
    agent["id"] = file_id("agent", 0);

    json::array block_ids, tool_ids;
    json::array blocks = renamed_metadata(numbered(list_of(from, "core_memory"), "block", block_ids));
    json::array tools = numbered(list_of(from, "tools"), "tool", tool_ids);
    agent["messages"] = from.at("messages");  // a list of none, or what is none to be refused
    json::array in_context;
    for (const json::value& index : list_of(from, "in_context_message_indices")) {
        const std::uint64_t at =
            index.is_int64() && index.get_int64() >= 0 ? static_cast<std::uint64_t>(index.get_int64()) : messages;
        if (at >= messages)
            throw refused("The agent file can't be read: in_context_message_indices names a message that is not there");
        in_context.emplace_back(legacy_message_id(at));
    }
    agent["in_context_message_ids"] = std::move(in_context);
    agent["block_ids"] = std::move(block_ids);
    agent["tool_ids"] = std::move(tool_ids);
    json::array tags;
    for (const json::value& tag : list_of(from, "tags"))
        tags.push_back(tag.is_object() && tag.get_object().contains("tag") ? tag.get_object().at("tag") : tag);
    agent["tags"] = std::move(tags);
    json::object variables;
    for (const json::value& variable : list_of(from, "tool_exec_environment_variables")) {
        if (!variable.is_object()) continue;
        const json::value* key = variable.get_object().if_contains("key");
        if (key != nullptr && key->is_string()) variables[key->get_string()] = "";
    }
    agent["tool_exec_environment_variables"] = std::move(variables);

    json::object file;
    file["agents"] = json::array{std::move(agent)};
    file["blocks"] = std::move(blocks);
    file["tools"] = std::move(tools);
    return file;
}

namespace {

json::value member_or_null(const json::object& from, std::string_view name) {
    const json::value* value = from.if_contains(name);
    return value != nullptr ? *value : json::value();
}

}  // namespace

namespace {

json::value parsed(const std::string& text) { return parse_json_value(text).value; }

// Those of `objects` that `ids` name, without their ids.
json::array named(const json::array& objects, const json::array& ids) {
    json::array all;
    for (const json::value& each : objects) {
        json::object object = each.as_object();
        const auto id = object.find("id");
        if (std::find(ids.begin(), ids.end(), id->value()) == ids.end()) continue;
        object.stable_erase(id);
        all.push_back(std::move(object));
    }
    return all;
}

}  // namespace

LegacyFrame legacy_frame(const FileAgentHead& head, const AgentFileTail& rest) {
    const json::value agent_value = parsed(to_json(head));
    const json::object& agent = agent_value.get_object();
    const json::value front = parsed(to_json(static_cast<const AgentFileFront&>(rest)));
    const json::value back = parsed(to_json(static_cast<const AgentFileRest&>(rest)));
    const json::value created_at = member_or_null(back.get_object(), "created_at");
    json::object into;
    for (const std::string_view name : same_members) into[name] = member_or_null(agent, name);
    into["metadata_"] = member_or_null(agent, "metadata");
    into["created_at"] = created_at;
    into["updated_at"] = created_at;
    into["version"] = "0.12.1";  // of the form, not of the server: readers expect one that wrote it
    into["multi_agent_group"] = nullptr;

    json::array memory = named(list_of(front.get_object(), "blocks"), list_of(agent, "block_ids"));
    for (json::value& block : memory) {
        json::object& object = block.as_object();
        object["metadata_"] = member_or_null(object, "metadata");
        object.stable_erase(object.find("metadata"));
    }
    into["core_memory"] = std::move(memory);
    into["tools"] = named(list_of(back.get_object(), "tools"), list_of(agent, "tool_ids"));

    json::object behind;
    json::array tags;
    for (const json::value& tag : list_of(agent, "tags")) tags.push_back(json::object{{"tag", tag}});
    behind["tags"] = std::move(tags);
    json::array variables;
    if (const json::value* named = agent.if_contains("tool_exec_environment_variables");
        named != nullptr && named->is_object())
        for (const auto& [key, value] : named->get_object())
            variables.push_back(json::object{{"key", key},
                                             {"value", ""},
                                             {"description", nullptr},
                                             {"created_at", created_at},
                                             {"updated_at", created_at}});
    behind["tool_exec_environment_variables"] = std::move(variables);

    LegacyFrame frame;
    frame.before_messages = json::serialize(into);
    frame.before_messages.back() = ',';
    frame.before_messages += "\"messages\":[";
    frame.before_indices = "],\"in_context_message_indices\":[";
    frame.behind_indices = "]," + json::serialize(behind).substr(1);
    return frame;
}

std::string legacy_message(const FileMessage& message) {
    json::value value = parsed(to_json(message));
    json::object& object = value.get_object();
    for (const char* unknown : {"id", "agent_id", "type", "otid", "sender_id", "batch_item_id"})
        if (const auto found = object.find(unknown); found != object.end()) object.stable_erase(found);
    object["updated_at"] = member_or_null(object, "created_at");
    return json::serialize(object);
}

}  // namespace stele
