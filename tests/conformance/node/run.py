"""Starts the mock model and a server, and runs the Node suites of both client generations against them."""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

import stele  # noqa: E402

model = stele.MockModel()
with tempfile.TemporaryDirectory() as folder:
    server = stele.Server(pathlib.Path(folder), model.environment(), ["--tools-mcp-private", "true"]).start()
    try:
        source = 'def probe() -> int:\n    """Probes."""\n    return 1\n'
        probe = server.http().post("/v1/tools/run", {"source_code": source, "args": {}, "json_schema": {"name": "probe", "parameters": {"type": "object"}}})
        no_walls = probe["tool_return"] if "Unavailable" in probe["tool_return"] else ""
        environment = {**os.environ, "STELE_URL": server.url, "STELE_NO_WALLS": no_walls, "STELE_MCP_PORT": str(stele.free_port())}
        codes = [subprocess.run(["node", "--test", str(HERE / generation)], env=environment, check=False).returncode
                 for generation in ("sdk0", "sdk1")]
    finally:
        server.stop()
        model.stop()
sys.exit(max(codes))
