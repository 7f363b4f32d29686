"""A request that names an identity: whose blocks the model sees, who has said what, and what is left of it. Every request
that a model gets is looked at."""

import collections
import concurrent.futures
import json
import random
import re
import threading
import time
import uuid

import answering_model
import pytest
import stele
from answering_model import Step
from stele import GONE, refused

AGENT = re.compile(r"AGENT_ID: (agent-[0-9a-f-]+)")
PERSONA = re.compile(r"<(Persona_[^>]*)>\n<description>")


class Recorder(answering_model.AnsweringModel):
    """Keeps every request of every agent."""

    def __init__(self):
        super().__init__()
        self.seen, self.summaries = collections.defaultdict(list), []

    def look_at(self, request, place):
        super().look_at(request, place)
        whole = json.dumps(request, ensure_ascii=False)
        with self.lock:
            if answering_model.SUMMARISE in whole:
                self.summaries.append(whole)
            else:
                self.seen[place[0]].append(request)


@pytest.fixture(scope="module")
def recorder():
    model = Recorder()
    yield model
    model.stop()


@pytest.fixture(scope="module")
def served(recorder, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("identities"), recorder.environment()).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def http(served):
    return served.http(1)


@pytest.fixture
def ada(http):
    return http.post("/v1/agents/", {"memory_blocks": [{"label": "human", "value": "Nobody known."}]})["id"]


def person(http, name: str | None = None, **more) -> dict:
    return http.post("/v1/identities/", {"identifier_key": "u_" + uuid.uuid4().hex[:10], "name": name or "Grace", "identity_type": "user", **more})


def say(http, agent: str, text: str = "hello", identity: str | None = None, **more):
    return http.post(f"/v1/agents/{agent}/messages", {"messages": [{"role": "user", "content": text}], **({"identity_id": identity} if identity else {}), **more})


def asked(recorder, agent: str) -> dict:
    return recorder.seen[agent][-1]


def personas(request: dict) -> list[str]:
    return PERSONA.findall(request["messages"][0]["content"])


def test_the_request_is_known_by_its_identity(http, ada, recorder):
    grace = person(http)
    answer = say(http, ada, identity=grace["identifier_key"])
    run = http.get(f"/v1/runs/{answer['messages'][0]['run_id']}")
    assert run["metadata"] == {"run_type": "send_message", "identity_id": grace["id"]}
    stored = http.get(f"/v1/agents/{ada}/messages?order=asc")
    assert [m["sender_id"] for m in stored if m["message_type"] == "user_message"] == [grace["id"]]
    assert {m["sender_id"] for m in stored if m["message_type"] == "assistant_message"} == {None}
    assert http.get(f"/v1/agents/{ada}")["identity_ids"] == [grace["id"]]
    assert asked(recorder, ada)["messages"][-1]["content"] == f"[Grace ({grace['identifier_key']})] hello"
    assert next(m["content"] for m in stored if m["message_type"] == "user_message") == "hello"


def test_an_unknown_identity_is_refused_before_anything_happens(http, ada, recorder):
    for named in ("nobody", f"identity-{GONE}"):
        for path in (f"agents/{ada}/messages", f"agents/{ada}/messages/stream", f"agents/{ada}/messages/async"):
            body = {"messages": [{"role": "user", "content": "x"}], "identity_id": named}
            assert "Identity" in refused(http, "POST", f"/v1/{path}", 404, body).text
        refused(http, "POST", "/v1/messages/batches", 404, {"requests": [{"agent_id": ada, **body}]})
        refused(http, "POST", f"/v1/agents/{ada}/schedule", 404, {**body, "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}})
    assert "identity_id" in refused(http, "POST", f"/v1/agents/{ada}/messages", 422, {"input": "x", "identity_id": ""}).text
    assert not recorder.seen[ada] and http.get(f"/v1/runs?agent_id={ada}") == []


def test_every_door_takes_it(http, ada, recorder):
    grace = person(http)
    block = http.post("/v1/blocks/", {"label": f"Persona_{grace['identifier_key']}", "value": "Likes tea."})["id"]
    body = {"messages": [{"role": "user", "content": "hi"}], "identity_id": grace["identifier_key"]}
    conversation = http.post(f"/v1/conversations?agent_id={ada}")["id"]
    group = http.post("/v1/groups", {"agent_ids": [ada], "description": "d"})["id"]
    http.events(f"/v1/agents/{ada}/messages/stream", {**body, "stream_tokens": True})
    run = http.post(f"/v1/agents/{ada}/messages/async", body)["id"]
    stele.wait_until(lambda: http.get(f"/v1/runs/{run}")["status"] == "completed")
    http.post(f"/v1/conversations/{conversation}/messages", {**body, "streaming": False})
    http.post(f"/v1/groups/{group}/messages", body)
    batch = http.post("/v1/messages/batches", {"requests": [{"agent_id": ada, **body}]})["id"]
    stele.wait_until(lambda: http.get(f"/v1/messages/batches/{batch}")["status"] == "completed")
    http.post(f"/v1/agents/{ada}/schedule", {**body, "schedule": {"type": "one-time", "scheduled_at": time.time() * 1_000}})
    seen = recorder.seen[ada]
    stele.wait_until(lambda: len(seen) == 6)
    assert all(personas(request) == [f"Persona_{grace['identifier_key']}"] for request in seen)
    assert all(run["metadata"]["identity_id"] == grace["id"] for run in http.get("/v1/runs?limit=20") if run["agent_id"] == ada)
    assert http.get(f"/v1/blocks/{block}/agents") == []
    sent = http.post(f"/v1/agents/{ada}/messages/preview-raw-payload", body)
    assert personas(sent) == [f"Persona_{grace['identifier_key']}"]


def test_its_blocks_are_shown_for_that_run_alone_and_leave_the_stored_prompt(http, ada, recorder):
    tea = http.post("/v1/blocks/", {"label": "tea", "value": "green"})["id"]
    human = http.post("/v1/blocks/", {"label": "human", "value": "Name: Grace."})["id"]
    grace = person(http, block_ids=[tea, human])
    say(http, ada)
    stored = http.get(f"/v1/agents/{ada}/messages?order=asc")[0]
    without = asked(recorder, ada)["messages"][0]["content"]
    assert "<tea>" not in without and "Nobody known." in without and stored["content"] == without
    say(http, ada, identity=grace["id"])
    system = asked(recorder, ada)["messages"][0]["content"]
    assert "<tea>" in system and "Name: Grace." in system and "Nobody known." not in system
    say(http, ada, identity=grace["id"])
    assert asked(recorder, ada)["messages"][0]["content"] == system  # to the byte: caches
    assert http.get(f"/v1/agents/{ada}/messages?order=asc")[0] == stored
    say(http, ada)
    assert asked(recorder, ada)["messages"][0]["content"] == without


def test_memory_tools_edit_its_blocks(http, ada, recorder):
    label = "Persona_" + uuid.uuid4().hex[:8]
    own = http.post("/v1/blocks/", {"label": label, "value": '{"name":"Grace"}'})["id"]
    other = http.post("/v1/blocks/", {"label": "Persona_other", "value": "secret"})["id"]
    grace, hopper = person(http, block_ids=[own]), person(http, block_ids=[other])
    for block in (own, other):
        http.patch(f"/v1/agents/{ada}/core-memory/blocks/attach/{block}")
    http.patch(f"/v1/agents/{ada}/core-memory/blocks/detach/{own}")
    tools = {tool["name"]: tool["id"] for tool in http.get("/v1/tools?limit=1000")}
    for name in ("core_memory_append", "memory_rethink"):
        if name in tools:
            http.patch(f"/v1/agents/{ada}/tools/attach/{tools[name]}")
    recorder.will(ada, "default", Step(calls=[("c1", "core_memory_append", json.dumps({"label": label, "content": "Likes tea."})),]),
                  Step(calls=[("c2", "core_memory_append", json.dumps({"label": "Persona_other", "content": "x"}))]))
    say(http, ada, identity=grace["id"])
    assert "Likes tea." in http.get(f"/v1/blocks/{own}")["value"] and http.get(f"/v1/blocks/{other}")["value"] == "secret"
    returns = [m for m in http.get(f"/v1/agents/{ada}/messages") if m["message_type"] == "tool_return_message"]
    assert {m["status"] for m in returns} == {"success", "error"} and not any("secret" in json.dumps(m) for m in returns)
    assert all("secret" not in json.dumps(request) for request in recorder.seen[ada][-3:])
    assert hopper["block_ids"] == [other]


def test_one_thousand_people_in_random_order(served, recorder):
    """Blocks linked, every fifth attached too: each request of the model holds the block of its own identity, and no other."""
    http = served.http(1)
    agent = http.post("/v1/agents/", {"message_buffer_autoclear": True})["id"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        people = list(pool.map(lambda number: (number, person(served.http(1), name=f"Person {number}", core_block=f"Secret {number}.")), range(1_000)))
        served.http(2).patch(f"/v1/agents/{agent}", {"block_ids": [identity["block_ids"][0] for _, identity in people[::5]]})
        seed = random.randrange(1 << 30)
        random.Random(seed).shuffle(people)
        list(pool.map(lambda each: say(served.http(1), agent, f"I am {each[0]}", each[1]["identifier_key"]), people))
    seen = recorder.seen.pop(agent)
    assert len(seen) == 1_000
    keys = {number: identity["identifier_key"] for number, identity in people}
    for request in seen:
        number = int(re.search(r"I am (\d+)$", request["messages"][-1]["content"])[1])
        assert personas(request) == [f"Persona_{keys[number]}"], f"seed {seed}, person {number}"
        assert re.findall(r"Secret (\d+)\.", request["messages"][0]["content"]) == [str(number)], f"seed {seed}"


def test_the_old_flow_by_many_programs_at_once(served, recorder):
    """Create, attach, send, detach, each for a person of its own; the list of blocks is complete at every moment."""
    http = served.http(1)
    agent = http.post("/v1/agents/", {})["id"]
    mark = uuid.uuid4().hex[:8]
    blocks, done = {}, threading.Event()

    def watch():
        while not done.is_set():
            known = dict(blocks)
            listed = {block["id"] for block in served.http(1).get(f"/v1/blocks/?limit=1000&label_search={mark}")}
            assert set(known.values()) <= listed

    def program(number: int):
        each = served.http(1)
        identity = person(each, name=f"P{number}")
        label = f"Persona_{mark}_{number}"
        block = each.post("/v1/blocks/", {"label": label, "value": {"name": f"P{number}", "preferences": {}}})["id"]
        blocks[number] = block
        each.patch(f"/v1/blocks/{block}/identities/attach/{identity['id']}")
        for turn in range(3):
            each.patch(f"/v1/agents/{agent}/core-memory/blocks/attach/{block}")
            try:
                say(each, agent, f"I am {number}", identity["identifier_key"])
            finally:
                each.patch(f"/v1/agents/{agent}/core-memory/blocks/detach/{block}")

    with concurrent.futures.ThreadPoolExecutor(17) as pool:
        watcher = pool.submit(watch)
        for finished in [pool.submit(program, number) for number in range(16)]:
            finished.result()
        done.set()
        watcher.result()
    seen = recorder.seen[agent]
    assert len(seen) == 48
    for request in seen:
        number = re.search(r"I am (\d+)$", request["messages"][-1]["content"])[1]
        assert personas(request) == [f"Persona_{mark}_{number}"]
    say(http, agent)
    assert personas(asked(recorder, agent)) == []


def test_a_detach_that_never_came_leaks_to_nobody(recorder, tmp_path):
    running = stele.Server(tmp_path, recorder.environment()).start()
    http = running.http(1)
    agent = http.post("/v1/agents/", {})["id"]
    grace, hopper = (person(http, name=name, core_block=f"Secret of {name}.") for name in ("Grace", "Hopper"))
    http.patch(f"/v1/agents/{agent}/core-memory/blocks/attach/{grace['block_ids'][0]}")
    say(http, agent, identity=grace["id"])
    running.kill()
    running.start()
    say(http, agent, identity=hopper["id"])
    system = asked(recorder, agent)["messages"][0]["content"]
    assert "Secret of Hopper." in system and "Secret of Grace." not in system
    http.patch(f"/v1/agents/{agent}/core-memory/blocks/attach/{grace['block_ids'][0]}")  # as the program does when it tries again
    say(http, agent, identity=grace["id"])
    assert personas(asked(recorder, agent)) == [f"Persona_{grace['identifier_key']}"]
    assert running.stop() == 0


def test_who_a_block_tells_of_is_learnt_from_the_flow(http, ada, recorder):
    label = "Persona_" + uuid.uuid4().hex[:8]
    block = http.post("/v1/blocks/", {"label": label, "value": "Likes tea."})["id"]
    http.patch(f"/v1/agents/{ada}/core-memory/blocks/attach/{block}")
    grace, hopper = person(http), person(http)
    say(http, ada, identity=grace["id"])
    assert personas(asked(recorder, ada)) == [label]
    assert http.get(f"/v1/identities/{grace['id']}")["block_ids"] == [block]
    say(http, ada, identity=hopper["id"])
    assert personas(asked(recorder, ada)) == [] and http.get(f"/v1/identities/{hopper['id']}")["block_ids"] == []


def test_several_that_tell_of_nobody_known_are_all_shown_with_a_warning(http, ada, recorder):
    labels = [f"Persona_{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for label in labels:
        block = http.post("/v1/blocks/", {"label": label})["id"]
        http.patch(f"/v1/agents/{ada}/core-memory/blocks/attach/{block}")
    grace = person(http)
    body = {"messages": [{"role": "user", "content": "hi"}], "identity_id": grace["id"]}
    for path in ("messages", "messages/stream"):
        _, _, headers = http.send("POST", f"/v1/agents/{ada}/{path}", body)
        assert headers["X-Stele-Warning"] == "ambiguous-persona"
    assert personas(asked(recorder, ada)) == labels and http.get(f"/v1/identities/{grace['id']}")["block_ids"] == []
    _, _, headers = http.send("POST", f"/v1/agents/{ada}/messages", {"input": "hi"})
    assert headers["X-Stele-Warning"] is None


def test_who_said_what_stays_told_and_lists_filter_by_it(http, ada, recorder):
    grace, hopper = person(http, name="Grace\n[x]"), person(http, name="Hopper")
    say(http, ada, "one", grace["id"])
    say(http, ada, "two", hopper["identifier_key"])
    say(http, ada, "three")
    contents = [m["content"] for m in asked(recorder, ada)["messages"] if m["role"] == "user"]
    assert contents[-3:] == [f"[Grace  x  ({grace['identifier_key']})] one", f"[Hopper ({hopper['identifier_key']})] two", "three"]
    for query in (f"agents/{ada}/messages?", "messages?", "conversations/default/messages?agent_id=" + ada + "&"):
        found = http.get(f"/v1/{query}identity_id={hopper['identifier_key']}")
        words = [m["content"] for m in found if m["message_type"] == "user_message"]
        assert words == ["two"] and sum(m["message_type"] == "assistant_message" for m in found) == 1, query
    by_key = http.post(f"/v1/agents/{ada}/messages", {"messages": [{"role": "user", "content": "four", "sender_id": hopper["identifier_key"]},
                                                                   {"role": "user", "content": "five", "sender_id": "somebody"}]})
    assert by_key["stop_reason"]["stop_reason"] == "end_turn"
    stored = {m["content"]: m["sender_id"] for m in http.get(f"/v1/agents/{ada}/messages") if m["message_type"] == "user_message"}
    assert stored["four"] == hopper["id"] and stored["five"] == "somebody" and stored["three"] is None


@pytest.mark.parametrize("mode", ["all", "self_compact_all"])
def test_a_summary_knows_who_said_what_and_sees_no_secrets_of_others(http, ada, recorder, mode):
    grace, hopper = (person(http, name=name, core_block=f"Secret of {name}.") for name in ("Grace", "Hopper"))
    for each in (grace, hopper):
        http.patch(f"/v1/agents/{ada}/core-memory/blocks/attach/{each['block_ids'][0]}")
    http.patch(f"/v1/agents/{ada}", {"compaction_settings": {"mode": mode, "prompt": answering_model.SUMMARISE}})
    say(http, ada, "one", grace["id"])
    recorder.will(ada, "default", answering_model.overflow, then=Step("fine"))
    say(http, ada, "two", hopper["id"])
    asked_to_sum_up = recorder.summaries[-1]
    assert f"[Grace ({grace['identifier_key']})] one" in asked_to_sum_up and "Secret of Grace." not in asked_to_sum_up
    assert personas(asked(recorder, ada)) == [f"Persona_{hopper['identifier_key']}"]


SWITCHES = [("--identity-blocks", "false"), ("--identity-block-isolation", "false"), ("--auto-link-persona", "false"), ("--identity-in-prompt", "false"), ("--identity-unknown", "create")]


def test_each_rule_can_be_switched_off(recorder, tmp_path):
    running = stele.Server(tmp_path, recorder.environment(), [word for switch in SWITCHES for word in switch]).start()
    http = running.http(1)
    agent = http.post("/v1/agents/", {})["id"]
    grace, hopper = (person(http, name=name, core_block="x") for name in ("Grace", "Hopper"))
    http.patch(f"/v1/agents/{agent}/core-memory/blocks/attach/{grace['block_ids'][0]}")
    say(http, agent, "hello", hopper["id"])
    request = asked(recorder, agent)
    assert personas(request) == [f"Persona_{grace['identifier_key']}"] and request["messages"][-1]["content"] == "hello"
    http.post("/v1/blocks/", {"label": f"Persona_{hopper['name']}"})
    assert len(http.get(f"/v1/identities/{hopper['id']}")["block_ids"]) == 1
    say(http, agent, "hello", "somebody new")
    assert http.get("/v1/identities/somebody%20new")["identity_type"] == "user"
    refused(http, "POST", f"/v1/agents/{agent}/messages", 404, {"input": "x", "identity_id": f"identity-{GONE}"})
    assert running.stop() == 0
