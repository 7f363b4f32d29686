"""Agents whose memory another one looks after while they rest: the pair, when the partner wakes, what it reads, and that
neither its failures nor a crash lose anything."""

import json
import threading

import pytest
import stele
from answering_model import AnsweringModel, Held
from scripted_model import ScriptedModel, http, wait, whole
from stele import refused


@pytest.fixture
def api(server):
    return server.http(1)


def make(api, **more):
    return api.post("/v1/agents", {"name": "Ada", "enable_sleeptime": True, "memory_blocks": [{"label": "human", "value": "Grace"}], **more})


def partner_of(api, agent):
    return api.get(f"/v1/agents/{api.get('/v1/agents/' + agent['id'])['managed_group']['agent_ids'][0]}")


def group_of(api, agent):
    return api.get(f"/v1/agents/{agent['id']}")["managed_group"]


def say(api, agent, text, where="agents", **more):
    return api.post(f"/v1/{where}/{agent['id']}/messages", {"messages": [{"role": "user", "content": text}], **more})


def every(api, agent, turns):
    api.patch(f"/v1/groups/{group_of(api, agent)['id']}", {"manager_config": {"manager_type": "sleeptime", "sleeptime_agent_frequency": turns}})


def ended(api, run_id):
    return wait(lambda: next((r for r in [api.get(f"/v1/runs/{run_id}")] if r["completed_at"]), None))


def read_by(api, agent):
    """What the partner was given to read, the lines of each wakening."""
    messages = api.get(f"/v1/agents/{partner_of(api, agent)['id']}/messages?limit=200")
    return [m["content"].split("\n\n", 1)[1].splitlines() for m in messages if m["message_type"] == "user_message"]


def test_an_agent_comes_with_its_partner_and_their_group(api):
    shared = api.post("/v1/blocks", {"label": "notes", "value": "n"})
    ada = make(api, block_ids=[shared["id"]])
    group, partner = ada["managed_group"], partner_of(api, ada)
    assert group == ada["multi_agent_group"] == api.get(f"/v1/groups/{group['id']}")
    assert (group["manager_type"], group["manager_agent_id"], group["agent_ids"]) == ("sleeptime", ada["id"], [partner["id"]])
    assert (group["sleeptime_agent_frequency"], group["turns_counter"], group["last_processed_message_id"]) == (5, -1, None)
    assert ada["enable_sleeptime"] is True and {t["name"] for t in ada["tools"]} == {"conversation_search", "archival_memory_search"}
    assert (partner["name"], partner["agent_type"], partner["model"]) == ("Ada-sleeptime", "sleeptime_agent", ada["model"])
    assert [b["id"] for b in partner["blocks"]][:2] == [b["id"] for b in ada["blocks"]]
    assert [b["label"] for b in partner["blocks"]] == ["human", "notes", "memory_persona"]
    assert {t["name"] for t in partner["tools"]} == {"memory_replace", "memory_insert", "memory_rethink", "memory_finish_edits"}
    assert {"tool_name": "memory_finish_edits", "type": "exit_loop"}.items() <= next(r for r in partner["tool_rules"] if r["type"] == "exit_loop").items()
    assert partner["managed_group"] is None and api.get(f"/v1/agents/{partner['id']}/groups") == [group]
    speaks = make(api, agent_type="memgpt_agent")
    assert {t["name"] for t in speaks["tools"]} == {"send_message", "conversation_search", "archival_memory_search"}


@pytest.mark.parametrize("frequency, fires", [(1, [1, 1, 1, 1, 1]), (2, [1, 0, 1, 0, 1]), (3, [1, 0, 0, 1, 0]), (None, [1, 1, 1, 1, 1])])
def test_the_partner_wakes_by_its_frequency(api, frequency, fires):
    ada = make(api)
    every(api, ada, frequency)
    answers = [say(api, ada, f"@say number {i}") for i in range(5)]
    assert [1 if a["usage"]["run_ids"] else 0 for a in answers] == fires
    runs = [ended(api, run_id) for a in answers for run_id in a["usage"]["run_ids"] or []]
    assert {r["status"] for r in runs} == {"completed"} and {r["background"] for r in runs} == {True}
    assert {r["agent_id"] for r in runs} == {partner_of(api, ada)["id"]}
    lines = [line for each in read_by(api, ada) for line in each]
    heard = max(i for i, fire in enumerate(fires) if fire) + 1
    assert lines == [line for i in range(heard) for line in (f"user: @say number {i}", f"assistant: number {i}")]


def test_what_the_partner_writes_is_in_the_next_request(api, model):
    ada = make(api)
    edit = json.dumps({"label": "human", "new_string": "likes tea"})
    run = say(api, ada, f"remember:\n@call memory_insert {edit}")  # the agent itself has no such tool; its partner has
    [run_id] = run["usage"]["run_ids"]
    assert ended(api, run_id)["status"] == "completed"
    assert "likes tea" in api.get(f"/v1/agents/{ada['id']}")["blocks"][0]["value"]
    say(api, ada, "hello")
    sent = [r for r in model.requests() if "messages" in r and f"AGENT_ID: {ada['id']}" in r["messages"][0]["content"]][-1]
    assert "likes tea" in sent["messages"][0]["content"]


def test_a_stream_and_a_conversation_wake_it_too(api):
    ada = make(api)
    every(api, ada, 1)
    events = api.events(f"/v1/agents/{ada['id']}/messages/stream", {"messages": [{"role": "user", "content": "@say streamed"}]})
    [usage] = [e for e in events if isinstance(e, dict) and e.get("message_type") == "usage_statistics"]
    ended(api, usage["run_ids"][0])
    talk = api.post(f"/v1/conversations?agent_id={ada['id']}")
    answer = say(api, talk, "@say apart", where="conversations", streaming=False)
    ended(api, answer["usage"]["run_ids"][0])
    assert read_by(api, ada) == [["user: @say streamed", "assistant: streamed"], ["user: @say apart", "assistant: apart"]]


def test_what_is_said_to_it_belongs_to_the_group(api):
    ada = make(api)
    say(api, ada, "@say hello")
    group = group_of(api, ada)
    shown = api.get(f"/v1/groups/{group['id']}/messages?order=asc")
    assert [m["content"] for m in shown] == ["@say hello", "hello"]
    assert len(api.get(f"/v1/agents/{ada['id']}/messages?group_id={group['id']}")) == 2


def test_a_failure_is_on_record_and_what_it_was_to_read_is_read_the_next_time(api):
    ada = make(api)
    every(api, ada, 1)
    partner = partner_of(api, ada)
    api.patch(f"/v1/agents/{partner['id']}", {"model": "openai/mock-refusing"})
    [run_id] = say(api, ada, "@say one")["usage"]["run_ids"]
    failed = ended(api, run_id)
    assert failed["status"] == "failed" and "error" in json.dumps(failed["metadata"]).lower()
    assert group_of(api, ada)["last_processed_message_id"] is None
    api.patch(f"/v1/agents/{partner['id']}", {"model": "openai/mock-small"})
    [run_id] = say(api, ada, "@say two")["usage"]["run_ids"]
    assert ended(api, run_id)["status"] == "completed"
    assert read_by(api, ada)[-1] == ["user: @say one", "assistant: one", "user: @say two", "assistant: two"]
    last = api.get(f"/v1/agents/{ada['id']}/messages?limit=1")[0]["id"]
    wait(lambda: group_of(api, ada)["last_processed_message_id"] == last)


def test_what_was_said_before_a_reading_and_answered_after_it_is_read_by_the_next(own_server):
    """Conversations of one agent go on side by side: a slow answer takes its question's place in the history along."""
    model = AnsweringModel()
    own = own_server(model.environment()).start()
    api, slow = own.http(1), own.http(1)
    ada = make(api)
    every(api, ada, 1)
    talk = api.post(f"/v1/conversations?agent_id={ada['id']}")
    held = Held("slow answer")
    model.will(ada["id"], talk["id"], held)
    asked = threading.Thread(target=lambda: say(slow, talk, "slow", "conversations", streaming=False))
    asked.start()
    assert held.asked.wait(60)
    [run_id] = say(api, ada, "quick")["usage"]["run_ids"]
    ended(api, run_id)
    held.release.set()
    asked.join()
    wait(lambda: len(read_by(api, ada)) == 2)
    assert read_by(api, ada) == [["user: quick", "assistant: fine"], ["user: slow", "assistant: slow answer"]]
    assert own.stop() == 0
    model.stop()


def test_what_was_read_last_may_be_deleted_and_nothing_is_read_again(api):
    ada = make(api)
    every(api, ada, 1)
    [run_id] = say(api, ada, "@say one")["usage"]["run_ids"]
    ended(api, run_id)
    last = api.get(f"/v1/agents/{ada['id']}/messages?limit=1")[0]["id"]
    wait(lambda: group_of(api, ada)["last_processed_message_id"] == last)
    api.delete(f"/v1/agents/{ada['id']}/messages/{last}")
    [run_id] = say(api, ada, "@say two")["usage"]["run_ids"]
    ended(api, run_id)
    assert read_by(api, ada) == [["user: @say one", "assistant: one"], ["user: @say two", "assistant: two"]]


def test_a_partner_that_is_slow_delays_nobody(api, own_server):
    """Turns go on while it works; what it is reading is not handed out twice."""
    ada = make(api)
    every(api, ada, 1)
    partner = partner_of(api, ada)
    api.patch(f"/v1/agents/{partner['id']}", {"model": "openai/mock-held"})
    first = say(api, ada, "@say one")["usage"]["run_ids"]
    second = say(api, ada, "@say two")["usage"]["run_ids"]
    assert first and second and {api.get(f"/v1/runs/{i}")["completed_at"] for i in first + second} == {None}
    api.post(f"/v1/agents/{partner['id']}/messages/cancel")
    assert {ended(api, i)["status"] for i in first + second} == {"cancelled"}
    api.patch(f"/v1/agents/{partner['id']}", {"model": "openai/mock-small"})
    [third] = say(api, ada, "@say three")["usage"]["run_ids"]
    ended(api, third)
    numbers = [n for n in ("one", "two", "three") for _ in (0, 1)]
    assert [line.split()[-1] for line in read_by(api, ada)[-1]] == numbers


def test_readings_side_by_side_cover_everything_once(own_server):
    """A reading that fails is not skipped by a later one that does not."""
    mock = ScriptedModel()
    own = own_server({"OPENAI_BASE_URL": mock.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}).start()
    api = own.http(1)
    ada = make(api)
    every(api, ada, 1)
    partner, held, fate = partner_of(api, ada)["id"], [], {}

    def answer(connection, request):
        if f"AGENT_ID: {partner}" not in request["messages"][0]["content"]:
            return connection.sendall(whole({"content": "yes"}))
        text = request["messages"][-1]["content"]
        held.append(text)
        number = len(held)
        wait(lambda: number in fate)
        connection.sendall(whole({"content": "read"}) if fate[number] else http(400, {"error": {"message": "no"}}))

    mock.answer_with(*[answer] * 50)
    runs = [say(api, ada, text)["usage"]["run_ids"][0] for text in ("one", "two")]
    wait(lambda: len(held) == 1)
    fate[1] = False
    assert ended(api, runs[0])["status"] == "failed"
    wait(lambda: len(held) == 2)
    fate[2] = True
    assert ended(api, runs[1])["status"] == "completed"
    assert "user: one" in held[0] and "user: two" in held[1] and "user: one" not in held[1]
    fate[3] = True
    wait(lambda: True)
    ended(api, say(api, ada, "three")["usage"]["run_ids"][0])
    assert [n for n in ("one", "two", "three") if f"user: {n}" in held[2]] == ["one", "two", "three"]
    assert own.stop() == 0
    mock.stop()


def test_switched_off_nobody_wakes_and_on_again_the_same_partner_does(api):
    ada = make(api)
    partner = partner_of(api, ada)
    api.patch(f"/v1/agents/{ada['id']}", {"enable_sleeptime": False})
    assert say(api, ada, "@say a")["usage"]["run_ids"] is None
    api.patch(f"/v1/agents/{ada['id']}", {"enable_sleeptime": True})
    assert partner_of(api, ada)["id"] == partner["id"]
    [run_id] = say(api, ada, "@say b")["usage"]["run_ids"]
    ended(api, run_id)
    assert [line.split()[-1] for line in read_by(api, ada)[0]] == ["a", "a", "b", "b"]


def test_an_agent_gets_its_partner_later(api):
    ada = make(api, enable_sleeptime=None)
    assert ada["managed_group"] is None
    changed = api.patch(f"/v1/agents/{ada['id']}", {"enable_sleeptime": True})
    assert changed["managed_group"]["manager_type"] == "sleeptime"
    assert [b["label"] for b in partner_of(api, ada)["blocks"]] == ["human", "memory_persona"]
    again = api.patch(f"/v1/agents/{ada['id']}", {"enable_sleeptime": True})
    assert again["managed_group"]["id"] == changed["managed_group"]["id"]


def test_the_partner_holds_what_is_attached_later(api):
    ada = make(api)
    block = api.post("/v1/blocks", {"label": "plan", "value": "v"})["id"]
    own = api.post("/v1/blocks", {"label": "memory_persona", "value": "v"})["id"]
    for each in (block, own):
        api.patch(f"/v1/agents/{ada['id']}/core-memory/blocks/attach/{each}")
    held = {b["label"]: b["id"] for b in partner_of(api, ada)["blocks"]}
    assert held["plan"] == block and held["memory_persona"] != own


def test_an_agent_takes_its_partner_and_their_group_along(api):
    ada = make(api)
    group, partner = ada["managed_group"]["id"], partner_of(api, ada)["id"]
    api.patch(f"/v1/agents/{partner}", {"model": "openai/mock-held"})
    say(api, ada, "@say so")  # the partner is at work
    api.delete(f"/v1/agents/{ada['id']}")
    for path in (f"/v1/agents/{ada['id']}", f"/v1/agents/{partner}", f"/v1/groups/{group}"):
        refused(api, "GET", path, 404)
    assert api.get(f"/v1/blocks/{ada['blocks'][0]['id']}")["value"] == "Grace"


def test_an_agent_whose_partner_is_gone_is_an_ordinary_one(api):
    ada = make(api)
    api.delete(f"/v1/agents/{partner_of(api, ada)['id']}")
    state = api.get(f"/v1/agents/{ada['id']}")
    assert state["enable_sleeptime"] is None and state["managed_group"] is None
    refused(api, "GET", f"/v1/groups/{ada['managed_group']['id']}", 404)
    assert say(api, ada, "@say alone")["usage"]["run_ids"] is None


def test_a_group_made_by_hand_wakes_its_members(api):
    ada, one, two = (make(api, enable_sleeptime=None, name=n) for n in ("Ada", "One", "Two"))
    config = {"manager_type": "sleeptime", "manager_agent_id": ada["id"], "sleeptime_agent_frequency": 1}
    api.post("/v1/groups", {"agent_ids": [one["id"], two["id"]], "description": "d", "manager_config": config})
    runs = [ended(api, i) for i in say(api, ada, "@say hello")["usage"]["run_ids"]]
    assert {r["agent_id"] for r in runs} == {one["id"], two["id"]} and {r["status"] for r in runs} == {"completed"}
    last = api.get(f"/v1/agents/{ada['id']}/messages?limit=1")[0]["id"]
    wait(lambda: group_of(api, ada)["last_processed_message_id"] == last)


def test_two_that_look_after_each_other_come_to_rest(api):
    ada, bob = make(api, enable_sleeptime=None), make(api, enable_sleeptime=None)
    for manager, member in ((ada, bob), (bob, ada)):
        config = {"manager_type": "sleeptime", "manager_agent_id": manager["id"], "sleeptime_agent_frequency": 1}
        api.post("/v1/groups", {"agent_ids": [member["id"]], "description": "d", "manager_config": config})
    [run_id] = say(api, ada, "@say hello")["usage"]["run_ids"]
    ended(api, run_id)
    assert len(api.get(f"/v1/runs?agent_id={bob['id']}")) == 1 and len(api.get(f"/v1/runs?agent_id={ada['id']}")) == 1


def test_a_voice_group_reads_what_the_buffer_does_not_hold(api):
    ada, one = make(api, enable_sleeptime=None), make(api, enable_sleeptime=None)
    config = {"manager_type": "voice_sleeptime", "manager_agent_id": ada["id"], "max_message_buffer_length": 7, "min_message_buffer_length": 5}
    api.post("/v1/groups", {"agent_ids": [one["id"]], "description": "d", "manager_config": config})
    answers = [say(api, ada, f"@say {i}") for i in range(5)]
    assert [bool(a["usage"]["run_ids"]) for a in answers] == [False, False, False, True, False]
    ended(api, answers[3]["usage"]["run_ids"][0])
    assert [line.split()[-1] for line in read_by(api, ada)[0]] == ["0", "0", "1"]


def test_a_turn_that_waits_for_a_person_is_not_read_yet(api):
    rule = {"type": "requires_approval", "tool_name": "memory_insert"}
    ada = make(api, tools=["memory_insert"], tool_rules=[rule])
    waiting = say(api, ada, '@call memory_insert {"label": "human", "new_string": "x"}')
    assert waiting["stop_reason"]["stop_reason"] == "requires_approval" and waiting["usage"]["run_ids"] is None
    request = waiting["messages"][-1]["id"]
    done = api.post(f"/v1/agents/{ada['id']}/messages", {"messages": [{"type": "approval", "approve": True, "approval_request_id": request}]})
    assert done["usage"]["run_ids"]


def test_a_crash_between_an_answer_and_its_reading_loses_nothing(own_server, model):
    server = own_server({}).start()
    api = server.http(1)
    ada = make(api)
    every(api, ada, 1)
    partner = partner_of(api, ada)
    api.patch(f"/v1/agents/{partner['id']}", {"model": "openai/mock-held"})
    [cut] = say(api, ada, "@say before")["usage"]["run_ids"]
    server.kill()
    server.start()
    api = server.http(1)
    assert api.get(f"/v1/runs/{cut}")["status"] == "failed"
    assert group_of(api, ada)["last_processed_message_id"] is None
    api.patch(f"/v1/agents/{partner['id']}", {"model": "openai/mock-small"})
    [run_id] = say(api, ada, "@say after")["usage"]["run_ids"]
    assert ended(api, run_id)["status"] == "completed"
    assert [line.split()[-1] for line in read_by(api, ada)[-1]] == ["before", "before", "after", "after"]
    assert server.stop() == 0


def test_many_crashes_and_every_line_is_read(own_server):
    """Killed right behind each answer: every line comes to the partner, in order, and none is marked as read before."""
    server = own_server({}).start()
    ada = make(server.http(1))
    every(server.http(1), ada, 1)
    for i in range(6):
        say(server.http(1), ada, f"@say line{i}")
        server.kill()
        server.start()
    api = server.http(1)
    [run_id] = say(api, ada, "@say end")["usage"]["run_ids"]
    ended(api, run_id)
    wait(lambda: group_of(api, ada)["last_processed_message_id"] == api.get(f"/v1/agents/{ada['id']}/messages?limit=1")[0]["id"])
    read = {line for each in read_by(api, ada) for line in each}
    assert {f"assistant: line{i}" for i in range(6)} | {"assistant: end"} <= read
    assert server.stop() == 0
