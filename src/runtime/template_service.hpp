#pragma once

#include "runtime/agent_service.hpp"
#include "runtime/project_service.hpp"
#include "runtime/template_plan.hpp"
#include "storage/template_repository.hpp"

namespace stele::runtime {

class ToolService;

/// A template that a path names, and which of its versions.
struct FoundTemplate {
    Template found;
    TemplateReference reference;
};

/// What a version, or the draft, holds.
struct TemplateContent {
    std::string template_id;  ///< of the version; of the draft the latest one's
    TemplateSnapshot snapshot;
    MigrationFlags flags;
};

/// Templates as a whole: what making, saving and changing one takes beyond its row, and what is made of them.
/// Thread-safe; what it refers to outlives it.
class TemplateService {
public:
    struct Parts {
        storage::Database& database;
        const storage::TemplateRepository& templates;
        const storage::AgentRepository& agents;
        const storage::BlockRepository& blocks;
        const storage::ToolRepository& tools;
        const storage::FolderRepository& folders;
        const storage::GroupRepository& groups;
        const storage::IdempotencyRepository& idempotency;
        const AgentService& agent_service;
        const ProjectService& projects;
        const ToolService& tool_service;
        Runtime& runtime;
        const Sealer& sealer;
        std::chrono::milliseconds patience = std::chrono::seconds(60);  ///< of a migration, for an agent at work
    };

    explicit TemplateService(Parts parts) : parts_(std::move(parts)) {}

    /// `text`: "name", "name:version", or the id of a template or of a version. `project_id`: where names are looked
    /// up. Throws Error{not_found}.
    boost::asio::awaitable<FoundTemplate> find(std::string organization_id, std::string project_id,
                                               std::string text) const;

    /// Throws Error{not_found} for a number that there is not.
    boost::asio::awaitable<TemplateContent> content(FoundTemplate of) const;

    boost::asio::awaitable<TemplateInfo> info(Template of) const;
    boost::asio::awaitable<std::vector<TemplateInfo>> infos(std::vector<Template> of) const;

    /// A template with this content, saved as version 1. `name` empty: one is made up. Throws Error{invalid_argument}
    /// for a name that is taken and for content that does not hang together.
    boost::asio::awaitable<Template> create(std::string organization_id, std::string actor, std::string project_id,
                                            std::string name, TemplateSnapshot content) const;

    /// The same from an agent and those it manages, which then stand for the draft (see save_from).
    boost::asio::awaitable<Template> create_from(std::string organization_id, std::string actor, std::string project_id,
                                                 std::string name, std::string agent_id) const;

    /// The content that an agent file of either version stands for, without its messages. Tools that there are not are
    /// made; users' own of the same name stay unless `update_existing_tools`. Entities that `known` has keep their ids.
    /// Throws Error{invalid_argument} for a file that does not hang together.
    boost::asio::awaitable<TemplateSnapshot> snapshot_of_file(std::string organization_id, std::string actor,
                                                              Json agent_file, bool update_existing_tools,
                                                              TemplateSnapshot known) const;

    /// Saves the draft as a new version. Throws Error{invalid_argument} if it holds nothing new. `migrate`: every
    /// deployment with an agent is moved to it soon (TemplateMigrator).
    boost::asio::awaitable<Template> save(Template of, std::string actor, MigrationFlags flags,
                                          std::optional<std::string> message, bool migrate) const;

    /// Takes the draft anew from an agent that was made of the template, or that it was made from, and saves it if
    /// anything is new.
    boost::asio::awaitable<Template> save_from(std::string organization_id, std::string actor,
                                               std::string agent_id) const;

    enum class Saving : std::uint8_t {
        no,
        before,  ///< what is unsaved in the draft becomes a version first
        behind,  ///< the new content becomes a version, if it is new
    };

    /// Replaces the draft. Throws as create does.
    boost::asio::awaitable<Template> replace_draft(Template of, std::string actor, TemplateSnapshot content,
                                                   Saving saving) const;

    /// Throws Error{invalid_argument} for tools and folders that there are not.
    boost::asio::awaitable<void> demand_references(std::string organization_id, TemplateSnapshot content) const;

    boost::asio::awaitable<Template> fork(FoundTemplate of, std::string actor, std::string name) const;
    boost::asio::awaitable<void> rename(Template of, std::string name) const;
    boost::asio::awaitable<void> describe(Template of, std::optional<std::string> description) const;
    boost::asio::awaitable<void> remove(Template of) const;

    /// Makes the agents of a version, in one transaction. `idempotency_key`: claimed; keeps what was made.
    boost::asio::awaitable<Deployed> deploy(FoundTemplate of, std::string actor, DeployRequest request,
                                            std::optional<std::string> idempotency_key) const;

    /// Moves a deployment to a version, in one transaction, once no agent of it is at work. Throws Error{conflict} if
    /// one still is after `patience`.
    boost::asio::awaitable<void> migrate(Deployment deployment, FoundTemplate to, std::string actor,
                                         MigrationFlags flags, TextMap memory_variables) const;

    boost::asio::awaitable<Deployment> find_deployment(std::string organization_id, std::string id) const;

private:
    struct Migration;

    boost::asio::awaitable<std::map<std::string, std::string>> take_tools(std::string organization_id,
                                                                          std::string actor, std::vector<Tool> tools,
                                                                          bool update_existing) const;
    boost::asio::awaitable<Template> create_with(std::string organization_id, std::string actor, std::string project_id,
                                                 std::string name, TemplateSnapshot content,
                                                 std::vector<Agent> editing) const;
    boost::asio::awaitable<std::vector<AgentState>> states_of(std::string organization_id, std::string agent_id) const;
    boost::asio::awaitable<std::vector<std::string>> known_ids(std::string organization_id,
                                                               TemplateSnapshot content) const;
    boost::asio::awaitable<void> migrate_once(Deployment deployment, FoundTemplate to, std::string actor,
                                              MigrationFlags flags, TextMap memory_variables) const;
    boost::asio::awaitable<std::vector<DeployedAgent>> deployed_agents(Deployment deployment) const;
    void write_blocks(Migration& at) const;
    boost::asio::awaitable<void> move_agents(Migration& at) const;
    boost::asio::awaitable<void> add_agents(Migration& at) const;
    boost::asio::awaitable<void> move_group(Migration& at, std::optional<Group> wanted) const;
    boost::asio::awaitable<std::string> add_agent(storage::Transaction& transaction, DeploymentOrigin origin,
                                                  std::string organization_id, std::string actor, PlannedAgent planned,
                                                  std::vector<Block> blocks) const;
    boost::asio::awaitable<Lease> lease_in_time(std::string agent_id) const;

    Parts parts_;
};

}  // namespace stele::runtime
