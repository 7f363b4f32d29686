"""letta-client 0.1.324: each of its methods, whatever the resource, is called once with what it needs; see method_walk."""

import mcp_server
import method_walk
import pytest
import stele

METHODS = [name for name, _ in method_walk.methods(method_walk.client_of("http://127.0.0.1:1"))]


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("walk"), model.environment(), ["--tools-mcp-private", "true", "--providers-private", "true"]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(scope="module")
def mcp_url():
    peer = mcp_server.McpServer()
    yield peer.url
    peer.close()


@pytest.mark.parametrize("name", METHODS)
def test_the_method_is_there(server, mcp_url, name):
    method = dict(method_walk.methods(method_walk.client_of(server.url)))[name]
    values = method_walk.arguments(server.http(1), name, method, mcp_url)
    expected = method_walk.REFUSED.get(name, set())
    try:
        method_walk.call(method, values)
    except Exception as failed:
        assert getattr(failed, "status_code", None) in expected, f"{name}({values}): {type(failed).__name__}: {failed}"
