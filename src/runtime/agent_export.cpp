#include "runtime/agent_file_folders.hpp"
#include "runtime/agent_files.hpp"
#include "storage/group_repository.hpp"

#include <algorithm>
#include <map>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;
using Messages = ExportOptions::Messages;

constexpr char revision[] = "stele-1";  // of what this server writes

FileAgentHead head_of(const AgentState& state) {
    FileAgentHead head;
    head.name = state.name;
    head.tool_rules = state.tool_rules;
    head.tags = state.tags;
    head.system = state.system;
    head.agent_type = state.agent_type;
    head.description = state.description;
    head.metadata = state.metadata;
    head.llm_config = state.llm_config;
    head.embedding_config = state.embedding_config;
    head.model = state.model;
    head.embedding = state.embedding;
    head.model_settings = state.model_settings;
    head.compaction_settings = state.compaction_settings;
    for (const AgentVariable& variable : state.secrets)
        head.tool_exec_environment_variables.emplace_back(variable.key, std::string());
    if (!state.secrets.empty()) head.secrets = head.tool_exec_environment_variables;
    head.message_buffer_autoclear = state.message_buffer_autoclear;
    head.enable_sleeptime = state.enable_sleeptime.value_or(false);
    head.response_format = state.response_format;
    head.timezone = state.timezone.value_or("UTC");
    head.max_files_open = state.max_files_open;
    head.per_file_view_window_char_limit = state.per_file_view_window_char_limit;
    head.hidden = state.hidden;
    head.double_texting = state.double_texting;
    return head;
}

FileBlockBody file_block(const Block& block) {
    FileBlockBody into;
    static_cast<BlockBody&>(into) = block;
    into.project_id.reset();  // where it comes from means nothing elsewhere
    into.template_id.reset();
    into.base_template_id.reset();
    into.deployment_id.reset();
    into.entity_id.reset();
    into.tags = block.tags;
    into.id = block.id;
    return into;
}

FileGroup file_group(const Group& group) {
    FileGroup into;
    into.agent_ids = group.agent_ids;
    into.description = group.description;
    into.shared_block_ids = group.shared_block_ids;
    into.hidden = group.hidden;
    into.id = group.id;
    FileManager& manager = into.manager_config;
    manager.manager_type = group.manager_type;
    const auto take = [](Patch<std::int64_t>& target, const std::optional<std::int64_t>& value) {
        if (value) target = *value;
    };
    if (group.manager_agent_id) manager.manager_agent_id = *group.manager_agent_id;
    if (group.termination_token) manager.termination_token = *group.termination_token;
    take(manager.max_turns, group.max_turns);
    take(manager.sleeptime_agent_frequency, group.sleeptime_agent_frequency);
    take(manager.max_message_buffer_length, group.max_message_buffer_length);
    take(manager.min_message_buffer_length, group.min_message_buffer_length);
    return into;
}

FileMcpServer file_server(const McpServer& server) {
    FileMcpServer into;
    into.id = server.id;
    into.server_type = to_string(server.type);
    into.server_name = server.server_name;
    into.server_url = server.config.server_url.optional();
    if (server.config.command.has_value()) {
        McpConfig command;  // env and whatever logs in stay here
        command.command = server.config.command;
        command.args = server.config.args;
        into.stdio_config.text = to_json(command);
    }
    return into;
}

template <class T>
void add_once(std::vector<T>& list, const T& item) {
    if (std::none_of(list.begin(), list.end(), [&](const T& each) { return each.id == item.id; })) list.push_back(item);
}

// From ids of the store to ids of the file, counted by kind over the whole of it.
class FileIds {
public:
    explicit FileIds(std::string kind) : kind_(std::move(kind)) {}

    template <class T>
    void give(std::vector<T>& objects) {
        for (T& object : objects) {
            const std::string id = kind_ + "-" + std::to_string(ids_.size());
            ids_.emplace(object.id, id);
            object.id = id;
        }
    }
    void add(const std::string& id) { ids_.emplace(id, kind_ + "-" + std::to_string(ids_.size())); }
    void translate(std::string& id) const {
        const auto found = ids_.find(id);
        if (found != ids_.end()) id = found->second;
    }
    void translate(std::vector<std::string>& ids) const {
        for (std::string& id : ids) translate(id);
    }
    bool knows(const std::string& id) const { return ids_.contains(id); }

private:
    std::string kind_;
    std::map<std::string, std::string> ids_;
};

void give_ids(AgentFiles::Export& into) {
    AgentFileTail& tail = into.tail;
    std::sort(tail.tools.begin(), tail.tools.end(), [](const Tool& a, const Tool& b) { return a.name < b.name; });
    std::stable_sort(tail.blocks.begin(), tail.blocks.end(),
                     [](const FileBlockBody& a, const FileBlockBody& b) { return a.label < b.label; });
    FileIds agents("agent"), groups("group"), blocks("block"), tools("tool"), servers("mcp_server"),
        messages("message"), sources("source"), files("file");
    for (const AgentFiles::Export::Of& of : into.agents) agents.add(of.agent_id);
    groups.give(tail.groups);
    blocks.give(tail.blocks);
    tools.give(tail.tools);
    servers.give(tail.mcp_servers);
    sources.give(tail.sources);
    for (auto& [id, file] : into.files) {
        files.add(id);
        files.translate(file.id);
        sources.translate(file.source_id);
    }
    for (FileGroup& group : tail.groups) {
        std::erase_if(group.agent_ids, [&](const std::string& id) { return !agents.knows(id); });
        agents.translate(group.agent_ids);
        std::erase_if(group.shared_block_ids, [&](const std::string& id) { return !blocks.knows(id); });
        blocks.translate(group.shared_block_ids);
        if (group.manager_config.manager_agent_id.has_value()) agents.translate(*group.manager_config.manager_agent_id);
    }
    for (std::size_t i = 0; i < into.agents.size(); ++i) {
        AgentFiles::Export::Of& of = into.agents[i];
        of.head.id = of.agent_id;
        agents.translate(of.head.id);
        tools.translate(of.head.tool_ids);
        std::sort(of.head.tool_ids.begin(), of.head.tool_ids.end());
        blocks.translate(of.head.block_ids);
        groups.translate(of.tail.group_ids);
        sources.translate(of.head.source_ids);
        for (FileAttachment& attached : of.tail.files_agents) {
            agents.translate(attached.agent_id);
            files.translate(attached.file_id);
            sources.translate(attached.source_id);
        }
        for (Message& message : of.messages) {
            if (into.options.messages == Messages::all) {
                of.head.in_context_message_ids.push_back(file_message_id(message, i, into.agents.size()));
            } else {
                messages.add(message.id);
                messages.translate(message.id);
                of.head.in_context_message_ids.push_back(message.id);
            }
        }
        if (into.options.messages == Messages::all) of.messages.clear();
    }
}

}  // namespace

std::string file_message_id(const Message& message, std::size_t agent, std::size_t agents) {
    const std::int64_t number = message.position * static_cast<std::int64_t>(agents) + static_cast<std::int64_t>(agent);
    return "message-" + std::to_string(number);
}

awaitable<void> AgentFiles::add_agent(Export& into, std::string organization_id, std::string agent_id) const {
    const bool there = std::any_of(into.agents.begin(), into.agents.end(),
                                   [&](const Export::Of& each) { return each.agent_id == agent_id; });
    if (there) co_return;
    AgentInclude everything;
    const AgentState state = co_await parts_.agent_service.get(organization_id, agent_id, everything);
    Export::Of of;
    of.organization_id = organization_id;
    of.agent_id = agent_id;
    of.timezone = state.timezone.value_or("UTC");
    of.head = head_of(state);
    for (const Tool& tool : state.tools) of.head.tool_ids.push_back(tool.id);
    for (const Block& block : state.blocks) of.head.block_ids.push_back(block.id);
    for (const Tool& tool : state.tools) add_once(into.tail.tools, tool);
    co_await add_folders(into, of, agent_id);
    for (const Block& block : state.blocks) add_once(into.tail.blocks, file_block(block));
    if (into.options.messages != Messages::none) {
        std::string conversation_id;
        if (into.agents.empty()) conversation_id = into.options.conversation_id;
        of.messages = co_await parts_.messages.in_context(agent_id, std::move(conversation_id));
    }
    const std::vector<Group> groups = co_await parts_.groups.managed_by(agent_id);
    for (const Group& group : groups) {
        of.tail.group_ids.push_back(group.id);
        FileGroup written = file_group(group);
        add_once(into.tail.groups, written);
    }
    into.agents.push_back(std::move(of));
    for (const Group& group : groups)
        for (const std::string& member : group.agent_ids) co_await add_agent(into, organization_id, member);
}

awaitable<void> AgentFiles::add_folders(Export& into, Export::Of& of, std::string agent_id) const {
    const std::vector<Folder> folders = co_await parts_.folders.of_agent(agent_id);
    for (const Folder& folder : folders) {
        of.head.source_ids.push_back(folder.id);
        const bool there = std::any_of(into.tail.sources.begin(), into.tail.sources.end(),
                                       [&](const FileFolder& each) { return each.id == folder.id; });
        if (there) continue;
        into.tail.sources.push_back(file_folder(folder));
        const std::vector<FileMetadata> files = co_await parts_.files.all_of_folder(folder.id);
        for (const FileMetadata& file : files) into.files.emplace_back(file.id, file_document(file));
    }
    const std::vector<AttachedFile> attached = co_await parts_.attached.of_agent(agent_id);
    for (const AttachedFile& file : attached) of.tail.files_agents.push_back(file_attachment(file, agent_id));
}

awaitable<AgentFiles::Export> AgentFiles::prepare_export(std::string organization_id, std::string agent_id,
                                                         ExportOptions options) const {
    Export into;
    into.options = std::move(options);
    if (!into.options.conversation_id.empty()) {  // told apart from an agent that does not exist
        const auto loaded =
            co_await load_agent(parts_.database, organization_id, agent_id, into.options.conversation_id);
        if (!loaded) throw not_found("Agent", agent_id);
    }
    co_await add_agent(into, organization_id, std::move(agent_id));
    for (const Tool& tool : into.tail.tools) {
        if (tool.tool_type != "external_mcp") continue;
        const auto mcp = json_member_text(tool.metadata_.text, "mcp");
        const auto server_id = mcp ? json_member_text(*mcp, "server_id") : std::nullopt;
        if (!server_id) continue;
        const auto server = co_await parts_.mcp_servers.find(organization_id, *server_id);
        if (!server) continue;
        FileMcpServer written = file_server(*server);
        add_once(into.tail.mcp_servers, written);
    }
    into.tail.skills = into.options.skills;
    into.tail.metadata.emplace_back("revision_id", revision);
    into.tail.created_at = now();
    give_ids(into);
    co_return into;
}

}  // namespace stele::runtime
