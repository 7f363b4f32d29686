"""Tools of an operator who has switched the walls off: nothing of a call outlives it, whatever it has started."""

import pathlib
import uuid

import pytest
import stele

# Leaves processes behind in every way there is: a child, a grandchild whose parent has gone, one in a session of its own.
LEAVE = '''def leave(mark: str, seconds: int) -> str:
    """Leaves.

    Args:
        mark: what they are known by
        seconds: how long it stays itself
    """
    import os, subprocess, time
    sleep = ["python3", "-c", "import time; time.sleep(600)", mark]
    subprocess.Popen(sleep)
    subprocess.Popen(sleep, start_new_session=True)
    subprocess.Popen(["sh", "-c", f"setsid python3 -c 'import time; time.sleep(600)' {mark} & exit 0"]).wait()
    if os.fork() == 0:
        os.setsid()
        os.execvp("python3", sleep)
    until = time.monotonic() + 30
    while sum(mark.encode() in open(f"/proc/{p}/cmdline", "rb").read() for p in os.listdir("/proc") if p.isdigit() and os.path.exists(f"/proc/{p}/cmdline")) < 4:
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)
    time.sleep(seconds)
    return "left"
'''


def marked(mark):
    found = 0
    for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += mark.encode() in line.read_bytes()
        except OSError:
            pass  # it has just ended
    return found


@pytest.fixture
def open_server(own_server):
    def make(**more):
        return own_server(arguments=["--tools-sandbox", "unsafe-none"], **more).start()

    return make


def agent_with(api, source):
    tool = api.post("/v1/tools", {"source_code": source})["id"]
    return api.post("/v1/agents", {"tool_ids": [tool], "include_base_tools": False, "include_base_tool_rules": False})["id"]


def leave(api, agent, mark, seconds=0):
    return api.post(f"/v1/agents/{agent}/tools/leave/run", {"args": {"mark": mark, "seconds": seconds}})


def test_what_a_call_has_started_ends_with_it(open_server):
    own = open_server()
    agent, mark = agent_with(own.http(2), LEAVE), uuid.uuid4().hex

    made = leave(own.http(2), agent, mark)

    assert made["func_return"] == "left", made
    stele.wait_until(lambda: marked(mark) == 0)
    assert leave(own.http(2), agent, uuid.uuid4().hex)["func_return"] == "left"
    assert own.stop() == 0


def test_a_call_that_takes_too_long_ends_with_all_that_it_has_started(open_server):
    own = open_server(environment={"TOOL_SANDBOX_TIMEOUT": "5"})
    agent, mark = agent_with(own.http(2), LEAVE), uuid.uuid4().hex

    made = leave(own.http(2), agent, mark, 600)

    assert made["status"] == "error" and "Timeout" in made["stderr"][0]
    stele.wait_until(lambda: marked(mark) == 0)
    assert own.stop() == 0


def test_a_cancelled_call_ends_with_all_that_it_has_started(open_server):
    own = open_server()
    api = own.http(2)
    agent, mark = agent_with(api, LEAVE), uuid.uuid4().hex
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": f'@call leave {{"mark": "{mark}", "seconds": 600}}'})
    stele.wait_until(lambda: marked(mark) >= 4)

    api.post(f"/v1/agents/{agent}/messages/cancel", {"run_ids": [run["id"]]})

    stele.wait_until(lambda: marked(mark) == 0)
    assert own.stop() == 0


def test_a_killed_server_takes_them_along(open_server):
    own = open_server()
    api = own.http(2)
    agent, mark = agent_with(api, LEAVE), uuid.uuid4().hex
    api.post(f"/v1/agents/{agent}/messages/async", {"input": f'@call leave {{"mark": "{mark}", "seconds": 600}}'})
    stele.wait_until(lambda: marked(mark) >= 4)

    own.kill()

    stele.wait_until(lambda: marked(mark) == 0)


def test_a_crash_is_told_as_one(open_server):
    own = open_server()
    source = 'def crash() -> str:\n    """Crashes."""\n    import os\n    os._exit(7)\n'
    made = own.http(2).post("/v1/tools/run", {"source_code": source, "args": {}})

    assert made["status"] == "error" and "exit code 7" in made["tool_return"]
    assert own.stop() == 0
