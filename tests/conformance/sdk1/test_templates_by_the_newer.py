"""letta-client 1.12.1: templates by every method that it has for them."""

import pytest
from letta_client import BadRequestError, Letta, NotFoundError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=0)


def test_a_template_from_its_beginning_to_its_end(client):
    author = client.agents.create(name="Author", system="For {{customer}}", memory_blocks=[{"label": "human", "value": "{{name}}"}])
    made = client.templates.create(type="agent", agent_id=author.id, name=f"New-{author.id[-6:]}")
    assert made.latest_version == "1" and made.project_slug == "default-project"

    deployed = client.templates.agents.create(f"{made.name}:latest", agent_name="Made", memory_variables={"name": "Ada", "customer": "ACME"},
                                              initial_message_sequence=[{"role": "user", "content": "hello"}], tags=["t"], tool_variables={"K": "v"})
    assert len(deployed.agent_ids) == 1 and deployed.group_id is None and deployed.deployment_id
    agent = client.agents.retrieve(deployed.agent_ids[0], include=["agent.blocks", "agent.secrets"])
    assert (agent.system, agent.blocks[0].value, agent.secrets[0].value) == ("For ACME", "Ada", "v")

    with pytest.raises(BadRequestError) as missing:
        client.templates.agents.create(made.name)
    assert missing.value.body["errorCode"] == "missingMemoryVariables" and "customer, name" in missing.value.body["message"]
    with pytest.raises(BadRequestError):
        client.templates.save(made.name)

    file = {"agents": [{"id": "agent-0", "name": "Filed", "system": "From a file", "block_ids": [], "tool_ids": []}], "blocks": [], "tools": [], "groups": []}
    assert client.templates.update(made.name, agent_file_json=file).success is True
    assert client.templates.save(made.name, message="filed").latest_version == "2"
    assert client.templates.agents.create(made.name).agent_ids
    assert client.templates.rollback(made.name, version="1").success is True
    assert client.templates.create(type="agent_file", agent_file=file).latest_version == "1"
    assert client.templates.delete(made.name).success is True
    with pytest.raises(NotFoundError):
        client.templates.delete(made.name)


def test_the_project_of_the_client_is_where_templates_are(server):
    client = Letta(base_url=server.url, api_key="any", project="of-the-newer")
    agent = client.agents.create(memory_blocks=[])
    made = client.templates.create(type="agent", agent_id=agent.id)
    assert made.project_slug == "of-the-newer" and agent.project_id == made.project_id
    assert client.templates.agents.create(made.name).agent_ids
