#include "runtime/agent_import.hpp"
#include "base/ids.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/positions.hpp"
#include "runtime/file_ingest.hpp"
#include "runtime/initial_messages.hpp"
#include "storage/group_repository.hpp"
#include "storage/trash.hpp"

#include <algorithm>

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

MessagePlaces places_for(const AgentFileMessages& messages, std::string agent_id) {
    MessagePlaces places;
    places.agent_id = std::move(agent_id);
    places.first = next_positions(static_cast<std::int64_t>(messages.count));
    std::vector<std::size_t> sorted = messages.window;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t k = 0; k < sorted.size(); ++k) places.windows[messages.window[k]] = sorted[k];
    return places;
}

}  // namespace

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
    MessagePlaces places = places_for(messages, made.agent.id);
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
