"""letta-client 1.12.1 against the real binary: agents, blocks, tools, models, tags."""

import pytest
from letta_client import ConflictError, Letta, NotFoundError, UnprocessableEntityError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any")


@pytest.fixture
def made(client):
    agent = client.agents.create(name="ada", memory_blocks=[{"label": "human", "value": "Name: Grace."},
                                                            {"label": "persona", "value": "I am Ada."}], tags=["conformance"])
    yield agent
    client.agents.delete(agent.id)


def test_health_and_models(client):
    assert client.health().status == "ok"
    handles = [model.handle for model in client.models.list()]
    assert "openai/mock-small" in handles and "stele/offline" in handles
    assert next(model for model in client.models.list() if model.handle == "openai/mock-small").max_context_window == 32000
    assert "stele/hash" in [model.handle for model in client.models.embeddings.list()]


def test_an_agent_is_created_with_its_memory_and_tools(client, made):
    assert made.agent_type == "letta_v1_agent" and made.model == "openai/mock-small"
    assert {block.label: block.value for block in made.memory.blocks} == {"human": "Name: Grace.", "persona": "I am Ada."}
    assert {tool.name for tool in made.tools} == {"conversation_search", "memory_insert", "memory_replace"}
    assert len(made.message_ids) == 1


def test_retrieve_shows_relationships_only_when_asked(client, made):
    assert client.agents.retrieve(made.id).tools == []
    full = client.agents.retrieve(made.id, include=["agent.tools", "agent.blocks", "agent.tags"])
    assert len(full.tools) == 3 and len(full.blocks) == 2 and full.tags == ["conformance"]


def test_update_changes_what_it_names_and_nothing_else(client, made):
    changed = client.agents.update(made.id, name="bea", description="d", tags=["x", "y", "x"])
    assert (changed.name, changed.description, sorted(changed.tags)) == ("bea", "d", ["x", "y"])
    assert changed.model == made.model and changed.model_settings == made.model_settings
    assert client.agents.update(made.id, tags=[]).tags == []
    assert client.agents.update(made.id, name="bea").updated_at == client.agents.retrieve(made.id).updated_at


def test_list_filters_and_unknown_ids(client, made):
    assert [agent.id for agent in client.agents.list(tags=["conformance"], name="ada").items].count(made.id) == 1
    assert client.agents.list(query_text="AD", tags=["conformance"]).items
    assert client.agents.list(tags=["no-such-tag"]).items == []
    with pytest.raises(NotFoundError, match="not found"):
        client.agents.retrieve("agent-00000000-0000-4000-8000-000000000009")
    with pytest.raises(UnprocessableEntityError, match="agent_id"):
        client.agents.retrieve("agent-nonsense")


def test_unknown_references_leave_nothing_behind(client):
    before = client.blocks.list(label="orphan").items
    with pytest.raises(NotFoundError):
        client.agents.create(model="no/such", memory_blocks=[{"label": "orphan", "value": ""}])
    with pytest.raises(Exception, match="no_such_tool"):
        client.agents.create(tools=["no_such_tool"], memory_blocks=[{"label": "orphan", "value": ""}])
    assert client.blocks.list(label="orphan").items == before


def test_secrets_come_back(client):
    agent = client.agents.create(secrets={"TOKEN": "s3cret"})
    assert [(secret.key, secret.value) for secret in client.agents.retrieve(agent.id, include=["agent.secrets"]).secrets] == [("TOKEN", "s3cret")]
    client.agents.delete(agent.id)


def test_a_block_lives_by_itself(client):
    block = client.blocks.create(label="notes", value="Ada", limit=5, description="d", metadata={"a": 1}, tags=["t"])
    assert client.blocks.update(block.id, value="Bea").value == "Bea"
    with pytest.raises(UnprocessableEntityError, match="exceeds"):
        client.blocks.update(block.id, value="Ada Lovelace")
    assert client.blocks.retrieve(block.id).value == "Bea"
    assert client.blocks.list(label="notes", tags=["t"]).items[-1].id == block.id
    client.blocks.delete(block.id)
    with pytest.raises(NotFoundError, match="not found"):
        client.blocks.retrieve(block.id)


def test_blocks_are_attached_and_detached(client, made):
    block = client.blocks.create(label="notes", value="shared")
    assert "notes" in [each.label for each in client.agents.blocks.attach(block.id, agent_id=made.id).memory.blocks]
    client.agents.blocks.attach(block.id, agent_id=made.id)
    assert [agent.id for agent in client.blocks.agents.list(block.id)] == [made.id]
    assert client.agents.blocks.retrieve("notes", agent_id=made.id).value == "shared"
    assert client.agents.blocks.update("notes", agent_id=made.id, value="new").value == "new"
    assert client.blocks.retrieve(block.id).value == "new"
    clash = client.blocks.create(label="notes", value="other")
    with pytest.raises(ConflictError):
        client.agents.blocks.attach(clash.id, agent_id=made.id)
    client.agents.blocks.detach(block.id, agent_id=made.id)
    with pytest.raises(NotFoundError):
        client.agents.blocks.detach(block.id, agent_id=made.id)
    assert "notes" not in [each.label for each in client.agents.blocks.list(made.id)]


def test_a_shared_block_shows_in_every_agent_and_renames_follow(client, made):
    block = client.blocks.create(label="team", value="one")
    other = client.agents.create(block_ids=[block.id])
    client.agents.blocks.attach(block.id, agent_id=made.id)
    client.agents.blocks.update("team", agent_id=made.id, label="crew", value="two")
    assert client.agents.blocks.retrieve("crew", agent_id=other.id).value == "two"
    client.agents.delete(other.id)
    assert client.blocks.retrieve(block.id).value == "two"


def test_tools_are_listed_attached_and_detached(client, made):
    tools = list(client.agents.tools.list(made.id))
    assert {tool.name for tool in tools} == {"conversation_search", "memory_insert", "memory_replace"}
    rethink = client.tools.list(name="memory_rethink").items[0]
    assert client.tools.retrieve(rethink.id).json_schema["name"] == "memory_rethink"
    client.agents.tools.attach(rethink.id, agent_id=made.id)
    assert "memory_rethink" in [tool.name for tool in client.agents.tools.list(made.id, limit=2)]
    client.agents.tools.detach(rethink.id, agent_id=made.id)
    assert "memory_rethink" not in [tool.name for tool in client.agents.tools.list(made.id)]


def test_every_item_once_for_every_order_and_limit(client, made):
    wanted = {client.blocks.create(label=f"walk{i}", value="", tags=["walk"]).id for i in range(7)}
    for order in ("asc", "desc"):
        for limit in (1, 2, 3, 7, 50):
            seen = []
            for block in client.blocks.list(tags=["walk"], order=order, limit=limit):
                seen.append(block.id)
                client.blocks.create(label="noise", value="")
            assert sorted(seen) == sorted(wanted), (order, limit)
    for block_id in wanted:
        client.blocks.delete(block_id)


def test_tags(client, made):
    assert "conformance" in client.tags.list()
    assert client.tags.list(query_text="CONFORM") == ["conformance"]
