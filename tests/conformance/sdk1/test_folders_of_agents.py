"""Folders and files with letta-client 1.12.1: every method, as its users call it."""

import uuid

import pytest
import stele
from letta_client import APIStatusError, Letta, NotFoundError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any")


@pytest.fixture
def folder(client):
    made = client.folders.create(name=f"f{uuid.uuid4().hex[:8]}", embedding="stele/hash", description="d", instructions="i", metadata={"a": 1})
    yield made
    client.folders.delete(made.id)


def uploaded(client, folder, name: str, content: str, **more):
    made = client.folders.files.upload(folder.id, file=(name, content.encode(), "text/plain"), **more)
    stele.wait_until(lambda: client.folders.files.retrieve(made.id, folder_id=folder.id).processing_status == "completed")
    return made


def test_folders(client, folder):
    assert folder.id.startswith("source-") and folder.embedding_config.embedding_dim > 0
    assert client.folders.retrieve(folder.id).name == folder.name
    assert client.folders.update(folder.id, description="changed").description == "changed"
    assert [each.id for each in client.folders.list(name=folder.name)] == [folder.id]
    assert folder.id in [each.id for each in client.folders.list(limit=2)]
    with pytest.raises(APIStatusError) as refused:
        client.folders.create(name=folder.name)
    assert refused.value.status_code == 409


def test_files(client, folder):
    first = uploaded(client, folder, "test.txt", "The treasure is under the oak.")
    second = uploaded(client, folder, "test.txt", "x")
    assert (first.source_id, first.file_name, second.file_name, second.original_file_name) == (folder.id, "test.txt", "test_(1).txt", "test.txt")
    assert client.folders.files.upload(folder.id, file=("test.txt", b"y"), duplicate_handling="skip").id == first.id
    assert client.folders.files.upload(folder.id, file=("z.bin", b"y"), name="named.txt").file_name == "named.txt"
    listed = list(client.folders.files.list(folder.id, limit=2, include_content=True))
    assert {each.file_name for each in listed} == {"test.txt", "test_(1).txt", "named.txt"} and listed[-1].content == "The treasure is under the oak."
    client.folders.files.delete(second.id, folder_id=folder.id)
    with pytest.raises(NotFoundError):
        client.folders.files.retrieve(second.id, folder_id=folder.id)


def test_folders_of_an_agent(client, folder):
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash")
    file = uploaded(client, folder, "a.txt", "hello there")
    assert client.agents.folders.attach(folder.id, agent_id=agent.id) is None
    assert [each.id for each in client.agents.folders.list(agent.id)] == [folder.id]
    assert list(client.folders.agents.list(folder.id)) == [agent.id]
    state = client.agents.retrieve(agent.id, include=["agent.blocks", "agent.sources", "agent.tools"])
    (block,) = state.memory.file_blocks
    assert block.value.startswith("[Viewing file start") and block.label == f"{folder.name}/a.txt" and block.file_id == file.id and block.is_open
    assert [each.id for each in state.sources] == [folder.id]
    assert {"open_files", "grep_files", "semantic_search_files"} <= {each.name for each in state.tools}
    (place,) = client.agents.files.list(agent.id)
    assert (place.file_id, place.is_open, place.folder_name) == (file.id, True, folder.name)
    client.agents.files.close(file.id, agent_id=agent.id)
    assert list(client.agents.files.list(agent.id, is_open=True)) == []
    assert client.agents.files.open(file.id, agent_id=agent.id) == []
    assert client.agents.files.close_all(agent.id) == [f"{folder.name}/a.txt"]
    answer = client.agents.messages.create(agent.id, input='@call grep_files {"pattern": "hello"}')
    assert "Found 1 total matches across 1 files" in next(each.tool_return for each in answer.messages if each.message_type == "tool_return_message")
    assert client.agents.folders.detach(folder.id, agent_id=agent.id) is None
    assert not client.agents.retrieve(agent.id, include=["agent.blocks"]).memory.file_blocks
    client.agents.delete(agent.id)
