"""Clients that work on while the server dies under them, and remember what it acknowledged.

Acknowledged is what reached the client whole: a JSON answer, or a stream up to its [DONE]. Everything else may or may not
have happened, but never half."""

import http.client
import itertools
import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid

import stele

GONE = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, OSError)
TURNS_PER_AGENT = 120  # a history is sent to the model whole, so long runs take new agents
AGENTS_ALIVE_MAX = 25


def kills(least: int, enough):
    """Numbers of kills: `least` of them, and more until `enough()`, so that a slow machine shows as much as a fast one."""
    for number in itertools.count():
        if number >= least and enough():
            return
        assert number < 20 * least, "there was hardly any load"
        yield number


class Worker(threading.Thread):
    """Calls `act` until it is told to stop. A wrong answer ends it and is kept as `failure`."""

    def __init__(self, server: stele.Server, seed: int):
        super().__init__(daemon=True)
        self.http, self.random = server.http(), random.Random(seed)
        self.stopping, self.failure, self.number = False, None, 0
        self.name_ = f"{seed & 0xFFFFFF:06x}"

    def run(self):
        try:
            while not self.stopping:
                self.number += 1
                try:
                    self.act()
                except stele.Refused as refused:
                    assert refused.status == 503, f"{refused.status}: {refused.text}"
                except GONE:
                    time.sleep(0.002)
        except BaseException as failure:  # noqa: BLE001  the thread's owner raises it
            self.failure = failure

    def insist(self, call):
        """Repeats `call` until its answer has come, however often the server dies meanwhile."""
        while not self.stopping:
            try:
                return call()
            except stele.Refused as refused:
                assert refused.status in (409, 503), f"{refused.status}: {refused.text}"
            except GONE:
                time.sleep(0.002)
        raise ConnectionError("told to stop")


class Life:
    """What one agent's client knows."""

    def __init__(self, agent_id: str):
        self.agent_id = agent_id
        self.acknowledged: list[str] = []
        self.lines: list[str] = []  # acknowledged edits of memory
        self.over = False


class Talker(Worker):
    """Talks to one agent after another: blocking and streaming, with one, two or no tool calls, with and without a key."""

    def __init__(self, server, seed, agent_type):
        super().__init__(server, seed)
        self.agent_type, self.lives = agent_type, []

    def act(self):
        if not self.lives or len(self.lives[-1].acknowledged) >= TURNS_PER_AGENT:
            fields = {"agent_type": self.agent_type, "memory_blocks": [{"label": "human", "value": ""}],
                      "model_settings": {"provider_type": "openai", "parallel_tool_calls": True}}
            agent = self.http.post("/v1/agents", fields)
            if self.lives:
                self.lives[-1].over = True
            self.lives.append(Life(agent["id"]))
        life = self.lives[-1]
        mark = f"mark-{self.name_}-{self.number}"
        both = self.agent_type == "letta_v1_agent"
        lines = [[], [f"{mark}-a"], [f"{mark}-a", f"{mark}-b"] if both else [f"{mark}-a"]][self.random.randrange(3)]
        text = "\n".join(f'@call memory_insert {{"label":"human","new_string":"{line}"}}' for line in lines) or f"@say {mark}"
        if self.random.random() < 0.4:
            reason = self.stream(life, text)
        elif self.random.random() < 0.3:
            key = {"Idempotency-Key": str(uuid.uuid4())}
            answer = self.insist(lambda: self.http.post(self.path(life), {"input": text, "max_steps": 4}, headers=key))
            reason = answer["stop_reason"]["stop_reason"]
            if reason != "end_turn":  # killed behind the first step: what is there is told, nothing is done twice
                assert reason == "error", reason
                return
        else:
            reason = self.http.post(self.path(life), {"input": text, "max_steps": 4})["stop_reason"]["stop_reason"]
        assert reason == "end_turn", reason
        life.acknowledged.append(text)
        life.lines += lines

    @staticmethod
    def path(life):
        return f"/v1/agents/{life.agent_id}/messages"

    def stream(self, life, text, **more) -> str:
        body = {"input": text, "max_steps": 4, "stream_tokens": self.random.random() < 0.7, **more}
        request = urllib.request.Request(self.http.url + self.path(life) + "/stream", json.dumps(body).encode(), self.http.headers)
        reason = None
        with urllib.request.urlopen(request, timeout=60) as answer:
            for line in answer:
                assert not line.startswith(b"event: error"), answer.read()
                if line.startswith(b'data: {"message_type":"stop_reason"'):
                    assert reason is None, "two stop reasons in one stream"
                    reason = json.loads(line[6:])["stop_reason"]
                if line == b"data: [DONE]\n":
                    return reason
        raise ConnectionError("the stream was cut")


class Made:
    """An agent of a Maker: what was acknowledged of it, and what was asked for since."""

    def __init__(self, name: str):
        self.names, self.values = [name], ["0"]  # the acknowledged one first, then those that may have come true


class Maker(Worker):
    """Makes, changes and deletes agents; makes blocks with a key, again and again until it knows that there is one."""

    def __init__(self, server, seed):
        super().__init__(server, seed)
        self.alive: dict[str, Made] = {}
        self.attempted: set[str] = set()  # names of agents whose making was not answered
        self.deleted: set[str] = set()
        self.leaving: set[str] = set()  # their deletion was not answered
        self.once: list[str] = []

    def act(self):
        choice = self.random.random()
        if choice < 0.3 or not self.alive:
            self.make()
        elif choice < 0.4 or len(self.alive) > AGENTS_ALIVE_MAX:
            agent_id = self.random.choice(list(self.alive))
            self.leaving.add(agent_id)
            del self.alive[agent_id]
            self.http.send("DELETE", f"/v1/agents/{agent_id}")
            self.leaving.discard(agent_id)
            self.deleted.add(agent_id)
        elif choice < 0.5:
            label, key = f"once-{self.name_}-{self.number}", {"Idempotency-Key": str(uuid.uuid4())}
            self.insist(lambda: self.http.post("/v1/blocks", {"label": label, "value": "x"}, headers=key))
            self.once.append(label)
        else:
            self.change()

    def make(self):
        name = f"maker-{self.name_}-{self.number}"
        self.attempted.add(name)
        agent = self.http.post("/v1/agents", {"name": name, "tags": ["maker", name], "memory_blocks": [
            {"label": "human", "value": "0"}, {"label": "persona", "value": name}]})
        self.attempted.discard(name)
        self.alive[agent["id"]] = Made(name)

    def change(self):
        agent_id = self.random.choice(list(self.alive))
        made, number = self.alive[agent_id], str(self.number)
        if self.random.random() < 0.5:
            made.values.append(number)
            self.http.patch(f"/v1/agents/{agent_id}/core-memory/blocks/human", {"value": number})
            made.values = [number]
        else:
            name = f"maker-{self.name_}-{number}"
            made.names.append(name)
            self.http.patch(f"/v1/agents/{agent_id}", {"name": name, "tags": ["maker", name]})
            made.names = [name]
