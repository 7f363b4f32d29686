"""The server is killed while a tool acts outside the store. What was about to be made is on record, its result is called
unknown, and nobody makes it a second time unasked. The tool is a message to another agent whose model does not answer."""

import http.client
import json
import threading
import urllib.error

import pytest
import stele
from scripted_model import ScriptedModel, silence, wait, whole

ASK = "send_message_to_agent_and_wait_for_reply"
RULE = {"type": "requires_approval", "tool_name": ASK}


class Pair:
    """Ada, whose model asks Bob, whose model is silent."""

    def __init__(self, own_server, rules):
        self.model = ScriptedModel()
        self.server = own_server({"OPENAI_BASE_URL": self.model.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}).start()
        self.api = self.server.http(2)
        self.ada = self.make(tool_rules=rules)
        self.bob = self.make()
        self.path = f"/v1/agents/{self.ada}"

    def make(self, **more):
        return self.api.post("/v1/agents", {"include_multi_agent_tools": True, "include_base_tools": False, **more})["id"]

    def asks(self):
        arguments = json.dumps({"other_agent_id": self.bob, "message": "are you there?"})
        return whole({"tool_calls": [{"id": "call_1", "type": "function", "function": {"name": ASK, "arguments": arguments}}]}, "tool_calls")

    def history(self, kind=None):
        messages = self.api.get(f"{self.path}/messages?order=asc&limit=100")
        return [m for m in messages if kind in (None, m["message_type"])]

    def run(self, agent):
        return self.api.get(f"/v1/runs?agent_id={agent}")[0]

    def send_in_background(self, body):
        def send():
            try:
                self.server.http(2).post(f"{self.path}/messages", body)
            except (http.client.HTTPException, urllib.error.URLError, ConnectionError, OSError, stele.Refused):
                pass  # killed, as it should be

        threading.Thread(target=send, daemon=True).start()
        wait(lambda: len(self.model.requests) and self.model.requests[-1]["messages"][-1]["content"] != "hello" and
             any("are you there?" in str(m["content"]) for m in self.model.requests[-1]["messages"]))

    def kill(self):
        self.server.kill()
        self.server.start()
        self.api = self.server.http(2)

    def is_well(self):
        """The next message is answered, and its model reads the call once, with a return."""
        self.model.answer_with(whole({"content": "so be it"}))
        answer = self.api.post(f"{self.path}/messages", {"input": "and now?"})
        assert answer["stop_reason"]["stop_reason"] == "end_turn"
        [request] = self.model.requests
        calls = [c for m in request["messages"] for c in m.get("tool_calls") or []]
        returns = [m for m in request["messages"] if m["role"] == "tool"]
        assert len(calls) == 1 and len(returns) == 1 and returns[0]["tool_call_id"] == calls[0]["id"]
        return returns[0]["content"]


@pytest.fixture
def pair(own_server):
    pairs = []

    def make(rules=()):
        pairs.append(Pair(own_server, list(rules)))
        return pairs[-1]

    yield make
    for each in pairs:
        each.model.stop()


def test_a_call_that_a_crash_cut_off_is_unknown_and_not_repeated(pair):
    talk = pair()
    talk.model.answer_with(talk.asks(), silence())
    talk.send_in_background({"input": "hello"})
    [call] = talk.history("tool_call_message")  # before it is made
    assert not talk.history("tool_return_message")
    [step] = talk.api.get(f"/v1/steps?agent_id={talk.ada}")
    assert step["status"] == "pending" and talk.run(talk.ada)["status"] == "running"
    talk.kill()
    [told] = talk.history("tool_return_message")
    assert told["tool_call_id"] == call["tool_call"]["tool_call_id"] and told["status"] == "error" and "not known" in told["tool_return"]
    assert talk.run(talk.ada)["status"] == "failed" and "error" in talk.run(talk.ada)["metadata"]
    [step] = talk.api.get(f"/v1/steps?agent_id={talk.ada}")
    assert step["status"] == "failed" and step["prompt_tokens"] is not None
    assert "not known" in talk.is_well()
    assert not talk.api.get(f"/v1/runs?agent_id={talk.bob}"), "Bob was asked again"
    talk.kill()
    assert len(talk.history("tool_return_message")) == 1, "closed once"


def test_an_approved_call_that_a_crash_cut_off_is_not_asked_for_again(pair):
    talk = pair([RULE])
    talk.model.answer_with(talk.asks())
    talk.api.post(f"{talk.path}/messages", {"input": "hello"})
    [request] = talk.history("approval_request_message")
    talk.model.answer_with(silence())
    decision = {"type": "approval", "approve": True, "tool_call_id": request["tool_call"]["tool_call_id"]}
    talk.send_in_background({"messages": [{"type": "approval", "approvals": [decision]}]})
    talk.kill()
    [told] = talk.history("tool_return_message")
    assert told["status"] == "error" and "not known" in told["tool_return"]
    assert talk.api.get(f"{talk.path}?include=agent.pending_approval").get("pending_approval") is None
    assert "not known" in talk.is_well()


@pytest.mark.parametrize("rules", [[], [RULE]], ids=["free", "approved"])
def test_a_cancelled_call_is_called_cut_off(pair, rules):
    talk = pair(rules)
    body = {"input": "hello"}
    if rules:
        talk.model.answer_with(talk.asks())
        talk.api.post(f"{talk.path}/messages", {"input": "hello"})
        [request] = talk.history("approval_request_message")
        decision = {"type": "approval", "approve": True, "tool_call_id": request["tool_call"]["tool_call_id"]}
        body = {"messages": [{"type": "approval", "approvals": [decision]}]}
    talk.model.answer_with(*([] if rules else [talk.asks()]), silence())
    talk.send_in_background(body)
    talk.api.post(f"{talk.path}/messages/cancel")
    wait(lambda: talk.run(talk.ada)["status"] == "cancelled")
    [told] = talk.history("tool_return_message")
    assert told["status"] == "error" and "cut off" in told["tool_return"]
    assert "cut off" in talk.is_well()
