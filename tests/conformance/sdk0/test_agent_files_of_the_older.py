"""Agent files with letta-client 0.1.324, which takes the export for a text or an object, as it comes."""

import io
import json

import pytest
from letta_client import CreateBlock, Letta


@pytest.fixture
def client(server):
    return Letta(base_url=server.url)


def test_an_agent_goes_to_a_file_and_comes_back(client):
    agent = client.agents.create(name="to be kept", model="openai/mock-small", embedding="stele/hash", memory_blocks=[CreateBlock(label="human", value="Name: Grace.")], tags=["kept"])
    exported = client.agents.export_file(agent_id=agent.id)
    file = json.loads(exported) if isinstance(exported, str) else exported
    assert file["agents"][0]["name"] == "to be kept"
    made = client.agents.import_file(file=io.BytesIO(json.dumps(file).encode()), append_copy_suffix=True, override_existing_tools=False)
    (copy,) = made.agent_ids
    state = client.agents.retrieve(copy)
    assert state.name == "to be kept_copy" and state.tags == ["kept"] and state.memory.blocks[0].value == "Name: Grace."
    legacy = client.agents.export_file(agent_id=agent.id, use_legacy_format=True)
    legacy = json.loads(legacy) if isinstance(legacy, str) else legacy
    assert client.agents.import_file(file=("old.af", json.dumps(legacy).encode()), strip_messages=True).agent_ids
