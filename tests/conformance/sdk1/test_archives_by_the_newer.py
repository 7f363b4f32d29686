"""letta-client 1.12.1: archives and passages by every method that it has for them."""

import datetime

import pytest
from letta_client import ConflictError, Letta, NotFoundError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=0)


def test_an_archive_from_its_beginning_to_its_end(client):
    archive = client.archives.create(name="shelf", description="d", embedding="stele/hash")
    assert archive.id.startswith("archive-") and archive.embedding_config.handle == "stele/hash" and archive.vector_db_provider == "native"
    assert client.archives.retrieve(archive.id) == archive
    assert client.archives.update(archive.id, name="shelf 2").name == "shelf 2"
    assert archive.id in [a.id for a in client.archives.list(name="shelf 2")]

    one = client.archives.passages.create(archive.id, text="on the shelf", tags=["a"], metadata={"page": 1}, created_at="2020-01-02T03:04:05Z")
    assert one.archive_id == archive.id and one.metadata == {"page": 1} and len(one.embedding) == 4096 and one.created_at.year == 2020
    many = client.archives.passages.create_many(archive.id, passages=[{"text": "p1"}, {"text": "p2", "tags": ["q"]}])
    assert [p.text for p in many] == ["p1", "p2"]

    agent, second = client.agents.create(memory_blocks=[]), client.archives.create(name="second")
    client.agents.archives.attach(archive.id, agent_id=agent.id)
    with pytest.raises(ConflictError):
        client.agents.archives.attach(second.id, agent_id=agent.id)
    assert {p.id for p in client.agents.passages.list(agent.id)} == {one.id, *(p.id for p in many)}
    assert [a.id for a in client.archives.list(agent_id=agent.id)] == [archive.id]
    client.agents.archives.detach(archive.id, agent_id=agent.id)
    assert client.agents.passages.list(agent.id) == []

    client.archives.passages.delete(one.id, archive_id=archive.id)
    client.archives.delete(archive.id)
    with pytest.raises(NotFoundError):
        client.archives.retrieve(archive.id)


def test_passages_of_an_agent(client):
    agent = client.agents.create(memory_blocks=[])
    old = client.agents.passages.create(agent.id, text="The colour of the door is green.", tags=["house"], created_at=datetime.datetime(2021, 5, 6, tzinfo=datetime.timezone.utc))
    new = client.agents.passages.create(agent.id, text="The colour of the car is red.")
    assert len(old) == len(new) == 1 and old[0].created_at.year == 2021
    assert [p.id for p in client.agents.passages.list(agent.id, ascending=False, limit=1)] == [new[0].id]
    assert [p.id for p in client.agents.passages.list(agent.id, search="DOOR")] == [old[0].id]

    found = client.agents.passages.search(agent.id, query="colour door", tags=["house"], tag_match_mode="all", top_k=3, end_datetime=datetime.datetime(2022, 1, 1))
    assert found.count == 1 and found.results[0].id == old[0].id and found.results[0].tags == ["house"]
    assert client.agents.passages.search(agent.id, query="colour", start_datetime=datetime.datetime(2022, 1, 1)).results[0].id == new[0].id

    hits = client.passages.search(query="car", agent_id=agent.id, limit=1)
    assert hits[0].passage.id == new[0].id and hits[0].score > 0 and hits[0].metadata["search_mode"] == "hybrid"
    assert [h.passage.id for h in client.passages.search(archive_id=old[0].archive_id, tags=["house"])] == [old[0].id]

    client.agents.passages.delete(old[0].id, agent_id=agent.id)
    assert [p.id for p in client.agents.passages.list(agent.id)] == [new[0].id]
