"""What a call of a user's tool costs: by the fork-server alone, by the run route, and through the whole loop (two calls of
the model, three commits, the tool between them); how many go at once; what a warm interpreter holds; and the first call
after a start. One run, so that the ratios hold on a machine that does other things too. Prints the figures; asserts
nothing.

    bench/tool_calls.py [seconds for each]
"""

import concurrent.futures
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

import stele  # noqa: E402

RELEASE = ROOT / "build/release"
SOURCE = '''def add(a: int, b: int) -> int:
    """Adds.

    Args:
        a: one
        b: the other
    """
    return a + b
'''
AT_ONCE = 4
PAUSE = 0.005  # seconds: as sandbox_calls makes it


def load() -> str:
    return f"[load {pathlib.Path('/proc/loadavg').read_text().split()[0]}] "


class Client:
    """One kept connection."""

    def __init__(self, server: "stele.Server"):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def post(self, path: str, body: dict) -> dict:
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text)


def times_of(call, seconds: float, prepare=None, pause: float = 0) -> list[float]:
    """What calls of `call` took in ms, one after the other, sorted. `prepare` and a pause (in seconds) go before each, and
    are not counted."""
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        if prepare:
            prepare()
        time.sleep(pause)
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


def told(name: str, times: list[float]) -> float:
    print(f"{load()}{name}: p50 {times[len(times) // 2]:.2f} ms, p95 {times[len(times) * 95 // 100]:.2f} ms of {len(times)}")
    return times[len(times) // 2]


def cpu_ms(pid: int) -> float:
    """CPU time of a process so far, without that of its children."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 10


def at_once(calls: list, seconds: float) -> float:
    """Calls a second, each of `calls` (with what prepares it) in a thread of its own."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return sum(len(times) for times in pool.map(lambda call: times_of(call[0], seconds, call[1]), calls)) / seconds


class Talk:
    """Turns with a call of the tool, ten of an agent: one that has talked for long is slower, and not what is asked here."""

    def __init__(self, server: "stele.Server", agent: dict):
        self.client, self.description, self.turns = Client(server), agent, 0

    def prepare(self):
        if self.turns % 10 == 0:
            self.agent = self.client.post("/v1/agents/", self.description)["id"]
        self.turns += 1

    def turn(self):
        answer = self.client.post(f"/v1/agents/{self.agent}/messages", {"input": "add"})
        assert any(message.get("tool_return") == "3" for message in answer["messages"]), answer


def memory_kb(pid: int) -> tuple[int, int]:
    """Resident and proportional memory of a process."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return tuple(next(int(line.split()[1]) for line in text if line.startswith(name)) for name in ("Rss:", "Pss:"))


def interpreters(server: "stele.Server") -> list[int]:
    """The warm interpreters behind this server."""
    found, level = [], [server.process.child.pid]
    while level:
        level = [int(child) for pid in level for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children")
                 for child in path.read_text().split()]
        found += [pid for pid in level if b"python" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]]
    return found


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    stele.BINARY = str(RELEASE / "stele")
    print(load() + "the fork-server alone (sandbox_calls):")
    bare = subprocess.run([str(RELEASE / "bench/sandbox_calls"), "500", str(AT_ONCE)], check=True, capture_output=True, text=True).stdout
    print(bare, end="")
    # A process for the next call is made while nobody asks: a turn is held against calls that come as often as its own.
    alone, rested = (float(next(line for line in bare.splitlines() if line.startswith(name)).split("p50 ")[1].split()[0])
                     for name in ("one by one", "with pauses"))
    mock = stele.Process([str(RELEASE / "bench/mock_model"), "--tool", "add"], pipe=True)
    model = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{int(mock.child.stdout.readline())}", "LETTA_DEFAULT_LLM_HANDLE": "openai/mock"}
    with tempfile.TemporaryDirectory() as folder:
        server = stele.Server(pathlib.Path(folder), model, ["--log-level", "warn"]).start()
        client = Client(server)
        began = time.perf_counter()
        tool = client.post("/v1/tools/", {"source_code": SOURCE})["id"]
        first = time.perf_counter()
        agent = {"tool_ids": [tool], "include_base_tools": False, "memory_blocks": []}
        caller = client.post("/v1/agents/", agent)["id"]
        run = lambda: client.post(f"/v1/agents/{caller}/tools/add/run", {"args": {"a": 1, "b": 2}})  # noqa: E731
        called = time.perf_counter()
        assert run()["func_return"] == 3
        print(f"{load()}first schema after a start {(first - began) * 1000:.0f} ms, first call {(time.perf_counter() - called) * 1000:.0f} ms")
        told("a call by the run route", times_of(run, seconds))

        talks = [Talk(server, agent) for _ in range(AT_ONCE)]
        talks[0].prepare()
        talks[0].turn()
        used, times = cpu_ms(server.process.child.pid), times_of(talks[0].turn, seconds, talks[0].prepare)
        used = cpu_ms(server.process.child.pid) - used
        loop = told("a turn with a call through the whole loop, one by one", times)
        print(f"the server's own CPU time: {used / len(times):.2f} ms a turn")
        pauses = told("the same with pauses", times_of(talks[0].turn, seconds, talks[0].prepare, PAUSE))
        print(f"the turn is {loop / alone:.2f}x of the bare call one by one, {pauses / rested:.2f}x with pauses")
        rate = at_once([(talk.turn, talk.prepare) for talk in talks], seconds)
        print(f"{load()}{AT_ONCE} agents at once, such turns: {rate:.0f} calls/s")
        rate = at_once([(lambda c=t.client: c.post(f"/v1/agents/{caller}/tools/add/run", {"args": {"a": 1, "b": 2}}), None) for t in talks], seconds)
        print(f"{load()}{AT_ONCE} clients at once, by the run route: {rate:.0f} calls/s")
        waiting = [memory_kb(pid) for pid in interpreters(server)]
        print(f"a warm interpreter with {len(waiting) - 1} processes made ahead: {sum(own for _, own in waiting) / 1024:.1f} MB, their shares of what is shared counted once")
        server.kill()
    mock.kill()


if __name__ == "__main__":
    main()
