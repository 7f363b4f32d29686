"""The server is killed at random points while agents are made of a template and moved between its versions: each
deployment is there whole or not at all, all of it on one version, and it can be worked with. STELE_TEMPLATE_KILLS and
STELE_SEED repeat or lengthen it."""

import os
import random
import threading
import time

import stele
from workers import GONE, kills

KILLS = int(os.environ.get("STELE_TEMPLATE_KILLS", "10"))


def content(version: int) -> dict:
    """Three agents and a block that they share, one more block in every second version; all of it says its version."""
    agents = [{"model": "stele/offline", "systemPrompt": f"v{version}", "entityId": f"a{i}", "name": f"Agent {i}", "tags": [f"v{version}"]} for i in range(3)]
    blocks = [{"entityId": "shared", "label": "shared", "value": f"v{version}", "limit": 100, "description": "", "readOnly": False}]
    relationships = [{"agentEntityId": f"a{i}", "blockEntityId": "shared"} for i in range(3)]
    if version % 2 == 0:
        blocks.append({**blocks[0], "entityId": "own", "label": "own"})
        relationships.append({"agentEntityId": "a0", "blockEntityId": "own"})
    return {"agents": agents, "blocks": blocks, "relationships": relationships, "type": "supervisor", "configuration": {"managerAgentEntityId": "a0", "managerType": "supervisor"}, "version": ""}


class Worker(threading.Thread):
    """Makes deployments and moves them until it is stopped."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server, self.dice, self.made, self.stopping, self.failure = server, random.Random(seed), [], False, None

    def run(self):
        while not self.stopping:
            try:
                self.act()
            except GONE:
                time.sleep(0.002)
            except BaseException as failure:  # noqa: BLE001  the thread's owner raises it
                self.failure = failure
                return

    def act(self):
        api = self.server.http()
        if not self.made or self.dice.random() < 0.3:
            self.made.append(api.post("/v1/templates/Bot/agents")["deployment_id"])
        else:
            version = str(self.dice.randint(1, 3))
            api.post(f"/v1/templates/default-project/Bot/deployments/{self.dice.choice(self.made)}/migrate", {"version": version, "block_reconciliation_strategy": "reconcile-all"})


def check(api, deployment) -> bool:
    """True if there is anything of it."""
    entities = api.get(f"/v1/_internal_templates/deployment/{deployment}")["entities"]
    if not entities:
        return False
    kinds = [each["type"] for each in entities]
    agents = [api.get(f"/v1/agents/{each['id']}?include=agent.blocks&include=agent.tags") for each in entities if each["type"] == "agent"]
    versions = {agent["system"] for agent in agents} | {tag for agent in agents for tag in agent["tags"]} | {block["value"] for agent in agents for block in agent["blocks"]}
    assert kinds.count("agent") == 3 and kinds.count("group") == 1 and len(versions) == 1, entities
    version = int(versions.pop()[1:])
    assert kinds.count("block") == 1 + (version % 2 == 0) and len({agent["template_id"] for agent in agents}) == 1
    assert len({block["id"] for agent in agents for block in agent["blocks"] if block["label"] == "shared"}) == 1
    return True


def test_deployments_are_whole_or_not_there(own_server):
    seed = int(os.environ.get("STELE_SEED", random.randrange(10**6)))
    dice = random.Random(seed)
    server = own_server().start()
    api = server.http()
    author = api.post("/v1/agents", {"memory_blocks": []})
    api.post("/v1/templates", {"type": "agent", "agent_id": author["id"], "name": "Bot"})
    for version in (2, 3):
        api.call("PUT", "/v1/templates/default-project/Bot:current/snapshot", content(version))
        api.post("/v1/templates/Bot/save")
    api.call("PUT", "/v1/templates/default-project/Bot:current/snapshot", content(4))
    api.post("/v1/templates/Bot/save", {"migrate_agents": True})
    workers = [Worker(server, dice.random()) for _ in range(2)]
    for worker in workers:
        worker.dice.randint = lambda *_, dice=worker.dice: dice.choice([2, 3, 4])  # version 1 is the author's own
        worker.start()
    for _ in kills(KILLS, lambda: any(worker.made for worker in workers)):
        time.sleep(dice.random() * 0.4)
        server.kill()
        server.start()
    for worker in workers:
        worker.stopping = True
        worker.join(60)
    assert not any(worker.failure for worker in workers), (seed, [worker.failure for worker in workers])
    api = server.http()
    acknowledged = {each for worker in workers for each in worker.made}
    there = {agent["deployment_id"] for agent in api.get("/v1/agents?limit=1000") if agent["deployment_id"]}
    assert acknowledged <= there, seed
    for deployment in there:
        assert check(api, deployment), seed
    one = sorted(acknowledged)[0]
    agent = next(each for each in api.get(f"/v1/_internal_templates/deployment/{one}")["entities"] if each["type"] == "agent")
    assert api.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})["stop_reason"]["stop_reason"] == "end_turn", seed
