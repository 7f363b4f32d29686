"""Streams that are cut anywhere, between bytes and not only between events, by readers that come back: the pieces put together
are the uncut stream, byte for byte. And a reader that stands still holds up nobody."""

import json
import random
import socket
import threading

import pytest
import stele
from answering_model import AnsweringModel, Held, Step
from wire import Closed, Wire, request

WORDS = " ".join(f"wörd{i}" for i in range(120))
CALLS = [("a", "memory_insert", json.dumps({"label": "human", "new_string": "x" * 300})), ("b", "conversation_search", '{"query": "tea"}')]


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    model = AnsweringModel()
    server = stele.Server(tmp_path_factory.mktemp("pieces"), model.environment()).start()
    yield server, model
    server.kill()
    model.stop()


def make(server):
    return server.http().post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}], "include_base_tool_rules": False,
                                             "model_settings": {"provider_type": "openai", "parallel_tool_calls": True}})["id"]


def begin(server, agent, **body) -> str:
    """Begins a background run of tokens, and leaves as soon as it has its id."""
    with Wire(server.port) as wire:
        wire.send(request("POST", f"/v1/agents/{agent}/messages/stream", json.dumps({"input": "hello", "background": True, "stream_tokens": True, **body}).encode()))
        return wire.head().header("X-Stele-Run-Id")


class Piece:
    """The bytes of one answer, up to `most` of them."""

    def __init__(self, server, run_id, after: int, most: int | None, by_header: bool):
        body, headers = (b"{}", {"Last-Event-ID": str(after)}) if by_header else (json.dumps({"starting_after": after}).encode(), {})
        self.data = b""
        with Wire(server.port) as wire:
            wire.send(request("POST", f"/v1/runs/{run_id}/stream", body, headers))
            assert wire.head().status == 200
            while (most is None or len(self.data) < most) and (chunk := wire.chunk()):
                self.data += chunk
        self.data = self.data[:most]

    def frames(self) -> list[bytes]:
        """Those that are whole."""
        return [frame + b"\n\n" for frame in self.data.split(b"\n\n")[:-1]]


def number_of(frame: bytes) -> int:
    return int(frame[4:frame.index(b"\n")]) if frame.startswith(b"id: ") else 0


def put_together(server, run_id, dice, sizes=(1, 2_000)) -> bytes:
    """What a reader has in the end that is cut off every few bytes, and takes up behind the last event it had whole."""
    frames: list[bytes] = []
    while not frames or frames[-1] != b"data: [DONE]\n\n":
        after = max(map(number_of, frames), default=0)
        fresh = Piece(server, run_id, after, dice.randrange(*sizes) if dice.random() < 0.97 else None, dice.random() < 0.5).frames()
        # Behind the last numbered event everything is told again: the end belongs to whoever hears all of it.
        frames = [frame for frame in frames if number_of(frame) or b'"message_type":"ping"' in frame] + fresh
    return b"".join(frame for frame in frames if b'"message_type":"ping"' not in frame)


def whole(server, run_id) -> bytes:
    return b"".join(frame for frame in Piece(server, run_id, 0, None, False).frames() if b'"message_type":"ping"' not in frame)


@pytest.mark.parametrize("seed", range(4))
def test_cut_between_any_two_bytes_while_the_run_is_at_work_and_after_it(ground, seed):
    server, model = ground
    dice, agent = random.Random(seed), make(server)
    held = Held(WORDS, reasoning="let me see")
    model.will(agent, "", Step("one moment", CALLS, reasoning="hm"), held)
    run_id, results = begin(server, agent), []
    readers = [threading.Thread(target=lambda i=i: results.append(put_together(server, run_id, random.Random(seed * 10 + i)))) for i in range(3)]
    for each in readers:
        each.start()
    assert held.asked.wait(60)
    held.release.set()
    for each in readers:
        each.join(60)
    uncut = whole(server, run_id)
    assert [result == uncut for result in results] == [True] * 3, "what was put together is not what was sent"
    stele.wait_until(lambda: not server.http().get(f"/v1/runs/active?agent_id={agent}"))
    assert whole(server, run_id) == uncut == put_together(server, run_id, dice)
    told = [json.loads(line[6:]) for line in uncut.decode().split("\n") if line.startswith("data: {")]
    assert "".join(event["content"] for event in told if event["message_type"] == "assistant_message") == "one moment" + WORDS


def test_reasoning_a_remark_and_the_thinking_of_a_call_are_three_parts_of_a_stream_too(ground):
    """All three are shown as reasoning: a client puts the pieces together by their otid, as the listing tells them apart."""
    server, model = ground
    api = server.http()
    agent = api.post("/v1/agents", {"agent_type": "memgpt_v2_agent", "include_base_tool_rules": False, "initial_message_sequence": []})["id"]
    arguments = {"thinking": "it is short", "query": "tea", "request_heartbeat": False}
    model.will(agent, "", Step("one moment", [("a", "conversation_search", json.dumps(arguments))], "well"))
    told = {}
    for event in api.events(f"/v1/agents/{agent}/messages/stream", {"input": "hello", "stream_tokens": True}):
        if isinstance(event, dict) and event["message_type"] == "reasoning_message":
            told[event["otid"]] = told.get(event["otid"], "") + event["reasoning"]
    listed = {m["otid"]: m["reasoning"] for m in api.get(f"/v1/agents/{agent}/messages?order=asc") if m["message_type"] == "reasoning_message"}
    assert told == listed and list(listed.values()) == ["well ", "one moment", "it is short"]


def test_every_cut_of_a_short_stream(ground):
    server, model = ground
    agent = make(server)
    model.will(agent, "", Step("grüß dich"))
    run_id = begin(server, agent)
    uncut = whole(server, run_id)
    first = Piece(server, run_id, 0, None, False).data
    for cut in range(1, len(first)):
        before = [frame for frame in Piece(server, run_id, 0, cut, False).frames() if number_of(frame)]
        rest = Piece(server, run_id, max(map(number_of, before), default=0), None, cut % 2 == 0).frames()
        assert b"".join(before + [frame for frame in rest if b'"message_type":"ping"' not in frame]) == uncut, f"cut at byte {cut}"


def test_a_reader_that_stands_still_holds_up_nobody(ground):
    """Not the run, nor its other readers, nor other agents; and it hears everything once it reads on, or comes back."""
    server, model = ground
    agent, other = make(server), make(server)
    model.will(agent, "", Step(" ".join(["word"] * 9_000)))  # some megabytes of events, more than any buffer between
    held = Held("begins")
    model.will(agent, "", held, Step(" ".join(["word"] * 9_000)))
    held.calls = [("c", "conversation_search", "{}")]
    run_id = begin(server, agent)
    still = [Wire(server.port, receive_buffer=4_096) for _ in range(3)]
    for wire in still:
        wire.send(request("POST", f"/v1/runs/{run_id}/stream", b"{}"))
    assert held.asked.wait(60)
    held.release.set()
    uncut = whole(server, run_id)
    assert uncut.count(b"word") == 9_000, "a reader that reads has heard all of it"
    stele.wait_until(lambda: server.http().get(f"/v1/runs/{run_id}")["status"] == "completed")
    model.will(other, "", Step("me too"))
    assert server.http().post(f"/v1/agents/{other}/messages", {"input": "x"})["messages"][-1]["content"] == "me too"
    assert server.http().get("/v1/health")["status"] == "ok"
    for wire in still:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # or what lies in the kernel takes minutes
        data = b""
        try:
            wire.head()
            while chunk := wire.chunk():
                data += chunk
        except Closed:
            pass
        wire.close()
        frames = [frame + b"\n\n" for frame in data.split(b"\n\n")[:-1] if b'"message_type":"ping"' not in frame]
        rest = Piece(server, run_id, max(map(number_of, frames), default=0), None, True).frames()
        assert b"".join([frame for frame in frames if number_of(frame)] + rest) == uncut


@pytest.mark.parametrize("others", [False, True], ids=["alone", "beside one that waits"])
def test_a_call_that_was_shown_as_a_request_and_is_none_is_shown_as_a_call(ground, others):
    """That its arguments are no JSON shows at their end, when they have been streamed as those of a request."""
    server, model = ground
    http, agent = server.http(), make(server)
    http.patch(f"/v1/agents/{agent}", {"tool_rules": [{"type": "requires_approval", "tool_name": "memory_insert"}]})
    broken = ("a", "memory_insert", '{"label": "human", "new_str')
    model.will(agent, "", Step("one moment", [broken, *([("b", *CALLS[0][1:])] if others else [])]))
    told = [json.loads(line[6:]) for line in whole(server, begin(server, agent)).decode().split("\n") if line.startswith("data: {")]
    stored = next(m for m in http.get(f"/v1/agents/{agent}/messages?order=asc") if m["message_type"] == "tool_call_message")
    pieces = [event for event in told if event["message_type"] == "tool_call_message"]
    assert {event["id"] for event in pieces} == {stored["id"]} and {event["tool_call"]["tool_call_id"] for event in pieces} == {"a"}
    assert "".join(event["tool_call"].get("arguments") or "" for event in pieces) == stored["tool_calls"][0]["arguments"]
    kinds = [event["message_type"] for event in told]
    assert ("tool_return_message" in kinds) != others, "nothing is done while one waits"
    assert next(event["stop_reason"] for event in told if event["message_type"] == "stop_reason") == ("requires_approval" if others else "end_turn")
