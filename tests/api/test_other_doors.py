"""The other doors to the same loop: what would be sent, the prompt anew, one bare answer, and OpenAI's chat completions."""

import json

import pytest
import stele

CHAT = "/v1/chat/completions"


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def ada(api):
    return api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}]})


def refusal(call, *arguments, **more):
    with pytest.raises(stele.Refused) as refused:
        call(*arguments, **more)
    return refused.value


# ---- preview ----


def test_a_preview_is_what_is_sent_and_stores_nothing(api, model, ada):
    body = {"messages": [{"role": "user", "content": "@say one\nhello"}]}
    api.post(f"/v1/agents/{ada['id']}/messages", {"input": "before"})
    before = api.get(f"/v1/agents/{ada['id']}/messages")
    model.forget()
    shown = api.post(f"/v1/agents/{ada['id']}/messages/preview-raw-payload", body)
    assert model.requests() == [] and api.get(f"/v1/agents/{ada['id']}/messages") == before and len(api.get(f"/v1/runs?agent_id={ada['id']}")) == 1
    api.post(f"/v1/agents/{ada['id']}/messages", body)
    assert model.requests()[-1] == shown
    streamed = api.post(f"/v1/agents/{ada['id']}/messages/preview-raw-payload", {**body, "streaming": True, "stream_tokens": True})
    assert streamed["stream"] is True and "stream" not in shown


def test_a_preview_of_a_conversation(api, model, ada):
    talk = api.post(f"/v1/conversations?agent_id={ada['id']}", {"model": "openai/mock-tiny"})
    path = f"/v1/conversations/{talk['id']}/messages"
    shown = api.post(path + "/preview-raw-payload", {"input": "hello", "streaming": False})
    api.post(path, {"input": "hello", "streaming": False})
    assert model.requests()[-1] == shown and shown["model"] == "mock-tiny" and talk["id"] in shown["messages"][0]["content"]
    default = api.post("/v1/conversations/default/messages/preview-raw-payload", {"input": "x", "agent_id": ada["id"]})
    assert default["messages"][-1] == {"role": "user", "content": "x"} or default["messages"][-1]["content"] == "x"


def test_a_preview_works_with_the_offline_model_and_refuses_what_a_message_refuses(api, ada):
    agent = api.post("/v1/agents", {"model": "stele/offline", "memory_blocks": []})
    assert api.post(f"/v1/agents/{agent['id']}/messages/preview-raw-payload", {"input": "x"})["model"] == "offline"
    path = f"/v1/agents/{ada['id']}/messages/preview-raw-payload"
    assert refusal(api.post, path, {}).status == 422 and refusal(api.post, path, {"input": ""}).status == 400
    assert refusal(api.post, path, {"input": "x", "override_model": "openai/none"}).status == 404
    assert refusal(api.post, "/v1/agents/agent-00000000-0000-4000-8000-00000000dead/messages/preview-raw-payload", {"input": "x"}).status == 404


# ---- recompile ----


@pytest.mark.parametrize("spelling", ["recompile", "system-prompt/recompile"])
def test_recompile_answers_what_stands_then(api, ada, spelling):
    path = f"/v1/agents/{ada['id']}"
    stored = lambda: api.get(path + "/messages?order=asc&limit=1")[0]["content"]  # noqa: E731
    before = stored()
    for _ in range(2):
        api.post(path + "/messages", {"input": "hello"})
    api.patch(path + "/reset-messages", {})
    api.post(path + "/messages", {"input": "hello"})
    dry = api.post(f"{path}/{spelling}?dry_run=true&update_timestamp=true")
    kept = stored()
    assert "Grace" in dry and ada["id"] in dry
    text = api.post(f"{path}/{spelling}")
    assert text == stored() and text != before
    label = "System prompt last recompiled: "
    time_of = lambda system: system[system.index(label):].split("\n")[0]  # noqa: E731
    assert time_of(text) == time_of(kept), "without being asked it keeps its time"
    assert api.get(path)["message_ids"][0] == ada["message_ids"][0]
    assert refusal(api.post, f"/v1/agents/agent-00000000-0000-4000-8000-00000000dead/{spelling}").status == 404


# ---- generate ----


def test_generate_answers_a_prompt_and_leaves_no_trace(api, model, ada):
    before = api.get(f"/v1/agents/{ada['id']}/messages")
    answer = api.post(f"/v1/agents/{ada['id']}/generate", {"prompt": "@say forty-two"})
    assert list(answer) == ["content", "model", "usage"] and (answer["content"], answer["model"]) == ("forty-two", "openai/mock-small")
    assert answer["usage"]["total_tokens"] > 0 and answer["usage"]["step_count"] == 1
    asked = model.requests()[-1]
    assert [m["role"] for m in asked["messages"]] == ["system", "user"] and "Grace" not in json.dumps(asked) and "tools" not in asked
    own = api.post(f"/v1/agents/{ada['id']}/generate", {"prompt": "@say x", "system_prompt": "Be brief.", "override_model": "openai/mock-tiny"})
    assert own["model"] == "openai/mock-tiny" and model.requests()[-1]["messages"][0]["content"] == "Be brief."
    assert api.get(f"/v1/agents/{ada['id']}/messages") == before and api.get(f"/v1/runs?agent_id={ada['id']}") == []


def test_generate_in_the_form_of_a_schema(api, model, ada):
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    answer = api.post(f"/v1/agents/{ada['id']}/generate", {"prompt": '@call structured_output {"age": 36}', "response_schema": schema})
    assert json.loads(answer["content"]) == {"age": 36}
    asked = model.requests()[-1]
    assert asked["tools"][0]["function"]["parameters"] == schema and asked["tool_choice"]["function"]["name"] == "structured_output"
    other = refusal(api.post, f"/v1/agents/{ada['id']}/generate", {"prompt": "@say no", "response_schema": schema})
    assert other.status == 502


@pytest.mark.parametrize("body, status, named", [
    ({}, 422, "body.prompt"), ({"prompt": " \n"}, 422, "body.prompt"), ({"prompt": "x", "response_schema": [1]}, 422, "body.response_schema"),
    ({"prompt": "x", "override_model": "openai/none"}, 404, "openai/none"), ({"prompt": "@fail 400"}, 502, "llm_error"), ({"prompt": "@fail 401"}, 502, "llm_error")])
def test_generate_refusals(api, ada, body, status, named):
    failed = refusal(api.post, f"/v1/agents/{ada['id']}/generate", body)
    assert failed.status == status and named in failed.text


def test_generate_of_an_unknown_agent(api):
    assert refusal(api.post, "/v1/agents/agent-00000000-0000-4000-8000-00000000dead/generate", {"prompt": "x"}).status == 404


# ---- chat completions ----

CHUNK = ["id", "choices", "created", "model", "object", "service_tier", "system_fingerprint", "usage"]


def chat(agent, text, **more):
    return {"model": agent["id"], "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize("path", [CHAT, "/chat/completions"])
def test_a_whole_completion(api, ada, path):
    answer = api.post(path, chat(ada, "@say Hello there."))
    assert list(answer) == CHUNK and answer["object"] == "chat.completion" and answer["model"] == "mock-small"
    run = answer["id"].removeprefix("chatcmpl-")
    assert api.get(f"/v1/runs/{run}")["status"] == "completed"
    [choice] = answer["choices"]
    assert choice["message"] == {"content": "Hello there.", "refusal": None, "role": "assistant"} and choice["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("path", [CHAT, "/chat/completions"])
@pytest.mark.parametrize("include_usage", [True, False])
def test_a_streamed_completion(api, ada, path, include_usage):
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    events = api.events(path, chat(ada, "@long 4", stream=True, **options))
    assert events[-1] == "[DONE]"
    chunks = events[:-1]
    assert all(list(chunk) == CHUNK and chunk["object"] == "chat.completion.chunk" for chunk in chunks) and len({chunk["id"] for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta["content"] or "" for delta in deltas) == "word0 word1 word2 word3"
    assert len([d for d in deltas if d["content"]]) > 1 and [d["role"] for d in deltas] == ["assistant"] + [None] * (len(deltas) - 1)
    assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]].count("stop") == 1
    usage = [chunk["usage"] for chunk in chunks if chunk["usage"]]
    assert (len(usage) == 1 and usage[0]["total_tokens"] > 0 and chunks[-1]["choices"] == []) if include_usage else usage == []


def test_only_the_last_user_message_counts_and_the_agent_remembers(api, model, ada):
    body = {"model": ada["id"], "temperature": 0.1, "max_tokens": 5, "user": "somebody", "n": 1, "messages": [
        {"role": "system", "content": "x"}, {"role": "user", "content": "@say never"}, {"role": "assistant", "content": "no"},
        {"role": "user", "content": [{"type": "text", "text": "@say parts"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]}
    assert api.post(CHAT, body)["choices"][0]["message"]["content"].startswith("parts")
    assert "never" not in json.dumps(model.requests()[-1]) and "iVBORw0KGgo=" in json.dumps(model.requests()[-1])
    api.post(CHAT, chat(ada, "@say again"))
    assert "@say parts" in json.dumps(model.requests()[-1])


def test_tools_and_thoughts_are_not_told(api, ada):
    text = '@reason pondering\n@call conversation_search {"query": "nothing like it"}'
    whole = api.post(CHAT, chat(ada, text))["choices"][0]["message"]["content"]
    events = api.events(CHAT, chat(ada, text, stream=True))
    kinds = [m["message_type"] for m in api.get(f"/v1/runs/{events[0]['id'].removeprefix('chatcmpl-')}/messages")]
    assert "tool_call_message" in kinds and "tool_return_message" in kinds and "reasoning_message" in kinds, "nothing to hide"
    streamed = "".join(event["choices"][0]["delta"]["content"] or "" for event in events[:-1])
    shown = [m["content"] for m in api.get(f"/v1/agents/{ada['id']}/messages") if m["message_type"] == "assistant_message"]
    assert [whole, streamed] == shown and all(event["choices"][0]["delta"]["tool_calls"] is None for event in events[:-1])
    assert [event["choices"][0]["finish_reason"] for event in events[:-1]].count("stop") == 1


def test_an_agent_that_speaks_by_tool(api):
    agent = api.post("/v1/agents", {"agent_type": "memgpt_v2_agent", "memory_blocks": []})
    text = '@call send_message {"message": "spoken"}'
    assert api.post(CHAT, chat(agent, text))["choices"][0]["message"]["content"] == "spoken"
    events = api.events(CHAT, chat(agent, text, stream=True))
    assert "".join(e["choices"][0]["delta"]["content"] or "" for e in events[:-1]) == "spoken"


def test_errors_have_openais_shape(api, ada):
    gone = "agent-00000000-0000-4000-8000-00000000dead"
    for body, status, kind in ((chat({"id": "gpt-4o"}, "x"), 400, "invalid_request_error"), (chat({"id": gone}, "x"), 404, "invalid_request_error"),
                               ({"model": ada["id"]}, 422, "invalid_request_error"), ({**chat(ada, "x"), "messages": []}, 400, "invalid_request_error"),
                               ({**chat(ada, "x"), "messages": [{"role": "system", "content": "x"}]}, 400, "invalid_request_error"),
                               (chat(ada, [{"type": "audio"}]), 400, "invalid_request_error"), (chat(ada, ""), 400, "invalid_request_error"),
                               (chat(ada, "@fail 401"), 401, "server_error"), (chat(ada, "@fail 400"), 400, "server_error")):
        failed = refusal(api.post, CHAT, body)
        assert failed.status == status and list(failed.body["error"]) == ["message", "type", "param", "code"], failed.text
        assert failed.body["error"]["type"] == kind and failed.body["error"]["message"] and failed.body["detail"]
    assert refusal(api.post, CHAT, {"messages": []}).body["error"]["param"] == "model"


def test_a_stream_that_fails_says_so_once_and_ends(api, ada):
    events = api.events(CHAT, chat(ada, "@fail 400", stream=True))
    assert list(events[0]["error"]) == ["message", "type", "param", "code"] and events[0]["error"]["type"] == "server_error"
    assert events[1:] == ["[DONE]"]
    assert api.post(CHAT, chat(ada, "@say alive"))["choices"][0]["message"]["content"] == "alive"


def test_the_older_mount_and_a_repeated_key(api, ada):
    answer = api.post(f"/openai/v1/{ada['id']}/chat/completions", {**chat(ada, "@say old"), "model": "anything"})
    assert answer["choices"][0]["message"]["content"] == "old"
    headers = {"Idempotency-Key": "one completion"}
    first = api.post(CHAT, chat(ada, "@say once"), headers=headers)
    assert api.post(CHAT, chat(ada, "@say once"), headers=headers) == first
    assert refusal(api.post, CHAT, chat(ada, "x", stream=True), headers={"Idempotency-Key": "streamed"}).status == 422


# ---- voice front ends ----


@pytest.mark.parametrize("agent_type", ["letta_v1_agent", "memgpt_v2_agent"])
@pytest.mark.parametrize("path", ["/v1/voice-beta/{id}/chat/completions", "/voice-beta/{id}/chat/completions", "/v1/voice/chat/completions?agent_id={id}", "/voice/chat/completions"])
def test_a_voice_is_streamed_unless_it_asks_otherwise(api, agent_type, path):
    agent = api.post("/v1/agents", {"agent_type": agent_type})
    body = {"messages": [{"role": "user", "content": "@say It is noon."}]}
    if "{id}" not in path:
        body["model"] = agent["id"]
    events = api.events(path.format(id=agent["id"]), body)
    assert events[-1] == "[DONE]"
    assert "".join(c["choices"][0]["delta"]["content"] or "" for c in events[:-1]) == "It is noon."
    whole = api.post(path.format(id=agent["id"]), {**body, "stream": False})
    assert whole["choices"][0]["message"]["content"] == "It is noon."


def test_a_voice_without_an_agent_is_refused(api, ada):
    failed = refusal(api.post, "/v1/voice/chat/completions", {"messages": [{"role": "user", "content": "x"}]})
    assert failed.status == 422 and "model" in failed.text
    assert refusal(api.post, "/v1/voice/chat/completions?agent_id=nonsense", chat(ada, "x")).status == 400
    assert refusal(api.post, CHAT, {"messages": [{"role": "user", "content": "x"}]}).status == 422
