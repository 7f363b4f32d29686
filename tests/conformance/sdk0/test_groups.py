"""letta-client 0.1.324: groups by every method that it has for them, and an agent with its sleeptime partner."""

import pytest
from letta_client import DynamicManager, Letta, MessageCreate, RoundRobinManager, RoundRobinManagerUpdate, UpdateAssistantMessage
from letta_client.core.api_error import ApiError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url)


def make(client, name, **more):
    return client.agents.create(name=name, include_base_tools=False, agent_type="letta_v1_agent", model="openai/mock-small", embedding="stele/hash", **more)


def user(text):
    return [MessageCreate(role="user", content=text)]


def test_a_group_from_its_beginning_to_its_end(client):
    ann, bob, boss = (make(client, name) for name in ("Ann", "Bob", "Boss"))
    before = client.groups.count()
    block = client.blocks.create(label="notes", value="v")
    group = client.groups.create(agent_ids=[ann.id, bob.id], description="pair", manager_config=RoundRobinManager(max_turns=2), shared_block_ids=[block.id])
    assert client.groups.count() == before + 1 and client.groups.retrieve(group.id) == group
    assert group.id in [g.id for g in client.groups.list(manager_type="round_robin", limit=1000)]
    assert client.groups.modify(group.id, description="new", manager_config=RoundRobinManagerUpdate(max_turns=1)).max_turns == 1
    led = client.groups.create(agent_ids=[ann.id], description="led", manager_config=DynamicManager(manager_agent_id=boss.id))
    assert led.termination_token == "DONE!" and client.agents.retrieve(boss.id).multi_agent_group == led
    assert [g.id for g in client.agents.groups.list(ann.id)] == [led.id, group.id]
    assert [g.id for g in client.agents.groups.list(ann.id, manager_type="dynamic")] == [led.id]

    answer = client.groups.messages.create(group.id, messages=user("@say hello"))
    assert [m.content for m in answer.messages] == ["hello"] and answer.usage.step_count == 1
    pieces = list(client.groups.messages.create_stream(group.id, messages=user("@say streamed"), stream_tokens=True))
    assert "".join(p.content for p in pieces if p.message_type == "assistant_message") == "streamed"
    shown = client.groups.messages.list(group.id)
    assert [m.content for m in shown] == ["streamed", "@say streamed", "hello", "@say hello"]
    edited = client.groups.messages.modify(group.id, shown[0].id, request=UpdateAssistantMessage(content="edited"))
    assert edited.content == "edited" and client.groups.messages.list(group.id, limit=1)[0].content == "edited"
    client.groups.messages.reset(group.id)
    assert client.groups.messages.list(group.id) == []

    client.groups.delete(group.id)
    with pytest.raises(ApiError) as gone:
        client.groups.retrieve(group.id)
    assert gone.value.status_code == 404


def test_an_agent_with_its_partner(client):
    agent = make(client, "Sleepy", enable_sleeptime=True)
    group = agent.multi_agent_group
    assert (group.manager_type, group.manager_agent_id, group.sleeptime_agent_frequency, group.turns_counter) == ("sleeptime", agent.id, 5, -1)
    partner = client.agents.retrieve(group.agent_ids[0])
    assert partner.agent_type == "sleeptime_agent" and partner.name == "Sleepy-sleeptime"
    answer = client.agents.messages.create(agent.id, messages=user("@say hi"))
    assert client.runs.retrieve(answer.usage.run_ids[0]).agent_id == partner.id
    client.agents.delete(agent.id)
    for lost in (lambda: client.agents.retrieve(partner.id), lambda: client.groups.retrieve(group.id)):
        with pytest.raises(ApiError) as gone:
            lost()
        assert gone.value.status_code == 404
