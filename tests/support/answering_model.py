"""A model in the test's own process: what it answers is set per conversation, and it looks at everything that it is sent.

A conversation is known by the ids in its system message. What is asked by a summariser is known by SUMMARISE in its
prompt, and answered at once. Each step answers one request; `then` answers those behind the last step."""

import json
import re
import threading

import pairing
import scripted_model as wire

SUMMARISE = "SUMMARISE"
PLACE = re.compile(r"AGENT_ID: (agent-[0-9a-f-]+)\s+- CONVERSATION_ID: (default|conv-[0-9a-f-]+)")
NUMBERS = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
OVERFLOW = {"error": {"message": "This model's maximum context length is 100 tokens.", "type": "invalid_request_error", "code": "context_length_exceeded"}}


class Step:
    """How one request is answered: `message` whole or in pieces, as it was asked for."""

    def __init__(self, text: str | None = None, calls: list[tuple[str, str, str]] = (), reasoning: str | None = None):
        self.text, self.calls, self.reasoning = text, list(calls), reasoning

    def message(self) -> dict:
        calls = [{"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}} for id_, name, arguments in self.calls]
        return {"content": self.text, **({"tool_calls": calls} if calls else {}), **({"reasoning_content": self.reasoning} if self.reasoning else {})}

    def pieces(self) -> list[dict]:
        found = [{"reasoning_content": word + " "} for word in (self.reasoning or "").split()]
        found += [{"content": piece} for piece in re.findall(r"\S+\s*", self.text or "")]
        for index, (id_, name, arguments) in enumerate(self.calls):
            found.append({"tool_calls": [{"index": index, "id": id_, "type": "function", "function": {"name": name, "arguments": ""}}]})
            found += [{"tool_calls": [{"index": index, "function": {"arguments": arguments[at:at + 20]}}]} for at in range(0, len(arguments), 20)]
        return found

    def events(self) -> list[dict]:
        finish = "tool_calls" if self.calls else "stop"
        return [*map(wire.chunk, self.pieces()), wire.chunk({}, finish), {"id": "c", "choices": [], "usage": NUMBERS}]

    def __call__(self, connection, request):
        if request.get("stream"):
            connection.sendall(wire.stream(*self.events()))
        else:
            connection.sendall(wire.whole(self.message(), "tool_calls" if self.calls else "stop", usage=NUMBERS))


def refusal(status: int, body=None, *, again: bool | None = None):
    """An error answer; `again`: what it says about trying once more."""
    headers = {"retry-after-ms": "1", **({} if again is None else {"x-should-retry": str(again).lower()})}
    return lambda connection, _: connection.sendall(wire.http(status, body or {"error": {"message": f"refused by {status}"}}, headers))


def overflow(connection, _):
    connection.sendall(wire.http(400, OVERFLOW))


def garbage(connection, request):
    """Words, then what is no JSON."""
    first = wire.events(wire.chunk({"content": "well "}), done=False)
    connection.sendall(wire.STREAM_HEAD + wire.framed(first + "data: {no json\n\n") + b"0\r\n\r\n" if request.get("stream") else wire.http(200, "not json"))


def cut(connection, request):
    """Breaks off in the middle, behind the first words."""
    answer = wire.STREAM_HEAD + wire.framed(wire.events(wire.chunk({"content": "half an "}), wire.chunk({"content": "answ"}), done=False))
    connection.sendall(answer if request.get("stream") else wire.whole({"content": "half an answer"})[:-20])
    return False


class Held(Step):
    """Answers its first words, and the rest once it is released; gives up when its client has gone."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.asked, self.release = threading.Event(), threading.Event()

    def __call__(self, connection, request):
        first, rest = b"", wire.whole(self.message(), "tool_calls" if self.calls else "stop", usage=NUMBERS)
        if request.get("stream"):
            frames = [wire.framed(wire.events(each, done=False)) for each in self.events()]
            first, rest = wire.STREAM_HEAD + frames[0], b"".join(frames[1:]) + wire.framed("data: [DONE]\n\n") + b"0\r\n\r\n"
        connection.sendall(first)
        self.asked.set()
        connection.settimeout(0.01)
        while not self.release.is_set():
            try:
                if not connection.recv(1):
                    return False
            except TimeoutError:
                pass
        connection.settimeout(None)
        connection.sendall(rest)


class AnsweringModel(wire.ScriptedModel):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.steps: dict[tuple[str, str], list] = {}
        self.then: dict[tuple[str, str], object] = {}
        self.sent: dict[tuple[str, str], list[dict]] = {}  # those since it was last said how they are answered
        self.raw: dict[tuple[str, str], list[bytes]] = {}  # with `keep`: all of them, as they came
        self.keep = False
        self.wrong: dict[str, str] = {}  # by agent; "" are summarisers
        self.starts_with_agent: set[str] = set()  # agents whose client has put an answer in front of its window

    def environment(self) -> dict:
        return {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": self.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}

    def will(self, agent: str, conversation: str, *steps, then=None):
        """How the next requests of a conversation are answered."""
        place = (agent, conversation or "default")
        with self.lock:
            self.steps[place], self.then[place], self.sent[place] = list(steps), then or Step("fine"), []

    def sent_to(self, agent: str, conversation: str) -> list[dict]:
        """The requests since `will`."""
        with self.lock:
            return list(self.sent.get((agent, conversation or "default"), []))

    def forget(self, agent: str):
        with self.lock:
            for kept in (self.steps, self.then, self.sent, self.raw):
                for place in [each for each in kept if each[0] == agent]:
                    del kept[place]

    def answer(self, connection, path: str, fields: dict, body: bytes):
        if not path.endswith("/chat/completions"):
            return super().answer(connection, path, fields, body)
        request = json.loads(body)
        found = PLACE.search(str(request["messages"][0].get("content") or ""))
        place = (found[1], found[2]) if found else ("", "")
        self.look_at(request, place)
        with self.lock:
            if SUMMARISE in body.decode() or not found:
                step = Step("They spoke about this and that.")
            else:
                self.sent.setdefault(place, []).append(request)
                if self.keep:
                    self.raw.setdefault(place, []).append(body)
                steps = self.steps.get(place)
                step = steps.pop(0) if steps else self.then.get(place) or Step("fine")
        return step(connection, request)

    def look_at(self, request: dict, place: tuple[str, str]):
        turns = pairing.from_chat(request)
        if place[0] in self.starts_with_agent:
            turns.insert(1, pairing.Turn("user", "what adapters put in front of an agent that begins"))
        try:
            pairing.check(turns, f"what the model was sent in {place}")
        except AssertionError as wrong:
            self.wrong.setdefault(place[0], str(wrong))
