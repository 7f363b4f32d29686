"""letta-client 0.1.324: every method it has for this server's resources is called with real assertions."""

import json

import pytest
from letta_client import CreateBlock, Letta, MessageCreate, TerminalToolRule
from letta_client.core.api_error import ApiError

TYPES = ["letta_v1_agent", "memgpt_v2_agent", "memgpt_agent", "react_agent"]


@pytest.fixture
def client(server):
    return Letta(base_url=server.url)


def make(client, agent_type="memgpt_v2_agent", **more):
    return client.agents.create(agent_type=agent_type, model="openai/mock-small", embedding="stele/hash", memory_blocks=[
        CreateBlock(label="human", value="Name: Grace."), CreateBlock(label="persona", value="I am Ada.")], **more)


def user(text, **more):
    return [MessageCreate(role="user", content=text, **more)]


def kinds(messages):
    return [message.message_type for message in messages]


def test_models(client):
    assert "openai/mock-small" in [model.handle for model in client.models.list()]
    assert client.models.listembeddingmodels() is None, "this client reads no answer of it; that it succeeds is all there is"


def test_agents_are_listed_filtered_counted(client):
    before = client.agents.count()
    made = [make(client, name=f"old{i}", tags=["old", f"old{i}"]) for i in range(3)]
    ids = [agent.id for agent in made]
    assert client.agents.count() == before + 3
    assert {a.id for a in client.agents.list(tags=["old"])} == set(ids)
    assert [a.id for a in client.agents.list(tags=["old", "old1"], match_all_tags=True)] == [ids[1]]
    assert [a.id for a in client.agents.list(tags=["old"], query_text="OLD2")] == [ids[2]]
    assert {"old", "old0"} <= set(client.tags.list())
    seen, after = [], None
    while page := client.agents.list(tags=["old"], limit=1, after=after, ascending=True):
        seen += [agent.id for agent in page]
        after = page[-1].id
        make(client, name="noise")
    assert seen == ids
    for agent_id in ids:
        client.agents.delete(agent_id)
    assert client.agents.list(tags=["old"]) == []


def test_an_agent_is_modified_field_by_field(client):
    agent = make(client, description="d", metadata={"a": 1}, tool_rules=[TerminalToolRule(tool_name="send_message")])
    changed = client.agents.modify(agent.id, name="Bea", system="You are terse.", description="e", metadata={"b": 2}, timezone="Europe/Rome")
    assert (changed.name, changed.system, changed.description, changed.metadata, changed.timezone) == ("Bea", "You are terse.", "e", {"b": 2}, "Europe/Rome")
    assert {tool.name for tool in changed.tools} == {tool.name for tool in agent.tools}
    state = client.agents.retrieve(agent.id)
    assert (state.name, state.llm_config.handle, state.embedding_config.handle) == ("Bea", "openai/mock-small", "stele/hash")
    assert [block.label for block in client.agents.core_memory.retrieve(agent.id).blocks] == [block.label for block in state.memory.blocks]
    overview = client.agents.context.retrieve(agent.id)
    assert overview.context_window_size_current <= overview.context_window_size_max and overview.num_recall_memory == 4


def test_blocks_of_an_agent(client):
    agent = make(client)
    assert {block.label for block in client.agents.blocks.list(agent.id)} == {"human", "persona"}
    assert client.agents.blocks.retrieve(agent.id, "human").value == "Name: Grace."
    assert client.agents.blocks.modify(agent.id, "human", value="Name: Lin.").value == "Name: Lin."
    block = client.blocks.create(label="team", value="one", limit=20, description="who", metadata={"m": 1})
    assert client.agents.blocks.attach(agent.id, block.id).id == agent.id
    assert [a.id for a in client.blocks.agents.list(block.id)] == [agent.id]
    with pytest.raises(ApiError) as over:
        client.blocks.modify(block.id, value="x" * 21)
    assert over.value.status_code == 422
    assert client.blocks.count() >= 3 and block.id in [b.id for b in client.blocks.list(label="team")]
    assert "team" not in [b.label for b in client.agents.blocks.detach(agent.id, block.id).memory.blocks]
    client.blocks.delete(block.id)


def test_tools_of_an_agent(client):
    agent = make(client, "letta_v1_agent")
    names = {tool.name for tool in client.agents.tools.list(agent.id)}
    assert names == {"conversation_search", "memory_insert", "memory_replace"}
    assert client.tools.count() >= len(client.tools.list(name="send_message")) == 1
    tool = client.tools.list(name="memory_rethink")[0]
    assert client.tools.retrieve(tool.id).name == "memory_rethink"
    assert {t.name for t in client.agents.tools.attach(agent.id, tool.id).tools} == names | {"memory_rethink"}
    assert {t.name for t in client.agents.tools.detach(agent.id, tool.id).tools} == names
    with pytest.raises(ApiError) as missing:
        client.tools.retrieve("tool-00000000-0000-4000-8000-000000000000")
    assert missing.value.status_code == 404


@pytest.mark.parametrize("agent_type", TYPES)
def test_the_listing_is_what_was_answered(client, agent_type):
    more = {"tools": ["send_message", "conversation_search"]} if agent_type == "react_agent" else {}
    agent = make(client, agent_type, **more)
    before = client.agents.messages.list(agent.id, limit=1)[-1].id
    answer = client.agents.messages.create(agent.id, messages=user("@say noted", otid=f"otid-{agent.id}"))
    listed = client.agents.messages.list(agent.id, after=before)
    assert listed[0].message_type == "user_message" and listed[0].otid == f"otid-{agent.id}" and listed[0].content == "@say noted"
    assert [(m.id, m.otid, m.message_type) for m in listed[1:]] == [(m.id, m.otid, m.message_type) for m in answer.messages]
    assert all(m.run_id and m.step_id for m in answer.messages)


@pytest.mark.parametrize("agent_type", TYPES)
def test_a_stream_and_a_token_stream_say_the_same(client, agent_type):
    more = {"tools": ["send_message", "conversation_search"]} if agent_type == "react_agent" else {}
    agent = make(client, agent_type, **more)
    for tokens in (False, True):
        events = list(client.agents.messages.create_stream(agent.id, messages=user("@long 6"), stream_tokens=tokens))
        said = [event for event in events if event.message_type == "assistant_message"]
        assert "".join(event.content for event in said) == "word0 word1 word2 word3 word4 word5"
        assert len({(event.id, event.otid) for event in said}) == 1
        assert kinds(events)[-2:] == ["stop_reason", "usage_statistics"] and kinds(events).count("stop_reason") == 1
        assert events[-1].step_count == 1 and events[-1].total_tokens > 0
        stored = client.agents.messages.list(agent.id)[-1]
        assert (stored.id, stored.otid) == (said[0].id, said[0].otid)


@pytest.mark.parametrize("agent_type", ["memgpt_agent", "memgpt_v2_agent"])
def test_heartbeats_as_clients_read_them(client, agent_type):
    agent = make(client, agent_type)
    answer = client.agents.messages.create(agent.id, messages=user('@call conversation_search {"query": "x"}'))
    assert kinds(answer.messages) == ["reasoning_message", "tool_call_message", "tool_return_message", "reasoning_message", "assistant_message"]
    assert json.loads(answer.messages[1].tool_call.arguments) == {"query": "x", "request_heartbeat": True}
    beats = [m for m in client.agents.messages.list(agent.id) if m.message_type == "user_message" and "request_heartbeat=true" in m.content]
    assert len(beats) == 1
    spoken = client.agents.messages.create(agent.id, messages=user("@say aloud"), use_assistant_message=False)
    assert kinds(spoken.messages) == ["reasoning_message", "tool_call_message", "tool_return_message"]
    assert kinds(client.agents.messages.list(agent.id, use_assistant_message=False))[-3:] == kinds(spoken.messages)


def test_reset_answers_with_the_agent(client):
    agent = make(client)
    client.agents.messages.create(agent.id, messages=user("@say hi"))
    state = client.agents.messages.reset(agent.id, add_default_initial_messages=True)
    assert state.id == agent.id and len(state.message_ids) == 4 and state.message_ids[0] == agent.message_ids[0]


def test_a_message_is_edited(client):
    agent = make(client)
    client.agents.messages.create(agent.id, messages=user("@say hi"))
    said = next(m for m in client.agents.messages.list(agent.id) if m.message_type == "user_message")
    edited = client.agents.messages.modify(agent.id, said.id, request={"message_type": "user_message", "content": "hello"})
    assert edited.message_type == "user_message" and edited.content == "hello" and edited.id == said.id
    assert next(m for m in client.agents.messages.list(agent.id) if m.id == said.id).content == "hello"
    system = client.agents.retrieve(agent.id).message_ids[0]
    with pytest.raises(ApiError) as refused:
        client.agents.messages.modify(agent.id, system, request={"message_type": "system_message", "content": "x"})
    assert refused.value.status_code == 409


def test_runs_and_steps(client):
    agent = make(client)
    answer = client.agents.messages.create(agent.id, messages=user('@call conversation_search {"query":"x"}'))
    run = client.runs.list(agent_ids=[agent.id])[0]
    assert (run.status, run.stop_reason) == ("completed", "end_turn") and client.runs.retrieve(run.id).id == run.id
    assert run.id not in [active.id for active in client.runs.list_active()]
    assert [m.id for m in client.runs.messages.list(run.id)][-1] == answer.messages[-1].id
    assert client.runs.usage.retrieve(run.id).total_tokens == answer.usage.total_tokens
    steps = client.runs.steps.list(run.id)
    assert len(steps) == 2 and {step.id for step in client.steps.list(agent_id=agent.id)} == {step.id for step in steps}
    assert client.steps.retrieve(steps[0].id).run_id == run.id
    assert client.steps.metrics.retrieve(steps[0].id).llm_request_ns > 0
    assert client.steps.trace.retrieve(steps[0].id).request_json["model"] == "mock-small"
    assert client.steps.feedback.create(steps[0].id, feedback="positive").feedback == "positive"
    assert client.runs.delete(run.id).id == run.id
    with pytest.raises(ApiError) as gone:
        client.runs.retrieve(run.id)
    assert gone.value.status_code == 404
    assert answer.messages[-1].id in [m.id for m in client.agents.messages.list(agent.id)], "a run's messages stay"


def test_errors_have_the_api_s_status_and_body(client):
    agent = make(client)
    for code, kind in ((401, "llm_authentication"), (400, "llm_bad_request")):
        with pytest.raises(ApiError) as failed:
            client.agents.messages.create(agent.id, messages=user(f"@fail {code}"))
        assert failed.value.status_code == code and failed.value.body["error"]["type"] == kind
    with pytest.raises(ApiError) as unknown:
        client.agents.retrieve("agent-nonsense")
    assert unknown.value.status_code == 422 and "agent_id" in str(unknown.value.body)


def test_a_background_stream_is_resumed(client):
    agent = client.agents.create(memory_blocks=[])
    events = list(client.agents.messages.create_stream(agent.id, messages=user("@long 12"), stream_tokens=True, background=True))
    run_id = events[1].run_id
    again = list(client.runs.stream(run_id, starting_after=0))
    assert [event.dict() for event in again] == [event.dict() for event in events]
    rest = list(client.runs.stream(run_id, starting_after=7, include_pings=False))
    assert [event.seq_id for event in rest[:-2]] == list(range(8, 14))


def test_an_asynchronous_run_is_a_job_too_and_can_be_cancelled(client):
    agent = client.agents.create(memory_blocks=[])
    run = client.agents.messages.create_async(agent.id, messages=user("@sleep 60000"))
    assert run.status == "created"
    assert client.agents.messages.cancel(agent.id, run_ids=[run.id]) == {run.id: "cancelled"}
    assert client.jobs.retrieve(run.id).status == "cancelled" and client.runs.retrieve(run.id).status == "cancelled"
    another = client.agents.messages.create_async(agent.id, messages=user("@sleep 60000"))
    assert client.jobs.cancel_job(another.id).status == "cancelled"
    assert client.jobs.list() == [] and client.jobs.list_active() == []


def test_a_voice(client):
    agent = make(client)
    raw = client.voice.create_voice_chat_completions(agent.id, request={"messages": user("@say aloud"), "stream": False})
    assert raw["choices"][0]["message"]["content"] == "aloud"
