"""The server is killed at random points while it works through batches: every batch that was answered is brought to its end,
each of its requests is carried out once, in its agent's order, and the counts agree with the runs. STELE_BATCH_KILLS and
STELE_SEED repeat or lengthen it."""

import os
import random
import threading
import time

import stele
from workers import GONE, kills

KILLS = int(os.environ.get("STELE_BATCH_KILLS", "20"))
AGENTS = 4
PATH = "/v1/messages/batches"


class Sender(threading.Thread):
    """Sends one batch after another, each when the one before has ended."""

    def __init__(self, server, agents, seed):
        super().__init__(daemon=True)
        self.server, self.agents, self.dice = server, agents, random.Random(seed)
        self.batches, self.number, self.stopping, self.failure = {}, 0, False, None

    def run(self):
        try:
            while not self.stopping:
                try:
                    self.act()
                except GONE:
                    time.sleep(0.002)
        except BaseException as failure:  # noqa: BLE001  the thread's owner raises it
            self.failure = failure

    def act(self):
        http_ = self.server.http()
        if self.batches and http_.get(f"{PATH}/{list(self.batches)[-1]}")["status"] == "running":
            return time.sleep(0.02)
        requests = []
        for _ in range(self.dice.randrange(1, 25)):
            self.number += 1
            said = f"n{self.number}"
            # One step, or two with a crash between them now and then.
            text = self.dice.choice([f"@slow 1\n@say {said}", f'@slow 1\n@call memory_insert {{"label":"human","new_string":"{said}"}}\n@long 60'])
            requests.append({"agent_id": self.dice.choice(self.agents), "messages": [{"role": "user", "content": text}]})
        self.batches[http_.post(PATH, {"requests": requests})["id"]] = requests


def said(http_, agent):
    texts, cursor = [], ""
    while page := http_.get(f"/v1/agents/{agent}/messages?limit=500&order=asc{cursor}"):
        texts += [m["content"] for m in page if m["message_type"] == "user_message" and m["content"].startswith("@")]
        cursor = f"&after={page[-1]['id']}"
    return texts


def test_batches_survive_kills(model, tmp_path):
    seed = int(os.environ.get("STELE_SEED", str(random.randrange(1 << 30))))
    dice = random.Random(seed)
    print(f"STELE_SEED={seed}")
    server = stele.Server(tmp_path, model.environment()).start()
    http_ = server.http()
    agents = [http_.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}]})["id"] for _ in range(AGENTS)]
    senders = [Sender(server, agents[i * 2:i * 2 + 2], seed + i) for i in range(2)]
    for each in senders:
        each.start()

    def enough():
        asked = [requests for each in senders for requests in each.batches.values()]
        return len(asked) > 2 and sum(map(len, asked)) > KILLS and http_.get("/v1/runs?statuses=failed")

    done = 0
    for done in kills(KILLS, enough):
        time.sleep(dice.random() * 0.5)
        server.kill()
        server.start()
        failed = next((each.failure for each in senders if each.failure), None)
        assert failed is None, failed
    for each in senders:
        each.stopping = True
    for each in senders:
        each.join(60)
        assert not each.is_alive() and each.failure is None, each.failure
    batches = {batch: requests for each in senders for batch, requests in each.batches.items()}
    stele.wait_until(lambda: all(http_.get(f"{PATH}/{batch}")["status"] != "running" for batch in batches), 120)

    cut = 0
    histories = {agent: said(http_, agent) for agent in agents}
    statuses = {run["id"]: run["status"] for agent in agents for run in http_.get(f"/v1/runs?agent_id={agent}&limit=1000")}
    for batch, requests in batches.items():
        job = http_.get(f"{PATH}/{batch}")
        counts = job["metadata"]["counts"]
        assert job["status"] == "completed" and counts["total"] == len(requests) == counts["completed"] + counts["failed"], job
        cut += counts["failed"]
        of_items = {m["batch_item_id"]: m["run_id"] for m in http_.get(f"{PATH}/{batch}/messages?limit=1000")["messages"]}
        assert len(of_items) == len(set(of_items.values())) == len(requests), job
        assert [statuses[run] for run in of_items.values()].count("failed") == counts["failed"], job
        for agent in agents:
            wanted = [each["messages"][0]["content"] for each in requests if each["agent_id"] == agent]
            assert [text for text in histories[agent] if text in wanted] == wanted, f"{batch}: lost, repeated or out of order"
    total = sum(len(each) for each in histories.values())
    print(f"seed {seed}: {done + 1} kills, {len(batches)} batches of {total} requests, {cut} runs cut off")
    server.kill()
