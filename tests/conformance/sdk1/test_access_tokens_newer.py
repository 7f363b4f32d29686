"""letta-client 1.12.1 with keys and client-side access tokens."""

import pytest
import stele
from letta_client import AuthenticationError, BadRequestError, Letta, NotFoundError, PermissionDeniedError, RateLimitError

ORIGIN = "https://pages.example"
RIGHTS = ["read_messages", "write_messages", "read_agent", "write_agent"]


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("tokens"), {**model.environment(), "STELE_PASSWORD": "pw"}).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="pw", max_retries=0)


def in_page(server, token):
    return Letta(base_url=server.url, api_key=token.token, max_retries=0, default_headers={"Origin": ORIGIN})


def test_tokens_are_made_used_listed_and_deleted(client, server):
    agent = client.agents.create(memory_blocks=[{"label": "human", "value": "Grace"}], secrets={"K": "hush"})
    token = client.access_tokens.create(hostname=ORIGIN, policy=[{"type": "agent", "id": agent.id, "access": RIGHTS}])
    assert token.hostname == ORIGIN and token.policy.version == "1" and token.expires_at and token.policy.data[0].access == RIGHTS

    page = in_page(server, token)
    assert page.agents.retrieve(agent.id, include=["agent.secrets"]).secrets[0].value == ""
    told = page.agents.messages.create(agent.id, input="@say hello")
    assert told.messages[-1].content == "hello"
    with page.agents.messages.stream(agent.id, input="@say hi", streaming=True) as stream:
        assert "hi" in [getattr(event, "content", None) for event in stream]
    assert len(page.agents.messages.list(agent.id).items) >= 4
    conversation = page.conversations.create(agent_id=agent.id)
    assert list(page.conversations.messages.create(conversation.id, input="@say there"))
    assert page.agents.update(agent.id, name="Ada").name == "Ada"
    assert page.agents.blocks.update("human", agent_id=agent.id, value="Hopper").value == "Hopper"
    run = page.agents.messages.create_async(agent.id, input="@sleep 60000")
    assert page.runs.retrieve(run.id).id == run.id
    assert page.agents.messages.cancel(agent.id, run_ids=[run.id]) == {run.id: "cancelled"}

    with pytest.raises(PermissionDeniedError):
        page.agents.list()
    with pytest.raises(PermissionDeniedError):
        page.agents.messages.create(agent.id, input="x", override_model="openai/mock-small")
    with pytest.raises(PermissionDeniedError):
        Letta(base_url=server.url, api_key=token.token, max_retries=0).agents.retrieve(agent.id)
    with pytest.raises(NotFoundError):
        page.agents.retrieve(client.agents.create().id)

    listed = client.access_tokens.list(agent_id=agent.id, limit=1.0, offset=0)
    assert len(listed.tokens) == 1 and listed.has_next_page is False and listed.tokens[0].token == token.token[:8] + "..."
    client.access_tokens.delete(token.token)
    assert client.access_tokens.list(agent_id=agent.id).tokens == []
    with pytest.raises(AuthenticationError):
        page.agents.retrieve(agent.id)
    with pytest.raises(BadRequestError):
        client.access_tokens.create(hostname=ORIGIN, policy=[{"type": "agent", "id": f"agent-{stele.GONE}", "access": ["read_agent"]}])


def test_a_key_in_place_of_the_password(server):
    admin = server.http(headers={"Authorization": "Bearer pw"})
    key = admin.post("/v1/admin/keys", {"name": "k", "scopes": ["read"], "rate_limit": 3})
    reader = Letta(base_url=server.url, api_key=key["key"], max_retries=0)
    reader.agents.list()
    with pytest.raises(PermissionDeniedError):
        reader.agents.create()
    with pytest.raises(RateLimitError):
        for _ in range(100):
            reader.agents.list()
