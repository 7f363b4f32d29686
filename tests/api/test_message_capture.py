"""Turns that ran elsewhere, taken into an agent's history."""

import pytest
from stele import GONE, refused, wait_until

ANTHROPIC = {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Paris."}, {"type": "tool_use", "id": "t", "name": "n", "input": {}}],
             "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 3}}
ANSWERS = [("anthropic", ANTHROPIC, (15, 3)), ("openai", {"choices": [{"message": {"role": "assistant", "content": "Paris."}}], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}, (7, 2)),
           ("openai", {"output": [{"type": "reasoning"}, {"type": "message", "content": [{"type": "output_text", "text": "Paris."}]}]}, (0, 0)),
           ("gemini", {"candidates": [{"content": {"role": "model", "parts": [{"text": "Paris."}]}}], "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 1}}, (4, 1)),
           ("any", {"content": "Paris."}, (0, 0))]


def capture(http, agent, messages, answer, **more):
    return http.post(f"/v1/agents/{agent['id']}/messages/capture", {"provider": "anthropic", "model": "claude", "request_messages": messages, "response_dict": answer, **more})


def said(http, agent, path=""):
    return [(m["message_type"], m["content"]) for m in http.get(f"/v1/agents/{agent['id']}/messages{path or '?order=asc&limit=100'}") if m["message_type"] in ("user_message", "assistant_message")]


@pytest.mark.parametrize("provider, answer, tokens", ANSWERS, ids=range(len(ANSWERS)))
def test_what_was_said_becomes_the_agents_history(http, agent, provider, answer, tokens):
    made = capture(http, agent, [{"role": "user", "content": "Which town?"}], answer, provider=provider)
    assert made == {"success": True, "messages_created": 2, "run_ids": made["run_ids"]}
    assert said(http, agent) == [("user_message", "Which town?"), ("assistant_message", "Paris.")]
    run = http.get(f"/v1/runs/{made['run_ids'][0]}")
    assert (run["status"], run["stop_reason"], run["metadata"]["run_type"]) == ("completed", "end_turn", "capture_messages")
    step, = http.get(f"/v1/runs/{run['id']}/steps")
    assert (step["provider_name"], step["model"], step["prompt_tokens"], step["completion_tokens"]) == (provider, "claude", *tokens)


def test_only_what_is_new_is_taken(http, agent):
    history = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "old"}, {"role": "assistant", "content": "known"},
               {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "42"}]},
               {"role": "user", "content": [{"type": "text", "text": "first"}, {"type": "image", "source": {}}, {"type": "text", "text": "part"}]}, {"role": "user", "content": "second"}]
    assert capture(http, agent, history, {"content": "answer"})["messages_created"] == 3
    assert said(http, agent) == [("user_message", "first\npart"), ("user_message", "second"), ("assistant_message", "answer")]


def test_a_turn_in_which_nobody_says_anything_stores_nothing(http, agent):
    for messages, answer in (([], {}), ([{"role": "user", "content": "  "}], {"content": []}), ([{"role": "assistant", "content": "x"}], {"choices": []})):
        assert capture(http, agent, messages, answer) == {"success": True, "messages_created": 0, "run_ids": []}
    assert said(http, agent) == []


def test_the_agent_goes_on_from_there(server, http, agent, model):
    capture(http, agent, [{"role": "user", "content": "My dog is called Rex of the North."}], {"content": "A fine name."})
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": "hello"}]})
    sent = [(m["role"], m["content"]) for request in model.requests() for m in request["messages"]]
    assert ("user", "My dog is called Rex of the North.") in sent and ("assistant", "A fine name.") in sent
    assert "Rex of the North" in str(http.post("/v1/messages/search", {"query": "Rex of the North", "agent_id": agent["id"]}))


def test_a_conversation_takes_its_own(http, agent):
    conversation = http.post(f"/v1/conversations?agent_id={agent['id']}")
    capture(http, agent, [{"role": "user", "content": "here"}], {"content": "yes"}, conversation_id=conversation["id"])
    assert [m["content"] for m in http.get(f"/v1/conversations/{conversation['id']}/messages?order=asc")][1:] == ["here", "yes"]
    other = http.post("/v1/agents", {})
    refused(http, "POST", f"/v1/agents/{other['id']}/messages/capture", 404, {"provider": "p", "model": "m", "request_messages": [], "response_dict": {"content": "x"}, "conversation_id": conversation["id"]})


def test_an_agent_that_speaks_by_a_tool_has_spoken_by_it(http):
    agent = http.post("/v1/agents", {"agent_type": "memgpt_agent", "initial_message_sequence": []})
    assert capture(http, agent, [{"role": "user", "content": "q"}], {"content": "a"})["messages_created"] == 3
    assert said(http, agent) == [("user_message", "q"), ("assistant_message", "a")]
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": "hello"}]})


def test_those_who_look_after_the_memory_read_it_too(http):
    agent = http.post("/v1/agents", {"enable_sleeptime": True, "memory_blocks": [{"label": "human", "value": ""}]})
    http.patch(f"/v1/agents/{agent['id']}/reflection", {"enabled": True, "min_turn_count": 1})
    made = capture(http, agent, [{"role": "user", "content": "I moved to Oslo."}], {"content": "Noted."})
    assert len(made["run_ids"]) == 2
    partner = http.get(f"/v1/agents/{agent['id']}?include=agent.managed_group")["managed_group"]["agent_ids"][0]
    wait_until(lambda: http.get(f"/v1/runs/{made['run_ids'][1]}")["status"] == "completed")
    assert "user: I moved to Oslo." in str(http.get(f"/v1/agents/{partner}/messages"))


@pytest.mark.parametrize("change, place", [({"provider": ""}, "body.provider"), ({"request_messages": ["x"]}, "body.request_messages.0"), ({"response_dict": "x"}, "body.response_dict"),
                                           ({"conversation_id": "x"}, "body.conversation_id")])
def test_bad_captures_are_refused(http, agent, change, place):
    body = {"provider": "p", "model": "m", "request_messages": [], "response_dict": {}, **change}
    assert place in refused(http, "POST", f"/v1/agents/{agent['id']}/messages/capture", 422, body).text
    refused(http, "POST", f"/v1/agents/agent-{GONE}/messages/capture", 404, {"provider": "p", "model": "m", "request_messages": [], "response_dict": {"content": "x"}})
