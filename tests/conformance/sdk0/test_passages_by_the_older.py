"""letta-client 0.1.324: archives and what agents keep in them, by every method that it has for them."""

import datetime

import pytest
from letta_client import Letta
from letta_client.core.api_error import ApiError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url)


def test_archives(client):
    archive = client.archives.create_archive(name="old shelf", description="d")
    assert client.archives.modify_archive(archive.id, name="old shelf 2").name == "old shelf 2"
    assert archive.id in [a.id for a in client.archives.list_archives(name="old shelf 2", limit=5)]


def test_passages_of_an_agent(client):
    agent = client.agents.create(memory_blocks=[], model="openai/mock-small", embedding="stele/hash")
    one = client.agents.passages.create(agent.id, text="The colour of the door is green.", tags=["house"], created_at=datetime.datetime(2021, 5, 6, tzinfo=datetime.timezone.utc))[0]
    two = client.agents.passages.create(agent.id, text="The colour of the car is red.")[0]
    assert one.archive_id == two.archive_id and len(one.embedding) == 4096
    assert [p.id for p in client.agents.passages.list(agent.id, limit=1, after=one.id)] == [two.id]
    client.agents.passages.modify(agent.id, two.id)
    found = client.agents.passages.search(agent.id, query="door", tags="house", top_k=1)
    assert found.count == 1 and found.results[0].content == one.text
    client.agents.passages.delete(agent.id, one.id)
    with pytest.raises(ApiError) as gone:
        client.agents.passages.delete(agent.id, one.id)
    assert gone.value.status_code == 404
