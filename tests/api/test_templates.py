"""Templates: agents as a pattern, saved versions, and the agents that are made of them."""

import json

import pytest
import stele

DEFAULT = "project-00000000-0000-4000-8000-000000000000"


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def author(api):
    """An agent to make templates of."""
    tool = api.post("/v1/tools", {"name": "weather_of_templates", "description": "d"})
    return api.post("/v1/agents", {"name": "Author", "system": "You serve {{customer}}.", "tags": ["t1", "t2"], "description": "sells",
                                   "memory_blocks": [{"label": "human", "value": "Name: {{ name }}", "limit": 500, "description": "who"},
                                                     {"label": "persona", "value": "I am kind.", "read_only": True}],
                                   "secrets": {"API_KEY": "very-secret"}, "tool_ids": [tool["id"]], "context_window_limit": 20000,
                                   "tool_rules": [{"type": "exit_loop", "tool_name": "weather_of_templates"}], "timezone": "Europe/Berlin"})


@pytest.fixture
def bot(api, author):
    """A template of that agent."""
    return api.post("/v1/templates", {"type": "agent", "agent_id": author["id"]})


VARIABLES = {"customer": "ACME", "name": "Grace"}


def deploy(api, template, version="", **more):
    return api.post(f"/v1/templates/{template['name']}{version}/agents", {"memory_variables": VARIABLES, **more})


def snapshot(api, template, version="latest"):
    return api.get(f"/v1/templates/default-project/{template['name']}:{version}/snapshot")


def put(api, template, content):
    return api.call("PUT", f"/v1/templates/default-project/{template['name']}:current/snapshot", content)


def edit(api, template, change):
    content = snapshot(api, template, "current")
    change(content)
    put(api, template, content)
    return content


def refused(api, method, path, status, body=None, code=None):
    failed = stele.refused(api, method, path, status, body).body
    assert failed["message"] == failed["detail"], failed
    assert code is None or failed["errorCode"] == code, failed
    return failed["detail"]


def blocks(agent):
    return {block["label"]: block for block in agent["blocks"]}


# ---- making one ----

def test_a_template_of_an_agent_is_saved_as_version_1(api, author):
    status, text, _ = api.send("POST", "/v1/templates", {"type": "agent", "agent_id": author["id"], "name": f"Bot {author['id'][-6:]}"})
    made = json.loads(text)
    assert status == 201 and set(made) == {"name", "id", "project_id", "project_slug", "latest_version", "template_deployment_slug", "updated_at"}
    assert made["name"] == f"Bot {author['id'][-6:]}" and made["id"].startswith("template-") and made["project_id"] == DEFAULT
    assert made["latest_version"] == "1" and made["template_deployment_slug"] == f"default-project/{made['name']}:1"
    versions = api.get(f"/v1/templates/{DEFAULT}/{made['name'].replace(' ', '%20')}/versions")
    assert [each["version"] for each in versions["versions"]] == ["1"] and versions["total_count"] == 1 and versions["versions"][0]["is_latest"] is True
    agent = api.get(f"/v1/agents/{author['id']}")
    assert agent["base_template_id"] == made["id"] and agent["entity_id"] and agent["template_id"] is None


def test_a_snapshot_holds_all_but_messages_and_values_of_secrets(api, author, bot):
    content = snapshot(api, bot)
    assert set(content) == {"agents", "blocks", "relationships", "configuration", "type", "version"}
    assert content["type"] == "classic" and content["version"] == "1" and content["configuration"] == {}
    agent = content["agents"][0]
    assert agent["systemPrompt"] == "You serve {{customer}}." and agent["agentType"] == "letta_v1_agent" and agent["name"] == "Author"
    assert agent["tags"] == ["t1", "t2"] and agent["toolIds"] == [tool["id"] for tool in author["tools"]] and agent["toolRules"] == author["tool_rules"]
    assert [each["key"] for each in agent["memoryVariables"]["data"]] == ["customer", "name"]
    assert agent["toolVariables"] == {"version": "1", "data": [{"key": "API_KEY", "type": "string"}]}
    assert agent["properties"]["context_window_limit"] == 20000
    shown = {block["label"]: block for block in content["blocks"]}
    assert shown["human"]["value"] == "Name: {{ name }}" and shown["human"]["limit"] == 500 and shown["persona"]["readOnly"] is True
    assert content["relationships"] == [{"agentEntityId": agent["entityId"], "blockEntityId": block["entityId"]} for block in content["blocks"]]
    assert "very-secret" not in json.dumps(content)


def test_names_are_unique_in_a_project_in_any_case(api, author, bot):
    refused(api, "POST", "/v1/templates", 400, {"type": "agent", "agent_id": author["id"], "name": bot["name"].upper()}, "templateNameTaken")
    project = api.post("/v1/projects", {"name": "Other names"})
    other = api.post(f"/v1/templates/{project['slug']}", {"type": "agent", "agent_id": author["id"], "name": bot["name"]})
    assert other["project_id"] == project["id"] and other["project_slug"] == project["slug"]


@pytest.mark.parametrize("name", ["a:b", "x" * 101, "ä", "save", "a/b"])
def test_bad_names_are_refused(api, author, name):
    refused(api, "POST", "/v1/templates", 400, {"type": "agent", "agent_id": author["id"], "name": name}, "invalidTemplateName")


@pytest.mark.parametrize("body, place", [({}, "type"), ({"type": "agent"}, "agent_id"), ({"type": "agent", "agent_id": "x"}, "agent_id"), ({"type": "agent_file"}, "agent_file"), ({"type": "x"}, "type")])
def test_bad_bodies_name_the_field(api, body, place):
    assert [each["loc"] for each in stele.refused(api, "POST", "/v1/templates", 422, body).body["errors"]] == [["body", place]]


def test_an_unknown_agent_is_not_found(api):
    stele.refused(api, "POST", "/v1/templates", 404, {"type": "agent", "agent_id": f"agent-{stele.GONE}"})


# ---- what is made of it ----

def test_agents_of_a_template(api, author, bot):
    status, text, _ = api.send("POST", f"/v1/templates/{bot['name']}/agents", {"memory_variables": {**VARIABLES, "more": "x"}, "tags": ["mine", "t1"], "tool_variables": {"API_KEY": "k", "X": "y"}})
    made = json.loads(text)
    assert status == 201 and set(made) == {"agents", "group", "deployment_id", "agent_ids", "group_id"}
    agent = made["agents"][0]
    assert made["agent_ids"] == [agent["id"]] and made["group"] is None and made["group_id"] is None and made["deployment_id"].startswith("deployment-")
    assert agent["name"].startswith("Author-") and len(agent["name"]) == len("Author-") + 4
    assert agent["system"] == "You serve ACME." and blocks(agent)["human"]["value"] == "Name: Grace" and blocks(agent)["persona"]["read_only"] is True
    assert sorted(agent["tags"]) == ["mine", "t1", "t2"] and agent["timezone"] == "Europe/Berlin" and agent["llm_config"]["context_window"] == 20000
    assert [tool["id"] for tool in agent["tools"]] == [tool["id"] for tool in author["tools"]] and agent["tool_rules"] == author["tool_rules"]
    assert {secret["key"]: secret["value"] for secret in agent["secrets"]} == {"API_KEY": "k", "X": "y"}
    assert agent["base_template_id"] == bot["id"] and agent["template_id"] not in (None, bot["id"]) and agent["deployment_id"] == made["deployment_id"] and agent["entity_id"]
    assert all(block["deployment_id"] == made["deployment_id"] and block["entity_id"] and block["project_id"] == DEFAULT for block in agent["blocks"])
    assert agent["project_id"] == DEFAULT
    for path in ("core-memory/variables", "memory-variables"):
        assert api.get(f"/v1/agents/{agent['id']}/{path}") == {"variables": {**VARIABLES, "more": "x"}}
    answered = api.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})
    assert answered["stop_reason"]["stop_reason"] == "end_turn"


def test_names_messages_and_projects_of_what_is_made(api, bot):
    agent = deploy(api, bot, agent_name="Named", initial_message_sequence=[{"role": "user", "content": "remember the tea"}])["agents"][0]
    assert agent["name"] == "Named" and len(agent["message_ids"]) == 2
    assert len(deploy(api, bot, initial_message_sequence=[])["agents"][0]["message_ids"]) == 1


def test_missing_variables_are_all_named_and_nothing_is_made(api, bot):
    before = api.get("/v1/agents/count"), api.get("/v1/blocks/count")
    said = refused(api, "POST", f"/v1/templates/{bot['name']}/agents", 400, {"memory_variables": {"other": "x"}}, "missingMemoryVariables")
    assert "customer, name" in said
    assert (api.get("/v1/agents/count"), api.get("/v1/blocks/count")) == before


def test_defaults_of_variables_and_secrets_are_the_authors(api, bot):
    def give(content):
        content["agents"][0]["memoryVariables"]["data"] = [{"key": "name", "defaultValue": "friend", "type": "string"}, {"key": "unused", "type": "string"}]
        content["agents"][0]["toolVariables"]["data"] = [{"key": "API_KEY", "defaultValue": "shared", "type": "string"}]
    edit(api, bot, give)
    api.post(f"/v1/templates/{bot['name']}/save")
    agent = api.post(f"/v1/templates/{bot['name']}/agents", {"memory_variables": {"customer": "X"}})["agents"][0]
    assert blocks(agent)["human"]["value"] == "Name: friend" and agent["secrets"][0]["value"] == "shared"
    assert [each["key"] for each in snapshot(api, bot)["agents"][0]["memoryVariables"]["data"]] == ["customer", "name"]


def test_values_are_replaced_once_and_escapes_stay(api, author):
    api.patch(f"/v1/agents/{author['id']}/core-memory/blocks/human", {"value": "\\{{name}} {{name}} {core_memory}"})
    template = api.post("/v1/templates", {"type": "agent", "agent_id": author["id"]})
    agent = api.post(f"/v1/templates/{template['name']}/agents", {"memory_variables": {"customer": "c", "name": "{{customer}}"}})["agents"][0]
    assert blocks(agent)["human"]["value"] == "{{name}} {{customer}} {core_memory}"


def test_a_value_too_long_for_its_block_is_refused(api, bot):
    assert "block 'human'" in refused(api, "POST", f"/v1/templates/{bot['name']}/agents", 400, {"memory_variables": {**VARIABLES, "name": "x" * 500}})


def test_a_tool_that_is_gone_is_left_out_with_a_note(api, bot):
    tool = api.post("/v1/tools", {"name": "soon_gone_of_templates", "description": "d"})
    edit(api, bot, lambda content: content["agents"][0]["toolIds"].append(tool["id"]))
    api.post(f"/v1/templates/{bot['name']}/save")
    api.delete(f"/v1/tools/{tool['id']}")
    agent = deploy(api, bot)["agents"][0]
    assert agent["metadata"]["template_notes"] == [f"The tool {tool['id']} is gone"] and tool["id"] not in [each["id"] for each in agent["tools"]]


def test_the_same_key_makes_agents_once(api, bot):
    key = {"Idempotency-Key": f"deploy-{bot['id']}"}
    body = {"memory_variables": VARIABLES}
    first, second = (api.post(f"/v1/templates/{bot['name']}/agents", body, headers=key) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("field", ["template_version", "template_name", "template_id"])
def test_the_oldest_way_to_ask_for_agents(api, bot, field):
    status, text, _ = api.send("POST", "/v1/templates", {field: bot["id"] if field == "template_id" else bot["name"], "memory_variables": VARIABLES})
    assert status == 201 and json.loads(text)["agents"][0]["base_template_id"] == bot["id"]


# ---- versions ----

def test_saving_numbers_the_versions(api, bot):
    refused(api, "POST", f"/v1/templates/{bot['name']}/save", 400, {}, "noChanges")
    edit(api, bot, lambda content: content["agents"][0].update(systemPrompt="Second {{customer}}"))
    saved = api.post(f"/v1/templates/{bot['name']}:1/save", {"message": "better"})
    assert saved["latest_version"] == "2" and saved["template_deployment_slug"].endswith(f"{bot['name']}:2")
    listed = api.get(f"/v1/templates/{bot['id']}/versions")
    assert [(each["version"], each.get("message"), each["is_latest"]) for each in listed["versions"]] == [("2", "better", True), ("1", None, False)]
    assert snapshot(api, bot, "1")["agents"][0]["systemPrompt"] == "You serve {{customer}}."
    assert snapshot(api, bot)["agents"][0]["systemPrompt"] == "Second {{customer}}" == snapshot(api, bot, "current")["agents"][0]["systemPrompt"]
    assert snapshot(api, bot, "dev")["version"] == "current" and snapshot(api, bot)["version"] == "2"
    assert deploy(api, bot, ":1")["agents"][0]["system"] == "You serve ACME." and deploy(api, bot)["agents"][0]["system"] == "Second ACME"
    page = api.get(f"/v1/templates/{bot['id']}/versions?limit=1")
    assert page["has_next_page"] is True and page["total_count"] == 2


@pytest.mark.parametrize("version, status", [("9", 404), ("0", 400), ("x", 400)])
def test_versions_that_there_are_not(api, bot, version, status):
    refused(api, "GET", f"/v1/templates/default-project/{bot['name']}:{version}/snapshot", status)


def test_a_message_has_at_most_1000_characters(api, bot):
    assert stele.refused(api, "POST", f"/v1/templates/{bot['name']}/save", 422, {"message": "x" * 1001})


def test_rolling_back_saves_the_draft_and_rewrites_no_history(api, bot):
    edit(api, bot, lambda content: content["agents"][0].update(systemPrompt="unsaved"))
    assert api.post(f"/v1/templates/{bot['name']}/rollback", {"version": "1"}) == {"success": True}
    assert snapshot(api, bot, "2")["agents"][0]["systemPrompt"] == "unsaved"
    assert snapshot(api, bot, "current")["agents"][0]["systemPrompt"] == "You serve {{customer}}."
    assert api.post(f"/v1/templates/default-project/{bot['name']}/rollback", {"version": "latest"}) == {"success": True}
    assert snapshot(api, bot, "current")["agents"][0]["systemPrompt"] == "unsaved"
    assert len(api.get(f"/v1/templates/{bot['id']}/versions")["versions"]) == 3
    for version in ("current", "dev", "nonsense"):
        refused(api, "POST", f"/v1/templates/{bot['name']}/rollback", 400, {"version": version})


@pytest.mark.parametrize("change", [
    lambda c: c.update(agents=[]), lambda c: c["agents"][0].update(toolIds=[f"tool-{stele.GONE}"]), lambda c: c["agents"][0].update(sourceIds=["source-1"]),
    lambda c: c["blocks"][1].update(label="human"), lambda c: c["relationships"].append({"agentEntityId": "x", "blockEntityId": "y"}), lambda c: c.update(type="supervisor"),
    lambda c: c["blocks"][0].update(entityId=c["blocks"][1]["entityId"])])
def test_a_snapshot_that_does_not_hang_together_is_refused(api, bot, change):
    content = snapshot(api, bot, "current")
    change(content)
    refused(api, "PUT", f"/v1/templates/default-project/{bot['name']}:current/snapshot", 400, content, "invalidSnapshot")


def test_saved_versions_never_change(api, bot):
    content = snapshot(api, bot)
    refused(api, "PUT", f"/v1/templates/default-project/{bot['name']}:1/snapshot", 400, content)
    assert api.call("PUT", f"/v1/templates/{bot['id']}/current", content) == {"success": True}


# ---- names, lists, copies ----

def test_renaming_describing_forking_and_deleting(api, bot):
    assert api.patch(f"/v1/templates/default-project/{bot['name']}/name", {"new_name": f"Re {bot['id'][-6:]}:3"}) == {"success": True}
    name = f"Re {bot['id'][-6:]}"
    assert api.patch(f"/v1/templates/{bot['id']}/description", {"description": "What it is"}) == {"success": True}
    info = api.get(f"/v1/templates?template_id={bot['id']}")["templates"][0]
    assert info["name"] == name and info["description"] == "What it is"
    copy = api.post(f"/v1/templates/{bot['id']}/fork", {"name": f"Copy {bot['id'][-6:]}"})
    assert copy["latest_version"] == "1" and copy["project_id"] == DEFAULT
    mine, theirs = snapshot(api, {"name": name.replace(" ", "%20")}), snapshot(api, {"name": copy["name"].replace(" ", "%20")})
    assert mine["agents"][0]["entityId"] != theirs["agents"][0]["entityId"] and mine["agents"][0]["systemPrompt"] == theirs["agents"][0]["systemPrompt"]
    refused(api, "PATCH", f"/v1/templates/{copy['id']}/rename", 409, {"new_name": name}, "templateNameTaken")
    agent = deploy(api, {"name": name.replace(" ", "%20")})["agents"][0]
    assert api.delete(f"/v1/templates/{bot['id']}") == {"success": True}
    refused(api, "DELETE", f"/v1/templates/{name.replace(' ', '%20')}", 404)
    assert api.get(f"/v1/agents/{agent['id']}")["base_template_id"] == bot["id"]
    assert api.get(f"/v1/agents/{agent['id']}/core-memory/variables")["variables"] == VARIABLES


def test_the_list_and_its_filters(own_server):
    api = own_server().start().http(2)
    agent = api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "x"}]})
    project = api.post("/v1/projects", {"name": "Listed"})
    for name in ("Alpha", "Beta", "alphabet"):
        api.post("/v1/templates", {"type": "agent", "agent_id": agent["id"], "name": name})
    api.post("/v1/templates", {"type": "agent", "agent_id": agent["id"], "name": "Gamma"}, headers={"X-Project": "listed"})
    api.patch("/v1/templates/default-project/Beta/description", {"description": "first letters"})
    edit(api, {"name": "Alpha"}, lambda content: content["agents"][0].update(systemPrompt="x"))
    api.post("/v1/templates/Alpha/save")
    names = lambda query="": [each["name"] for each in api.get(f"/v1/templates?{query}")["templates"]]
    assert names() == ["Alpha", "Beta", "Gamma", "alphabet"] and names("sort_by=created_at") == ["Gamma", "alphabet", "Beta", "Alpha"]
    assert names("name=ALPHA") == ["Alpha", "alphabet"] and names("name=alpha&exact=true") == ["Alpha"] and names("search=letters") == ["Beta"]
    assert names(f"project_id={project['id']}") == names("project_slug=listed") == ["Gamma"] and names("version=2") == ["Alpha"]
    page = api.get("/v1/templates?limit=3")
    assert len(page["templates"]) == 3 and page["has_next_page"] is True and names("limit=3&offset=3") == ["alphabet"]
    for query in ("limit=0", "offset=x", "sort_by=name", "version=x"):
        refused(api, "GET", f"/v1/templates?{query}", 400)


def test_older_words_for_saving_and_making(api, author, bot):
    edit(api, bot, lambda content: content["agents"][0].update(systemPrompt="by id"))
    assert api.post("/v1/templates/save-version", {"template_id": bot["id"]})["latest_version"] == "2"
    assert stele.refused(api, "POST", "/v1/templates/save-version", 422, {})
    assert api.post("/v1/templates/create", {"type": "agent", "agent_id": author["id"]})["latest_version"] == "1"
    assert api.post(f"/v1/legacy-templates/{bot['id']}/migrates")["success"] is True
    assert api.get(f"/v1/templates/{bot['id']}/snapshot")["version"] == "2"
    edit(api, bot, lambda content: content["agents"][0].update(systemPrompt="in project"))
    assert api.post(f"/v1/templates/default-project/{bot['name']}")["latest_version"] == "3"


# ---- agents as the author's desk ----

def test_an_agent_becomes_a_template_and_its_changes_a_version(api, author):
    made = api.post(f"/v1/agents/{author['id']}/template")
    entities = {block["label"]: block["entityId"] for block in snapshot(api, made)["blocks"]}
    api.patch(f"/v1/agents/{author['id']}", {"system": "Changed"})
    assert api.post(f"/v1/agents/{author['id']}/version-template")["latest_version"] == "2"
    content = snapshot(api, made)
    assert content["agents"][0]["systemPrompt"] == "Changed" and {block["label"]: block["entityId"] for block in content["blocks"]} == entities
    assert content["agents"][0]["entityId"] == snapshot(api, made, "1")["agents"][0]["entityId"]
    assert api.post(f"/v1/agents/{author['id']}/version-template")["latest_version"] == "2"
    stranger = api.post("/v1/agents", {"memory_blocks": []})
    refused(api, "POST", f"/v1/agents/{stranger['id']}/version-template", 400, None, "noTemplate")


# ---- agent files ----

FILE = {"agents": [{"id": "agent-0", "name": "Filed", "system": "From {{file}}", "agent_type": "letta_v1_agent", "llm_config": None, "tool_ids": ["tool-0", "tool-1"], "block_ids": ["block-0"],
                    "tags": ["f"], "tool_exec_environment_variables": {"K": ""}, "messages": [], "in_context_message_ids": []}],
        "blocks": [{"id": "block-0", "label": "human", "value": "{{who}}", "limit": 77}], "groups": [], "files": [], "sources": [], "mcp_servers": [],
        "tools": [{"id": "tool-0", "name": "memory_insert", "tool_type": "letta_core"}, {"id": "tool-1", "name": "of_a_file", "description": "Counts."}]}


def test_a_template_of_an_agent_file_makes_no_agent(api):
    before = api.get("/v1/agents/count")
    made = api.post("/v1/templates", {"type": "agent_file", "agent_file": FILE})
    assert api.get("/v1/agents/count") == before
    content = snapshot(api, made)
    assert content["agents"][0]["systemPrompt"] == "From {{file}}" and content["blocks"][0]["limit"] == 77
    agent = api.post(f"/v1/templates/{made['name']}/agents", {"memory_variables": {"file": "disk", "who": "Ada"}})["agents"][0]
    assert agent["system"] == "From disk" and {tool["name"] for tool in agent["tools"]} == {"memory_insert", "of_a_file"} and blocks(agent)["human"]["value"] == "Ada"


def test_a_template_of_an_older_agent_file(api):
    file = {"agent_type": "memgpt_agent", "name": "Older", "system": "S {{x}}", "core_memory": [{"label": "human", "value": "{{who}}", "limit": 66}], "tags": [{"tag": "t"}], "version": "0.6.1",
            "messages": [], "tools": [{"name": "send_message", "tool_type": "letta_core"}, {"name": "of_an_older_file", "description": "d"}], "tool_exec_environment_variables": [{"key": "K", "value": ""}],
            "llm_config": {"model": "offline", "handle": "stele/offline", "model_endpoint_type": "stele", "context_window": 8000}}
    made = api.post("/v1/templates", {"type": "agent_file", "agent_file": file, "update_existing_tools": True})
    agent = api.post(f"/v1/templates/{made['name']}/agents", {"memory_variables": {"x": "1", "who": "Ada"}})["agents"][0]
    assert agent["agent_type"] == "memgpt_agent" and agent["system"] == "S 1" and agent["tags"] == ["t"] and blocks(agent)["human"]["value"] == "Ada" and blocks(agent)["human"]["limit"] == 66
    assert {tool["name"] for tool in agent["tools"]} == {"send_message", "of_an_older_file"} and [each["key"] for each in snapshot(api, made)["agents"][0]["toolVariables"]["data"]] == ["K"]


def test_a_draft_is_replaced_by_an_agent_file(api, bot):
    human = next(block["entityId"] for block in snapshot(api, bot)["blocks"] if block["label"] == "human")
    edit(api, bot, lambda content: content["agents"][0].update(systemPrompt="unsaved"))
    assert api.patch(f"/v1/templates/{bot['name']}", {"agent_file_json": FILE, "save_existing_changes": True}) == {"success": True}
    assert snapshot(api, bot, "2")["agents"][0]["systemPrompt"] == "unsaved"
    content = snapshot(api, bot, "current")
    assert content["agents"][0]["systemPrompt"] == "From {{file}}" and content["blocks"][0]["entityId"] == human
    for path in (f"/v1/templates/default-project/{bot['name']}/agent-file", f"/v1/templates/{bot['id']}/update"):
        assert api.call("PUT", path, {"agent_file_json": FILE}) == {"success": True}


@pytest.mark.parametrize("file", [{"agents": []}, {"agents": [{"id": "agent-0", "block_ids": ["block-9"]}]}, {"agents": [{"id": "agent-0", "tool_ids": ["tool-9"]}]}, {"agents": [{"name": "x"}]}, {}])
def test_a_bad_agent_file_is_refused(api, file):
    refused(api, "POST", "/v1/templates", 400, {"type": "agent_file", "agent_file": file}, "invalidAgentFile")
