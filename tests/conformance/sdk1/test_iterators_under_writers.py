"""letta-client 1.12.1: its iterators meet every item that is there all the time exactly once, whoever writes meanwhile."""

import random

import list_world
from letta_client import Letta


def test_iterators_while_others_write(server):
    http, seed = server.http(2), random.randrange(1 << 30)
    client = Letta(base_url=server.url, api_key="any")
    mark, kinds, stay = list_world.lasting(http)
    agent = client.agents.create(memory_blocks=[])
    messages = [client.agents.messages.create(agent.id, input="hello") for _ in range(4)]
    runs = [each.messages[0].run_id for each in messages]
    said = [message.id for message in client.agents.messages.list(agent.id, order="asc")]
    walks = {"agents": lambda **how: client.agents.list(tags=[mark], **how), "blocks": lambda **how: client.blocks.list(label=mark, **how),
             "tools": lambda **how: client.tools.list(search=mark, **how)}
    with list_world.Writers(server, kinds, seed):
        for limit in (1, 2, 5):
            for order in ("asc", "desc"):
                for name, walk in walks.items():
                    seen = [each.id for each in walk(order=order, limit=limit)]
                    expected = stay[name] if order == "asc" else stay[name][::-1]
                    assert [each for each in seen if each in expected] == expected, f"seed {seed}, {name}, {order}, {limit}"
                found = [run.id for run in client.runs.list(agent_id=agent.id, order=order, limit=limit)]
                assert found == (runs if order == "asc" else runs[::-1]), f"seed {seed}, runs, {order}, {limit}"
            assert [message.id for message in client.agents.messages.list(agent.id, order="asc", limit=limit)] == said, f"seed {seed}, messages, {limit}"
