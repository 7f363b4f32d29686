"""A server in the shape of Anthropic's API in the test's own process: it keeps what it is sent and answers what it is told to."""

import http.server
import json
import re
import threading

WORDS = ["The ", "answer ", "is ", "42."]


def event(kind: str, **fields) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def message(text: str = "".join(WORDS)) -> dict:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-mock", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 11, "cache_read_input_tokens": 4, "output_tokens": 7}}


def events() -> list[bytes]:
    start = {**message(), "content": [], "usage": {"input_tokens": 11, "cache_read_input_tokens": 4, "output_tokens": 1}}
    return [event("message_start", message=start), event("content_block_start", index=0, content_block={"type": "text", "text": ""}), event("ping"),
            *(event("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in WORDS), event("content_block_stop", index=0),
            event("content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "n", "input": {}}),
            event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": "{}"}), event("content_block_stop", index=1),
            event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7}), event("message_stop")]


class MockAnthropic:
    def models_page(self, path: str) -> dict:
        """The page behind the model that `after_id` names."""
        after = re.search(r"after_id=([^&]+)", path)
        number = next(i + 1 for i, page in enumerate(self.models) if page[-1]["id"] == after[1]) if after else 0
        page = self.models[number]
        return {"data": page, "has_more": number + 1 < len(self.models), "first_id": page[0]["id"], "last_id": page[-1]["id"]}

    def __init__(self):
        self.requests: list[dict] = []
        self.refusal: tuple[int, dict, dict] | None = None  # status, body, headers: instead of an answer
        self.cut_after: int | None = None  # so many events of a stream
        self.models: list[list[dict]] | None = None  # pages of GET /v1/models; none: like any other path
        self.hold = threading.Event()  # set: streams end; clear: they wait behind their first event
        self.hold.set()
        self.left = threading.Event()  # a client of a held stream has gone
        mock = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.endswith("/paas/v4/models"):  # Stele looks for Z.ai's models by itself
                    return self.whole(200, {"data": []}, {})
                mock.requests.append({"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "raw": body,
                                      "body": json.loads(body) if body.startswith(b"{") else None})
                if mock.refusal:
                    return self.whole(*mock.refusal)
                if mock.models is not None and self.path.split("?")[0].endswith("/v1/models"):
                    return self.whole(200, mock.models_page(self.path), {})
                if self.command == "POST" and self.path.split("?")[0].endswith("/v1/messages"):
                    return self.stream() if mock.requests[-1]["body"].get("stream") else self.whole(200, message(), {"request-id": "req_1"})
                self.whole(200, {"path": self.path, "method": self.command}, {"request-id": "req_2", "set-cookie": "secret=1"})

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def whole(self, status, body, headers):
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def stream(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream; charset=utf-8")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for number, each in enumerate(events()):
                    if number == mock.cut_after:
                        self.close_connection = True
                        return
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(each), each))
                    self.wfile.flush()
                    if number == 0 and not self.wait():
                        return
                self.wfile.write(b"0\r\n\r\n")

            def wait(self) -> bool:
                self.connection.settimeout(0.01)
                while not mock.hold.is_set():
                    try:
                        if not self.connection.recv(1):
                            mock.left.set()
                            self.close_connection = True
                            return False
                    except TimeoutError:
                        pass
                self.connection.settimeout(None)
                return True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients leave in the middle, as they are told to
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
