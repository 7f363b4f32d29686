"""A model server whose every byte is the test's: it answers each request by the next step of a script.

A step is what a completion is answered with: bytes as they go over the wire, or a function of the open socket and the
request's body. Helpers below make the usual ones. `models` is the body of GET /v1/models, or a dictionary from paths to
bodies; a body of None is a 404.
"""

import json
import socket
import threading
import time


def http(status: int, body: bytes | str | dict, headers: dict | None = None, reason: str = "Status") -> bytes:
    data = json.dumps(body) if isinstance(body, (dict, list)) else body
    data = data.encode() if isinstance(data, str) else data
    fields = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    return "\r\n".join([f"HTTP/1.1 {status} {reason}", *[f"{k}: {v}" for k, v in fields.items() if v is not None], "", ""]).encode() + data


def completion(message: dict, finish: str | None = "stop", **more) -> dict:
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}], **more}


def whole(message: dict, finish: str | None = "stop", **more) -> bytes:
    return http(200, completion(message, finish, **more))


def chunk(delta: dict, finish: str | None = None, **more) -> dict:
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def events(*data, done: bool = True) -> str:
    return "".join(f"data: {json.dumps(each) if not isinstance(each, str) else each}\n\n" for each in data) + ("data: [DONE]\n\n" if done else "")


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


def framed(text: str | bytes, size: int | None = None) -> bytes:
    """`text` as HTTP chunks of `size` bytes, without the last, empty one."""
    data = text.encode() if isinstance(text, str) else text
    size = size or max(len(data), 1)
    return b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + size]), data[i:i + size]) for i in range(0, len(data), size))


def stream(*data, done: bool = True, size: int | None = None) -> bytes:
    return STREAM_HEAD + framed(events(*data, done=done), size) + b"0\r\n\r\n"


def cut(answer: bytes, at: int | None = None):
    """Sends the beginning of `answer` and closes."""

    def step(connection: socket.socket, _):
        connection.sendall(answer[:at if at is not None else len(answer) // 2])
        return False

    return step


def in_pieces(answer: bytes, size: int = 1):
    """Sends `answer` in packets of `size` bytes."""

    def step(connection: socket.socket, _):
        for begin in range(0, len(answer), size):
            connection.sendall(answer[begin:begin + size])

    return step


def silence(seconds: float = 120):
    """Answers nothing until the other end has gone."""

    def step(connection: socket.socket, _):
        connection.settimeout(seconds)
        try:
            connection.recv(1)
        except OSError:
            pass
        return False

    return step


class ScriptedModel:
    def __init__(self, models="default", host: str = "127.0.0.1"):
        self.models = {"/v1/models": {"object": "list", "data": [{"id": "m", "object": "model"}]}} if models == "default" else models
        self.script: list = []
        self.requests: list[dict] = []  # bodies of completions
        self.heads: list[dict] = []  # their headers, names in lower case
        self.paths: list[str] = []  # of every request
        self.connections = 0
        self.gone = threading.Event()  # a client has closed while it was waiting for an answer
        self.listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def answer_with(self, *steps):
        self.script[:] = steps
        self.requests.clear()
        self.heads.clear()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket):
        with connection:
            try:
                buffer = b""
                while True:
                    while b"\r\n\r\n" not in buffer:
                        if not (data := connection.recv(65536)):
                            return
                        buffer += data
                    head, _, buffer = buffer.partition(b"\r\n\r\n")
                    first, *lines = head.decode().split("\r\n")
                    fields = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines}
                    length = int(fields.get("content-length", 0))
                    while len(buffer) < length:
                        buffer += connection.recv(65536)
                    body, buffer = buffer[:length], buffer[length:]
                    if self.answer(connection, first.split()[1], fields, body) is False:
                        return
            except OSError:
                self.gone.set()

    def answer(self, connection, path: str, fields: dict, body: bytes):
        self.paths.append(path)
        if not path.endswith("/chat/completions"):
            found = self.models.get(path) if isinstance(self.models, dict) else None
            found = found(json.loads(body or b"null")) if callable(found) else found
            connection.sendall(http(404, {"error": "no such path"}) if found is None else found if isinstance(found, bytes) else http(200, found))
            return True
        self.requests.append(json.loads(body))
        self.heads.append(fields)
        step = self.script.pop(0) if self.script else http(418, {"error": {"message": "the script is over"}})
        if callable(step):
            return step(connection, self.requests[-1])
        connection.sendall(step)
        return True

    def stop(self):
        self.listener.close()


def wait(condition, patience: float = 60):
    """Until `condition` is true."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
    return found
