"""Folders, sources and files with letta-client 0.1.324."""

import uuid

import pytest
import stele
from letta_client import Letta
from letta_client.core.api_error import ApiError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, token="any")


def name() -> str:
    return f"f{uuid.uuid4().hex[:8]}"


def test_folders(client):
    folder = client.folders.create(name=name(), embedding="stele/hash")
    assert client.folders.retrieve(folder_id=folder.id).id == folder.id and client.folders.count() > 0
    assert client.folders.retrieve_by_name(folder_name=folder.name) == folder.id
    assert client.folders.modify(folder_id=folder.id, description="d").description == "d"
    assert folder.id in [each.id for each in client.folders.list()]
    made = client.folders.files.upload(folder_id=folder.id, file=("a.txt", b"hello", "text/plain"))
    stele.wait_until(lambda: client.folders.files.list(folder_id=folder.id)[0].processing_status == "completed")
    assert [each.text for each in client.folders.passages.list(folder_id=folder.id)] == ["hello"]
    assert client.folders.retrieve_metadata(include_detailed_per_source_metadata=True).total_files > 0
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash")
    assert client.agents.folders.attach(agent_id=agent.id, folder_id=folder.id).id == agent.id
    assert client.folders.agents.list(folder_id=folder.id) == [agent.id]
    assert [each.id for each in client.agents.folders.list(agent_id=agent.id)] == [folder.id]
    assert [each.file_id for each in client.agents.files.list(agent_id=agent.id).files] == [made.id]
    assert "closed" in str(client.agents.files.close(agent_id=agent.id, file_id=made.id))
    assert client.agents.files.open(agent_id=agent.id, file_id=made.id) == []
    assert client.agents.files.close_all(agent_id=agent.id) == [f"{folder.name}/a.txt"]
    assert client.agents.folders.detach(agent_id=agent.id, folder_id=folder.id).id == agent.id
    client.folders.files.delete(folder_id=folder.id, file_id=made.id)
    client.folders.delete(folder_id=folder.id)
    client.agents.delete(agent_id=agent.id)


def test_sources(client):
    source = client.sources.create(name=name(), embedding="stele/hash")
    made = client.sources.files.upload(source_id=source.id, file=("a.txt", b"hello", "text/plain"))
    stele.wait_until(lambda: client.sources.files.list(source_id=source.id)[0].processing_status == "completed")
    assert client.sources.get_file_metadata(source_id=source.id, file_id=made.id, include_content=True).content == "hello"
    assert client.sources.retrieve_by_name(source_name=source.name) == source.id
    assert client.sources.modify(source_id=source.id, name=name()).id == source.id
    assert [each.file_id for each in client.sources.passages.list(source_id=source.id)] == [made.id]
    assert client.sources.get_sources_metadata(include_detailed_per_source_metadata=True).total_sources == client.sources.count()
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash", source_ids=[source.id])
    assert client.sources.get_agents_for_source(source_id=source.id) == [agent.id]
    assert [each.id for each in client.agents.sources.list(agent_id=agent.id)] == [source.id]
    assert [each.id for each in agent.sources] == [source.id] and len(agent.memory.file_blocks) == 1
    assert not client.agents.sources.detach(agent_id=agent.id, source_id=source.id).sources
    assert client.agents.sources.attach(agent_id=agent.id, source_id=source.id).memory.file_blocks[0].is_open
    client.sources.files.delete(source_id=source.id, file_id=made.id)
    client.sources.delete(source_id=source.id)
    with pytest.raises(ApiError) as refused:
        client.sources.retrieve(source_id=source.id)
    assert refused.value.status_code == 404
