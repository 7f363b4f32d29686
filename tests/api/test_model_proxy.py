"""Calls in Anthropic's shape that go through this server: passed on as they are, with the key put in here; with an agent's
memory where a request names one, and with what was said in its history afterwards."""

import json
import urllib.request

import pytest
from mock_anthropic import MockAnthropic, events, message
from stele import GONE, refused, wait_until

ASK = {"model": "claude-x", "max_tokens": 100, "messages": [{"role": "user", "content": "What is the answer?"}]}


@pytest.fixture
def upstream():
    made = MockAnthropic()
    yield made
    made.close()


@pytest.fixture
def api(own_server, upstream):
    environment = {"ANTHROPIC_BASE_URL": upstream.url + "/v1/", "ANTHROPIC_API_KEY": "operators-key\n", "ZAI_BASE_URL": upstream.url + "/api/paas/v4", "ZAI_API_KEY": "zais-key"}
    return own_server(environment, ["--providers-private", "true"]).start().http(2)


def agent_of(api):
    return api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Her name is Grace Hopper."}]})


def said(api, agent):
    return [(m["message_type"], m["content"]) for m in api.get(f"/v1/agents/{agent['id']}/messages?order=asc&limit=100") if m["message_type"] in ("user_message", "assistant_message")]


def test_a_message_goes_through_as_it_is(api, upstream):
    status, text, headers = api.send("POST", "/v1/anthropic/v1/messages?beta=true", ASK, headers={"anthropic-beta": "tools-1", "Cookie": "c=1", "Authorization": "Bearer not-theirs"})
    assert (status, json.loads(text), headers["request-id"]) == (200, message(), "req_1")
    sent, = upstream.requests
    assert sent["path"] == "/v1/messages?beta=true" and sent["raw"] == json.dumps(ASK).encode()
    assert {"x-api-key": "operators-key", "anthropic-beta": "tools-1", "anthropic-version": "2023-06-01", "content-type": "application/json"}.items() <= sent["headers"].items()
    assert not {"cookie", "authorization", "x-agent-id"} & set(sent["headers"])


def test_zais_imitation_is_below_another_path(api, upstream):
    api.post("/v1/zai/v1/messages", ASK)
    assert (upstream.requests[-1]["path"], upstream.requests[-1]["headers"]["x-api-key"]) == ("/api/anthropic/v1/messages", "zais-key")


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_other_call_goes_through(api, upstream, verb):
    status, text, headers = api.send(verb, "/v1/anthropic/v1/models/a%2Fb?limit=2", {"x": 1} if verb not in ("GET", "DELETE") else None)
    assert (status, json.loads(text)) == (200, {"path": "/v1/models/a%2Fb?limit=2", "method": verb})
    assert headers["request-id"] == "req_2" and "set-cookie" not in headers
    for path in ("../admin", "x/../../admin", "%2e%2e/admin", "x/.."):
        failed = refused(api, verb, f"/v1/anthropic/v1/{path}", 400)
        assert failed.body["error"]["type"] == "invalid_request_error"
    assert len(upstream.requests) == 1


def test_the_operators_account_shows_others_nothing_that_is_in_it(own_server, upstream):
    """Batches and files that came of other organisations' requests, say."""
    environment = {"ANTHROPIC_BASE_URL": upstream.url, "ANTHROPIC_API_KEY": "operators-key", "STELE_PASSWORD": "pw"}
    server = own_server(environment, ["--providers-private", "true"]).start()
    admin = server.http(2, headers={"Authorization": "Bearer pw"})
    organization = admin.post("/v1/admin/orgs", {"name": "other"})
    user = admin.post("/v1/admin/users", {"name": "other", "organization_id": organization["id"]})
    key = admin.post("/v1/admin/keys", {"name": "other", "user_id": user["id"]})["key"]
    other = server.http(2, headers={"Authorization": f"Bearer {key}"})
    for verb, path in [("GET", "messages/batches"), ("GET", "messages/batches/b/results"), ("POST", "messages/batches"), ("DELETE", "messages/batches/b"), ("GET", "files"),
                       ("GET", "models/a%2Fb"), ("GET", "models/a/b"), ("PUT", "models"), ("POST", "models"), ("POST", "messages/count_tokens/x")]:
        failed = refused(other, verb, f"/v1/anthropic/v1/{path}?limit=1", 403, {} if verb == "POST" else None)
        assert failed.body["error"]["type"] == "permission_error"
    assert upstream.requests == []
    for verb, path, body in [("GET", "models?limit=1", None), ("GET", "models/a", None), ("POST", "messages", ASK), ("POST", "messages/count_tokens?beta=true", ASK)]:
        assert other.send(verb, f"/v1/anthropic/v1/{path}", body)[0] == 200
    assert {sent["headers"]["x-api-key"] for sent in upstream.requests} == {"operators-key"}
    own = {"x-api-key": "own-key"}
    assert other.send("GET", "/v1/anthropic/v1/messages/batches", headers=own)[0] == 200
    assert upstream.requests[-1]["headers"]["x-api-key"] == "own-key"
    assert admin.send("GET", "/v1/anthropic/v1/messages/batches")[0] == 200


def test_a_stream_comes_as_it_comes(api, upstream):
    upstream.hold.clear()
    request = urllib.request.Request(api.url + "/v1/anthropic/v1/messages", json.dumps({**ASK, "stream": True}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        first = b"".join(iter(answer.readline, b"\n")) + b"\n"  # there before the rest is
        upstream.hold.set()
        assert first + answer.read() == b"".join(events())


def test_a_client_that_leaves_ends_the_call(api, upstream):
    upstream.hold.clear()
    request = urllib.request.Request(api.url + "/v1/anthropic/v1/messages", json.dumps({**ASK, "stream": True}).encode(), {"Content-Type": "application/json"})
    answer = urllib.request.urlopen(request, timeout=30)
    answer.readline()
    answer.close()
    assert upstream.left.wait(30)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("system", [None, "Be brief.", [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]], ids=["none", "text", "blocks"])
def test_an_agents_memory_goes_along_and_what_was_said_comes_back(api, upstream, streamed, system):
    agent = agent_of(api)
    body = {**ASK, "stream": streamed, **({"system": system} if system else {})}
    _, text, _ = api.send("POST", "/v1/anthropic/v1/messages", body, headers={"X-Agent-Id": agent["id"]})
    assert text == b"".join(events()).decode() if streamed else json.loads(text) == message()
    sent = upstream.requests[-1]["body"]
    given = [] if system is None else [{"type": "text", "text": "Be brief."}] if isinstance(system, str) else system
    assert sent["system"][:-1] == given and "Her name is Grace Hopper." in sent["system"][-1]["text"] and sent["system"][-1]["text"].startswith("<memory_blocks>")
    assert {**sent, "system": None} == {**body, "system": None}
    assert said(api, agent) == [("user_message", "What is the answer?"), ("assistant_message", "The answer is 42.")]
    step, = api.get(f"/v1/steps/?agent_id={agent['id']}")
    assert (step["provider_name"], step["model"], step["prompt_tokens"], step["completion_tokens"]) == ("anthropic", "claude-x", 15, 7)


def test_a_turn_that_broke_off_is_not_the_agents(api, upstream):
    agent = agent_of(api)
    headers = {"X-Agent-Id": agent["id"]}
    upstream.cut_after = 5
    with pytest.raises(Exception):
        api.send("POST", "/v1/anthropic/v1/messages", {**ASK, "stream": True}, headers=headers)
    upstream.refusal = (529, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, {"retry-after": "3", "x-should-retry": "true"})
    failed = refused(api, "POST", "/v1/anthropic/v1/messages", 529, ASK, headers=headers)
    assert failed.body["error"]["type"] == "overloaded_error" and failed.headers["retry-after"] == "3"
    assert said(api, agent) == []
    upstream.refusal = None
    assert "X-Agent-Id" in refused(api, "POST", "/v1/anthropic/v1/messages", 400, ASK, headers={"X-Agent-Id": "x"}).text
    assert refused(api, "POST", "/v1/anthropic/v1/messages", 404, ASK, headers={"X-Agent-Id": f"agent-{GONE}"}).body["error"]["type"] == "not_found_error"


def test_ones_own_key_and_ones_own_provider_come_first(api, upstream, own_server):
    mine = MockAnthropic()
    try:
        api.send("POST", "/v1/zai/v1/messages", ASK, headers={"x-api-key": "brought-along"})
        assert upstream.requests[-1]["headers"]["x-api-key"] == "brought-along"
        api.post("/v1/providers", {"name": "mine", "provider_type": "zai", "api_key": "my-key", "base_url": mine.url + "/api/paas/v4"})
        api.post("/v1/zai/v1/messages", ASK)
        asked = [each for each in mine.requests if each["path"].endswith("/messages")]
        assert [(each["path"], each["headers"]["x-api-key"]) for each in asked] == [("/api/anthropic/v1/messages", "my-key")]
    finally:
        mine.close()


def test_without_a_key_nothing_is_asked(server):
    for kind in ("anthropic", "zai"):
        for path in ("messages", "models"):
            failed = refused(server.http(2), "POST", f"/v1/{kind}/v1/{path}", 400, ASK)
            assert f"no key for {kind}" in failed.text and failed.body["type"] == "error" and failed.body["detail"]
    failed = refused(server.http(2), "POST", "/v1/anthropic/v1/messages", 422, {"messages": []})
    assert failed.body["error"]["type"] == "invalid_request_error" and failed.body["errors"][0]["loc"] == ["body", "model"]


def test_a_server_that_is_not_there(own_server):
    http = own_server({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": "very-secret-key"}).start().http(2)
    failed = refused(http, "POST", "/v1/anthropic/v1/messages", 503, ASK)
    assert failed.body["error"]["type"] == "api_error" and "very-secret-key" not in failed.text


def test_keys_stay_out_of_the_log(own_server, upstream):
    server = own_server({"ANTHROPIC_BASE_URL": upstream.url, "ANTHROPIC_API_KEY": "very-secret-key"}, ["--log-level", "debug"]).start()
    server.http(2).send("POST", "/v1/anthropic/v1/messages", ASK, headers={"x-api-key": "brought-secret"})
    upstream.refusal = (401, {"type": "error", "error": {"type": "authentication_error", "message": "no"}}, {})
    refused(server.http(2), "POST", "/v1/anthropic/v1/messages", 401, ASK)
    wait_until(lambda: server.log.read_text().count("/v1/anthropic/v1/messages") >= 2)
    assert "very-secret-key" not in server.log.read_text() and "brought-secret" not in server.log.read_text()
