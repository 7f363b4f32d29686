"""The server is killed at random points while planned messages come up: every plan that was answered is sent, none twice,
each has one entry in its history, and a plan that recurs fires once for each time that came up. STELE_SCHEDULE_KILLS and
STELE_SEED repeat or lengthen it."""

import os
import random
import sqlite3
import threading
import time

import stele
from workers import GONE, kills

KILLS = int(os.environ.get("STELE_SCHEDULE_KILLS", "25"))
AGENTS = 4


class Planner(threading.Thread):
    """Plans one message after another for one agent. Each says something of its own."""

    def __init__(self, server, agent, seed):
        super().__init__(daemon=True)
        self.server, self.agent, self.dice = server, agent, random.Random(seed)
        self.planned, self.tried, self.stopping, self.failure = {}, set(), False, None

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
        number = f"n{len(self.tried)}"
        # One step, or two with a crash between them now and then.
        text = self.dice.choice([f"@slow 1\n@say {number}", f'@slow 1\n@call memory_insert {{"label":"human","new_string":"{number}"}}\n@long 60'])
        self.tried.add(text)
        due = (time.time() + self.dice.random() * 0.3) * 1000
        plan = self.server.http().post(f"/v1/agents/{self.agent}/schedule", {"messages": [{"role": "user", "content": text}], "schedule": {"scheduled_at": due}})
        self.planned[plan["id"]] = text
        time.sleep(self.dice.random() * 0.05)  # plans come faster than agents work

    def history(self, plan):
        return self.server.http().get(f"/v1/agents/{self.agent}/schedule/{plan}/history")["history"]

    def settled(self):
        return all(self.history(plan) for plan in self.planned)


def said(http_, agent):
    texts, cursor = [], ""
    while page := http_.get(f"/v1/agents/{agent}/messages?limit=500&order=asc{cursor}"):
        texts += [m["content"] for m in page if m["message_type"] == "user_message" and m["content"].startswith("@")]
        cursor = f"&after={page[-1]['id']}"
    return texts


def come_up_again(server, plan, time_set) -> bool:
    """Lets a plan that recurs be due, if the last time it was is taken. The server is down."""
    store = sqlite3.connect(server.folder / "data" / "stele.db")
    (next_at,), = store.execute("SELECT next_at FROM schedule WHERE id = ?", (plan,)).fetchall()
    taken = next_at != time_set
    if taken:
        store.execute("UPDATE schedule SET next_at = ? WHERE id = ?", (time_set, plan))
        store.commit()
    store.close()
    return taken


def test_planned_messages_survive_kills(model, tmp_path):
    seed = int(os.environ.get("STELE_SEED", str(random.randrange(1 << 30))))
    dice = random.Random(seed)
    print(f"STELE_SEED={seed}")
    server = stele.Server(tmp_path, model.environment()).start()
    http_ = server.http()
    agents = [http_.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}]})["id"] for _ in range(AGENTS)]
    planners = [Planner(server, agent, seed + i) for i, agent in enumerate(agents)]
    recurring = http_.post(f"/v1/agents/{agents[0]}/schedule", {"messages": [{"role": "user", "content": "@say again"}],
                                                               "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}})["id"]
    for each in planners:
        each.start()
    done = came_up = 0

    def enough():
        return sum(len(each.planned) for each in planners) > 2 * KILLS and came_up > 2 and http_.get("/v1/runs?statuses=failed")

    for done in kills(KILLS, enough):
        time.sleep(dice.random() * 0.4)
        server.kill()
        came_up += come_up_again(server, recurring, 1_700_000_000_000_000)
        server.start()
        failed = next((each.failure for each in planners if each.failure), None)
        assert failed is None, failed
    for each in planners:
        each.stopping = True
    for each in planners:
        each.join(60)
        assert not each.is_alive() and each.failure is None, each.failure
    stele.wait_until(lambda: all(each.settled() for each in planners), 120)
    stele.wait_until(lambda: not http_.get("/v1/runs/active"), 60)

    cut = 0
    for each in planners:
        texts = said(http_, each.agent)
        for plan, text in each.planned.items():
            (firing,) = each.history(plan)
            assert texts.count(text) == 1, f"{plan} was sent {texts.count(text)} times: {firing}"
            run = http_.get(f"/v1/runs/{firing['run_id']}")
            if firing["status"] == "success":
                assert run["status"] == "completed" and text in [m.get("content") for m in firing["response"]["messages"]], firing
            else:
                cut += 1
                assert "server stopped" in firing["response"]["error"] and run["status"] == "failed", firing
        for text in each.tried:
            assert texts.count(text) <= 1, f"{text} was sent twice"
    stele.wait_until(lambda: len(http_.get(f"/v1/agents/{agents[0]}/schedule/{recurring}/history?limit=1000")["history"]) >= came_up)
    fired = http_.get(f"/v1/agents/{agents[0]}/schedule/{recurring}/history?limit=1000")["history"]
    assert len(fired) == came_up == said(http_, agents[0]).count("@say again"), fired
    planned = sum(len(each.planned) for each in planners)
    print(f"seed {seed}: {done + 1} kills, {planned} plans, {cut} runs cut off, {came_up} times of the one that recurs")
    server.kill()
