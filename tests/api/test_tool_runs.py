"""Tools that are run by hand: from source, and those of an agent, whose memory they really change."""

import pytest
import stele
from stele import GONE, refused

RETURN_MEMBERS = ["type", "tool_return", "status", "tool_call_id", "stdout", "stderr"]


@pytest.fixture(scope="module")
def runs_server(walled, model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("runs"), {**model.environment(), "LETTA_TOOL_ENV_PASSTHROUGH": "PASSED_ON", "PASSED_ON": "p", "KEPT_BACK": "k"}).start()
    yield running
    assert running.stop() == 0
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def http(runs_server):
    return runs_server.http(2)


def run(http, body, args=None, name="f", parameters="", annotation="", **more):
    source = f'def {name}({parameters}){annotation}:\n    """Does it."""\n' + "".join(f"    {line}\n" for line in body.split("\n"))
    schema = {"name": name, "parameters": {"type": "object", "properties": {key: {"type": kind} for key, kind in more.pop("types", {}).items()}}}
    return http.post("/v1/tools/run", {"source_code": source, "json_schema": schema, "args": args or {}, **more})


RETURNS = [
    ("return 1 + 2", "3"), ("return 'text'", "text"), ("return None", "None"), ("return True", "True"), ("return 1.5", "1.5"),
    ("return ['a', 1, None]", '["a", 1, null]'), ("return {'a': 1}", '{"a": 1}'), ("return 'é\\u4e2d'", "é中"),
]


@pytest.mark.parametrize("body, text", RETURNS)
def test_what_a_tool_gives_back_is_told_as_text(http, body, text):
    made = run(http, body)

    assert made["status"] == "success"
    assert made["tool_return"].replace(" ", "") == text.replace(" ", "")


def test_the_answer_is_a_tool_return_message_of_nothing(http):
    made = run(http, "print('hi')\nreturn 3", name="three")

    assert (made["id"], made["tool_call_id"], made["name"], made["message_type"]) == ("null", "null", "three", "tool_return_message")
    assert (made["tool_return"], made["stdout"], made["stderr"]) == ("3", ["hi\n"], [])
    assert list(made["tool_returns"][0]) == RETURN_MEMBERS and made["tool_returns"][0]["tool_return"] == "3"
    assert http.get("/v1/tools?name=three") == []


def test_a_schema_is_derived_where_none_is_given(http):
    source = 'def plus(a: int, b: int = 1) -> int:\n    """Adds.\n\n    Args:\n        a: one\n        b: other\n    """\n    return a + b\n'
    for more in ({}, {"name": "plus"}, {"args_json_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}):
        made = http.post("/v1/tools/run-from-source", {"source_code": source, "args": {"a": 2}, **more})
        assert (made["name"], made["tool_return"], made["status"]) == ("plus", "3", "success"), more
    assert "Schema generation failed" in refused(http, "POST", "/v1/tools/run", 400, {"source_code": "def (", "args": {}}).text
    assert "mismatch" in refused(http, "POST", "/v1/tools/run", 400, {"source_code": source, "args": {}, "name": "minus"}).text
    assert "body.args" in refused(http, "POST", "/v1/tools/run", 422, {"source_code": source}).text
    assert "body.args" in refused(http, "POST", "/v1/tools/run", 422, {"source_code": source, "args": [1]}).text


def test_a_tool_that_fails_says_why(http):
    made = run(http, "print('before')\nraise ZeroDivisionError('no')")

    assert made["status"] == "error"
    assert made["tool_return"] == "Error executing function f: ZeroDivisionError: no"
    assert made["stdout"] == ["before\n"] and "ZeroDivisionError" in made["stderr"][0] and "Traceback" in made["stderr"][0]


def test_the_text_of_a_failure_is_short(http):
    assert len(run(http, "raise ValueError('x' * 5000)")["tool_return"]) == 1000


def test_what_a_tool_sees_in_its_environment(http):
    config = http.post("/v1/sandbox-config/local/default")["id"]
    for key, value in (("SHARED", "of the sandbox"), ("BOTH", "of the sandbox"), ("LETTA_TOOL_ID", "a lie")):
        http.post(f"/v1/sandbox-config/{config}/environment-variable", {"key": key, "value": value})
    names = "SHARED BOTH PASSED_ON KEPT_BACK OPENAI_API_KEY LETTA_AGENT_ID LETTA_TOOL_ID CALL".split()
    body = f"import os\nreturn {{name: os.environ.get(name) for name in {names}}}"
    source = "def see():\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    tool = http.post("/v1/tools", {"source_code": source, "json_schema": {"name": "see"}})
    agent = http.post("/v1/agents", {"tool_ids": [tool["id"]], "secrets": {"BOTH": "of the agent"}})["id"]

    seen = http.post(f"/v1/agents/{agent}/tools/see/run", {"args": {}})["func_return"]
    assert seen == {"SHARED": "of the sandbox", "BOTH": "of the agent", "PASSED_ON": "p", "KEPT_BACK": None, "OPENAI_API_KEY": None, "LETTA_AGENT_ID": agent, "LETTA_TOOL_ID": tool["id"], "CALL": None}
    alone = http.post("/v1/tools/run", {"source_code": source, "json_schema": {"name": "see"}, "args": {}, "env_vars": {"CALL": "c", "BOTH": "of the call"}})["tool_return"]
    assert '"CALL":"c"' in alone.replace(" ", "") and "of the call" in alone and "a lie" not in alone

    http.post(f"/v1/sandbox-config/{config}/environment-variable", {"key": "CALL", "value": "later"})
    assert http.post(f"/v1/agents/{agent}/tools/see/run", {"args": {}})["func_return"]["CALL"] == "later"


def test_a_long_return_is_cut_and_says_so(http):
    tool = http.post("/v1/tools", {"source_code": "def long():\n    return 'é' * 5000\n", "json_schema": {"name": "long"}, "return_char_limit": 100})
    agent = http.post("/v1/agents", {"tool_ids": [tool["id"]]})["id"]

    value = http.post(f"/v1/agents/{agent}/tools/long/run")["func_return"]

    assert value.startswith("é" * 100 + "...") and "5000" in value and "100 characters" in value


MEMBERS = ["status", "func_return", "agent_state", "stdout", "stderr", "sandbox_config_fingerprint"]


def test_an_agents_own_tool_is_run_by_hand(http):
    source = "def add(a, names):\n    print('working')\n    return a + len(names)\n"
    schema = {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "names": {"type": "array", "items": {"type": "string"}}}}}
    tool = http.post("/v1/tools", {"source_code": source, "json_schema": schema})
    agent = http.post("/v1/agents", {"tool_ids": [tool["id"]]})["id"]
    before = http.get(f"/v1/agents/{agent}/messages")

    made = http.post(f"/v1/agents/{agent}/tools/add/run", {"args": {"a": 3, "names": [], "unknown": 1}})

    assert list(made) == MEMBERS and made["sandbox_config_fingerprint"].isdigit()
    assert (made["status"], made["func_return"], made["stdout"], made["stderr"], made["agent_state"]) == ("success", 3, ["working\n"], [], None)
    failed = http.post(f"/v1/agents/{agent}/tools/add/run", {"args": {"a": 3}})
    assert (failed["status"], failed["func_return"]) == ("error", None) and "TypeError" in failed["stderr"][0]
    assert http.get(f"/v1/agents/{agent}/messages") == before


def test_a_memory_tool_that_is_run_by_hand_changes_the_agent(http):
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace."}]})["id"]
    path = f"/v1/agents/{agent}/tools/memory_insert/run"

    made = http.post(path, {"args": {"label": "human", "new_string": "Likes tea.", "insert_line": -1}})

    assert made["status"] == "success" and list(made) == MEMBERS
    assert "Likes tea." in http.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"]
    for args in ({"label": "none", "new_string": "x"}, {"label": "human", "nonsense": "x"}):
        failed = http.post(path, {"args": args})
        assert (failed["status"], failed["func_return"]) == ("error", None) and failed["stderr"][0]
    refused(http, "POST", f"/v1/agents/{agent}/tools/no_such_tool/run", 404, {"args": {}})
    refused(http, "POST", f"/v1/agents/agent-{GONE}/tools/memory_insert/run", 404, {"args": {}})


EDIT = '''
def edit(agent_state, label: str, value: str):
    agent_state.memory.update_block_value(label=label, value=value)
'''


def test_a_tool_that_edits_the_agents_state_edits_its_blocks_within_their_limits(http):
    schema = {"name": "edit", "parameters": {"type": "object", "properties": {"label": {"type": "string"}, "value": {"type": "string"}}}}
    tool = http.post("/v1/tools", {"source_code": EDIT, "json_schema": schema})
    agent = http.post("/v1/agents", {"tool_ids": [tool["id"]], "memory_blocks": [{"label": "human", "value": "old", "limit": 10}, {"label": "fixed", "value": "old", "read_only": True}]})["id"]
    edit = lambda label, value: http.post(f"/v1/agents/{agent}/tools/edit/run", {"args": {"label": label, "value": value}})  # noqa: E731
    value = lambda label: http.get(f"/v1/agents/{agent}/core-memory/blocks/{label}")["value"]  # noqa: E731

    made = edit("human", "new")
    assert (made["status"], made["func_return"], value("human")) == ("success", None, "new")
    for label, text in (("human", "far too long a text"), ("fixed", "new")):
        failed = edit(label, text)
        assert failed["status"] == "error" and "none of its changes" in failed["stderr"][-1], failed
    assert (value("human"), value("fixed")) == ("new", "old")


ANNOTATED = '''
def lone(words: List[str], agent_state: AgentState, one: Optional[Literal["a", "b"]] = None, more: typing.Dict[str, Any] = {}) -> Tuple[int, str]:
    return len(words), one
'''


def test_a_function_whose_imports_stayed_behind_is_called_all_the_same(http):
    schema = {"name": "lone", "parameters": {"type": "object", "properties": {"words": {"type": "array"}, "one": {"type": "string"}}}}
    for source in (ANNOTATED, "List = 5\nfrom typing import *\nimport typing\n" + ANNOTATED):
        made = http.post("/v1/tools/run", {"source_code": source, "json_schema": schema, "args": {"words": ["x", "y"], "one": "a"}})
        assert (made["status"], made["tool_return"].replace(" ", "")) == ("success", '[2,"a"]'), made
