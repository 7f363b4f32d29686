"""A client that keeps its connection, and tells an answer from a refusal from silence."""

import http.client
import json

from stele import Refused

GONE = (http.client.HTTPException, ConnectionError, TimeoutError, OSError)


class Gone(Exception):
    """The server has died before its answer was whole."""


class Client:
    def __init__(self, port: int):
        self.port, self.connection = port, None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def send(self, method: str, path: str, body=None, headers: dict | None = None):
        """The body of the answer: text, whole."""
        try:
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            data = None if body is None else json.dumps(body).encode()
            self.connection.request(method, path, data, {"Content-Type": "application/json", "User-Agent": "letta-client/1.12.1", **(headers or {})})
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except GONE as gone:
            self.close()
            raise Gone(str(gone)) from None
        if answer.status >= 400:
            raise Refused(answer.status, text, answer.headers)
        return text

    def call(self, method: str, path: str, body=None, **more):
        return json.loads(self.send(method, path, body, **more))

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def events(self, path, body) -> list[dict]:
        """The events of a stream that came to its end."""
        text = self.send("POST", path, body)
        if not text.endswith("data: [DONE]\n\n"):
            raise Gone("the stream has no end")
        return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
