"""The processes of calls are made ahead. Nothing of that may be seen by a tool: each is as if it had been made for its call."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import time

CALLS = 8  # more than there are processes made ahead


def run(http, body):
    source = "def look():\n" + "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    made = http.post("/v1/tools/run", {"source_code": source, "json_schema": {"name": "look", "parameters": {"type": "object", "properties": {}}}, "args": {}})
    assert made["status"] == "success", made
    return json.loads(made["tool_return"])


def test_calls_draw_different_numbers(walled, http):
    drawn = [tuple(run(http, "import random, uuid, os\nreturn [random.random(), str(uuid.uuid4()), os.urandom(8).hex()]")) for _ in range(CALLS)]
    for column in zip(*drawn):
        assert len(set(column)) == CALLS


def test_what_one_call_changes_the_next_does_not_see(walled, http):
    seen = """
import builtins, json, os, sys, random
found = [getattr(json, 'left', None), os.environ.get('LEFT'), getattr(builtins, 'left', None), os.path.exists('/tmp/left'), os.getcwd()]
json.left = os.environ['LEFT'] = builtins.left = 'x'
open('/tmp/left', 'w').close()
os.chdir('/')
return found
"""
    assert [run(http, seen) for _ in range(CALLS)] == [[None, None, None, False, "/tmp"]] * CALLS


def test_a_call_finds_its_own_descriptors_and_environment_alone(walled, http):
    look = """
import os, sys
opened = {fd: os.readlink(f'/proc/self/fd/{fd}').split(':')[0] for fd in os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{fd}')}
return [opened, sorted(set(os.environ)), os.getpid(), os.listdir('/tmp'), [name for name in sys.modules if name == 'tool'], [p for p in os.listdir('/proc') if p.isdigit()]]
"""
    for _ in range(CALLS):
        opened, environment, process, files, modules, processes = run(http, look)
        assert opened == {"0": "/dev/null", "1": "pipe", "2": "pipe", "3": "socket"}
        assert "HOME" in environment and not [name for name in environment if "KEY" in name or "STELE" in name]
        assert (process, files, modules, processes) == (1, [], ["tool"], ["1"])


def test_calls_at_once_are_apart(walled, http):
    body = "import os, time\nopen('/tmp/mine', 'w').close()\ntime.sleep(0.02)\nreturn os.listdir('/tmp')"
    with concurrent.futures.ThreadPoolExecutor(CALLS) as pool:
        for files in pool.map(lambda _: run(http, body), range(2 * CALLS)):
            assert files == ["mine"]


def test_a_process_that_ended_before_its_call_is_none_of_the_calls(walled, http):
    assert run(http, "return 1") == 1
    killed = waited_for(lambda: spares(walled.process.child.pid))
    for process in killed:
        with contextlib.suppress(ProcessLookupError):  # the one of the call before
            os.kill(process, signal.SIGKILL)
    waited_for(lambda: not any(os.path.exists(f"/proc/{process}") for process in killed))
    assert [run(http, f"return {number}") for number in range(CALLS)] == list(range(CALLS))
    assert waited_for(lambda: spares(walled.process.child.pid))


def children(process):
    try:
        return [int(child) for listed in pathlib.Path(f"/proc/{process}/task").glob("*/children") for child in listed.read_text().split()]
    except OSError:
        return []  # it has just ended


def spares(server):
    """Processes that wait for their call, below a warm interpreter: while none is at work, all that it has made."""
    found, level = [], children(server)
    while level:
        found += [child for process in level if b"walled" in arguments_of(process) and b"--" not in arguments_of(process) for child in children(process)]
        level = [child for process in level for child in children(process)]
    return found


def arguments_of(process):
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def waited_for(look):
    for _ in range(600):
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")
