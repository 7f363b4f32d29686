"""Logins with MCP servers: the connect stream, the way back, and what becomes of the tokens."""

import concurrent.futures
import json
import re
import threading
import urllib.parse

import mcp_server
import oauth_server
import pytest
import stele

names = iter(range(10_000))


@pytest.fixture(scope="module")
def open_server(model, tmp_path_factory):
    patience = [word for stage in ("connect", "list", "call") for word in (f"--tools-mcp-{stage}-seconds", "8")]
    running = stele.Server(tmp_path_factory.mktemp("mcp"), model.environment(), ["--tools-mcp-private", "true", *patience]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def mcp(open_server):
    return open_server.http(2)


@pytest.fixture
def guarded():
    """Makes an authorization server and an MCP server that wants its tokens."""
    made = []

    def make(oauth=None, **options):
        issuer = oauth_server.OauthServer(**(oauth or {}))
        made.append(issuer)
        made.append(oauth_server.ProtectedMcp(issuer, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def config_of(peer, **more):
    return {"server_name": f"guarded{next(names)}", "type": "streamable_http", "server_url": peer.url, **more}


def create(http, peer, **config):
    return http.post("/v1/mcp-servers", {"server_name": f"guarded{next(names)}", "config": {"mcp_server_type": "streamable_http", "server_url": peer.url, **config}})


def connect(http, made):
    return oauth_server.Connecting(http, "GET", f"/v1/mcp-servers/connect/{made['id']}")


def try_out(http, config):
    return oauth_server.Connecting(http, "POST", "/v1/tools/mcp/servers/connect", config)


def logged_in(http, peer, **config):
    """A stored server that somebody has logged in with."""
    made = create(http, peer, **config)
    stream = connect(http, made)
    assert oauth_server.log_in(stream.until("authorization_url")["url"])["status"] == "success"
    assert stream.rest()[-1] == "success"
    return made


def run(http, made, tool="echo", **args):
    ids = {each["metadata_"]["mcp"]["tool_name"]: each["id"] for each in http.get(f"/v1/mcp-servers/{made['id']}/tools")}
    return http.post(f"/v1/mcp-servers/{made['id']}/tools/{ids[tool]}/run", {"args": args or {"message": "x"}})


def asked_of(url):
    return dict(urllib.parse.parse_qsl(url.partition("?")[2]))


# ---- the way through ----


def test_the_events_come_in_order_and_the_tools_at_the_end(mcp, guarded):
    peer = guarded()
    config = config_of(peer)
    stream = try_out(mcp, config)
    page = stream.until("authorization_url")

    assert [event["event"] for event in stream.events] == ["connection_attempt", "oauth_required", "authorization_url"]
    assert stream.events[0] == {"event": "connection_attempt", "server_name": config["server_name"]} and stream.events[1]["message"]
    assert re.fullmatch(r"mcp-oauth-[0-9a-f]{8}", page["session_id"]) and set(page) == {"event", "url", "session_id"}
    assert stream.next()["event"] == "waiting_for_auth"
    told = oauth_server.log_in(page["url"])
    assert told["status"] == "success" and told["server_url"] == peer.url and told["message"] and told["http_status"] == 200
    last = stream.next()
    assert last["event"] == "success" and "echo" in [tool["name"] for tool in last["tools"]] and stream.next() is None
    assert peer.oauth.problems == []


def test_what_the_authorization_server_is_asked(mcp, guarded):
    peer = guarded(scopes=("tools", "files"))
    stream = try_out(mcp, config_of(peer))
    url = stream.until("authorization_url")["url"]
    asked = asked_of(url)

    assert asked["redirect_uri"] == mcp.url + "/v1/tools/mcp/oauth/callback", "of the request's own scheme and host"
    assert asked["resource"] == peer.url and asked["scope"] == "tools files" and asked["response_type"] == "code"
    assert len(asked["state"]) >= 43 and asked["code_challenge_method"] == "S256"
    registered = peer.oauth.registrations[0]
    assert registered["redirect_uris"] == [asked["redirect_uri"]] and registered["application_type"] == "native"
    assert registered["grant_types"] == ["authorization_code", "refresh_token"] and registered["token_endpoint_auth_method"] == "none"
    oauth_server.log_in(url)
    assert stream.rest()[-1] == "success"
    assert peer.oauth.token_requests[0]["resource"] == peer.url and peer.oauth.problems == []


def test_the_scope_of_the_challenge_goes_before_that_of_the_metadata(mcp, guarded):
    peer = guarded(challenge='Basic realm="a, b", Bearer error="invalid_token", scope="just this", resource_metadata="{base}/.well-known/oauth-protected-resource/mcp"')
    assert asked_of(try_out(mcp, config_of(peer)).until("authorization_url")["url"])["scope"] == "just this"


WAYS = {
    "named in the challenge": ({}, {}),
    "at the path": ({}, dict(challenge="Bearer")),
    "at the root": ({}, dict(challenge='Bearer realm="x"', documents={"/.well-known/oauth-protected-resource/mcp": b"<html>an app that answers everything</html>"}, root=True)),
    "an issuer with a path": (dict(path="/tenant/1"), {}),
    "OpenID Connect": (dict(openid=True), {}),
    "OpenID Connect with a path": (dict(openid=True, path="/realms/x"), {}),
    "a secret in the header": (dict(secrets_for="client_secret_basic"), {}),
    "a secret in the form": (dict(secrets_for="client_secret_post"), {}),
    "201 for a token": (dict(token_status=201), {}),
    "a server of 2025-03-26": ({}, dict(own=True)),
    "a server of events": ({}, dict(eras=["sse"])),
    "a modern server": ({}, dict(eras=["modern"])),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_the_documents(mcp, guarded, way):
    oauth, options = WAYS[way]
    options = dict(options)
    root, own = options.pop("root", False), options.pop("own", False)
    peer = guarded(oauth, **options)
    if root:
        peer.documents["/.well-known/oauth-protected-resource"] = peer.resource_metadata()
    if own:  # no document at all: the server logs people in at its own origin
        issuer = peer.oauth
        peer.challenge, peer.documents["/.well-known/oauth-protected-resource/mcp"] = "Bearer", b"no"
        peer.documents["/.well-known/oauth-authorization-server"] = {**issuer.metadata(), "issuer": peer.base}
    made = create(mcp, peer) if options.get("eras") != ["sse"] else mcp.post("/v1/mcp-servers", {"server_name": f"guarded{next(names)}", "config": {"mcp_server_type": "sse", "server_url": peer.sse_url}})
    if options.get("eras") == ["sse"]:
        peer.more["resource"], peer.url = peer.base, peer.base
    stream = connect(mcp, made)
    assert oauth_server.log_in(stream.until("authorization_url")["url"])["status"] == "success"
    assert stream.rest()[-1] == "success", stream.events
    assert run(mcp, made)["func_return"] == "Echo: x" and peer.oauth.problems == []


def test_a_server_without_any_document_has_the_usual_places(mcp, guarded):
    peer = guarded(challenge="", documents={"/.well-known/oauth-protected-resource/mcp": b"no"})
    stream = try_out(mcp, config_of(peer))
    assert "register" in stream.until("error")["message"], "it has no /register either, and is asked there"
    assert ["GET /.well-known/oauth-authorization-server", "GET /.well-known/openid-configuration"] == [each for each, _, _ in peer.requests if each.startswith("GET /.well-known/o") and "protected" not in each]
    assert ("/register", ) == tuple({each for each, _, message in peer.requests if message and "redirect_uris" in message})


# ---- who Stele is there ----


def test_a_registration_is_used_again_with_its_issuer_alone(mcp, guarded):
    peer, other = guarded(), guarded()
    for _ in range(2):
        try_out(mcp, config_of(peer)).until("authorization_url")
    try_out(mcp, config_of(other)).until("authorization_url")
    assert len(peer.oauth.registrations) == 1 and len(other.oauth.registrations) == 1
    assert asked_of(try_out(mcp, config_of(other)).until("authorization_url")["url"])["client_id"] in other.oauth.clients


def test_a_client_that_was_registered_by_hand(mcp, guarded):
    peer = guarded(dict(secrets_for="client_secret_basic", metadata={"registration_endpoint": None}))
    refusal = try_out(mcp, config_of(peer)).until("error")["message"]
    assert "client_id" in refusal and "/v1/tools/mcp/oauth/callback" in refusal, "what to do is said"
    peer.oauth.clients["by-hand"] = {"client_id": "by-hand", "client_secret": "tell-nobody-by-hand", "redirect_uris": [mcp.url + "/v1/tools/mcp/oauth/callback"]}

    made = logged_in(mcp, peer, oauth={"client_id": "by-hand", "client_secret": "tell-nobody-by-hand", "scope": "mine", "send_resource": False})

    assert made["oauth"] == {"client_id": "by-hand", "scope": "mine", "send_resource": False}, "the secret is never told"
    assert "resource" not in peer.oauth.token_requests[0] and run(mcp, made)["status"] == "success"
    patched = mcp.patch(f"/v1/mcp-servers/{made['id']}", {"config": {"oauth": {**made["oauth"], "scope": "other"}}})
    assert patched["oauth"]["scope"] == "other" and peer.oauth.problems == []
    peer.oauth.end_all()
    assert run(mcp, made)["status"] == "success", "the secret was kept"


def test_a_client_that_is_known_by_its_document(own_server, guarded):
    peer = guarded(dict(metadata={"client_id_metadata_document_supported": True}))
    running = own_server(arguments=["--tools-mcp-private", "true", "--public-url", "https://stele.example/"]).start()
    document = running.http(2).get("/v1/tools/mcp/oauth/client")
    assert document["client_id"] == "https://stele.example/v1/tools/mcp/oauth/client" and document["redirect_uris"] == ["https://stele.example/v1/tools/mcp/oauth/callback"]
    peer.oauth.clients[document["client_id"]] = document
    stream = try_out(running.http(2), config_of(peer))
    url = stream.until("authorization_url")["url"]
    assert asked_of(url)["client_id"] == document["client_id"] and peer.oauth.registrations == []
    back = oauth_server.way_back(url)
    assert back.startswith("https://stele.example/v1/tools/mcp/oauth/callback?")
    oauth_server.open_page(back.replace("https://stele.example", running.url))
    assert stream.rest()[-1] == "success"


# ---- the way back ----


def test_a_state_is_good_once_and_only_whole(mcp, guarded):
    peer = guarded()
    stream = try_out(mcp, config_of(peer))
    back = oauth_server.way_back(stream.until("authorization_url")["url"])
    state = asked_of(back)["state"]
    for wrong in (back.replace(state, state[:-1]), back.replace(state, state + "x"), back.replace(state, ""), back.split("?")[0]):
        status, text, _ = oauth_server.open_page(wrong)
        assert status == 200 and json.loads(text)["status"] == "error"
    assert [json.loads(oauth_server.open_page(back)[1])["status"] for _ in range(2)] == ["success", "error"], "once"
    assert stream.rest()[-1] == "success" and len(peer.oauth.token_requests) == 1


def test_a_browser_gets_a_page(mcp, guarded):
    peer = guarded()
    stream = try_out(mcp, config_of(peer))
    status, text, headers = oauth_server.open_page(oauth_server.way_back(stream.until("authorization_url")["url"]), "text/html,*/*")
    assert status == 200 and headers["Content-Type"].startswith("text/html") and "Logged in" in text and peer.url in text
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store" and "default-src 'none'" in headers["Content-Security-Policy"]
    peer.oauth.says_no = "access_denied"
    stream = try_out(mcp, config_of(guarded_again(peer)))
    _, text, _ = oauth_server.open_page(oauth_server.way_back(stream.until("authorization_url")["url"]), "text/html")
    assert "did not succeed" in text and "<b>person" not in text and "&lt;b&gt;person" in text
    assert stream.rest()[-1] == "error" and "access_denied" in stream.events[-1]["message"]


def guarded_again(peer):
    """The same server for somebody who has not logged in: by another address."""
    class Other:
        url = peer.url + "?again"
    return Other


def test_the_issuer_of_the_answer_is_looked_at(mcp, guarded):
    for iss, advertised, good in ((True, True, True), (True, False, True), (None, True, False), ("http://evil.example", False, False), ("http://evil.example", True, False)):
        peer = guarded(dict(metadata={"authorization_response_iss_parameter_supported": advertised}))
        peer.oauth.iss = iss
        stream = try_out(mcp, config_of(peer))
        told = oauth_server.log_in(stream.until("authorization_url")["url"])
        assert told["status"] == ("success" if good else "error"), (iss, advertised)
        assert stream.rest()[-1] == ("success" if good else "error")
        assert good or peer.oauth.token_requests == [], "the code is not shown to anybody"


def test_the_older_address_of_the_way_back(mcp, guarded):
    peer = guarded()
    stream = try_out(mcp, config_of(peer))
    page = stream.until("authorization_url")
    back = oauth_server.way_back(page["url"])
    status, text, _ = oauth_server.open_page(back.replace("/callback?", f"/callback/{page['session_id']}?"))
    assert status == 200 and json.loads(text)["status"] == "success" and stream.rest()[-1] == "success"
    stream = try_out(mcp, config_of(guarded()))
    back = oauth_server.way_back(stream.until("authorization_url")["url"])
    assert json.loads(oauth_server.open_page(back.replace("/callback?", "/callback/mcp-oauth-00000000?"))[1])["status"] == "error"


def test_nobody_comes(own_server, guarded):
    running = own_server(arguments=["--tools-mcp-private", "true", "--tools-mcp-login-seconds", "1"]).start()
    peer = guarded()
    stream = try_out(running.http(2), config_of(peer))
    back = oauth_server.way_back(stream.until("authorization_url")["url"])
    assert stream.rest()[-2:] == ["waiting_for_auth", "error"] and "time" in stream.events[-1]["message"]
    assert json.loads(oauth_server.open_page(back)[1])["status"] == "error" and peer.oauth.token_requests == [], "too late"


def test_a_client_that_hangs_up_ends_the_waiting_and_not_the_login(mcp, guarded, open_server):
    peer = guarded()
    made = create(mcp, peer)
    stream = connect(mcp, made)
    url = stream.until("authorization_url")["url"]
    before = open_server.open_connections()
    stream.close()
    stele.wait_until(lambda: open_server.open_connections() < before)
    assert oauth_server.log_in(url)["status"] == "success"
    assert connect(mcp, made).rest() == ["connection_attempt", "success"]


def test_a_server_that_stops_tells_those_who_wait(own_server, guarded):
    running = own_server(arguments=["--tools-mcp-private", "true", "--grace-seconds", "0"]).start()
    stream = try_out(running.http(2), config_of(guarded()))
    stream.until("waiting_for_auth")
    running.process.child.terminate()
    assert stream.rest()[-1] == "error" and "stopping" in stream.events[-1]["message"]
    assert running.process.child.wait(30) == 0


# ---- whose tokens these are ----


def test_a_server_that_is_made_later_takes_the_login_over(mcp, guarded):
    peer = guarded()
    stream = try_out(mcp, config_of(peer))
    oauth_server.log_in(stream.until("authorization_url")["url"])
    assert stream.rest()[-1] == "success"
    assert try_out(mcp, config_of(peer)).rest() == ["connection_attempt", "success"], "nobody logs in twice"
    assert mcp.post("/v1/tools/mcp/servers/test", config_of(peer))["status"] == "success"

    made = create(mcp, peer)

    assert "echo" in [each["name"].split("__")[-1] for each in mcp.get(f"/v1/mcp-servers/{made['id']}/tools")], "the tools are there at once"
    assert run(mcp, made)["func_return"] == "Echo: x"
    assert try_out(mcp, config_of(peer)).until("oauth_required"), "the tokens are that server's now"


def test_a_server_that_is_made_meanwhile_gets_the_tokens(mcp, guarded):
    peer = guarded()
    stream = try_out(mcp, config_of(peer))
    url = stream.until("authorization_url")["url"]
    made = create(mcp, peer)
    oauth_server.log_in(url)
    assert stream.rest()[-1] == "success"
    assert run(mcp, made)["func_return"] == "Echo: x", "its tools have been taken by the end of the stream"


def test_tokens_end_with_their_server_and_with_its_address(mcp, guarded):
    peer, other = guarded(), guarded()
    made = logged_in(mcp, peer)
    mcp.patch(f"/v1/mcp-servers/{made['id']}", {"config": {"server_url": other.url}})
    assert run(mcp, made)["status"] == "error"
    seen = [headers.get("Authorization") for _, headers, _ in other.requests]
    assert seen and not any(seen), "no other server sees them"
    mcp.send("DELETE", f"/v1/mcp-servers/{made['id']}")
    again = create(mcp, peer)
    assert "oauth_required" in [event["event"] for event in [connect(mcp, again).until("oauth_required")]]


def test_a_configured_token_goes_before_a_login(mcp, guarded):
    peer = guarded()
    made = create(mcp, peer, auth_token="Bearer wrong", auth_header="Authorization")
    stream = connect(mcp, made)
    assert stream.rest() == ["connection_attempt", "error"] and "refuses" in stream.events[-1]["message"]


def test_secrets_are_sealed_and_never_told(mcp, guarded, open_server):
    peer = guarded(dict(secrets_for="client_secret_post"))
    made = logged_in(mcp, peer)
    run(mcp, made)
    secrets = [*peer.oauth.access, *peer.oauth.refresh, *[each["client_secret"] for each in peer.oauth.clients.values()], *[each[name] for each in peer.oauth.token_requests for name in ("code", "code_verifier")]]
    told = json.dumps([mcp.get("/v1/mcp-servers"), mcp.get("/v1/tools/mcp/servers"), mcp.get(f"/v1/mcp-servers/{made['id']}/tools")])
    stored = b"".join(path.read_bytes() for path in (open_server.folder / "data").glob("stele.db*"))
    log = open_server.log.read_text()
    assert len(secrets) > 4 and made["server_name"].encode() in stored
    for secret in secrets:
        assert secret not in told and secret.encode() not in stored and secret not in log


# ---- renewing ----


def test_a_token_is_renewed_when_the_server_no_longer_takes_it(mcp, guarded):
    peer = guarded()
    made = logged_in(mcp, peer)
    for _ in range(3):
        peer.oauth.end_all()
        assert run(mcp, made)["func_return"] == "Echo: x"
    assert [each["grant_type"] for each in peer.oauth.token_requests] == ["authorization_code"] + ["refresh_token"] * 3
    assert all(each["resource"] == peer.url for each in peer.oauth.token_requests) and peer.oauth.problems == [], "each refresh token once"


def test_a_token_is_renewed_before_it_ends(mcp, guarded):
    peer = guarded(dict(lifetime=20))
    made = logged_in(mcp, peer)
    refused = len([each for each in peer.requests])
    assert run(mcp, made)["status"] == "success"
    asked = peer.requests[refused:]
    assert peer.oauth.token_requests[-1]["grant_type"] == "refresh_token" and asked
    assert all(headers["Authorization"].removeprefix("Bearer ") in peer.oauth.access for _, headers, _ in asked if "Authorization" in headers)


def test_many_that_need_a_new_token_ask_for_one(mcp, guarded):
    peer = guarded()
    made = logged_in(mcp, peer)
    for _ in range(3):
        peer.oauth.end_all()
        before = len(peer.oauth.token_requests)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            outcomes = list(pool.map(lambda _: run(mcp, made), range(12)))
        assert all(each["func_return"] == "Echo: x" for each in outcomes), outcomes
        assert len(peer.oauth.token_requests) == before + 1 and peer.oauth.problems == []


def test_a_renewed_token_outlives_a_crash(own_server, guarded):
    peer = guarded()
    running = own_server(arguments=["--tools-mcp-private", "true"]).start()
    made = logged_in(running.http(2), peer)
    peer.oauth.end_all()
    assert run(running.http(2), made)["status"] == "success"
    running.kill()
    running.start()
    peer.oauth.end_all()
    assert run(running.http(2), made)["status"] == "success", "with the refresh token that came last"
    assert peer.oauth.problems == []


def test_a_refresh_token_that_is_not_replaced_is_kept(mcp, guarded):
    peer = guarded(dict(rotates=False))
    made = logged_in(mcp, peer)
    for _ in range(2):
        peer.oauth.end_all()
        assert run(mcp, made)["status"] == "success"


def test_a_login_that_is_over_is_said_and_can_be_made_again(mcp, guarded):
    peer = guarded()
    made = logged_in(mcp, peer)
    peer.oauth.end_all()
    peer.oauth.refresh.clear()
    for _ in range(3):
        outcome = run(mcp, made)
        assert outcome["status"] == "error" and "login" in outcome["func_return"]
    assert len(peer.oauth.token_requests) == 2, "a refresh token that is not good is not tried again"
    stream = connect(mcp, made)
    oauth_server.log_in(stream.until("authorization_url")["url"])
    assert stream.rest()[-1] == "success" and run(mcp, made)["status"] == "success"


@pytest.mark.parametrize("lifetime", [3600, 5], ids=["ended early", "ended in time"])
def test_what_the_challenge_says_is_known_after_a_login_is_over(mcp, guarded, lifetime):
    """The metadata is where the challenge alone leads to."""
    peer = guarded(dict(lifetime=lifetime), challenge='Bearer resource_metadata="{base}/.well-known/hidden"', documents={"/.well-known/oauth-protected-resource/mcp": b"no"})
    peer.documents["/.well-known/hidden"] = peer.resource_metadata()
    made = logged_in(mcp, peer)
    peer.oauth.end_all()
    peer.oauth.refresh.clear()
    stream = connect(mcp, made)
    oauth_server.log_in(stream.until("authorization_url")["url"])
    assert stream.rest()[-1] == "success" and run(mcp, made)["status"] == "success"


def test_a_renewal_that_fails_for_now_loses_nothing(mcp, guarded):
    peer = guarded()
    made = logged_in(mcp, peer)
    peer.oauth.end_all()
    peer.oauth.before_token = lambda _: (503, b"busy")
    outcome = run(mcp, made)
    assert outcome["status"] == "error" and "503" in outcome["func_return"]
    peer.oauth.before_token = None
    assert run(mcp, made)["func_return"] == "Echo: x"


def test_more_rights_are_asked_for_with_those_there_are(mcp, guarded):
    peer = guarded(scopes_for={"tools/call": "calls"})
    made = logged_in(mcp, peer)
    outcome = run(mcp, made)
    assert outcome["status"] == "error" and "rights" in outcome["func_return"]
    assert all(each["grant_type"] == "authorization_code" for each in peer.oauth.token_requests), "another token would not help"
    stream = connect(mcp, made)
    page = stream.until("authorization_url")
    assert stream.events[1]["event"] == "oauth_required" and asked_of(page["url"])["scope"].split() == ["tools", "calls"]
    oauth_server.log_in(page["url"])
    assert stream.rest()[-1] == "success" and run(mcp, made)["func_return"] == "Echo: x"
    assert connect(mcp, made).rest() == ["connection_attempt", "success"]


def test_more_rights_may_be_wanted_at_once(mcp, guarded):
    peer = guarded(scopes_for={"initialize": "begin"})
    made = create(mcp, peer)
    stream = connect(mcp, made)
    oauth_server.log_in(stream.until("authorization_url")["url"])
    assert stream.rest()[-1] == "error"
    stream = connect(mcp, made)
    page = stream.until("authorization_url")
    assert set(asked_of(page["url"])["scope"].split()) == {"tools", "begin"}
    oauth_server.log_in(page["url"])
    assert stream.rest()[-1] == "success"


def test_a_command_has_no_login(own_server):
    running = own_server(arguments=["--tools-mcp-stdio", "true", "--tools-mcp-connect-seconds", "5"]).start()
    stream = try_out(running.http(2), {"server_name": "c", "type": "stdio", "command": "false", "args": []})
    assert stream.rest() == ["connection_attempt", "error"]


def test_a_server_that_stops_in_the_middle_of_a_renewal(own_server, guarded):
    peer, asked, go_on = guarded(), threading.Event(), threading.Event()
    running = own_server(arguments=["--tools-mcp-private", "true", "--grace-seconds", "0"]).start()
    made = logged_in(running.http(2), peer)
    run(running.http(2), made)
    peer.oauth.end_all()
    peer.oauth.before_token = lambda _: asked.set() or go_on.wait(60) and None

    def call(_):
        try:
            run(running.http(2), made)
        except OSError:
            pass  # cut off

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(call, number) for number in range(6)]
        assert asked.wait(60)
        running.process.child.terminate()
        assert running.process.child.wait(30) == 0
        for each in calls:
            each.result()
    go_on.set()


def test_a_login_of_yesterday_is_forgotten(own_server, guarded):
    import sqlite3
    peer = guarded()
    running = own_server(arguments=["--tools-mcp-private", "true"]).start()
    stream = try_out(running.http(2), config_of(peer))
    oauth_server.log_in(stream.until("authorization_url")["url"])
    assert stream.rest()[-1] == "success"
    running.stop()

    def logins():
        with sqlite3.connect(running.folder / "data/stele.db") as store:
            return store.execute("SELECT status FROM mcp_oauth_session").fetchall()

    assert logins() == [("authorized",)]
    with sqlite3.connect(running.folder / "data/stele.db") as store:
        store.execute("UPDATE mcp_oauth_session SET created_at = created_at - 25 * 3600000000")
    running.start()
    try_out(running.http(2), config_of(guarded())).until("waiting_for_auth")
    running.kill()
    assert logins() == [("pending",)]


def test_a_stream_that_is_asked_for_again_is_told_anew(mcp, guarded):
    config = config_of(guarded())
    for _ in range(2):
        stream = oauth_server.Connecting(mcp, "POST", "/v1/tools/mcp/servers/connect", config, {"Idempotency-Key": config["server_name"]})
        assert stream.until("authorization_url")["url"]
        stream.close()
