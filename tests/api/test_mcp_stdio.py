"""MCP servers that are commands: they run behind the sandbox's walls, and end with their sessions."""

import json
import os
import pathlib
import shutil

import pytest
import stele

SCRIPT = (pathlib.Path(stele.ROOT) / "tests/support/stdio_mcp_server.py").read_text()
pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
names = iter(range(1_000))


@pytest.fixture(scope="module")
def with_commands(model, tmp_path_factory):
    patience = [word for stage in ("connect", "list", "call") for word in (f"--tools-mcp-{stage}-seconds", "4")]
    running = stele.Server(tmp_path_factory.mktemp("mcp"), {**model.environment(), "SECRET_OF_THE_SERVER": "never"}, ["--tools-mcp-stdio", "true", *patience]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def http(with_commands):
    return with_commands.http(2)


def add(http, misdeed="", command="python3"):
    return http.post("/v1/mcp-servers", {"server_name": f"command{next(names)}", "config": {"mcp_server_type": "stdio", "command": command, "args": ["-c", SCRIPT, *([misdeed] if misdeed else [])],
                                                                                           "env": {"GIVEN": "a b"}}})


def run(http, made, tool, message="x"):
    ids = {each["metadata_"]["mcp"]["tool_name"]: each["id"] for each in http.get(f"/v1/mcp-servers/{made['id']}/tools")}
    return http.post(f"/v1/mcp-servers/{made['id']}/tools/{ids[tool]}/run", {"args": {"message": message}})


def test_its_tools_are_listed_and_called(http):
    made = add(http)
    assert list(made) == ["mcp_server_type", "command", "args", "env", "id", "server_name"] and made["env"] == {"GIVEN": "a b"}
    assert len(http.get(f"/v1/mcp-servers/{made['id']}/tools")) == 10
    assert run(http, made, "echo", "hé\n😀")["func_return"] == "Echo: hé\n😀"


def test_the_walls_stand(http, with_commands):
    made = add(http)
    environment = json.loads(run(http, made, "environment")["func_return"])
    assert environment["GIVEN"] == "a b" and "SECRET_OF_THE_SERVER" not in environment and "OPENAI_API_KEY" not in environment
    for secret in (with_commands.folder / "data" / "stele.db", "/etc/passwd", f"/proc/{with_commands.process.child.pid}/environ"):
        assert run(http, made, "read", str(secret))["func_return"].startswith("refused"), secret


def test_it_runs_under_limits_and_as_nobody(http):
    limits = json.loads(run(http, add(http), "limits")["func_return"])
    assert limits["user"] != 0 and limits["group"] != 0 or limits["user"] == os.getuid() != 0
    assert limits["files"] <= 1024 and limits["processes"] <= 256 and limits["bytes"] <= 1 << 30


def test_its_memory_is_limited(model, own_server):
    http = own_server(arguments=["--tools-mcp-stdio", "true", "--tools-memory-bytes-max", str(300 << 20)]).start().http(2)
    made = add(http)

    assert run(http, made, "hog", str(50 << 20))["func_return"] == str(50 << 20)
    assert run(http, made, "hog", str(1 << 30))["func_return"] == "refused: MemoryError"
    assert run(http, made, "echo")["func_return"] == "Echo: x"


def test_its_way_out_goes_through_the_gate(http, own_server, peer):
    """By default to public addresses alone; what is private is told so by the proxy, and never connected to."""
    quiet = peer()
    url = quiet.url.replace("127.0.0.1", "127.1")  # its own 127.0.0.1 is asked without a proxy
    refused = run(http, add(http), "fetch", url)["func_return"]
    assert "403" in refused and quiet.requests == [], refused
    running = own_server(arguments=["--tools-mcp-stdio", "true", "--egress-private", "true"]).start()
    made = add(running.http(2))
    assert "405" in run(running.http(2), made, "fetch", url)["func_return"] and quiet.requests, "it got through"
    running.stop()
    running.arguments = ["--tools-mcp-stdio", "true", "--egress-private", "true", "--tools-network", "none"]
    running.start()
    before = len(quiet.requests)
    assert run(running.http(2), made, "fetch", url)["func_return"].startswith("refused") and len(quiet.requests) == before


def test_a_call_that_takes_too_long_is_taken_back(model, own_server, tmp_path):
    """What it hears it writes down where we can read it: so this one runs without walls."""
    running = own_server(arguments=["--tools-mcp-stdio", "true", "--tools-sandbox", "unsafe-none", "--tools-mcp-call-seconds", "1"]).start()
    made, heard = add(running.http(2)), tmp_path / "heard"
    outcome = run(running.http(2), made, "long", str(heard))
    assert outcome["status"] == "error" and "not known" in outcome["func_return"]
    stele.wait_until(lambda: heard.exists() and "notifications/cancelled" in heard.read_text())


def test_one_process_serves_many_calls_and_one_that_died_or_hangs_is_replaced(http):
    made = add(http)
    seen = [int(run(http, made, "count")["func_return"]) for _ in range(8)]
    assert max(seen) > 1, "the process is kept"
    for misdeed in ("die", "hang"):
        assert run(http, made, misdeed)["status"] == "error"
        assert run(http, made, "echo")["func_return"] == "Echo: x"


@pytest.mark.parametrize("misdeed", ["silent", "exits", "endless"])
def test_a_command_that_does_not_behave_is_stored_and_told_of(http, misdeed):
    made = add(http, misdeed)
    assert http.get(f"/v1/mcp-servers/{made['id']}/tools") == []
    failed = stele.Refused
    try:
        http.patch(f"/v1/mcp-servers/{made['id']}/refresh")
        raise AssertionError("it was taken")
    except stele.Refused as refused:
        failed = refused
    assert failed.status in (408, 502)


def test_a_command_that_is_not_there(http):
    made = add(http, command="no-such-program")
    stele.refused(http, "PATCH", f"/v1/mcp-servers/{made['id']}/refresh", 502)


def test_a_patch_replaces_command_and_arguments_together(http):
    made = add(http)
    kept = http.patch(f"/v1/mcp-servers/{made['id']}", {"server_name": made["server_name"] + "r", "config": {"mcp_server_type": "stdio", "command": "other"}})
    assert (kept["command"], kept["args"]) == (made["command"], made["args"])
    changed = http.patch(f"/v1/mcp-servers/{made['id']}", {"config": {"mcp_server_type": "stdio", "command": "cat", "args": []}})
    assert (changed["command"], changed["args"], changed["env"]) == ("cat", [], {"GIVEN": "a b"})
