"""With --redact-secrets no answer holds what is secret of an MCP server, and it is reached with it all the same."""

import json

import pytest

SECRET = "s3cret-of-the-peer"


@pytest.fixture
def redacting(own_server):
    running = own_server(arguments=["--redact-secrets", "true", "--tools-mcp-private", "true", "--tools-mcp-stdio", "true"]).start()
    yield running.http(2)
    assert SECRET not in running.log.read_text()


def test_tokens_and_headers_are_left_out_of_answers_and_sent(redacting, peer):
    server = peer()
    config = {"mcp_server_type": "streamable_http", "server_url": server.url, "auth_header": "X-Key", "auth_token": SECRET, "custom_headers": {"X-More": SECRET}}
    made = redacting.post("/v1/mcp-servers", {"server_name": "quiet", "config": config})

    assert (made["auth_header"], made["auth_token"], made["custom_headers"]) == ("X-Key", "", {"X-More": ""})
    answers = [made, redacting.get(f"/v1/mcp-servers/{made['id']}"), redacting.get("/v1/mcp-servers"), redacting.get("/v1/tools/mcp/servers"),
               redacting.patch(f"/v1/mcp-servers/{made['id']}", {"server_name": "quieter"}), redacting.patch("/v1/tools/mcp/servers/quieter", {"server_url": server.url + "/"})]
    assert SECRET not in json.dumps(answers)
    headers = [{name.lower(): value for name, value in sent.items()} for _, sent, _ in server.requests]
    assert any(each.get("x-key") == SECRET and each.get("x-more") == SECRET for each in headers)


def test_what_was_left_out_can_be_sent_back(redacting, peer):
    server = peer(token=SECRET)
    config = {"mcp_server_type": "streamable_http", "server_url": server.url, "auth_header": "Authorization", "auth_token": SECRET, "custom_headers": {"X-More": SECRET, "X-Else": "a"}}
    made = redacting.post("/v1/mcp-servers", {"server_name": "returned", "config": config})

    shown = {name: made[name] for name in ("mcp_server_type", "server_url", "auth_header", "auth_token", "custom_headers")}
    redacting.patch(f"/v1/mcp-servers/{made['id']}", {"config": {**shown, "custom_headers": {"X-More": "", "X-New": "b"}}})
    del server.requests[:]
    redacting.patch(f"/v1/mcp-servers/{made['id']}/refresh")

    sent = {name.lower(): value for name, value in server.requests[-1][1].items()}
    assert (sent["authorization"], sent["x-more"], sent["x-new"], sent.get("x-else")) == (SECRET, SECRET, "b", None)


def test_so_are_the_variables_of_a_command(redacting):
    config = {"mcp_server_type": "stdio", "command": "true", "args": [], "env": {"TOKEN": SECRET}}
    made = redacting.post("/v1/mcp-servers", {"server_name": "command", "config": config})

    assert made["env"] == {"TOKEN": ""}
    assert SECRET not in json.dumps([redacting.get("/v1/mcp-servers"), redacting.get("/v1/tools/mcp/servers")])
