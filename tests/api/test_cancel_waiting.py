"""A run that stopped to wait for an approval is cancelled: its calls are denied, and the agent is free."""

import pytest
import stele
from approvals import ASK, PARALLEL, PLACE, Talk, calls_of, decide, kinds, verdict

TWO = '@call memory_insert {"label": "human", "new_string": "one"}\n@call conversation_search {"query": "tea"}'


@pytest.fixture
def talk(http):
    yield Talk(http)
    Talk.leave_nothing()


def cancel(talk, *run_ids):
    return talk.http.post(talk.path + "/messages/cancel", {"run_ids": list(run_ids)} if run_ids else None)


@pytest.mark.parametrize("named", [False, True])
def test_the_waiting_calls_are_denied_and_the_run_is_cancelled(talk, named):
    asked = talk.say(ASK)
    call, = calls_of(asked)
    run_id = asked["messages"][-1]["run_id"]
    assert cancel(talk, *[run_id] if named else []) == {run_id: "cancelled"}
    run = talk.http.get(f"/v1/runs/{run_id}")
    assert (run["status"], run["stop_reason"]) == ("cancelled", "cancelled")
    assert talk.pending() is None and talk.state()["last_stop_reason"] == "cancelled"
    request, decided, returned = talk.history()[-3:]
    assert kinds([request, decided, returned]) == ["approval_request_message", "approval_response_message", "tool_return_message"]
    assert decided["approvals"] == [{"type": "approval", "tool_call_id": call["tool_call_id"], "approve": False, "reason": "the user cancelled the run"}]
    assert returned["status"] == "error" and "cancelled" in returned["tool_return"] and returned["run_id"] == run_id
    assert talk.human() == ""
    talk.is_well()


def test_a_cancel_in_a_fork_leaves_the_run_s_own_conversation_its_way_out(talk):
    """Both branches wait for the same calls of the same run; each is cancelled by itself."""
    run_id = talk.say(ASK)["messages"][-1]["run_id"]
    fork = talk.http.post(f"/v1/conversations/default/fork?agent_id={talk.agent['id']}")
    assert talk.http.post(f"/v1/conversations/{fork['id']}/cancel") == {run_id: "cancelled"}
    assert talk.pending() is not None
    assert cancel(talk, run_id) == {run_id: "cancelled"}
    assert talk.pending() is None
    talk.is_well()


def test_a_decision_that_comes_too_late_is_taken_for_a_repeated_one(talk):
    call, = talk.ask()
    cancel(talk)
    answer = talk.send(decide(verdict(call["tool_call_id"])))
    assert answer["stop_reason"]["stop_reason"] == "end_turn" and talk.human() == ""
    assert any("keep-alive" in m["content"] for m in talk.history() if m["message_type"] == "user_message")
    talk.is_well()


def test_calls_that_needed_nobody_are_not_made_either(http):
    talk = Talk(http, model_settings=PARALLEL)
    calls = talk.ask(TWO)
    assert len(calls) == 1
    cancel(talk)
    returned = talk.history()[-1]
    assert [each["status"] for each in returned["tool_returns"]] == ["error", "error"]
    talk.is_well()
    Talk.leave_nothing()


def test_a_call_of_the_clients_own_tool_is_ended_too(talk):
    asked = talk.say("@call get_place {}", client_tools=[PLACE])
    run_id = asked["messages"][-1]["run_id"]
    assert cancel(talk) == {run_id: "cancelled"}
    talk.is_well()


def test_an_older_run_does_not_end_what_waits_now(talk):
    first = talk.say(ASK)
    talk.send(decide(verdict(calls_of(first)[0]["tool_call_id"], False)))
    talk.ask()
    old = first["messages"][-1]["run_id"]
    assert cancel(talk, old) == {old: "completed"}
    assert talk.pending() is not None
    cancel(talk)
    talk.is_well()


def test_nothing_waits_twice(talk):
    talk.ask()
    cancel(talk)
    with pytest.raises(stele.Refused) as refused:
        cancel(talk)
    assert refused.value.status == 409
    talk.is_well()


def test_only_the_conversation_that_is_named_goes_on(talk):
    conversation = talk.http.post(f"/v1/conversations?agent_id={talk.agent['id']}")
    path = f"/v1/conversations/{conversation['id']}"
    asked = talk.http.post(path + "/messages", {"input": ASK, "streaming": False})
    talk.ask()
    run_id = asked["messages"][-1]["run_id"]
    assert talk.http.post(path + "/cancel") == {run_id: "cancelled"}
    answer = talk.http.post(path + "/messages", {"input": "@say well", "streaming": False})
    assert answer["messages"][-1]["content"] == "well"
    assert talk.pending() is not None, "the default conversation still waits"
    assert talk.http.post(f"/v1/conversations/default/cancel?agent_id={talk.agent['id']}")
    talk.is_well()
