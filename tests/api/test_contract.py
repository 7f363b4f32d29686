"""schemathesis, a stranger with /openapi.json in its hand: whatever it makes up, no answer is a failure of the server, and each is what the document says."""

import os
import pathlib
import subprocess

CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance"
# They ask servers of others, whose failures they report as such; speak git's protocol; say 501 for an agent without git memory.
LEFT_OUT = r"/providers/check|/generate-tool$|^/v1/(anthropic|zai|git)/|/memory-files/"
TOOL = pathlib.Path(__file__).parents[2] / "build/python/contract/bin/schemathesis"


def test_what_the_document_says_holds(own_server, tmp_path):
    server = own_server().start()
    command = [TOOL, "run", f"{server.url}/openapi.json", "--checks", CHECKS, "--exclude-path-regex", LEFT_OUT, "--phases", "examples,coverage,fuzzing", "--continue-on-failure",
               "--max-time", os.environ.get("STELE_CONTRACT_SECONDS", "45"), "--seed", "1", "--no-shrink", "--suppress-health-check", "all", "--request-timeout", "60", "--warnings", "off"]
    tried = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert tried.returncode == 0, tried.stdout[-12000:] + tried.stderr[-2000:]
    assert server.http().get("/v1/health")["status"] == "ok"
    assert "assertion.failed" not in server.log.read_text()
