"""A client of WebSockets (RFC 6455), as small as the tests need it: texts, pings and a close."""

import base64
import json
import os
import socket
import struct
import urllib.parse


class WebSocket:
    def __init__(self, url: str, headers: dict | None = None, tls=None):
        """`tls`: the context with which the other end's certificate is trusted."""
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        if parts.scheme == "wss":
            self.socket = tls.wrap_socket(self.socket, server_hostname=parts.hostname)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
                 *(f"{name}: {value}" for name, value in (headers or {}).items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            piece = self.socket.recv(4096)
            if not piece:
                break
            self.buffer += piece
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.status = int(head.split(b" ")[1])
        self.closed = self.status != 101

    def take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError("closed")
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def frame(self, code: int, data: bytes):
        mask = os.urandom(4)
        size = len(data)
        head = bytes([0x80 | code]) + (bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack(">H", size) if size < 65536 else bytes([0xFF]) + struct.pack(">Q", size))
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def send(self, message):
        self.frame(1, (message if isinstance(message, str) else json.dumps(message)).encode())

    def read(self):
        """The next message, parsed; None once the other end has closed."""
        text = b""
        try:
            while True:
                first, second = self.take(2)
                size = second & 0x7F
                size = struct.unpack(">H", self.take(2))[0] if size == 126 else struct.unpack(">Q", self.take(8))[0] if size == 127 else size
                data, code = self.take(size), first & 0x0F
                if code == 8:
                    return None
                if code == 9:
                    self.frame(10, data)
                if code in (0, 1):
                    text += data
                    if first & 0x80:
                        return json.loads(text)
        except (ConnectionError, OSError):
            return None

    def until(self, kind: str):
        """The next message of this type; those before it are dropped."""
        while (message := self.read()) is not None:
            if message["type"] == kind:
                return message
        raise AssertionError(f"closed without a message of type {kind}")

    def close(self):
        self.socket.close()
