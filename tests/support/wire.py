"""HTTP by hand over a socket: what no client library lets a test send or see."""

import gzip
import json
import socket
import ssl

PATIENCE = 60


class Closed(Exception):
    """The other end has closed, or reset, before an answer was whole."""


class Answer:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes):
        self.status, self.headers, self.body = status, headers, body

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def json(self):
        text = gzip.decompress(self.body) if self.header("Content-Encoding") == "gzip" else self.body
        return json.loads(text)


def request(method: str, path: str, body: bytes | None = None, headers: dict | None = None) -> bytes:
    """A proper request; `headers` with the value None leave a default out."""
    fields = {"Host": "test", **({"Content-Length": str(len(body))} if body is not None else {}), **(headers or {})}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + (body or b"")


class Wire:
    """One connection to 127.0.0.1, or to `host`."""

    def __init__(self, port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, receive_buffer: int | None = None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((host, port))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a reset instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data: bytes):
        self.socket.sendall(data)

    def shut_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self.more()
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self.more()
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def head(self) -> Answer:
        first, *lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        assert first.startswith("HTTP/1.1 "), first
        return Answer(int(first.split()[1]), [tuple(line.split(": ", 1)) for line in lines], b"")

    def chunk(self) -> bytes:
        data = self.exactly(int(self.until(b"\r\n"), 16))
        assert self.exactly(2) == b"\r\n"
        return data

    def answer(self, bodyless: bool = False) -> Answer:
        found = self.head()
        if bodyless or found.status in (100, 204, 304):
            return found
        if found.header("Transfer-Encoding") == "chunked":
            while piece := self.chunk():
                found.body += piece
        elif length := found.header("Content-Length"):
            found.body = self.exactly(int(length))
        else:
            found.body = self.rest()
        return found

    def ask(self, *arguments, **more) -> Answer:
        self.send(request(*arguments, **more))
        return self.answer(bodyless=arguments[0] == "HEAD")

    def rest(self) -> bytes:
        """Everything up to the connection's end."""
        try:
            while True:
                self.more()
        except Closed:
            found, self.buffer = self.buffer, b""
            return found

    def is_closed(self) -> bool:
        """Waits for the other end to close; False if it sends something instead."""
        return self.rest() == b""
