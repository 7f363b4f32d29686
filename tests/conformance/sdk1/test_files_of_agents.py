"""Agent files with letta-client 1.12.1."""

import json

import pytest
from letta_client import Letta


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any")


def test_an_agent_goes_to_a_file_and_comes_back(client):
    agent = client.agents.create(name="to be kept", model="openai/mock-small", embedding="stele/hash", memory_blocks=[{"label": "human", "value": "Name: Grace."}], secrets={"KEY": "value"})
    exported = client.agents.export_file(agent.id)
    file = json.loads(exported) if isinstance(exported, str) else exported
    assert file["agents"][0]["secrets"] == {"KEY": ""}
    made = client.agents.import_file(file=("a.af", json.dumps(file).encode()), name="taken over", secrets='{"KEY": "other"}', model="stele/offline")
    (copy,) = made.agent_ids
    state = client.agents.retrieve(copy, include=["agent.secrets", "agent.blocks"])
    assert state.name == "taken over" and state.secrets[0].value == "other" and state.llm_config.handle == "stele/offline"
    assert client.agents.messages.create(copy, input="hello").messages
