"""Runs that outlive their client: begun in the background or asynchronously, then cancelled, waited for, talked into or killed
while the model holds its answer back; their streams are read in pieces by several readers, and put together."""

import http.client
import json

import scripted_model
from answering_model import Held
from reference import Place
from stele import Refused

PATIENCE = 60
TERMINAL = ("completed", "failed", "cancelled")


def begin(s, place: Place, body: dict, tokens: bool) -> str:
    """Begins a background run, and leaves. Gives the run's id."""
    body = {**body, "background": True, "stream_tokens": tokens, "streaming": True}
    path = s.path(place, "/messages" if place.conversation else "/messages/stream")
    connection = http.client.HTTPConnection("127.0.0.1", s.server.port, timeout=PATIENCE)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", "User-Agent": "letta-client/1.12.1"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer.getheader("X-Stele-Run-Id")
    finally:
        connection.close()


def stream_from(s, run_id: str, after: int, most: int | None, by_header: bool) -> tuple[list, bool]:
    """(seq_id, event) of at most `most` events behind `after`, and whether the stream has come to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", s.server.port, timeout=PATIENCE)
    found, seq = [], None
    try:
        body, headers = ({}, {"Last-Event-ID": str(after)}) if by_header else ({"starting_after": after}, {})
        connection.request("POST", f"/v1/runs/{run_id}/stream", json.dumps(body), {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        for line in answer:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                seq = int(value)
            elif name == "data" and value == "[DONE]":
                return found, True
            elif name == "data" and seq is not None:
                found.append((seq, json.loads(value)))
                seq = None
                if most and len(found) >= most:
                    return found, False
        raise AssertionError(f"the stream of {run_id} breaks off behind {found[-1:]}")
    finally:
        connection.close()


def read_in_pieces(s, run_id: str) -> list[dict]:
    """What a reader hears that leaves and comes back: every event once, in order, without a gap."""
    events, done = [], False
    while not done:
        after = events[-1][0] if events else 0
        fresh, done = stream_from(s, run_id, after, s.dice.choice([1, 2, 5, None]), s.dice.random() < 0.5)
        events += fresh
    numbers = [seq for seq, _ in events]
    assert numbers == list(range(2, 2 + len(numbers))), f"gaps in the stream of {run_id}: {numbers}"
    return [event for _, event in events]


def ended(s, run_id: str) -> dict:
    return scripted_model.wait(lambda: (run := s.client.get(f"/v1/runs/{run_id}"))["status"] in TERMINAL and run, PATIENCE)


def work_in_background(s, place: Place):
    mark = s.mark()
    words = " ".join(f"word{i}" for i in range(s.dice.randrange(2, 12)))
    held = s.answer(words, step=Held)
    s.will(place, held)
    asynchronous, tokens = not place.conversation and s.dice.random() < 0.2, s.dice.random() < 0.6
    body = {"input": f"{mark} take your time"}
    run_id = s.client.post(s.path(place, "/messages/async"), body)["id"] if asynchronous else begin(s, place, body, tokens)
    assert held.asked.wait(PATIENCE), "the model was not asked"
    way = s.dice.choice(["wait", "cancel", "talk", "edit", "queue"] + ["kill"] * 3 * s.kills)
    s.log.append(f"    {run_id}, async {asynchronous}, tokens {tokens}: {way}")
    try:
        WAYS[way](s, place, held, run_id, mark)
    finally:
        held.release.set()
    if way in ("wait", "talk", "edit"):
        finish(s, place, run_id, mark, words, asynchronous)


def finish(s, place: Place, run_id: str, mark: str, words: str, asynchronous: bool):
    run = ended(s, run_id)
    assert (run["status"], run["stop_reason"]) == ("completed", "end_turn"), run
    events = read_in_pieces(s, run_id)
    assert events == read_in_pieces(s, run_id), "two readers hear different things"
    assert "".join(event["content"] for event in events) == words
    assert asynchronous or {event["message_type"] for event in events} == {"assistant_message"}
    s.check_sent(place)
    place.hears(mark)
    place.forget_edits()
    s.went_well()
    s.check(place, place.mended(s.answered))


def wait(s, place, held, run_id, mark):
    held.release.set()


def talk(s, place, held, run_id, mark):
    """A second message that does not want to wait."""
    path = s.path(place, "/messages")
    try:
        s.client.post(path, {"input": f"{s.mark()} now!", "double_texting": "reject", **({"streaming": False} if place.conversation else {})})
        raise AssertionError("two runs at once in one conversation")
    except Refused as refused:
        assert refused.status == 409 and run_id in refused.text, refused
    held.release.set()


def edit(s, place, held, run_id, mark):
    """A client writes the memory while the model is asked."""
    value = f"I am {s.mark()}."
    s.client.patch(f"/v1/agents/{s.agent}/core-memory/blocks/persona", {"value": value})
    s.known.persona[:] = [value]
    held.release.set()


def cancel(s, place, held, run_id, mark):
    """Ends it; what was said stays, and the window is as it was."""
    path = s.path(place, "/cancel") if place.conversation else s.path(place, "/messages/cancel")
    outcome = s.client.post(path, {"run_ids": [run_id]} if s.dice.random() < 0.5 else None)
    assert outcome == {run_id: "cancelled"}, outcome
    run = s.client.get(f"/v1/runs/{run_id}")
    assert (run["status"], run["stop_reason"]) == ("cancelled", "cancelled"), run
    events = read_in_pieces(s, run_id)
    assert events == read_in_pieces(s, run_id)
    place.hears(mark)
    place.forget_edits()
    s.check(place, place.mended("same"))


def queue(s, place, held, run_id, mark):
    """A message that waits behind the run is answered behind it. Conversations refuse it, by their own door."""
    second = s.mark()
    path = s.path(place, "/messages/async") if not place.conversation else None
    if path is None:
        return finish_queue(s, place, held, run_id, [mark])
    other = s.client.post(path, {"input": f"{second} and then?", "double_texting": "queue"})["id"]
    s.will(place, s.answer("behind it"))
    finish_queue(s, place, held, run_id, [mark, second], other)


def finish_queue(s, place, held, run_id, marks, *others):
    held.release.set()
    for each in (run_id, *others):
        run = ended(s, each)
        assert run["status"] == "completed", run
    for each in marks:
        place.hears(each)
        s.went_well()
    place.forget_edits()
    s.check(place, place.mended(s.answered))


def kill(s, place, held, run_id, mark):
    """The run is closed as failed, its stream has an end, its agent works on."""
    s.server.kill()
    s.client.close()
    s.server.start()
    run = s.client.get(f"/v1/runs/{run_id}")
    assert run["status"] == "failed" and run["stop_reason"] == "error", run
    assert read_in_pieces(s, run_id) == read_in_pieces(s, run_id)
    s.unheard(place, mark)


WAYS = {"wait": wait, "talk": talk, "edit": edit, "cancel": cancel, "queue": queue, "kill": kill}


def cancel_waiting(s, place: Place):
    """A run that waits for a decision is ended: all its calls are denied, and the agent is free."""
    asked = s.context(place)[-1]  # not the newest of the history, if a client has put the window together
    path = s.path(place, "/cancel") if place.conversation else s.path(place, "/messages/cancel")
    outcome, refused, gone = s.attempt(s.client.post, path, {"run_ids": [asked["run_id"]]})
    s.log.append(f"    {outcome or refused}")
    assert not refused, refused
    if gone:
        return s.unheard(place, None)
    assert outcome == {asked["run_id"]: "cancelled"}, outcome
    place.waits, place.parked = [], []
    place.forget_edits()
    s.check(place, "any" if place.by_hand else "grown")
