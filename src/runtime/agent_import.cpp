#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/positions.hpp"
#include "runtime/agent_file_folders.hpp"
#include "runtime/agent_files.hpp"
#include "runtime/file_ingest.hpp"
#include "runtime/initial_messages.hpp"
#include "storage/group_repository.hpp"
#include "storage/trash.hpp"

#include "domain/file_name.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr char notes_member[] = "import_notes";

// {"a":1} -> {"a":1,"import_notes":[...]}
void add_notes(Json& metadata, const std::vector<std::string>& notes) {
    if (notes.empty() || json_member_text(metadata.text, notes_member)) return;
    std::string list = json_string(notes_member) + ":[";
    for (const std::string& note : notes) list += (list.back() == '[' ? "" : ",") + json_string(note);
    list += "]}";
    if (metadata.is_null() || metadata.text == "{}")
        metadata.text = "{" + list;
    else
        metadata.text = metadata.text.substr(0, metadata.text.size() - 1) + "," + list;
}

Block block_of(const FileBlock& from, const std::string& actor) {
    CreateBlock request = from;
    const std::int64_t limit = request.limit.value_or(BlockBody().limit);
    const auto bytes = static_cast<std::int64_t>(request.value.has_value() ? request.value->text.size() : 0);
    request.limit = std::max(limit, bytes);  // the file's text stands, whatever its limit
    request.project_id = {};
    request.template_id = request.base_template_id = request.deployment_id = request.entity_id = {};
    Block block = make_block(std::move(request), actor);
    block.limit = limit;
    return block;
}

// What adjusts a model in a request is in the configuration of a file already.
void take_config_as_it_is(const CreateAgent& request, Agent& agent) {
    if (!request.llm_config.has_value()) return;
    agent.llm_config = *request.llm_config;
    agent.model_settings = request.model_settings.optional();
}

void override_models(CreateAgent& request, const ImportOptions& options) {
    if (options.model) {
        request.llm_config = {};
        request.model_settings = {};
        request.model = *options.model;
    }
    if (options.embedding) {
        request.embedding_config = {};
        request.embedding = *options.embedding;
    }
}

// The names of the file with the values that came with the request, and whatever else did.
void fill_secrets(CreateAgent& request, const TextMap& values) {
    TextMap all = request.secrets.has_value() ? *request.secrets : request.tool_exec_environment_variables.value_or({});
    for (const auto& [name, value] : values) {
        const auto known = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.first == name; });
        if (known != all.end())
            known->second = value;
        else
            all.emplace_back(name, value);
    }
    request.secrets = std::move(all);
}

// Where the messages of one agent in a file come to stand.
struct Places {
    std::int64_t first = 0;                      ///< position of the first
    std::map<std::size_t, std::size_t> windows;  ///< by message: whose place in the window it takes
    std::string agent_id;

    void take(Message& message, std::size_t number) const {
        message.agent_id = agent_id;
        message.position = first + static_cast<std::int64_t>(number);
        if (const auto found = windows.find(number); found != windows.end())
            message.context_position = first + static_cast<std::int64_t>(found->second);
    }
};

Places places_for(const AgentFileMessages& messages, std::string agent_id) {
    Places places;
    places.agent_id = std::move(agent_id);
    places.first = next_positions(static_cast<std::int64_t>(messages.count));
    std::vector<std::size_t> sorted = messages.window;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t k = 0; k < sorted.size(); ++k) places.windows[messages.window[k]] = sorted[k];
    return places;
}

}  // namespace

struct AgentFiles::Import {
    std::string organization_id, actor;
    AgentFile file;
    std::vector<AgentFileMessages> messages;  ///< by agent
    bool whole = true, legacy = false;        ///< AgentFileContents
    ImportOptions options;
    storage::Transaction transaction;
    std::map<std::string, McpServer> servers;  ///< by their names
    std::map<std::string, Tool> tools;         ///< by the ids of the file
    std::map<std::string, Block> blocks;
    std::map<std::string, Folder> folders;
    std::map<std::string, FileMetadata> files;
    std::map<std::string, std::string> agents;
    std::vector<std::string> agent_ids;
    std::vector<std::string> notes;  ///< what was left out

    // Of a file that is not whole: what is stored before all else, and what is stored under it.
    storage::Transaction stage;
    std::vector<std::string> staged_ids;
    std::map<std::size_t, Places> places;             ///< by agent
    std::map<std::size_t, std::string> staged_files;  ///< ids of those that get their content later, by their numbers
};

awaitable<void> AgentFiles::import_servers(Import& at) const {
    for (const FileMcpServer& from : at.file.mcp_servers) {
        auto stored = co_await parts_.mcp_servers.find_by_name(at.organization_id, from.server_name);
        if (stored) {
            at.servers.emplace(from.server_name, std::move(*stored));
            continue;
        }
        McpServerConfig config;
        if (from.stdio_config.text.starts_with('{'))
            config = decode<McpServerConfig>([&] {
                std::string text = from.stdio_config.text;
                text.pop_back();
                return text + (text.size() > 1 ? "," : "") + "\"server_name\":" + json_string(from.server_name) + "}";
            }());
        if (from.server_url) config.server_url = *from.server_url;
        const auto type = parse_mcp_server_type(from.server_type);
        if (!type) throw refused("mcp_servers: unknown server_type '" + from.server_type + "'");
        McpServer server;
        server.id = new_id("mcp_server");
        server.organization_id = at.organization_id;
        server.server_name = from.server_name;
        server.type = *type;
        server.config = config;
        server.config.env = {};
        server.created_by_id = server.last_updated_by_id = at.actor;
        server.created_at = server.updated_at = now();
        parts_.mcp_servers.insert(at.transaction, server);
        at.servers.emplace(from.server_name, std::move(server));
    }
}

awaitable<void> AgentFiles::import_tools(Import& at) const {
    for (const Tool& tool : at.file.tools) {
        Tool copy = tool;
        co_await import_tool(at, std::move(copy));
    }
}

awaitable<void> AgentFiles::import_tool(Import& at, Tool tool) const {
    const std::string file_id = tool.id;
    std::vector<std::string> names{tool.name};
    const std::vector<Tool> found = co_await parts_.tools.find_by_names(at.organization_id, std::move(names));
    const std::optional<Tool> stored = found.empty() ? std::nullopt : std::optional(found.front());
    const bool from_mcp = tool.tool_type == "external_mcp";
    if (stored && (!is_custom(*stored) || from_mcp || !at.options.override_existing_tools)) {
        at.tools.emplace(file_id, *stored);
        co_return;
    }
    if (tool.tool_type.starts_with("letta_")) {
        at.notes.push_back("The built-in tool " + tool.name + " is not known here and was left out");
        co_return;
    }
    if (tool.json_schema.is_null() && tool.source_code) {
        std::string source = *tool.source_code;
        Json args = tool.args_json_schema;
        tool.json_schema = co_await parts_.tool_service.derive(std::move(source), tool.source_type.value_or("python"),
                                                               std::move(args));
    }
    if (tool.json_schema.is_null()) throw refused("tools: " + tool.name + " has neither a schema nor a source");
    const SchemaHead head = complete_schema(tool.json_schema, "tools." + tool.name + ".json_schema");
    if (head.name != tool.name) throw refused("tools: " + tool.name + " has a schema of the name " + head.name);
    if (!tool.description) tool.description = head.description;
    if (!tool.source_code) tool.source_type = "json";
    tool.project_id.reset();
    tool.last_updated_by_id = at.actor;
    if (stored) {
        tool.id = stored->id;
        tool.tool_type = stored->tool_type;
        tool.created_by_id = stored->created_by_id;
        tool.created_at = stored->created_at;
        tool.version = stored->version;
        parts_.tools.update(at.transaction, at.organization_id, tool);
        at.tools.emplace(file_id, std::move(tool));
        co_return;
    }
    tool.id = new_id("tool");
    tool.created_by_id = at.actor;
    tool.created_at = now();
    if (!from_mcp) {
        tool.tool_type = "custom";
        parts_.tools.insert(at.transaction, at.organization_id, tool);
        at.tools.emplace(file_id, std::move(tool));
        co_return;
    }
    const std::string mcp = json_member_text(tool.metadata_.text, "mcp").value_or("{}");
    const auto server = at.servers.find(json_member_text(mcp, "server_name").value_or(""));
    if (server == at.servers.end()) {
        at.notes.push_back("The tool " + tool.name +
                           " belongs to an MCP server that the file does not name, and was left out");
        co_return;
    }
    storage::McpToolLink link;
    link.tool = tool;
    link.remote_name = json_member_text(mcp, "tool_name").value_or(tool.name);
    parts_.tools.insert(at.transaction, at.organization_id, tool);
    parts_.mcp_servers.link_tool(at.transaction, server->second.id, link);
    at.tools.emplace(file_id, std::move(tool));
}

void AgentFiles::store_content(storage::Transaction& transaction, const FileDocument& file, const std::string& id,
                               const std::string& content) const {
    if (file.image_type.empty()) return parts_.files.set_text(transaction, id, content);
    parts_.files.set_bytes(transaction, id, content);
}

// They are made anew; their files are worked on behind the import.
awaitable<void> AgentFiles::import_folders(Import& at) const {
    const bool streams_texts =
        !at.whole && std::any_of(at.file.files.begin(), at.file.files.end(),
                                 [](const FileDocument& each) { return each.content.has_value(); });
    for (const FileFolder& from : at.file.sources) {
        Folder folder = folder_of(from, at.organization_id, at.actor);
        const auto taken = co_await parts_.folders.find_by_name(at.organization_id, folder.name);
        const bool twice = std::any_of(at.folders.begin(), at.folders.end(),
                                       [&](const auto& each) { return each.second.name == folder.name; });
        if (taken || twice) folder.name += "_" + random_hex(4);
        if (at.options.embedding)
            folder.embedding_config = parts_.agent_service.embedding_config(at.organization_id, *at.options.embedding);
        at.folders.emplace(from.id, std::move(folder));
    }
    for (auto& [file_id, folder] : at.folders) {
        if (!streams_texts) {
            parts_.folders.insert(at.transaction, folder);
            continue;
        }
        Folder hidden = folder;
        hidden.organization_id = storage::trash_organization_id;
        hidden.name = folder.id;  // no other there has it
        parts_.folders.insert(at.stage, hidden);
        parts_.imports.stage(at.stage, at.organization_id, "folder", folder.id);
        parts_.imports.release(at.transaction, folder);
        at.staged_ids.push_back(folder.id);
    }
    for (std::size_t number = 0; number < at.file.files.size(); ++number) {
        const FileDocument& from = at.file.files[number];
        const Folder& folder = at.folders.at(from.source_id);
        FileMetadata file = file_of(from, folder, at.actor);
        file.created_at = file.updated_at = from_micros(next_position());  // their order in the folder
        const std::string name = *file.file_name;
        const auto is_taken = [&] {
            return std::any_of(at.files.begin(), at.files.end(), [&](const auto& each) {
                return each.second.source_id == folder.id && each.second.file_name == file.file_name;
            });
        };
        for (std::size_t again = 1; is_taken(); ++again) file.file_name = numbered_file_name(name, again);
        if (streams_texts) {
            FileMetadata hidden = file;
            hidden.organization_id = storage::trash_organization_id;
            hidden.processing_status = FileStatus::completed;  // nobody works on it yet
            parts_.files.insert(at.stage, hidden);
            parts_.imports.release(at.transaction, file);
            if (from.content) at.staged_files.emplace(number, file.id);
        } else {
            parts_.files.insert(at.transaction, file);
            if (from.content) store_content(at.transaction, from, file.id, *from.content);
        }
        at.files.emplace(from.id, std::move(file));
    }
}

// What is open, and what it shows, is as in the file, as far as the agent may have files open.
awaitable<NewFolders> AgentFiles::folders_of(const Import& at, const FileAgent& from) const {
    NewFolders made;
    if (from.links.source_ids.empty()) co_return made;
    made.tools = co_await parts_.folder_links.file_tools(at.organization_id);
    const std::int64_t most = from.request.max_files_open.value_or(std::numeric_limits<std::int64_t>::max());
    std::int64_t open = 0;
    for (const std::string& id : from.links.source_ids) {
        made.folders.push_back(at.folders.at(id));
        for (const auto& [file_id, file] : at.files) {
            if (file.source_id != made.folders.back().id || !file.has_text) continue;
            AttachedFile& attached = made.files.emplace_back();
            attached.id = new_id("file_agent");
            attached.file_id = file.id;
            attached.file_name = file.full_name();
            attached.folder_id = file.source_id;
            attached.folder_name = file.folder_name;
            for (const FileAttachment& was : from.links.files_agents) {
                if (was.file_id != file_id) continue;
                attached.last_accessed_at = was.last_accessed_at;
                attached.is_open = was.is_open && was.visible_content && open < most;
                if (!attached.is_open) continue;
                ++open;
                attached.visible_content = was.visible_content;
                attached.start_line = was.start_line;
                attached.end_line = was.end_line;
            }
        }
    }
    co_return made;
}

awaitable<void> AgentFiles::import_agent(Import& at, std::size_t index) const {
    FileAgent& from = at.file.agents[index];
    CreateAgent& request = from.request;
    const bool has_embedding = request.embedding_config.has_value() || request.embedding.has_value();
    override_models(request, at.options);
    fill_secrets(request, at.options.secrets);
    request.include_base_tools = request.include_multi_agent_tools = request.include_default_source = false;
    request.tools = {};
    request.template_id = request.base_template_id = {};
    request.project_id = {};
    if (at.options.project_id) request.project_id = *at.options.project_id;
    request.initial_message_sequence = std::vector<InitialMessage>();
    if (at.options.name)
        request.name = *at.options.name + (index == 0 ? "" : " " + std::to_string(index + 1));
    else if (at.options.append_copy_suffix && request.name.has_value())
        request.name = *request.name + "_copy";
    for (const FileGroup& group : at.file.groups)
        if (group.manager_config.manager_agent_id.value_or("") == from.links.id &&
            (group.manager_config.manager_type == ManagerType::sleeptime ||
             group.manager_config.manager_type == ManagerType::voice_sleeptime))
            request.enable_sleeptime = true;
    NewAgent given;
    for (const std::string& id : from.links.tool_ids)
        if (const auto tool = at.tools.find(id); tool != at.tools.end()) given.tools.push_back(tool->second);
    for (const std::string& id : from.links.block_ids) given.blocks.push_back(at.blocks.at(id));
    given.folders = co_await folders_of(at, from);
    NewAgent made = co_await parts_.agent_service.prepare(at.organization_id, at.actor, request, std::move(given));
    if (!has_embedding && !at.options.embedding) {
        made.agent.embedding_config.reset();
        made.agent.embedding.reset();
    }
    take_config_as_it_is(request, made.agent);
    std::vector<std::string> notes = at.notes;
    add_notes(made.agent.metadata, notes);
    for (const std::string& note : notes) log::info("agent_file.note", {{"agent_id", made.agent.id}, {"note", note}});
    if (!at.options.strip_messages && at.messages[index].count > 0) place_messages(at, index, made);
    at.agents.emplace(from.links.id, made.agent.id);
    at.agent_ids.push_back(made.agent.id);
    parts_.agent_service.insert(at.transaction, made, request, at.actor);
}

void AgentFiles::place_messages(Import& at, std::size_t index, NewAgent& made) const {
    const AgentFileMessages& messages = at.messages[index];
    // The compiled one is older than those that have just been made, so it stands in front of them.
    if (messages.begins_with_system) made.messages.clear();
    made.agent.message_count = static_cast<std::int64_t>(made.messages.size() + messages.count);
    Places places = places_for(messages, made.agent.id);
    if (at.whole) {
        StoredMessages maker;
        const std::vector<FileMessage>& kept = at.file.agents[index].links.messages;
        for (std::size_t number = 0; number < kept.size(); ++number) {
            Message message = maker.next(kept[number]);
            places.take(message, number);
            made.messages.push_back(std::move(message));
        }
        return;
    }
    Agent hidden = made.agent;
    hidden.organization_id = storage::trash_organization_id;
    parts_.agents.insert(at.stage, hidden);
    parts_.imports.stage(at.stage, at.organization_id, "agent", made.agent.id);
    parts_.imports.release(at.transaction, made.agent);
    made.stored = true;
    at.staged_ids.push_back(made.agent.id);
    at.places.emplace(index, std::move(places));
}

void AgentFiles::store_some(Import& at, storage::Transaction& transaction, AgentFileStream::Some some) const {
    std::vector<Message> messages;
    for (AgentFileStream::Some::Of& of : some.messages) {
        const auto places = at.places.find(of.owner);
        if (places == at.places.end()) continue;  // of an agent that begins without
        places->second.take(of.message, of.number);
        messages.push_back(std::move(of.message));
    }
    parts_.messages.insert(transaction, at.organization_id, messages);
    for (const auto& [number, content] : some.contents)
        if (const auto id = at.staged_files.find(number); id != at.staged_files.end())
            store_content(transaction, at.file.files[number], id->second, content);
}

awaitable<void> AgentFiles::store_stream(Import& at, AgentFileSource source) const {
    co_await parts_.database.commit(std::move(at.stage));
    const auto stream = std::make_shared<AgentFileStream>(std::move(source), at.legacy);
    const std::function<AgentFileStream::Some()> next = [stream] { return stream->next(); };
    for (bool last = false; !last;) {
        std::function<AgentFileStream::Some()> work = next;
        AgentFileStream::Some some = co_await parts_.workers.run(std::move(work));
        last = some.last;
        storage::Transaction slice;
        store_some(at, slice, std::move(some));
        if (!slice.empty()) co_await parts_.database.commit(std::move(slice));
    }
}

void AgentFiles::import_groups(Import& at) const {
    for (const FileGroup& from : at.file.groups) {
        GroupCreate request;
        for (const std::string& id : from.agent_ids) request.agent_ids.push_back(at.agents.at(id));
        for (const std::string& id : from.shared_block_ids) request.shared_block_ids.push_back(at.blocks.at(id).id);
        request.description = from.description;
        request.manager_config = from.manager_config;
        if (request.manager_config.manager_agent_id.has_value())
            request.manager_config.manager_agent_id = at.agents.at(*request.manager_config.manager_agent_id);
        if (from.hidden) request.hidden = *from.hidden;
        if (at.options.project_id) request.project_id = *at.options.project_id;
        Group group = make_group(request);
        group.id = new_id("group");
        group.created_at = group.updated_at = now();
        group.created_by_id = group.last_updated_by_id = at.actor;
        parts_.groups.insert(at.transaction, at.organization_id, group);
    }
}

awaitable<AgentFileContents> AgentFiles::read(AgentFileSource source) const {
    const auto check = std::make_shared<AgentFileCheck>(std::move(source));
    const std::function<bool()> read_some = [check] { return check->read_some(); };
    for (bool last = false; !last;) {
        std::function<bool()> work = read_some;
        last = co_await parts_.workers.run(std::move(work));
    }
    std::function<AgentFileContents()> finish = [check] { return check->finish(); };
    co_return co_await parts_.workers.run(std::move(finish));
}

awaitable<std::vector<std::string>> AgentFiles::import(std::string organization_id, std::string actor,
                                                       AgentFileSource source, ImportOptions options) const {
    Import at;
    AgentFileContents contents = co_await read(source);
    at.organization_id = std::move(organization_id);
    at.actor = std::move(actor);
    at.file = std::move(contents.file);
    at.messages = std::move(contents.messages);
    at.whole = contents.whole;
    at.legacy = contents.legacy;
    at.options = std::move(options);
    if (!at.file.skills.empty())
        log::info("agent_file.note", {{"note", "skills were left out: no agent here keeps its memory in files"}});
    co_await import_servers(at);
    co_await import_tools(at);
    for (const FileBlock& from : at.file.blocks) {
        Block block = block_of(from, at.actor);
        parts_.blocks.insert(at.transaction, at.organization_id, block);
        at.blocks.emplace(from.id, std::move(block));
    }
    co_await import_folders(at);
    for (std::size_t i = 0; i < at.file.agents.size(); ++i) co_await import_agent(at, i);
    import_groups(at);
    const AgentImportKeeper::Work work(parts_.keeper, at.staged_ids);
    if (!at.staged_ids.empty()) co_await store_stream(at, std::move(source));
    co_await parts_.database.commit(std::move(at.transaction));
    if (!at.files.empty()) parts_.ingest.wake();
    co_return std::move(at.agent_ids);
}

}  // namespace stele::runtime
