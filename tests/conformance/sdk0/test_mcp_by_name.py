"""MCP servers by name, as the older client speaks of them."""

import letta_client
import mcp_server
import oauth_server
import pytest
import stele
from letta_client.types import StreamableHttpServerConfig, UpdateStreamableHttpmcpServer


@pytest.fixture(scope="module")
def client(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("mcp"), model.environment(), ["--tools-mcp-private", "true"]).start()
    yield letta_client.Letta(base_url=running.url, token="none")
    assert running.stop() == 0, running.log.read_text()[-3000:]


def test_a_servers_life(client):
    peer = mcp_server.McpServer()
    try:
        config = StreamableHttpServerConfig(server_name="mock", server_url=peer.url, auth_header="X-Key", auth_token="v")
        assert [each.server_name for each in client.tools.add_mcp_server(request=config)] == ["mock"]
        assert client.tools.list_mcp_servers()["mock"].server_url == peer.url
        offered = client.tools.list_mcp_tools_by_server("mock")
        assert {tool.name for tool in offered} == set(mcp_server.tools()) and offered[0].health.status
        tool = client.tools.add_mcp_tool("mock", "echo")
        assert tool.tool_type == "external_mcp" and tool.id in [each.id for each in client.tools.list(limit=200)]
        assert client.tools.test_mcp_server(request=config)["status"] == "success"
        changed = client.tools.update_mcp_server("mock", request=UpdateStreamableHttpmcpServer(server_url=peer.url, auth_token="w"))
        assert (changed.auth_header, changed.auth_token) == ("X-Key", "w")
        assert client.tools.delete_mcp_server("mock") == [] and client.tools.list_mcp_servers() == {}
    finally:
        peer.close()


def test_a_login_is_told_in_events(client):
    issuer = oauth_server.OauthServer()
    peer = oauth_server.ProtectedMcp(issuer)
    try:
        config = StreamableHttpServerConfig(server_name="guarded", server_url=peer.url)
        events = []
        for event in client.tools.connect_mcp_server(request=config):
            events.append(event.event)
            if event.event == "authorization_url":
                assert event.session_id.startswith("mcp-oauth-") and oauth_server.log_in(event.url)["status"] == "success"
        assert events == ["connection_attempt", "oauth_required", "authorization_url", "waiting_for_auth", "success"]
        assert client.tools.add_mcp_server(request=config)[-1].server_name == "guarded"
        assert {tool.name for tool in client.tools.list_mcp_tools_by_server("guarded")} == set(mcp_server.tools())
        client.tools.delete_mcp_server("guarded")
    finally:
        peer.close()
        issuer.close()
