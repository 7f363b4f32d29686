"""What model servers send, well or badly, through the real server: each byte of their answers is the test's."""

import base64
import email.utils
import json
import time

import pytest
import stele
from scripted_model import (STREAM_HEAD, ScriptedModel, chunk, completion, cut, events, framed, http, in_pieces, silence, stream,
                            wait, whole)
from wire import Wire, request

TOOL = "conversation_search"


@pytest.fixture(scope="module")
def scripted():
    made = ScriptedModel({"/v1/models": {"object": "list", "data": [{"id": "m", "object": "model"}, {"id": "another", "object": "model"}]}})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def server(scripted, tmp_path_factory):
    environment = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": scripted.url, "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}
    running = stele.Server(tmp_path_factory.mktemp("providers"), environment).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


class Talk:
    """An agent of its own whose model answers by the script."""

    def __init__(self, server, scripted, **agent):
        self.http, self.scripted = server.http(), scripted
        self.agent = self.http.post("/v1/agents", agent)

    def ask(self, *script, tokens=False, text="hello", **more):
        """The messages of the answer; `tokens`: as a token stream, so that the model streams too."""
        self.scripted.answer_with(*script)
        path = f"/v1/agents/{self.agent['id']}/messages"
        if not tokens:
            self.answer = self.http.post(path, {"input": text, **more})
            return self.answer["messages"]
        self.events = self.http.events(path, {"input": text, "streaming": True, "stream_tokens": True, "include_pings": False, **more})
        return [event for event in self.events if isinstance(event, dict)]

    def refused(self, *script, **more) -> stele.Refused:
        with pytest.raises(stele.Refused) as refused:
            self.ask(*script, **more)
        return refused.value

    def stored(self, kind: str) -> list:
        return [m for m in self.http.get(f"/v1/agents/{self.agent['id']}/messages?order=asc") if m["message_type"] == kind]

    def said(self) -> str:
        return self.stored("assistant_message")[-1]["content"]

    def step(self) -> dict:
        return self.http.get(f"/v1/steps?agent_id={self.agent['id']}")[0]


@pytest.fixture
def talk(server, scripted):
    made = Talk(server, scripted)
    yield made
    # Whatever went wrong before: the history is whole, and the next message works.
    assert made.ask(whole({"content": "well"}))[-1]["content"] == "well"
    asked = made.scripted.requests[-1]["messages"]
    calls = [call["id"] for turn in asked for call in turn.get("tool_calls", [])]
    assert calls == [turn["tool_call_id"] for turn in asked if turn["role"] == "tool"] and len(set(calls)) == len(calls)


def call(name=TOOL, arguments='{"query": "x"}', **more) -> dict:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


# ---- answers of every kind ----

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_tokens_details": {"cached_tokens": 64},
         "completion_tokens_details": {"reasoning_tokens": 7}}


@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_text_and_usage(talk, tokens, field):
    answer = stream(chunk({"role": "assistant", "content": ""}), chunk({field: "let me "}), chunk({field: "think"}), chunk({"content": "the "}),
                    chunk({"content": "answer"}), chunk({}, "stop"), {**chunk({}), "choices": [], "usage": USAGE})
    talk.ask(answer if tokens else whole({"content": "the answer", field: "let me think"}, usage=USAGE), tokens=tokens)
    assert talk.said() == "the answer"
    assert talk.stored("reasoning_message")[-1]["reasoning"] == "let me think"
    step = talk.step()
    assert (step["prompt_tokens"], step["completion_tokens"], step["total_tokens"]) == (100, 20, 120)
    assert step["prompt_tokens_details"]["cached_tokens"] == 64 and step["completion_tokens_details"]["reasoning_tokens"] == 7
    assert talk.scripted.requests[0].get("stream", False) == tokens


THOUGHT = {"type": "reasoning.text", "text": "let me think", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}
SECRET = {"type": "reasoning.encrypted", "data": "b3BhcXVl", "id": "rs_1", "format": "openai-responses-v1", "index": 0}


@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
@pytest.mark.parametrize("details, shown", [([THOUGHT], "reasoning_message"), ([SECRET], "hidden_reasoning_message"), ([THOUGHT, SECRET], "reasoning_message")],
                         ids=["signed", "encrypted", "both"])
def test_signed_reasoning_goes_back_as_it_came_to_the_model_that_gave_it(talk, tokens, details, shown):
    pieces = [{"reasoning_details": [each]} for each in details]
    if THOUGHT in details:  # in a stream the words come in pieces, and the signature behind them
        begun = {**THOUGHT, "text": "let me ", "signature": None}
        pieces[:1] = [{"reasoning": "let me ", "reasoning_details": [begun]}, {"reasoning": "think", "reasoning_details": [{**THOUGHT, "text": "think"}]}]
    asked = call(id="c1")
    if tokens:
        first = stream(*map(chunk, pieces), chunk({"tool_calls": [{"index": 0, **asked}]}), chunk({}, "tool_calls"))
        talk.ask(first, stream(chunk({"content": "done"}), chunk({}, "stop")), tokens=True)
    else:
        words = {"reasoning": "let me think"} if THOUGHT in details else {}
        talk.ask(whole({"content": None, "tool_calls": [asked], "reasoning_details": details, **words}, "tool_calls"), whole({"content": "done"}))
    [answered] = [turn for turn in talk.scripted.requests[1]["messages"] if turn.get("tool_calls")]
    assert answered["reasoning_details"] == details
    reasoning = talk.stored(shown)[-1]
    assert reasoning.get("reasoning") == ("let me think" if THOUGHT in details else None)
    talk.http.patch(f"/v1/agents/{talk.agent['id']}", {"model": "openai/another"})
    talk.ask(whole({"content": "well"}))
    [answered] = [turn for turn in talk.scripted.requests[0]["messages"] if turn.get("tool_calls")]
    assert "reasoning_details" not in answered


@pytest.mark.parametrize("usage, cached", [
    (None, None), ({"prompt_tokens": 5, "completion_tokens": 1}, None), ({"prompt_tokens": 5, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}, 4),
    ({"prompt_tokens": "many", "completion_tokens": -3}, None), ({}, None)])
def test_usage_that_is_missing_or_odd(talk, usage, cached):
    talk.ask(whole({"content": "ok"}, **({} if usage is None else {"usage": usage})))
    step = talk.step()
    assert step["prompt_tokens"] == (5 if usage and usage.get("prompt_tokens") == 5 else 0)
    assert step["total_tokens"] == (6 if usage and usage.get("prompt_tokens") == 5 else 0)
    assert ((step["prompt_tokens_details"] or {}).get("cached_tokens")) == cached


def test_usage_on_every_chunk_is_not_added_up(talk):
    counted = [{**chunk({"content": "x"}), "usage": {**USAGE, "completion_tokens": i}} for i in range(1, 21)]
    talk.ask(stream(*counted, {**chunk({}, "stop"), "usage": USAGE}), tokens=True)
    assert talk.step()["completion_tokens"] == 20 and talk.step()["prompt_tokens"] == 100


CALLS = {
    "by the book": [{"index": 0, "id": "a", **call()}, {"index": 1, "id": "b", **call()}],
    "no index": [{"id": "a", **call()}, {"id": "b", **call()}],
    "no id": [{"index": 0, **call()}, {"index": 1, **call()}],
    "neither": [call(), call()],
    "one index for all": [{"index": 0, "id": "a", **call()}, {"index": 0, "id": "b", **call()}],
    "one id for all": [{"index": 0, "id": "a", **call()}, {"index": 1, "id": "a", **call()}],
    "empty ids": [{"index": 0, "id": "", **call()}, {"index": 1, "id": "", **call()}],
    "arguments as objects": [{"index": 0, "id": "a", **call(arguments={"query": "x"})}, {"index": 1, "id": "b", **call(arguments={"query": "x"})}],
}


@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS.keys())
def test_parallel_calls_however_they_are_named(server, scripted, calls, tokens):
    talk = Talk(server, scripted, model_settings={"provider_type": "openai", "parallel_tool_calls": True})
    answer = stream(*[chunk({"tool_calls": [each]}) for each in calls], chunk({}, "tool_calls")) if tokens else whole({"content": None, "tool_calls": calls}, "tool_calls")
    talk.ask(answer, stream(chunk({"content": "done"}, "stop")) if tokens else whole({"content": "done"}), tokens=tokens)
    assert talk.scripted.requests[0]["parallel_tool_calls"] is True
    turns = talk.scripted.requests[1]["messages"]
    asked = next(turn for turn in turns if turn.get("tool_calls"))["tool_calls"]
    assert [each["function"]["name"] for each in asked] == [TOOL, TOOL]
    assert [json.loads(each["function"]["arguments"]) for each in asked] == [{"query": "x"}] * 2
    ids = [each["id"] for each in asked]
    assert len(set(ids)) == 2 and all(ids) and ids == [turn["tool_call_id"] for turn in turns if turn["role"] == "tool"]
    assert talk.said() == "done"


def test_fragments_of_two_calls_that_come_by_turns(server, scripted):
    talk = Talk(server, scripted, model_settings={"provider_type": "openai", "parallel_tool_calls": True})
    pieces = [chunk({"tool_calls": [{"index": i, "id": f"id-{i}", "type": "function", "function": {"name": TOOL, "arguments": ""}}]}) for i in (0, 1)]
    text = json.dumps({"query": "a long question, in pieces"})
    for begin in range(0, len(text), 5):
        pieces += [chunk({"tool_calls": [{"index": i, "function": {"arguments": text[begin:begin + 5]}}]}) for i in (0, 1)]
    talk.ask(stream(*pieces, chunk({}, "tool_calls")), stream(chunk({"content": "done"}, "stop")), tokens=True)
    asked = next(turn for turn in talk.scripted.requests[1]["messages"] if turn.get("tool_calls"))["tool_calls"]
    assert [each["function"]["arguments"] for each in asked] == [text, text]


def test_the_protocol_of_2023_is_understood(talk):
    for tokens in (False, True):
        function = {"name": TOOL, "arguments": '{"query": "old"}'}
        answer = stream(chunk({"function_call": {"name": TOOL, "arguments": ""}}), chunk({"function_call": {"arguments": '{"query": "old"}'}}), chunk({}, "function_call")) \
            if tokens else whole({"content": None, "function_call": function}, "function_call")
        talk.ask(answer, stream(chunk({"content": "ok"}, "stop")) if tokens else whole({"content": "ok"}), tokens=tokens)
        assert talk.stored("tool_call_message")[-1]["tool_call"]["arguments"] == '{"query": "old"}'


@pytest.mark.parametrize("arguments", ['{"broken": ', "no JSON", "[1, 2]", "null", '"text"', "", '{"query": 1}{"query": 2}', "{\"query\": \"\\ud800\"}"])
@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
def test_arguments_that_are_no_object_come_back_to_the_model(talk, arguments, tokens):
    answer = stream(chunk({"tool_calls": [{"index": 0, "id": "a", **call(arguments=arguments)}]}, "tool_calls")) if tokens \
        else whole({"content": None, "tool_calls": [{"id": "a", **call(arguments=arguments)}]}, "tool_calls")
    talk.ask(answer, stream(chunk({"content": "sorry"}, "stop")) if tokens else whole({"content": "sorry"}), tokens=tokens)
    returned = talk.scripted.requests[1]["messages"][-1]
    assert returned["role"] == "tool" and returned["tool_call_id"] == "a"
    assert talk.said() == "sorry"


def test_a_call_of_a_tool_that_is_not_there(talk):
    talk.ask(whole({"content": None, "tool_calls": [{"id": "a", **call("launch_rocket", "{}")}]}, "tool_calls"), whole({"content": "I can't"}))
    assert talk.stored("tool_return_message")[-1]["status"] == "error" and talk.said() == "I can't"


@pytest.mark.parametrize("finish, reason", [("stop", "end_turn"), (None, "end_turn"), ("eos", "end_turn"), ("length", "max_tokens_exceeded"), ("max_tokens", "max_tokens_exceeded")])
@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
def test_finish_reasons(talk, finish, reason, tokens):
    talk.ask(stream(chunk({"content": "text"}), chunk({}, finish)) if tokens else whole({"content": "text"}, finish), tokens=tokens)
    assert (next(e for e in talk.events if isinstance(e, dict) and e["message_type"] == "stop_reason") if tokens else talk.answer["stop_reason"])["stop_reason"] == reason
    assert talk.said() == "text"


def test_calls_are_carried_out_whatever_the_finish_reason_says(talk):
    talk.ask(whole({"content": "", "tool_calls": [{"id": "a", **call()}]}, "stop"), whole({"content": "done"}))
    assert talk.said() == "done" and len(talk.stored("tool_return_message")) == 1


# ---- how the bytes come ----


@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
def test_bytes_may_come_one_at_a_time(talk, tokens):
    text = "Grüße, 世界 \U0001f600"
    answer = stream(*[chunk({"content": letter}) for letter in text], chunk({}, "stop"), size=3) if tokens else whole({"content": text})
    talk.ask(in_pieces(answer), tokens=tokens)
    assert talk.said() == text


def test_event_streams_in_every_shape(talk):
    head = STREAM_HEAD.replace(b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n")

    def until_close(connection, _):
        body = ": OPENROUTER PROCESSING\n\nretry: 100\nid: 7\nevent: message\ndata:" + json.dumps(chunk({"content": "no blank"})) + "\n\n: more\n\n" + events(chunk({}, "stop"))
        connection.sendall(head + body.replace("\n", "\r\n").encode())
        return False

    talk.ask(until_close, tokens=True)
    assert talk.said() == "no blank"
    # A server that streams although nobody asked, and one that answers whole although a stream was asked for.
    talk.ask(stream(chunk({"content": "streamed"}, "stop")))
    assert talk.said() == "streamed"
    talk.ask(whole({"content": "in one piece"}), tokens=True)
    assert talk.said() == "in one piece"


def test_an_answer_that_breaks_behind_its_end_is_whole(talk):
    answer = STREAM_HEAD + framed(events(chunk({"content": "all of it"}), chunk({}, "stop"), done=False))
    talk.ask(cut(answer, len(answer)), tokens=True)
    assert talk.said() == "all of it" and len(talk.scripted.requests) == 1


# ---- what goes wrong ----


def test_a_stream_that_is_cut_is_an_error_and_nothing_of_it_is_kept(talk):
    answer = stream(*[chunk({"content": f"word{i} "}) for i in range(20)], chunk({}, "stop"))
    found = talk.ask(cut(answer), tokens=True)
    assert found[-1]["message_type"] == "error_message" and found[-1]["error_type"] in ("llm_connection", "llm_error")
    assert talk.events[-1] == "[DONE]" and len(talk.scripted.requests) == 1, "what a reader has seen can't be taken back"
    assert not talk.stored("assistant_message")


def test_answers_that_are_cut_before_anything_was_seen_are_asked_for_again(talk):
    answer = whole({"content": "complete"})
    talk.ask(cut(answer), cut(answer, 10), answer)
    assert talk.said() == "complete" and len(talk.scripted.requests) == 3
    talk.ask(cut(STREAM_HEAD), cut(b""), stream(chunk({"content": "streamed"}, "stop")), tokens=True)
    assert talk.said() == "streamed" and len(talk.scripted.requests) == 3
    assert talk.refused(cut(answer), cut(answer), cut(answer)).status == 500


GARBAGE = {
    "no JSON": http(200, b"not json!"), "no completion": http(200, {"hello": "world"}), "no choices": http(200, {"choices": []}),
    "a list": http(200, [1, 2]), "HTML": http(200, "<html>login</html>", {"Content-Type": "text/html"}),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n", "bad chunks": STREAM_HEAD + b"zz\r\n", "both framings": http(200, b"{}", {"Transfer-Encoding": "chunked"}),
    "absurd header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400_000 + b"\r\n\r\n", "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 5_000 + b"\r\n",
    "endless interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100,
    "binary": http(200, bytes(range(256))), "no body": http(200, b""), "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
def test_garbage_is_a_clear_error(talk, name, tokens):
    steps = [cut(GARBAGE[name], len(GARBAGE[name]))] * 3
    if tokens:
        found = talk.ask(*steps, tokens=True)
        assert found[-1]["message_type"] == "error_message" and "127.0.0.1" in found[-1]["detail"], found[-1]
        assert talk.events[-1] == "[DONE]"
    else:
        refused = talk.refused(*steps)
        assert refused.status == 500 and refused.body["error"]["type"] in ("llm_error", "llm_connection", "llm_empty_response")
        assert "127.0.0.1" in refused.body["error"]["detail"]


@pytest.mark.parametrize("data", ["{this is no JSON", "[]", "17", '"text"', "keep-alive"])
def test_garbage_within_a_stream_is_an_error(talk, data):
    found = talk.ask(stream(chunk({"content": "so far"}), data, chunk({"content": "!"}, "stop")), tokens=True)
    assert found[-1]["error_type"] == "llm_error" and not talk.stored("assistant_message")


@pytest.mark.parametrize("tokens", [False, True], ids=["blocking", "streaming"])
@pytest.mark.parametrize("message, finish", [({"content": ""}, "stop"), ({"content": None}, "stop"), ({}, None), ({"content": None, "reasoning": "hm"}, "length"),
                                             ({"content": None, "tool_calls": []}, "tool_calls"), ({"content": ""}, "content_filter")])
def test_an_empty_answer_is_an_error(talk, message, finish, tokens):
    if tokens:
        found = talk.ask(stream(chunk(message), chunk({}, finish)), tokens=True)
        assert found[-1]["error_type"] == "llm_empty_response" and found[-1]["detail"]
        assert [m for m in found if m["message_type"] == "stop_reason"][0]["stop_reason"] == "invalid_llm_response"
    else:
        assert talk.refused(whole(message, finish)).body["error"]["type"] == "llm_empty_response"


ERRORS = {
    "openai": (429, {"error": {"message": "Rate limit reached", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}}, 429, "llm_rate_limit", 3),
    "no quota": (429, {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}}, 402, "llm_insufficient_credits", 1),
    "no balance": (402, {"error": {"message": "Insufficient Balance"}}, 402, "llm_insufficient_credits", 1),
    "bad key": (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 401, "llm_authentication", 1),
    "bad request": (400, {"error": {"message": "messages: wrong order"}}, 400, "llm_bad_request", 1),
    "vLLM": (400, {"object": "error", "message": "bad thing", "type": "BadRequestError", "param": None, "code": 400}, 400, "llm_bad_request", 1),
    "not found": (404, {"error": {"message": "The model `m` does not exist"}}, 502, "llm_error", 1),
    "forbidden": (403, {"error": "no access for you"}, 502, "llm_error", 1),
    "fastapi": (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "missing"}]}, 502, "llm_error", 1),
    "method": (405, "Method Not Allowed", 502, "llm_error", 1),
    "too long": (400, {"error": {"message": "This model's maximum context length is 8 tokens", "code": "context_length_exceeded"}}, 400, "llm_context_overflow", 1),
    "server": (500, {"error": {"message": "boom"}}, 500, "llm_error", 3),
    "gateway": (502, "<html>bad gateway</html>", 500, "llm_error", 3),
    "overloaded": (503, {"error": {"message": "busy"}}, 503, "llm_overloaded", 3),
    "overloaded too": (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, 503, "llm_overloaded", 3),
    "gateway time-out": (504, "", 504, "llm_timeout", 3),
    "early": (408, {"error": {"message": "slow"}}, 504, "llm_timeout", 3),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_answers_have_the_apis_words_and_are_repeated_where_that_may_help(talk, name):
    status, body, told, kind, attempts = ERRORS[name]
    refused = talk.refused(*[http(status, body, {"retry-after-ms": "5"})] * 3)
    assert (refused.status, refused.body["error"]["type"], len(talk.scripted.requests)) == (told, kind, attempts)
    message = body if isinstance(body, str) else next((v for v in _texts(body)), "")
    assert message[:10] in refused.body["error"]["detail"] and refused.body["detail"]
    assert "key" != refused.body["error"]["detail"]


def _texts(body):
    error = body.get("error", body)
    yield error if isinstance(error, str) else error.get("message", "")


@pytest.mark.parametrize("name", ERRORS)
def test_error_answers_end_a_stream_properly(talk, name):
    status, body, _, kind, attempts = ERRORS[name]
    found = talk.ask(*[http(status, body, {"retry-after-ms": "5"})] * 3, tokens=True)
    assert [e["message_type"] for e in found[-2:]] == ["stop_reason", "error_message"] and talk.events[-1] == "[DONE]"
    assert found[-1]["error_type"] == kind and len(talk.scripted.requests) == attempts
    assert "event: error" in talk.events


@pytest.mark.parametrize("header", ["seconds", "date", "milliseconds", "past date"])
def test_retry_after_is_honoured_in_every_form(talk, header):
    value = {"seconds": {"Retry-After": "1"}, "milliseconds": {"Retry-After": "60", "retry-after-ms": "30"},
             "date": {"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)},
             "past date": {"Retry-After": email.utils.formatdate(time.time() - 100, usegmt=True)}}[header]
    asked = []

    def note(answer):
        def step(connection, _):
            asked.append(time.monotonic())
            connection.sendall(answer)
        return step

    talk.ask(note(http(429, {"error": {"message": "slow down"}}, value)), note(whole({"content": "now"})))
    assert talk.said() == "now"
    if header in ("seconds", "date"):
        assert asked[1] - asked[0] >= 0.9, "it was asked again sooner than it allowed"


def test_a_wait_that_is_too_long_is_handed_on_to_the_client(talk):
    refused = talk.refused(http(429, {"error": {"message": "tomorrow"}}, {"Retry-After": "3600"}))
    assert refused.status == 429 and refused.headers["Retry-After"] == "3600" and len(talk.scripted.requests) == 1


def test_a_server_may_say_that_repeating_is_of_no_use(talk):
    refused = talk.refused(http(500, {"error": {"message": "never"}}, {"x-should-retry": "false"}))
    assert len(talk.scripted.requests) == 1 and refused.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("body, kind", [
    ({"error": {"message": "Rate limit exceeded", "code": 429}}, "llm_rate_limit"), ({"error": {"message": "no", "code": "rate_limit_exceeded"}}, "llm_rate_limit"),
    ({"error": {"message": "Provider overloaded", "type": "overloaded_error"}}, "llm_overloaded"), ({"error": "it broke"}, "llm_error"),
    ({"object": "error", "message": "bad", "code": 400}, "llm_bad_request"),
    ({"error": {"message": "This model's maximum context length is 8", "code": 400}}, "llm_context_overflow")])
def test_an_error_within_an_answer_of_status_200(talk, body, kind):
    found = talk.ask(stream(chunk({"content": "begun"}), body), tokens=True)
    assert found[-1]["error_type"] == kind and len(talk.scripted.requests) == 1
    refused = talk.refused(*[http(200, body)] * 3)
    assert refused.body["error"]["type"] == kind


def test_a_redirect_is_refused_with_its_target(talk):
    refused = talk.refused(http(301, "moved", {"Location": "https://elsewhere.example/v1/chat/completions"}))
    assert "elsewhere.example" in refused.body["error"]["detail"] and "base URL" in refused.body["error"]["detail"]
    assert len(talk.scripted.requests) == 1


def test_an_answer_without_end_is_bounded(talk):
    def flood(head: bytes, piece: bytes):
        def step(connection, _):
            connection.sendall(head)
            for _ in range(20_000):
                connection.sendall(framed(piece))
        return step

    words = events(chunk({"content": "x" * 60_000}), done=False).encode()
    found = talk.ask(flood(STREAM_HEAD, words), tokens=True)
    assert found[-1]["message_type"] == "error_message" and talk.events[-1] == "[DONE]"
    assert talk.refused(*[flood(STREAM_HEAD.replace(b"text/event-stream", b"application/json"), b" " * 60_000)] * 3).status == 500
    found = talk.ask(flood(STREAM_HEAD, b"data: " + b"y" * 60_000), tokens=True)
    assert found[-1]["message_type"] == "error_message"


# ---- what servers refuse ----

REFUSALS = {
    "stream_options": ({"error": {"message": "Unrecognized request argument supplied: stream_options"}}, lambda b: "stream_options" not in b and b["stream"]),
    "parallel_tool_calls": ({"error": {"message": "unknown field: parallel_tool_calls", "param": "parallel_tool_calls"}}, lambda b: "parallel_tool_calls" not in b),
    "the new name of max_tokens": ({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted", "input": {"stream": 1}}]},
                                   lambda b: "max_completion_tokens" not in b and b["max_tokens"] and b["stream"]),
    "too many tokens": ({"error": {"message": "max_tokens is too large: 15000. This model supports at most 4096 completion tokens"}},
                        lambda b: "max_completion_tokens" not in b and "max_tokens" not in b),
    "temperature": ({"error": {"message": "Unsupported value: 'temperature' does not support 0.7 with this model."}}, lambda b: "temperature" not in b),
    "streaming": ({"error": {"message": "Cannot use tools with stream", "code": 400}}, lambda b: "stream" not in b),
    "user": ({"error": {"message": "Unsupported parameter: 'user'"}}, lambda b: "user" not in b),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_server_refuses_is_left_out_and_remembered(server, scripted, name):
    body, is_adapted = REFUSALS[name]
    handle = f"openai/refuses-{name.replace(' ', '-')}"
    listed = scripted.models["/v1/models"]
    listed["data"].append({"id": handle.split("/")[1]})
    wait(lambda: _created(server.http(), handle))
    talk = Talk(server, scripted, model=handle, model_settings={"provider_type": "openai", "temperature": 0.7, "max_output_tokens": 15000})
    good = whole({"content": "fine"}) if name == "streaming" else stream(chunk({"content": "fine"}, "stop"))
    talk.ask(http(400, body), good, tokens=True)
    first, second = talk.scripted.requests
    assert not is_adapted(first) and is_adapted(second)
    assert second["messages"] == first["messages"] and second["tools"] == first["tools"]
    assert talk.said() == "fine"
    talk.ask(good, tokens=True)
    assert is_adapted(talk.scripted.requests[0]), "it was told once"


def test_a_refusal_of_something_else_is_no_lesson(talk):
    refused = talk.refused(http(400, {"error": {"message": "tools[0].function.name is not valid"}}))
    assert refused.status == 400 and len(talk.scripted.requests) == 1


# ---- what is sent ----


def test_the_request_is_in_the_protocols_form(talk):
    pixel = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    path = f"/v1/agents/{talk.agent['id']}/messages"
    talk.scripted.answer_with(whole({"content": "a pixel"}))
    talk.http.post(path, {"messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is this?"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": pixel}}]}]})
    sent, head = talk.scripted.requests[0], talk.scripted.heads[0]
    assert head["authorization"] == "Bearer key" and head["content-type"] == "application/json"
    assert sent["model"] == "m" and sent["messages"][0]["role"] == "system"
    text, image = sent["messages"][-1]["content"]
    assert text == {"type": "text", "text": "what is this?"}
    assert image["type"] == "image_url" and image["image_url"]["url"] == f"data:image/png;base64,{pixel}"
    assert {tool["type"] for tool in sent["tools"]} == {"function"} and sent["tool_choice"] == "auto"
    assert "stream" not in sent and isinstance(sent["max_completion_tokens"], int)


# ---- connections ----


def test_connections_are_used_again(talk):
    before = talk.scripted.connections
    for _ in range(10):
        talk.ask(whole({"content": "again"}))
        talk.ask(stream(chunk({"content": "again"}, "stop")), tokens=True)
    assert talk.scripted.connections - before <= 4  # one a thread at most, and one that was left over


def test_a_pooled_connection_that_was_closed_meanwhile_is_no_failure(talk):
    def answer_and_close(connection, _):
        connection.sendall(whole({"content": "bye"}))
        return False

    for _ in range(5):
        talk.ask(answer_and_close)
        assert talk.said() == "bye" and len(talk.scripted.requests) == 1


# ---- patience ----


def test_a_model_that_is_silent_for_too_long_is_a_time_out(own_server, scripted):
    server = own_server({"OPENAI_BASE_URL": scripted.url, "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}, ["--model-timeout-seconds", "1"]).start()
    talk = Talk(server, scripted)
    refused = talk.refused(silence())
    assert refused.status == 504 and refused.body["error"]["type"] == "llm_timeout" and len(scripted.requests) == 1

    def stall(connection, body):
        connection.sendall(STREAM_HEAD + framed(events(chunk({"content": "begun"}), done=False)))
        return silence()(connection, body)

    found = talk.ask(stall, tokens=True)
    assert found[-1]["error_type"] == "llm_timeout" and talk.events[-1] == "[DONE]"

    def slow_but_steady(connection, _):
        connection.sendall(STREAM_HEAD)
        for i in range(6):
            time.sleep(0.3)
            connection.sendall(framed(events(chunk({"content": f"{i}"}), done=False)))
        connection.sendall(framed(events(chunk({}, "stop"))) + b"0\r\n\r\n")

    talk.ask(slow_but_steady, tokens=True)
    assert talk.said() == "012345"


def test_the_older_names_of_the_time_outs(own_server, scripted):
    server = own_server({"OPENAI_BASE_URL": scripted.url, "LETTA_DEFAULT_LLM_HANDLE": "openai/m", "LETTA_LLM_REQUEST_TIMEOUT_SECONDS": "1"}).start()
    assert Talk(server, scripted).refused(silence()).status == 504


def test_a_stopping_server_lets_go_of_its_model(own_server, scripted):
    server = own_server({"OPENAI_BASE_URL": scripted.url, "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}, ["--grace-seconds", "1"]).start()
    agent = server.http().post("/v1/agents", {})
    scripted.answer_with(silence())
    scripted.gone.clear()
    with Wire(server.port) as wire:
        wire.send(request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps({"input": "wait"}).encode()))
        wait(lambda: scripted.requests)
        assert server.stop() == 0
        wire.rest()


# ---- which models there are ----

OLLAMA = {
    "/api/tags": {"models": [{"name": "qwen3:8b", "model": "qwen3:8b"}, {"name": "gone:latest"}, {"name": "plain:latest"}, {"name": "nomic-embed-text:latest"}]},
    "/api/show": lambda body: {
        "qwen3:8b": {"capabilities": ["completion", "tools", "thinking"], "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960}},
        "plain:latest": {"capabilities": ["completion"], "model_info": {"llama.context_length": 2048}},
        "nomic-embed-text:latest": {"capabilities": ["embedding"], "model_info": {"nomic-bert.embedding_length": 768, "nomic-bert.context_length": 2048}},
    }.get(body["model"]),
}
LISTINGS = {
    "vllm": ("VLLM_API_BASE", "", {"/v1/models": {"data": [{"id": "Qwen/Qwen3-8B", "max_model_len": 40960}]}}, {"vllm/Qwen/Qwen3-8B": 40960}),
    "vllm with v1": ("VLLM_API_BASE", "/v1/", {"/v1/models": {"data": [{"id": "q", "max_model_len": 4096}]}}, {"vllm/q": 4096}),
    "sglang": ("SGLANG_API_BASE", "/v1", {"/v1/models": {"data": [{"id": "s", "max_model_len": 8192}]}}, {"sglang/s": 8192}),
    "ollama": ("OLLAMA_BASE_URL", "", OLLAMA, {"ollama/qwen3:8b": 40960}),
    "ollama with v1": ("OLLAMA_BASE_URL", "/v1", OLLAMA, {"ollama/qwen3:8b": 40960}),
    "ollama behind a path": ("OLLAMA_BASE_URL", "/ollama/", {f"/ollama{path}": body for path, body in OLLAMA.items()}, {"ollama/qwen3:8b": 40960}),
    "lmstudio": ("LMSTUDIO_BASE_URL", "", {"/api/v0/models": {"data": [
        {"id": "qwen3-8b", "type": "llm", "max_context_length": 40960, "loaded_context_length": 8192}, {"id": "idle", "type": "vlm", "max_context_length": 32768},
        {"id": "nomic", "type": "embeddings", "max_context_length": 2048}]}}, {"lmstudio/qwen3-8b": 8192, "lmstudio/idle": 32768}),
    "lmstudio without v0": ("LMSTUDIO_BASE_URL", "", {"/v1/models": {"data": [{"id": "qwen3-8b"}]}}, {"lmstudio/qwen3-8b": 30000}),
    "llama.cpp": ("OPENAI_BASE_URL", "", {"/v1/models": {"models": [{"name": "x"}], "data": [{"id": "x.gguf", "meta": {"n_ctx_train": 131072, "n_vocab": 1}}]}}, {"openai/x.gguf": 131072}),
    "groq's form": ("OPENAI_BASE_URL", "/openai/v1/", {"/openai/v1/models": {"data": [{"id": "l", "context_window": 131072}]}}, {"openai/l": 131072}),
    "together's form": ("OPENAI_BASE_URL", "/v1/chat/completions", {"/v1/models": [{"id": "t", "context_length": 8192, "type": "chat"}]}, {"openai/t": 8192}),
    "mistral's form": ("OPENAI_BASE_URL", "/v1", {"/v1/models": {"data": [{"id": "m", "max_context_length": 32000}]}}, {"openai/m": 32000}),
    "a known name": ("OPENAI_BASE_URL", "/v1", {"/v1/models": {"data": [{"id": "gpt-4o-mini"}]}}, {"openai/gpt-4o-mini": 128000}),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_models_are_listed_with_their_true_window_and_can_be_used(own_server, name):
    variable, suffix, bodies, expected = LISTINGS[name]
    listed = ScriptedModel(bodies)
    try:
        server = own_server({"OPENAI_BASE_URL": "", "OPENAI_API_KEY": "", "LETTA_DEFAULT_LLM_HANDLE": "", variable: listed.url + suffix}).start()
        client = server.http()
        models = wait(lambda: [m for m in client.get("/v1/models") if m["handle"] != "stele/offline"])
        assert {m["handle"]: m["max_context_window"] for m in models} == expected
        handle = next(iter(expected))
        agent = client.post("/v1/agents", {"model": handle})
        assert agent["llm_config"]["context_window"] == min(expected[handle], 128000)
        listed.answer_with(whole({"content": "reached"}))
        assert client.post(f"/v1/agents/{agent['id']}/messages", {"input": "hi"})["messages"][-1]["content"] == "reached"
        assert listed.requests[0]["model"] == handle.split("/", 1)[1] and listed.paths[-1].endswith("/v1/chat/completions")
        assert listed.paths[-1].count("/v1") == 1
    finally:
        listed.stop()


@pytest.mark.parametrize("spelling", ["{url}", "{url}/", "{url}/v1", "{url}/v1/", "{url}/v1/chat/completions", "{host}", " {url}/v1 \n"])
def test_a_base_url_in_every_spelling(own_server, spelling):
    listed = ScriptedModel()
    try:
        base = spelling.format(url=listed.url, host=listed.url.removeprefix("http://"))
        server = own_server({"OPENAI_BASE_URL": base, "OPENAI_API_KEY": "key \n", "LETTA_DEFAULT_LLM_HANDLE": "openai-proxy/m"}).start()
        talk = Talk(server, listed)
        assert talk.ask(whole({"content": "there"}))[-1]["content"] == "there"
        assert listed.paths[-1] == "/v1/chat/completions" and listed.heads[0]["authorization"] == "Bearer key"
    finally:
        listed.stop()


def test_a_model_server_on_an_address_of_ipv6(own_server):
    try:
        listed = ScriptedModel(host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    try:
        server = own_server({"OPENAI_BASE_URL": f"http://[::1]:{listed.port}/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}).start()
        assert Talk(server, listed).ask(whole({"content": "six"}))[-1]["content"] == "six"
        assert listed.heads[0]["host"] == f"[::1]:{listed.port}"
    finally:
        listed.stop()


def test_further_servers_from_the_configuration_file(own_server, tmp_path):
    one, two = ScriptedModel(), ScriptedModel({"/v1/models": {"data": [{"id": "deep/id", "max_model_len": 5000}, {"id": "untold"}]}})
    try:
        config = tmp_path / "stele.toml"
        config.write_text(f'[[providers]]\nname = "lab"\nbase_url = "{one.url}"\nkey = "lab-key"\n[[providers]]\nname = "attic"\nkind = "vllm"\n'
                          f'base_url = "{two.url}/v1/"\nkey_variable = "ATTIC_KEY"\ncontext_window = 7777\n')
        server = own_server({"ATTIC_KEY": "attic-key"}, ["--config", str(config)]).start()
        client = server.http()
        windows = wait(lambda: (found := {m["handle"]: m["max_context_window"] for m in client.get("/v1/models")}).keys() >= {"lab/m", "attic/deep/id"} and found)
        assert windows["attic/deep/id"] == 5000 and windows["attic/untold"] == 7777
        for handle, server_of_it, key in (("lab/m", one, "lab-key"), ("attic/deep/id", two, "attic-key")):
            talk = Talk(server, server_of_it, model=handle)
            assert talk.ask(whole({"content": handle}))[-1]["content"] == handle
            assert server_of_it.heads[0]["authorization"] == f"Bearer {key}"
            assert server_of_it.requests[0]["model"] == handle.split("/", 1)[1]
    finally:
        one.stop()
        two.stop()


def test_models_come_and_go(own_server):
    listed = ScriptedModel({"/v1/models": {"data": [{"id": "first"}]}})
    try:
        server = own_server({"OPENAI_BASE_URL": listed.url, "LETTA_DEFAULT_LLM_HANDLE": "openai/first"}, ["--models-refresh-seconds", "1"]).start()
        client = server.http()
        handles = lambda: {m["handle"] for m in client.get("/v1/models")}  # noqa: E731
        wait(lambda: "openai/first" in handles())
        agent = client.post("/v1/agents", {})
        listed.models = {"/v1/models": {"data": [{"id": "second", "max_model_len": 1234}]}}
        fresh = wait(lambda: _created(client, "openai/second"))
        assert fresh["llm_config"]["context_window"] == 1234
        wait(lambda: "openai/first" not in handles())
        with pytest.raises(stele.Refused) as refused:
            client.post(f"/v1/agents/{agent['id']}/messages", {"input": "hi"})
        assert refused.value.status == 404 and "openai/first" in refused.value.text
        listed.models = {}  # a listing that fails keeps what it had
        asked = len(listed.paths)
        wait(lambda: len(listed.paths) > asked + 2)
        assert "openai/second" in handles()
    finally:
        listed.stop()


def _created(client, handle: str):
    try:
        return client.post("/v1/agents", {"model": handle})
    except stele.Refused as refused:
        assert refused.status == 404
        return None


def test_a_model_of_a_provider_that_nobody_configured_is_404(server):
    for handle in ("nowhere/m", "openai/not-there", "plain", "openai/", "/m"):
        with pytest.raises(stele.Refused) as refused:
            server.http().post("/v1/agents", {"model": handle})
        assert refused.value.status == 404 and handle in refused.value.text
