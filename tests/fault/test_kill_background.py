"""The server is killed at random points under background and asynchronous runs and started again: every run that was
answered is known and has ended, what was told of it is told again without a gap, in the order and the words in which it
was told, and its stream has an end, which says so if the crash took a part of it. STELE_BACKGROUND_KILLS and STELE_SEED repeat or lengthen it."""

import http.client
import json
import os
import random
import threading
import time

import stele
from workers import GONE, kills

KILLS = int(os.environ.get("STELE_BACKGROUND_KILLS", "25"))
AGENTS = 4


def frames(server, path, body):
    """Yields (seq_id or None, data) of each whole frame, as it comes; data is the text of the frame."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        yield None, answer.getheader("X-Stele-Run-Id")
        seq = None
        for line in answer:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                seq = int(value)
            elif name == "data" and line.endswith(b"\n"):
                yield seq, value
                seq = None
    finally:
        connection.close()


class Told:
    """What a client heard of one run, by seq_id, over all its lives."""

    def __init__(self, run_id):
        self.run_id, self.events, self.done = run_id, {}, False

    def take(self, seq, data):
        if seq is not None:
            assert self.events.setdefault(seq, data) == data, f"{self.run_id}: event {seq} has changed"
        self.done = self.done or data == "[DONE]"


class Follower(threading.Thread):
    """Begins one run after another, or takes up the last one where its stream was cut."""

    def __init__(self, server, agent, seed):
        super().__init__(daemon=True)
        self.server, self.agent, self.dice = server, agent, random.Random(seed)
        self.runs, self.stopping, self.failure = [], False, None

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
        if self.runs and not self.runs[-1].done:
            told = self.runs[-1]
            stream = frames(self.server, f"/v1/runs/{told.run_id}/stream", {"starting_after": max(told.events, default=0)})
            next(stream)
        elif self.dice.random() < 0.2:
            run = self.server.http().post(f"/v1/agents/{self.agent}/messages/async", {"input": f"@slow 1\n@long {self.dice.randrange(1, 50)}"})
            self.runs.append(Told(run["id"]))
            return
        else:
            tokens = self.dice.random() < 0.8
            stream = frames(self.server, f"/v1/agents/{self.agent}/messages/stream", {
                "input": f"@slow 1\n@long {self.dice.randrange(1, 200)}", "stream_tokens": tokens, "background": True})
            told = Told(next(stream)[1])
            self.runs.append(told)
        for seq, data in stream:
            told.take(seq, data)
            if self.dice.random() < 0.01:
                return stream.close()  # a cut by the client


def answer_of(server, run_id) -> str:
    return server.http().get(f"/v1/runs/{run_id}/messages")[-1]["content"]


def check(server, told, cut):
    run = server.http().get(f"/v1/runs/{told.run_id}")
    assert run["status"] in ("completed", "failed") and run["completed_at"] and run["stop_reason"], run
    again, texts = {}, []
    for seq, data in list(frames(server, f"/v1/runs/{told.run_id}/stream", {}))[1:]:
        texts.append(data)
        if seq is not None:
            again[seq] = data
    assert texts[-1] == "[DONE]" and sum('"message_type":"stop_reason"' in text for text in texts) == 1, told.run_id
    assert list(again) == list(range(2, 2 + len(again))), f"{told.run_id}: gaps in what is told again"
    for seq in set(again) & set(told.events):
        assert again[seq] == told.events[seq], f"{told.run_id}: event {seq} has changed"
    if "stream_incomplete" not in texts[-2]:
        assert run["status"] == "completed" and set(told.events) <= set(again), f"{told.run_id}: events are gone"
        assert "".join(json.loads(text)["content"] for text in again.values()) == answer_of(server, told.run_id)
    elif run["status"] == "completed":  # killed between its last step and the end of its stream
        cut.append(told.run_id)
        assert answer_of(server, told.run_id).startswith("".join(json.loads(text)["content"] for text in again.values()))
    else:
        cut.append(told.run_id)
        assert "server stopped" in run["metadata"]["error"], run


def test_background_runs_survive_kills(model, tmp_path):
    seed = int(os.environ.get("STELE_SEED", str(random.randrange(1 << 30))))
    dice = random.Random(seed)
    print(f"STELE_SEED={seed}")
    server = stele.Server(tmp_path, model.environment()).start()
    agents = [server.http().post("/v1/agents", {})["id"] for _ in range(AGENTS)]
    followers = [Follower(server, agent, seed + i) for i, agent in enumerate(agents)]
    for each in followers:
        each.start()

    def enough():
        statuses = {server.http().get(f"/v1/runs/{told.run_id}")["status"] for each in followers for told in each.runs}
        return {"completed", "failed"} <= statuses

    for _ in kills(KILLS, enough):
        time.sleep(dice.random() * 0.3)
        server.kill()
        server.start()
        failed = next((each.failure for each in followers if each.failure), None)
        assert failed is None, failed
    for each in followers:
        each.stopping = True
    for each in followers:
        each.join(120)
        assert not each.is_alive()
        assert each.failure is None, each.failure
    stele.wait_until(lambda: not server.http().get("/v1/runs/active"), 60)
    cut = []
    runs = [told for each in followers for told in each.runs]
    for told in runs:
        check(server, told, cut)
    assert len(runs) > len(cut) > 0, "no run was cut off, or none went through: nothing was shown"
    for agent in agents:
        assert server.http().post(f"/v1/agents/{agent}/messages", {"input": "@say well"})["messages"][-1]["content"] == "well"
    server.kill()
