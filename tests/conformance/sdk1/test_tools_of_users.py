"""letta-client 1.12.1 against the real binary: tools that users make, by every method it has for them."""

import pytest
from letta_client import BadRequestError, Letta, NotFoundError

ADD = '''def {name}(a: int, b: int = 1) -> int:
    """Adds two numbers.

    Args:
        a: the first
        b: the second
    """
    return a + b
'''
SEES = '''def {name}() -> str:
    """Tells what it finds."""
    import os
    print("printed")
    return os.environ.get("OWN_SECRET", "nothing") + " " + os.environ["LETTA_AGENT_ID"]
'''


@pytest.fixture
def client(walled):
    return Letta(base_url=walled.url, api_key="any")


@pytest.fixture
def name(request):
    return "sdk1_" + request.node.name[5:45]


@pytest.fixture
def tool(client, name):
    made = client.tools.create(source_code=ADD.format(name=name), tags=["sums", name])
    yield made
    client.tools.delete(made.id)


def agent_with(client, *tools, **more):
    return client.agents.create(model="openai/mock-small", memory_blocks=[], include_base_tools=False, tool_ids=[tool.id for tool in tools], **more)


def returns(answer):
    return [(message.status, message.tool_return) for message in answer.messages if message.message_type == "tool_return_message"]


def test_a_tool_is_made_with_the_schema_of_its_source(tool, name):
    assert (tool.name, tool.description, tool.source_type, tool.tool_type, tool.tags) == (name, "Adds two numbers.", "python", "custom", ["sums", name])
    parameters = tool.json_schema["parameters"]
    assert parameters["required"] == ["a"] and parameters["properties"]["b"] == {"type": "integer", "description": "the second"}


def test_every_setting_goes_in_and_comes_back(client, name):
    schema = {"name": name, "description": "Mine.", "parameters": {"type": "object", "properties": {}}}
    made = client.tools.create(source_code=f"def {name}(): pass", json_schema=schema, description="Described.", return_char_limit=100, default_requires_approval=True,
                               enable_parallel_execution=True, pip_requirements=[{"name": "six", "version": "1.16.0"}], npm_requirements=[{"name": "left-pad"}])
    for each in (made, client.tools.retrieve(made.id)):
        assert (each.description, each.return_char_limit, each.default_requires_approval, each.enable_parallel_execution) == ("Described.", 100, True, True)
        assert (each.pip_requirements[0].name, each.pip_requirements[0].version, each.npm_requirements[0].name) == ("six", "1.16.0", "left-pad")
    client.tools.delete(made.id)
    with pytest.raises(NotFoundError):
        client.tools.retrieve(made.id)


def test_upsert_changes_the_tool_of_the_name(client, tool, name):
    again = client.tools.upsert(source_code=ADD.format(name=name).replace("Adds two", "Sums two"))
    assert again.id == tool.id and again.description == "Sums two numbers." and again.tags == tool.tags
    assert [each.id for each in client.tools.list(name=name)] == [tool.id]


def test_update_changes_what_it_names(client, tool, name):
    changed = client.tools.update(tool.id, description="New.", tags=["t"], return_char_limit=50, metadata={"k": 1})
    assert (changed.description, changed.tags, changed.return_char_limit, changed.source_code) == ("New.", ["t"], 50, tool.source_code)
    schema = {**tool.json_schema, "name": name + "_b"}
    renamed = client.tools.update(tool.id, source_code=ADD.format(name=name + "_b"), json_schema=schema)
    assert renamed.id == tool.id and renamed.name == name + "_b"
    with pytest.raises(BadRequestError, match="mismatch"):
        client.tools.update(tool.id, json_schema={**schema, "name": "elsewhere"})
    with pytest.raises(BadRequestError, match="send_message"):
        client.tools.update(tool.id, source_code=ADD.format(name="send_message"), json_schema={**schema, "name": "send_message"})


def test_a_source_that_says_too_little_is_refused(client, name):
    with pytest.raises(BadRequestError, match="Schema generation failed"):
        client.tools.create(source_code=f"def {name}(a): return a")


def test_tools_are_listed_by_every_filter(client, tool, name):
    other = client.tools.create(source_code=ADD.format(name=name + "_other"))
    both = {tool.id, other.id}
    assert {each.id for each in client.tools.list(names=[name, other.name])} == both
    assert {each.id for each in client.tools.list(tool_ids=list(both))} == both
    assert {each.id for each in client.tools.list(search=name.upper())} == both
    assert tool.id in {each.id for each in client.tools.list(tool_types=["custom"], limit=200)}
    assert tool.id not in {each.id for each in client.tools.list(exclude_tool_types=["custom"], limit=200)}
    assert all(each.tool_type != "custom" for each in client.tools.list(return_only_letta_tools=True, limit=200))
    oldest_first = [each.id for each in client.tools.list(search=name, order="asc", limit=1)]
    assert oldest_first == [tool.id, other.id], "the iterator goes from page to page"
    assert [each.id for each in client.tools.list(search=name, after=other.id).items] == [tool.id]
    client.tools.delete(other.id)


def test_search_ranks_by_words_and_filters_by_tags(client, tool, name):
    found = client.tools.search(query=f"{name} adds numbers", tags=[name])
    assert [each.tool.id for each in found] == [tool.id] and isinstance(found[0].combined_score, float)
    assert client.tools.search(query="numbers", tags=["no-such-tag"]) == []
    for mode in ("vector", "fts", "hybrid"):
        assert tool.id in [each.tool.id for each in client.tools.search(query=name, search_mode=mode, tool_types=["custom"], limit=100)]


def test_a_tool_is_attached_run_and_detached(client, tool, name):
    agent = agent_with(client)
    client.agents.tools.attach(tool.id, agent_id=agent.id)
    assert [each.name for each in client.agents.tools.list(agent.id)] == [name]
    made = client.agents.tools.run(name, agent_id=agent.id, args={"a": 40, "b": 2})
    assert (made.status, made.func_return, made.stdout, made.stderr) == ("success", 42, [], [])
    failed = client.agents.tools.run(name, agent_id=agent.id, args={})
    assert failed.status == "error" and failed.func_return is None and "TypeError" in failed.stderr[0]
    client.agents.tools.detach(tool.id, agent_id=agent.id)
    assert list(client.agents.tools.list(agent.id)) == []
    with pytest.raises(NotFoundError):
        client.agents.tools.run(name, agent_id=agent.id, args={"a": 1})


def test_a_deleted_tool_leaves_its_agents(client, name):
    tool = client.tools.create(source_code=ADD.format(name=name))
    agent = agent_with(client, tool)
    client.tools.delete(tool.id)
    assert list(client.agents.tools.list(agent.id)) == []


def test_secrets_are_set_read_replaced_and_seen(client, name):
    tool = client.tools.create(source_code=SEES.format(name=name))
    agent = agent_with(client, tool, secrets={"OWN_SECRET": "swordfish", "OTHER": "x"})
    shown = client.agents.retrieve(agent.id, include=["agent.secrets"])
    assert {each.key: each.value for each in shown.secrets} == {"OWN_SECRET": "swordfish", "OTHER": "x"}
    made = client.agents.tools.run(name, agent_id=agent.id, args={})
    assert made.func_return == f"swordfish {agent.id}" and made.stdout == ["printed\n"]
    client.agents.update(agent.id, secrets={"OWN_SECRET": "trout"})
    assert client.agents.tools.run(name, agent_id=agent.id, args={}).func_return == f"trout {agent.id}"
    client.agents.update(agent.id, tool_exec_environment_variables={})
    assert client.agents.tools.run(name, agent_id=agent.id, args={}).func_return == f"nothing {agent.id}"
    client.tools.delete(tool.id)


def test_a_model_calls_it(client, tool, name, model):
    agent = agent_with(client, tool)
    answer = client.agents.messages.create(agent.id, input=f'@call {name} {{"a": 20, "b": 22}}')
    assert returns(answer) == [("success", "42")]
    pieces = list(client.agents.messages.stream(agent.id, input=f'@call {name} {{"a": 1}}', stream_tokens=True))
    assert [(each.status, each.tool_return) for each in pieces if each.message_type == "tool_return_message"] == [("success", "2")]
    assert "42" in [each for each in model.requests()[-1]["messages"] if each["role"] == "tool"][0]["content"]


def test_approval_is_switched_for_one_agent_and_by_default(client, tool, name):
    agent = agent_with(client, tool)
    client.agents.tools.update_approval(name, agent_id=agent.id, body_requires_approval=True)
    asked = client.agents.messages.create(agent.id, input=f'@call {name} {{"a": 1}}')
    assert asked.stop_reason.stop_reason == "requires_approval"
    call = asked.messages[-1].tool_calls[0]
    assert call.name == name
    decided = client.agents.messages.create(agent.id, messages=[{"type": "approval", "approvals": [
        {"type": "approval", "tool_call_id": call.tool_call_id, "approve": True}]}])
    assert returns(decided) == [("success", "2")]
    client.agents.tools.update_approval(name, agent_id=agent.id, body_requires_approval=False)
    assert returns(client.agents.messages.create(agent.id, input=f'@call {name} {{"a": 2}}')) == [("success", "3")]
    client.tools.update(tool.id, default_requires_approval=True)
    assert [rule.type for rule in agent_with(client, tool).tool_rules] == ["requires_approval"]


def test_a_tool_without_source_is_run_by_the_client(client, name):
    made = client.tools.create(source_code=None, extra_body={"name": name, "description": "Opens it.", "parameters": {"type": "object", "properties": {}}})
    assert made.source_type == "json" and made.source_code is None
    agent = agent_with(client, made)
    asked = client.agents.messages.create(agent.id, input=f"@call {name} {{}}")
    assert asked.stop_reason.stop_reason == "requires_approval"
    answer = client.agents.messages.create(agent.id, messages=[{"type": "approval", "approvals": [
        {"type": "tool", "tool_call_id": asked.messages[-1].tool_calls[0].tool_call_id, "tool_return": "open", "status": "success"}]}])
    assert returns(answer) == [("success", "open")]
    client.tools.delete(made.id)


def test_the_web_tools_are_attached_like_others(client):
    found = list(client.tools.list(names=["web_search", "fetch_webpage"]))
    assert {each.tool_type for each in found} == {"letta_builtin"} and len(found) == 2
    agent = agent_with(client, *found)
    made = client.agents.tools.run("fetch_webpage", agent_id=agent.id, args={"url": "http://127.0.0.1:9/"})
    assert made.status == "error" and "no public address" in made.stderr[0]
