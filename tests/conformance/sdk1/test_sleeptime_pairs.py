"""letta-client 1.12.1, which knows groups only as what an agent manages: an agent with its sleeptime partner."""

import pytest
from letta_client import Letta, NotFoundError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=0)


def test_an_agent_with_its_partner(client):
    agent = client.agents.create(name="Sleepy", enable_sleeptime=True, memory_blocks=[{"label": "human", "value": "Grace"}])
    group = client.agents.retrieve(agent.id, include=["agent.managed_group"]).managed_group
    assert client.agents.retrieve(agent.id).managed_group is None, "only who asks for it is shown it"
    assert (group.manager_type, group.manager_agent_id, group.sleeptime_agent_frequency) == ("sleeptime", agent.id, 5)
    partner = client.agents.retrieve(group.agent_ids[0], include=["agent.tools", "agent.blocks"])
    assert {t.name for t in partner.tools} == {"memory_replace", "memory_insert", "memory_rethink", "memory_finish_edits"}
    assert agent.blocks[0].id in [b.id for b in partner.blocks]
    answer = client.agents.messages.create(agent.id, input="@say hi")
    assert client.runs.retrieve(answer.usage.run_ids[0]).agent_id == partner.id
    client.agents.delete(agent.id)
    with pytest.raises(NotFoundError):
        client.agents.retrieve(partner.id)
