"""Tools of a user that attack the server, by the API of the real binary. After each the server is healthy, the next call works,
and nothing has come out. What a call can do within its walls is tried in tests/unit/tools."""

import json

import pytest
import stele

SECRET = "the-servers-own-secret"


@pytest.fixture(scope="module")
def attacked(walled, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacked")
    running = stele.Server(folder, {**model.environment(), "SERVER_ONLY": SECRET, "STELE_TOOLS_CALL_SECONDS": "20"}).start()
    (folder / "loot.txt").write_text(SECRET)
    yield running
    assert running.stop() == 0
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def attack(attacked):
    """Runs the body of a function and gives its return message. The server has to be well afterwards."""
    http = attacked.http()

    def run(body, **args):
        source = f"def attack({', '.join(args)}):\n" + "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
        schema = {"name": "attack", "parameters": {"type": "object", "properties": {name: {} for name in args}}}
        made = http.post("/v1/tools/run", {"source_code": source, "json_schema": schema, "args": args})
        assert SECRET not in json.dumps(made)
        return made

    yield run
    assert http.get("/v1/health/")["status"] == "ok"
    assert run("return 1 + 1")["tool_return"] == "2", "the next call"


TRY_FILES = """
import glob
found = []
for pattern in patterns:
    for path in glob.glob(pattern) or [pattern]:
        try:
            with open(path, 'rb') as file:
                found.append(path + ' ' + file.read(100000).decode(errors='replace'))
        except OSError:
            pass
return found
"""


def test_files_and_environment_of_the_server_are_out_of_reach(attack, attacked):
    pid, folder = attacked.process.child.pid, str(attacked.folder)
    patterns = [folder + "/loot.txt", folder + "/data/*", folder + "/server.log", "/root/*", "/home/*/*", "/etc/passwd", "/etc/shadow", f"/proc/{pid}/environ",
                f"/proc/{pid}/cmdline", f"/proc/{pid}/root/etc/passwd", f"/proc/{pid}/cwd/*", f"/proc/{pid}/fd/*", "/proc/[0-9]*/root" + folder + "/loot.txt"]
    assert attack(TRY_FILES, patterns=patterns)["tool_return"] == "[]"
    assert attack("import os\nreturn [v for v in os.environ.values()]")["status"] == "success"
    assert attack("import glob\nreturn [open(p, 'rb').read().decode(errors='replace') for p in glob.glob('/proc/[0-9]*/environ')]")["status"] == "success"


def test_links_lead_nowhere(attack, attacked):
    made = attack("""
import os
os.symlink(folder + '/loot.txt', '/tmp/a')
os.symlink('../../../../../../../' + folder + '/loot.txt', '/tmp/b')
os.symlink('/proc/1/root' + folder, '/tmp/c')
found = []
for path in ['/tmp/a', '/tmp/b', '/tmp/c/loot.txt', '/dev/fd/../../' + folder + '/loot.txt']:
    try:
        found.append(open(path).read())
    except OSError:
        pass
return found
""", folder=str(attacked.folder))
    assert made["tool_return"] == "[]"


def test_files_of_other_calls_are_gone(attack):
    assert attack("open('/tmp/left', 'w').write('x')\nopen('/dev/shm/left', 'w').write('x')\nreturn 'written'")["tool_return"] == "written"
    assert attack("import os\nreturn os.listdir('/tmp') + os.listdir('/dev/shm')")["tool_return"] == "[]"


REACH = """
import socket, urllib.request
reached = []
for host in hosts:
    for proxied in (False, True):
        try:
            if proxied:
                urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({'http': 'http://127.0.0.1:3128'})))
                shown = f'[{host}]' if ':' in host else host
                urllib.request.urlopen(f'http://{shown}:{port}/v1/health/', timeout=20).read()
            else:
                socket.create_connection((host, port), 5).close()
            reached.append([host, proxied])
        except (OSError, ValueError):
            pass
return reached
"""
HOSTS = ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
         "169.254.169.254", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "fd00:ec2::254", "metadata.google.internal"]


def test_the_server_and_private_networks_are_not_reached_by_any_spelling(attack, attacked):
    assert attack(REACH, hosts=HOSTS, port=attacked.port)["tool_return"] == "[]"


BOMBS = {
    "forks": ("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass", "timed out"),
    "memory": ("kept = []\nwhile True:\n    kept.append(bytearray(1 << 26))", "MemoryError"),
    "disk": ("with open('/tmp/big', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))", "OSError"),
    "output": ("import os\nblock = b'x' * (1 << 20)\nfor _ in range(10 << 10):\n    os.write(1, block)\nraise RuntimeError('all said')", None),
    "result": ("return 'x' * (17 << 20)", "ResultTooLarge"),
    "pickle": ("import os, pickle, struct\ndata = pickle.dumps({'ok': True})\nos.write(3, struct.pack('!I', len(data)) + data)\nos._exit(0)", "Crash"),
    "forged length": ("import os, struct\nos.write(3, struct.pack('!I', 0xffffffff))\nos._exit(0)", "ResultTooLarge"),
    "parent": ("import os, signal\nfor process in (os.getppid(), 0, -1, 1, 2):\n    try:\n        os.kill(process, signal.SIGKILL)\n    except OSError:\n        pass\nraise RuntimeError('nobody is hurt')", "nobody is hurt"),
    "crash": ("import ctypes\nctypes.string_at(0)", "Crash"),
    "deep": ("def f(): return f()\nreturn f()", "RecursionError"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_hurts_its_own_call_alone(attack, name):
    body, why = BOMBS[name]
    made = attack(body)

    assert made["status"] == "error"
    assert why is None or why in made["tool_return"], made["tool_return"]
    assert len("".join(made["stdout"] + made["stderr"])) < (2 << 20) + 10_000


def test_a_process_that_is_left_behind_ends_with_the_call(attack):
    assert attack("import subprocess\nsubprocess.Popen(['sleep', '98763'], start_new_session=True)\nreturn 'left'")["tool_return"] == "left"

    def is_there():
        import pathlib
        return any(b"98763" in path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if path.exists())

    stele.wait_until(lambda: not is_there())


def test_arguments_are_never_code(attack):
    text = "'); import os; os.system('touch /tmp/owned') #\n\"\"\"{}${}`id`__import__('os')"
    made = attack("import os\nreturn [a, os.listdir('/tmp')]", a=text)
    assert json.loads(made["tool_return"]) == [text, []]
