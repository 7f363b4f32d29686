"""letta-client 0.1.324 against the real binary."""

import pytest
from letta_client import CreateBlock, Letta, MessageCreate
from letta_client.core.api_error import ApiError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url)


@pytest.fixture(params=["letta_v1_agent", "memgpt_v2_agent", "memgpt_agent"])
def made(client, request):
    return client.agents.create(name="ada", agent_type=request.param, model="openai/mock-small", embedding="stele/hash",
                                memory_blocks=[CreateBlock(label="human", value="Name: Grace."), CreateBlock(label="persona", value="I am Ada.")])


def say(client, agent, text, **more):
    return client.agents.messages.create(agent.id, messages=[MessageCreate(role="user", content=text)], **more)


def kinds(messages):
    return [message.message_type for message in messages]


def test_health_models_tags(client):
    assert client.health.check().status == "ok"
    assert "openai/mock-small" in [model.handle for model in client.models.list()]
    assert isinstance(client.tags.list(), list)


def test_an_agent_answers_in_its_way(client, made):
    answer = say(client, made, "@say Hello")
    spoken = [message for message in answer.messages if message.message_type == "assistant_message"]
    assert [message.content for message in spoken] == ["Hello"]
    assert answer.stop_reason.stop_reason == "end_turn" and answer.usage.step_count == 1
    if made.agent_type != "letta_v1_agent":
        assert kinds(answer.messages) == ["reasoning_message", "assistant_message"]
        assert answer.messages[0].reasoning == "thinking"


def test_a_tool_is_used_and_the_agent_goes_on(client, made):
    answer = say(client, made, '@call conversation_search {"query": "Hello"}')
    assert "tool_call_message" in kinds(answer.messages) and kinds(answer.messages)[-1] == "assistant_message"
    assert "tool_return_message" in kinds(answer.messages)
    assert answer.usage.step_count == 2


def test_relationships_come_unasked(client, made):
    state = client.agents.retrieve(made.id)
    assert {block.label for block in state.memory.blocks} == {"human", "persona"} and state.tools


@pytest.mark.parametrize("separator", ["\u0085", "\u2028", "\u2029"])
def test_words_with_a_line_separator_are_heard_whole(client, made, separator):
    """This client takes them for the end of a line, and loses an event that holds one as it is."""
    stream = client.agents.messages.create_stream(agent_id=made.id, stream_tokens=True,
                                                  messages=[{"role": "user", "content": f"@say one{separator}two"}])
    assert "".join(event.content for event in stream if event.message_type == "assistant_message") == f"one{separator}two"


def test_streams(client, made):
    events = list(client.agents.messages.create_stream(made.id, messages=[MessageCreate(role="user", content="@long 4")]))
    assert "word0 word1 word2 word3" in [getattr(event, "content", None) for event in events]
    pieces = list(client.agents.messages.create_stream(made.id, messages=[MessageCreate(role="user", content="@long 4")], stream_tokens=True))
    text = "".join(event.content for event in pieces if event.message_type == "assistant_message")
    assert text == "word0 word1 word2 word3"
    assert kinds(pieces)[-2:] == ["stop_reason", "usage_statistics"]


def test_history_context_and_count(client, made):
    say(client, made, "@say noted")
    assert "noted" in [getattr(message, "content", None) for message in client.agents.messages.list(made.id)]
    overview = client.agents.context.retrieve(made.id)
    assert "Name: Grace." in overview.core_memory and overview.num_messages >= 3
    assert client.agents.count() >= 1


def test_blocks_and_core_memory(client, made):
    block = client.blocks.create(label="notes", value="one")
    assert client.blocks.modify(block.id, value="two").value == "two"
    state = client.agents.blocks.attach(agent_id=made.id, block_id=block.id)
    assert "notes" in [each.label for each in state.memory.blocks]
    assert client.agents.blocks.modify(agent_id=made.id, block_label="notes", value="three").value == "three"
    assert client.agents.core_memory.retrieve(made.id).blocks
    client.agents.blocks.detach(agent_id=made.id, block_id=block.id)
    client.blocks.delete(block.id)
    with pytest.raises(ApiError) as refused:
        client.blocks.retrieve(block.id)
    assert refused.value.status_code == 404


def test_tools_answer_with_the_agent(client, made):
    rethink = client.tools.list(name="memory_rethink")[0]
    assert "memory_rethink" in [tool.name for tool in client.agents.tools.attach(agent_id=made.id, tool_id=rethink.id).tools]
    assert "memory_rethink" not in [tool.name for tool in client.agents.tools.detach(agent_id=made.id, tool_id=rethink.id).tools]


def test_modify_runs_steps_delete(client, made):
    assert client.agents.modify(made.id, name="bea", tags=["z"]).tags == ["z"]
    say(client, made, "@say hi")
    run = client.runs.list(agent_ids=[made.id])[0]
    assert client.runs.retrieve(run.id).status == "completed"
    step = client.runs.steps.list(run.id)[0]
    assert client.steps.retrieve(step.id).run_id == run.id
    client.agents.delete(made.id)
    with pytest.raises(ApiError):
        client.agents.retrieve(made.id)
