"""Tokens of a login end with the MCP server that they are for."""

import itertools

import oauth_server
import pytest
import stele

names = itertools.count()


@pytest.fixture(scope="module")
def mcp(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("mcp"), model.environment(), ["--tools-mcp-private", "true"]).start()
    yield running.http(2)
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def guarded():
    """Makes an authorization server and an MCP server that wants its tokens."""
    made = []

    def make(**oauth):
        made.append(oauth_server.OauthServer(**oauth))
        made.append(oauth_server.ProtectedMcp(made[-1]))
        return made[-1]

    yield make
    for each in made:
        each.close()


def logged_in(http, peer):
    made = http.post("/v1/mcp-servers", {"server_name": f"revoked{next(names)}", "config": {"mcp_server_type": "streamable_http", "server_url": peer.url}})
    stream = oauth_server.Connecting(http, "GET", f"/v1/mcp-servers/connect/{made['id']}")
    assert oauth_server.log_in(stream.until("authorization_url")["url"])["status"] == "success"
    assert stream.rest()[-1] == "success"
    return made


def given(peer):
    """The tokens that its authorization server has given, as they ought to come back."""
    (refresh,), (access,) = peer.oauth.refresh, peer.oauth.access
    return [(refresh, "refresh_token", True), (access, "access_token", True)]


@pytest.mark.parametrize("secrets_for", ["none", "client_secret_basic", "client_secret_post"])
def test_they_are_given_back_when_the_server_is_deleted(mcp, guarded, secrets_for):
    peer = guarded(secrets_for=secrets_for)
    made = logged_in(mcp, peer)

    mcp.send("DELETE", f"/v1/mcp-servers/{made['id']}")

    stele.wait_until(lambda: peer.oauth.revocations == given(peer))


def test_they_are_given_back_when_the_server_is_deleted_by_its_name(mcp, guarded):
    peer = guarded()
    made = logged_in(mcp, peer)

    mcp.delete(f"/v1/tools/mcp/servers/{made['server_name']}")

    stele.wait_until(lambda: peer.oauth.revocations == given(peer))


def test_they_are_given_back_when_the_server_moves(mcp, guarded):
    peer, other = guarded(), guarded()
    made = logged_in(mcp, peer)

    mcp.patch(f"/v1/mcp-servers/{made['id']}", {"config": {"mcp_server_type": "streamable_http", "server_url": other.url}})

    stele.wait_until(lambda: peer.oauth.revocations == given(peer))
    assert other.oauth.revocations == []


def test_where_nobody_takes_them_the_server_is_deleted_all_the_same(mcp, guarded):
    peer = guarded(metadata={"revocation_endpoint": None})
    made = logged_in(mcp, peer)
    asked = len(peer.oauth.log)

    mcp.send("DELETE", f"/v1/mcp-servers/{made['id']}")

    stele.wait_until(lambda: len(peer.oauth.log) > asked)
    assert "/revoke" not in peer.oauth.log
    assert made["id"] not in [each["id"] for each in mcp.get("/v1/mcp-servers")]
