// What a template takes from agents, what is made of it, and what a migration changes.
#include "runtime/template_plan.hpp"

#include <gtest/gtest.h>

namespace stele::runtime {
namespace {

using Texts = std::vector<std::string>;

Block block(const char* id, const char* label, const char* value, const char* entity = nullptr) {
    Block made;
    made.id = id;
    made.label = label;
    made.value = value;
    if (entity != nullptr) {
        made.entity_id = entity;
        made.deployment_id = "deployment-1";
    }
    return made;
}

AgentState agent(const char* id, std::vector<Block> blocks) {
    AgentState made;
    made.id = id;
    made.name = id;
    made.model = "stele/offline";
    made.blocks = std::move(blocks);
    return made;
}

TemplateBlock wanted_block(const char* entity, const char* label, const char* value) {
    TemplateBlock made;
    made.entityId = entity;
    made.label = label;
    made.value = value;
    return made;
}

// One agent "main" with the blocks human and notes.
TemplateSnapshot version() {
    TemplateSnapshot made;
    made.agents.emplace_back().entityId = "main";
    made.agents[0].model = "stele/offline";
    made.agents[0].systemPrompt = "Serve {{who}}";
    made.agents[0].tags = Texts{"new"};
    made.blocks = {wanted_block("h", "human", "Name: {{name}}"), wanted_block("n", "notes", "none")};
    made.relationships = {{"main", "h"}, {"main", "n"}};
    return made;
}

const TextMap values = {{"who", "all"}, {"name", "Ada"}};
const DeploymentOrigin origin{"p", "template-2", "template-base", "deployment-1", "bot"};

TEST(SnapshotOf, TakesAgentsBlocksAndTheirRelationships) {
    Block shared = block("block-1", "shared", "for {{all}}");
    std::vector<AgentState> states = {agent("agent-1", {shared, block("block-2", "own", "")}),
                                      agent("agent-2", {shared})};
    states[0].secrets.emplace_back().key = "KEY";
    states[0].secrets.front().value = "hidden";
    Group group;
    group.manager_type = ManagerType::supervisor;
    group.manager_agent_id = "agent-1";
    group.agent_ids = {"agent-2"};

    const TemplateSnapshot made = snapshot_of(states, group, {});

    ASSERT_EQ(made.agents.size(), 2u);
    EXPECT_EQ(made.blocks.size(), 2u);
    EXPECT_EQ(made.relationships.size(), 3u);
    EXPECT_EQ(made.type, "supervisor");
    EXPECT_EQ(made.configuration.managerAgentEntityId.value_or(""), made.agents[0].entityId);
    EXPECT_EQ(made.agents[0].memoryVariables->data.front().key, "all");
    EXPECT_EQ(made.agents[0].toolVariables->data.front().key, "KEY");
    EXPECT_EQ(to_json(made).find("hidden"), std::string::npos);
    EXPECT_NO_THROW(demand_sense(made));
}

TEST(SnapshotOf, KeepsTheEntitiesThatTheDraftKnows) {
    std::vector<AgentState> states = {
        agent("agent-1", {block("block-1", "human", "a"), block("block-2", "notes", "b")})};
    const TemplateSnapshot before = snapshot_of(states, std::nullopt, {});
    states[0].entity_id = before.agents[0].entityId;
    states[0].blocks = {block("block-9", "notes", "other"), block("block-8", "fresh", "c")};

    const TemplateSnapshot after = snapshot_of(states, std::nullopt, before);

    EXPECT_EQ(after.agents[0].entityId, before.agents[0].entityId);
    EXPECT_EQ(after.blocks[0].entityId, before.blocks[1].entityId);
    EXPECT_EQ(find_block(before, after.blocks[1].entityId), nullptr);
}

TEST(ValuesFor, AreGivenOrDefaultOrAllMissingOnesAreNamed) {
    TemplateSnapshot snapshot = version();
    list_variables(snapshot);
    snapshot.agents[0].memoryVariables->data[0].defaultValue = std::string("everybody");

    const TextMap found = values_for(snapshot, {{"name", "Ada"}, {"surplus", "kept"}});

    EXPECT_EQ(found, (TextMap{{"name", "Ada"}, {"surplus", "kept"}, {"who", "everybody"}}));
    try {
        values_for(version(), {});
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("who, name"), std::string::npos) << error.what();
    }
    EXPECT_NO_THROW(values_for(version(), {{"who", "x"}}, {"h"}));
}

TEST(PlannedAgent, LeavesOutToolsThatAreGoneAndSaysSo) {
    TemplateSnapshot snapshot = version();
    snapshot.agents[0].toolIds = Texts{"tool-1", "tool-gone"};
    snapshot.agents[0].metadata = Json{R"({"a":1})"};

    const PlannedAgent planned = planned_agent(snapshot, snapshot.agents[0], values, {{"K", "v"}}, {"tool-1"}, "p");

    EXPECT_EQ(*planned.request.system, "Serve all");
    EXPECT_EQ(*planned.request.tool_ids, Texts{"tool-1"});
    EXPECT_EQ(planned.request.metadata->text, R"({"a":1,"template_notes":["The tool tool-gone is gone"]})");
    EXPECT_EQ(*planned.request.secrets, (TextMap{{"K", "v"}}));
    EXPECT_EQ(planned.block_entities, (Texts{"h", "n"}));
}

TEST(PlannedBlock, HasToFitItsLimit) {
    TemplateBlock small = wanted_block("h", "human", "{{name}}");
    small.limit = 3;
    EXPECT_EQ(planned_block(small, values, origin).value->text, "Ada");
    small.limit = 2;
    EXPECT_THROW(planned_block(small, values, origin), Error);
}

std::vector<DeployedAgent> deployed() {
    std::vector<DeployedAgent> agents(1);
    agents[0].state = agent("agent-1", {block("block-h", "human", "Name: Bob", "h"), block("block-o", "old", "x", "o"),
                                        block("block-u", "users", "own")});
    agents[0].state.entity_id = "main";
    agents[0].state.tags = {"old", "mine"};
    agents[0].secrets = {{"A", "1"}, {"B", "2"}};
    return agents;
}

MigrationPlan plan_of(std::vector<DeployedAgent>& agents, const TemplateSnapshot& to, const MigrationFlags& flags) {
    TemplateSnapshot from;
    from.agents.emplace_back().entityId = "main";
    from.agents[0].tags = Texts{"old"};
    assign_entities(agents, to, true, "agent-1");
    return plan_migration(agents, &from, to, flags, values, {}, origin);
}

TEST(PlanMigration, MovesBlocksByEntityAndLeavesTheUsersOwn) {
    std::vector<DeployedAgent> agents = deployed();
    const TemplateSnapshot to = version();

    const MigrationPlan plan = plan_of(agents, to, {});

    ASSERT_EQ(plan.moves.size(), 1u);
    EXPECT_EQ(plan.blocks.at("h").id, "block-h");
    EXPECT_EQ(plan.blocks.at("h").value, "Name: Ada");
    EXPECT_EQ(plan.blocks.at("h").template_id, "template-2");
    ASSERT_EQ(plan.fresh_blocks.size(), 1u);
    EXPECT_EQ(plan.fresh_blocks[0]->entityId, "n");
    EXPECT_EQ(plan.moves[0].attach, Texts{"n"});
    EXPECT_TRUE(plan.moves[0].detach.empty());
    EXPECT_TRUE(plan.gone.empty());
    EXPECT_EQ(*plan.moves[0].request.tags, (Texts{"new", "mine"}));
}

TEST(PlanMigration, ReconcilesBlocksThatTheVersionNoLongerHas) {
    std::vector<DeployedAgent> agents = deployed();
    MigrationFlags flags;
    flags.reconcile_all = true;
    const TemplateSnapshot to = version();

    const MigrationPlan plan = plan_of(agents, to, flags);

    EXPECT_EQ(plan.moves[0].detach, Texts{"block-o"});
    ASSERT_EQ(plan.gone.size(), 1u);
    EXPECT_EQ(plan.gone[0].id, "block-o");
}

TEST(PlanMigration, KeepsValuesWhereItIsAskedTo) {
    const TemplateSnapshot plain = version();
    TemplateSnapshot preserving = version();
    preserving.blocks[0].preserveOnMigration = true;
    preserving.blocks[0].readOnly = true;
    MigrationFlags keep;
    keep.preserve_core_memories = true;
    for (const auto& [to, flags] : {std::pair(preserving, MigrationFlags()), std::pair(plain, keep)}) {
        std::vector<DeployedAgent> agents = deployed();
        const MigrationPlan plan = plan_of(agents, to, flags);
        EXPECT_EQ(plan.blocks.at("h").value, "Name: Bob");
        EXPECT_EQ(plan.blocks.at("h").read_only, to.blocks[0].readOnly);
        EXPECT_EQ(kept_blocks(agents, to, flags), Texts{"h"});
    }
}

TEST(PlanMigration, ReplacesSecretsOrKeepsThem) {
    TemplateSnapshot to = version();
    to.agents[0].toolVariables.emplace().data = {{"A", {}, "string"}, {"C", std::string("3"), "string"}};
    MigrationFlags keep;
    keep.preserve_tool_variables = true;
    std::vector<DeployedAgent> agents = deployed();

    EXPECT_EQ(*plan_of(agents, to, {}).moves[0].request.secrets, (TextMap{{"A", "1"}, {"C", "3"}}));
    EXPECT_EQ(*plan_of(agents, to, keep).moves[0].request.secrets, (TextMap{{"C", "3"}, {"A", "1"}, {"B", "2"}}));
}

TEST(PlanMigration, MakesEntitiesThatAreNewAndLeavesAgentsWithoutAPlace) {
    TemplateSnapshot to = version();
    to.agents.emplace_back().entityId = "second";
    to.agents[0].entityId = "first";
    to.relationships = {{"first", "h"}};
    std::vector<DeployedAgent> agents = deployed();

    const MigrationPlan plan = plan_of(agents, to, {});

    EXPECT_TRUE(plan.moves.empty());
    EXPECT_EQ(plan.fresh_agents.size(), 2u);
}

TEST(AssignEntities, GoesByRoleToAnotherTemplate) {
    TemplateSnapshot to = version();
    to.agents.emplace_back().entityId = "helper";
    to.agents[1].agentType = AgentType::sleeptime_agent;
    std::vector<DeployedAgent> agents(2);
    agents[0].state = agent("agent-helper", {});
    agents[0].state.agent_type = AgentType::sleeptime_agent;
    agents[1].state = agent("agent-main", {});

    assign_entities(agents, to, false, "agent-main");

    EXPECT_EQ(agents[0].entity_id, "helper");
    EXPECT_EQ(agents[1].entity_id, "main");
    agents.emplace_back().state = agent("agent-third", {});
    EXPECT_THROW(assign_entities(agents, to, false, "agent-main"), Error);
}

}  // namespace
}  // namespace stele::runtime
