"""letta-client 0.1.324: identities, and a message on behalf of one."""

import uuid

import pytest
import stele
from letta_client import CreateBlock, IdentityProperty, Letta, MessageCreate
from letta_client.core.api_error import ApiError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url)


def test_identities_from_their_making_to_their_end(client):
    key = "user_" + uuid.uuid4().hex
    before = client.identities.count()
    john = client.identities.create(identifier_key=key, name="John Doe", identity_type="user", properties=[IdentityProperty(key="plan", value="pro", type="string")])
    assert (john.identifier_key, john.name, john.identity_type, john.properties[0].value) == (key, "John Doe", "user", "pro")
    assert client.identities.count() == before + 1
    with pytest.raises(ApiError) as refused:
        client.identities.create(identifier_key=key, name="x", identity_type="user")
    assert refused.value.status_code == 409
    assert client.identities.retrieve(identity_id=key).id == john.id == client.identities.retrieve(john.id).id
    assert client.identities.modify(john.id, name="J. Doe").name == "J. Doe"
    assert client.identities.upsert(identifier_key=key, name="John", identity_type="other").id == john.id
    told = client.identities.properties.upsert(john.id, request=[IdentityProperty(key="age", value=5, type="number")])  # this client reads no answer of it
    assert told["properties"] == [{"key": "age", "value": 5, "type": "number"}]
    assert [i.id for i in client.identities.list(identifier_key=key)] == [john.id] == [i.id for i in client.identities.list(name="joh", identity_type="other") if i.id == john.id]
    assert client.identities.delete(identity_id=john.id) is None
    with pytest.raises(ApiError) as refused:
        client.identities.retrieve(john.id)
    assert refused.value.status_code == 404


def test_agents_and_blocks_of_an_identity(client):
    john = client.identities.create(identifier_key="k" + uuid.uuid4().hex, name="John", identity_type="user")
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash", identity_ids=[john.id], memory_blocks=[CreateBlock(label="human", value="x")])
    assert agent.identity_ids == [john.id] == [i["id"] for i in agent.identities]
    assert [a.id for a in client.agents.list(identity_id=john.id)] == [agent.id] == [a.id for a in client.agents.list(identifier_keys=[john.identifier_key])]
    block = client.blocks.create(label="Persona_John Doe", value={"name": "John", "preferences": {}})
    assert block.value == '{"name":"John","preferences":{}}'
    client.identities.modify(john.id, block_ids=[block.id])
    assert [b.id for b in client.identities.blocks.list(john.id)] == [block.id] == [b.id for b in client.blocks.list(identity_id=john.id)]
    assert [a.id for a in client.identities.agents.list(john.id)] == [agent.id]


def test_the_flow_of_the_reference(server, client, model):
    """Block, identity, attach, send with the identity, detach."""
    name = "u" + uuid.uuid4().hex[:8]
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash", memory_blocks=[])
    block = client.blocks.create(label=f"Persona_{name}", value={"name": name, "preferences": {}, "conversation_history": []})
    client.identities.create(identifier_key=name, name=name, identity_type="user")
    client.agents.blocks.attach(agent_id=agent.id, block_id=block.id)
    try:
        answer = client.agents.messages.create(agent.id, messages=[MessageCreate(role="user", content="Hello")], request_options={"additional_body_parameters": {"identity_id": name}})
    finally:
        client.agents.blocks.detach(agent_id=agent.id, block_id=block.id)
    assert answer.stop_reason.stop_reason == "end_turn"
    sent = [body for body in model.requests() if agent.id in body["messages"][0]["content"]]
    assert len(sent) == 1 and f"<Persona_{name}>" in sent[0]["messages"][0]["content"]
    client.blocks.modify(block.id, value={"name": name, "preferences": {"tea": True}})
    assert client.blocks.retrieve(block.id).value == f'{{"name":"{name}","preferences":{{"tea":true}}}}'
