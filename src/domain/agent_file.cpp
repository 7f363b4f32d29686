#include "domain/agent_file.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {
namespace {

namespace json = boost::json;

constexpr std::string_view link_members[] = {
    "tool_ids", "block_ids", "source_ids",   "folder_ids", "identity_ids",           "memory_blocks",
    "tools",    "messages",  "files_agents", "group_ids",  "in_context_message_ids", "id"};

}  // namespace

void read_json(const json::value& from, FileAgent& into, Problems& problems) {
    if (!from.is_object()) return mapping::wrong_type(from, "an object", "object_type", problems);
    mapping::read(from, into.links, problems);
    json::object rest(from.storage());
    for (const auto& [name, value] : from.get_object())
        if (std::find(std::begin(link_members), std::end(link_members), name) == std::end(link_members))
            rest.emplace(name, value);
    // Files written before a partner was asked for say nothing of one, and bring theirs along.
    const json::value* type = rest.if_contains("agent_type");
    if (type != nullptr && type->is_string() && type->get_string() == "voice_convo_agent")
        rest["enable_sleeptime"] = true;
    mapping::read(json::value(std::move(rest)), into.request, problems);
    into.request.memory_blocks = into.request.memory_blocks.value_or({});
}

Schema json_schema(const FileAgent*) { return mapping::schema_of_type<FileAgentHead>(); }

template Schema schema_of<AgentFile>();
STELE_JSON_WRITTEN(FileAgentHead)
STELE_JSON_WRITTEN(FileAgentTail)
STELE_JSON_WRITTEN(FileDocument)
STELE_JSON_WRITTEN(AgentFileFront)
STELE_JSON_WRITTEN(AgentFileRest)
STELE_JSON_WRITTEN(ImportedAgents)
STELE_JSON_READ(ExportAgentRequest)

}  // namespace stele
