"""letta-client 0.1.324: loops over `after` meet every item that is there all the time exactly once, whoever writes."""

import random

import list_world
from letta_client import Letta, MessageCreate


def walk(page, **how) -> list:
    seen = []
    while items := page(**how):
        seen += [each.id for each in items]
        how["after"] = seen[-1]
    return seen


def test_loops_while_others_write(server):
    http, seed = server.http(1), random.randrange(1 << 30)
    client = Letta(base_url=server.url)
    mark, kinds, stay = list_world.lasting(http)
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash", memory_blocks=[])
    runs = [client.agents.messages.create(agent.id, messages=[MessageCreate(role="user", content="hello")]).messages[0].run_id for _ in range(4)]
    pages = {"agents": lambda ascending, **how: client.agents.list(tags=[mark], ascending=ascending, **how),
             "blocks": lambda ascending, **how: client.blocks.list(label=mark, order="asc" if ascending else "desc", **how),
             "identities": lambda ascending, **how: client.identities.list(name=mark, order="asc" if ascending else "desc", **how),
             "groups": lambda ascending, **how: client.groups.list(project_id=mark, order="asc" if ascending else "desc", **how)}
    with list_world.Writers(server, kinds, seed):
        for limit in (1, 3):
            for ascending in (True, False):
                for name, page in pages.items():
                    expected = stay[name] if ascending else stay[name][::-1]
                    seen = walk(lambda **how: page(ascending, **how), limit=limit)
                    assert [each for each in seen if each in expected] == expected, f"seed {seed}, {name}, {ascending}, {limit}"
                found = walk(lambda **how: client.runs.list(agent_id=agent.id, ascending=ascending, **how), limit=limit)
                assert found == (runs if ascending else runs[::-1]), f"seed {seed}, runs, {ascending}, {limit}"
