"""letta-client 0.1.324: search over messages and the preview of a request."""

import pytest
from letta_client import Letta, LettaRequest, MessageCreate


@pytest.fixture
def client(server):
    return Letta(base_url=server.url)


def test_search_and_preview(client):
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash", agent_type="letta_v1_agent", memory_blocks=[])
    said = [MessageCreate(role="user", content="@say yes\na wombat")]
    client.agents.messages.create(agent.id, messages=said)
    found = client.agents.messages.search(query="wombat", search_mode="fts", roles=["user"], limit=10)
    assert [(hit.message.role, hit.fts_rank) for hit in found if hit.message.agent_id == agent.id] == [("user", 1)]
    assert "wombat" in found[0].embedded_text and found[0].rrf_score > 0
    sent = client.agents.messages.preview(agent.id, request=LettaRequest(messages=said))
    assert sent["model"] == "mock-small" and sent["messages"][-1]["content"] == "@say yes\na wombat"
    assert len(client.agents.messages.list(agent.id)) == 3
