"""Lists among 100,000 agents, upserts of identities and the export of a long history. Prints figures; asserts nothing."""

import pathlib
import sqlite3
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

import stele  # noqa: E402
from run import load, resident_mb  # noqa: E402

AGENTS = 100_000
MESSAGES = 100_000
TAGS = 100


def copied(store, table: str, keys: dict[str, str], source: str, count: int) -> None:
    """Copies one row `count` times; `keys`: the columns that differ, as SQL over `n.i`."""
    columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(keys.get(column, f"s.{column}") for column in columns)
    store.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
                  f" INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM n, (SELECT * FROM {table} WHERE {source} LIMIT 1) s")


def prepared(folder: pathlib.Path, arguments=()) -> tuple[stele.Server, str]:
    """A stopped server with all the rows, and the agent that has the long history."""
    server = stele.Server(folder, arguments=["--log-level", "warn", *arguments]).start()
    http = server.http()
    agent = http.post("/v1/agents", {"name": "first", "tags": ["t0"], "memory_blocks": [{"label": "human", "value": "x"}]})["id"]
    http.post(f"/v1/agents/{agent}/messages", {"input": "A message as people write them, with some eighty characters of text in it, or so."})
    server.stop()
    with sqlite3.connect(folder / "data/stele.db") as store:
        store.execute("PRAGMA foreign_keys=OFF")
        key = "printf('agent-%08x-0000-4000-8000-000000000000', n.i)"
        copied(store, "agent", {"id": key, "name": "'agent ' || n.i", "created_at": "s.created_at + n.i"}, f"id = '{agent}'", AGENTS)
        copied(store, "agent_tag", {"agent_id": key, "tag": f"'t' || (n.i % {TAGS})", "created_at": "s.created_at + n.i"}, f"agent_id = '{agent}'", AGENTS)
        copied(store, "message", {"id": "printf('message-%08x-0000-4000-8000-000000000000', n.i)", "position": "s.position - 1000000000 + n.i", "context_position": "NULL"},
               f"agent_id = '{agent}' AND role = 'user'", MESSAGES)
        store.execute("ANALYZE")
    return server, agent


def median_ms(server, path: str, rounds: int = 200) -> float:
    """Over one kept connection."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        connection.request("GET", path)
        connection.getresponse().read()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[rounds // 2]


def export(server, agent: str) -> None:
    before = resident_mb(server.process.child.pid)
    began = time.perf_counter()
    size = highest = 0
    with urllib.request.urlopen(f"{server.url}/v1/agents/{agent}/export?messages=all") as answer:
        while piece := answer.read(1 << 20):
            size += len(piece)
            highest = max(highest, resident_mb(server.process.child.pid))
    seconds = time.perf_counter() - began
    print(f"{load()}export of {MESSAGES} messages: {MESSAGES / seconds:,.0f}/s, {size / 1e6:.0f} MB, resident {before:.0f} -> {highest:.0f} MB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server, agent = prepared(pathlib.Path(folder))
        server.start()
        for what, path in {"by tag": "tags=t7", "by two tags": "tags=t7&tags=t8", "by name": "name=agent%2054321", "by part of a name": "query_text=54321",
                           "plain": ""}.items():
            print(f"{load()}list 50 of {AGENTS} agents {what}: p50 {median_ms(server, f'/v1/agents/?limit=50&{path}'):.2f} ms")
        export(server, agent)
        server.stop()


if __name__ == "__main__":
    main()
