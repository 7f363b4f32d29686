"""How what was made of a template moves to another version: all of it at once, by entity, with what is to be kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stele
from test_templates import VARIABLES, api, author, blocks, bot, deploy, edit, refused, snapshot  # noqa: F401


@pytest.fixture
def moved(api, bot):
    """A second version, and a deployment of the first."""
    made = deploy(api, bot, tool_variables={"API_KEY": "mine"}, tags=["mine"])

    def change(content):
        content["agents"][0].update(systemPrompt="Now for {{customer}}", tags=["t2", "t3"], toolIds=[], toolRules=[])
        human, persona = content["blocks"]
        human.update(value="Called {{name}}", limit=600, description="more")
        content["blocks"] = [human, {"entityId": "entity-notes", "label": "notes", "value": "of {{customer}}", "limit": 100, "description": "", "readOnly": False}]
        content["relationships"] = [{**content["relationships"][0]}, {"agentEntityId": content["agents"][0]["entityId"], "blockEntityId": "entity-notes"}]
    edit(api, bot, change)
    api.post(f"/v1/templates/{bot['name']}/save")
    return made


def migrate(api, bot, made, version="2", **more):
    return api.post(f"/v1/templates/default-project/{bot['name']}/deployments/{made['deployment_id']}/migrate", {"version": version, **more})


def agent_of(api, made):
    return api.get(f"/v1/agents/{made['agent_ids'][0]}?include=agent.blocks&include=agent.tools&include=agent.tags&include=agent.secrets")


def test_a_deployment_moves_to_a_version(api, bot, moved):
    before = agent_of(api, moved)
    api.post(f"/v1/agents/{before['id']}/messages", {"input": "hello"})
    messages = api.get(f"/v1/agents/{before['id']}/messages?order=asc")
    assert migrate(api, bot, moved) == {"success": True}
    after = agent_of(api, moved)
    assert after["system"] == "Now for ACME" and sorted(after["tags"]) == ["mine", "t2", "t3"] and after["tools"] == [] and after["tool_rules"] == []
    assert after["template_id"] != before["template_id"] and after["base_template_id"] == bot["id"] and after["name"] == before["name"]
    now, was = blocks(after), blocks(before)
    assert now["human"]["id"] == was["human"]["id"] and now["human"]["value"] == "Called Grace" and now["human"]["limit"] == 600 and now["human"]["description"] == "more"
    assert now["notes"]["value"] == "of ACME" and now["notes"]["deployment_id"] == moved["deployment_id"]
    assert now["persona"]["id"] == was["persona"]["id"]  # the version has it no more; it stays
    assert {each["key"]: each["value"] for each in after["secrets"]} == {"API_KEY": "mine"}  # the template names it, without a value
    later = api.get(f"/v1/agents/{before['id']}/messages?order=asc")
    assert later[1:] == messages[1:] and "Called Grace" in later[0]["content"]
    assert api.get(f"/v1/agents/{before['id']}/core-memory/variables")["variables"] == VARIABLES
    assert migrate(api, bot, moved) == {"success": True}
    assert migrate(api, bot, moved, "1") == {"success": True} and agent_of(api, moved)["system"] == "You serve ACME."


def test_memories_can_be_kept(api, bot, moved):
    agent = agent_of(api, moved)
    api.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/human", {"value": "learnt much"})
    migrate(api, bot, moved, preserve_core_memories=True)
    assert blocks(agent_of(api, moved))["human"]["value"] == "learnt much" and blocks(agent_of(api, moved))["human"]["limit"] == 600
    migrate(api, bot, moved)
    assert blocks(agent_of(api, moved))["human"]["value"] == "Called Grace"


def test_a_block_that_is_to_be_preserved_always_is(api, bot, moved):
    agent = agent_of(api, moved)
    edit(api, bot, lambda content: content["blocks"][0].update(preserveOnMigration=True))
    api.post(f"/v1/templates/{bot['name']}/save")
    api.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/human", {"value": "learnt much"})
    migrate(api, bot, moved, "latest")
    assert blocks(agent_of(api, moved))["human"]["value"] == "learnt much"


def test_blocks_that_are_gone_can_be_deleted(api, bot, moved):
    own = api.post("/v1/blocks", {"label": "own", "value": "x"})
    persona = blocks(agent_of(api, moved))["persona"]["id"]
    api.patch(f"/v1/agents/{moved['agent_ids'][0]}/core-memory/blocks/attach/{own['id']}")
    migrate(api, bot, moved, block_reconciliation_strategy="reconcile-all")
    assert set(blocks(agent_of(api, moved))) == {"human", "notes", "own"}
    stele.refused(api, "GET", f"/v1/blocks/{persona}", 404)


def test_secrets_can_be_kept(api, bot, moved):
    api.patch(f"/v1/agents/{moved['agent_ids'][0]}", {"secrets": {"API_KEY": "mine", "EXTRA": "e"}})
    edit(api, bot, lambda content: content["agents"][0]["toolVariables"].update(data=[{"key": "NEW", "defaultValue": "n", "type": "string"}]))
    api.post(f"/v1/templates/{bot['name']}/save")
    secrets = lambda: {each["key"]: each["value"] for each in agent_of(api, moved)["secrets"]}
    migrate(api, bot, moved, "3", preserve_tool_variables=True)
    assert secrets() == {"API_KEY": "mine", "EXTRA": "e", "NEW": "n"}
    migrate(api, bot, moved, "3")
    assert secrets() == {"NEW": "n"}


def test_new_values_of_variables(api, bot, moved):
    migrate(api, bot, moved, memory_variables={"name": "Ada", "more": "x"})
    assert blocks(agent_of(api, moved))["human"]["value"] == "Called Ada"
    assert api.get(f"/v1/agents/{moved['agent_ids'][0]}/core-memory/variables")["variables"] == {**VARIABLES, "name": "Ada", "more": "x"}


def test_a_version_that_needs_more_variables_changes_nothing(api, bot, moved):
    edit(api, bot, lambda content: content["blocks"][1].update(value="{{unknown}} {{new}}"))
    api.post(f"/v1/templates/{bot['name']}/save")
    before = agent_of(api, moved)
    path = f"/v1/templates/default-project/{bot['name']}/deployments/{moved['deployment_id']}/migrate"
    assert "unknown, new" in refused(api, "POST", path, 400, {"version": "3"}, "missingMemoryVariables")
    assert agent_of(api, moved) == before


@pytest.mark.parametrize("version, status", [("9", 404), ("current", 400), ("x", 400)])
def test_versions_that_nothing_can_move_to(api, bot, moved, version, status):
    refused(api, "POST", f"/v1/templates/default-project/{bot['name']}/deployments/{moved['deployment_id']}/migrate", status, {"version": version})


def test_deployments_are_known_by_their_template_alone(api, author, bot, moved):
    other = api.post("/v1/templates", {"type": "agent", "agent_id": author["id"]})
    for name, deployment in ((other["name"], moved["deployment_id"]), (bot["name"], f"deployment-{stele.GONE}")):
        refused(api, "POST", f"/v1/templates/default-project/{name}/deployments/{deployment}/migrate", 404, {"version": "1"})


def test_older_words_for_migrating(api, bot, moved):
    assert api.post(f"/v1/templates/{bot['id']}/migrate", {"version": "2", "deployment_id": moved["deployment_id"]}) == {"success": True}
    assert api.post(f"/v1/templates/{bot['id']}/migrate?deployment_id={moved['deployment_id']}", {"version": "1"}) == {"success": True}
    assert agent_of(api, moved)["system"] == "You serve ACME."
    assert stele.refused(api, "POST", f"/v1/templates/{bot['id']}/migrate", 422, {"version": "1"})
    assert api.post(f"/v1/agents/{moved['agent_ids'][0]}/migrate", {"to_template": f"{bot['name']}:2", "preserve_core_memories": True}) == {"success": True}
    assert agent_of(api, moved)["system"] == "Now for ACME" and blocks(agent_of(api, moved))["human"]["value"] == "Name: Grace"
    stranger = api.post("/v1/agents", {"memory_blocks": []})
    refused(api, "POST", f"/v1/agents/{stranger['id']}/migrate", 400, {"to_template": bot["name"]}, "noTemplate")


def test_an_agent_moves_to_another_template_by_role_and_label(api, author, bot, moved):
    agent = agent_of(api, moved)
    other = api.post("/v1/templates", {"type": "agent", "agent_id": author["id"], "name": f"Other {bot['id'][-6:]}"})
    human = blocks(agent)["human"]["id"]
    api.post(f"/v1/agents/{agent['id']}/migrate", {"to_template": other["name"], "preserve_core_memories": False})
    after = agent_of(api, moved)
    assert after["base_template_id"] == other["id"] and blocks(after)["human"]["id"] == human and blocks(after)["human"]["value"] == "Name: Grace"


def test_saving_can_move_every_deployment(api, bot, moved):
    second = deploy(api, bot, ":1")
    edit(api, bot, lambda content: content["agents"][0].update(systemPrompt="Third {{customer}}"))
    api.post(f"/v1/templates/{bot['name']}/save", {"migrate_agents": True, "preserve_core_memories_on_migration": True})
    stele.wait_until(lambda: [agent_of(api, made)["system"] for made in (moved, second)] == ["Third ACME"] * 2)
    assert blocks(agent_of(api, moved))["human"]["value"] == "Name: Grace" and blocks(agent_of(api, moved))["human"]["limit"] == 600


def test_a_migration_waits_for_the_turn_at_work(own_server):
    api = own_server().start().http(2)
    author = api.post("/v1/agents", {"system": "first", "memory_blocks": [], "model": "openai/mock-small"})
    template = api.post("/v1/templates", {"type": "agent", "agent_id": author["id"], "name": "Busy"})
    made = api.post("/v1/templates/Busy/agents")
    edit(api, template, lambda content: content["agents"][0].update(systemPrompt="second"))
    api.post("/v1/templates/Busy/save")
    run = api.post(f"/v1/agents/{made['agent_ids'][0]}/messages/async", {"messages": [{"role": "user", "content": "@slow 40\n@say slow"}]})
    assert migrate(api, template, made) == {"success": True}
    assert api.get(f"/v1/runs/{run['id']}")["status"] == "completed" and agent_of(api, made)["system"] == "second"


def test_many_moves_at_once_end_on_one_of_the_versions(api, bot, moved):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: migrate(api, bot, moved, "12"[i % 2]), range(12)))
    assert all(each == {"success": True} for each in done)
    after = agent_of(api, moved)
    assert (after["system"], blocks(after)["human"]["value"]) in {("You serve ACME.", "Name: Grace"), ("Now for ACME", "Called Grace")}


def test_a_template_of_several_agents(api):
    """A supervisor with two members who share a block."""
    shared = api.post("/v1/blocks", {"label": "board", "value": "for {{team}}"})
    members = [api.post("/v1/agents", {"name": f"Member {i}", "memory_blocks": [{"label": "own", "value": str(i)}], "block_ids": [shared["id"]]}) for i in range(2)]
    boss = api.post("/v1/agents", {"name": "Boss", "memory_blocks": [], "block_ids": [shared["id"]]})
    api.post("/v1/groups", {"agent_ids": [m["id"] for m in members], "description": "d", "shared_block_ids": [shared["id"]], "manager_config": {"manager_type": "supervisor", "manager_agent_id": boss["id"]}})
    template = api.post("/v1/templates", {"type": "agent", "agent_id": boss["id"]})
    content = snapshot(api, template)
    assert content["type"] == "supervisor" and [agent["name"] for agent in content["agents"]] == ["Boss", "Member 0", "Member 1"] and len(content["blocks"]) == 3
    assert content["configuration"]["managerAgentEntityId"] == content["agents"][0]["entityId"]

    made = api.post(f"/v1/templates/{template['name']}/agents", {"memory_variables": {"team": "us"}})
    assert len(made["agents"]) == 3 and made["group_id"] == made["group"]["id"]
    boards = {blocks(agent)["board"]["id"] for agent in made["agents"]}
    assert len(boards) == 1 and shared["id"] not in boards and blocks(made["agents"][1])["board"]["value"] == "for us"
    group = api.get(f"/v1/groups/{made['group_id']}")
    assert group["manager_agent_id"] == made["agent_ids"][0] and group["agent_ids"] == made["agent_ids"][1:] and group["shared_block_ids"] == list(boards)
    assert group["deployment_id"] == made["deployment_id"] and group["base_template_id"] == template["id"]

    def change(draft):
        draft["agents"].pop(1)
        draft["agents"].append({**draft["agents"][1], "entityId": "entity-new", "name": "Fresh"})
        kept = {agent["entityId"] for agent in draft["agents"]}
        draft["relationships"] = [each for each in draft["relationships"] if each["agentEntityId"] in kept]
        draft["relationships"].append({"agentEntityId": "entity-new", "blockEntityId": draft["relationships"][0]["blockEntityId"]})
    edit(api, template, change)
    api.post(f"/v1/templates/{template['name']}/save")
    migrate(api, template, made)
    group = api.get(f"/v1/groups/{made['group_id']}")
    assert group["agent_ids"][0] == made["agent_ids"][2] and len(group["agent_ids"]) == 2
    fresh = api.get(f"/v1/agents/{group['agent_ids'][1]}?include=agent.blocks")
    assert fresh["name"] == "Fresh" and {block["id"] for block in fresh["blocks"]} == boards and fresh["deployment_id"] == made["deployment_id"]
    assert api.get(f"/v1/agents/{made['agent_ids'][1]}")["deployment_id"] == made["deployment_id"]  # it stays, outside the group


def test_a_pair_that_sleeps_is_made_as_a_pair(api):
    main = api.post("/v1/agents", {"enable_sleeptime": True, "memory_blocks": [{"label": "human", "value": "x"}]})
    template = api.post("/v1/templates", {"type": "agent", "agent_id": main["id"]})
    assert snapshot(api, template)["type"] == "sleeptime"
    made = api.post(f"/v1/templates/{template['name']}/agents")
    assert [agent["agent_type"] for agent in made["agents"]] == ["letta_v1_agent", "sleeptime_agent"]
    assert made["agents"][0]["enable_sleeptime"] is True and made["agents"][0]["managed_group"]["agent_ids"] == made["agent_ids"][1:]
    assert blocks(made["agents"][0])["human"]["id"] == blocks(made["agents"][1])["human"]["id"]


def test_runs_are_found_by_their_agents_template(api, bot):
    agent = deploy(api, bot)["agent_ids"][0]
    run = api.post(f"/v1/agents/{agent}/messages", {"input": "hello"})["messages"][0]["run_id"]
    assert [each["id"] for each in api.get(f"/v1/_internal_runs?template_family={bot['id']}")] == [run]
    assert api.get("/v1/_internal_runs?template_family=template-nobody") == []


# ---- parts made one by one ----

def test_parts_of_a_deployment_are_listed_and_deleted(api):
    ids = {"template_id": "template-x", "base_template_id": "template-y", "deployment_id": f"deployment-{stele.free_port()}"}
    block = api.post("/v1/_internal_templates/blocks", {**ids, "entity_id": "e1", "label": "human", "value": "v"})
    batch = api.post("/v1/_internal_templates/blocks/batch", [{**ids, "entity_id": f"e{i}", "label": f"l{i}", "value": "v"} for i in (2, 3)])
    agent = api.post("/v1/_internal_templates/agents", {**ids, "entity_id": "a1", "name": "Part", "block_ids": [block["id"]], "tool_ids": [f"tool-{stele.GONE}"], "tools": ["nobody_has_it"]})
    group = api.post("/v1/_internal_templates/groups", {**ids, "agent_ids": [agent["id"]], "description": "d"})
    assert agent["deployment_id"] == ids["deployment_id"] and agent["entity_id"] == "a1" and agent["template_id"] == "template-x" and group["deployment_id"] == ids["deployment_id"]
    path = f"/v1/_internal_templates/deployment/{ids['deployment_id']}"
    listed = api.get(path)
    assert listed["total_count"] == 5 and {each["type"] for each in listed["entities"]} == {"block", "agent", "group"}
    types = lambda query: {each["type"] for each in api.get(f"{path}?{query}")["entities"]}
    assert types("entity_types=agent,group") == {"agent", "group"} and types("entity_types=block") == {"block"} and types("entity_types=x") == {"block", "agent", "group"}
    gone = api.delete(path)
    assert gone["deleted_agents"] == [agent["id"]] and gone["deleted_groups"] == [group["id"]] and sorted(gone["deleted_blocks"]) == sorted([block["id"], *(each["id"] for each in batch)])
    assert api.get(path)["total_count"] == 0
    for body in ({}, [], [{"label": "x"}]):
        if body != []:
            stele.refused(api, "POST", "/v1/_internal_templates/blocks/batch", 422, body)
