#include "runtime/template_service.hpp"

#include "base/ids.hpp"
#include "domain/hosted_error.hpp"
#include "storage/group_repository.hpp"

#include <algorithm>
#include <map>

namespace stele::runtime {
namespace {

using boost::asio::awaitable;

constexpr int names_tried_max = 8;

Error name_taken(const std::string& name, ErrorCode code) {
    return hosted_error(code, "The project has a template '" + name + "' already", "templateNameTaken");
}

TemplateVersion version_of(const Template& made, const std::string& actor, MigrationFlags flags,
                           std::optional<std::string> message) {
    TemplateVersion version;
    version.id = new_id("template");
    version.template_id = made.id;
    version.number = made.latest;
    version.snapshot = made.draft;
    version.flags = std::move(flags);
    version.message = std::move(message);
    version.created_by_id = actor;
    version.created_at = now();
    return version;
}

// What a request to make an agent may not say, a template may not hold either.
void demand_makeable(const TemplateSnapshot& content) {
    demand_sense(content);
    const TextMap no_values;
    const std::vector<std::string> no_tools;
    for (const TemplateAgent& agent : content.agents) {
        PlannedAgent planned = planned_agent(content, agent, no_values, no_values, no_tools, {});
        planned.request.enable_sleeptime = true;  // who looks after its memory is in the template, or is not
        Problems problems("body.agents." + agent.entityId);
        check(planned.request, problems);
        problems.throw_if_any();
    }
}

bool same_content(const TemplateSnapshot& a, const TemplateSnapshot& b) { return to_json(a) == to_json(b); }

}  // namespace

awaitable<FoundTemplate> TemplateService::find(std::string organization_id, std::string project_id,
                                               std::string text) const {
    FoundTemplate found;
    found.reference = parse_template_reference(text);
    const std::string name = found.reference.name;
    std::optional<Template> row;
    if (is_id(name, "template")) {
        row = co_await parts_.templates.find(organization_id, name);
        if (!row) {  // agents know the version that they were made of
            const auto version = co_await parts_.templates.version_by_id(organization_id, name);
            if (version) {
                row = co_await parts_.templates.find(organization_id, version->template_id);
                found.reference.number = version->number;
            }
        }
    } else {
        row = co_await parts_.templates.find_by_name(organization_id, project_id, name);
    }
    if (!row) throw hosted_error(ErrorCode::not_found, "Template not found: " + name);
    found.found = std::move(*row);
    co_return found;
}

awaitable<TemplateContent> TemplateService::content(FoundTemplate of) const {
    const std::int64_t number = of.reference.number.value_or(of.found.latest);
    auto version = co_await parts_.templates.version(of.found.id, number);
    if (!version)
        throw hosted_error(ErrorCode::not_found,
                           "Template version not found: " + of.found.name + ":" + std::to_string(number));
    TemplateContent content;
    content.template_id = std::move(version->id);
    content.flags = std::move(version->flags);
    content.snapshot = of.reference.current ? std::move(of.found.draft) : std::move(version->snapshot);
    content.snapshot.version = of.reference.current ? "current" : std::to_string(number);
    co_return content;
}

awaitable<std::vector<TemplateInfo>> TemplateService::infos(std::vector<Template> of) const {
    std::map<std::string, std::string> slugs;
    std::vector<TemplateInfo> shown;
    for (const Template& each : of) {
        auto slug = slugs.find(each.project_id);
        if (slug == slugs.end()) {
            std::string found = co_await parts_.projects.slug_of_id(each.organization_id, each.project_id);
            slug = slugs.emplace(each.project_id, std::move(found)).first;
        }
        shown.push_back(info_of(each, slug->second));
    }
    co_return shown;
}

awaitable<TemplateInfo> TemplateService::info(Template of) const {
    const std::string slug = co_await parts_.projects.slug_of_id(of.organization_id, of.project_id);
    co_return info_of(of, slug);
}

// Tools and folders that a snapshot names by id.
awaitable<void> TemplateService::demand_references(std::string organization_id, TemplateSnapshot content) const {
    const std::vector<std::string> known = co_await known_ids(std::move(organization_id), content);
    for (const TemplateAgent& agent : content.agents) {
        for (const std::string& id : agent.toolIds.value_or(std::vector<std::string>()))
            if (std::find(known.begin(), known.end(), id) == known.end())
                throw hosted_error(ErrorCode::invalid_argument, "Tool not found: " + id, "invalidSnapshot");
        for (const std::string& id : agent.sourceIds.value_or(std::vector<std::string>()))
            if (std::find(known.begin(), known.end(), id) == known.end())
                throw hosted_error(ErrorCode::invalid_argument, "Folder not found: " + id, "invalidSnapshot");
    }
}

awaitable<std::vector<std::string>> TemplateService::known_ids(std::string organization_id,
                                                               TemplateSnapshot content) const {
    std::vector<std::string> tool_ids, folder_ids;
    const auto add = [](std::vector<std::string>& to, const std::optional<std::vector<std::string>>& ids) {
        for (const std::string& id : ids.value_or(std::vector<std::string>()))
            if (std::find(to.begin(), to.end(), id) == to.end()) to.push_back(id);
    };
    for (const TemplateAgent& agent : content.agents) {
        add(tool_ids, agent.toolIds);
        add(folder_ids, agent.sourceIds);
    }
    std::vector<std::string> known;
    if (!tool_ids.empty()) {
        const std::vector<Tool> tools = co_await parts_.tools.find_by_ids(organization_id, std::move(tool_ids));
        for (const Tool& tool : tools) known.push_back(tool.id);
    }
    for (const std::string& id : folder_ids) {
        const auto folder = co_await parts_.folders.find(organization_id, id);
        if (folder) known.push_back(id);
    }
    co_return known;
}

awaitable<Template> TemplateService::create(std::string organization_id, std::string actor, std::string project_id,
                                            std::string name, TemplateSnapshot content) const {
    std::vector<Agent> nobody;
    co_return co_await create_with(std::move(organization_id), std::move(actor), std::move(project_id), std::move(name),
                                   std::move(content), std::move(nobody));
}

// `editing`: agents that stand for the draft from then on, by entity id.
awaitable<Template> TemplateService::create_with(std::string organization_id, std::string actor, std::string project_id,
                                                 std::string name, TemplateSnapshot content,
                                                 std::vector<Agent> editing) const {
    if (!name.empty()) demand_template_name(name);
    demand_makeable(content);
    list_variables(content);
    content.version.clear();
    Template made;
    made.id = new_id("template");
    made.organization_id = organization_id;
    made.project_id = project_id;
    made.draft = std::move(content);
    made.created_by_id = actor;
    made.created_at = made.updated_at = now();
    for (int attempt = 1;; ++attempt) {
        made.name = name.empty() ? random_agent_name() : name;
        storage::Transaction transaction;
        parts_.templates.insert(transaction, made, name_taken(made.name, ErrorCode::invalid_argument));
        parts_.templates.add_version(transaction, version_of(made, actor, {}, std::nullopt));
        for (Agent& agent : editing) {
            agent.base_template_id = made.id;
            parts_.agents.update(transaction, agent);
        }
        try {
            co_await parts_.database.commit(std::move(transaction));
            co_return made;
        } catch (const Error& error) {
            // Two words may meet by chance.
            if (!name.empty() || error.code != ErrorCode::invalid_argument || attempt == names_tried_max) throw;
        }
        for (Agent& agent : editing) --agent.version;
    }
}

// The agent and those that it manages.
awaitable<std::vector<AgentState>> TemplateService::states_of(std::string organization_id, std::string agent_id) const {
    const AgentInclude everything;
    AgentState main = co_await parts_.agent_service.get(organization_id, agent_id, everything);
    std::vector<std::string> others;
    if (main.managed_group)
        for (const std::string& id : main.managed_group->agent_ids)
            if (id != agent_id) others.push_back(id);
    std::vector<AgentState> states;
    states.push_back(std::move(main));
    if (others.empty()) co_return states;
    std::vector<Agent> rows = co_await parts_.agents.find_all(organization_id, std::move(others));
    std::vector<AgentState> members = co_await parts_.agent_service.states(std::move(rows), everything);
    for (AgentState& member : members) states.push_back(std::move(member));
    co_return states;
}

awaitable<Template> TemplateService::create_from(std::string organization_id, std::string actor, std::string project_id,
                                                 std::string name, std::string agent_id) const {
    const std::vector<AgentState> states = co_await states_of(organization_id, agent_id);
    const TemplateSnapshot nothing;
    TemplateSnapshot content = snapshot_of(states, states.front().managed_group, nothing);
    std::vector<std::string> ids;
    for (const AgentState& state : states)
        if (!state.deployment_id) ids.push_back(state.id);  // the others belong to what they were made of
    std::vector<Agent> editing;
    if (!ids.empty()) editing = co_await parts_.agents.find_all(organization_id, ids);
    for (Agent& agent : editing)
        for (std::size_t i = 0; i < states.size(); ++i)
            if (states[i].id == agent.id) agent.entity_id = content.agents[i].entityId;
    co_return co_await create_with(organization_id, std::move(actor), std::move(project_id), std::move(name),
                                   std::move(content), std::move(editing));
}

awaitable<Template> TemplateService::save(Template of, std::string actor, MigrationFlags flags,
                                          std::optional<std::string> message, bool migrate) const {
    const auto latest = co_await parts_.templates.version(of.id, of.latest);
    if (latest && same_content(latest->snapshot, of.draft))
        throw hosted_error(ErrorCode::invalid_argument,
                           "The draft holds nothing that version " + std::to_string(of.latest) + " does not hold",
                           "noChanges");
    storage::Transaction transaction;
    ++of.latest;
    of.updated_at = now();
    const TemplateVersion version = version_of(of, actor, flags, std::move(message));
    parts_.templates.update(transaction, of, name_taken(of.name, ErrorCode::conflict));
    parts_.templates.add_version(transaction, version);
    if (migrate) {
        PlannedMigration planned;
        planned.template_id = version.id;
        planned.flags = std::move(flags);
        parts_.templates.plan_migrations(transaction, of, planned);
    }
    co_await parts_.database.commit(std::move(transaction));
    co_return of;
}

awaitable<Template> TemplateService::save_from(std::string organization_id, std::string actor,
                                               std::string agent_id) const {
    const std::vector<AgentState> states = co_await states_of(organization_id, agent_id);
    std::optional<Template> of;
    if (states.front().base_template_id)
        of = co_await parts_.templates.find(organization_id, *states.front().base_template_id);
    if (!of) throw hosted_error(ErrorCode::invalid_argument, "The agent has no template: " + agent_id, "noTemplate");
    TemplateSnapshot content = snapshot_of(states, states.front().managed_group, of->draft);
    co_return co_await replace_draft(std::move(*of), std::move(actor), std::move(content), Saving::behind);
}

awaitable<Template> TemplateService::replace_draft(Template of, std::string actor, TemplateSnapshot content,
                                                   Saving saving) const {
    demand_makeable(content);
    list_variables(content);
    content.version.clear();
    const auto latest = co_await parts_.templates.version(of.id, of.latest);
    std::optional<TemplateVersion> saved;
    const bool unsaved = !latest || !same_content(latest->snapshot, of.draft);
    if (saving == Saving::before && unsaved) {
        ++of.latest;
        saved = version_of(of, actor, {}, std::nullopt);
    }
    of.draft = std::move(content);
    if (saving == Saving::behind && (!latest || !same_content(latest->snapshot, of.draft))) {
        ++of.latest;
        saved = version_of(of, actor, {}, std::nullopt);
    }
    of.updated_at = now();
    storage::Transaction transaction;
    parts_.templates.update(transaction, of, name_taken(of.name, ErrorCode::conflict));
    if (saved) parts_.templates.add_version(transaction, *saved);
    co_await parts_.database.commit(std::move(transaction));
    co_return of;
}

awaitable<Template> TemplateService::fork(FoundTemplate of, std::string actor, std::string name) const {
    const std::string organization_id = of.found.organization_id, project_id = of.found.project_id;
    TemplateContent copied = co_await content(std::move(of));
    TemplateSnapshot fresh = with_new_entities(std::move(copied.snapshot));
    co_return co_await create(organization_id, std::move(actor), project_id, std::move(name), std::move(fresh));
}

awaitable<void> TemplateService::rename(Template of, std::string name) const {
    demand_template_name(name);
    of.name = name;
    of.updated_at = now();
    storage::Transaction transaction;
    parts_.templates.update(transaction, of, name_taken(name, ErrorCode::conflict));
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<void> TemplateService::describe(Template of, std::optional<std::string> description) const {
    of.description = std::move(description);
    of.updated_at = now();
    storage::Transaction transaction;
    parts_.templates.update(transaction, of, name_taken(of.name, ErrorCode::conflict));
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<void> TemplateService::remove(Template of) const {
    storage::Transaction transaction;
    parts_.templates.remove(transaction, of);
    co_await parts_.database.commit(std::move(transaction));
}

awaitable<Deployment> TemplateService::find_deployment(std::string organization_id, std::string id) const {
    auto found = co_await parts_.templates.find_deployment(std::move(organization_id), id);
    if (!found) throw hosted_error(ErrorCode::not_found, "Deployment not found: " + id);
    co_return std::move(*found);
}

}  // namespace stele::runtime
