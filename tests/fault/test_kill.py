"""The server is killed at random points under load and started again: what it acknowledged is there, nothing is there by
half, every history pairs calls and returns, the next message works. STELE_KILLS and STELE_SEED repeat or lengthen it."""

import os
import random
import time

import stele
from askers import Asker
from workers import Life, Maker, Talker, kills

KILLS = int(os.environ.get("STELE_KILLS", "150"))
TYPES = ["letta_v1_agent", "letta_v1_agent", "letta_v1_agent", "memgpt_v2_agent"]
LIVES_CHECKED_MAX = 120


def pages(http, path):
    """All items of a listing that is walked by `after`."""
    items, cursor = [], ""
    while page := http.get(f"{path}limit=500&order=asc{cursor}"):
        items += page
        cursor = f"&after={page[-1]['id']}"
    return items


def check_pairs(messages, who):
    """Every call has exactly one return, right behind it; nothing returns that was not called. Gives the calls that worked."""
    open_calls, asked, done = {}, False, []
    for message in messages:
        kind = message["message_type"]
        if kind == "tool_return_message":
            ids = [each["tool_call_id"] for each in message["tool_returns"]]
            assert ids == list(open_calls) or (asked and sorted(ids) == sorted(open_calls)), who
            asked = False
            done += [open_calls[each["tool_call_id"]] for each in message["tool_returns"] if each["status"] == "success"]
            open_calls = {}
            continue
        if kind == "approval_request_message":  # of the same answer as the calls before it
            open_calls |= {call["tool_call_id"]: call for call in message["tool_calls"]}
            asked = True
            continue
        if kind == "approval_response_message":
            assert {each["tool_call_id"] for each in message["approvals"]} <= set(open_calls), who
            continue
        assert not open_calls, f"{who}: a call is not followed by its return"
        if kind == "tool_call_message":
            open_calls = {call["tool_call_id"]: call for call in message["tool_calls"]}
    pending = messages and messages[-1]["message_type"] == "approval_request_message"
    assert pending or not open_calls, f"{who}: the history ends in a call without its return"
    return done


def check_context(in_context: list[str], messages: list[dict], who: str):
    """All of the history; or after compactions the system message, the newest summary, and the history's end."""
    summaries = [m["id"] for m in messages if m["message_type"] == "user_message" and '"system_alert"' in m["content"]]
    told = [each for each in dict.fromkeys(m["id"] for m in messages) if each not in summaries]
    head, tail = told[:1] + summaries[-1:], told[1:]
    assert in_context[:len(head)] == head, f"{who}: history and context disagree"
    kept = in_context[len(head):]
    assert kept == (tail[len(tail) - len(kept):] if summaries else tail), f"{who}: history and context disagree"


def check_life(http, life: Life, who: str):
    """While its client may still be talking: so first what was acknowledged, then what is there."""
    settled, acknowledged, lines = life.over, list(life.acknowledged), list(life.lines)
    messages = pages(http, f"/v1/agents/{life.agent_id}/messages?use_assistant_message=false&")
    done = check_pairs(messages, who)
    said = [m["content"] for m in messages if m["message_type"] == "user_message" and m["content"].startswith("@")]
    assert len(said) == len(set(said)), f"{who}: a message was taken twice"
    missing = set(acknowledged) - set(said)
    assert not missing, f"{who}: acknowledged and lost: {sorted(missing)[:3]}"
    memory = http.get(f"/v1/agents/{life.agent_id}/core-memory/blocks/human")["value"].split()
    assert len(memory) == len(set(memory)), f"{who}: an edit was made twice"
    assert not set(lines) - set(memory), f"{who}: an acknowledged edit of memory is gone"
    if settled:
        # A step is one transaction: its messages, its edits, and the agent's context hold the same.
        told = {call["arguments"].split('"new_string"')[1].split('"')[1] for call in done if call["name"] == "memory_insert"}
        assert told == set(memory), f"{who}: history and memory disagree: {sorted(told ^ set(memory))[:3]}"
        check_context(http.get(f"/v1/agents/{life.agent_id}")["message_ids"], messages, who)
        for run in http.get(f"/v1/runs?agent_id={life.agent_id}&limit=20"):
            assert run["status"] in ("completed", "failed"), f"{who}: {run['id']} is {run['status']}"
            steps = http.get(f"/v1/runs/{run['id']}/steps?limit=100")
            assert run["status"] == "failed" or [step["status"] for step in steps] == ["success"] * len(steps) != [], who


def check_maker(http, maker: Maker, who: str):
    agents = [agent for agent in pages(http, "/v1/agents?tags=maker&") if agent["name"].startswith(f"maker-{maker.name_}-")]
    found = {agent["id"]: agent for agent in agents}
    assert not set(maker.alive) - set(found), f"{who}: an acknowledged agent is gone"
    assert not maker.deleted & set(found), f"{who}: an acknowledged deletion did not happen"
    for agent_id, agent in found.items():
        known = maker.alive.get(agent_id)
        assert known or agent_id in maker.leaving or agent["name"] in maker.attempted, f"{who}: nobody asked for {agent['name']}"
        state = http.get(f"/v1/agents/{agent_id}?include=agent.blocks&include=agent.tools&include=agent.tags")
        values = {block["label"]: block["value"] for block in state["blocks"]}
        assert set(values) == {"human", "persona"} and len(state["tools"]) == 3 and len(state["message_ids"]) == 1, f"{who}: half an agent"
        assert sorted(state["tags"]) == ["maker", state["name"]], f"{who}: the tags of one change, the name of another"
        if known:
            assert state["name"] in known.names and values["human"] in known.values, f"{who}: an acknowledged change is gone"
    for label in maker.once:
        assert len(http.get(f"/v1/blocks?label={label}")) == 1, f"{who}: {label} was made not once"


def test_nothing_acknowledged_is_lost_by_kill(own_server):
    seed = int(os.environ.get("STELE_SEED", str(random.randrange(1 << 30))))
    dice = random.Random(seed)
    server = own_server(arguments=["--log-level", "warn"]).start()
    http = server.http()
    talkers = [Talker(server, dice.randrange(1 << 30), agent_type) for agent_type in TYPES]
    talkers += [Asker(server, dice.randrange(1 << 30)) for _ in range(2)]
    makers = [Maker(server, dice.randrange(1 << 30)) for _ in range(2)]
    for worker in (*talkers, *makers):
        worker.start()

    def turns():
        return sum(len(life.acknowledged) for talker in talkers for life in talker.lives)

    kill = 0
    for kill in kills(KILLS, lambda: turns() > KILLS and all(m.alive and m.deleted and m.once for m in makers)):
        time.sleep(dice.uniform(0.005, 0.12))  # the random point
        server.kill()
        server.start()
        who = f"seed {seed}, kill {kill}"
        broken = [worker.failure for worker in (*talkers, *makers) if worker.failure]
        assert not broken, f"{who}: {broken[0]!r}"
        if kill % 3 == 0:  # a sample each time, everything at the end
            lives = dice.choice(talkers).lives
            if lives:
                check_life(http, lives[-1 if dice.random() < 0.7 else dice.randrange(len(lives))], who)
    for worker in (*talkers, *makers):
        worker.stopping = True
    for worker in (*talkers, *makers):
        worker.join(timeout=30)
        assert not worker.is_alive() and not worker.failure, f"seed {seed}: {worker.failure!r}"

    assert http.get("/v1/runs?active=true") == [], "a run is still called active after its server died"
    lives = [life for talker in talkers for life in talker.lives]
    for life in lives[-LIVES_CHECKED_MAX:]:
        life.over = True
        check_life(http, life, f"seed {seed}")
        Asker.deny_what_waits(http, life)
        answer = http.post(f"/v1/agents/{life.agent_id}/messages", {"input": "@say alive"})
        assert answer["messages"][-1]["content"] == "alive"
    for maker in makers:
        check_maker(http, maker, f"seed {seed}")
    print(f"seed {seed}: {kill + 1} kills, {turns()} turns of {len(lives)} agents, {sum(len(m.deleted) + len(m.alive) for m in makers)} agents made, "
          f"{sum(len(m.once) for m in makers)} blocks made once")
