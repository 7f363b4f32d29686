"""Malformed, mistyped, unknown, foreign and absurd input: the API's status and shape, the field named, nothing changed,
never a 500."""

import json

import pytest
import stele

GONE = "00000000-0000-4000-8000-00000000dead"
DEEP = b'{"label":"x","metadata":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}"

BODIES = [
    # what is sent, status, what the answer must name
    (b"{", 422, "JSON"),
    (b"", 422, ""),
    (b"[]", 422, "body"),
    (b'{"label":5}', 422, "body.label"),
    (b'{"value":"x"}', 422, "body.label"),
    (b'{"label":""}', 422, "body.label"),
    (b'{"label":"' + b"x" * 300 + b'"}', 422, "body.label"),
    (b'{"label":"x","limit":"many"}', 422, "body.limit"),
    (b'{"label":"x","limit":0}', 422, "body.limit"),
    (b'{"label":"x","limit":1e400}', 422, ""),
    (b'{"label":"x","limit":99999999999999999999}', 422, ""),
    (b'{"label":"x","limit":3,"value":"four"}', 422, "exceeds"),
    (b'{"label":"x","tags":"not a list"}', 422, "body.tags"),
    (b'{"label":"x","tags":[1]}', 422, "body.tags.0"),
    (b'{"label":"x","label":"y"}', 422, "label"),
    (b'{"label":"\xff\xfe"}', 400, "UTF-8"),
    (b'{"label":"\\ud800"}', 400, "UTF-8"),
    (DEEP, 422, "deep"),
]


def refused(http, method, path, status, **more) -> stele.Refused:
    with pytest.raises(stele.Refused) as failed:
        http.send(method, path, **more)
    assert failed.value.status == status, failed.value
    assert "detail" in failed.value.body
    return failed.value


@pytest.mark.parametrize("body, status, named", BODIES, ids=range(len(BODIES)))
def test_a_bad_block_is_refused_and_nothing_is_made(http, body, status, named):
    before = http.get("/v1/blocks/count")
    failed = refused(http, "POST", "/v1/blocks/", status, raw=body)
    assert named.lower() in failed.text.lower(), failed.text
    assert http.get("/v1/blocks/count") == before


def test_all_violations_are_told_at_once(http):
    failed = refused(http, "POST", "/v1/blocks", 422, body={"label": 5, "limit": "x", "tags": 7})
    assert {tuple(error["loc"]) for error in failed.body["errors"]} == {("body", "label"), ("body", "limit"), ("body", "tags")}


@pytest.mark.parametrize("path, prefix", [("/v1/agents/{}", "agent"), ("/v1/blocks/{}", "block"), ("/v1/tools/{}", "tool"),
                                          ("/v1/runs/{}", "run"), ("/v1/steps/{}", "step"), ("/v1/messages/{}", "message")])
def test_ids(http, path, prefix):
    wrong = refused(http, "GET", path.format("nonsense"), 422)
    assert f"'{prefix}-{{uuid4}}'" in wrong.text and wrong.body["examples"][0].startswith(prefix)
    other_kind = "tool" if prefix == "agent" else "agent"
    refused(http, "GET", path.format(f"{other_kind}-{GONE}"), 422)
    refused(http, "GET", path.format(f"{prefix}-{GONE}".upper()), 422)
    assert "not found" in refused(http, "GET", path.format(f"{prefix}-{GONE}"), 404).text


@pytest.mark.parametrize("query, named", [("limit=0", "limit"), ("limit=-1", "limit"), ("limit=x", "limit"), ("order=up", "order"),
                                          ("order_by=colour", "order_by"), ("after=junk", "cursor"), ("tags=%ff", "UTF-8"),
                                          ("name=%zz", "escape"), ("match_all_tags=perhaps", "match_all_tags")])
def test_bad_queries(http, query, named):
    with pytest.raises(stele.Refused) as failed:
        http.get("/v1/agents?" + query)
    assert failed.value.status in (400, 422) and named.lower() in failed.value.text.lower(), failed.value.text


def test_unknown_cursors_are_not_found(http):
    assert "cursor" in refused(http, "GET", f"/v1/agents?after=agent-{GONE}", 404).text


MESSAGES = [
    ({}, 422, "input"),
    ({"messages": [], }, 422, "messages"),
    ({"messages": [{"role": "user", "content": "x"}], "input": "y"}, 422, "both"),
    ({"messages": [{"role": "nobody", "content": "x"}]}, 422, "body.messages.0.role"),
    ({"messages": [{"role": "user"}]}, 422, "body.messages.0.content"),
    ({"messages": [{"role": "user", "content": ""}]}, 400, "nothing"),
    ({"input": [{"type": "smell"}]}, 422, "type"),
    ({"input": "x", "max_steps": 0}, 422, "max_steps"),
    ({"input": "x", "include_return_message_types": ["poem"]}, 422, "include_return_message_types"),
    ({"input": "x", "override_model": "no/such"}, 404, "no/such"),
]


@pytest.mark.parametrize("body, status, named", MESSAGES, ids=range(len(MESSAGES)))
def test_bad_messages_leave_no_trace(http, agent, body, status, named):
    failed = refused(http, "POST", f"/v1/agents/{agent['id']}/messages", status, body=body)
    assert named in failed.text, failed.text
    assert http.get(f"/v1/agents/{agent['id']}")["message_ids"] == agent["message_ids"]
    assert http.get(f"/v1/runs?agent_id={agent['id']}") == []


AGENTS = [
    ({"model": 5}, 422, "body.model"),
    ({"agent_type": "no"}, 422, "body.agent_type"),
    ({"name": "a/b"}, 422, "body.name"),
    ({"timezone": "Mars/Olympus"}, 422, "body.timezone"),
    ({"memory_blocks": [{"label": "x"}, {"label": "x"}]}, 409, "'x'"),
    ({"memory_blocks": [{"value": "x"}]}, 422, "body.memory_blocks.0.label"),
    ({"block_ids": ["block-" + GONE]}, 404, "not found"),
    ({"block_ids": ["junk"]}, 422, "body.block_ids.0"),
    ({"tool_ids": ["tool-" + GONE]}, 400, GONE),
    ({"tool_rules": [{"type": "no_such_rule", "tool_name": "x"}]}, 422, "body.tool_rules.0"),
    ({"embedding": "no/such"}, 400, "no/such"),
    ({"context_window_limit": 0}, 422, "context_window_limit"),
]


@pytest.mark.parametrize("body, status, named", AGENTS, ids=range(len(AGENTS)))
def test_bad_agents_leave_nothing_behind(http, body, status, named):
    before = (http.get("/v1/agents/count"), http.get("/v1/blocks/count"))
    assert named in refused(http, "POST", "/v1/agents/", status, body=body).text
    assert (http.get("/v1/agents/count"), http.get("/v1/blocks/count")) == before


def test_a_huge_body_is_refused_early(server):
    http = server.http()
    failed = refused(http, "POST", "/v1/blocks", 413, raw=b'{"label":"x","value":"' + b"x" * (59 << 20) + b'"}')
    assert "larger" in failed.text


def test_paths_and_methods(http):
    assert refused(http, "GET", "/v1/nowhere", 404).body == {"detail": "Not Found"}
    failed = refused(http, "POST", "/v1/health", 405)
    assert failed.body == {"detail": "Method Not Allowed"} and "GET" in failed.headers["Allow"]
    for path in ("/health", "/v1/health", "/latest/health", "/v1/v1/health/", "//v1//health/", "/v1/health/"):
        assert http.get(path)["status"] == "ok"
    assert http.send("HEAD", "/v1/health")[0] == 200


def test_unicode_and_nul_survive_or_go(http):
    block = http.post("/v1/blocks", {"label": "unicode \u00fc", "value": "caf\u00e9 \U0001F600 \u4f60\u597d a\u0000b"})
    assert block["value"] == "caf\u00e9 \U0001F600 \u4f60\u597d ab"
    assert json.dumps(http.get(f"/v1/blocks/{block['id']}")["label"]) == json.dumps("unicode \u00fc")


def test_null_clears_and_absent_leaves(http):
    agent = http.post("/v1/agents", {"description": "d", "metadata": {"k": 1}, "max_tokens": 100})
    path = f"/v1/agents/{agent['id']}"
    assert http.patch(path, {"name": "x"})["description"] == "d"
    cleared = http.patch(path, {"description": None, "metadata": None, "max_tokens": None})
    assert (cleared["description"], cleared["metadata"], cleared["llm_config"]["max_tokens"]) == (None, None, None)
    assert http.patch(path, {"unknown": 1})["name"] == "x"


SURROGATES = [rb'"\ud800"', rb'"\ud800x"', rb'"\ud800\n"', rb'"\ud800\u0041"', rb'"\udc00"', rb'"\ud800\ud800"', rb'"x\ud83d\ude00\ud800"']


@pytest.mark.parametrize("value", SURROGATES, ids=range(len(SURROGATES)))
def test_lone_surrogates_are_no_text(http, value):
    assert "UTF-8" in refused(http, "POST", "/v1/blocks", 400, raw=b'{"label":"x","value":' + value + b"}").text
    assert "UTF-8" in refused(http, "POST", "/v1/blocks", 400, raw=b'{"label":"x",' + value + b":1}").text


@pytest.mark.parametrize("value", [rb'"\\ud800" x', rb'"\ud83d\ude00" x', rb'"\u00d8" x'])
def test_other_syntax_errors_are_not_taken_for_surrogates(http, value):
    assert "JSON" in refused(http, "POST", "/v1/blocks", 422, raw=b'{"label":' + value + b"}").text


def test_nul_goes_from_what_is_said_and_is_refused_elsewhere(http, agent):
    path = f"/v1/agents/{agent['id']}/messages"
    http.post(path, {"messages": [{"role": "user", "content": "@say a\u0000b"}, {"role": "user", "content": [{"type": "text", "text": "c\u0000d"}]}]})
    said = [message["content"] for message in http.get(path) if message["message_type"] == "user_message"]
    assert said[-2:] == ["@say ab", "cd"]
    for body, where in (({"name": "a\u0000"}, "body.name"), ({"tags": ["ok", "a\u0000"]}, "body.tags.1"), ({"description": "\u0000"}, "body.description"),
                        ({"secrets": {"K": "\u0000"}}, "body.secrets.K")):
        assert where in refused(http, "PATCH", f"/v1/agents/{agent['id']}", 422, body=body).text


@pytest.mark.parametrize("key", ["007", "0", "12", "99999999999999999999", "a.b", "", "\""])
def test_odd_keys_are_named_in_valid_json(http, agent, key):
    failed = refused(http, "PATCH", f"/v1/agents/{agent['id']}", 422, body={"secrets": {key: 5}})
    assert failed.body["errors"][0]["loc"][:2] == ["body", "secrets"]
