"""Agent files: export, import, the legacy form, and what is no agent file."""

import json
import uuid

import pytest
from stele import refused

SOURCE = 'def roll(sides: int) -> int:\n    """Rolls a die.\n\n    Args:\n        sides: how many it has\n    """\n    return 4\n'
ROLL = {"name": "roll", "description": "Rolls a die.", "parameters": {"type": "object", "properties": {"sides": {"type": "integer", "description": "how many"}}, "required": ["sides"]}}


def upload(http, text, **fields):
    """POST /v1/agents/import as a browser sends a form."""
    return http.post("/v1/agents/import", raw=(form := form_of(text, fields))[0], headers={"Content-Type": form[1]})


def form_of(text, fields):
    boundary = uuid.uuid4().hex
    body = b""
    for name, value in fields.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    content = text if isinstance(text, bytes) else text.encode()
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.af"\r\nContent-Type: application/json\r\n\r\n'.encode()
    return body + content + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def refused_import(http, text, status=400, **fields):
    body, kind = form_of(text, fields)
    return refused(http, "POST", "/v1/agents/import", status, raw=body, headers={"Content-Type": kind}).body["detail"]


def export(http, agent_id, query=""):
    return http.get(f"/v1/agents/{agent_id}/export{query}")


def same_but_ids(file):
    """What a round trip must not change."""
    text = json.loads(json.dumps(file))
    text.pop("created_at")
    for agent in text["agents"]:
        agent["name"] = agent["name"].removesuffix("_copy")
    for tool in text["tools"]:
        tool.pop("created_by_id"), tool.pop("last_updated_by_id")
    return text


@pytest.fixture
def everything(http):
    """An agent with a tool, secrets, blocks, rules, tags and a history with a call in it."""
    tool = http.post("/v1/tools/", {"source_code": SOURCE, "json_schema": ROLL})
    agent = http.post("/v1/agents/", {
        "name": f"exported-{uuid.uuid4().hex[:8]}", "tool_ids": [tool["id"]], "tags": ["one", "two"], "timezone": "Europe/Berlin",
        "memory_blocks": [{"label": "human", "value": "Name: Grace.", "limit": 100}, {"label": "notes/day", "value": "{}", "read_only": True}],
        "tool_rules": [{"tool_name": "roll", "type": "max_count_per_step", "max_count_limit": 3}], "secrets": {"API_KEY": "hidden-value"},
        "description": "of all kinds", "metadata": {"a": [1, {"b": None}]}, "compaction_settings": {"mode": "all"}})
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": "hello", "name": "grace"}]})
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": '@call memory_insert {"label": "human", "new_string": "Likes tea."}'}]})
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": '@call conversation_search {"query": "hello"}'}]})
    return agent


def test_a_round_trip_changes_nothing(http, everything):
    file = export(http, everything["id"])
    made = upload(http, json.dumps(file))
    assert list(made) == ["agent_ids"] and len(made["agent_ids"]) == 1
    again = export(http, made["agent_ids"][0])
    assert same_but_ids(again) == same_but_ids(file)
    assert again["agents"][0]["name"] == everything["name"] + "_copy"


def test_the_file_has_the_shape_of_version_2(http, everything):
    file = export(http, everything["id"])
    assert list(file) == ["agents", "groups", "blocks", "files", "sources", "tools", "mcp_servers", "skills", "metadata", "created_at"]
    (agent,) = file["agents"]
    assert agent["id"] == "agent-0"
    assert agent["in_context_message_ids"] == [f"message-{i}" for i in range(len(agent["messages"]))]
    assert [m["id"] for m in agent["messages"]] == agent["in_context_message_ids"]
    assert agent["secrets"] == agent["tool_exec_environment_variables"] == {"API_KEY": ""}
    assert "hidden-value" not in json.dumps(file)
    assert agent["memory_blocks"] == agent["tools"] == [] and agent["block_ids"] == ["block-0", "block-1"]
    assert agent["messages"][0]["role"] == "system"
    (user,) = [m for m in agent["messages"] if m["role"] == "user" and m["name"] == "grace"]
    assert user["content"] == [{"type": "text", "text": "hello", "signature": None}]
    call = next(m for m in agent["messages"] if m["tool_calls"])
    back = next(m for m in agent["messages"] if m["role"] == "tool")
    assert call["tool_calls"][0]["type"] == "function" and back["tool_call_id"] == call["tool_calls"][0]["id"]
    assert json.loads(back["tool_returns"][0]["func_response"])["status"] == "OK"
    assert [tool["name"] for tool in file["tools"]] == sorted(tool["name"] for tool in file["tools"])
    assert next(tool for tool in file["tools"] if tool["name"] == "roll")["source_code"] == SOURCE


def test_an_imported_agent_goes_on_from_where_it_was(http, everything, model):
    (copy,) = upload(http, json.dumps(export(http, everything["id"])), name="taken over")["agent_ids"]
    agent = http.get(f"/v1/agents/{copy}?include=agent.blocks&include=agent.tools&include=agent.tags&include=agent.secrets")
    assert agent["name"] == "taken over" and sorted(agent["tags"]) == ["one", "two"]
    assert {b["label"]: b["value"] for b in agent["blocks"]} == {"human": "Name: Grace.\nLikes tea.", "notes/day": "{}"}
    assert "roll" in [tool["name"] for tool in agent["tools"]]
    before = http.get(f"/v1/agents/{copy}/messages?limit=100")
    answer = http.post(f"/v1/agents/{copy}/messages", {"messages": [{"role": "user", "content": "@say still here"}]})
    assert [m["content"] for m in answer["messages"] if m["message_type"] == "assistant_message"] == ["still here"]
    assert len(http.get(f"/v1/agents/{copy}/messages?limit=100")) == len(before) + 2
    # Its blocks are its own.
    http.patch(f"/v1/agents/{copy}/core-memory/blocks/human", {"value": "Name: Ada."})
    assert http.get(f"/v1/agents/{everything['id']}/core-memory/blocks/human")["value"].startswith("Name: Grace.")


def test_options_of_an_import(http, everything):
    file = json.dumps(export(http, everything["id"]))
    (bare,) = upload(http, file, append_copy_suffix="false", strip_messages="true", secrets='{"API_KEY": "new", "MORE": "x"}',
                     embedding="stele/hash", model="stele/offline", project_id="project-of-old")["agent_ids"]
    agent = http.get(f"/v1/agents/{bare}?include=agent.secrets")
    assert agent["name"] == everything["name"] and agent["project_id"] == "project-of-old"
    assert {s["key"]: s["value"] for s in agent["secrets"]} == {"API_KEY": "new", "MORE": "x"}
    assert agent["embedding_config"]["handle"] == "stele/hash" and agent["llm_config"]["handle"] == "stele/offline"
    assert len(agent["message_ids"]) == 1
    refused_import(http, file, secrets="[1]")
    refused_import(http, file, model="nobody/knows-it")
    refused_import(http, file, append_copy_suffix="perhaps", status=422)


def test_a_tool_of_the_same_name(http, everything):
    file = export(http, everything["id"])
    tool = next(t for t in file["tools"] if t["name"] == "roll")
    tool["source_code"] = SOURCE.replace("return 4", "return 6")
    upload(http, json.dumps(file), override_existing_tools="false")
    (stored,) = http.get("/v1/tools/?name=roll")
    assert "return 4" in stored["source_code"]
    upload(http, json.dumps(file))
    (replaced,) = http.get("/v1/tools/?name=roll")
    assert replaced["id"] == stored["id"] and "return 6" in replaced["source_code"]


def test_a_pair_comes_back_as_a_pair(http):
    main = http.post("/v1/agents/", {"name": "awake", "enable_sleeptime": True, "memory_blocks": [{"label": "human", "value": "x"}]})
    file = export(http, main["id"])
    assert len(file["agents"]) == 2 and len(file["groups"]) == 1
    shared = set(file["agents"][0]["block_ids"]) & set(file["agents"][1]["block_ids"])
    assert shared and len(file["blocks"]) == len(set(b["id"] for b in file["blocks"]))
    made = upload(http, json.dumps(file), name="pair")["agent_ids"]
    first = http.get(f"/v1/agents/{made[0]}?include=agent.managed_group&include=agent.blocks")
    assert first["name"] == "pair" and first["enable_sleeptime"] is True
    assert first["managed_group"]["agent_ids"] == [made[1]] and first["managed_group"]["manager_type"] == "sleeptime"
    assert http.get(f"/v1/agents/{made[1]}")["name"] == "pair 2"
    assert same_but_ids(export(http, made[0]))["groups"] == same_but_ids(file)["groups"]
    before = {b["id"] for b in first["blocks"]}
    partner = http.get(f"/v1/agents/{made[1]}?include=agent.blocks")
    assert before <= {b["id"] for b in partner["blocks"]}


def test_all_messages_and_none(http, everything):
    http.patch(f"/v1/agents/{everything['id']}/reset-messages", {"add_default_initial_messages": False})
    http.post(f"/v1/agents/{everything['id']}/messages", {"messages": [{"role": "user", "content": "later"}]})
    context = export(http, everything["id"])["agents"][0]
    whole = export(http, everything["id"], "?messages=all")
    (agent,) = whole["agents"]
    assert len(agent["messages"]) > len(context["messages"]) == len(agent["in_context_message_ids"])
    assert [m["content"] for m in agent["messages"] if m["id"] in agent["in_context_message_ids"]] == [m["content"] for m in context["messages"]]
    assert export(http, everything["id"], "?messages=none")["agents"][0]["messages"] == []
    assert export(http, everything["id"], "?scrub_messages=true")["agents"][0]["messages"] == []
    (copy,) = upload(http, json.dumps(whole))["agent_ids"]
    assert len(http.get(f"/v1/agents/{copy}")["message_ids"]) == len(agent["in_context_message_ids"])
    again = export(http, copy, "?messages=all")["agents"][0]
    assert [m["content"] for m in again["messages"]] == [m["content"] for m in agent["messages"]]
    refused(http, "GET", f"/v1/agents/{everything['id']}/export?messages=some", 422)


def test_other_spellings_of_an_export(http, everything):
    file = export(http, everything["id"])
    named = http.get(f"/v1/agents/export?agent_id={everything['id']}")
    assert same_but_ids(named) == same_but_ids(file)
    skill = {"name": "greeting", "files": {"SKILL.md": "Say hello."}}
    assert http.post(f"/v1/agents/{everything['id']}/export", {"skills": [skill]})["skills"] == [skill]
    http.post(f"/v1/agents/{everything['id']}/export")
    refused(http, "GET", "/v1/agents/agent-00000000-0000-4000-8000-00000000dead/export", 404)
    refused(http, "GET", "/v1/agents/export", 422)
    _, text, headers = http.send("GET", f"/v1/agents/{everything['id']}/export")
    assert text.startswith('{\n  "agents": [\n    {\n      "name"') and headers["Content-Type"] == "application/json"
    # A client of old puts the text into a string.
    assert len(upload(http, json.dumps(text))["agent_ids"]) == 1


def test_a_conversation_in_place_of_the_agents_own(http, everything):
    made = http.post(f"/v1/conversations/?agent_id={everything['id']}", {})
    http.post(f"/v1/conversations/{made['id']}/messages", {"messages": [{"role": "user", "content": "aside"}], "streaming": False})
    file = export(http, everything["id"], f"?conversation_id={made['id']}")
    assert [m["content"][0]["text"] for m in file["agents"][0]["messages"] if m["role"] == "user"] == ["aside"]
    refused(http, "GET", f"/v1/agents/{everything['id']}/export?conversation_id=conv-00000000-0000-4000-8000-00000000dead", 404)


def test_the_legacy_form(http, everything):
    legacy = export(http, everything["id"], "?use_legacy_format=true")
    assert "agents" not in legacy and legacy["name"] == everything["name"]
    assert [b["label"] for b in legacy["core_memory"]] == ["human", "notes/day"]
    assert legacy["in_context_message_indices"] == list(range(len(legacy["messages"])))
    assert legacy["tool_exec_environment_variables"][0]["key"] == "API_KEY" and legacy["tags"] == [{"tag": "one"}, {"tag": "two"}]
    (copy,) = upload(http, json.dumps(legacy), append_copy_suffix="true", override_existing_tools="false")["agent_ids"]
    first, second = (export(http, i)["agents"][0] for i in (everything["id"], copy))
    said = lambda agent: [(m["role"], m["role"] != "tool" and m["content"]) for m in agent["messages"]]  # noqa: E731, the form knows no time zone
    assert said(second) == said(first)
    assert second["secrets"] == {"API_KEY": ""} and second["tool_rules"] == first["tool_rules"]
    http.post(f"/v1/agents/{copy}/messages", {"messages": [{"role": "user", "content": "hello"}]})
    short = export(http, everything["id"], "?use_legacy_format=true&max_steps=1")
    assert [m["role"] for m in short["messages"]][:2] == ["system", "user"]
    assert sum(m["role"] == "user" for m in short["messages"]) == 1
    assert len(export(http, everything["id"], "?use_legacy_format=true&max_steps=0")["messages"]) == 1


def legacy_file(**more):
    return {"agent_type": "memgpt_agent", "name": "old one", "description": None, "system": "You remember.", "version": "0.6.45",
            "created_at": "2025-02-03T04:05:06", "updated_at": "2025-02-03T04:05:06", "metadata_": {"k": "v"}, "multi_agent_group": None,
            "llm_config": {"model": "gpt-4o-mini", "model_endpoint_type": "openai", "model_endpoint": "https://elsewhere", "context_window": 16000,
                           "handle": "openai/gpt-4o-mini"},
            "embedding_config": {"embedding_endpoint_type": "openai", "embedding_model": "text-embedding-3-small", "embedding_dim": 1536, "embedding_chunk_size": 300},
            "message_buffer_autoclear": False, "core_memory": [{"label": "human", "value": "Grace", "limit": 5000, "metadata_": {}, "is_template": False}],
            "in_context_message_indices": [0, 2, 1], "tags": [{"tag": "old"}], "tool_exec_environment_variables": [],
            "tool_rules": [{"tool_name": "send_message", "type": "exit_loop"}],
            "tools": [{"name": "send_message", "tool_type": "letta_core", "source_type": "python", "source_code": None, "description": "d", "tags": [],
                       "json_schema": {"name": "send_message", "description": "d", "parameters": {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}}},
                      {"name": "archive_everything", "tool_type": "letta_core", "source_type": "python", "source_code": None, "tags": [],
                       "json_schema": {"name": "archive_everything", "description": "d", "parameters": {"type": "object", "properties": {}}}}],
            "messages": [{"role": "system", "content": [{"type": "text", "text": "You remember."}], "created_at": "2025-02-03T04:05:06"},
                         {"role": "tool", "content": [{"type": "text", "text": '{"status": "Failed", "message": "no", "time": "x"}'}], "name": "send_message",
                          "tool_call_id": "call-1", "tool_returns": [], "created_at": "2025-02-03T04:05:08"},
                         {"role": "assistant", "content": [{"type": "text", "text": "I greet."}], "created_at": "2025-02-03T04:05:07",
                          "tool_calls": [{"id": "call-1", "type": "function", "function": {"name": "send_message", "arguments": '{"message": "hi"}'}}]}], **more}


def test_a_file_of_years_ago(http):
    (copy,) = upload(http, json.dumps(legacy_file()), append_copy_suffix="false")["agent_ids"]
    agent = http.get(f"/v1/agents/{copy}?include=agent.tools&include=agent.tags&include=agent.blocks")
    assert agent["agent_type"] == "memgpt_agent" and agent["tags"] == ["old"] and agent["blocks"][0]["value"] == "Grace"
    assert [tool["name"] for tool in agent["tools"]] == ["send_message"]
    assert agent["metadata"]["k"] == "v" and "archive_everything" in agent["metadata"]["import_notes"][0]
    file = export(http, copy)["agents"][0]
    assert [m["role"] for m in file["messages"]] == ["system", "assistant", "tool"]
    assert file["messages"][2]["tool_returns"][0]["status"] == "error" and file["messages"][2]["name"] == "send_message"
    assert file["messages"][0]["created_at"].startswith("2025-02-03T04:05:06")


def test_an_unknown_model_is_kept_and_named_by_the_first_message(http):
    old = legacy_file(llm_config={"model": "m", "model_endpoint_type": "openai", "context_window": 8000, "handle": "gone/m"})
    (copy,) = upload(http, json.dumps(old))["agent_ids"]
    assert http.get(f"/v1/agents/{copy}")["llm_config"]["handle"] == "gone/m"
    failure = refused(http, "POST", f"/v1/agents/{copy}/messages", 404, {"messages": [{"role": "user", "content": "hello"}]})
    assert "gone/m" in failure.body["detail"]


@pytest.mark.parametrize("text, said", [
    ("not json", "Corrupted agent file format"), ("[1]", "must be a JSON object"), ("{}", "agents"), ('{"agents": []}', "no agent"),
    ('{"agents": {}}', "agents must be a list"), (b"\xff\xfe{}", "UTF-8"), ("[" * 5000, "Corrupted"),
    ('"\\"twice\\""', "must be a JSON object")], ids=["text", "list", "empty", "no-agent", "no-list", "bytes", "deep", "wrapped-twice"])
def test_what_is_no_agent_file(http, text, said):
    before = http.get("/v1/agents/count")
    assert said in refused_import(http, text)
    assert http.get("/v1/agents/count") == before


def broken(file, change):
    copy = json.loads(json.dumps(file))
    change(copy)
    return json.dumps(copy)


def test_a_broken_file_is_told_whole_and_leaves_nothing(http, everything):
    file = export(http, everything["id"])
    counted = lambda: [http.get(f"/v1/{kind}/count") for kind in ("agents", "blocks", "tools")]  # noqa: E731
    before = counted()
    cases = {
        "agent-0.tool_ids: the file has no tool tool-77": lambda f: f["agents"][0]["tool_ids"].append("tool-77"),
        "the file has no block block-9": lambda f: f["agents"][0]["block_ids"].append("block-9"),
        "the file has no message message-999": lambda f: f["agents"][0]["in_context_message_ids"].append("message-999"),
        "block-0 is there twice": lambda f: f["blocks"].append(f["blocks"][0]),
        "the file has no agent agent-5": lambda f: f["groups"].append({"id": "group-0", "agent_ids": ["agent-5"], "description": "", "manager_config": {"manager_type": "round_robin"}, "shared_block_ids": []}),
        "agents.0.agent_type": lambda f: f["agents"][0].update(agent_type="robot"),
        "agents.0.messages.0.role": lambda f: f["agents"][0]["messages"][0].update(role="narrator"),
        "blocks.0.label": lambda f: f["blocks"][0].pop("label"),
        "has a schema of the name": lambda f: f["tools"][-1].update(name="other", tool_type="custom"),
    }
    for said, change in cases.items():
        assert said in refused_import(http, broken(file, change)), said
    twice = broken(file, lambda f: (f["agents"][0].update(agent_type="robot"), f["blocks"][0].pop("label")))
    failure = refused_import(http, twice)
    assert "agent_type" in failure and "blocks.0.label" in failure
    # Two blocks of one label: found only when the agent is made, with the tools already in the transaction.
    assert "label" in refused_import(http, broken(file, lambda f: [b.update(label="same") for b in f["blocks"]]))
    assert counted() == before


def test_what_is_no_form(http):
    refused(http, "POST", "/v1/agents/import", 422, {"file": "x"})
    body, kind = form_of("{}", {})
    refused(http, "POST", "/v1/agents/import", 422, raw=body[:-10], headers={"Content-Type": kind})
    refused(http, "POST", "/v1/agents/import", 422, raw=body, headers={"Content-Type": "multipart/form-data"})
    refused(http, "POST", "/v1/agents/import", 422, raw=body.replace(b'name="file"', b'name="other"'), headers={"Content-Type": kind})


def test_an_mcp_server_comes_along_without_its_secrets(own_server, peer):
    http = own_server(arguments=["--tools-mcp-private", "true"]).start().http(2)
    server = peer()
    name = f"files-{uuid.uuid4().hex[:8]}"
    made = http.post("/v1/mcp-servers/", {"server_name": name, "config": {"mcp_server_type": "streamable_http", "server_url": server.url,
                                                                           "auth_header": "Authorization", "auth_token": "Bearer very-secret"}})
    tools = http.get(f"/v1/mcp-servers/{made['id']}/tools")
    agent = http.post("/v1/agents/", {"tool_ids": [tools[0]["id"]]})
    file = export(http, agent["id"])
    (written,) = file["mcp_servers"]
    assert written["server_name"] == name and written["server_url"] == server.url and "very-secret" not in json.dumps(file)
    http.send("DELETE", f"/v1/mcp-servers/{made['id']}")
    (copy,) = upload(http, json.dumps(file))["agent_ids"]
    assert tools[0]["name"] in [t["name"] for t in http.get(f"/v1/agents/{copy}/tools?limit=50")]
    (again,) = [s for s in http.get("/v1/mcp-servers/") if s["server_name"] == name]
    assert again["server_url"] == server.url and not again.get("auth_token")
    http.send("DELETE", f"/v1/mcp-servers/{again['id']}")
