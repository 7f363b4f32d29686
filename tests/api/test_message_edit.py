"""What has been said is changed and deleted: it shows in the next request, in lists and in search, and the history stays
one that every provider takes."""

import json

import pytest
import stele
from approvals import ASK, PARALLEL, Talk, assert_paired, decide, verdict
from runs import in_background

GONE = "00000000-0000-4000-8000-00000000dead"
CALL = '@call memory_insert {"label": "human", "new_string": "tea"}'


@pytest.fixture
def talk(http):
    yield Talk(http, tool_rules=[])
    Talk.leave_nothing()


def messages_path(talk, message=None):
    return talk.path + "/messages" + (f"/{message['id']}" if message else "")


def edit(talk, message, **body):
    return talk.http.patch(messages_path(talk, message), body)


def delete(talk, message):
    return talk.http.delete(messages_path(talk, message))["deleted_message_ids"]


def newest(talk, kind):
    return [m for m in talk.history() if m["message_type"] == kind][-1]


def sent(model):
    return [(m["role"], m.get("content")) for m in model.requests()[-1]["messages"]]


def found(talk, words):
    return talk.http.post("/v1/messages/search", {"query": words, "agent_id": talk.agent["id"]})


def refusal(status, call, *arguments, **more):
    with pytest.raises(stele.Refused) as refused:
        call(*arguments, **more)
    assert refused.value.status == status, refused.value
    return refused.value


def test_a_question_and_its_answer(talk, model):
    talk.say("@say a heron\nWhat is it?")
    question, answer = newest(talk, "user_message"), newest(talk, "assistant_message")
    assert found(talk, "heron")
    edited = edit(talk, question, message_type="user_message", content="Which bird?")
    assert edited == {**question, "content": "Which bird?"}
    assert edit(talk, answer, content="a bittern") == {**answer, "content": "a bittern"}
    assert newest(talk, "user_message")["content"] == "Which bird?" and newest(talk, "assistant_message")["content"] == "a bittern"
    talk.say("@say well")
    assert sent(model)[1:3] == [("user", "Which bird?"), ("assistant", "a bittern")]
    assert not found(talk, "heron"), "what is no longer said is no longer found"
    assert [hit["message_id"] for hit in found(talk, "bittern")] == [answer["id"]]


def test_what_was_said_by_a_call_is_changed_in_the_call(http, model):
    talk = Talk(http, agent_type="memgpt_v2_agent", tool_rules=[])
    talk.say("@say aloud")
    edited = edit(talk, newest(talk, "tool_call_message"), message_type="assistant_message", content='in "a" whisper')
    assert edited["message_type"] == "assistant_message" and edited["content"] == 'in "a" whisper'
    talk.say("@say well")
    calls = [call for m in model.requests()[-1]["messages"] for call in m.get("tool_calls") or []]
    assert 'in "a" whisper' in [json.loads(call["function"]["arguments"])["message"] for call in calls]
    Talk.leave_nothing()


def test_what_only_a_conversation_shows_as_said_is_changed_too(http):
    """An agent that speaks by tool has said it beside all tools: its own listing calls that reasoning, a conversation's a message."""
    agent = http.post("/v1/agents", {"agent_type": "memgpt_v2_agent", "tools": [], "include_base_tools": False})["id"]
    talk = http.post(f"/v1/conversations?agent_id={agent}")["id"]
    http.post(f"/v1/conversations/{talk}/messages", {"input": "@say a heron", "streaming": False})
    shown = [m for m in http.get(f"/v1/conversations/{talk}/messages") if m["message_type"] == "assistant_message"]
    edited = http.patch(f"/v1/agents/{agent}/messages/{shown[0]['id']}", {"message_type": "assistant_message", "content": "a bittern"})
    assert edited == {**shown[0], "content": "a bittern"}
    http.delete(f"/v1/agents/{agent}")


def test_a_reasoning(talk, model):
    talk.say("@reason I like herons\n@say yes")
    thought = newest(talk, "reasoning_message")
    edited = edit(talk, thought, reasoning="I like bitterns")
    assert edited["reasoning"] == "I like bitterns" and newest(talk, "assistant_message")["content"] == "yes"
    assert refusal(400, edit, talk, newest(talk, "user_message"), reasoning="none")
    talk.is_well()


def test_pictures_and_texts(talk):
    talk.say("look")
    parts = [{"type": "text", "text": "at this"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]
    edited = edit(talk, newest(talk, "user_message"), content=parts)
    assert [part["type"] for part in edited["content"]] == ["text", "image"]
    talk.is_well()


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": []}, {"content": 4}, {"message_type": "tool_call_message", "content": "x"},
                                  {"message_type": "reasoning_message", "content": "x"}, {"content": [{"type": "nonsense"}]}])
def test_an_edit_that_says_nothing_is_refused(talk, body):
    talk.say("@say yes")
    question = newest(talk, "user_message")
    assert "detail" in refusal(422, edit, talk, question, **body).body
    assert newest(talk, "user_message") == question


def test_what_cannot_be_edited(talk):
    talk.say(CALL)
    system = talk.http.get(talk.path)["message_ids"][0]
    assert "system prompt" in refusal(409, edit, talk, {"id": system}, content="be rude").text
    refusal(409, delete, talk, {"id": system})
    refusal(400, edit, talk, newest(talk, "tool_return_message"), content="forged")
    refusal(400, edit, talk, newest(talk, "user_message"), message_type="assistant_message", content="x")
    for call in (lambda m: edit(talk, m, content="x"), lambda m: delete(talk, m)):
        refusal(404, call, {"id": f"message-{GONE}"})
        refusal(422, call, {"id": "nonsense"})
    other = Talk(talk.http)
    other.say("@say mine")
    refusal(404, edit, talk, newest(other, "user_message"), content="yours")
    refusal(404, delete, talk, newest(other, "user_message"))
    talk.is_well()


def test_a_message_is_deleted(talk, model):
    talk.say("@say a heron")
    question, answer = newest(talk, "user_message"), newest(talk, "assistant_message")
    count = talk.state()["message_ids"]
    assert delete(talk, answer) == [answer["id"]]
    assert talk.state()["message_ids"] == [id for id in count if id != answer["id"]]
    assert answer["id"] not in [m["id"] for m in talk.history()] and not any(hit["message_id"] == answer["id"] for hit in found(talk, "heron"))
    assert delete(talk, question) == [question["id"]]
    refusal(404, delete, talk, question)
    talk.say("@say well")
    assert [role for role, _ in sent(model)] == ["system", "user"]


@pytest.mark.parametrize("kind", ["tool_call_message", "tool_return_message"])
def test_a_call_and_its_return_go_together(talk, kind):
    talk.say(CALL)
    call, returned = newest(talk, "tool_call_message"), newest(talk, "tool_return_message")
    assert set(delete(talk, call if kind == "tool_call_message" else returned)) == {call["id"], returned["id"]}
    assert talk.human() == "tea", "what a tool has done stays done"
    talk.is_well()


def test_a_request_for_approval_is_deleted_with_all_that_waits(http):
    talk = Talk(http, model_settings=PARALLEL)
    talk.ask(ASK + '\n@call conversation_search {"query": "tea"}')
    delete(talk, talk.pending())
    assert talk.pending() is None
    talk.is_well()
    talk.say("@say again")
    decided = talk.ask(ASK)
    talk.send({"messages": [{"type": "approval", "approvals": [{"type": "approval", "tool_call_id": decided[0]["tool_call_id"], "approve": True}]}]})
    delete(talk, newest(talk, "approval_response_message"))
    assert not [m for m in talk.history() if "approval" in m["message_type"] or m["message_type"] == "tool_return_message"]
    talk.is_well()
    Talk.leave_nothing()


def test_what_was_thought_before_a_deleted_request_goes_with_it(http):
    talk = Talk(http)
    talk.ask(ASK + "\n@reason so so")
    assert newest(talk, "reasoning_message")
    delete(talk, talk.pending())
    assert [m["message_type"] for m in talk.history() if m["message_type"] != "system_message"] == ["user_message"]
    talk.is_well()
    Talk.leave_nothing()


def test_what_was_thought_before_goes_though_it_left_the_view(http):
    talk = Talk(http)
    talk.send(decide(verdict(talk.ask(ASK + "\n@reason so so")[0]["tool_call_id"], False)))
    talk.say("@say yes")
    http.post(talk.path + "/summarize", {"compaction_settings": {"mode": "all"}})
    thought = next(m for m in talk.history() if m["message_type"] == "reasoning_message")
    assert thought["id"] in delete(talk, newest(talk, "approval_request_message"))
    http.post(talk.path + "/compact/undo")
    talk.is_well()
    Talk.leave_nothing()


def test_a_call_that_waited_through_a_compaction_goes_with_its_return(http):
    talk = Talk(http)
    talk.say("@say yes")
    talk.ask(ASK)
    http.post(talk.path + "/summarize", {"compaction_settings": {"mode": "all"}})
    assert [m for m in talk.history() if m["message_type"] == "summary_message" or "left your view" in str(m.get("content"))]
    call = talk.pending()["tool_calls"][0]["tool_call_id"]
    talk.send(decide(verdict(call, False)))
    delete(talk, newest(talk, "tool_return_message"))
    assert not [m for m in talk.history() if "approval" in m["message_type"]]
    assert_paired(http.get(talk.path + "/context")["messages"])
    talk.is_well()
    Talk.leave_nothing()


@pytest.mark.parametrize("whose", ["source", "fork"])
@pytest.mark.parametrize("kind", ["approval_request_message", "tool_return_message"])
def test_a_call_that_a_fork_answered_otherwise_goes_on_both_sides(http, kind, whose):
    talk = Talk(http)
    call = talk.ask()[0]["tool_call_id"]
    fork = http.post(f"/v1/conversations/default/fork?agent_id={talk.agent['id']}")["id"]
    path = f"/v1/conversations/{fork}/messages"
    talk.send(decide(verdict(call)))
    http.post(path, {"streaming": False, **decide(verdict(call, False, "not here"))})
    sides = {"source": talk.history(), "fork": http.get(path + "?order=asc&limit=100")}
    parts = {m["id"] for side in sides.values() for m in side if m["message_type"] in
             ("approval_request_message", "approval_response_message", "tool_return_message")}
    assert len(parts) == 5, "the request that both have, and what each of them answered"
    chosen = next(m for m in sides[whose] if m["message_type"] == kind)
    assert set(delete(talk, chosen)) == parts
    assert_paired(http.get(f"{talk.path}/context?conversation_id={fork}")["messages"])
    assert http.post(path, {"input": "@say well", "streaming": False})["messages"][-1]["content"] == "well"
    talk.is_well()
    Talk.leave_nothing()


def test_a_call_goes_when_nobody_is_at_work_on_either_side(http, model):
    talk = Talk(http)
    asking = in_background(lambda: talk.ask(ASK + "\n@hold"))
    model.release()
    call = asking.done()[0]["tool_call_id"]
    pending = talk.pending()
    fork = http.post(f"/v1/conversations/default/fork?agent_id={talk.agent['id']}")["id"]
    path = f"/v1/conversations/{fork}/messages"
    answering = in_background(lambda: http.post(path, {"streaming": False, **decide(verdict(call, False))}))
    stele.wait_until(lambda: http.get(f"/v1/runs?agent_id={talk.agent['id']}&active=true"))
    deleting = in_background(lambda: delete(talk, pending))
    model.release()
    deleting.done()
    answering.done()
    assert_paired(http.get(f"{talk.path}/context?conversation_id={fork}")["messages"])
    assert not [m for m in http.get(path + "?order=asc&limit=100") if m["message_type"] == "tool_return_message"]
    talk.is_well()
    Talk.leave_nothing()


def test_an_edit_waits_for_the_run_at_work(talk, model):
    talk.say("@say first")
    question = newest(talk, "user_message")
    asked = in_background(lambda: talk.say("@hold\n@say second"))
    stele.wait_until(lambda: talk.http.get(f"/v1/runs?agent_id={talk.agent['id']}&active=true"))
    editing = in_background(lambda: edit(talk, question, content="changed"))
    model.release()
    editing.done()
    assert asked.done()["messages"][-1]["content"] == "second"
    talk.say("@say third")
    assert ("user", "changed") in sent(model)


def test_edits_can_be_switched_off(own_server):
    http = own_server(arguments=["--allow-message-edit", "false"]).start().http()
    talk = Talk(http)
    talk.say("@say yes")
    question = newest(talk, "user_message")
    refusal(405, edit, talk, question, content="no")
    refusal(405, delete, talk, question)
    assert newest(talk, "user_message") == question
    Talk.leave_nothing()


def test_deletes_at_random_leave_a_valid_history(http):
    talk = Talk(http, tool_rules=[], model_settings=PARALLEL)
    for _ in range(6):
        talk.say(CALL + "\n" + CALL)
    for message in talk.history()[2::5]:
        try:
            delete(talk, message)
        except stele.Refused as refused:
            assert refused.status == 404  # it went with another
        assert_paired(talk.http.get(talk.path + "/context")["messages"])
        talk.say("@say well")
    Talk.leave_nothing()
