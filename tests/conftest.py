"""Fixtures of all Python suites: a mock model and a server a session, and clients of either generation."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))

import mcp_server  # noqa: E402
import stele  # noqa: E402


@pytest.fixture(scope="session")
def model():
    """The mock model server."""
    mock = stele.MockModel()
    yield mock
    mock.stop()


@pytest.fixture(scope="session")
def server(model, tmp_path_factory):
    """A server with the mock model as its default; shared, so tests make agents and blocks of their own."""
    running = stele.Server(tmp_path_factory.mktemp("server"), model.environment()).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(scope="module")
def walked(model, tmp_path_factory):
    """A server for walks over all methods of a client: it may speak with servers of this machine."""
    running = stele.Server(tmp_path_factory.mktemp("walk"), model.environment(), ["--tools-mcp-private", "true", "--providers-private", "true"]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(scope="module")
def mcp_url():
    """Of an MCP server."""
    server = mcp_server.McpServer()
    yield server.url
    server.close()


@pytest.fixture
def own_server(model, tmp_path):
    """Makes servers of the test's own; they end with it."""
    made = []

    def make(environment=None, arguments=None, folder=None):
        made.append(stele.Server(folder or tmp_path, {**model.environment(), **(environment or {})}, arguments))
        return made[-1]

    yield make
    for each in made:
        if each.process:
            each.kill()


@pytest.fixture(params=[1, 2], ids=["generation1", "generation2"])
def http(server, request):
    """Plain HTTP with the headers of either client generation."""
    return server.http(request.param)


@pytest.fixture
def agent(server):
    """A fresh agent with a human and a persona block."""
    return server.http(1).post("/v1/agents/", {"memory_blocks": [{"label": "human", "value": "Name: Grace."},
                                                                 {"label": "persona", "value": "I am Ada."}]})


@pytest.fixture(scope="session")
def walled(server):
    """The server, where this machine allows tools to be walled in; else there is nothing to be tried."""
    source = 'def probe() -> int:\n    """Probes."""\n    return 1\n'
    made = server.http(2).post("/v1/tools/run", {"source_code": source, "json_schema": {"name": "probe", "parameters": {"type": "object", "properties": {}}}, "args": {}})
    if made["status"] == "error" and "Unavailable" in made["tool_return"]:
        pytest.skip(made["tool_return"])
    return server


@pytest.fixture
def peer():
    """Makes MCP servers; they end with the test."""
    made = []

    def make(**options):
        made.append(mcp_server.McpServer(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()
