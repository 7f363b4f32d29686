"""The samples of the API reference as its readers type them: with the client where it takes their arguments, else the same
JSON through the client's own escape, `request_options`."""

import asyncio
import json
import urllib.parse
import urllib.request
import uuid

import pytest
from letta_client import AsyncLetta, Letta, MessageCreate
from letta_client.core.api_error import ApiError


@pytest.fixture
def client(server):
    """As the samples make it: with a token that an open server does not ask for, and a project."""
    return Letta(base_url=server.url, token="YOUR_TOKEN", project="default-project")


def more(**body) -> dict:
    return {"additional_body_parameters": body}


def curl(server, method, path, body=None):
    request = urllib.request.Request(server.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                     headers={"Authorization": "Bearer <token>", "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def test_health(client, server):
    assert client.health.check().status == "ok"
    assert curl(server, "GET", "/health")["status"] == "ok"


def test_agents(client):
    agent = client.agents.create(name="My Agent", request_options=more(instructions="You are a helpful assistant"))
    assert agent.id in [each.id for each in client.agents.list()]
    assert client.agents.retrieve(agent_id=agent.id).system == "You are a helpful assistant"
    client.agents.modify(agent_id=agent.id, request_options=more(instructions="Updated instructions"))
    assert client.agents.retrieve(agent_id=agent.id).system == "Updated instructions"
    with pytest.raises(ApiError) as refused:
        client.agents.retrieve(agent_id="agent_id")
    assert refused.value.status_code == 422
    client.agents.delete(agent_id=agent.id)


@pytest.fixture
def agent(client):
    made = client.agents.create(name="My Agent", model="openai/mock-small", embedding="stele/hash")
    yield made
    client.agents.delete(agent_id=made.id)


def test_messages(client, server, agent):
    response = client.agents.messages.create(agent_id=agent.id, messages=[MessageCreate(role="user", content="Hello, how are you?")])
    assert response.messages
    user = f"user_{uuid.uuid4().hex[:6]}"
    hello = [MessageCreate(role="user", content="Hello, how are you?")]
    with pytest.raises(ApiError) as refused:  # a wrong key would mix users up
        client.agents.messages.create(agent_id=agent.id, messages=hello, request_options=more(identity_id=user))
    assert refused.value.status_code == 404
    identity = client.identities.create(identifier_key=user, name="John Doe", identity_type="user")
    client.agents.messages.create(agent_id=agent.id, messages=hello, request_options=more(identity_id=user))
    newest = [each for each in client.agents.messages.list(agent_id=agent.id) if each.message_type == "user_message"][-1]
    assert newest.sender_id == identity.id
    chunks = list(client.agents.messages.create_stream(agent_id=agent.id, messages=[MessageCreate(role="user", content="Tell me a story")]))
    assert "assistant_message" in [each.message_type for each in chunks]

    async def later():
        return await AsyncLetta(base_url=server.url).agents.messages.create_async(agent_id=agent.id, messages=[MessageCreate(role="user", content="Hello")])

    assert asyncio.run(later()).id.startswith("run-")
    client.agents.messages.modify(agent_id=agent.id, message_id=newest.id, request={"message_type": "user_message", "content": "edited"})


def test_blocks(client, agent):
    block = client.blocks.create(label="My Block", value={"content": "This is my block content"})
    assert json.loads(client.blocks.retrieve(block_id=block.id).value) == {"content": "This is my block content"}
    client.blocks.modify(block_id=block.id, value={"content": "Updated content"})
    assert json.loads(client.blocks.retrieve(block_id=block.id).value) == {"content": "Updated content"}
    walked, after = [], None
    while page := client.blocks.list(after=after, limit=50):
        walked, after = walked + [each.id for each in page], page[-1].id
    assert walked.count(block.id) == 1
    assert "My Block" in [each.label for each in client.agents.blocks.attach(agent_id=agent.id, block_id=block.id).memory.blocks]
    assert "My Block" not in [each.label for each in client.agents.blocks.detach(agent_id=agent.id, block_id=block.id).memory.blocks]
    client.blocks.delete(block_id=block.id)


def test_identities(client, server):
    key = f"user_{uuid.uuid4().hex[:6]}"
    identity = client.identities.create(identifier_key=key, name="John Doe", identity_type="user")
    assert client.identities.retrieve(identity_id=identity.id).identifier_key == key
    assert client.identities.upsert(identifier_key=key, name="John Doe", identity_type="user").id == identity.id
    assert client.identities.modify(identity_id=identity.id, name="Updated Name").name == "Updated Name"
    assert identity.id in [each.id for each in client.identities.list()]
    client.identities.delete(identity_id=identity.id)
    body = {"identifier_key": key, "name": "John Doe", "identity_type": "user"}
    made = curl(server, "POST", "/v1/identities/", body)
    assert curl(server, "PUT", "/v1/identities/", body)["id"] == made["id"]
    assert made["id"] in [each["id"] for each in curl(server, "GET", "/v1/identities/")]
    assert curl(server, "GET", f"/v1/identities/{key}")["id"] == made["id"]
    assert curl(server, "PATCH", f"/v1/identities/{made['id']}", {"name": "Updated Name"})["name"] == "Updated Name"
    curl(server, "DELETE", f"/v1/identities/{key}")


def test_tools(client, server):
    name = f"my_tool_{uuid.uuid4().hex[:6]}"
    body = {"name": name, "description": "A useful tool", "parameters": {"type": "object", "properties": {}}}
    tool = curl(server, "POST", "/v1/tools/", body)
    assert curl(server, "PUT", "/v1/tools/", body)["id"] == tool["id"]
    assert client.tools.retrieve(tool_id=tool["id"]).name == name and client.tools.list()
    assert client.tools.modify(tool_id=tool["id"], description="Updated description").description == "Updated description"
    client.tools.delete(tool_id=tool["id"])


def test_providers(client, server):
    name = f"OpenAI {uuid.uuid4().hex[:6]}"
    provider = client.providers.create(name=name, provider_type="openai", api_key="your-api-key", base_url="http://127.0.0.1:9")
    assert provider.id in [each.id for each in client.providers.list()]
    with pytest.raises(urllib.error.HTTPError) as refused:  # nobody is there, and it says so
        curl(server, "POST", "/v1/providers/check", {"provider_id": provider.id})
    assert refused.value.code == 503
    client.providers.modify(provider_id=provider.id, api_key="new-api-key")
    client.providers.delete(provider_id=provider.id)


def test_a_user_has_a_block_of_their_own(client, server, agent):
    """The flow of the notes: create, attach, send with the identity, detach; and with the block linked, no dance at all."""
    username = uuid.uuid4().hex[:8]
    identity = client.identities.create(identifier_key=username, name=username, identity_type="user")
    block = client.blocks.create(label=f"Persona_{username}", value={"name": username, "preferences": {}, "conversation_history": []})
    client.agents.blocks.attach(agent_id=agent.id, block_id=block.id)
    try:
        client.agents.messages.create(agent_id=agent.id, messages=[MessageCreate(role="user", content="@say hello")], request_options=more(identity_id=identity.id))
    finally:
        client.agents.blocks.detach(agent_id=agent.id, block_id=block.id)
    assert json.loads(client.blocks.retrieve(block_id=block.id).value)["name"] == username
    linked = client.identities.retrieve(identity_id=identity.id)
    assert block.id in linked.block_ids


def test_sources(client, server):
    source = client.sources.create(name=f"My Source {uuid.uuid4().hex[:6]}", description="A data source")
    assert source.id in [each.id for each in client.sources.list()]
    # The sample's upload_file(source_id, file_path) is `files.upload` in every client.
    client.sources.files.upload(source_id=source.id, file=("file.txt", b"What the file says", "text/plain"))
    (file,) = client.sources.files.list(source_id=source.id)
    assert (file.file_name, file.source_id) == ("file.txt", source.id)
    client.sources.files.delete(source_id=source.id, file_id=file.id)
    assert client.sources.files.list(source_id=source.id) == []
    for path in ("count", "metadata", f"by-name?name={urllib.parse.quote(source.name)}", f"{source.id}/files", f"{source.id}/passages", f"{source.id}"):
        assert curl(server, "GET", f"/sources/{path}") is not None
    for path in ("", "count", f"{source.id}", f"{source.id}/metadata", f"by-name?name={urllib.parse.quote(source.name)}"):
        assert curl(server, "GET", f"/folders/{path}") is not None
    client.sources.delete(source_id=source.id)
