"""What a call of an MCP tool costs through Stele, beside the official SDK's own client: the same server (made with the
TypeScript SDK), the same call, by turns in one run. Prints the figures; asserts nothing.
    build/python/sdk1/bin/python3 bench/mcp_calls.py [calls]"""

import asyncio
import http.client
import json
import pathlib
import shutil
import socket
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

import stele  # noqa: E402
from mcp.client.client import Client  # noqa: E402
from mcp.client.stdio import StdioServerParameters  # noqa: E402

SCRIPT = str(ROOT / "tests/support/node_mcp/server.mjs")
CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
ROUND = 20  # calls of one way before it is the other's turn


class Route:
    """The run route, over one connection."""

    def __init__(self, server: "stele.Server", made: dict):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port)
        tools = server.http().get(f"/v1/mcp-servers/{made['id']}/tools")
        echo = next(tool["id"] for tool in tools if tool["metadata_"]["mcp"]["tool_name"] == "echo")
        self.path = f"/v1/mcp-servers/{made['id']}/tools/{echo}/run"

    def call(self) -> None:
        self.connection.request("POST", self.path, '{"args":{"message":"x"}}', {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        assert answer["func_return"] == "Echo: x", answer


async def measure(name: str, client: Client, route: Route) -> None:
    """By turns, so that whatever else the machine does falls on both alike."""
    theirs, ours = [], []
    for _ in range(max(1, CALLS // ROUND)):
        for _ in range(ROUND):
            began = time.perf_counter()
            await client.call_tool("echo", {"message": "x"})
            theirs.append(time.perf_counter() - began)
        for _ in range(ROUND):
            began = time.perf_counter()
            route.call()
            ours.append(time.perf_counter() - began)
    p50 = [statistics.median(times) * 1e3 for times in (theirs, ours)]
    p95 = [statistics.quantiles(times, n=20)[18] * 1e3 for times in (theirs, ours)]
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(f"[load {load}] {name}: the SDK's client p50 {p50[0]:.2f} p95 {p95[0]:.2f} ms, Stele's run route p50 {p50[1]:.2f} p95 {p95[1]:.2f} ms, added p50 {p50[1] - p50[0]:+.2f} ms")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = stele.Server(pathlib.Path(folder), arguments=["--tools-mcp-private", "true", "--tools-mcp-stdio", "true", "--tools-sandbox", "unsafe-none", "--log-level", "warn", "--threads", "1"]).start()
        port = stele.free_port()
        peer = stele.Process(["node", SCRIPT, "streamable-http", str(port), "json"])
        stele.wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        try:
            url = f"http://127.0.0.1:{port}/mcp"
            made = server.http().post("/v1/mcp-servers", {"server_name": "http", "config": {"mcp_server_type": "streamable_http", "server_url": url}})
            async with Client(url) as client:
                await measure("streamable HTTP", client, Route(server, made))
            node = shutil.which("node")
            made = server.http().post("/v1/mcp-servers", {"server_name": "command", "config": {"mcp_server_type": "stdio", "command": node, "args": [SCRIPT, "stdio"]}})
            async with Client(StdioServerParameters(command=node, args=[SCRIPT, "stdio"])) as client:
                await measure("stdio", client, Route(server, made))
        finally:
            peer.kill()
            server.stop()


asyncio.run(main())
