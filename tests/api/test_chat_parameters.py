"""Parameters of a chat completion: they go on to the model for this one run, and bad ones are refused as OpenAI refuses them."""

import json

import pytest
import stele

CHAT = "/v1/chat/completions"
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {}}}}
HANDED_ON = [
    ({"temperature": 0.25}, {"temperature": 0.25}), ({"temperature": 0}, {"temperature": 0}), ({"top_p": 0.5}, {"top_p": 0.5}),
    ({"presence_penalty": -0.5, "frequency_penalty": 1.5}, {"presence_penalty": -0.5, "frequency_penalty": 1.5}),
    ({"max_tokens": 77}, {"max_completion_tokens": 77}), ({"max_completion_tokens": 78}, {"max_completion_tokens": 78}),
    ({"max_tokens": 5, "max_completion_tokens": 79}, {"max_completion_tokens": 79}),
    ({"seed": 2**53}, {"seed": 2**53}), ({"seed": -1}, {"seed": -1}),
    ({"stop": "\nUser:"}, {"stop": ["\nUser:"]}), ({"stop": ["a", "é"]}, {"stop": ["a", "é"]}),
    ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}), ({"response_format": SCHEMA}, {"response_format": SCHEMA}),
]
NAMES = ["temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens", "max_completion_tokens", "seed", "stop", "response_format"]
BAD = [
    ("temperature", "x"), ("temperature", 2.1), ("temperature", -0.1), ("top_p", 1.5), ("top_p", [1]), ("presence_penalty", 3), ("frequency_penalty", -2.5),
    ("max_tokens", 0), ("max_tokens", -1), ("max_tokens", 1.5), ("max_completion_tokens", 0), ("seed", "soon"), ("seed", 2**63), ("stop", 5), ("stop", ["a"] * 5), ("stop", [""]),
    ("stop", [1]), ("response_format", "json"), ("response_format", {"type": "xml"}), ("response_format", {"type": "json_schema"}), ("response_format", []),
]


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def ada(api):
    return api.post("/v1/agents", {})


def chat(agent, text="@say fine", **more):
    return {"model": agent["id"], "messages": [{"role": "user", "content": text}], **more}


def parameters(request):
    return {name: request[name] for name in NAMES if name in request}


@pytest.mark.parametrize("asked, sent", HANDED_ON, ids=json.dumps)
def test_they_are_handed_on_for_this_run_alone(api, model, ada, asked, sent):
    usual = parameters(model.requests()[-1]) if api.post(CHAT, chat(ada)) else {}
    api.post(CHAT, chat(ada, **asked))
    assert parameters(model.requests()[-1]) == {**usual, **sent}
    api.post(f"/v1/agents/{ada['id']}/messages", {"input": "and now?"})
    assert parameters(model.requests()[-1]) == usual
    assert api.get(f"/v1/agents/{ada['id']}")["llm_config"] == ada["llm_config"]


def test_every_step_of_the_run_has_them_also_in_a_stream(api, model, ada):
    model.forget()
    api.events(CHAT, chat(ada, '@call conversation_search {"query": "x"}', stream=True, temperature=0.5, stop="END"))
    requests = model.requests()
    assert len(requests) == 2 and all(r["temperature"] == 0.5 and r["stop"] == ["END"] for r in requests)


def test_they_stand_over_what_the_agent_is_set_to(api, model):
    agent = api.post("/v1/agents", {"model_settings": {"provider_type": "openai", "temperature": 1.0, "max_output_tokens": 500}, "response_format": {"type": "json_object"}})
    api.post(CHAT, chat(agent, temperature=0.0, max_tokens=40, response_format={"type": "text"}))
    assert parameters(model.requests()[-1]) == {"temperature": 0, "max_completion_tokens": 40}
    api.post(CHAT, chat(agent, **dict.fromkeys(NAMES)))
    assert parameters(model.requests()[-1]) == {"temperature": 1, "max_completion_tokens": 500, "response_format": {"type": "json_object"}}


def test_an_answer_that_was_cut_says_length(api, ada):
    assert api.post(CHAT, chat(ada, "@truncate half a sen", max_tokens=4))["choices"][0]["finish_reason"] == "length"
    events = api.events(CHAT, chat(ada, "@truncate half a sen", max_tokens=4, stream=True))
    assert [e["choices"][0]["finish_reason"] for e in events[:-1]][-1] == "length"


@pytest.mark.parametrize("name, value", BAD, ids=str)
def test_bad_values_are_refused_in_openais_shape(api, model, ada, name, value):
    model.forget()
    failed = stele.refused(api, "POST", CHAT, 400, chat(ada, **{name: value}))
    assert list(failed.body["error"]) == ["message", "type", "param", "code"] and failed.body["error"]["type"] == "invalid_request_error"
    assert failed.body["error"]["param"].split(".")[0] == name and name in failed.body["error"]["message"] and model.requests() == []


def test_a_refusal_has_its_shape_with_a_key_too_and_leaves_the_key_free(api, ada):
    headers = {"Idempotency-Key": f"{ada['id']} asks once"}
    plain, keyed = [stele.refused(api, "POST", CHAT, 400, chat(ada, temperature=9), headers=more) for more in ({}, headers)]
    assert keyed.body["error"] == plain.body["error"] and keyed.body["error"]["param"] == "temperature"
    answer = api.post(CHAT, chat(ada, temperature=1), headers=headers)
    assert answer["choices"][0]["message"]["content"] == "fine" and api.post(CHAT, chat(ada, temperature=1), headers=headers) == answer


def test_what_means_nothing_to_an_agent_is_let_pass(api, model, ada):
    more = {"n": 3, "logprobs": True, "logit_bias": {"50256": -100}, "user": "u", "tools": [], "tool_choice": "none", "metadata": {"a": "b"}, "service_tier": "auto"}
    assert api.post(CHAT, chat(ada, **more))["choices"][0]["message"]["content"] == "fine"
    assert not {"n", "logprobs", "logit_bias", "metadata", "service_tier"} & set(model.requests()[-1])
