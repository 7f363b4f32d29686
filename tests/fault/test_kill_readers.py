"""Several readers of one run, cut at random and killed along with the server: what one of them has heard, the others hear too, in
the same bytes; none hears a gap; and the stream of every run has an end, which after a crash says so.
STELE_READER_KILLS and STELE_SEED repeat or lengthen it."""

import http.client
import json
import os
import random
import threading
import time

import stele
from runs import open_stream
from workers import GONE, kills

KILLS = int(os.environ.get("STELE_READER_KILLS", "12"))
READERS = 4


class Reader(threading.Thread):
    """Follows one run to its end, through cuts of its own and the server's deaths."""

    def __init__(self, server, run_id: str, seed: int):
        super().__init__(daemon=True)
        self.server, self.run_id, self.dice = server, run_id, random.Random(seed)
        self.heard: dict[int, bytes] = {}
        self.end: list[bytes] = []
        self.failure: BaseException | None = None

    def run(self):
        try:
            while b"[DONE]\n" not in self.end:
                try:
                    self.read()
                except GONE:
                    time.sleep(0.002)
        except BaseException as failure:  # noqa: BLE001  the thread's owner raises it
            self.failure = failure

    def read(self):
        after, self.end = max(self.heard, default=0), []
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            body, headers = ({}, {"Last-Event-ID": str(after)}) if self.dice.random() < 0.5 else ({"starting_after": after}, {})
            connection.request("POST", f"/v1/runs/{self.run_id}/stream", json.dumps(body), {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            most, seq = self.dice.randrange(1, 60), 0
            for line in answer:
                if not line.endswith(b"\n"):
                    return  # half a line: the server died in it
                name, _, value = line.partition(b": ")
                if name == b"id":
                    seq = int(value)
                elif name == b"data" and seq:
                    assert seq == max(self.heard, default=1) + 1, f"{self.run_id}: {seq} behind {max(self.heard, default=1)}"
                    self.heard[seq] = value
                    most -= 1
                    seq = 0
                    if most == 0:
                        return
                elif name == b"data" and b'"message_type":"ping"' not in value:
                    self.end.append(value)
        finally:
            connection.close()


def test_all_readers_of_a_run_hear_the_same_through_kills(model, tmp_path):
    seed = int(os.environ.get("STELE_SEED", str(random.randrange(1 << 30))))
    dice = random.Random(seed)
    server = stele.Server(tmp_path, model.environment()).start()
    agent = server.http().post("/v1/agents", {})["id"]
    cut = 0
    for kill in kills(KILLS, lambda: cut > 0):
        who = f"STELE_SEED={seed}, kill {kill}"
        words = dice.randrange(20, 250)
        connection, answer = open_stream(server, f"/v1/agents/{agent}/messages/stream", {
            "input": f"@slow 1\n@long {words}", "stream_tokens": True, "background": True})
        run_id = answer.getheader("X-Stele-Run-Id")
        connection.close()
        readers = [Reader(server, run_id, dice.randrange(1 << 30)) for _ in range(READERS)]
        for each in readers:
            each.start()
        time.sleep(dice.uniform(0.01, 0.3))  # the random point
        server.kill()
        server.start()
        for each in readers:
            each.join(60)
            assert not each.is_alive(), f"{who}: a reader never hears the end"
            assert not each.failure, f"{who}: {each.failure!r}"
        longest = max((each.heard for each in readers), key=len)
        late = Reader(server, run_id, dice.randrange(1 << 30))
        late.run()
        assert not late.failure, f"{who}: {late.failure!r}"
        for each in (*readers, late):
            assert each.heard.items() <= longest.items() or each is late, f"{who}: two readers have heard different things"
            assert all(longest.get(seq, value) == value for seq, value in each.heard.items()), f"{who}: an event has changed"
            assert sum(b'"message_type":"stop_reason"' in line for line in each.end) == 1 and each.end[-1] == b"[DONE]\n", f"{who}: {each.end}"
        run = server.http().get(f"/v1/runs/{run_id}")
        spoken = "".join(json.loads(value)["content"] for value in longest.values())
        expected = " ".join(f"word{i}" for i in range(words))
        assert expected.startswith(spoken), f"{who}: {spoken}"
        if any(b"stream_incomplete" in line for line in late.end):
            cut += 1
        else:
            assert run["status"] == "completed" and spoken == expected and late.heard == longest, who
    assert server.http().post(f"/v1/agents/{agent}/messages", {"input": "@say well"})["messages"][-1]["content"] == "well"
    server.kill()
