"""Starts the real binary and speaks plain HTTP to it: what every Python suite stands on. No dependencies."""

import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("STELE_BINARY", str(ROOT / "build/release/stele"))
START_SECONDS = 60
GONE = "00000000-0000-4000-8000-00000000dead"  # the uuid of nothing


WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS_EACH = 2_000
# A share for each process of a suite, below the ports that connections get: a port that is found free here stays free
# until the server listens on it. Two tests once took the same one, and each spoke with whichever server was faster.
ports = itertools.cycle(random.sample(range(12_000 + WORKER % 10 * PORTS_EACH, 12_000 + (WORKER % 10 + 1) * PORTS_EACH), PORTS_EACH))


def free_port() -> int:
    for port in ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, seconds: float = 20):
    """Waits for something that will come about, and fails if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: str, headers):
        super().__init__(f"{status}: {body[:500]}")
        self.status, self.text, self.headers = status, body, headers

    @property
    def body(self):
        return json.loads(self.text)


class Http:
    """JSON requests to one base URL. `generation` 1 or 2: which client's headers go along."""

    def __init__(self, url: str, generation: int = 2, headers: dict | None = None):
        self.url = url
        agent = "letta-client/1.12.1" if generation == 2 else "letta-client/0.1.324"
        self.headers = {"Content-Type": "application/json", "User-Agent": agent, **(headers or {})}

    def send(self, method: str, path: str, body=None, raw: bytes | None = None, headers: dict | None = None):
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers={**self.headers, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as refused:
            raise Refused(refused.code, refused.read().decode(), refused.headers) from None

    def call(self, method: str, path: str, body=None, **more):
        _, text, _ = self.send(method, path, body, **more)
        return json.loads(text)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def events(self, path: str, body) -> list:
        """The events of a stream: parsed JSON, or the text of a line that is none."""
        _, text, _ = self.send("POST", path, body)
        found = []
        for line in text.split("\n"):
            if line.startswith("data: "):
                found.append(line[6:] if line == "data: [DONE]" else json.loads(line[6:]))
            elif line.startswith("event: "):
                found.append(line)
        return found


def refused(http: Http, method: str, path: str, status: int, body=None, **more) -> Refused:
    """The refusal, which has to come and to have this status."""
    try:
        answered, text, _ = http.send(method, path, body, **more)
    except Refused as failed:
        assert failed.status == status, failed
        return failed
    raise AssertionError(f"{method} {path} was taken: {answered} {text[:200]}")


class Process:
    """A child process that ends with its owner."""

    def __init__(self, command: list[str], environment: dict | None = None, log: pathlib.Path | None = None, pipe: bool = False):
        output = open(log, "ab") if log else subprocess.DEVNULL
        self.child = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stderr=output,
                                      stdin=subprocess.PIPE if pipe else None, stdout=subprocess.PIPE if pipe else output)

    def kill(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self) -> int:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=30)


class Server:
    """A Stele server with its own folder and port."""

    def __init__(self, folder: pathlib.Path, environment: dict | None = None, arguments: list[str] | None = None):
        self.folder, self.arguments = folder, arguments or []
        clean = {name: "" for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OLLAMA_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ZAI_API_KEY", "ZAI_BASE_URL", "STELE_PASSWORD", "LETTA_SERVER_PASSWORD")}
        self.environment = {**clean, **(environment or {})}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.process: Process | None = None

    def start(self, tls=None) -> "Server":
        """`tls`: the context with which the server's certificate is trusted, if it has one."""
        command = [BINARY, "serve", "--data", str(self.folder / "data"), "--port", str(self.port), *self.arguments]
        self.process = Process(command, self.environment, self.log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(self.url + "/v1/health", timeout=5, context=tls).read()
                return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self.process.child.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the server did not start:\n" + self.log.read_text()[-3000:]) from None
                time.sleep(0.01)

    def kill(self):
        self.process.kill()

    def stop(self) -> int:
        return self.process.stop()

    def open_connections(self) -> int:
        """Established connections at the server's port, the server's ends."""
        lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(fields[1].endswith(f":{self.port:04X}") and fields[3] == "01" for fields in lines)

    def http(self, generation: int = 2, **more) -> Http:
        return Http(self.url, generation, **more)


class MockModel:
    """The mock model server as a process of its own."""

    def __init__(self, arguments: list[str] | None = None):
        self.process = Process([sys.executable, str(ROOT / "tests/support/mock_llm/server.py"), *(arguments or [])], pipe=True)
        self.port = int(self.process.child.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = Http(self.url)

    def requests(self) -> list[dict]:
        return self.http.get("/_requests")

    def forget(self):
        self.http.delete("/_requests")

    def release(self):
        """Lets what is held be answered, once there is something."""
        wait_until(lambda: self.http.post("/_release")["released"])

    def environment(self) -> dict:
        return {"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": self.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/mock-small"}

    def stop(self):
        self.process.kill()
