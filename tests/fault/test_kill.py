"""The server is killed at random points under load and started again: what it acknowledged is there, every history pairs
calls and returns, the next message works."""

import os
import random
import threading
import time
import urllib.error

import stele

KILLS = int(os.environ.get("STELE_KILLS", "150"))
AGENTS = 6
RETRY = (urllib.error.URLError, ConnectionError, TimeoutError, OSError, stele.Refused)


class Talker(threading.Thread):
    """Talks to one agent until it is told to stop; remembers what the server acknowledged."""

    def __init__(self, server, agent_id, seed):
        super().__init__(daemon=True)
        self.http, self.agent_id, self.random = server.http(), agent_id, random.Random(seed)
        self.acknowledged: list[str] = []
        self.lines: list[str] = []
        self.stopping = False
        self.number = 0

    def run(self):
        while not self.stopping:
            self.number += 1
            mark = f"mark-{self.agent_id[-6:]}-{self.number}"
            text = f"@say {mark}"
            if self.random.random() < 0.5:
                text = f'@call memory_insert {{"label":"human","new_string":"{mark}"}}'
            try:
                answer = self.http.post(f"/v1/agents/{self.agent_id}/messages", {"input": text, "max_steps": 3})
                assert answer["stop_reason"]["stop_reason"] == "end_turn", answer["stop_reason"]
                self.acknowledged.append(text)
                if text.startswith("@call"):
                    self.lines.append(mark)
            except RETRY:
                time.sleep(0.002)


def check_history(http, agent_id):
    """Every call has exactly one return, right behind it; nothing returns that was not called."""
    messages = http.get(f"/v1/agents/{agent_id}/messages?limit=1000&order=desc")
    open_calls: list[str] = []
    for message in messages:
        kind = message["message_type"]
        if kind == "tool_call_message":
            assert not open_calls, f"a call follows an unanswered one in {agent_id}"
            open_calls = [call["tool_call_id"] for call in message["tool_calls"]]
        elif kind == "tool_return_message":
            assert [each["tool_call_id"] for each in message["tool_returns"]] == open_calls
            open_calls = []
    assert not open_calls, f"the history of {agent_id} ends in a call without its return"
    return messages


def test_nothing_acknowledged_is_lost_by_kill(own_server):
    seed = int(os.environ.get("STELE_SEED", str(random.randrange(1 << 30))))
    print("seed", seed)
    dice = random.Random(seed)
    server = own_server(arguments=["--log-level", "warn"]).start()
    http = server.http()
    ids = [http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}]})["id"] for _ in range(AGENTS)]
    told: dict[str, int] = dict.fromkeys(ids, 0)

    talkers = [Talker(server, agent_id, dice.random()) for agent_id in ids]
    for talker in talkers:
        talker.start()
    for kill in range(KILLS):
        time.sleep(dice.uniform(0.01, 0.12))
        server.kill()
        server.start()
        # A sample each time, all of them at the end: the whole check of 6 histories would take longer than the kill.
        agent_id = dice.choice(ids)
        # Copied before the look: the talkers go on meanwhile.
        acknowledged = list(next(t for t in talkers if t.agent_id == agent_id).acknowledged)
        messages = check_history(http, agent_id)
        said = {m["content"] for m in messages if m["message_type"] == "user_message"}
        for text in acknowledged[-50:]:
            assert text in said or len(messages) >= 1000, f"seed {seed}, kill {kill}: {text} is gone"
    for talker in talkers:
        talker.stopping = True
    for talker in talkers:
        talker.join(timeout=30)

    assert http.get("/v1/runs?active=true") == [], "a run is still called active after its server died"
    for talker in talkers:
        page, said, cursor = None, set(), ""
        while page is None or page:
            page = http.get(f"/v1/agents/{talker.agent_id}/messages?limit=500&order=asc{cursor}")
            said |= {m["content"] for m in page if m["message_type"] == "user_message"}
            cursor = f"&after={page[-1]['id']}" if page else ""
        missing = [text for text in talker.acknowledged if text not in said]
        assert not missing, f"seed {seed}: acknowledged and lost: {missing[:3]}"
        memory = http.get(f"/v1/agents/{talker.agent_id}/core-memory/blocks/human")["value"].splitlines()
        assert not [line for line in talker.lines if line not in memory], f"seed {seed}: an acknowledged edit of memory is gone"
        assert len(memory) == len(set(memory)), f"seed {seed}: an edit was made twice"
        answer = http.post(f"/v1/agents/{talker.agent_id}/messages", {"input": "@say alive"})
        assert answer["messages"][-1]["content"] == "alive"
        check_history(http, talker.agent_id)
        told[talker.agent_id] = len(talker.acknowledged)
    assert min(told.values()) > 0 and sum(told.values()) > KILLS
