"""Requests whose answers are followed piece by piece, or waited for elsewhere."""

import http.client
import json
import threading

import stele

DEADLINE_SECONDS = 60


def open_stream(server, path, body, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    if answer.status != 200:
        raise stele.Refused(answer.status, answer.read().decode(), answer.headers)
    return connection, answer


def frames(answer, most=None):
    """(id line or None, data) of each frame, at most `most`; `event: error` is a frame ("error", data)."""
    found, marks = [], {}
    while most is None or len(found) < most:
        line = answer.readline().decode()
        if not line:
            break
        name, _, value = line.rstrip("\n").partition(": ")
        if name:
            marks[name] = value
            continue
        found.append((marks.get("event") or marks.get("id"), marks["data"] if marks["data"] == "[DONE]" else json.loads(marks["data"])))
        marks = {}
    return found


def in_background(call):
    """Calls on a thread of its own; `join()` gives what came of it."""

    class Call(threading.Thread):
        result = failure = None

        def run(self):
            try:
                self.result = call()
            except Exception as failure:  # noqa: BLE001
                self.failure = failure

        def done(self):
            self.join(60)
            assert not self.is_alive()
            if self.failure:
                raise self.failure
            return self.result

    thread = Call(daemon=True)
    thread.start()
    return thread
