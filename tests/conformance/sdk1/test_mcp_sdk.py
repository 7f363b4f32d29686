"""The MCP client against servers made with the official SDKs (Python and TypeScript), used through the official client."""

import shutil
import socket
import sys

import letta_client
import pytest
import stele

SCRIPT = str(stele.ROOT / "tests/support/sdk_mcp_server.py")
NODE_SCRIPT = str(stele.ROOT / "tests/support/node_mcp/server.mjs")


@pytest.fixture(scope="module")
def client(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("mcp"), model.environment(), ["--tools-mcp-private", "true"]).start()
    yield letta_client.Letta(base_url=running.url, api_key="none")
    assert running.stop() == 0, running.log.read_text()[-3000:]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=["python streamable-http", "python streamable-http json", "python streamable-http stateless", "python sse",
                                        "node streamable-http", "node streamable-http json", "node sse"])
def sdk_server(request, tmp_path_factory):
    port, (language, *words) = stele.free_port(), request.param.split()
    command = [sys.executable, SCRIPT] if language == "python" else ["node", NODE_SCRIPT]
    process = stele.Process([*command, words[0], str(port), *words[1:]], log=tmp_path_factory.mktemp("sdk") / "log")
    stele.wait_until(lambda: listens(port))
    yield words[0], f"http://127.0.0.1:{port}/{'sse' if words[0] == 'sse' else 'mcp'}"
    process.kill()


def test_servers_of_the_sdk(client, sdk_server):
    kind, url = sdk_server
    kind = "sse" if kind == "sse" else "streamable_http"
    made = client.mcp_servers.create(server_name=f"sdk {url}", config={"mcp_server_type": kind, "server_url": url})
    try:
        assert made.mcp_server_type == kind and made.id in [each.id for each in client.mcp_servers.list()]
        tools = {tool.name: tool for tool in client.mcp_servers.tools.list(made.id)}
        assert set(tools) == {"echo", "add", "greet", "fails"}
        assert all(tool.json_schema["mcp:SCHEMA_STATUS"] != "INVALID" for tool in tools.values())

        def run(name, **args):
            return client.mcp_servers.tools.run(tools[name].id, mcp_server_id=made.id, args=args)

        assert run("echo", message="hé").func_return == "Echo: hé"
        assert run("add", a=40, b=60).func_return == "Result: 100.0"
        assert run("greet", person={"name": "Ada", "address": {"city": "Bern"}}).func_return == "Ada of Bern"
        assert run("fails").status == "error"
        assert run("add", a="no number", b=1).status == "error"
        assert client.mcp_servers.refresh(made.id) == {"deleted": [], "updated": [], "added": []}
        renamed = client.mcp_servers.update(made.id, server_name="renamed", config={"mcp_server_type": kind, "server_url": url})
        assert renamed.server_name == "renamed" and client.mcp_servers.tools.retrieve(tools["echo"].id, mcp_server_id=made.id).tags == ["mcp:renamed"]
    finally:
        client.mcp_servers.delete(made.id)
    with pytest.raises(letta_client.NotFoundError):
        client.mcp_servers.retrieve(made.id)


@pytest.mark.parametrize("language", ["python", "node"])
def test_servers_of_the_sdk_that_are_commands(model, tmp_path, language):
    """Both stand in this checkout, which the sandbox does not show: so these run without it."""
    running = stele.Server(tmp_path, model.environment(), ["--tools-mcp-stdio", "true", "--tools-sandbox", "unsafe-none"]).start()
    client = letta_client.Letta(base_url=running.url, api_key="none")
    command = sys.executable if language == "python" else shutil.which("node")
    made = client.mcp_servers.create(server_name="command", config={"mcp_server_type": "stdio", "command": command, "args": [SCRIPT if language == "python" else NODE_SCRIPT, "stdio"]})
    tools = {tool.name: tool for tool in client.mcp_servers.tools.list(made.id)}
    assert set(tools) == {"echo", "add", "greet", "fails"}
    assert client.mcp_servers.tools.run(tools["echo"].id, mcp_server_id=made.id, args={"message": "hé"}).func_return == "Echo: hé"
    assert client.mcp_servers.tools.run(tools["fails"].id, mcp_server_id=made.id, args={}).status == "error"
    assert running.stop() == 0
