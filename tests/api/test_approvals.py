"""Calls that wait for a person or for the client: asking, deciding, and every way out when the two don't fit."""

import json
import sqlite3
import uuid

import pytest
import stele
from approvals import ASK, PARALLEL, PLACE, RULE, Talk, calls_of, decide, kinds, result, verdict

TWO = '@call memory_insert {"label": "human", "new_string": "one"}\n@call memory_insert {"label": "human", "new_string": "two"}'
MIXED = '@call conversation_search {"query": "tea"}\n@call memory_insert {"label": "human", "new_string": "one"}\n@call get_place {}'


@pytest.fixture
def talk(http):
    return Talk(http)


@pytest.fixture(autouse=True)
def leave_nothing():
    yield
    Talk.leave_nothing()


def refused(status, call, *arguments):
    with pytest.raises(stele.Refused) as failure:
        call(*arguments)
    assert failure.value.status == status, failure.value
    return failure.value


# ---- asking ----

def test_a_call_that_needs_approval_is_not_made(talk, model):
    answer = talk.say(ASK)
    assert kinds(answer["messages"]) == ["approval_request_message"]
    asked = answer["messages"][0]
    assert asked["tool_call"] == asked["tool_calls"][0] and asked["tool_call"]["name"] == "memory_insert"
    assert json.loads(asked["tool_call"]["arguments"]) == {"label": "human", "new_string": "Likes tea."}
    assert asked["otid"] == asked["id"] and asked["run_id"] and asked["step_id"]
    assert answer["stop_reason"]["stop_reason"] == "requires_approval" and answer["usage"]["step_count"] == 1
    assert talk.human() == ""
    run = talk.http.get(f"/v1/runs?agent_id={talk.agent['id']}")[0]
    assert (run["status"], run["stop_reason"]) == ("completed", "requires_approval")
    state = talk.state("?include=agent.pending_approval")
    assert state["last_stop_reason"] == "requires_approval" and state["pending_approval"] == asked
    assert state["message_ids"][-1] == asked["id"]
    assert talk.state()["pending_approval"] is None, "shown only to who asks for it"
    assert talk.history()[-1] == asked
    overview = talk.http.get(talk.path + "/context")
    assert overview["messages"][-1]["role"] == "approval" and overview["messages"][-1]["tool_calls"][0]["id"] == asked["tool_call"]["tool_call_id"]


def test_reasoning_and_text_come_before_the_request(talk):
    answer = talk.say("@reason I need leave\n@say One moment\n" + ASK)
    assert kinds(answer["messages"]) == ["reasoning_message", "assistant_message", "approval_request_message"]
    assert kinds(talk.history())[-3:] == kinds(answer["messages"])
    talk.send(decide(verdict(calls_of(answer)[0]["tool_call_id"])))
    talk.is_well()


@pytest.mark.parametrize("tokens", [False, True])
def test_a_stream_ends_with_the_request(talk, tokens):
    events = talk.http.events(talk.path + "/messages/stream", {"input": "@reason hm\n" + ASK, "stream_tokens": tokens})
    assert [e["message_type"] for e in events[-3:-1]] == ["stop_reason", "usage_statistics"] and events[-1] == "[DONE]"
    assert events[-4]["message_type"] == "approval_request_message" and events[-3]["stop_reason"] == "requires_approval"
    pieces = [e for e in events[:-1] if e["message_type"] == "approval_request_message"]
    stored = talk.pending()
    assert {(p["id"], p["otid"], p["step_id"]) for p in pieces} == {(stored["id"], stored["id"], stored["step_id"])}
    assert pieces[0]["tool_call"]["name"] == "memory_insert"
    assert "".join(p["tool_call"].get("arguments") or "" for p in pieces) == stored["tool_call"]["arguments"]
    assert (len(pieces) > 2 and all(p["tool_call"] == p["tool_calls"] for p in pieces)) if tokens else pieces == [stored]
    thought = next(e for e in events if isinstance(e, dict) and e["message_type"] == "reasoning_message")
    assert thought["id"] in [m["id"] for m in talk.history() if m["message_type"] == "reasoning_message"]
    answered = talk.http.events(talk.path + "/messages/stream", {**decide(verdict(stored["tool_call"]["tool_call_id"])), "stream_tokens": tokens})
    shown = [e["message_type"] for e in answered[:-1] if e["message_type"] != "ping"]
    assert shown[0] == "tool_return_message" and shown[-2:] == ["stop_reason", "usage_statistics"] and "assistant_message" in shown
    assert talk.human() == "Likes tea."


# ---- deciding ----

def test_approved(talk, model):
    call = talk.ask()[0]["tool_call_id"]
    model.forget()
    answer = talk.send(decide(verdict(call), otid="mine"))
    assert kinds(answer["messages"]) == ["tool_return_message", "assistant_message"]
    returned = answer["messages"][0]
    assert (returned["status"], returned["tool_call_id"], returned["name"]) == ("success", call, "memory_insert")
    assert answer["stop_reason"]["stop_reason"] == "end_turn" and answer["usage"]["step_count"] == 1
    assert talk.human() == "Likes tea." and talk.pending() is None and talk.state()["last_stop_reason"] == "end_turn"
    roles = [turn["role"] for turn in model.requests()[0]["messages"]]
    assert len(model.requests()) == 1 and roles == ["system", "user", "assistant", "tool"]
    asked, decided, listed = talk.history()[-4:-1]
    assert decided["message_type"] == "approval_response_message" and listed == returned
    assert decided["approvals"] == [{"type": "approval", "tool_call_id": call, "approve": True, "reason": None}]
    assert (decided["approve"], decided["approval_request_id"], decided["reason"], decided["otid"]) == (True, call, None, "mine")
    assert decided["step_id"] is None and decided["run_id"] == returned["run_id"] != asked["run_id"]
    assert returned["step_id"] == asked["step_id"], "the return belongs to the step that asked"
    talk.is_well()


def test_denied_with_a_reason(talk, model):
    call = talk.ask()[0]["tool_call_id"]
    model.forget()
    answer = talk.send(decide(verdict(call, False, "not now")))
    returned = answer["messages"][0]["tool_returns"][0]
    assert returned["status"] == "error" and "denied" in returned["tool_return"] and "not now" in returned["tool_return"]
    assert answer["messages"][0]["name"] is None
    assert answer["messages"][-1]["message_type"] == "assistant_message" and talk.human() == ""
    assert "not now" in model.requests()[0]["messages"][-1]["content"], "the model hears why"
    decided = [m for m in talk.history() if m["message_type"] == "approval_response_message"][0]
    assert (decided["approve"], decided["reason"]) == (False, "not now")
    talk.is_well()


def test_the_older_form_names_the_request_or_its_call(talk):
    for name in ("message", "call"):
        call = talk.ask()[0]["tool_call_id"]
        known_by = talk.pending()["id"] if name == "message" else call
        typed = {"type": "approval"} if name == "message" else {}
        answer = talk.send({"messages": [{**typed, "approve": name == "call", "approval_request_id": known_by, "reason": "so"}]})
        assert answer["messages"][0]["tool_returns"][0]["status"] == ("success" if name == "call" else "error")
    assert talk.human() == "Likes tea."
    talk.is_well()


def test_several_at_once_in_any_order(http):
    talk = Talk(http, model_settings=PARALLEL)
    first, second = [call["tool_call_id"] for call in talk.ask(TWO)]
    answer = talk.send(decide(verdict(second, False, "enough"), verdict(first)))
    returns = answer["messages"][0]["tool_returns"]
    assert [(r["tool_call_id"], r["status"]) for r in returns] == [(second, "error"), (first, "success")]
    assert talk.human() == "one"
    talk.is_well()


@pytest.mark.parametrize("tokens", [None, False, True])
def test_calls_of_every_kind_in_one_answer(http, model, tokens):
    talk = Talk(http, model_settings=PARALLEL)
    text = MIXED + '\n@call memory_insert {"label": "human", "new_string": "two"}'
    body = {"input": text, "client_tools": [PLACE]}
    if tokens is None:
        messages = talk.send(body)["messages"]
    else:
        messages = [e for e in talk.http.events(talk.path + "/messages/stream", {**body, "stream_tokens": tokens}) if isinstance(e, dict)]
    parked = next(m for m in talk.history() if m["message_type"] == "tool_call_message")
    pending = talk.pending()
    assert [c["name"] for c in parked["tool_calls"]] == ["conversation_search"]
    assert [c["name"] for c in pending["tool_calls"]] == ["memory_insert", "get_place", "memory_insert"]
    assert {m["id"] for m in messages if m["message_type"] == "approval_request_message"} == {pending["id"]}
    assert {m["id"] for m in messages if m["message_type"] == "tool_call_message"} == {parked["id"]} != {pending["id"]}
    assert "tool_return_message" not in kinds(talk.history()), "none is made before all are decided"
    one, place, two = [call["tool_call_id"] for call in pending["tool_calls"]]
    model.forget()
    answer = talk.send({**decide(verdict(one), verdict(two, False), result(place, "Paris")), "client_tools": [PLACE]})
    returns = answer["messages"][0]["tool_returns"]
    assert [(r["tool_call_id"], r["status"]) for r in returns] == [
        (place, "success"), (two, "error"), (parked["tool_calls"][0]["tool_call_id"], "success"), (one, "success")]
    assert answer["stop_reason"]["stop_reason"] == "end_turn" and talk.human() == "one"
    turns = model.requests()[0]["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "tool", "tool", "tool", "tool"]
    assert len(turns[2]["tool_calls"]) == 4, "the model sees its one answer again"
    talk.is_well()


def test_messages_behind_the_decision_come_after_the_returns(talk, model):
    call = talk.ask()[0]["tool_call_id"]
    model.forget()
    body = decide(verdict(call))
    body["messages"].append({"role": "user", "content": "@say And you?", "otid": str(uuid.uuid4())})
    answer = talk.send(body)
    assert kinds(answer["messages"]) == ["tool_return_message", "assistant_message"] and answer["messages"][-1]["content"] == "And you?"
    assert [turn["role"] for turn in model.requests()[0]["messages"]][-3:] == ["assistant", "tool", "user"]
    assert kinds(talk.history())[-5:] == ["approval_request_message", "approval_response_message", "tool_return_message", "user_message", "assistant_message"]


def test_messages_behind_the_last_step_s_decision_are_kept(talk, model):
    call = talk.ask()[0]["tool_call_id"]
    body = {**decide(verdict(call)), "max_steps": 1}
    body["messages"].append({"role": "user", "content": "later"})
    model.forget()
    answer = talk.send(body)
    assert answer["stop_reason"]["stop_reason"] == "max_steps" and model.requests() == []
    assert kinds(talk.history())[-3:] == ["approval_response_message", "tool_return_message", "user_message"]
    assert answer["usage"]["step_count"] == 0 and talk.human() == "Likes tea."
    talk.is_well()


def test_a_terminal_tool_that_was_approved_ends_the_turn(http, model):
    talk = Talk(http, tool_rules=[RULE, {"type": "exit_loop", "tool_name": "memory_insert"}])
    model.forget()
    answer = talk.send(decide(verdict(talk.ask()[0]["tool_call_id"])))
    assert answer["stop_reason"]["stop_reason"] == "tool_rule" and len(model.requests()) == 1
    model.forget()
    answer = talk.send(decide(verdict(talk.ask()[0]["tool_call_id"], False)))
    assert answer["stop_reason"]["stop_reason"] == "end_turn", "denied, so it was not made"
    body = decide(verdict(talk.ask()[0]["tool_call_id"]))
    body["messages"].append({"role": "user", "content": "@say And now?"})
    assert talk.send(body)["messages"][-1]["content"] == "And now?", "who says more is answered"


def test_a_child_of_the_approved_call_may_follow(http, model):
    talk = Talk(http, tool_rules=[RULE, {"type": "constrain_child_tools", "tool_name": "memory_insert", "children": ["memory_replace"]}])
    call = talk.ask()[0]["tool_call_id"]
    model.forget()
    talk.send(decide(verdict(call)))
    assert [t["function"]["name"] for t in model.requests()[0]["tools"]] == ["memory_replace"]


def test_a_tool_that_fails_though_approved(talk):
    call = talk.ask('@call memory_insert {"label": "nowhere", "new_string": "x"}')[0]["tool_call_id"]
    answer = talk.send(decide(verdict(call)))
    assert answer["messages"][0]["status"] == "error" and answer["stop_reason"]["stop_reason"] == "end_turn"
    talk.is_well()


def test_arguments_that_are_no_json_trouble_nobody(talk):
    answer = talk.say("@badargs memory_insert")
    assert "approval_request_message" not in kinds(answer["messages"]) and answer["messages"][1]["status"] == "error"
    talk.is_well()


def test_a_second_request_in_the_same_run(talk):
    call = talk.ask()[0]["tool_call_id"]
    body = decide(verdict(call))
    body["messages"].append({"role": "user", "content": '@call memory_insert {"label": "human", "new_string": "More."}'})
    answer = talk.send(body)
    assert answer["stop_reason"]["stop_reason"] == "requires_approval"
    talk.send(decide(verdict(calls_of(answer)[0]["tool_call_id"])))
    assert talk.human() == "Likes tea.\nMore."
    talk.is_well()


# ---- tools of the client ----

def test_a_tool_of_the_client_is_offered_and_waits(talk, model):
    model.forget()
    call = talk.ask("@call get_place {}", client_tools=[PLACE])[0]["tool_call_id"]
    offered = {t["function"]["name"]: t["function"] for t in model.requests()[0]["tools"]}
    assert offered["get_place"]["parameters"] == PLACE["parameters"] and offered["get_place"]["description"] == PLACE["description"]
    answer = talk.send({**decide(result(call, "Paris", stdout=["looked"], stderr=[])), "client_tools": [PLACE]})
    returned = answer["messages"][0]
    assert (returned["tool_return"], returned["status"], returned["stdout"], returned["stderr"]) == ("Paris", "success", ["looked"], [])
    decided = [m for m in talk.history() if m["message_type"] == "approval_response_message"][0]
    assert decided["approvals"] == [{"type": "tool", "tool_return": "Paris", "status": "success", "tool_call_id": call, "stdout": ["looked"], "stderr": []}]
    assert (decided["approve"], decided["approval_request_id"]) == (None, call)
    talk.is_well()


def test_the_same_as_tool_return(talk):
    call = talk.ask("@call get_place {}", client_tools=[PLACE])[0]["tool_call_id"]
    answer = talk.send({"messages": [{"type": "tool_return", "tool_returns": [result(call, "nowhere", "error")]}]})
    assert answer["messages"][0]["status"] == "error" and answer["stop_reason"]["stop_reason"] == "end_turn"
    talk.is_well()


def test_a_return_in_parts(talk, model):
    call = talk.ask("@call get_place {}", client_tools=[PLACE])[0]["tool_call_id"]
    parts = [{"type": "text", "text": "A map:"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]
    model.forget()
    returned = talk.send(decide(result(call, parts)))["messages"][0]
    assert returned["tool_returns"][0]["tool_return"] == parts and returned["tool_return"] == "A map:\n[image]"
    sent = model.requests()[0]["messages"]
    assert sent[-2]["role"] == "tool" and "A map:" in sent[-2]["content"]
    assert sent[-1]["role"] == "user" and sent[-1]["content"][-1]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="
    assert [m for m in talk.history() if m["message_type"] == "tool_return_message"][0]["tool_returns"][0]["tool_return"] == parts
    talk.is_well()


def test_a_tool_of_the_client_stands_in_for_the_server_s_only_while_it_is_sent(http, model):
    talk = Talk(http, tool_rules=[])
    mine = {"name": "memory_insert", "description": "Mine", "parameters": {"type": "object", "properties": {}}}
    model.forget()
    call = talk.ask(client_tools=[mine])[0]["tool_call_id"]
    offered = [t["function"] for t in model.requests()[0]["tools"] if t["function"]["name"] == "memory_insert"]
    assert [t["description"] for t in offered] == ["Mine"]
    talk.send(decide(result(call, "kept by me")))
    assert talk.human() == ""
    answer = talk.say(ASK)
    assert kinds(answer["messages"]) == ["tool_call_message", "tool_return_message", "assistant_message"] and talk.human() == "Likes tea."


def test_a_client_s_tool_that_is_only_approved_has_no_result(talk):
    call = talk.ask("@call get_place {}", client_tools=[PLACE])[0]["tool_call_id"]
    answer = talk.send(decide(verdict(call)))
    assert answer["messages"][0]["status"] == "error" and answer["stop_reason"]["stop_reason"] == "end_turn"
    talk.is_well()


@pytest.mark.parametrize("tools, field", [
    ("get_place", "client_tools"), ([{}], "client_tools.0.name"), ([{"name": ""}], "client_tools.0.name"),
    ([{"name": "no spaces"}], "client_tools.0.name"), ([{"name": "x" * 65}], "client_tools.0.name"), ([{"name": 7}], "client_tools.0.name"),
    ([PLACE, PLACE], "client_tools.1.name"), ([{"name": "x", "parameters": []}], "client_tools.0.parameters")])
def test_client_tools_that_make_no_sense(talk, tools, field):
    failure = refused(422, talk.send, {"input": "hi", "client_tools": tools})
    assert f"body.{field}" in failure.body["detail"]


# ---- what does not fit ----

@pytest.mark.parametrize("named", [[], ["stranger"], ["first"], ["first", "second", "stranger"]])
def test_ids_that_are_not_exactly_those_that_wait(http, named):
    talk = Talk(http, model_settings=PARALLEL)
    ids = dict(zip(("first", "second"), [call["tool_call_id"] for call in talk.ask(TWO)]))
    failure = refused(400, talk.send, decide(*[verdict(ids.get(name, name)) for name in named]))
    assert "Invalid tool call IDs" in failure.body["detail"] and ids["second"] in failure.body["detail"]
    assert talk.pending(), "nothing was decided"
    refused(400, talk.send, {"messages": [{"type": "approval", "approve": True, "approval_request_id": talk.pending()["id"]}]})
    talk.send(decide(*[verdict(call) for call in ids.values()]))
    talk.is_well()


def test_the_same_decision_many_times_is_one(talk):
    call = talk.ask()[0]["tool_call_id"]
    contrary = refused(400, talk.send, decide(verdict(call), verdict(call, False)))
    assert call in contrary.body["detail"]
    answer = talk.send(decide(*[verdict(call, False, "no")] * 34))
    assert len(answer["messages"][0]["tool_returns"]) == 1
    talk.is_well()


def test_nothing_waits(talk):
    for body in (decide(verdict("call_x")), decide(), {"messages": [{"type": "tool_return", "tool_returns": [result("call_x")]}]},
                 {"messages": [{"type": "approval", "approve": True, "approval_request_id": "message-1"}]}):
        failure = refused(400, talk.send, body)
        assert "No tool call is currently awaiting approval" in failure.body["detail"]
    talk.is_well()


@pytest.mark.parametrize("item, field", [
    ({"type": "approval"}, "approvals"), ({"type": "approval", "approve": True}, "approval_request_id"),
    ({"type": "approval", "approvals": "all"}, "approvals"), ({"type": "approval", "approvals": ["call_1"]}, "approvals.0"),
    ({"type": "approval", "approvals": [{"type": "maybe", "tool_call_id": "x"}]}, "approvals.0.type"),
    ({"type": "approval", "approvals": [{"tool_call_id": "x"}]}, "approvals.0.approve"),
    ({"type": "approval", "approvals": [{"approve": True}]}, "approvals.0.tool_call_id"),
    ({"type": "approval", "approvals": [{"tool_call_id": "x", "approve": "perhaps"}]}, "approvals.0.approve"),
    ({"type": "approval", "approvals": [{"type": "tool", "tool_call_id": "x", "status": "success"}]}, "approvals.0.tool_return"),
    ({"type": "approval", "approvals": [{"type": "tool", "tool_call_id": "x", "tool_return": "y"}]}, "approvals.0.status"),
    ({"type": "approval", "approvals": [result("x", status="fine")]}, "approvals.0.status"),
    ({"type": "approval", "approvals": [result("x", {"a": 1})]}, "approvals.0.tool_return"),
    ({"type": "approval", "approvals": [result("x", [{"type": "reasoning", "reasoning": "y"}])]}, "approvals.0.tool_return.0.type"),
    ({"type": "approval", "approvals": [result("x", [{"type": "image"}])]}, "approvals.0.tool_return.0.source"),
    ({"type": "approval", "approvals": [result("x", stdout="text")]}, "approvals.0.stdout"),
    ({"type": "tool_return"}, "tool_returns"), ({"type": "tool_return", "tool_returns": [verdict("x")]}, "tool_returns.0.type")])
def test_an_answer_that_makes_no_sense_is_refused_by_field(talk, item, field):
    talk.ask()
    failure = refused(422, talk.send, {"messages": [item]})
    assert f"body.messages.0.{field}" in failure.body["detail"] and talk.pending()


def test_an_approval_is_the_first_of_the_messages(talk):
    call = talk.ask()[0]["tool_call_id"]
    behind = {"messages": [{"role": "user", "content": "hi"}, decide(verdict(call))["messages"][0]]}
    assert "body.messages.1" in refused(422, talk.send, behind).body["detail"] and talk.pending()


@pytest.mark.parametrize("stream", [False, True])
def test_another_message_while_a_call_waits(talk, stream):
    talk.ask()
    before = talk.state()["message_ids"]
    path = talk.path + "/messages" + ("/stream" if stream else "")
    failure = refused(409, talk.http.post, path, {"input": "are you there?"})
    assert failure.body["detail"]["code"] == "PENDING_APPROVAL"
    assert failure.body["detail"]["pending_request_id"] == talk.pending()["id"]
    assert "Please approve or deny the pending request before continuing" in failure.body["detail"]["message"]
    assert failure.headers["x-should-retry"] == "false"
    assert talk.state()["message_ids"] == before


# ---- once more ----

def test_the_same_approval_again_goes_on(talk, model):
    call = talk.ask()[0]["tool_call_id"]
    talk.send(decide(verdict(call)))
    model.forget()
    answer = talk.send(decide(verdict(call)))
    assert kinds(answer["messages"]) == ["assistant_message"] and answer["stop_reason"]["stop_reason"] == "end_turn"
    said = [m["content"] for m in talk.history() if m["message_type"] == "user_message"]
    assert "keep-alive" in said[-1] and len(model.requests()) == 1
    body = decide(verdict(call))
    body["messages"].append({"role": "user", "content": "@say more"})
    assert talk.send(body)["messages"][-1]["content"] == "more"
    assert sum("keep-alive" in m["content"] for m in talk.history() if m["message_type"] == "user_message") == 1
    assert talk.human() == "Likes tea.", "made once"


def test_the_older_form_again(talk):
    talk.ask()
    body = {"messages": [{"type": "approval", "approve": True, "approval_request_id": talk.pending()["id"]}]}
    talk.send(body)
    assert talk.send(body)["stop_reason"]["stop_reason"] == "end_turn" and talk.human() == "Likes tea."


@pytest.mark.parametrize("older_form", [False, True])
def test_again_after_everything_was_compacted(talk, older_form):
    call = talk.ask()[0]["tool_call_id"]
    named = {"messages": [{"type": "approval", "approve": True, "approval_request_id": talk.pending()["id"]}]}
    decision = named if older_form else decide(verdict(call))
    talk.send(decision)
    compacted = talk.http.post(talk.path + "/summarize", {"compaction_settings": {"mode": "all"}})
    assert compacted["num_messages_after"] == 2
    assert talk.send(decision)["stop_reason"]["stop_reason"] == "end_turn" and talk.human() == "Likes tea."


def test_again_with_its_key_is_told_what_happened(talk, model):
    call = talk.ask()[0]["tool_call_id"]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = talk.send(decide(verdict(call)), headers=key)
    model.forget()
    again = talk.send(decide(verdict(call)), headers=key)
    assert again["messages"] == first["messages"] and model.requests() == []


def test_again_with_its_otid_is_told_what_happened(talk, model):
    call, otid = talk.ask()[0]["tool_call_id"], str(uuid.uuid4())
    first = talk.send(decide(verdict(call), otid=otid))
    model.forget()
    assert talk.send(decide(verdict(call), otid=otid))["messages"] == first["messages"] and model.requests() == []


def test_a_request_for_approval_with_its_key_again(talk):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = talk.send({"input": ASK}, headers=key)
    assert talk.send({"input": ASK}, headers=key)["messages"] == first["messages"]


def test_the_model_fails_behind_the_decision(talk):
    call = talk.ask(ASK + "\n@fail_after_tool 500")[0]["tool_call_id"]
    failure = refused(500, talk.send, decide(verdict(call)))
    assert failure.body["error"]["type"] == "llm_error"
    assert talk.human() == "Likes tea." and talk.pending() is None
    assert kinds(talk.history())[-1] == "tool_return_message" and talk.http.get(talk.path + "/context")["messages"]
    body = decide(verdict(call))
    body["messages"].append({"role": "user", "content": "@say better"})
    assert talk.send(body)["messages"][-1]["content"] == "better"
    assert talk.human() == "Likes tea."
    talk.is_well()


# ---- no state is a dead end ----

def test_everything_that_may_be_edited_while_a_call_waits(http, model):
    for edit in ("reset", "drop the request", "drop the question", "detach", "no rule", "compact", "prompt"):
        talk = Talk(http, model_settings=PARALLEL)
        talk.say("@say Hello")
        waiting = talk.ask(MIXED, client_tools=[PLACE])
        ids = talk.state()["message_ids"]
        decision = decide(*[result(call["tool_call_id"]) if call["name"] == "get_place" else verdict(call["tool_call_id"]) for call in waiting])
        gone = False
        if edit == "reset":
            http.patch(talk.path + "/reset-messages", {})
            gone = True
        elif edit == "drop the request":
            http.patch(talk.path, {"message_ids": ids[:-1]})
            gone = True
        elif edit == "drop the question":
            http.patch(talk.path, {"message_ids": [ids[0], ids[-1]]})
        elif edit == "detach":
            for tool in talk.agent["tools"] or http.get(talk.path + "/tools"):
                http.patch(f"{talk.path}/tools/detach/{tool['id']}")
        elif edit == "no rule":
            http.patch(talk.path, {"tool_rules": []})
        elif edit == "compact":
            talk.http.post(talk.path + "/summarize", {"compaction_settings": {"mode": "all"}})
            assert talk.pending() and talk.http.get(talk.path + "/context")["messages"][1]["role"] == "summary"
        elif edit == "prompt":
            http.patch(talk.path, {"system": "You are terse."})
        if gone:
            assert talk.pending() is None
            assert "No tool call" in refused(400, talk.send, decision).body["detail"]
        else:
            refused(409, talk.say, "hello?")
            answer = talk.send(decision)
            assert answer["stop_reason"]["stop_reason"] == "end_turn", edit
            statuses = {r["status"] for r in answer["messages"][0]["tool_returns"]}
            assert ("error" in statuses) == (edit == "detach"), edit
        talk.is_well()


def test_calls_without_return_are_closed_and_the_history_stays(http):
    talk = Talk(http, tool_rules=[])
    talk.say(ASK)
    talk.say("@say later")
    before = talk.history()
    ids = talk.state()["message_ids"]
    returned = next(m["id"] for m in before if m["message_type"] == "tool_return_message")
    http.patch(talk.path, {"message_ids": [each for each in ids if each != returned]})
    talk.is_well()
    after = talk.history()
    assert [m["id"] for m in after][:len(before)] == [m["id"] for m in before], "nothing is taken from the history"
    closed = [m for m in after if m["message_type"] == "tool_return_message" and m["id"] != returned]
    assert len(closed) == 1 and closed[0]["status"] == "error" and closed[0]["tool_return"].startswith("[NoResult]")
    assert "was answered" in closed[0]["tool_return"], "its return is in the history: nobody has to make the call again to be sure"
    roles = [m["role"] for m in http.get(talk.path + "/context")["messages"]]
    assert roles[:6] == ["system", "user", "assistant", "tool", "assistant", "user"], "the return stands behind its call"
    talk.is_well()
    assert len([m for m in talk.history() if m["message_type"] == "tool_return_message"]) == 2, "closed once"


def test_a_refused_message_repairs_nothing(talk):
    """What is refused leaves the window as it was, also one with a call that has lost its return."""
    call = talk.ask()[0]["tool_call_id"]
    talk.send(decide(verdict(call)))
    returned = next(m["id"] for m in talk.history() if m["message_type"] == "tool_return_message")
    again = talk.ask()[0]["tool_call_id"]
    talk.http.patch(talk.path, {"message_ids": [each for each in talk.state()["message_ids"] if each != returned]})
    before = talk.state()["message_ids"]
    refused(409, talk.say, "hello?")
    refused(400, talk.send, decide(verdict("call-nobody-made")))
    assert talk.state()["message_ids"] == before
    talk.send(decide(verdict(again)))
    talk.is_well()


def test_a_request_that_lost_its_place_is_closed(http):
    talk = Talk(http, model_settings=PARALLEL)
    talk.say("@say early")
    talk.ask(MIXED, client_tools=[PLACE])
    ids = talk.state()["message_ids"]
    http.patch(talk.path, {"message_ids": [ids[0], *ids[3:], ids[1]]})  # something stands behind the request now
    assert talk.pending() is None
    talk.is_well()


def test_a_request_that_is_put_back_waits_again(talk):
    call = talk.ask()[0]["tool_call_id"]
    ids = talk.state()["message_ids"]
    talk.send(decide(verdict(call, False)))
    talk.http.patch(talk.path, {"message_ids": ids})
    refused(409, talk.say, "hello?")
    talk.send(decide(verdict(call)))
    assert talk.human() == "Likes tea."
    talk.is_well()


def test_an_agent_that_forgets_still_knows_what_it_asked_for(http):
    talk = Talk(http, message_buffer_autoclear=True)
    talk.say("@say before")
    call = talk.ask()[0]["tool_call_id"]
    refused(409, talk.say, "hello?")
    assert talk.send(decide(verdict(call)))["messages"][0]["status"] == "success" and talk.human() == "Likes tea."
    talk.is_well()


# ---- agents that speak by tool ----

@pytest.mark.parametrize("agent_type", ["memgpt_agent", "memgpt_v2_agent", "react_agent"])
@pytest.mark.parametrize("stream", [False, True])
def test_agents_that_speak_by_tool_wait_as_well(http, agent_type, stream):
    talk = Talk(http, agent_type=agent_type, tools=["send_message", "memory_insert"], tool_rules=[RULE, {"type": "exit_loop", "tool_name": "send_message"}])
    if stream:
        events = http.events(talk.path + "/messages/stream", {"input": ASK, "stream_tokens": True})
        pieces = [e for e in events[:-1] if e["message_type"] == "approval_request_message"]
        assert "".join(p["tool_call"].get("arguments") or "" for p in pieces) == talk.pending()["tool_call"]["arguments"]
        assert {p["id"] for p in pieces} == {talk.pending()["id"]}
    else:
        assert kinds(talk.say(ASK)["messages"]) == ["reasoning_message", "approval_request_message"]
    asked = talk.pending()["tool_call"]
    assert json.loads(asked["arguments"]) == {"label": "human", "new_string": "Likes tea."}, "without what the loop added"
    refused(409, talk.say, "hello?")
    answer = talk.send(decide(verdict(asked["tool_call_id"])))
    assert kinds(answer["messages"])[0] == "tool_return_message" and kinds(answer["messages"])[-1] == "assistant_message"
    assert talk.human() == "Likes tea."
    talk.say(ASK)
    answer = talk.send(decide(verdict(talk.pending()["tool_call"]["tool_call_id"], False)))
    assert answer["messages"][0]["status"] == "error" and answer["messages"][-1]["message_type"] == "assistant_message"
    talk.is_well()


def test_what_is_said_may_need_approval_too(http):
    talk = Talk(http, agent_type="memgpt_v2_agent", tool_rules=[{"type": "requires_approval", "tool_name": "send_message"}, {"type": "exit_loop", "tool_name": "send_message"}])
    events = http.events(talk.path + "/messages/stream", {"input": "@say a secret", "stream_tokens": True})
    assert "assistant_message" not in [e["message_type"] for e in events[:-1]], "nothing is said before it is approved"
    answer = talk.send(decide(verdict(talk.pending()["tool_call"]["tool_call_id"])))
    assert kinds(answer["messages"]) == ["tool_return_message"] and answer["stop_reason"]["stop_reason"] in ("end_turn", "tool_rule")


def test_agents_that_speak_by_tool_know_no_tools_of_the_client(http, model):
    talk = Talk(http, agent_type="memgpt_v2_agent", tool_rules=[])
    model.forget()
    talk.say("@say hi", client_tools=[PLACE])
    assert "get_place" not in [t["function"]["name"] for t in model.requests()[0]["tools"]]


# ---- the switch ----

def test_the_switch_of_a_tool(http, agent):
    path = f"/v1/agents/{agent['id']}/tools/approval/"
    assert http.patch(path + "memory_insert", {"requires_approval": True}) is None or http.headers["User-Agent"].endswith("324")
    rule = {"tool_name": "memory_insert", "type": "requires_approval", "prompt_template": None}
    state = http.get(f"/v1/agents/{agent['id']}")
    assert state["tool_rules"] == [rule]
    http.patch(path + "memory_insert?requires_approval=true")
    assert http.get(f"/v1/agents/{agent['id']}")["tool_rules"] == [rule], "switched on once"
    http.patch(path + "memory_insert?requires_approval=true", {"requires_approval": False})
    assert http.get(f"/v1/agents/{agent['id']}")["tool_rules"] == [], "the body wins"
    http.patch(path + "memory_insert", {"body_requires_approval": True})
    assert http.get(f"/v1/agents/{agent['id']}")["tool_rules"] == [rule], "a client's own spelling"
    http.patch(path + "memory_insert", {"requires_approval": False})
    http.patch(path + "conversation_search?requires_approval=true")
    http.patch(path + "conversation_search?requires_approval=false")
    assert http.get(f"/v1/agents/{agent['id']}")["tool_rules"] == []
    for body in (None, {}, {"requires_approval": None}, {"requires_approval": "maybe"}):
        assert "requires_approval" in refused(422, http.patch, path + "memory_insert", body).body["detail"]
    refused(404, http.patch, path + "no_such_tool?requires_approval=true")
    refused(404, http.patch, f"/v1/agents/agent-{uuid.uuid4()}/tools/approval/memory_insert?requires_approval=true")


def test_a_tool_that_asks_by_itself_brings_its_rule_along(own_server):
    """Tools that users make come later; until then the store is told that a built-in asks."""
    server = own_server().start()
    with sqlite3.connect(next((server.folder / "data").glob("*.db"))) as store:
        store.execute("UPDATE tool SET definition = json_set(definition, '$.default_requires_approval', json('true')) WHERE name = 'memory_insert'")
    store.close()
    http = server.http(1)
    tools = {tool["name"]: tool["id"] for tool in http.get("/v1/tools?limit=100")}
    rules = lambda agent: [(r["type"], r["tool_name"]) for r in http.get(f"/v1/agents/{agent['id']}")["tool_rules"]]  # noqa: E731
    wanted = [("requires_approval", "memory_insert")]
    made = http.post("/v1/agents", {"include_base_tools": False, "tools": ["memory_insert"]})
    assert rules(made) == wanted
    bare = http.post("/v1/agents", {"include_base_tools": False})
    for _ in range(2):
        http.patch(f"/v1/agents/{bare['id']}/tools/attach/{tools['memory_insert']}")
        assert rules(bare) == wanted
    http.patch(f"/v1/agents/{bare['id']}/tools/detach/{tools['memory_insert']}")
    assert rules(bare) == []
    http.patch(f"/v1/agents/{bare['id']}", {"tool_ids": [tools["conversation_search"], tools["memory_insert"]]})
    assert rules(bare) == wanted
    http.patch(f"/v1/agents/{bare['id']}/tools/approval/memory_insert", {"requires_approval": False})
    http.patch(f"/v1/agents/{bare['id']}", {"tool_ids": [tools["memory_insert"]]})
    assert rules(bare) == [], "it was there before, and its owner switched the rule off"
