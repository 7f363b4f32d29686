"""Logins whose servers lie, lead elsewhere, flood and never end: each comes to a clear error in time, and nothing of it is
followed."""

import itertools
import time

import oauth_server
import pytest
import stele

names = iter(range(10_000))
METADATA, RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp"


@pytest.fixture(scope="module")
def brave(model, tmp_path_factory):
    patience = [word for stage in ("connect", "list", "call") for word in (f"--tools-mcp-{stage}-seconds", "3")]
    running = stele.Server(tmp_path_factory.mktemp("mcp"), model.environment(), ["--tools-mcp-private", "true", *patience]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def pair():
    issuer = oauth_server.OauthServer()
    peer = oauth_server.ProtectedMcp(issuer)
    yield issuer, peer
    issuer.close()
    peer.close()


def connect(brave, peer):
    return oauth_server.Connecting(brave.http(2), "POST", "/v1/tools/mcp/servers/connect", {"server_name": f"h{next(names)}", "type": "streamable_http", "server_url": peer.url})


def raw(head, pieces=()):
    """Answers by hand, and ends the connection."""
    def answer(handler):
        handler.close_connection = True
        handler.wfile.write(head)
        for piece in pieces() if callable(pieces) else pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
    return answer


def drip():
    while True:
        time.sleep(0.1)
        yield b" "


BODIES = {
    "an endless body": (raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", lambda: itertools.repeat(b" " * 65536)), "larger"),
    "a huge body": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", [b"{" + b" " * 1_000_000]), "login could not go on"),
    "a slow body": (raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", drip), "in time"),
    "silence": (raw(b"", lambda: iter(lambda: time.sleep(30), None)), "in time"),
    "half an answer": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), "login could not go on"),
    "no HTTP": (raw(b"SSH-2.0\r\n"), "login could not go on"),
    "a redirect to cloud metadata": (raw(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data\r\nContent-Length: 0\r\n\r\n"), "not followed"),
    "a redirect to elsewhere": (raw(b"HTTP/1.1 307 There\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n"), "not followed"),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("of", ["server", "issuer"])
def test_documents_that_do_not_end_or_lead_elsewhere(brave, pair, kind, of):
    issuer, peer = pair
    made, words = BODIES[kind]
    if of == "server":
        peer.documents[RESOURCE] = made
    else:
        issuer.documents[METADATA] = made
    stream = connect(brave, peer)
    assert stream.rest() == ["connection_attempt", "oauth_required", "error"]
    assert words in stream.events[-1]["message"], stream.events[-1]
    assert brave.http(2).get("/v1/health")["status"] == "ok"


def other(**members):
    return lambda issuer, peer: issuer.more.update(members)


def resource(**members):
    return lambda issuer, peer: peer.more.update({name: value(issuer, peer) if callable(value) else value for name, value in members.items()})


LIES = {
    "the issuer is in the clouds' own network": (resource(authorization_servers=["http://169.254.169.254/"]), "link-local"),
    "the same in another spelling": (resource(authorization_servers=["http://0xa9fea9fe/"]), "link-local"),
    "the same as IPv6": (resource(authorization_servers=["http://[::ffff:169.254.169.254]/"]), "link-local"),
    "the issuer is no web address": (resource(authorization_servers=["file:///etc/passwd"]), "http"),
    "the issuer is nobody": (resource(authorization_servers=[]), "names no authorization server"),
    "the resource is another's": (resource(resource="https://bank.example/mcp"), "another server"),
    "the resource is a neighbour": (resource(resource=lambda issuer, peer: peer.base + "/mc"), "another server"),
    "the issuer says it is another": (other(issuer="https://accounts.example"), "another issuer"),
    "the issuer says nothing": (other(issuer=None), "another issuer"),
    "nowhere to log in": (other(authorization_endpoint=None), "where to log in"),
    "nowhere to get a token": (other(token_endpoint=None), "where to log in"),
    "a page that runs scripts": (other(authorization_endpoint="javascript:alert(1)"), "http"),
    "tokens from the clouds' own network": (other(registration_endpoint="http://169.254.169.254/register"), "link-local"),
    "no PKCE": (other(code_challenge_methods_supported=["plain"]), "PKCE"),
    "members of other kinds": (other(authorization_endpoint=["x"], token_endpoint={"a": 1}), "where to log in"),
    "nobody is registered": (other(registration_endpoint=None), "client_id"),
    "the challenge leads into the clouds": (lambda issuer, peer: setattr(peer, "challenge", 'Bearer resource_metadata="http://169.254.169.254/x"'), "link-local"),
    "the challenge leads to a file": (lambda issuer, peer: setattr(peer, "challenge", 'Bearer resource_metadata="file:///etc/passwd"'), "http"),
    "the challenge leads nowhere": (lambda issuer, peer: setattr(peer, "challenge", 'Bearer resource_metadata="{base}/.well-known/none"'), "metadata is not at"),
}


@pytest.mark.parametrize("lie", LIES)
def test_documents_that_lie(brave, pair, lie):
    issuer, peer = pair
    tell, words = LIES[lie]
    tell(issuer, peer)
    stream = connect(brave, peer)
    assert stream.rest()[-1] == "error" and words in stream.events[-1]["message"], stream.events
    assert issuer.token_requests == []


TOKENS = {
    "no JSON": (200, b"<html>"), "an empty object": (200, b"{}"), "a number for a token": (200, b'{"access_token":5}'),
    "a token that breaks lines": (200, b'{"access_token":"a\\r\\nX-Evil: 1","token_type":"Bearer"}'), "a token of another kind": (200, b'{"access_token":"a","token_type":"mac"}'),
    "a refusal": (400, b'{"error":"invalid_grant","error_description":"no\\u0007 way"}'), "a crash": (500, b"oops"), "a huge token": (200, b'{"access_token":"' + b"x" * 100_000 + b'","token_type":"Bearer"}'),
    "more than anybody reads": (200, b" " * 400_000),
}


@pytest.mark.parametrize("kind", TOKENS)
def test_token_endpoints_that_give_no_token(brave, pair, kind):
    issuer, peer = pair
    stream = connect(brave, peer)
    issuer.before_token = lambda _: TOKENS[kind]
    told = oauth_server.log_in(stream.until("authorization_url")["url"])
    assert told["status"] == "error" and told["message"] and "\x07" not in told["message"]
    assert stream.rest()[-1] == "error" and stream.events[-1]["message"] == told["message"]


@pytest.mark.parametrize("answer", [b"{}", b"<html>", b'{"client_id":""}', b'{"client_id":"a\\nb"}', b'{"client_id":7}'])
def test_registrations_that_give_no_id(brave, pair, answer):
    issuer, peer = pair
    issuer.register = lambda handler, _: issuer.send(handler, 201, answer)
    stream = connect(brave, peer)
    assert stream.rest()[-1] == "error" and "authorization server" in stream.events[-1]["message"]


def test_challenges_that_are_none(brave, pair):
    _, peer = pair
    for challenge in ("", "Bearer", "Bearer =,=\"", 'Bearer resource_metadata="', "Basic a==, Bearer scope", "Bearer " + "a=b," * 3_000, 'Bearer realm="\\"'):
        peer.challenge = challenge.replace("{", "{{")
        stream = connect(brave, peer)
        assert stream.until("authorization_url")["url"].startswith("http://127.0.0.1"), challenge
        stream.close()


def test_addresses_that_are_not_public_are_not_gone_to_unless_the_operator_says_so(server):
    """The gate of the whole server: what is at a private address is not asked for a login either."""
    issuer = oauth_server.OauthServer()
    peer = oauth_server.ProtectedMcp(issuer)
    for host in ("127.0.0.1", "2130706433"):
        body = {"server_name": f"h{next(names)}", "type": "streamable_http", "server_url": peer.url.replace("127.0.0.1", host)}
        if host == "127.0.0.1":
            stele.refused(server.http(2), "POST", "/v1/tools/mcp/servers/connect", 422, body)
        else:
            stream = oauth_server.Connecting(server.http(2), "POST", "/v1/tools/mcp/servers/connect", body)
            assert stream.rest() == ["connection_attempt", "error"] and "public" in stream.events[-1]["message"]
    assert issuer.log == [] and peer.requests == []
    issuer.close()
    peer.close()
