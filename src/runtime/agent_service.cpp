#include "runtime/agent_service.hpp"

#include "base/contains.hpp"
#include "base/ids.hpp"
#include "domain/memory_file.hpp"
#include "domain/message_view.hpp"
#include "runtime/context_overview.hpp"
#include "runtime/initial_messages.hpp"
#include "storage/group_repository.hpp"
#include "storage/identity_repository.hpp"
#include "tools/builtin/tables.hpp"

#include <algorithm>
#include <set>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

std::vector<std::string> without_repeats(const std::vector<std::string>& list) {
    std::vector<std::string> once;
    for (const std::string& item : list)
        if (!contains(once, item)) once.push_back(item);
    return once;
}

// The newer word wins.
std::optional<std::vector<std::string>> folders_named(const AgentLinksRequest& request) {
    const auto& named = request.folder_ids.has_value() ? request.folder_ids : request.source_ids;
    return named.has_value() ? std::optional(without_repeats(*named)) : std::nullopt;
}

AgentDirectories directories_of(const NewFolders& made) {
    AgentDirectories directories;
    directories.folders = made.folders;
    directories.files = made.files;
    std::sort(directories.files.begin(), directories.files.end(),
              [](const AttachedFile& a, const AttachedFile& b) { return a.file_name < b.file_name; });
    return directories;
}

void demand_distinct_labels(const std::vector<Block>& blocks) {
    std::set<std::string> labels;
    for (const Block& block : blocks) {
        if (labels.insert(block.label).second) continue;
        Error error(ErrorCode::conflict, "Two blocks have the label '" + block.label + "'; an agent holds at most one");
        error.final = true;
        throw error;
    }
}

// Models that decide well by themselves when to stop: the automatic rules only get in their way.
bool needs_no_base_rules(const Agent& agent) {
    const std::string& model = agent.llm_config.model;
    if (agent.agent_type == AgentType::sleeptime_agent || model.find("mini") != std::string::npos) return false;
    for (const char* name : {"claude-4-sonnet", "claude-3-5-sonnet", "gpt-5", "gemini-2.5-pro"})
        if (model.find(name) != std::string::npos) return true;
    return false;
}

}  // namespace

void add_automatic_rules(Agent& agent, const std::vector<Tool>& tools, const CreateAgent& request) {
    const auto add = [&](const std::string& tool, const char* type) {
        ToolRule rule;
        rule.tool_name = tool;
        rule.type = type;
        agent.tool_rules.push_back(std::move(rule));
    };
    const bool v1 = agent.agent_type == AgentType::letta_v1_agent;
    const bool base_rules = request.include_base_tool_rules.has_value() ? *request.include_base_tool_rules
                            : v1                                        ? request.tool_rules.has_value()
                                                                        : !needs_no_base_rules(agent);
    for (const Tool& tool : tools) {
        const bool built_in = tool.tool_type.starts_with("letta_");
        const bool ends = tool.name == "send_message" || tool.name == "memory_finish_edits" ||
                          tool.name == "finish_rethinking_memory" || tool.name == "send_message_to_agent_async";
        if (base_rules && built_in) add(tool.name, ends ? "exit_loop" : "continue_loop");
        if (tool.default_requires_approval.value_or(false)) add(tool.name, "requires_approval");
    }
    remove_duplicates(agent.tool_rules);
}

awaitable<std::vector<Tool>> AgentService::tools_for(std::string organization_id, const CreateAgent& request) const {
    std::vector<std::string> base;
    if (request.include_base_tools) base = base_tools_of(request.agent_type, request.enable_sleeptime.value_or(false));
    const std::vector<std::string> named = request.tools.value_or({});
    std::vector<std::string> names = base;
    if (request.include_multi_agent_tools)
        for (const tools::BuiltinTool& tool : tools::agent_tools()) names.emplace_back(tool.name);
    for (const std::string& name : named) names.push_back(name);
    names = without_repeats(names);
    std::vector<Tool> tools = co_await parts_.tools.find_by_names(organization_id, names);
    std::string missing;
    for (const std::string& name : named) {
        const bool there = std::any_of(tools.begin(), tools.end(), [&](const Tool& tool) { return tool.name == name; });
        if (!there) missing += (missing.empty() ? "" : ", ") + name;
    }
    if (!missing.empty()) throw refused("Tools not found by name: " + missing);

    const std::vector<std::string> ids = without_repeats(request.tool_ids.value_or({}));
    const std::vector<Tool> by_id = co_await parts_.tools.find_by_ids(organization_id, ids);
    for (const std::string& id : ids) {
        const auto tool = std::find_if(by_id.begin(), by_id.end(), [&](const Tool& each) { return each.id == id; });
        if (tool == by_id.end()) throw refused("Tools not found by id: " + id);
        const bool twice = std::any_of(tools.begin(), tools.end(), [&](const Tool& each) { return each.id == id; });
        if (!twice) tools.push_back(*tool);
    }
    // In the order in which they were asked for.
    std::stable_sort(tools.begin(), tools.end(), [&](const Tool& a, const Tool& b) {
        return std::find(names.begin(), names.end(), a.name) < std::find(names.begin(), names.end(), b.name);
    });
    co_return tools;
}

awaitable<std::vector<Block>> AgentService::blocks_by_id(std::string organization_id,
                                                         std::vector<std::string> ids) const {
    ids = without_repeats(ids);
    const std::vector<Block> found = co_await parts_.blocks.find_all(organization_id, ids);
    std::vector<Block> blocks;
    for (const std::string& id : ids) {
        const auto block = std::find_if(found.begin(), found.end(), [&](const Block& each) { return each.id == id; });
        if (block == found.end()) throw not_found("Block", id);
        blocks.push_back(*block);
    }
    co_return blocks;
}

awaitable<NewAgent> AgentService::prepare(std::string organization_id, std::string actor, CreateAgent request,
                                          NewAgent made) const {
    demand_file_limits(request);

    Agent agent;
    agent.id = new_id("agent");
    agent.organization_id = organization_id;
    agent.name = request.name.has_value() ? *request.name : random_agent_name();
    agent.agent_type = request.agent_type;
    agent.created_at = agent.updated_at = now();
    agent.created_by_id = agent.last_updated_by_id = actor;
    agent.system = request.system.has_value() ? *request.system
                                              : request.instructions.value_or(default_system_prompt(agent.agent_type));
    if (agent.system.empty() && agent.agent_type == AgentType::split_thread_agent)
        throw refused("system: an agent of this type has no default prompt, so one must be given");
    agent.description = request.description.optional();
    agent.metadata = request.metadata.value_or(Json{});
    agent.message_buffer_autoclear =
        request.message_buffer_autoclear.value_or(false) || agent.agent_type == AgentType::workflow_agent;
    agent.enable_sleeptime = request.enable_sleeptime.optional();
    agent.timezone = request.timezone.value_or("UTC");
    agent.max_files_open = request.max_files_open.optional();
    agent.per_file_view_window_char_limit = request.per_file_view_window_char_limit.optional();
    agent.hidden = request.hidden.optional();
    if (request.double_texting.has_value()) agent.double_texting = request.double_texting;
    agent.project_id = request.project_id.optional();
    agent.template_id = request.template_id.optional();
    agent.base_template_id = request.base_template_id.optional();
    const std::vector<std::string> tags = without_repeats(request.tags.value_or({}));
    if (contains(tags, "role:subagent")) agent.hidden = true;
    agent.git_memory = contains(tags, git_memory_tag);

    co_await choose_models(parts_.catalogue, parts_.defaults, request, agent);
    fill_file_limits(agent, agent.llm_config.context_window);
    CompactionSettings& compaction = agent.compaction_settings.emplace();
    compaction.model = agent.llm_config.handle;
    compaction.prompt = default_compaction_prompt(compaction.mode);
    if (request.compaction_settings.has_value()) apply(*request.compaction_settings, compaction);

    made.tags = tags;
    std::vector<Tool> asked_for = co_await tools_for(organization_id, request);
    agent.tool_rules = request.tool_rules.value_or({});
    add_automatic_rules(agent, asked_for, request);
    for (Tool& tool : asked_for) made.tools.push_back(std::move(tool));

    for (CreateBlock& block : request.memory_blocks.value_or({})) {
        made.fresh_blocks.push_back(make_block(std::move(block), actor));
        made.blocks.push_back(made.fresh_blocks.back());
    }
    std::vector<Block> attached = co_await blocks_by_id(organization_id, request.block_ids.value_or({}));
    for (Block& block : attached) made.blocks.push_back(std::move(block));
    demand_distinct_labels(made.blocks);

    std::vector<AttachedFile> no_files;
    std::vector<std::string> folder_ids = folders_named(request).value_or(std::vector<std::string>());
    if (!folder_ids.empty())
        made.folders = co_await parts_.folder_links.prepare(agent, std::move(no_files), std::move(folder_ids));
    if (request.include_default_source) co_await parts_.folder_links.add_default_folder(made.folders, agent, actor);
    for (const Tool& tool : made.folders.tools)
        if (std::none_of(made.tools.begin(), made.tools.end(), [&](const Tool& each) { return each.id == tool.id; }))
            made.tools.push_back(tool);
    const AgentDirectories directories = directories_of(made.folders);

    made.messages.push_back(new_system_message({agent, made.blocks, {}, now(), 0, 0, {}, &directories}));
    for (Message& message : initial_messages(agent, request.initial_message_sequence.optional()))
        made.messages.push_back(std::move(message));
    agent.message_count = static_cast<std::int64_t>(made.messages.size());
    if (request.identity_ids.has_value())
        made.identity_ids = without_repeats(
            co_await parts_.identities.resolve_all(organization_id, *request.identity_ids, agent.project_id));
    made.agent = std::move(agent);
    co_return made;
}

awaitable<AgentState> AgentService::create(std::string organization_id, std::string actor, CreateAgent request,
                                           std::optional<std::string> idempotency_key) const {
    NewAgent nothing_yet;
    const NewAgent made = co_await prepare(organization_id, actor, request, std::move(nothing_yet));
    const Agent& agent = made.agent;
    storage::Transaction transaction;
    insert(transaction, made, request, actor);
    const bool is_partner =
        agent.agent_type == AgentType::sleeptime_agent || agent.agent_type == AgentType::voice_sleeptime_agent;
    if (agent.enable_sleeptime.value_or(false) && !is_partner)
        co_await add_partner(transaction, agent, made.blocks, actor);
    if (idempotency_key) parts_.idempotency.keep_made(transaction, organization_id, *idempotency_key, agent.id);
    co_await parts_.database.commit(std::move(transaction));
    if (!made.folders.folders.empty()) co_await parts_.folder_links.views().catch_up(agent);
    co_return co_await get(organization_id, agent.id, AgentInclude());
}

void AgentService::insert(storage::Transaction& transaction, const NewAgent& made, const AgentLinksRequest& secrets,
                          const std::string& actor) const {
    insert(transaction, made);
    set_secrets(transaction, made.agent, secrets, actor, {});
}

void AgentService::insert(storage::Transaction& transaction, const NewAgent& made) const {
    const Agent& agent = made.agent;
    if (!made.stored) parts_.agents.insert(transaction, agent);
    if (!made.tags.empty()) parts_.agents.set_tags(transaction, agent, made.tags);
    for (const Block& block : made.fresh_blocks) parts_.blocks.insert(transaction, agent.organization_id, block);
    for (const Block& block : made.blocks) parts_.blocks.attach(transaction, agent.id, block);
    for (const Tool& tool : made.tools) parts_.tools.attach(transaction, agent.id, tool.id);
    parts_.messages.insert(transaction, agent.organization_id, made.messages);
    for (const std::string& id : made.identity_ids) parts_.identities.link_agent(transaction, id, agent.id);
    parts_.folder_links.add(transaction, agent.id, made.folders);
}

void AgentService::set_secrets(storage::Transaction& transaction, const Agent& agent, const AgentLinksRequest& request,
                               const std::string& actor, const std::vector<storage::SealedVariable>& before) const {
    const auto& secrets = request.secrets.has_value() ? request.secrets : request.tool_exec_environment_variables;
    if (!secrets.has_value()) return;
    std::vector<storage::SealedVariable> sealed;
    for (const auto& [name, value] : *secrets) {
        const auto same =
            std::find_if(before.begin(), before.end(), [&](const auto& each) { return each.name == name; });
        if (same != before.end() && parts_.sealer.open(same->sealed_value) == value) {  // it stays what it is
            sealed.push_back(*same);
            continue;
        }
        storage::SealedVariable variable;
        variable.id = same != before.end() ? same->id : new_id("agent-env");
        variable.name = name;
        variable.sealed_value = parts_.sealer.seal(value);
        variable.created_at = now();
        variable.created_by_id = actor;
        sealed.push_back(std::move(variable));
    }
    parts_.agents.set_variables(transaction, agent.id, sealed);
}

awaitable<Agent> AgentService::find(std::string organization_id, std::string id) const {
    auto agent = co_await parts_.agents.find(std::move(organization_id), id);
    if (!agent) throw not_found("Agent", id);
    co_return std::move(*agent);
}

awaitable<bool> AgentService::replace_links(storage::Transaction& transaction, Agent& agent,
                                            const UpdateAgent& request) const {
    bool changed = false;
    if (request.block_ids.has_value()) {
        const std::vector<Block> blocks = co_await blocks_by_id(agent.organization_id, *request.block_ids);
        demand_distinct_labels(blocks);
        parts_.blocks.detach_all(transaction, agent.id);
        for (const Block& block : blocks) parts_.blocks.attach(transaction, agent.id, block);
        changed = true;
    }
    if (request.tool_ids.has_value()) {
        const std::vector<std::string> ids = without_repeats(*request.tool_ids);
        const std::vector<Tool> found = co_await parts_.tools.find_by_ids(agent.organization_id, ids);
        for (const std::string& id : ids)
            if (std::none_of(found.begin(), found.end(), [&](const Tool& tool) { return tool.id == id; }))
                throw not_found("Tool", id);
        const std::vector<Tool> before = co_await parts_.tools.of_agent(agent.id);
        for (const Tool& tool : found) {
            const bool had = std::any_of(before.begin(), before.end(), [&](const Tool& t) { return t.id == tool.id; });
            if (!had && tool.default_requires_approval.value_or(false)) add_approval_rule(agent.tool_rules, tool.name);
        }
        parts_.tools.detach_all(transaction, agent.id);
        for (const std::string& id : ids) parts_.tools.attach(transaction, agent.id, id);
        changed = true;
    }
    if (auto named = folders_named(request)) {
        const bool replaced = co_await parts_.folder_links.replace(transaction, agent, std::move(*named));
        changed = changed || replaced;
    }
    if (request.identity_ids.has_value()) {
        parts_.identities.unlink_all_of_agent(transaction, agent.id);
        co_await link_identities(transaction, agent, *request.identity_ids);
        changed = true;
    }
    if (request.message_ids.has_value()) {
        co_await replace_messages(transaction, agent, *request.message_ids);
        changed = true;
    }
    co_return changed;
}

awaitable<void> AgentService::replace_messages(storage::Transaction& transaction, const Agent& agent,
                                               std::vector<std::string> ids) const {
    if (ids.empty()) throw refused("message_ids: the context window needs at least the system message");
    const auto first = co_await parts_.messages.find(agent.organization_id, ids.front());
    if (!first || first->agent_id != agent.id || first->role != MessageRole::system)
        throw refused("message_ids: the first message must be a system message of this agent");
    parts_.messages.set_context(transaction, agent.id, without_repeats(ids));
}

awaitable<bool> AgentService::change(storage::Transaction& transaction, Agent& agent, UpdateAgent request,
                                     std::string actor) const {
    const std::size_t size_before = transaction.size();
    const std::optional<std::string> timezone_before = agent.timezone;
    const std::string embedding_before = embedding_key(agent.embedding_config);
    bool changed = apply_plain_fields(request, agent);
    const bool model_changed = co_await change_models(parts_.catalogue, parts_.defaults, request, agent);
    if (request.max_files_open.has_value() || request.per_file_view_window_char_limit.has_value())
        co_await parts_.folder_links.fit(transaction, agent);
    const bool links_changed = co_await replace_links(transaction, agent, request);
    if (request.tags.has_value()) parts_.agents.set_tags(transaction, agent, without_repeats(*request.tags));
    if (request.secrets.has_value() || request.tool_exec_environment_variables.has_value()) {
        const auto stored = co_await parts_.agents.variables(agent.id);
        set_secrets(transaction, agent, request, actor, stored);
    }
    if (agent.timezone != timezone_before) co_await retime_schedules(transaction, agent);
    if (embedding_key(agent.embedding_config) != embedding_before)
        co_await parts_.archives.follow_agent(transaction, agent, actor);
    co_return changed || model_changed || links_changed || transaction.size() > size_before;
}

awaitable<AgentState> AgentService::update(std::string organization_id, std::string actor, std::string id,
                                           UpdateAgent request) const {
    Agent agent = co_await find(organization_id, id);
    storage::Transaction transaction;
    const bool changed = co_await change(transaction, agent, request, actor);
    if (changed) {
        agent.updated_at = now();
        agent.last_updated_by_id = actor;
        parts_.agents.update(transaction, agent);
        co_await add_partner_if_missing(transaction, agent, request, actor);
        co_await parts_.database.commit(std::move(transaction));
        parts_.archives.wake();
        const auto refreshed = co_await parts_.runtime.load_refreshed(organization_id, id, std::string());
        static_cast<void>(refreshed);
    }
    co_return co_await get(organization_id, id, AgentInclude());
}

// By their ids, or by their keys in the agent's project.
awaitable<void> AgentService::link_identities(storage::Transaction& transaction, const Agent& agent,
                                              std::vector<std::string> named) const {
    const std::vector<std::string> ids =
        co_await parts_.identities.resolve_all(agent.organization_id, std::move(named), agent.project_id);
    for (const std::string& id : without_repeats(ids)) parts_.identities.link_agent(transaction, id, agent.id);
}

// Nine o'clock is another moment now.
awaitable<void> AgentService::retime_schedules(storage::Transaction& transaction, const Agent& agent) const {
    const std::vector<storage::DueSchedule> recurring = co_await parts_.schedules.recurring_of(agent.id);
    for (const storage::DueSchedule& schedule : recurring)
        parts_.schedules.retime(transaction, schedule, next_time(schedule.plan, now(), agent.timezone.value_or("UTC")));
}

awaitable<void> AgentService::reset_messages(std::string organization_id, std::string id, bool add_defaults) const {
    const bool there = co_await parts_.agents.exists(organization_id, id);
    if (!there) throw not_found("Agent", id);
    const Lease lease = co_await parts_.runtime.lease(id, std::string());
    auto loaded = co_await load_agent(parts_.database, organization_id, id, std::string());
    if (!loaded) throw not_found("Agent", id);
    std::vector<Message> fresh;
    storage::Transaction transaction;
    if (Message* system = system_message_of(loaded->messages)) {
        const std::int64_t recall = loaded->agent.message_count - 1;
        co_await load_archive_facts(parts_.database, *loaded);
        const SystemPromptInput input{
            loaded->agent,         loaded->blocks,      {}, now(), recall, loaded->archival_count,
            loaded->archival_tags, &loaded->directories};
        system->content = {text_part(compile_system_prompt(input))};
        parts_.messages.rewrite_system(transaction, *system);
        parts_.messages.evict_all_but(transaction, id, {}, system->id);
    } else {
        fresh.push_back(new_system_message({loaded->agent, loaded->blocks, {}, now(), 0, 0, {}, &loaded->directories}));
        parts_.messages.evict_all_but(transaction, id, {}, {});
    }
    if (add_defaults)
        for (Message& message : initial_messages(loaded->agent, std::nullopt)) fresh.push_back(std::move(message));
    parts_.messages.insert(transaction, organization_id, fresh);
    parts_.agents.count_messages(transaction, id, static_cast<std::int64_t>(fresh.size()));
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<ContextWindowOverview> AgentService::context(std::string organization_id, std::string id,
                                                       std::string conversation_id) const {
    auto loaded = co_await load_agent(parts_.database, std::move(organization_id), id, std::move(conversation_id));
    if (!loaded) throw not_found("Agent", id);
    co_await load_archive_facts(parts_.database, *loaded);
    co_await refresh_system_message(parts_.database, *loaded);
    co_return context_overview(*loaded);
}

}  // namespace stele::runtime
