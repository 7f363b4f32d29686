"""What becomes of a group while it talks, and of what its members know when messages are deleted."""

import json
import threading

import pytest
from answering_model import AnsweringModel, Held, Step, refusal
from scripted_model import wait
from stele import Refused

ASK = "send_message_to_all_agents_in_group"


@pytest.fixture
def model():
    made = AnsweringModel()
    yield made
    assert not made.wrong, made.wrong
    made.stop()


@pytest.fixture
def api(own_server, model):
    server = own_server(model.environment()).start()
    yield server.http(1)
    assert server.stop() == 0


def agent(api, name):
    return api.post("/v1/agents", {"name": name, "include_base_tools": False, "initial_message_sequence": []})["id"]


def make(api, ids, **config):
    return api.post("/v1/groups", {"agent_ids": ids, "description": "d", "manager_config": config or {"manager_type": "round_robin"}})["id"]


def heard(model, agent_id):
    """What the agent's model was sent in its newest request, without the system message."""
    return [message["content"] for message in model.sent_to(agent_id, "")[-1]["messages"][1:]]


def talk_meanwhile(api, group, held, does):
    """A message to the group; `does` comes while the model holds. Gives the answer, or the refusal."""
    answers = []

    def ask():
        try:
            answers.append(api.post(f"/v1/groups/{group}/messages", {"input": "hello"}))
        except Refused as refused:
            answers.append(refused)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert held.asked.wait(60)
        does()
    finally:
        held.release.set()
        asking.join()
    return answers[0]


def talks(api, agent_id):
    return [(run["status"], run["stop_reason"]) for run in api.get(f"/v1/runs?agent_id={agent_id}")]


def test_nobody_is_asked_in_a_group_that_was_deleted(api, model):
    ann, bob, eve = (agent(api, name) for name in ("Ann", "Bob", "Eve"))
    group, held = make(api, [ann, bob, eve]), Held("Bob one")
    model.will(ann, "", Step("Ann one"))
    model.will(bob, "", held)
    answer = talk_meanwhile(api, group, held, lambda: api.delete(f"/v1/groups/{group}"))
    assert [m["content"] for m in answer["messages"]] == ["Ann one", "Bob one"]
    assert answer["stop_reason"]["stop_reason"] == "end_turn"
    assert model.sent_to(eve, "") == [] and talks(api, eve) == []
    assert talks(api, ann) == [("completed", "end_turn")] * 2, "the talk, and Ann's own turn"


def test_a_talk_that_waited_for_a_group_that_was_deleted_fails(api, model):
    ann = agent(api, "Ann")
    group, held, second = make(api, [ann]), Held("Ann one"), []
    model.will(ann, "", held)

    def queue_and_delete():
        stream = threading.Thread(target=lambda: second.append(api.events(f"/v1/groups/{group}/messages/stream", {"input": "and then?"})))
        stream.start()
        wait(lambda: len(api.get(f"/v1/runs?agent_id={ann}&active=true")) == 3)
        api.delete(f"/v1/groups/{group}")
        second.append(stream)

    answer = talk_meanwhile(api, group, held, queue_and_delete)
    assert [m["content"] for m in answer["messages"]] == ["Ann one"]
    second.pop(0).join()
    [events] = second
    assert "error_message" in json.dumps(events) and group in json.dumps(events), events
    assert len(model.sent_to(ann, "")) == 1
    assert sorted(talks(api, ann)) == [("completed", "end_turn")] * 2 + [("failed", "error")]


def test_a_manager_asks_nobody_in_a_group_that_was_deleted(api, model):
    boss, ann = agent(api, "Boss"), agent(api, "Ann")
    group, held = make(api, [ann], manager_type="supervisor", manager_agent_id=boss), Held(None, [("c1", ASK, '{"message": "well?"}')])
    model.will(boss, "", held, Step("nobody there"))
    answer = talk_meanwhile(api, group, held, lambda: api.delete(f"/v1/groups/{group}"))
    [told] = [m["tool_return"] for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert "Not delivered: the group has been deleted" in told
    assert answer["messages"][-1]["content"] == "nobody there" and model.sent_to(ann, "") == []


def test_a_member_whose_answer_is_deleted_hears_nothing_twice(api, model):
    ann, bob = agent(api, "Ann"), agent(api, "Bob")
    group = make(api, [ann, bob])
    model.will(ann, "", Step("Ann one"), Step("Ann two"))
    model.will(bob, "", Step("Bob one"), Step("Bob two"))
    api.post(f"/v1/groups/{group}/messages", {"input": "first"})
    [said] = [m["id"] for m in api.get(f"/v1/agents/{bob}/messages") if m["message_type"] == "assistant_message"]
    api.delete(f"/v1/agents/{bob}/messages/{said}")
    api.post(f"/v1/groups/{group}/messages", {"input": "second"})
    assert heard(model, bob) == ["first", "Ann says in the group: Ann one", "second", "Ann says in the group: Ann two"]


def test_a_turn_that_failed_is_told_it_all_again(api, model):
    ann, bob = agent(api, "Ann"), agent(api, "Bob")
    group = make(api, [ann, bob])
    model.will(ann, "", Step("Ann one"), Step("Ann two"))
    model.will(bob, "", refusal(400), Step("Bob two"))
    for text in ("first", "second"):
        api.post(f"/v1/groups/{group}/messages", {"input": text})
    assert heard(model, bob) == ["first", "Ann says in the group: Ann one", "second", "Ann says in the group: Ann two"]
