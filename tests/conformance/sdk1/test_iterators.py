"""letta-client 1.12.1: its own iterators give each item exactly once, for every order and limit, while others write."""

import threading

import pytest
from letta_client import Letta

COUNT = 7
ORDERS = ["asc", "desc"]
LIMITS = [1, 2, 3, COUNT, 50]


@pytest.fixture(scope="module")
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=0)


@pytest.fixture(scope="module")
def world(client):
    """An agent with COUNT of everything; `write` adds noise that no walk may stumble over."""

    class World:
        pass

    world = World()
    world.shared = client.blocks.create(label="shared", value="x", tags=["walked"])
    world.blocks = [client.blocks.create(label=f"b{i}", value="", tags=["walked-b"]) for i in range(COUNT)]
    world.agent = client.agents.create(name="walked", block_ids=[b.id for b in world.blocks], memory_blocks=[], tags=["walked"],
                                       tools=["core_memory_append", "core_memory_replace", "memory", "memory_rethink"])
    world.agents = [client.agents.create(name=f"a{i}", block_ids=[world.shared.id], memory_blocks=[], tags=["walked-a", f"t{i}"])
                    for i in range(COUNT)]
    for i in range(COUNT):
        client.agents.messages.create(world.agent.id, input=f"@say {i}")
    client.agents.messages.create(world.agent.id, input='@call conversation_search {"query":"x"}\n', max_steps=2)
    world.run = client.runs.list(agent_id=world.agent.id).items[0]

    def write():
        noise = client.agents.create(name="noise", memory_blocks=[{"label": "noise", "value": ""}], tags=["noise"])
        client.agents.messages.create(noise.id, input="@say noise")
        client.blocks.create(label="noise", value="")
        client.agents.delete(noise.id)

    world.write = write
    yield world
    for agent in (world.agent, *world.agents):
        client.agents.delete(agent.id)


def listings(client, world):
    return {
        "agents": (lambda **page: client.agents.list(tags=["walked-a"], **page), {a.id for a in world.agents}),
        "agents of a block": (lambda **page: client.blocks.agents.list(world.shared.id, **page), {a.id for a in world.agents}),
        "blocks": (lambda **page: client.blocks.list(tags=["walked-b"], **page), {b.id for b in world.blocks}),
        "blocks of an agent": (lambda **page: client.agents.blocks.list(world.agent.id, **page), {b.id for b in world.blocks}),
        "tools": (lambda **page: client.tools.list(tool_types=["letta_memory_core", "letta_sleeptime_core", "letta_core"], **page), None),
        "tools of an agent": (lambda **page: client.agents.tools.list(world.agent.id, **page), {t.id for t in world.agent.tools}),
        "runs": (lambda **page: client.runs.list(agent_id=world.agent.id, **page), None),
        "steps": (lambda **page: client.steps.list(agent_id=world.agent.id, **page), None),
        "steps of a run": (lambda **page: client.runs.steps.list(world.run.id, **page), None),
        "messages": (lambda **page: client.agents.messages.list(world.agent.id, **page), None),
    }


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("name", ["agents", "agents of a block", "blocks", "blocks of an agent", "tools", "tools of an agent", "runs",
                                  "steps", "steps of a run"])
def test_each_item_exactly_once_while_others_write(client, world, name, order, limit):
    walk, wanted = listings(client, world)[name]
    if wanted is None:
        wanted = {item.id for item in walk(limit=100).items}
        assert len(wanted) >= 2
    stop = threading.Event()

    def write():
        while not stop.is_set():
            world.write()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = [item.id for item in walk(order=order, limit=limit)]
    finally:
        stop.set()
        writer.join()
    assert len(seen) == len(set(seen)), "an item came twice"
    assert set(seen) == wanted


@pytest.mark.parametrize("name", ["agents", "blocks", "runs", "steps", "tools"])
def test_the_two_orders_are_each_other_s_reverse(client, world, name):
    walk, _ = listings(client, world)[name]
    up = [item.id for item in walk(order="asc", limit=3)]
    down = [item.id for item in walk(order="desc", limit=3)]
    assert up == list(reversed(down))


@pytest.mark.parametrize("limit", LIMITS)
def test_messages_come_oldest_first_and_each_once(client, world, limit):
    whole = [(m.id, m.otid) for m in client.agents.messages.list(world.agent.id, order="asc", limit=200).items]
    walked = [(m.id, m.otid) for m in client.agents.messages.list(world.agent.id, order="asc", limit=limit)]
    assert walked == whole and len(set(whole)) == len(whole) >= 2 * COUNT


def test_a_walk_goes_on_where_its_last_item_was_deleted(client):
    ids = [client.blocks.create(label=f"gone{i}", value="", tags=["walked-gone"]).id for i in range(5)]
    seen = []
    for block in client.blocks.list(tags=["walked-gone"], order="asc", limit=1):
        seen.append(block.id)
        client.blocks.delete(block.id)
    assert seen == ids
