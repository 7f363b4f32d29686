"""An MCP server that speaks every era of the protocol, and can be told to misbehave. No dependencies: it writes what the
specification says, so that a client is held against that and not against a library.

`eras`: which of modern (2026-07-28), legacy (2025-03-26 to 2025-11-25) and sse (2024-11-05) it speaks.
"""

import base64
import http.server
import json
import queue
import secrets
import threading
import time

LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26"]
MODERN = "2026-07-28"


def text(value, error=False):
    return {"content": [{"type": "text", "text": value}], "isError": error}


def schema(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


STRING, NUMBER = {"type": "string"}, {"type": "number"}
PERSON = schema(["name"], name=STRING, age={"type": "integer"}, address=schema(["city"], city=STRING, zip={"anyOf": [STRING, {"type": "null"}]}))
NODE = {"type": "object", "properties": {"data": {"$ref": "#/$defs/Node"}}, "required": ["data"],
        "$defs": {"Node": {"type": "object", "properties": {"value": STRING, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}, "required": ["value"]}}}


def tools():
    """Name to (description, inputSchema, function of the arguments)."""
    return {
        "echo": ("Says it again.", schema(["message"], message=STRING), lambda a: text(f"Echo: {a['message']}")),
        "add": ("Adds two numbers.", schema(["a", "b"], a=NUMBER, b=NUMBER), lambda a: text(f"Result: {float(a['a'] + a['b'])}")),
        "multiply": ("Multiplies two numbers.", schema(["a", "b"], a=NUMBER, b=NUMBER), lambda a: text(f"Result: {float(a['a'] * a['b'])}")),
        "reverse_string": ("Turns a text around.", schema(["text"], text=STRING), lambda a: text(f"Reversed: {a['text'][::-1]}")),
        "create_person": ("Makes a person.", schema(["person"], person=PERSON), lambda a: text(json.dumps(a["person"], sort_keys=True))),
        "process_nested_data": ("Walks a tree.", NODE, lambda a: text(f"Root: {a['data']['value']}")),
        "search_with_filters": ("Searches.", schema(["query"], query=STRING, filters={"anyOf": [schema(since={"anyOf": [STRING, {"type": "null"}]}), {"type": "null"}]}),
                                lambda a: text(f"Found: {a['query']}")),
        "fails": ("Always fails.", schema(), lambda a: text("it went wrong", error=True)),
        "picture": ("Gives a picture and words.", schema(), lambda a: {"content": [{"type": "image", "data": base64.b64encode(b"png").decode(), "mimeType": "image/png"},
                                                                                {"type": "text", "text": "a dot"}]}),
        "structured": ("Gives an object.", schema(), lambda a: {"content": [], "structuredContent": {"n": 1}}),
    }


class McpServer:
    """`answers`: json or sse, for streamable HTTP. `token`: what Authorization has to be. `page`: tools a page.
    `before(method, server)`: called before each answer; may sleep, or return bytes,
    or pieces of them that may have no end, which are sent instead of it."""

    def __init__(self, eras=("legacy",), answers="json", page=None, token=None, sessions=True, tools_=None, ping_first=False, before=None, versions=None, progress=0):
        self.eras, self.answers, self.page, self.token, self.sessions = set(eras), answers, page, token, sessions
        self.tools = tools() if tools_ is None else tools_
        self.ping_first, self.before, self.versions, self.progress = ping_first, before, versions or LEGACY, progress
        self.requests = []  # (method of HTTP, headers, message)
        self.open_sessions, self.streams = {}, {}
        self.pongs = queue.Queue()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                server.post(self)

            def do_GET(self):
                server.get(self)

            def do_DELETE(self):
                server.requests.append(("DELETE", dict(self.headers), None))
                server.open_sessions.pop(self.headers.get("Mcp-Session-Id"), None)
                server.send(self, 200)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that hangs up is part of the game

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.http.server_port}"
        self.url, self.sse_url = self.base + "/mcp", self.base + "/sse"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        for stream in list(self.streams.values()):
            stream.put(None)
        self.http.shutdown()
        self.http.server_close()

    def methods(self):
        return [message.get("method") for verb, _, message in self.requests if message]

    def headers_of(self, method):
        """The headers that came with the last message of this method."""
        return [headers for _, headers, message in self.requests if message and message.get("method") == method][-1]

    # ---- what is answered ----

    def result_of(self, message, modern):
        method, params = message["method"], message.get("params", {})
        if method == "initialize" and not modern:
            wanted = params["protocolVersion"]
            return {"protocolVersion": wanted if wanted in self.versions + ["2024-11-05"] else self.versions[0], "capabilities": {"tools": {"listChanged": True}}, "serverInfo": {"name": "mock", "version": "1"}}
        if method == "server/discover" and modern:
            return {"resultType": "complete", "supportedVersions": [MODERN], "capabilities": {"tools": {}}, "serverInfo": {"name": "mock", "version": "1"}}
        if method == "tools/list":
            names = list(self.tools)
            begin = int(params.get("cursor", 0))
            size = self.page or len(names) or 1
            listed = [{"name": name, "description": self.tools[name][0], "inputSchema": self.tools[name][1]} for name in names[begin:begin + size]]
            more = {"nextCursor": str(begin + size)} if begin + size < len(names) else {}
            return {"tools": listed, **more, **({"resultType": "complete", "ttlMs": 60_000} if modern else {})}
        if method == "tools/call":
            if params["name"] not in self.tools:
                raise LookupError("unknown tool " + params["name"])
            made = self.tools[params["name"]][2](params.get("arguments", {}))
            return {**made, **({"resultType": "complete"} if modern else {})}
        if method == "ping":
            return {}
        raise NotImplementedError(method)

    def answer(self, message, modern):
        """(status, message)."""
        try:
            return 200, {"jsonrpc": "2.0", "id": message["id"], "result": self.result_of(message, modern)}
        except LookupError as unknown:
            return 200, {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": str(unknown)}}
        except NotImplementedError as unknown:
            return 404 if modern else 200, {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": f"no method {unknown}"}}

    # ---- HTTP ----

    def send(self, handler, status, body=b"", content_type="application/json", **headers):
        handler.send_response(status)
        if body:
            handler.send_header("Content-Type", content_type)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def refuse(self, handler, status, code, message, id_=None, data=None):
        error = {"code": code, "message": message, **({"data": data} if data else {})}
        self.send(handler, status, json.dumps({"jsonrpc": "2.0", "id": id_, "error": error}).encode())

    def allowed(self, handler):
        if self.token and handler.headers.get("Authorization") != self.token:
            self.send(handler, 401, b"{}", **{"WWW-Authenticate": f'Bearer resource_metadata="{self.base}/.well-known/oauth-protected-resource/mcp"'})
            return False
        return True

    def post(self, handler):
        message = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.requests.append((handler.path.split("?")[0], dict(handler.headers), message))
        if not self.allowed(handler):
            return
        if handler.path.startswith("/messages"):
            return self.post_to_stream(handler, message)
        if "id" in message and "method" not in message:
            self.pongs.put(message)
            return self.send(handler, 202)
        modern = handler.headers.get("MCP-Protocol-Version") == MODERN
        if modern and "modern" not in self.eras:
            return self.refuse(handler, 400, -32600, "Bad Request: Unsupported protocol version", message.get("id"))
        if not modern and "legacy" not in self.eras:
            if "modern" in self.eras:
                return self.refuse(handler, 400, -32022, "unsupported version", message.get("id"), {"supported": [MODERN]})
            return self.send(handler, 405)
        if not modern and self.sessions and message.get("method") != "initialize" and handler.headers.get("Mcp-Session-Id") not in self.open_sessions:
            return self.send(handler, 404 if handler.headers.get("Mcp-Session-Id") else 400, b'{"error":"no session"}')
        if modern and "id" in message:
            meta = message["params"].get("_meta", {})
            name = message["params"].get("name")
            wrong = handler.headers.get("Mcp-Method") != message["method"] or (name and handler.headers.get("Mcp-Name") != name)
            if wrong or meta.get("io.modelcontextprotocol/protocolVersion") != MODERN:
                return self.refuse(handler, 400, -32020, "headers and body differ", message["id"])
        if "id" not in message:
            return self.send(handler, 202)
        more = {}
        if message["method"] == "initialize" and self.sessions:
            more["Mcp-Session-Id"] = secrets.token_hex(8)
            self.open_sessions[more["Mcp-Session-Id"]] = True
        raw = self.before(message["method"], self) if self.before else None
        if raw is not None:
            handler.close_connection = True
            for piece in [raw] if isinstance(raw, bytes) else raw:
                handler.wfile.write(piece)
                handler.wfile.flush()
            return
        status, answered = self.answer(message, modern)
        if self.answers == "json" or status != 200:
            return self.send(handler, status, json.dumps(answered).encode(), **more)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        for name, value in more.items():
            handler.send_header(name, value)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        if self.ping_first and not modern:
            self.event(handler, {"jsonrpc": "2.0", "id": "p1", "method": "ping"})
            self.pongs.get(timeout=10)
        for step in range(self.progress):
            self.event(handler, {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": step}})
        self.event(handler, answered)
        handler.wfile.write(b"0\r\n\r\n")

    def event(self, handler, message, name="message"):
        data = message if isinstance(message, str) else json.dumps(message)
        self.chunk(handler, f"event: {name}\ndata: {data}\n\n".encode())

    def chunk(self, handler, body):
        handler.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        handler.wfile.flush()

    # ---- HTTP+SSE ----

    def get(self, handler):
        self.requests.append(("GET " + handler.path, dict(handler.headers), None))
        if not self.allowed(handler):
            return
        if "sse" not in self.eras:
            return self.send(handler, 405)
        session = secrets.token_hex(8)
        stream = self.streams[session] = queue.Queue()
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        self.event(handler, f"/messages/?session_id={session}", "endpoint")
        while (message := stream.get()) is not None:
            self.event(handler, message)

    def post_to_stream(self, handler, message):
        stream = self.streams.get(handler.path.split("session_id=")[-1])
        if stream is None:
            return self.send(handler, 404)
        if "method" not in message:
            self.pongs.put(message)
        elif "id" in message:
            raw = self.before(message["method"], self) if self.before else None
            if self.ping_first:
                stream.put({"jsonrpc": "2.0", "id": "p1", "method": "ping"})
            if raw is None:
                stream.put(self.answer(message, False)[1])
        self.send(handler, 202, b"Accepted", "text/plain")


def stall(seconds=60):
    """A `before` that answers a call of a tool late."""
    def before(method, _):
        if method == "tools/call":
            time.sleep(seconds)
    return before
