"""letta-client 1.12.1: identities on agents, and a message on behalf of one."""

import uuid

import pytest
from letta_client import ConflictError, Letta, NotFoundError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any")


@pytest.fixture
def john(server):
    return server.http(2).post("/v1/identities/", {"identifier_key": "k" + uuid.uuid4().hex, "name": "John", "identity_type": "user"})


def test_attached_and_detached(client, john):
    agent = client.agents.create(memory_blocks=[])
    for _ in range(2):
        assert client.agents.identities.attach(john["id"], agent_id=agent.id) is None
    assert client.agents.retrieve(agent.id, include=["agent.identities"]).identities[0].id == john["id"]
    assert [a.id for a in client.agents.list(identity_id=john["id"])] == [agent.id] == [a.id for a in client.agents.list(identifier_keys=[john["identifier_key"]])]
    for _ in range(2):
        assert client.agents.identities.detach(john["identifier_key"], agent_id=agent.id) is None
    assert list(client.agents.list(identity_id=john["id"])) == []
    with pytest.raises(NotFoundError):
        client.agents.identities.attach("nobody", agent_id=agent.id)


def test_made_with_an_agent_and_replaced(client, john):
    agent = client.agents.create(memory_blocks=[], identity_ids=[john["id"]])
    assert agent.identities[0].identifier_key == john["identifier_key"]
    assert client.agents.update(agent.id, identity_ids=[]).identities == []


def test_named_by_a_message(client, john):
    agent = client.agents.create(memory_blocks=[])
    answer = client.agents.messages.create(agent.id, input="Hello", extra_body={"identity_id": john["identifier_key"]})
    assert answer.stop_reason.stop_reason == "end_turn"
    assert client.runs.retrieve(answer.messages[0].run_id).metadata["identity_id"] == john["id"]
    assert [m.sender_id for m in client.agents.messages.list(agent.id) if m.message_type == "user_message"][-1] == john["id"]
    with pytest.raises(NotFoundError):
        client.agents.messages.create(agent.id, input="Hello", extra_body={"identity_id": "nobody"})


def test_blocks_are_found_by_it(client, server, john):
    block = client.blocks.create(label=f"Persona_{john['identifier_key']}", value="x")
    assert [b.id for b in client.blocks.list(identity_id=john["id"])] == [block.id] == [b.id for b in client.blocks.list(identifier_keys=[john["identifier_key"]])]
    other = client.blocks.create(label="Persona_x", value="x")
    agent = client.agents.create(block_ids=[block.id])
    with pytest.raises(ConflictError):
        client.agents.blocks.attach(client.blocks.create(label=block.label, value="y").id, agent_id=agent.id)
    client.agents.blocks.attach(other.id, agent_id=agent.id)
    client.agents.messages.create(agent.id, input="Hello", extra_body={"identity_id": john["id"]})
    assert client.blocks.retrieve(other.id).value == "x"
