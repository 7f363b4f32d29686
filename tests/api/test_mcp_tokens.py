"""`token`: the credential of an MCP server as the update of the older contract has it. It goes out, lies sealed, and is told nobody."""

import pytest
import stele

SECRET = "tell-nobody-of-this-token"
names = iter(range(10_000))


@pytest.fixture(scope="module")
def open_server(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("mcp_tokens"), model.environment(), ["--tools-mcp-private", "true"]).start()
    yield running
    assert running.stop() == 0
    assert SECRET not in running.log.read_text()
    assert not any(SECRET.encode() in file.read_bytes() for file in running.folder.rglob("*.db*"))


@pytest.fixture
def api(open_server):
    return open_server.http(2)


def create(api, url, type_="streamable_http", **config):
    return api.post("/v1/mcp-servers/", {"server_name": f"token{next(names)}", "config": {"mcp_server_type": type_, "server_url": url, **config}})


def sent(api, made, server):
    """The headers with which the server is asked now."""
    api.patch(f"/v1/mcp-servers/{made['id']}/refresh")
    return server.headers_of("tools/list")


BY_ID = lambda api, made, change: api.patch(f"/v1/mcp-servers/{made['id']}", {"config": {"mcp_server_type": made["mcp_server_type"], **change}})  # noqa: E731
DOORS = {
    "by id": BY_ID,
    "by name": lambda api, made, change: api.patch(f"/v1/tools/mcp/servers/{made['server_name']}", change),
    "by the alias": lambda api, made, change: api.patch(f"/v1/tools/mcp-servers?mcp_server_name={made['server_name']}", change),
    "by the name in the body": lambda api, made, change: api.patch("/v1/tools/mcp-servers", {"mcp_server_name": made["server_name"], **change}),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("type_", ["sse", "streamable_http"])
def test_every_door_takes_it(api, peer, door, type_):
    server = peer(eras=["sse"] if type_ == "sse" else ["legacy"])
    made = create(api, server.sse_url if type_ == "sse" else server.url, type_, auth_token="Bearer old", auth_header="Authorization")
    shown = DOORS[door](api, made, {"token": SECRET, "custom_headers": {"X-More": "more"}})
    assert SECRET not in str(shown) and shown["auth_token"] is None and shown["custom_headers"] == {"X-More": "more"}
    headers = sent(api, made, server)
    assert headers["Authorization"] == f"Bearer {SECRET}" and headers["X-More"] == "more"
    assert SECRET not in str(api.get("/v1/mcp-servers/")) + str(api.get("/v1/tools/mcp/servers"))


def test_new_servers_take_it_too(api, peer):
    server = peer()
    made = create(api, server.url, token=SECRET)
    assert "token" not in made and sent(api, made, server)["Authorization"] == f"Bearer {SECRET}"
    name = f"token{next(names)}"
    listed = api.call("PUT", "/v1/tools/mcp/servers", {"server_name": name, "type": "streamable_http", "server_url": server.url, "token": SECRET})
    assert SECRET not in str(listed)
    api.post(f"/v1/tools/mcp/servers/{name}/resync")
    assert server.headers_of("tools/list")["Authorization"] == f"Bearer {SECRET}"


def test_a_named_header_takes_it_as_it_is(api, peer):
    server = peer()
    made = create(api, server.url, auth_header="X-Key", token="abc")
    assert sent(api, made, server)["X-Key"] == "abc" and "Authorization" not in server.headers_of("tools/list")


def test_it_stays_until_it_is_replaced_or_taken_away(api, peer):
    server = peer()
    made = create(api, server.url, token=SECRET)
    read = {key: made[key] for key in ("server_url", "auth_header", "auth_token", "custom_headers")}
    BY_ID(api, made, read)
    assert sent(api, made, server)["Authorization"] == f"Bearer {SECRET}", "what was read and sent back says nothing of it"
    assert BY_ID(api, made, {"auth_token": "Token x"})["auth_token"] == "Token x" and sent(api, made, server)["Authorization"] == "Token x"
    BY_ID(api, made, {"token": "b"})
    assert sent(api, made, server)["Authorization"] == "Bearer b"
    BY_ID(api, made, {"token": None})
    assert "Authorization" not in sent(api, made, server)


@pytest.mark.parametrize("config", [{"token": "a\r\nX-Evil: 1"}, {"token": 7}, {"token": "a", "auth_token": "b"}])
def test_what_is_no_token_is_refused(api, peer, config):
    body = {"server_name": f"token{next(names)}", "config": {"mcp_server_type": "sse", "server_url": peer().url, **config}}
    assert "body.config.token" in stele.refused(api, "POST", "/v1/mcp-servers/", 422, body).text
