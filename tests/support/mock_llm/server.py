"""A model server that speaks the chat-completions protocol over a real socket, and breaks it on request.

    python3 server.py --port 0 [--cert FILE --key FILE]        prints the port, then serves until it is killed

The newest message of a user or another agent directs it, one directive a line:
    @call NAME {json}   a tool call (several lines: several calls)      @say TEXT      answers TEXT
    @long N             N words                                         @reason TEXT   reasoning before the answer
    @fail CODE          an error answer                                 @retry N CODE  N error answers, then a good one
    @sleep MS           waits before it answers                         @slow MS       waits before every chunk
    @cut                breaks off in the middle of a stream            @garbage       a stream or body that is no JSON
    @empty              neither text nor call                           @nousage       no token counts
    @badargs NAME       a call whose arguments are no JSON              @object NAME {json}  arguments as an object
    @truncate TEXT      finish_reason length            @fail_after_tool CODE   an error answer once a tool returned
    @hold               waits for a POST /_release
After a tool's return it answers "Done: <return>"; without a directive it says "You said: <text>". Where send_message is
offered and a call is demanded, it speaks through that.

GET /_requests gives the bodies it was sent, DELETE /_requests forgets them. GET /v1/models lists the models: mock-tiny and
mock-short refuse what is longer than their window, mock-mute says nothing, mock-refusing answers 403, mock-held holds
every answer. POST /_release lets go what is held at that moment, and says how many.
"""

import argparse
import asyncio
import json
import math
import ssl

MODELS = [
    {"id": "mock-small", "object": "model", "max_model_len": 32000},
    {"id": "gpt-4o-mini", "object": "model"},
    {"id": "mock-tiny", "object": "model", "max_model_len": 4000},
    {"id": "mock-short", "object": "model", "max_model_len": 32000},
    {"id": "mock-mute", "object": "model", "max_model_len": 32000},
    {"id": "mock-refusing", "object": "model", "max_model_len": 32000},
    {"id": "mock-held", "object": "model", "max_model_len": 32000},
    {"id": "text-embedding-3-small", "object": "model"},
]
# What a model really holds, in tokens: mock-short claims more.
WINDOWS = {"mock-tiny": 4000, "mock-short": 1500}
REASONS = {400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 404: "Not Found", 429: "Too Many Requests",
           500: "Internal Server Error", 503: "Service Unavailable"}

requests: list[dict] = []
held: list[tuple[asyncio.StreamReader, asyncio.Event]] = []  # what waits for its release: who asked, and the sign to go on
failures_left: dict[str, int] = {}


class Plan:
    """What the newest user message asks for."""

    def __init__(self, body: dict):
        self.body = body
        self.tools = [tool["function"]["name"] for tool in body.get("tools", [])]
        self.text, self.reasoning, self.calls = "", "", []
        self.flags: dict[str, str] = {}
        heard = ("user", "tool", "system")  # behind the prompt, a system turn is what another agent says
        turns = [turn for i, turn in enumerate(body["messages"]) if turn["role"] in heard[: 3 if i else 2] and not self.is_heartbeat(turn)]
        newest = turns[-1] if turns else {"role": "user", "content": ""}
        said = next((turn for turn in reversed(turns) if turn["role"] != "tool"), {"content": ""})
        content = said["content"]
        self.said = content if isinstance(content, str) else " ".join(p.get("text", "[image]") for p in content)
        for line in self.said.split("\n"):
            word, _, rest = line.strip().partition(" ")
            if word.startswith("@"):
                self.take(word[1:], rest, newest["role"] == "tool")
        if newest["role"] == "tool":
            self.calls = []
            self.text = "Done: " + str(newest["content"])
        elif not self.text and not self.calls and "empty" not in self.flags:
            self.text = "You said: " + self.said

    @staticmethod
    def is_heartbeat(turn: dict) -> bool:
        return turn["role"] == "user" and isinstance(turn["content"], str) and '"type": "heartbeat"' in turn["content"]

    def take(self, word: str, rest: str, after_tool: bool):
        if word in ("call", "badargs", "object"):
            name, _, arguments = rest.partition(" ")
            if word == "badargs":
                arguments = '{"broken": '
            self.calls.append((name, json.loads(arguments) if word == "object" else arguments or "{}"))
        elif word == "say":
            self.text = rest
        elif word == "long":
            self.text = " ".join(f"word{i}" for i in range(int(rest)))
        elif word == "reason":
            self.reasoning = rest
        elif word == "truncate":
            self.text = rest
            self.flags["truncate"] = ""
        elif word == "fail_after_tool":
            if after_tool:
                self.flags["fail"] = rest
        elif not (after_tool and word in ("fail", "cut", "garbage", "empty")):
            self.flags[word] = rest

    def finish(self) -> str:
        if "truncate" in self.flags:
            return "length"
        return "tool_calls" if self.calls else "stop"

    def speak_by_tool(self):
        """Where a call is demanded, text goes through send_message, with what its schema requires."""
        if self.calls:
            return self.fill_required()
        demanded = self.body.get("tool_choice") not in (None, "auto", "none")
        if demanded and "send_message" in self.tools and "empty" not in self.flags:
            self.calls = [("send_message", json.dumps({"message": self.text}))]
            self.text = ""
            self.fill_required()

    def fill_required(self):
        filled = []
        for name, arguments in self.calls:
            spec = next((t["function"] for t in self.body.get("tools", []) if t["function"]["name"] == name), None)
            required = spec["parameters"].get("required", []) if spec else []
            if isinstance(arguments, str) and set(required) & {"thinking", "request_heartbeat"}:
                try:
                    values = json.loads(arguments)
                    if "thinking" in required:
                        values = {"thinking": "thinking", **values}
                    if "request_heartbeat" in required:
                        values.setdefault("request_heartbeat", True)
                    arguments = json.dumps(values)
                except json.JSONDecodeError:
                    pass
            filled.append((name, arguments))
        self.calls = filled

    def usage(self) -> dict | None:
        if "nousage" in self.flags:
            return None
        prompt = math.ceil(len(json.dumps(self.body)) / 4)
        completion = max(1, math.ceil(len(self.text + "".join(str(a) for _, a in self.calls)) / 4))
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
                "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}


def answer(plan: Plan, number: int) -> dict:
    message: dict = {"role": "assistant", "content": plan.text or None}
    if plan.reasoning:
        message["reasoning_content"] = plan.reasoning
    if plan.calls:
        message["tool_calls"] = [
            {"id": f"call_{number}_{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for i, (name, arguments) in enumerate(plan.calls)]
    return {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1, "model": plan.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": plan.finish()}], "usage": plan.usage()}


def chunks(plan: Plan, number: int):
    def chunk(delta: dict, finish=None, usage=None, choices=True):
        return {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1, "model": plan.body["model"],
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}] if choices else [], "usage": usage}

    yield chunk({"role": "assistant", "content": ""})
    for word in plan.reasoning.split():
        yield chunk({"reasoning_content": word + " "})
    words = plan.text.split(" ") if plan.text else []
    for i, word in enumerate(words):
        yield chunk({"content": word + (" " if i + 1 < len(words) else "")})
    for i, (name, arguments) in enumerate(plan.calls):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        yield chunk({"tool_calls": [{"index": i, "id": f"call_{number}_{i}", "type": "function",
                                     "function": {"name": name, "arguments": ""}}]})
        for begin in range(0, len(text), 12):
            yield chunk({"tool_calls": [{"index": i, "function": {"arguments": text[begin:begin + 12]}}]})
    yield chunk({}, plan.finish())
    if plan.usage():
        yield chunk({}, usage=plan.usage(), choices=False)


def head(status: int, content_type: str, extra: str = "") -> bytes:
    return f"HTTP/1.1 {status} {REASONS.get(status, 'OK')}\r\nContent-Type: {content_type}\r\n{extra}\r\n".encode()


async def send_json(writer, status: int, value, extra: str = ""):
    body = json.dumps(value).encode()
    writer.write(head(status, "application/json", f"Content-Length: {len(body)}\r\n{extra}") + body)
    await writer.drain()


def error(code: int) -> dict:
    return {"error": {"message": f"mock failure {code}", "type": "mock_error", "code": "mock"}}


async def be_held(reader: asyncio.StreamReader):
    go_on = asyncio.Event()
    held.append((reader, go_on))
    await go_on.wait()


def release() -> int:
    there = [go_on for reader, go_on in held if not reader.at_eof()]  # who has gone away counts for nothing
    held.clear()
    for go_on in there:
        go_on.set()
    return len(there)


async def complete(body: dict, reader, writer) -> bool:
    """Answers one completion; False when the connection must close."""
    number = len(requests)
    if math.ceil(len(json.dumps(body)) / 4) > WINDOWS.get(body["model"], math.inf):
        await send_json(writer, 400, {"error": {"message": f"This model's maximum context length is {WINDOWS[body['model']]} tokens.",
                                                "type": "invalid_request_error", "code": "context_length_exceeded"}})
        return True
    if body["model"] == "mock-refusing":
        await send_json(writer, 403, error(403))
        return True
    if body["model"] == "mock-held":
        await be_held(reader)
    plan = Plan(body)
    if body["model"] == "mock-mute":
        plan.text, plan.calls, plan.flags = "", [], {"empty": ""}
    plan.speak_by_tool()
    if "hold" in plan.flags:
        await be_held(reader)
    if "sleep" in plan.flags:
        await asyncio.sleep(int(plan.flags["sleep"]) / 1000)
    if "fail" in plan.flags:
        await send_json(writer, int(plan.flags["fail"]), error(int(plan.flags["fail"])))
        return True
    if "retry" in plan.flags:
        times, code = plan.flags["retry"].split()
        left = failures_left.setdefault(plan.said, int(times))
        if left > 0:
            failures_left[plan.said] = left - 1
            await send_json(writer, int(code), error(int(code)), "retry-after-ms: 20\r\n")
            return True
    if not body.get("stream"):
        if "garbage" in plan.flags:
            writer.write(head(200, "application/json", "Content-Length: 9\r\n") + b"not json!")
            return True
        await send_json(writer, 200, answer(plan, number))
        return True
    writer.write(head(200, "text/event-stream", "Transfer-Encoding: chunked\r\n"))

    def frame(text: str) -> bytes:
        data = text.encode()
        return f"{len(data):x}\r\n".encode() + data + b"\r\n"

    pieces = list(chunks(plan, number))
    for i, piece in enumerate(pieces):
        if "slow" in plan.flags:
            await asyncio.sleep(int(plan.flags["slow"]) / 1000)
        if "cut" in plan.flags and i >= len(pieces) // 2:
            await writer.drain()
            return False
        if "garbage" in plan.flags and i == 2:
            writer.write(frame("data: {this is no JSON\n\n"))
        writer.write(frame("data: " + json.dumps(piece) + "\n\n"))
        await writer.drain()
    writer.write(frame("data: [DONE]\n\n") + b"0\r\n\r\n")
    await writer.drain()
    return True


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    try:
        while True:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = request.split(" ", 2)
            length = next((int(line.split(":")[1]) for line in request.split("\r\n") if line.lower().startswith("content-length")), 0)
            body = await reader.readexactly(length)
            if path == "/_requests":
                await send_json(writer, 200, requests)
                if method == "DELETE":
                    requests.clear()
            elif path == "/_release":
                await send_json(writer, 200, {"released": release()})
            elif path.endswith("/models"):
                await send_json(writer, 200, {"object": "list", "data": MODELS})
            elif path.endswith("/chat/completions"):
                requests.append(json.loads(body))
                if not await complete(requests[-1], reader, writer):
                    break
            else:
                await send_json(writer, 404, error(404))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--cert")
    options.add_argument("--key")
    chosen = options.parse_args()
    tls = None
    if chosen.cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(chosen.cert, chosen.key)
    server = await asyncio.start_server(serve, "127.0.0.1", chosen.port, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
