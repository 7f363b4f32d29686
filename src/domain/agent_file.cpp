#include "domain/agent_file.hpp"

#include "domain/json_mapping.hpp"
#include "domain/legacy_agent_file.hpp"

#include <algorithm>
#include <set>

namespace stele {
namespace {

namespace json = boost::json;

constexpr std::string_view link_members[] = {
    "tool_ids", "block_ids", "source_ids",   "folder_ids", "identity_ids",           "memory_blocks",
    "tools",    "messages",  "files_agents", "group_ids",  "in_context_message_ids", "id"};

// References of a file and where each stands, so that all that lead nowhere are told at once.
class References {
public:
    void define(const std::string& kind, const std::string& id) {
        if (id.empty())
            problem(kind + ": every one needs an id");
        else if (!known_.insert(id).second)
            problem("the id " + id + " is there twice");
        kinds_[kind].insert(id);
    }
    void demand(const std::string& where, const std::string& kind, const std::string& id) {
        if (!kinds_[kind].contains(id)) problem(where + ": the file has no " + kind + " " + id);
    }
    void demand_all(const std::string& where, const std::string& kind, const std::vector<std::string>& ids) {
        for (const std::string& id : ids) demand(where, kind, id);
    }
    void throw_if_any() const {
        if (problems_.empty()) return;
        throw refused("The agent file can't be read: " + problems_ + (more_ ? "; and more" : ""));
    }

private:
    void problem(const std::string& text) {
        if (problems_.size() > 2'000) {
            more_ = true;
            return;
        }
        problems_ += (problems_.empty() ? "" : "; ") + text;
    }

    std::set<std::string> known_;
    std::map<std::string, std::set<std::string>> kinds_;
    std::string problems_;
    bool more_ = false;
};

void check_references(const AgentFile& file) {
    References references;
    for (const FileAgent& agent : file.agents) references.define("agent", agent.links.id);
    for (const FileGroup& group : file.groups) references.define("group", group.id);
    for (const FileBlock& block : file.blocks) references.define("block", block.id);
    for (const Tool& tool : file.tools) references.define("tool", tool.id);
    for (const FileMcpServer& server : file.mcp_servers) references.define("MCP server", server.id);
    for (const FileFolder& source : file.sources) references.define("source", source.id);
    for (const FileDocument& document : file.files) references.define("file", document.id);
    for (const FileDocument& document : file.files)
        references.demand(document.id + ".source_id", "source", document.source_id);
    for (const FileAgent& agent : file.agents) {
        const FileAgentLinks& links = agent.links;
        References own;
        for (const FileMessage& message : links.messages) own.define("message", message.id);
        own.demand_all(links.id + ".in_context_message_ids", "message", links.in_context_message_ids);
        own.throw_if_any();
        references.demand_all(links.id + ".tool_ids", "tool", links.tool_ids);
        references.demand_all(links.id + ".block_ids", "block", links.block_ids);
        references.demand_all(links.id + ".source_ids", "source", links.source_ids);
        for (const FileAttachment& attached : links.files_agents) {
            references.demand(links.id + ".files_agents", "file", attached.file_id);
            references.demand(links.id + ".files_agents", "source", attached.source_id);
            if (attached.agent_id != links.id)
                references.demand(links.id + ".files_agents", "agent of its own", attached.agent_id);
        }
    }
    for (const FileGroup& group : file.groups) {
        references.demand_all(group.id + ".agent_ids", "agent", group.agent_ids);
        references.demand_all(group.id + ".shared_block_ids", "block", group.shared_block_ids);
        const auto& manager = group.manager_config.manager_agent_id;
        if (manager.has_value()) references.demand(group.id + ".manager_config", "agent", *manager);
    }
    references.throw_if_any();
    if (file.agents.empty()) throw refused("The agent file can't be read: it holds no agent");
}

// What is wrong with the members of a file, as the one sentence that an import answers with.
Error not_readable(const Error& error) {
    std::string text;
    for (const Error::Field& field : error.fields) {
        if (text.size() > 2'000) {
            text += "; and more";
            break;
        }
        const std::string_view where = std::string_view(field.where).starts_with("body.")
                                           ? std::string_view(field.where).substr(5)
                                           : std::string_view(field.where);
        text += (text.empty() ? "" : "; ") + std::string(where) + " " + field.problem;
    }
    return refused("The agent file can't be read: " + (text.empty() ? std::string(error.what()) : text));
}

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

AgentFile parse_agent_file(const std::string& text) {
    if (!is_utf8(text)) throw refused("Corrupted agent file format: it is no UTF-8");
    JsonParse parsed = parse_json_value(text);
    std::string unwrapped;
    if (parsed.problem.empty() && parsed.value.is_string()) {
        unwrapped = std::string(parsed.value.get_string());
        parsed = parse_json_value(unwrapped);
    }
    if (!parsed.problem.empty()) throw refused("Corrupted agent file format: " + parsed.problem);
    if (!parsed.value.is_object()) throw refused("Corrupted agent file format: it must be a JSON object");
    const json::value* agents = parsed.value.get_object().if_contains("agents");
    if (agents == nullptr) parsed.value = upgraded_agent_file(parsed.value.get_object());

    Problems problems("body");
    problems.takes_nul = true;
    AgentFile file;
    mapping::read(parsed.value, file, problems);
    try {
        problems.throw_if_any();
    } catch (const Error& error) {
        throw not_readable(error);
    }
    check_references(file);
    return file;
}

template Schema schema_of<AgentFile>();
STELE_JSON_WRITTEN(FileAgentHead)
STELE_JSON_WRITTEN(FileAgentTail)
STELE_JSON_WRITTEN(FileDocument)
STELE_JSON_WRITTEN(AgentFileFront)
STELE_JSON_WRITTEN(AgentFileRest)
STELE_JSON_WRITTEN(ImportedAgents)
STELE_JSON_READ(ExportAgentRequest)

}  // namespace stele
