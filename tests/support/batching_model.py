"""A model server with batches like OpenAI's: files of requests come in, files of answers go out when the test says so. What it
is asked for directly it answers at once, with "live: " in front."""

import email
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def last_text(request: dict) -> str:
    said = request["messages"][-1]["content"]
    return said if isinstance(said, str) else json.dumps(said)


def completion(message: dict, model: str = "m") -> dict:
    finish = "tool_calls" if message.get("tool_calls") else "stop"
    return {"id": "c", "object": "chat.completion", "created": 1, "model": model, "usage": USAGE,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}]}


class BatchingModel:
    def __init__(self):
        self.lock = threading.Lock()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict] = {}  # by id, oldest first
        self.live: list[dict] = []  # bodies of completions that were asked for directly
        self.keys: set[str] = set()
        self.answer = lambda request: completion({"content": f"batched: {last_text(request)}"})  # None: the line fails
        self.refuses: dict[str, int] = {}  # status by path
        self.drops_created = False  # a batch is made, and its maker never hears of it
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                owner.serve(self, b"")

            def do_POST(self):
                owner.serve(self, self.rfile.read(int(self.headers["Content-Length"])))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def lines(self, batch: dict) -> list[dict]:
        """What was handed over with it."""
        return [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]

    def end(self, status: str = "completed"):
        """All batches at work come to their end; what `answer` has nothing for has failed."""
        with self.lock:
            for batch in self.batches.values():
                if batch["status"] == "in_progress":
                    self.finish(batch, status)

    def finish(self, batch: dict, status: str):
        good, bad = [], []
        for line in self.lines(batch):
            body = self.answer(line["body"])
            status_code = 200 if body else 400
            response = {"status_code": status_code, "request_id": "r", "body": body or {"error": {"message": "no"}}}
            (good if body else bad).append(json.dumps({"id": "l", "custom_id": line["custom_id"], "response": response, "error": None}))
        batch["status"] = status
        for member, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                batch[member] = self.keep("\n".join(lines).encode() + b"\n")

    def keep(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def serve(self, call: BaseHTTPRequestHandler, body: bytes):
        self.keys.add(call.headers.get("Authorization", ""))
        path = call.path.removeprefix("/v1").split("?")[0]
        with self.lock:
            found = (self.refuses[path], {"error": {"message": f"refused: {path}"}}) if path in self.refuses else self.reply(call, path, body)
        if found is None:
            call.close_connection = True
            return
        status, reply = found
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        call.send_response(status)
        call.send_header("Content-Type", "application/json")
        call.send_header("Content-Length", str(len(data)))
        call.end_headers()
        call.wfile.write(data)

    def reply(self, call, path: str, body: bytes):
        parts = path.strip("/").split("/")
        if path == "/models":
            return 200, {"object": "list", "data": [{"id": "m", "object": "model"}, {"id": "other", "object": "model"}]}
        if path == "/chat/completions":
            self.live.append(json.loads(body))
            return 200, completion({"content": f"live: {last_text(self.live[-1])}"})
        if path == "/files":
            return 200, {"id": self.keep(self.uploaded(call.headers["Content-Type"], body)), "object": "file", "purpose": "batch"}
        if path == "/batches" and call.command == "POST":
            asked = json.loads(body)
            assert asked["endpoint"] == "/v1/chat/completions" and asked["completion_window"] == "24h", asked
            made = {"id": f"batch_{len(self.batches)}", "object": "batch", "status": "in_progress", **asked}
            self.batches[made["id"]] = made
            return None if self.drops_created else (200, made)
        if path == "/batches":
            return 200, {"object": "list", "data": list(reversed(self.batches.values())), "has_more": False}
        if parts[0] == "batches" and parts[1] in self.batches:
            batch = self.batches[parts[1]]
            if parts[2:] == ["cancel"]:
                batch["status"] = "cancelled"
            return 200, batch
        if parts[0] == "files" and parts[2:] == ["content"]:
            return 200, self.files[parts[1]]
        return 404, {"error": {"message": "no such path"}}

    @staticmethod
    def uploaded(content_type: str, body: bytes) -> bytes:
        form = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        fields = {part.get_param("name", header="content-disposition"): part for part in form.get_payload()}
        assert fields["purpose"].get_payload() == "batch" and fields["file"].get_filename(), body[:300]
        return fields["file"].get_payload(decode=True)
