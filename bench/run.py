"""Starts the mock model and Stele, drives load, then measures start-up and memory. Prints the figures; asserts nothing."""

import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

import stele  # noqa: E402

RELEASE = ROOT / "build/release"
STREAMS = 1_000
AGENTS = 10_000
HISTORIES = (100, 100_000)
TOKEN_MS, TOKENS = 20, 750  # fifteen seconds of talk


def load() -> str:
    """What else the machine did, beside each figure that depends on it."""
    return f"[load {pathlib.Path('/proc/loadavg').read_text().split()[0]}] "


def resident_mb(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def start_up(folder: pathlib.Path) -> None:
    """Copies one agent's row until there are 10,000, then measures start and memory."""
    import sqlite3

    server = stele.Server(folder, arguments=["--log-level", "warn"]).start()
    server.http().post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "x"}]})
    server.stop()
    with sqlite3.connect(folder / "data/stele.db") as store:
        store.execute("PRAGMA foreign_keys=OFF")
        columns = [row[1] for row in store.execute("PRAGMA table_info(agent)") if row[1] != "id"]
        names = ", ".join(columns)
        store.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {AGENTS})"
                      f" INSERT INTO agent (id, {names}) SELECT printf('agent-%08x-0000-4000-8000-000000000000', i), {names}"
                      " FROM n, (SELECT * FROM agent LIMIT 1)")
    command = [stele.BINARY, "serve", "--data", str(folder / "data"), "--port", str(server.port), "--log-level", "warn"]
    times = []
    for _ in range(5):
        began = time.perf_counter()
        process = stele.Process(command)
        while True:
            try:
                urllib.request.urlopen(server.url + "/v1/health").read()
                break
            except OSError:
                time.sleep(0.0005)
        times.append((time.perf_counter() - began) * 1000)
        process.stop()
    print(f"start to first 200 with {AGENTS} agents: median {sorted(times)[2]:.0f} ms")


def open_streams(server: "stele.Server", agents: list[str]) -> list:
    """A token stream of each of `agents`; each has begun when this returns. Streams of one agent follow one run: the
    message repeats its otid."""
    import socket

    body = (b'{"messages":[{"role":"user","content":"x","otid":"o"}],"stream_tokens":true,'
            b'"override_model":"openai/silent"}')
    opened = []
    for agent in agents:
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(f"POST /v1/agents/{agent}/messages/stream HTTP/1.1\r\nHost: x\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        opened.append(connection)
    for connection in opened:
        connection.recv(4_096)
    return opened


def streams(folder: pathlib.Path, own_runs: bool) -> None:
    """Resident memory idle, and with a thousand open streams on which nothing happens, as their model is silent: all of
    one run, or each of a run of its own with a connection to the model."""
    import resource
    import socket

    resource.setrlimit(resource.RLIMIT_NOFILE, (8_192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    silent = socket.create_server(("127.0.0.1", 0), backlog=4_096)   # a model that never answers
    server = stele.Server(folder, {"OPENAI_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}", "OPENAI_API_KEY": "x"},
                          ["--log-level", "warn"]).start()
    pid = server.process.child.pid
    if not own_runs:
        print(f"resident memory idle: {resident_mb(pid):.1f} MB")
    count = STREAMS if own_runs else 1
    agents = [server.http().post("/v1/agents", {"model": "stele/offline"})["id"] for _ in range(count)]
    before = resident_mb(pid)
    opened = open_streams(server, agents * (STREAMS // count))
    print(f"resident memory with {STREAMS} open idle streams of {count} run{'s' if own_runs else ''}: {resident_mb(pid):.1f} MB"
          f" ({before:.1f} MB before them)")
    server.kill()
    for connection in opened:
        connection.close()


def talking_streams(folder: pathlib.Path) -> None:
    """A thousand runs at once, a token every 20 ms each: how long a token is under way from the model to its reader, with
    the server between them and without, and the most memory the server took for it."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (8_192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    ends = stele.Process([str(RELEASE / "bench/token_streams"), "--token-ms", str(TOKEN_MS), "--words", str(TOKENS)], pipe=True)
    model_port = int(ends.child.stdout.readline())
    server = stele.Server(folder, {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{model_port}", "LETTA_DEFAULT_LLM_HANDLE": "openai/mock"},
                          ["--log-level", "warn"]).start()
    pid = server.process.child.pid

    def told(port, paths):
        """(tokens, counted, delays in ms, the server's memory while all streams were at work)"""
        ends.child.stdin.write("\n".join([f"{port} {len(paths)}", *paths, ""]).encode())
        ends.child.stdin.flush()
        assert ends.child.stdout.readline() == b"over\n"
        memory = resident_mb(pid)
        tokens, counted, *delays = ends.child.stdout.readline().split()
        return int(tokens), int(counted), [float(each) for each in delays], memory

    _, _, (alone50, alone99, _), _ = told(model_port, ["/v1/chat/completions"] * STREAMS)
    agents = [server.http().post("/v1/agents", {"include_base_tools": False})["id"] for _ in range(STREAMS)]
    used = cpu_seconds(pid)
    tokens, counted, (p50, p99, worst), memory = told(server.port, [f"/v1/agents/{agent}/messages/stream" for agent in agents])
    used = cpu_seconds(pid) - used
    print(f"{load()}{STREAMS} streams, a token every {TOKEN_MS} ms: delay p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {worst:.2f} ms of {counted} tokens"
          f" (without the server p50 {alone50:.2f} ms, p99 {alone99:.2f} ms: added p99 {p99 - alone99:.2f} ms),"
          f" memory {memory:.0f} MB, {used * 1e6 / tokens:.1f} us of CPU a token")
    server.kill()
    ends.kill()


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def long_history(folder: pathlib.Path, model_url: str, seconds: str) -> None:
    """A turn of an agent with 100,000 messages behind it against one with 100."""
    import sqlite3

    model = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": model_url, "LETTA_DEFAULT_LLM_HANDLE": "openai/mock"}
    server = stele.Server(folder, model, ["--log-level", "warn"]).start()
    agents = [server.http().post("/v1/agents", {})["id"] for _ in HISTORIES]
    for agent in agents:
        server.http().post(f"/v1/agents/{agent}/messages", {"input": "hello"})
    server.stop()
    with sqlite3.connect(folder / "data/stele.db") as store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(message)")]
        others = [name for name in columns if name not in ("id", "position", "context_position")]
        for agent, count in zip(agents, HISTORIES, strict=True):
            # Copies of the user's message, each with words of its own for the full-text index, before all that is there.
            store.execute(
                f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
                f" INSERT INTO message (id, position, {', '.join(others)})"
                f" SELECT printf('message-%08x-0000-4000-8000-%s', i, substr(agent_id, -12)), position - 1000000 + i,"
                f" {', '.join(name if name != 'text' else chr(39) + 'message about w' + chr(39) + ' || i' for name in others)}"
                " FROM n, (SELECT * FROM message WHERE agent_id = ? AND role = 'user' LIMIT 1)", (agent,))
    server.start()
    driver = [str(RELEASE / "bench/load_driver"), "--url", server.url, "--model-url", model_url, "--seconds", seconds]
    told = subprocess.run([*driver, "--agent", agents[0], "--agent", agents[1]], check=True, capture_output=True, text=True).stdout
    few, many = (float(line.split()[4]) for line in told.splitlines())
    print(f"turn p50 with {HISTORIES[0]} messages of history {few:.3f} ms, with {HISTORIES[1]} {many:.3f} ms: {many / few:.2f}x")
    print(f"{load()}/v1/health alone, then beside two clients of the agent with {HISTORIES[1]} messages (turns, pages of 1,000, context, search):")
    sys.stdout.flush()
    subprocess.run([*driver, "--beside", agents[1]], check=True)
    server.kill()


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "5"
    stele.BINARY = str(RELEASE / "stele")
    mock = stele.Process([str(RELEASE / "bench/mock_model")], pipe=True)
    model_url = f"http://127.0.0.1:{int(mock.child.stdout.readline())}"
    with tempfile.TemporaryDirectory() as folder:
        server = stele.Server(pathlib.Path(folder), {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": model_url, "LETTA_DEFAULT_LLM_HANDLE": "openai/mock"},
                              ["--log-level", "warn"]).start()
        subprocess.run([str(RELEASE / "bench/load_driver"), "--url", server.url, "--model-url", model_url, "--seconds", seconds], check=False)
        server.kill()
    with tempfile.TemporaryDirectory() as folder:
        long_history(pathlib.Path(folder), model_url, seconds)
    mock.kill()
    with tempfile.TemporaryDirectory() as folder:
        start_up(pathlib.Path(folder))
    for own_runs in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            streams(pathlib.Path(folder), own_runs)
    with tempfile.TemporaryDirectory() as folder:
        talking_streams(pathlib.Path(folder))


if __name__ == "__main__":
    main()
