"""What limits a sandbox as a whole: its control group, where this machine lets the server make one; else each process for itself.
The log says at the start which it is, and the tests hold what tools meet against that."""

import contextlib
import os
import pathlib

import pytest
import stele

MEGABYTE = 1 << 20
LIMIT = 300 * MEGABYTE
NOTHING = {"parameters": {"type": "object", "properties": {}}}


@pytest.fixture
def place():
    """Arguments that name a folder for groups, if a tree of version 2 can be written to."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        tree = pathlib.Path(line.split()[4])
        controllers = tree / "cgroup.controllers"
        if " - cgroup2 " not in line or not controllers.exists() or not {"memory", "pids"} <= set(controllers.read_text().split()) or not os.access(tree / "cgroup.subtree_control", os.W_OK):
            continue
        with contextlib.suppress(OSError):
            (tree / "cgroup.subtree_control").write_text("+memory +pids +cpu")
        folder = tree / f"stele-test-{os.getpid()}"
        folder.mkdir()
        yield ["--tools-cgroup", str(folder)]
        stele.wait_until(lambda: gone(folder))
        return
    yield []


def gone(folder):
    for each in (*folder.glob("sandbox-*"), folder):
        with contextlib.suppress(OSError):
            each.rmdir()
    return not folder.exists()


@pytest.fixture
def limited(walled, place, own_server):
    """The server, and true if sandboxes are groups."""
    running = own_server(arguments=["--tools-memory-bytes-max", str(LIMIT), "--tools-processes-max", "40", *place]).start()
    return running, what_limits(running) == "sandboxes"


def what_limits(running):
    stele.wait_until(lambda: "sandbox.limits" in running.log.read_text())
    told = [line for line in running.log.read_text().splitlines() if "sandbox.limits" in line]
    assert len(told) == 1
    return "sandboxes" if "sandboxes" in told[0] else "processes"


def run(running, body):
    source = "def f():\n" + "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    made = running.http().post("/v1/tools/run", {"source_code": source, "json_schema": {"name": "f", **NOTHING}, "args": {}})
    return made["status"], made["tool_return"]


def test_memory(limited):
    running, grouped = limited

    status, told = run(running, f"return len(bytearray({500 * MEGABYTE}))")

    if grouped:
        assert status == "error" and "OutOfMemory" in told and "300 MiB" in told
    else:
        assert (status, told) == ("success", str(500 * MEGABYTE))
    assert run(running, "return 1") == ("success", "1"), "the next call"


def test_memory_of_all_processes_together(limited):
    """Four children hold 120 MB each: none is over the limit, all together are."""
    running, grouped = limited
    body = f"""
import os
children = []
for _ in range(4):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        held = bytearray({120 * MEGABYTE})
        os.write(write, b'x')
        os.read(os.pipe()[0], 1)
    os.close(write)
    children.append((child, read))
held = [os.read(read, 1) for _, read in children]
return held.count(b'x')
"""
    status, told = run(running, body)

    if grouped:
        assert (status == "success" and int(told) < 4) or "OutOfMemory" in told
    else:
        assert (status, told) == ("success", "4")
    assert run(running, "return 1") == ("success", "1"), "the next call"


def test_processes(limited):
    running, grouped = limited
    body = """
import os, time
made = 0
try:
    while made < 50:
        if os.fork() == 0:
            time.sleep(1000)
        made += 1
except OSError:
    pass
return made
"""
    status, told = run(running, body)

    assert status == "success" and (int(told) < 40 if grouped else int(told) == 50)
    assert run(running, "return 1") == ("success", "1"), "the next call"


def test_without_groups_the_log_says_why(own_server):
    running = own_server(arguments=["--tools-cgroup", "off"]).start()

    assert what_limits(running) == "processes"
    assert "switched off" in running.log.read_text()
