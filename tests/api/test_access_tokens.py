"""Client-side access tokens: what each right lets through, for whose pages, and how they end."""

import datetime
import http.client
import json
import pathlib
import re
import threading

import pytest
import stele
from stele import GONE, refused, wait_until

ORIGIN = "https://pages.example"
PASSWORD = "correct horse"
RIGHTS = ["read_messages", "write_messages", "read_agent", "write_agent"]


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    environment = {**model.environment(), "STELE_PASSWORD": PASSWORD, "STELE_LOG_LEVEL": "debug"}
    running = stele.Server(tmp_path_factory.mktemp("tokens"), environment).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(scope="module")
def member(server):
    return server.http(headers={"Authorization": f"Bearer {PASSWORD}"})


@pytest.fixture
def agent(member):
    return member.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}], "secrets": {"KEY": "hush-hush"}})


def policy(agent, *access):
    return [{"type": "agent", "id": agent["id"], "access": list(access)}]


def make(member, agent, *access, **more):
    return member.post("/v1/client-side-access-tokens", {"policy": policy(agent, *access), "hostname": ORIGIN, **more})


def page(server, token, origin=ORIGIN):
    """What a page of the origin sends."""
    return server.http(headers={"Authorization": f"Bearer {token['token']}", **({"Origin": origin} if origin else {})})


def ahead(**time):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(**time)).isoformat()


def test_a_token_is_made_listed_and_taken_back(server, member, agent):
    made = make(member, agent, "read_agent")
    assert list(made) == ["policy", "token", "hostname", "expiresAt", "id"]
    assert made["policy"] == {"version": "1", "data": policy(agent, "read_agent")} and made["hostname"] == ORIGIN
    assert made["token"].startswith("ste_") and len(made["token"]) == 47
    life = datetime.datetime.fromisoformat(made["expiresAt"]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=3) < life <= datetime.timedelta(minutes=5)

    listed = member.get(f"/v1/tokens?agentId={agent['id']}")
    assert listed == {"tokens": [{**made, "token": made["token"][:8] + "..."}], "hasNextPage": False}
    second = make(member, agent, "read_agent")
    for named in (made["token"], second["id"]):
        for _ in range(2):  # what is gone is gone
            assert member.send("DELETE", f"/v1/client-side-access-tokens/{named}", {})[0] == 204
    assert member.get(f"/v1/client-side-access-tokens?agentId={agent['id']}")["tokens"] == []
    refused(page(server, made), "GET", f"/v1/agents/{agent['id']}", 401)

    secret = made["token"].removeprefix("ste_")
    for file in (server.folder / "data").glob("stele.db*"):
        assert secret.encode() not in file.read_bytes()
    assert secret not in server.log.read_text()


def test_lists_are_paged_by_offset(member, agent):
    made = [make(member, agent, "read_agent")["id"] for _ in range(5)]
    pages = [member.get(f"/v1/tokens?agentId={agent['id']}&limit=2&offset={offset}") for offset in (0, 2, 4)]
    assert [each["id"] for found in pages for each in found["tokens"]] == made[::-1]
    assert [found["hasNextPage"] for found in pages] == [True, True, False]
    for bad in ("limit=0", "limit=101", "limit=many", "offset=-1"):
        assert set(refused(member, "GET", f"/v1/tokens?{bad}", 400).body) == {"detail", "message", "errorCode"}


@pytest.mark.parametrize("change, status", [
    ({"policy": []}, 400), ({"policy": [{"type": "agent", "id": f"agent-{GONE}", "access": ["read_agent"]}]}, 400), ({"hostname": "pages.example"}, 400),
    ({"hostname": "https://pages.example/path"}, 400), ({"hostname": "https://Pages.example"}, 400), ({"hostname": "https://pages.example:443"}, 400), ({"hostname": "*"}, 400),
    ({"hostname": "ftp://pages.example"}, 400), ({"expires_at": "2020-01-01T00:00:00Z"}, 400), ({"expires_at": ahead(days=31)}, 400), ({"expires_at": "soon"}, 422),
    ({"policy": [{"type": "agent", "id": "x", "access": ["read_agent"]}]}, 422), ({"policy": None}, 422), ({"policy": "all"}, 422),
])
def test_what_a_token_can_not_be(member, agent, change, status):
    body = {"policy": policy(agent, "read_agent"), "hostname": ORIGIN, **change}
    failed = refused(member, "POST", "/v1/client-side-access-tokens", status, {name: value for name, value in body.items() if value is not None})
    assert failed.body["detail"] and (status == 422 or failed.body["message"] == failed.body["detail"])
    refused(member, "POST", "/v1/tokens", 400, {"policy": policy(agent), "hostname": ORIGIN})
    refused(member, "POST", "/v1/tokens", 422, {"policy": policy(agent, "read_everything"), "hostname": ORIGIN})


def rules() -> dict:
    """The table of the server: operation -> right."""
    source = (pathlib.Path(stele.ROOT) / "src/api/token_rules.cpp").read_text()
    return dict(re.findall(r'\{"([\w.]+)", (\w+)', source))


def filled(path, agent, conversation, run) -> str:
    values = {"agent_id": agent["id"], "block_label": "human", "conversation_id": conversation["id"], "run_id": run["id"]}
    prefixes = {"tool_id": "tool", "block_id": "block", "message_id": "message", "group_id": "group", "step_id": "step"}
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], f"{prefixes.get(found[1], 'agent')}-{GONE}"), path)


def test_every_route_with_each_right_and_with_none(server, member, agent):
    """Only what the table names is let through, and by its right alone; a route that is new is refused by itself."""
    document = member.get("/openapi.json")
    operations = {operation["operationId"]: (verb.upper(), path) for path, verbs in document["paths"].items() for verb, operation in verbs.items() if operation.get("security") != []}
    assert set(rules()) <= set(operations), "a rule for an operation that is not there"
    assert set(rules().values()) == set(RIGHTS)
    conversation = member.post(f"/v1/conversations?agent_id={agent['id']}")
    other = member.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "x"}]})
    body = {"label": "x", "name": "x", "query": "x", "input": "@say hello", "messages": None}
    for right in RIGHTS:
        token = make(member, agent, right)
        calls = 0
        http = page(server, token)
        run = {"id": f"run-{GONE}"}
        for name, (verb, path) in operations.items():
            calls += 1
            if calls % 40 == 0:  # the walk is quicker than the rate of one token
                http = page(server, make(member, agent, right))
            url = filled(path, agent, conversation, run) + f"?agent_id={agent['id']}"
            send = dict(body) if verb != "GET" else None
            if name == "agents.update" and send:
                send = {"description": "x"}
            if name == "agents.messages.cancel":
                send = {"run_ids": [run["id"]]}
            try:
                status, text, _ = http.send(verb, url, send)
            except stele.Refused as failed:
                status, text = failed.status, failed.text
            if rules().get(name) == right:
                own_run = "run_id" in path or "cancel" in path
                assert status == 404 if own_run else status in (200, 422), f"{right}: {verb} {path}: {status} {text}"
                foreign = filled(path, other, {"id": other["id"]}, run) + f"?agent_id={other['id']}"
                assert refused(http, verb, foreign, 404, send)
            elif "run_id" in path and name in rules():  # which agent it belongs to is not told
                assert status == 404
            else:
                assert status == 403, f"{right}: {verb} {path}: {status} {text}"
                assert json.loads(text)["detail"] == json.loads(text)["message"]


def test_secrets_are_blanked(server, member, agent):
    path = f"/v1/agents/{agent['id']}?include=agent.secrets"
    token = page(server, make(member, agent, "read_agent", "write_agent"))
    for shown in (token.get(path), token.patch(path, {"description": "d"})):
        assert "hush-hush" not in json.dumps(shown)
    assert [(each["key"], each["value"]) for each in token.get(path)["secrets"]] == [("KEY", "")]
    assert "hush-hush" in json.dumps(member.get(path))


def test_only_pages_of_its_origin(server, member, agent, own_server):
    token = make(member, agent, "read_agent")
    path = f"/v1/agents/{agent['id']}"
    for origin in (None, "https://other.example", ORIGIN + ":8443", "null"):
        assert "origin" in refused(page(server, token, origin), "GET", path, 403).text.lower()
    status, _, headers = page(server, token).send("GET", path)
    assert status == 200 and headers["Access-Control-Allow-Origin"] == ORIGIN and "Origin" in headers["Vary"]
    assert refused(page(server, make(member, agent, "read_messages")), "GET", path, 403).headers["Access-Control-Allow-Origin"] == ORIGIN

    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    status, _, headers = server.http().send("OPTIONS", path, headers=asks)
    assert status == 204 and headers["Access-Control-Allow-Origin"] == ORIGIN and headers["Access-Control-Allow-Headers"] == "authorization"
    refused(server.http(), "OPTIONS", path, 401, headers={**asks, "Origin": "https://nobody.example"})
    # Such an origin opens the server for tokens, not for whatever else a page may know.
    refused(server.http(headers={"Authorization": f"Bearer {PASSWORD}", "Origin": ORIGIN}), "GET", path, 403)
    assert "Access-Control-Allow-Origin" not in server.http(headers={"Authorization": f"Bearer {PASSWORD}", "Origin": "https://nobody.example"}).send("GET", path)[2]


def test_an_open_server_does_not_open_for_such_pages(own_server):
    server = own_server(arguments=["--token-require-origin", "false"])
    server.start()
    agent = server.http().post("/v1/agents", {})
    token = make(server.http(), agent, "read_agent")
    refused(server.http(headers={"Origin": ORIGIN}), "GET", "/v1/agents", 403)
    assert page(server, token, None).get(f"/v1/agents/{agent['id']}")["id"] == agent["id"]  # a program, as the option says
    refused(page(server, token, "https://other.example"), "GET", f"/v1/agents/{agent['id']}", 403)
    server.stop()
    server.start()  # origins are known again
    refused(server.http(headers={"Origin": ORIGIN}), "GET", "/v1/agents", 403)


@pytest.mark.parametrize("member_name, value", [("override_model", "openai/mock-small"), ("override_system", "x"), ("system", "x"), ("client_tools", []), ("callback_url", "https://x.example"), ("identity_id", "x")])
def test_the_agent_stays_what_it_is(server, member, agent, member_name, value):
    token = page(server, make(member, agent, *RIGHTS))
    for path in ("messages", "messages/stream", "messages/async"):
        assert member_name in refused(token, "POST", f"/v1/agents/{agent['id']}/{path}", 403, {"input": "hello", member_name: value}).text
    for change in ({"tool_ids": []}, {"block_ids": []}, {"model": "openai/mock-small"}, {"secrets": {}}, {"name": "n", "tool_rules": []}):
        refused(token, "PATCH", f"/v1/agents/{agent['id']}", 403, change)
    refused(token, "POST", f"/v1/conversations?agent_id={agent['id']}", 403, {"model": "openai/mock-small"})


def test_talking_and_own_runs(server, member, agent):
    token, other = (page(server, make(member, agent, "read_messages", "write_messages")) for _ in range(2))
    told = token.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say hello"})
    assert any(message.get("content") == "hello" for message in told["messages"])
    conversation = token.post(f"/v1/conversations?agent_id={agent['id']}")
    events = token.events(f"/v1/conversations/{conversation['id']}/messages", {"input": "@say hi"})
    assert events[-1] == "[DONE]"
    assert any(message.get("content") == "hi" for message in token.get(f"/v1/conversations/{conversation['id']}/messages"))

    run = token.post(f"/v1/agents/{agent['id']}/messages/async", {"input": "@sleep 60000"})
    assert token.get(f"/v1/runs/{run['id']}")["id"] == run["id"]
    refused(other, "GET", f"/v1/runs/{run['id']}", 404)
    refused(other, "POST", f"/v1/agents/{agent['id']}/messages/cancel", 404, {"run_ids": [run["id"]]})
    refused(token, "POST", f"/v1/agents/{agent['id']}/messages/cancel", 403, {})
    assert token.post(f"/v1/agents/{agent['id']}/messages/cancel", {"run_ids": [run["id"]]}) == {run["id"]: "cancelled"}


def test_default_conversations_of_other_agents(server, member, agent):
    other = member.post("/v1/agents", {})
    token = page(server, make(member, agent, *RIGHTS))
    refused(token, "GET", f"/v1/conversations/{other['id']}/messages", 404)
    refused(token, "GET", f"/v1/conversations/default/messages?agent_id={other['id']}", 404)
    refused(token, "POST", "/v1/conversations/default/messages", 404, {"input": "x", "agent_id": other["id"]})
    refused(token, "POST", f"/v1/conversations/default/messages?agent_id={agent['id']}", 403, {"input": "x", "agent_id": other["id"]})
    refused(token, "POST", f"/v1/conversations?agent_id={other['id']}", 404)


def stream_of(server, token, agent):
    """A stream of a token, its events as they come, and the end."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {token['token']}", "Origin": ORIGIN, "Content-Type": "application/json"}
    connection.request("POST", f"/v1/agents/{agent['id']}/messages/stream", json.dumps({"input": "@sleep 60000"}), headers)
    return connection.getresponse()


@pytest.mark.parametrize("how", ["taken back", "user deleted"])
def test_a_token_that_is_gone_closes_its_streams(server, member, agent, how):
    organization = member.get("/v1/metadata/user")["organization_id"]
    user = member.post("/v1/admin/users", {"name": "x", "organization_id": organization})
    theirs = server.http(headers={"Authorization": f"Bearer {PASSWORD}", "user_id": user["id"]})
    token = make(theirs, agent, "write_messages")
    answer = stream_of(server, token, agent)
    assert answer.status == 200 and answer.readline()
    ended = threading.Event()
    threading.Thread(target=lambda: (answer.read(), ended.set()), daemon=True).start()
    if how == "taken back":
        member.send("DELETE", f"/v1/tokens/{token['id']}")
    else:
        member.delete(f"/v1/admin/users?user_id={user['id']}")
    assert ended.wait(30), "the stream is still open"
    refused(page(server, token), "POST", f"/v1/agents/{agent['id']}/messages", 401, {"input": "x"})
    member.post(f"/v1/agents/{agent['id']}/messages/cancel")


def test_a_token_ends_by_itself(server, member, agent):
    http = page(server, make(member, agent, "read_agent", expires_at=ahead(seconds=2)))

    def has_ended():
        try:
            http.get(f"/v1/agents/{agent['id']}")
        except stele.Refused as ended:
            assert ended.status == 401
            return True

    wait_until(has_ended)
    assert member.get(f"/v1/tokens?agentId={agent['id']}")["tokens"] == []


def test_an_agent_that_is_deleted_leaves_the_policies(server, member, agent):
    other = member.post("/v1/agents", {})
    token = member.post("/v1/tokens", {"policy": policy(agent, "read_agent") + policy(other, "read_agent") + policy(other, "read_messages"), "hostname": ORIGIN})
    assert token["policy"]["data"][1]["access"] == ["read_agent", "read_messages"]
    http = page(server, token)
    http.get(f"/v1/agents/{agent['id']}")
    member.delete(f"/v1/agents/{agent['id']}")
    refused(http, "GET", f"/v1/agents/{agent['id']}", 404)
    assert member.get(f"/v1/tokens?agentId={other['id']}")["tokens"][0]["policy"]["data"] == [{"type": "agent", "id": other["id"], "access": ["read_agent", "read_messages"]}]
    member.delete(f"/v1/agents/{other['id']}")
    refused(http, "GET", f"/v1/agents/{other['id']}", 401)


def test_the_rate_of_a_token(server, member, agent):
    token = page(server, make(member, agent, "write_agent"))
    path = f"/v1/agents/{agent['id']}/core-memory/blocks/human"
    statuses = []
    for number in range(600):
        try:
            statuses.append(token.send("PATCH", path, {"value": str(number)})[0])
        except stele.Refused as failed:
            assert failed.status == 429 and int(failed.headers["Retry-After"]) >= 1
            break
    assert len(statuses) >= 60
    refused(token, "GET", f"/v1/agents/{agent['id']}", 403)  # reading has a rate of its own


def test_tokens_are_made_by_members_alone(server, member, agent):
    key = member.post("/v1/admin/keys", {"name": "k", "scopes": ["read"]})["key"]
    reader = server.http(headers={"Authorization": f"Bearer {key}"})
    token = page(server, make(member, agent, *RIGHTS))
    for http in (reader, token):
        refused(http, "GET", "/v1/tokens", 403)
        refused(http, "POST", "/v1/tokens", 403, {"policy": policy(agent, "read_agent"), "hostname": ORIGIN})
        refused(http, "DELETE", "/v1/tokens/x", 403)
    refused(server.http(headers={"Authorization": f"Bearer {PASSWORD}", "user_id": f"user-{GONE}"}), "GET", "/v1/tokens", 404)


def test_keys_of_idempotency_are_the_token_s_own(server, member, agent):
    body, key = {"input": "@say secret words"}, {"Idempotency-Key": "shared"}
    told = member.post(f"/v1/agents/{agent['id']}/messages", body, headers=key)
    token = page(server, make(member, agent, "write_messages"))
    again = token.post(f"/v1/agents/{agent['id']}/messages", body, headers=key)
    assert again["messages"][0]["run_id"] != told["messages"][0]["run_id"]
    assert token.post(f"/v1/agents/{agent['id']}/messages", body, headers=key)["messages"] == again["messages"]
