"""letta-client 1.12.1: every method it has for this server's resources is called once with all that it takes."""

import time

import pytest
import stele
from letta_client import BadRequestError, Letta, NotFoundError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=0)


def test_an_agent_with_every_field(client):
    block = client.blocks.create(label="notes", value="n")
    agent = client.agents.create(
        name="Ada Lovelace", agent_type="letta_v1_agent", system="You are kind.", description="d", metadata={"a": {"b": 1}},
        memory_blocks=[{"label": "human", "value": "Grace", "limit": 50, "description": "who", "read_only": True, "metadata": {"m": 1}}],
        block_ids=[block.id], tools=["memory_rethink"], tags=["b", "a", "a"], include_base_tools=True,
        tool_rules=[{"type": "exit_loop", "tool_name": "memory_rethink"}], model="openai/mock-small", embedding="stele/hash",
        context_window_limit=16000, timezone="Europe/Paris", secrets={"K": "v"}, message_buffer_autoclear=True,
        model_settings={"provider_type": "openai", "temperature": 0.5, "max_output_tokens": 500, "parallel_tool_calls": True},
        initial_message_sequence=[{"role": "user", "content": "hello"}], hidden=False, max_files_open=3, per_file_view_window_char_limit=900,
        compaction_settings={"mode": "all", "model": "openai/mock-small"})
    state = client.agents.retrieve(agent.id, include=["agent.blocks", "agent.tools", "agent.tags", "agent.secrets", "agent.sources", "agent.identities"])
    for one in (agent, state):
        assert (one.name, one.system, one.description, one.metadata) == ("Ada Lovelace", "You are kind.", "d", {"a": {"b": 1}})
        assert sorted(one.tags) == ["a", "b"] and one.timezone == "Europe/Paris" and one.message_buffer_autoclear is True
        assert (one.max_files_open, one.per_file_view_window_char_limit) == (3, 900)
        assert {b.label: (b.value, b.limit, b.read_only) for b in one.blocks}["human"] == ("Grace", 50, True)
        assert {t.name for t in one.tools} == {"memory_rethink", "memory_insert", "memory_replace", "conversation_search"}
        assert any(rule.type == "exit_loop" and rule.tool_name == "memory_rethink" for rule in one.tool_rules)
        assert one.llm_config.context_window == 16000 and one.llm_config.temperature == 0.5
        assert one.compaction_settings.mode == "all" and len(one.message_ids) == 2
    changed = client.agents.update(agent.id, system="New", timezone="UTC", message_buffer_autoclear=False, metadata={"x": 1},
                                   block_ids=[block.id], tool_ids=[], description="e", message_ids=agent.message_ids[:1])
    assert (changed.system, changed.timezone, changed.metadata, changed.description) == ("New", "UTC", {"x": 1}, "e")
    full = client.agents.retrieve(agent.id, include=["agent.blocks", "agent.tools"])
    assert [b.id for b in full.blocks] == [block.id] and full.tools == [] and len(full.message_ids) == 1
    client.agents.delete(agent.id)
    assert client.blocks.retrieve(block.id).value == "n"


def test_agents_are_filtered(client):
    made = [client.agents.create(name=f"filter{i}", tags=["f", f"f{i}"], memory_blocks=[]) for i in range(3)]
    ids = [agent.id for agent in made]

    def found(**filters):
        return {agent.id for agent in client.agents.list(**filters)} & set(ids)

    assert found(tags=["f"]) == set(ids) and found(tags=["f0", "f1"], match_all_tags=False) == set(ids[:2])
    assert found(tags=["f", "f1"], match_all_tags=True) == {ids[1]}
    assert found(name="filter2") == {ids[2]} and found(query_text="FILTER") == set(ids)
    assert found(tags=["f"], before=ids[1], order="asc") | found(tags=["f"], after=ids[1], order="asc") == {ids[0], ids[2]}
    assert client.agents.list(tags=["f"], limit=1, include=["agent.tags"]).items[0].tags
    client.agents.blocks.attach(client.blocks.create(label="f", value="x").id, agent_id=ids[0])
    for agent_id in ids:
        client.agents.delete(agent_id)


def test_runs_steps_and_their_messages(client):
    agent = client.agents.create(memory_blocks=[])
    answer = client.agents.messages.create(agent.id, input='@call conversation_search {"query":"x"}')
    run = client.runs.list(agent_id=agent.id, order="desc", limit=1).items[0]
    assert [r.id for r in client.runs.list(agent_id=agent.id, statuses=["completed"]).items] == [run.id]
    assert client.runs.list(agent_id=agent.id, statuses=["failed"]).items == []
    assert client.runs.list(agent_id=agent.id, stop_reason="end_turn").items[0].id == run.id
    assert client.runs.list(agent_id=agent.id, active=True).items == []
    shown = client.runs.retrieve(run.id)
    assert shown.status == "completed" and shown.completed_at and shown.total_duration_ns > 0 and shown.ttft_ns > 0
    messages = list(client.runs.messages.list(run.id, order="asc"))
    assert [m.message_type for m in messages] == ["user_message", "tool_call_message", "tool_return_message", "assistant_message"]
    assert [m.id for m in messages[1:]] == [m.id for m in answer.messages]
    assert client.runs.usage.retrieve(run.id).total_tokens == answer.usage.total_tokens
    steps = list(client.runs.steps.list(run.id, order="asc"))
    assert [client.steps.retrieve(step.id).id for step in steps] == [step.id for step in steps]
    assert {m.message_type for m in client.steps.messages.list(steps[0].id)} == {"user_message", "tool_call_message", "tool_return_message"}
    assert client.steps.metrics.retrieve(steps[0].id).id == steps[0].id
    assert client.steps.trace.retrieve(steps[1].id).response_json["choices"]
    assert client.steps.feedback.create(steps[1].id, feedback="negative", tags=["t"]).feedback == "negative"
    assert [s.id for s in client.steps.list(agent_id=agent.id, feedback="negative").items] == [steps[1].id]
    for retrieve in (lambda: client.runs.retrieve("run-00000000-0000-4000-8000-000000000000"),
                     lambda: client.steps.retrieve("step-00000000-0000-4000-8000-000000000000")):
        with pytest.raises(NotFoundError):
            retrieve()


def test_messages_over_all_agents(client):
    agent = client.agents.create(memory_blocks=[])
    answer = client.agents.messages.create(agent.id, input="@say everywhere")
    assert answer.messages[0].id in [m.id for m in client.messages.list(limit=50)]
    parts = client.messages.retrieve(answer.messages[0].id)
    assert [part.id for part in parts] == [answer.messages[0].id] and parts[0].content == "everywhere"


def test_tools_are_found(client):
    everything = {tool.name: tool for tool in client.tools.list(limit=100)}
    assert {"send_message", "conversation_search", "memory", "memory_apply_patch", "core_memory_append"} <= set(everything)
    assert sorted(t.name for t in client.tools.list(names=["memory", "send_message"])) == ["memory", "send_message"]
    assert {t.tool_type for t in client.tools.list(tool_types=["letta_core"])} == {"letta_core"}
    assert client.tools.list(search="apply_pat").items[0].name == "memory_apply_patch"
    for tool in everything.values():
        shown = client.tools.retrieve(tool.id)
        assert shown.json_schema["name"] == tool.name and shown.json_schema["parameters"]["type"] == "object"
    with pytest.raises(NotFoundError):
        client.tools.retrieve("tool-00000000-0000-4000-8000-000000000000")


def test_tags_are_walked(client):
    agent = client.agents.create(memory_blocks=[], tags=["walk-c", "walk-a", "walk-b"])
    assert client.tags.list(query_text="walk-") == ["walk-a", "walk-b", "walk-c"]
    assert client.tags.list(query_text="walk-", limit=1) == ["walk-a"]
    assert client.tags.list(query_text="walk-", after="walk-a", limit=1) == ["walk-b"]
    client.agents.delete(agent.id)
    assert client.tags.list(query_text="walk-") == []


def test_every_form_of_content(client, model):
    agent = client.agents.create(memory_blocks=[])
    model.forget()
    for body in ({"input": "text"}, {"input": [{"type": "text", "text": "part"}]},
                 {"messages": [{"role": "user", "content": "text", "name": "grace", "otid": "o-1"}]},
                 {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]},
                 {"messages": [{"role": "assistant", "content": "I said so"}, {"role": "user", "content": "did I?"}]},
                 {"input": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}, {"type": "text", "text": "this?"}]}):
        assert client.agents.messages.create(agent.id, **body).stop_reason.stop_reason == "end_turn"
    sent = model.requests()[-1]["messages"]
    assert {"role": "assistant", "content": "I said so"} in sent
    assert [m.content for m in client.agents.messages.list(agent.id, order="asc") if m.message_type == "user_message"][0] == "text"


def test_messages_are_planned(client):
    agent = client.agents.create(memory_blocks=[])
    schedule, words = client.agents.schedule, [{"role": "user", "content": "@say planned"}]
    soon = schedule.create(agent.id, messages=words, schedule={"scheduled_at": (time.time() + 1) * 1000, "type": "one-time"}, max_steps=2)
    daily = schedule.create(agent.id, messages=words, schedule={"type": "recurring", "cron_expression": "@daily"},
                            include_return_message_types=["assistant_message"])
    assert soon.id.startswith("sched-") and soon.next_scheduled_at < daily.next_scheduled_at
    listed = schedule.list(agent.id, limit="1")
    assert [each.id for each in listed.scheduled_messages] == [soon.id] and listed.has_next_page is True
    rest = schedule.list(agent.id, after=soon.id)
    assert [each.id for each in rest.scheduled_messages] == [daily.id] and rest.has_next_page is False
    kept = schedule.retrieve(daily.id, agent_id=agent.id)
    assert kept.schedule.type == "recurring" and kept.schedule.cron_expression == "@daily" and kept.message.messages[0].content == "@say planned"
    assert kept.next_scheduled_time == daily.next_scheduled_at and kept.message.include_return_message_types == ["assistant_message"]
    stele.wait_until(lambda: [run.status for run in client.runs.list(agent_id=agent.id)] == ["completed"])
    assert [m.content for m in client.agents.messages.list(agent.id).items[-2:]] == ["@say planned", "planned"]
    stele.wait_until(lambda: [each.id for each in schedule.list(agent.id).scheduled_messages] == [daily.id])
    assert schedule.delete(daily.id, agent_id=agent.id).success is True
    with pytest.raises(NotFoundError):
        schedule.retrieve(daily.id, agent_id=agent.id)
    with pytest.raises(BadRequestError, match="cron_expression"):
        schedule.create(agent.id, messages=words, schedule={"type": "recurring", "cron_expression": "never"})
