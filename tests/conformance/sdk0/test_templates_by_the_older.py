"""letta-client 0.1.324: projects, templates and the search for agents, by every method that it has for them."""

import pytest
from letta_client import AgentsSearchRequestSearchItemOne, CreateBlock, Letta
from letta_client.core.api_error import ApiError
from letta_client.templates.types import TemplatesCreateTemplateRequestAgentId


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, project="default-project")


@pytest.fixture
def author(client):
    return client.agents.create(name="Author", agent_type="letta_v1_agent", model="openai/mock-small", embedding="stele/hash", include_base_tools=False,
                                memory_blocks=[CreateBlock(label="human", value="Name: {{name}}")])


def test_projects(client):
    projects = client.projects.list(name="Default")
    assert [p.slug for p in projects.projects if p.name == "default-project"] == ["default-project"]


def test_a_template_from_its_beginning_to_its_end(client, author):
    project = "default-project"
    made = client.templates.createtemplate(project, request=TemplatesCreateTemplateRequestAgentId(type="agent", agent_id=author.id, name=f"Old {author.id[-6:]}"))
    name = made.name
    assert made.latest_version == "1" and made.template_deployment_slug == f"default-project/{name}:1"
    assert [t.id for t in client.templates.list(name=name, exact="true", project_id=made.project_id).templates] == [made.id]

    deployed = client.templates.createagentsfromtemplate(project, f"{name}:latest", agent_name="Made", memory_variables={"name": "Ada"}, tags=["t"])
    agent = deployed.agents[0]
    assert agent.name == "Made" and client.agents.core_memory.retrieve(agent.id).blocks[0].value == "Name: Ada"
    assert client.agents.memory_variables.list(agent.id).variables == {"name": "Ada"}

    snapshot = client.templates.gettemplatesnapshot(project, f"{name}:current")
    assert snapshot.type == "classic" and snapshot.agents[0].system_prompt == author.system and snapshot.blocks[0].label == "human"
    draft = {**snapshot.dict(by_alias=True)}
    draft["agents"][0]["systemPrompt"] = "Second"
    assert client.templates.setcurrenttemplatefromsnapshot(project, f"{name}:current", request=draft).success is True
    assert client.templates.savetemplateversion(project, name, message="second").latest_version == "2"
    versions = client.templates.listtemplateversions(project, name)
    assert [(v.version, v.is_latest) for v in versions.versions] == [("2", True), ("1", False)] and versions.total_count == 2

    assert client.templates.migratedeployment(project, name, deployed.deployment_id, version="2", preserve_core_memories=True).success is True
    assert client.agents.retrieve(agent.id).system == "Second"
    client.agents.templates.migrate(agent.id, to_template=f"{name}:1", preserve_core_memories=True)
    assert client.agents.retrieve(agent.id).system == author.system
    client.agents.templates.create(agent.id)
    client.agents.templates.create_version(author.id)

    copy = client.templates.forktemplate(project, f"{name}:1", name=f"{name} copy")
    assert client.templates.renametemplate(project, copy.name, new_name=f"{name} other").success is True
    assert client.templates.updatetemplatedescription(project, f"{name} other", description="d").success is True
    assert client.templates.list(template_id=copy.id).templates[0].description == "d"
    assert client.templates.deletetemplate(project, f"{name} other").success is True
    with pytest.raises(ApiError) as gone:
        client.templates.listtemplateversions(project, f"{name} other")
    assert gone.value.status_code == 404 and gone.value.body["message"] == gone.value.body["detail"]


def test_agents_are_searched(client, author):
    found = client.agents.search(search=[AgentsSearchRequestSearchItemOne(field="name", operator="eq", value="Author")], limit=1)
    assert [agent.name for agent in found.agents] == ["Author"]
