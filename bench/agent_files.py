"""Import and export of large agent files by a fresh server: rates and the most memory that it had. Prints figures; asserts nothing.

    python3 bench/agent_files.py [megabytes ...]      100 and 1000 unless named
"""

import pathlib
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

import large_agent_file as large  # noqa: E402
import stele  # noqa: E402
from run import load, resident_mb  # noqa: E402

TEXT = "A message as people write them, with some eighty characters of text in it, or so. " * 9
BYTES_EACH = 1_000  # about, of a message in the file
SMALL = 100_000  # messages of eighty characters: the export that has a goal


class Turns:
    """Another agent's turns meanwhile: how long the slowest took."""

    def __init__(self, server):
        self.http = server.http()
        self.agent = self.http.post("/v1/agents/", {"name": "other"})["id"]
        self.times, self.ended = [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            began = time.perf_counter()
            self.http.post(f"/v1/agents/{self.agent}/messages", {"messages": [{"role": "user", "content": "hello"}]})
            self.times.append((time.perf_counter() - began) * 1000)
            self.ended.wait(0.02)

    def end(self) -> str:
        self.ended.set()
        self.thread.join()
        times = sorted(self.times)
        return f"turns of another agent p50 {times[len(times) // 2]:.0f}, p99 {times[len(times) * 99 // 100]:.0f}, worst {times[-1]:.0f} ms"


def settled(server) -> None:
    """Waits until the index has what the import has stored, and lets the peak of memory begin anew."""
    store = sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True)
    while store.execute("SELECT COUNT(*) FROM message_search_queue").fetchone()[0] > 0:
        time.sleep(0.1)
    pathlib.Path(f"/proc/{server.process.child.pid}/clear_refs").write_text("5")


def export(server, agent: str, messages: int, what: str) -> None:
    settled(server)
    before = large.peak_mb(server.process.child.pid)
    began = time.perf_counter()
    size = 0
    with urllib.request.urlopen(f"{server.url}/v1/agents/{agent}/export?messages=all") as answer:
        while piece := answer.read(1 << 20):
            size += len(piece)
    seconds = time.perf_counter() - began
    print(f"{load()}export of {what}: {size / 1e6:.0f} MB, {messages / seconds:,.0f} messages/s, {size / 1e6 / seconds:.0f} MB/s, "
          f"peak {before:.0f} -> {large.peak_mb(server.process.child.pid):.0f} MB", flush=True)


def fresh(folder: str):
    return stele.Server(pathlib.Path(folder), arguments=["--log-level", "warn"]).start()


def transfer(megabytes: int) -> None:
    messages = megabytes * 1_000_000 // BYTES_EACH
    with tempfile.TemporaryDirectory() as folder:
        server = fresh(folder)
        turns = Turns(server)
        before = resident_mb(server.process.child.pid)
        began = time.perf_counter()
        status, answer = large.upload(server, large.pieces(messages, TEXT))
        seconds = time.perf_counter() - began
        assert status == 200, answer
        print(f"{load()}import of {messages:,} messages: {megabytes / seconds:.0f} MB/s, {messages / seconds:,.0f} messages/s, "
              f"resident {before:.0f}, peak {large.peak_mb(server.process.child.pid):.0f} MB; {turns.end()}", flush=True)
        settled(server)
        server.stop()
        server.start()
        export(server, answer["agent_ids"][0], messages, f"{messages:,} messages")
        server.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = fresh(folder)
        status, answer = large.upload(server, large.pieces(SMALL, "A message as people write them, with some eighty characters in it, or so. "))
        assert status == 200, answer
        settled(server)
        server.stop()
        server.start()
        export(server, answer["agent_ids"][0], SMALL, f"{SMALL:,} short messages by a fresh server")
        server.stop()
    for megabytes in [int(each) for each in sys.argv[1:]] or [100, 1_000]:
        transfer(megabytes)


if __name__ == "__main__":
    main()
