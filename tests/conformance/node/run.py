"""Starts the mock model and a server, and runs the Node suites of both client generations against them."""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

import mcp_server  # noqa: E402
import stele  # noqa: E402

ROOT = HERE.parents[2]


def arguments(url: str, mcp_url: str, generation: str, folder: str) -> str:
    """What every method is to be called with, found by the Python client of the same generation."""
    target = f"{folder}/{generation}.json"
    subprocess.run([ROOT / f"build/python/{generation}/bin/python3", ROOT / "tests/support/method_walk.py", url, mcp_url, target], check=True)
    return target


model = stele.MockModel()
with tempfile.TemporaryDirectory() as folder:
    places = [pathlib.Path(folder) / name for name in ("server", "walked")]
    for place in places:
        place.mkdir()
    server = stele.Server(places[0], model.environment(), ["--tools-mcp-private", "true"]).start()
    walked = stele.Server(places[1], model.environment(), ["--tools-mcp-private", "true", "--providers-private", "true"]).start()
    peer = mcp_server.McpServer()
    try:
        source = 'def probe() -> int:\n    """Probes."""\n    return 1\n'
        probe = server.http().post("/v1/tools/run", {"source_code": source, "args": {}, "json_schema": {"name": "probe", "parameters": {"type": "object"}}})
        no_walls = probe["tool_return"] if "Unavailable" in probe["tool_return"] else ""
        environment = {**os.environ, "STELE_URL": server.url, "STELE_NO_WALLS": no_walls, "STELE_MCP_PORT": str(stele.free_port()),
                       "STELE_WALK_URL": walked.url, "STELE_MODEL_URL": f"{model.url}/v1", "STELE_METHODS_0": arguments(walked.url, peer.url, "sdk0", folder), "STELE_METHODS_1": arguments(walked.url, peer.url, "sdk1", folder)}
        codes = [subprocess.run(["node", "--test", str(HERE / generation)], env=environment, check=False).returncode
                 for generation in ("sdk0", "sdk1")]
    finally:
        peer.close()
        server.stop()
        walked.stop()
        model.stop()
sys.exit(max(codes))
