"""letta-client 0.1.324: tools that users make: from functions, classes and source, and every other method for them."""

import typing

import pytest
from letta_client import Letta, MessageCreate
from letta_client.client import BaseTool
from letta_client.core.api_error import ApiError
from pydantic import BaseModel, Field


@pytest.fixture
def client(walled):
    return Letta(base_url=walled.url)


def sdk0_roll(sides: int, times: int = 1) -> typing.List[int]:
    """Rolls a die.

    Args:
        sides (int): how many it has
        times (int): how often

    Returns:
        list: what came up
    """
    return [sides] * times


def sdk0_greet(name: str) -> str:
    """Greets.

    Args:
        name (str): whom
    """
    import os

    return f"Hello {name}, {os.environ.get('OWN_SECRET', 'stranger')}"


class Item(BaseModel):
    sku: str = Field(..., description="Its number.")
    count: int = Field(..., description="How many.")


class Stock(BaseModel):
    item: Item = Field(..., description="What is counted.")
    note: typing.Optional[str] = Field(None, description="A remark.")


class StockTool(BaseTool):
    name: str = "sdk0_stock"
    args_schema: typing.Type[BaseModel] = Stock
    description: str = "Counts the stock."
    tags: typing.List[str] = ["shop"]

    def run(self, item, note=None) -> str:
        """Counts."""
        return f"{item}"


def agent_with(client, *tools, **more):
    return client.agents.create(agent_type="letta_v1_agent", model="openai/mock-small", embedding="stele/hash", memory_blocks=[],
                                include_base_tools=False, tool_ids=[tool.id for tool in tools], **more)


def say(client, agent, text):
    answer = client.agents.messages.create(agent.id, messages=[MessageCreate(role="user", content=text)])
    return [(each.status, each.tool_return) for each in answer.messages if each.message_type == "tool_return_message"]


def test_a_function_becomes_a_tool_and_is_called(client):
    tool = client.tools.create_from_function(func=sdk0_roll, tags=["dice"], return_char_limit=500)
    assert (tool.name, tool.description, tool.tags, tool.return_char_limit, tool.source_type) == ("sdk0_roll", "Rolls a die.", ["dice"], 500, "python")
    assert tool.json_schema["parameters"] == {"type": "object", "required": ["sides"], "properties": {
        "sides": {"type": "integer", "description": "how many it has"}, "times": {"type": "integer", "description": "how often"}}}
    assert say(client, agent_with(client, tool), '@call sdk0_roll {"sides": 6, "times": 2}') == [("success", "[6, 6]")]
    again = client.tools.upsert_from_function(func=sdk0_roll, description="Throws a die.")
    assert again.id == tool.id and again.description == "Throws a die." and again.tags == ["dice"]
    client.tools.delete(tool.id)


def test_a_class_becomes_a_tool(client):
    tool = client.tools.add(tool=StockTool())
    assert (tool.name, tool.description, tool.tags) == ("sdk0_stock", "Counts the stock.", ["shop"])
    item = tool.json_schema["parameters"]["properties"]["item"]
    assert item["properties"]["sku"]["type"] == "string" and tool.json_schema["parameters"]["required"] == ["item"]
    client.tools.delete(tool.id)


def test_an_arguments_schema_goes_with_a_function(client):
    class Sides(BaseModel):
        sides: int = Field(..., description="By the model.")
        times: int = Field(1, description="Also.")

    tool = client.tools.upsert_from_function(func=sdk0_roll, args_schema=Sides)
    assert tool.json_schema["parameters"]["properties"]["sides"]["description"] == "By the model."
    assert tool.args_json_schema["title"] == "Sides"
    client.tools.delete(tool.id)


def test_tools_are_created_upserted_modified_counted_listed_deleted(client):
    source = 'def {}(a: int) -> int:\n    """Doubles.\n\n    Args:\n        a: what\n    """\n    return 2 * a\n'
    before = client.tools.count()
    made = [client.tools.create(source_code=source.format(name), tags=["doubles"]) for name in ("sdk0_one", "sdk0_two")]
    assert client.tools.count() == before + 2
    assert client.tools.count(search="SDK0_ONE") == client.tools.count(name="sdk0_one") == 1
    assert client.tools.count(names=["sdk0_one", "sdk0_two"]) == client.tools.count(tool_ids=[tool.id for tool in made]) == 2
    assert client.tools.count(exclude_letta_tools=True) >= 2 and client.tools.count(return_only_letta_tools=True) + client.tools.count(exclude_letta_tools=True) == client.tools.count()
    assert client.tools.count(tool_types=["custom"]) + client.tools.count(exclude_tool_types=["custom"]) == client.tools.count()
    assert client.tools.upsert(source_code=source.format("sdk0_one")).id == made[0].id
    assert [tool.name for tool in client.tools.list(names=["sdk0_one", "sdk0_two"], order="asc")] == ["sdk0_one", "sdk0_two"]
    assert [tool.name for tool in client.tools.list(search="sdk0_", order="asc", after=made[0].id, limit=1)] == ["sdk0_two"]
    assert client.tools.list(name="no_such_tool") == []
    changed = client.tools.modify(made[0].id, description="New.", tags=["t"], return_char_limit=9, metadata={"m": 1}, default_requires_approval=True)
    assert (changed.description, changed.tags, changed.return_char_limit, changed.default_requires_approval) == ("New.", ["t"], 9, True)
    with pytest.raises(ApiError) as refused:
        client.tools.modify(made[0].id, source_code=source.format("sdk0_two"), json_schema={**made[1].json_schema})
    assert refused.value.status_code == 400
    for tool in made:
        client.tools.delete(tool.id)
    with pytest.raises(ApiError) as gone:
        client.tools.retrieve(made[0].id)
    assert gone.value.status_code == 404 and client.tools.count() == before


def test_the_tools_of_the_house_are_there(client):
    tools = {tool.name: tool for tool in client.tools.upsert_base_tools()}
    assert {"send_message", "web_search", "fetch_webpage"} <= set(tools) and tools["web_search"].tool_type == "letta_builtin"


def test_a_source_is_run_without_being_kept(client):
    source = 'import os\ndef sdk0_env(a: int) -> str:\n    """Tells.\n\n    Args:\n        a: what\n    """\n    print("out")\n    return f"{a} {os.environ[\'K\']}"\n'
    made = client.tools.run_tool_from_source(source_code=source, args={"a": 5}, env_vars={"K": "v"})
    assert (made.message_type, made.status, made.tool_return, made.stdout, made.stderr) == ("tool_return_message", "success", "5 v", ["out\n"], [])
    failed = client.tools.run_tool_from_source(source_code=source, args={"a": 5}, name="sdk0_env")
    assert failed.status == "error" and "KeyError" in failed.stderr[0]
    assert client.tools.list(name="sdk0_env") == []
    with pytest.raises(ApiError) as refused:
        client.tools.run_tool_from_source(source_code="def (", args={})
    assert refused.value.status_code == 400 and "Schema generation failed" in str(refused.value.body)


def test_composio_says_that_it_is_gone(client):
    assert client.tools.list_composio_apps() == [] and client.tools.list_composio_actions_by_app("github") == []
    with pytest.raises(ApiError) as gone:
        client.tools.add_composio_tool("GITHUB_STAR")
    assert gone.value.status_code == 410


def test_a_tool_is_attached_approved_detached(client):
    tool = client.tools.upsert_from_function(func=sdk0_greet)
    agent = agent_with(client)
    assert [each.name for each in client.agents.tools.attach(agent.id, tool.id).tools] == ["sdk0_greet"]
    assert [each.id for each in client.agents.tools.list(agent.id)] == [tool.id]
    state = client.agents.tools.modify_approval(agent.id, "sdk0_greet", requires_approval=True)
    assert [rule.type for rule in state.tool_rules] == ["requires_approval"]
    asked = client.agents.messages.create(agent.id, messages=[MessageCreate(role="user", content='@call sdk0_greet {"name": "Bo"}')])
    assert asked.stop_reason.stop_reason == "requires_approval"
    assert client.agents.tools.modify_approval(agent.id, "sdk0_greet", requires_approval=False).tool_rules == []
    assert client.agents.tools.detach(agent.id, tool.id).tools == []
    client.tools.delete(tool.id)


def test_variables_of_an_agent_are_seen_by_its_tools(client):
    tool = client.tools.upsert_from_function(func=sdk0_greet)
    agent = agent_with(client, tool, tool_exec_environment_variables={"OWN_SECRET": "friend"})
    assert [(each.key, each.value) for each in client.agents.retrieve(agent.id).tool_exec_environment_variables] == [("OWN_SECRET", "friend")]
    assert say(client, agent, '@call sdk0_greet {"name": "Bo"}') == [("success", "Hello Bo, friend")]
    client.agents.modify(agent.id, tool_exec_environment_variables={"OWN_SECRET": "enemy"})
    assert say(client, agent, '@call sdk0_greet {"name": "Bo"}') == [("success", "Hello Bo, enemy")]
    client.tools.delete(tool.id)
