"""MCP servers that are commands: they run behind the sandbox's walls, and end with their sessions."""

import json
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
    assert len(http.get(f"/v1/mcp-servers/{made['id']}/tools")) == 6
    assert run(http, made, "echo", "hé\n😀")["func_return"] == "Echo: hé\n😀"


def test_the_walls_stand(http, with_commands):
    made = add(http)
    environment = json.loads(run(http, made, "environment")["func_return"])
    assert environment["GIVEN"] == "a b" and "SECRET_OF_THE_SERVER" not in environment and "OPENAI_API_KEY" not in environment
    for secret in (with_commands.folder / "data" / "stele.db", "/etc/passwd", f"/proc/{with_commands.process.child.pid}/environ"):
        assert run(http, made, "read", str(secret))["func_return"].startswith("refused"), secret


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
