"""Tools as resources: made, changed, found and deleted; those without source; sandbox configurations and their variables."""

import json
import sqlite3
import threading

import pytest
import stele
from stele import GONE, refused

ADD = '''
def {name}(a: int, names: list[str], note: str = "x") -> int:
    """Adds.

    Args:
        a: first
        names: the names
        note: a note
    """
    return a + len(names)
'''
ADD_PARAMETERS = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "description": "first"},
        "names": {"type": "array", "items": {"type": "string"}, "description": "the names"},
        "note": {"type": "string", "description": "a note"},
    },
    "required": ["a", "names"],
}
TOOL_MEMBERS = ("id tool_type description source_type name tags source_code json_schema args_json_schema return_char_limit pip_requirements npm_requirements"
                " default_requires_approval enable_parallel_execution created_by_id last_updated_by_id metadata_ project_id").split()


@pytest.fixture(scope="module")
def tools_server(walled, model, tmp_path_factory):
    """A server of this file's own: other files count the tools of theirs."""
    running = stele.Server(tmp_path_factory.mktemp("tools"), model.environment()).start()
    yield running
    assert running.stop() == 0
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(params=[1, 2], ids=["generation1", "generation2"])
def http(tools_server, request):
    return tools_server.http(request.param)


@pytest.fixture
def name(request):
    """A name of the test's own."""
    return "t" + str(abs(hash(request.node.nodeid)) % 10**12)


def schema(name, **properties):
    return {"name": name, "description": "Described.", "parameters": {"type": "object", "properties": properties, "required": list(properties)}}


def agent_with(http, *ids):
    return http.post("/v1/agents", {"tool_ids": list(ids), "include_base_tools": False, "memory_blocks": [{"label": "human", "value": "Grace"}]})["id"]


def say(http, agent, *lines, **more):
    return http.post(f"/v1/agents/{agent}/messages", {"input": "\n".join(lines), **more})


def test_a_tool_is_made_from_its_source(http, name):
    tool = http.post("/v1/tools", {"source_code": ADD.format(name=name), "tags": ["m"]})

    assert list(tool) == TOOL_MEMBERS
    assert tool["json_schema"] == {"name": name, "description": "Adds.", "parameters": ADD_PARAMETERS}
    assert (tool["tool_type"], tool["name"], tool["description"], tool["source_type"]) == ("custom", name, "Adds.", "python")
    assert (tool["return_char_limit"], tool["tags"], tool["enable_parallel_execution"]) == (50000, ["m"], False)
    assert http.get(f"/v1/tools/{tool['id']}") == tool and http.get(f"/v1/tools?name={name}") == [tool]


def test_making_it_again_keeps_the_tool_and_what_is_not_said(http, name):
    first = http.post("/v1/tools", {"source_code": ADD.format(name=name), "tags": ["m"], "return_char_limit": 99})
    again = http.post("/v1/tools", {"source_code": ADD.format(name=name), "tags": []})
    put = http.call("PUT", "/v1/tools", {"source_code": ADD.format(name=name), "description": "D"})

    assert again == first
    assert put == {**first, "description": "D"} and put["json_schema"]["description"] == "Adds."
    assert len(http.get(f"/v1/tools?names={name}")) == 1


def test_many_make_the_same_tool_at_once(tools_server, name):
    made = []
    threads = [threading.Thread(target=lambda: made.append(tools_server.http(2).post("/v1/tools", {"name": name, "description": "d"}))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 12 and len({tool["id"] for tool in made}) == 1
    assert tools_server.http(2).get(f"/v1/tools/{made[0]['id']}")["id"] == made[0]["id"]


def test_an_args_schema_gives_the_parameters(http, name):
    args = {"type": "object", "title": "A", "properties": {"q": {"$ref": "#/$defs/Q"}}, "required": ["q"], "$defs": {"Q": {"type": "object", "properties": {"x": {"type": "string"}}}}}
    tool = http.post("/v1/tools", {"source_code": f"def {name}(q):\n    return q\n", "args_json_schema": args})

    assert tool["json_schema"]["parameters"] == {"type": "object", "properties": {"q": {"type": "object", "properties": {"x": {"type": "string"}}}}, "required": ["q"]}
    assert tool["args_json_schema"] == args


UNUSABLE = [
    ({"source_code": "def ("}, 400, "Schema generation failed"),
    ({"source_code": "def f(x):\n    return x\n"}, 400, "Schema generation failed"),
    ({"source_code": ADD.format(name="n" * 49)}, 400, "48"),
    ({"source_code": "x", "json_schema": {"parameters": {}}}, 400, "name"),
    ({"source_code": "x", "json_schema": {"name": "two words"}}, 400, "name"),
    ({"source_code": "x", "json_schema": {"name": "f", "parameters": {"type": "array"}}}, 400, "parameters"),
    ({"source_code": "x", "json_schema": {"name": "f", "parameters": {"properties": []}}}, 400, "properties"),
    ({"source_code": "function f() {}", "source_type": "typescript"}, 422, "body.json_schema"),
    ({"source_code": "x", "source_type": "cobol"}, 422, "body.source_type"),
    ({"tags": ["x"]}, 422, "body.source_code"),
    ({"json_schema": {}}, 422, "body.source_code"),
    ({"json_schema": {}, "source_code": None, "name": None}, 422, "body.source_code"),
    ({"name": "two words"}, 400, "name"),
    ({"name": "memory_insert"}, 400, "letta_"),
    ({"source_code": "def memory_insert(): pass", "json_schema": {"name": "memory_insert"}}, 400, "letta_"),
    ({"name": "f", "return_char_limit": 0}, 422, "body.return_char_limit"),
    ({"name": "f", "return_char_limit": 1_000_001}, 422, "body.return_char_limit"),
    ({"name": "f", "parameters": {"type": "string"}}, 400, "parameters"),
    ({"name": "f", "pip_requirements": [{"name": "--index-url=http://evil"}]}, 422, "body.pip_requirements.0.name"),
    ({"name": "f", "pip_requirements": [{"name": "a b"}]}, 422, "body.pip_requirements.0.name"),
    ({"name": "f", "pip_requirements": [{"name": "git+https://x/y"}]}, 422, "body.pip_requirements.0.name"),
    ({"name": "f", "pip_requirements": [{"name": "a", "version": "1;rm"}]}, 422, "body.pip_requirements.0.version"),
    ({"name": "f", "pip_requirements": [{}]}, 422, "body.pip_requirements.0.name"),
]


@pytest.mark.parametrize("body, status, named", UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_can_be_no_tool_is_refused_and_nothing_is_made(tools_server, body, status, named):
    http = tools_server.http(2)
    before = http.get("/v1/tools/count")

    assert named in refused(http, "POST", "/v1/tools", status, body).text
    assert http.get("/v1/tools/count") == before


def test_a_tool_is_changed_member_by_member(http, name):
    tool = http.post("/v1/tools", {"source_code": ADD.format(name=name), "tags": ["m"]})
    path = f"/v1/tools/{tool['id']}"

    changed = http.patch(path, {"description": "new", "return_char_limit": 100, "metadata_": {"a": 1}, "pip_requirements": [{"name": "httpx", "version": "0.27.0"}]})
    assert changed == {**tool, "description": "new", "return_char_limit": 100, "metadata_": {"a": 1}, "pip_requirements": [{"name": "httpx", "version": "0.27.0"}]}
    assert http.patch(path, {}) == changed

    source = f"def {name}(b: int): pass"
    assert http.patch(path, {"source_code": source})["json_schema"] == tool["json_schema"], "the schema goes with the client's own"
    renamed = http.patch(path, {"source_code": f"def {name}x(): pass", "json_schema": schema(name + "x")})
    assert (renamed["id"], renamed["name"], renamed["description"]) == (tool["id"], name + "x", "Described.")
    assert http.get(f"/v1/tools?name={name}") == []
    assert http.patch(path, {"pip_requirements": None})["pip_requirements"] is None


def test_a_change_that_does_not_fit_leaves_the_tool(http, name):
    tool = http.post("/v1/tools", {"source_code": ADD.format(name=name)})
    http.post("/v1/tools", {"name": name + "other"})
    path = f"/v1/tools/{tool['id']}"
    for body, status, named in (({"json_schema": schema("elsewhere")}, 400, "mismatch"), ({"source_code": "def g(): pass"}, 400, "mismatch"),
                                ({"json_schema": schema(name), "args_json_schema": {"type": "object"}}, 422, "body.args_json_schema"),
                                ({"source_code": f"def {name}other(): pass", "json_schema": schema(name + "other")}, 400, name + "other"),
                                ({"parameters": {}}, 422, "body.parameters"), ({"return_char_limit": -1}, 422, "body.return_char_limit")):
        assert named in refused(http, "PATCH", path, status, body).text, body
    builtin = http.get("/v1/tools?name=memory_insert")[0]
    assert "memory_insert" in refused(http, "PATCH", f"/v1/tools/{builtin['id']}", 400, {"source_code": "def memory_insert(): pass"}).text
    assert "detach" in refused(http, "DELETE", f"/v1/tools/{builtin['id']}", 400).text
    assert http.get(path) == tool


def test_changes_at_once_do_not_undo_each_other(tools_server, name):
    http = tools_server.http(2)
    path = f"/v1/tools/{http.post('/v1/tools', {'name': name})['id']}"
    changes = [{"description": "D"}, {"tags": ["t"]}, {"return_char_limit": 7}, {"enable_parallel_execution": True}, {"metadata_": {"m": 1}}, {"project_id": "p"}]
    threads = [threading.Thread(target=tools_server.http(2).patch, args=(path, change)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    tool = http.get(path)
    assert {key: tool[key] for change in changes for key in change} == {key: value for change in changes for key, value in change.items()}


def test_what_is_changed_of_a_built_in_survives_the_start(own_server):
    server = own_server().start()
    tool = server.http(2).get("/v1/tools?name=memory_insert")[0]
    changed = server.http(2).patch(f"/v1/tools/{tool['id']}", {"default_requires_approval": True, "tags": ["mine"]})
    server.kill()
    server.start()

    assert server.http(2).get(f"/v1/tools/{tool['id']}") == changed and changed["tags"] == ["mine"]


def test_a_deleted_tool_is_gone_everywhere(http, name):
    keep = http.post("/v1/tools", {"name": name + "keep"})
    tool = http.post("/v1/tools", {"name": name, "default_requires_approval": True})
    agent = agent_with(http, keep["id"])
    http.patch(f"/v1/agents/{agent}/tools/attach/{tool['id']}")
    asks = lambda: [rule["tool_name"] for rule in http.get(f"/v1/agents/{agent}")["tool_rules"] if rule["type"] == "requires_approval"]  # noqa: E731
    assert asks() == [name]

    assert http.delete(f"/v1/tools/{tool['id']}") is None

    refused(http, "GET", f"/v1/tools/{tool['id']}", 404)
    refused(http, "DELETE", f"/v1/tools/{tool['id']}", 404)
    assert [each["name"] for each in http.get(f"/v1/agents/{agent}/tools")] == [name + "keep"] and asks() == []
    assert http.get(f"/v1/tools?limit=1000&after={tool['id']}") is not None, "a walk that stands on it goes on"


def test_search_finds_what_is_meant(http):
    for made, text, tags in (("send_email_x", "Sends an email message to a recipient.", ["mail"]), ("plot_chart_x", "Draws a chart of numbers.", ["math"]),
                             ("read_calendar_x", "Lists appointments of a day.", ["mail", "time"])):
        http.post("/v1/tools", {"name": made, "description": text, "tags": tags})
    search = lambda **body: http.post("/v1/tools/search", body)  # noqa: E731

    for mode in ("fts", "vector", "hybrid"):
        found = search(query="send somebody a message by mail", search_mode=mode, tool_types=["custom"])
        assert found[0]["tool"]["name"] == "send_email_x", mode
        assert list(found[0]) == ["tool", "embedded_text", "fts_rank", "vector_rank", "combined_score"] and list(found[0]["tool"]) == TOOL_MEMBERS
        scores = [each["combined_score"] for each in found]
        assert scores == sorted(scores, reverse=True) and all(isinstance(score, float) and score > 0 for score in scores)
        assert (found[0]["fts_rank"] == 1, found[0]["vector_rank"] == 1) == (mode != "vector", mode != "fts")
    assert {each["tool"]["name"] for each in search(tags=["mail"])} == {"send_email_x", "read_calendar_x"}
    assert [each["tool"]["name"] for each in search(query="chart", tags=["mail"], search_mode="fts")] == []
    assert len(search(limit=2)) == 2 and http.post("/v1/tools/search") != []
    for body in ({"limit": 0}, {"limit": 101}, {"search_mode": "magic"}, {"tool_types": ["hammer"]}):
        refused(http, "POST", "/v1/tools/search", 422, body)


def test_a_schema_is_told_without_a_tool(http):
    assert http.post("/v1/tools/generate-schema", {"code": ADD.format(name="f")}) == {"name": "f", "description": "Adds.", "parameters": ADD_PARAMETERS}
    assert "Schema generation failed" in refused(http, "POST", "/v1/tools/generate-schema", 400, {"code": "f = 1"}).text
    assert "body.code" in refused(http, "POST", "/v1/tools/generate-schema", 422, {}).text


def test_a_model_writes_a_tool(http):
    before = http.get("/v1/tools/count")
    answer = {"raw_source_code": ADD.format(name="written"), "sample_args_json": '{"a": 1, "names": []}', "pip_requirements_json": '{"httpx": "0.27.0"}'}
    ask = lambda **wrong: {"tool_name": "written", "handle": "openai/mock-small", "prompt": "@call propose_tool " + json.dumps({**answer, **wrong})}  # noqa: E731

    made = http.post("/v1/tools/generate-tool", ask())
    assert list(made) == ["tool", "sample_args", "response"] and list(made["tool"]) == TOOL_MEMBERS
    assert made["tool"]["json_schema"]["parameters"] == ADD_PARAMETERS and made["sample_args"] == {"a": 1, "names": []}
    assert made["tool"]["pip_requirements"] == [{"name": "httpx", "version": "0.27.0"}]

    assert "Schema generation failed" in refused(http, "POST", "/v1/tools/generate-tool", 400, ask(raw_source_code="def f(x): pass")).text
    refused(http, "POST", "/v1/tools/generate-tool", 502, ask(sample_args_json="nonsense"))
    refused(http, "POST", "/v1/tools/generate-tool", 502, ask(pip_requirements_json='{"--evil": ""}'))
    refused(http, "POST", "/v1/tools/generate-tool", 502, {**ask(), "prompt": "@say no"})
    refused(http, "POST", "/v1/tools/generate-tool", 404, {**ask(), "handle": "openai/none"})
    assert http.get("/v1/tools/count") == before


def test_composio_is_told_to_be_gone(http):
    assert http.get("/v1/tools/composio/apps") == http.get("/v1/tools/composio/apps/github/actions") == []
    assert "star" in refused(http, "POST", "/v1/tools/composio/star", 410).body["detail"]


def test_a_tool_without_source_is_run_by_the_client(http, name):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = http.post("/v1/tools", {"name": name, "description": "Tells the weather.", "parameters": parameters})
    assert tool["json_schema"] == {"name": name, "description": "Tells the weather.", "parameters": parameters}
    assert (tool["source_code"], tool["source_type"], tool["tool_type"]) == (None, "json", "custom")
    agent = agent_with(http, tool["id"])

    asked = say(http, agent, f'@call {name} {{"city": "Oslo"}}')
    assert asked["stop_reason"]["stop_reason"] == "requires_approval"
    request = asked["messages"][-1]
    assert request["message_type"] == "approval_request_message" and json.loads(request["tool_call"]["arguments"]) == {"city": "Oslo"}
    answer = {"type": "tool", "tool_call_id": request["tool_call"]["tool_call_id"], "tool_return": "rain", "status": "success"}
    told = http.post(f"/v1/agents/{agent}/messages", {"messages": [{"type": "approval", "approvals": [answer]}]})

    assert told["messages"][0]["message_type"] == "tool_return_message" and told["messages"][0]["tool_return"] == "rain"
    assert "rain" in told["messages"][-1]["content"] and told["stop_reason"]["stop_reason"] == "end_turn"


def test_a_client_that_approves_without_a_result_is_told_to_the_model(http, name):
    agent = agent_with(http, http.post("/v1/tools", {"name": name})["id"])
    call = say(http, agent, f"@call {name} {{}}")["messages"][-1]["tool_call"]["tool_call_id"]

    told = http.post(f"/v1/agents/{agent}/messages", {"messages": [{"type": "approval", "approvals": [{"type": "approval", "approve": True, "tool_call_id": call}]}]})

    assert told["messages"][0]["status"] == "error" and "client" in told["messages"][0]["tool_return"]
    assert "client" in refused(http, "POST", f"/v1/agents/{agent}/tools/{name}/run", 400, {"args": {}}).text


def test_a_tool_without_source_is_changed(http, name):
    tool = http.post("/v1/tools", {"name": name, "parameters": {}})
    assert tool["json_schema"]["parameters"] == {"type": "object", "properties": {}, "required": []}
    path = f"/v1/tools/{tool['id']}"

    assert http.patch(path, {"description": "new"})["json_schema"]["description"] == "new"
    assert http.patch(path, {"parameters": {"properties": {"x": {"type": "string"}}}})["json_schema"]["parameters"] == {"properties": {"x": {"type": "string"}}, "type": "object"}
    again = http.post("/v1/tools", {"name": name, "description": "again"})
    assert (again["id"], again["description"], again["json_schema"]["parameters"]["properties"]) == (tool["id"], "again", {"x": {"type": "string"}})

    with_source = http.post("/v1/tools", {"source_code": ADD.format(name=name)})
    assert with_source["id"] == tool["id"] and with_source["source_type"] == "python"
    assert "source" in refused(http, "POST", "/v1/tools", 400, {"name": name, "parameters": {}}).text


def test_sandbox_configurations(own_server):
    http = own_server().start().http(2)
    local = http.post("/v1/sandbox-config/local/default")
    assert local["id"].startswith("sandbox-") and local["type"] == "local"
    assert local["config"] == {"sandbox_dir": None, "use_venv": False, "venv_name": "venv", "pip_requirements": []}
    assert http.post("/v1/sandbox-config/local/default") == http.post("/v1/sandbox-config/local/recreate-venv") == local
    assert http.post("/v1/sandbox-config/e2b/default")["type"] == "e2b"
    refused(http, "POST", "/v1/sandbox-config", 409, {"config": {"use_venv": True}})

    changed = http.post("/v1/sandbox-config/local", {"use_venv": True, "pip_requirements": [{"name": "httpx"}]})
    assert changed["id"] == local["id"] and changed["config"]["pip_requirements"] == [{"name": "httpx", "version": None}]
    assert http.patch(f"/v1/sandbox-config/{local['id']}", {"config": {"use_venv": False}})["config"]["pip_requirements"] == [{"name": "httpx", "version": None}]
    assert [each["type"] for each in http.get("/v1/sandbox-config")] == ["e2b", "local"]
    assert [each["type"] for each in http.get("/v1/sandbox-config?sandbox_type=local")] == ["local"]
    refused(http, "GET", "/v1/sandbox-config?sandbox_type=paper", 422)
    refused(http, "PATCH", f"/v1/sandbox-config/{local['id']}", 422, {"config": {"use_venv": "perhaps"}})
    refused(http, "POST", "/v1/sandbox-config/local", 422, {"pip_requirements": [{"name": "-x"}]})

    assert http.send("DELETE", f"/v1/sandbox-config/{local['id']}")[0] == 204
    refused(http, "DELETE", f"/v1/sandbox-config/{local['id']}", 404)
    assert [each["type"] for each in http.get("/v1/sandbox-config")] == ["e2b"]
    assert http.post("/v1/sandbox-config", {"config": {}})["type"] == "local"


def test_variables_of_a_sandbox(tools_server):
    http = tools_server.http(2)
    config = http.post("/v1/sandbox-config/local/default")["id"]
    path = f"/v1/sandbox-config/{config}/environment-variable"
    made = http.post(path, {"key": "TOKEN", "value": "a value nobody sees", "description": "d"})
    assert made["id"].startswith("sandbox-env-") and made["sandbox_config_id"] == config and made["value"] == "a value nobody sees"
    assert made in http.get(path)

    refused(http, "POST", path, 409, {"key": "TOKEN", "value": "v"})
    for key in ("", "1A", "A-B", "A=B", "Ä", "A" * 256):
        assert "body.key" in refused(http, "POST", path, 422, {"key": key, "value": "v"}).text
    one = f"/v1/sandbox-config/environment-variable/{made['id']}"
    assert http.patch(one, {"value": "another"})["value"] == "another"
    assert http.patch(one, {"key": "TOKEN_2", "description": None})["key"] == "TOKEN_2"
    assert http.send("DELETE", one)[0] == 204
    refused(http, "PATCH", one, 404, {"value": "v"})
    refused(http, "GET", f"/v1/sandbox-config/sandbox-{GONE}/environment-variable", 404)


def test_no_secret_lies_in_the_store_or_the_log_in_clear(own_server):
    server = own_server().start()
    http = server.http(2)
    config = http.post("/v1/sandbox-config/local/default")["id"]
    kept = {"Idempotency-Key": "k"}
    variable = {"key": "TOKEN", "value": "value-that-nobody-sees"}
    made = http.call("POST", f"/v1/sandbox-config/{config}/environment-variable", variable, headers=kept)
    assert http.call("POST", f"/v1/sandbox-config/{config}/environment-variable", variable, headers=kept) == made
    http.call("POST", "/v1/agents", {"secrets": {"S": "value-that-nobody-sees"}}, headers={"Idempotency-Key": "a"})
    assert server.stop() == 0

    assert "value-that-nobody-sees" not in server.log.read_text()
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert "sandbox_variable" in tables
        for table in tables:
            assert not [row for row in store.execute(f"SELECT * FROM {table}") if "value-that-nobody-sees" in str(row)], table


def test_unchanged_secrets_stay_the_same_rows(tools_server):
    http = tools_server.http(1)
    path = f"/v1/agents/{http.post('/v1/agents', {'secrets': {'A': '1', 'B': '2'}})['id']}"
    before = {each["key"]: each for each in http.get(path)["secrets"]}

    http.patch(path, {"secrets": {"A": "1", "B": "3"}})

    after = {each["key"]: each for each in http.get(path)["secrets"]}
    assert after["A"] == before["A"] and after["B"]["id"] == before["B"]["id"] and after["B"]["value"] == "3"


def test_secrets_can_be_left_out_of_answers(own_server):
    http = own_server({"STELE_REDACT_SECRETS": "true"}).start().http(1)
    config = http.post("/v1/sandbox-config/local/default")["id"]
    variable = http.post(f"/v1/sandbox-config/{config}/environment-variable", {"key": "K", "value": "hidden"})
    agent = http.post("/v1/agents", {"secrets": {"K": "hidden"}})

    assert [variable["value"], agent["secrets"][0]["value"]] == ["", ""] and agent["secrets"][0]["key"] == "K"
