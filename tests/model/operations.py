"""What a client may do: each operation sends its request, and tells the reference model what must hold then.

An operation is a function of the sequence and one of its places."""

import json

import operations_calls
import operations_edit
import operations_group_held
import operations_runs
import operations_supervisor
import operations_window
from answering_model import SUMMARISE, Step, cut, garbage, overflow, refusal
from reference import Place, Waiting, essence, key_of
from rules import PLACE

PLACES_MAX = 4

CLIENT_TOOL = {"name": "get_place", "description": "Where the person is.", "parameters": {"type": "object", "properties": {}}}


def choose(s, place: Place):
    """An operation that makes sense there, by the dice."""
    found = [(say, 1), (edit, 2), (compact, 2), (undo, 1), (decide_wrongly, 1), (operations_edit.amend, 1), (operations_edit.forget, 1)]
    found += WHILE_WAITING if place.waits else [each for each in WHILE_FREE if each[0] != operations_runs.work_in_background or not s.kind.owes]
    found += [(operations_calls.only_talk, 1)] if not place.waits and not s.kind.speaks_in_text else []
    found += [(decide_again, 3)] if place.decided else []
    found += [(operations_calls.work_on, 4)] if s.kind.rules and not place.waits else []
    if s.group and not place.conversation:
        found += operations_supervisor.EVERY if s.group.asks_all else operations_group_held.EVERY
    found += [(fork, 1), (begin_conversation, 1)] if len(s.places) < PLACES_MAX else []
    found += [(end_conversation, 1)] if place.conversation else [(reset, 1), (operations_window.rearrange, 1), (operations_window.part, 1)]
    return s.dice.choices([each for each, _ in found], [weight for _, weight in found])[0]


# ---- messages ----

def note(place: Place, outcome):
    for message in outcome.messages:
        if place.conversation and message.get("source") == "non_reasoner_model":
            continue  # text beside a call of speech: conversations list all text as an assistant's
        if message["message_type"] in ("assistant_message", "reasoning_message", "tool_call_message", "tool_return_message", "approval_request_message"):
            place.told[key_of(message)] = essence(message)


def heard(s, place: Place, outcome, mark: str | None = None, window="grown"):
    """A turn that has run to its end, good or bad. `window` as for check."""
    note(place, outcome)
    if mark:
        place.hears(mark)
    place.decided = None
    place.undo = []
    # In a stream of tokens the pieces of a request may come before those of the calls beside it.
    last = next((m["id"] for m in outcome.messages if m["message_type"] == "approval_request_message"), outcome.messages[-1]["id"] if outcome.messages else None)
    if not s.kind.speaks_in_text and outcome.end != "requires_approval":
        last = None  # the return of what was said and heartbeats are shown to nobody
    if outcome.end in ("end_turn", "tool_rule", "max_steps", "no_tool_call"):
        s.went_well(outcome.woken)
    s.check(place, place.mended(window), last)


def say(s, place: Place):
    if place.waits:
        return talk_into_waiting(s, place)
    mark = s.mark()
    s.will(place, s.answer(f"answer to {mark}", s.dice.choice([None, "let me think"])))
    outcome = s.talk(place, {"input": f"{mark} hello"})
    if outcome.end == "gone":
        return s.unheard(place, mark)
    assert outcome.end == "end_turn", outcome
    assert outcome.messages[-1]["content"] == f"answer to {mark}"
    heard(s, place, outcome, mark, s.answered)


def talk_into_waiting(s, place: Place):
    """A message while calls wait is refused, and leaves nothing behind."""
    outcome = s.talk(place, {"input": f"{s.mark()} are you there?"})
    if outcome.end == "gone":
        return s.unheard(place, None)
    assert outcome.end == "refused" and outcome.refusal.status == 409 and outcome.refusal.body["detail"]["code"] == "PENDING_APPROVAL", outcome
    s.check(place, "same")


def say_twice(s, place: Place):
    """The same request again, known by its key: told what happened, nothing done twice."""
    mark = s.mark()
    s.will(place, s.answer(f"answer to {mark}"))
    body, headers = {"input": f"{mark} hello"}, {"Idempotency-Key": f"{s.agent}-{mark}"}
    first = s.talk(place, body, headers)
    if first.end == "gone":
        return s.unheard(place, mark)
    heard(s, place, first, mark, s.answered)
    again = s.talk(place, body, headers)
    assert again.end == "gone" or (again.end == first.end and again.messages == first.messages), again
    s.check(place, "same")


FAILURES = [("400", refusal(400)), ("401", refusal(401)), ("429", refusal(429)), ("500", refusal(500)), ("503", refusal(503)), ("empty", Step())]
BREAKS = [("garbage", garbage), ("cut", cut)]  # the client of a token stream has heard something by then


def fail(s, place: Place):
    """The model fails: the client is told, what it said is kept, the window is as it was."""
    mark = s.mark()
    name, way = s.dice.choice(FAILURES + BREAKS * 2)
    s.log.append(f"    the model: {name}")
    good = s.dice.random() < 0.2 and name in ("429", "500", "503")  # it comes round
    s.will(place, way, then=s.answer("fine again") if good else way)
    more = {} if name in ("400", "401", "empty") or good else {"max_steps": 1}
    outcome = s.talk(place, {"input": f"{mark} hello", **more})
    if outcome.end == "gone":
        return s.unheard(place, mark)
    assert outcome.end == ("end_turn" if good else "failed"), outcome
    if not good:
        outcome.messages = []  # what a stream has shown of an answer that broke off is not kept
    heard(s, place, outcome, mark, s.answered if good else "same")


def overflow_once(s, place: Place):
    """The model finds it all too long: compacted, and asked again. With nothing to compact the client is told."""
    mark = s.mark()
    s.will(place, overflow, s.answer("fits now"))
    outcome = s.talk(place, {"input": f"{mark} hello"})
    place.forget_edits()
    if outcome.end == "gone":
        place.unsure.append(mark)
        return s.check(place, "any")
    assert outcome.end in ("end_turn", "failed"), outcome
    heard(s, place, outcome, mark, "any")


# ---- calls ----

def call_ids(s, count: int) -> list[str]:
    if s.ids == "repeated":
        return [f"call_{index}" for index in range(count)]
    s.number += 1
    return [f"call_{s.number}" if s.ids == "twins" else f"call_{s.number}_{index}" for index in range(count)]


def work(s, place: Place):
    """The model makes calls: of tools that may be called, that must be asked for, that are the client's, that don't exist."""
    mark = s.mark()
    client_tool = s.dice.random() < 0.3
    calls, lines, waits, ends = [], [], [], None
    search, found = s.kind.search(s.dice)
    for index in range(s.dice.randrange(1, 4)):
        name = s.dice.choice(["memory_insert"] * 4 + ["conversation_search", "no_such_tool", "broken"] + ["get_place"] * 3 * client_tool)
        tool, heartbeat = "conversation_search" if name == "broken" else name, name != "broken" and s.dice.random() < 0.7
        line = f"{mark}-{index}" if name == "memory_insert" else None
        arguments = {"memory_insert": {"label": "human", "new_string": line}, "conversation_search": search}.get(name, {})
        calls.append((tool, '{"query": "hel' if name == "broken" else json.dumps(s.kind.arguments(arguments, heartbeat))))
        if index and not s.parallel:
            continue  # only the first call of an answer is made
        allowed = s.kind.allows([], tool, client_tool)
        ends = ends or (s.kind.end_behind([(tool, found)], heartbeat) if allowed else None)
        if allowed and (name == "get_place" or (name == "memory_insert" and s.asks)):
            waits.append((name, line))
        elif allowed and line:
            lines.append(line)
    ids = call_ids(s, len(calls))
    step = Step(s.dice.choice([None, "one moment"]), [(id_, *call) for id_, call in zip(ids, calls, strict=True)], s.dice.choice([None, "hm"]))
    s.log.append(f"    the model calls {step.calls}")
    short, fails = s.dice.random() < 0.15, s.dice.random() < 0.15
    if fails:
        s.will(place, step, then=refusal(400))
    else:
        s.will(place, step, s.answer(f"done with {mark}"))
    outcome = s.talk(place, {"input": f"{mark} please", **({"client_tools": [CLIENT_TOOL]} if client_tool else {}), **({"max_steps": 1} if short else {})})
    if outcome.end == "gone":
        return s.unheard(place, mark, [*lines, *[line for _, line in waits if line]])
    if waits:
        return heard_request(s, place, outcome, mark, waits, lines)
    assert outcome.end == (ends or ("max_steps" if short else "failed" if fails else "end_turn")), outcome
    s.known.lines += lines
    heard(s, place, outcome, mark, s.answered)


def heard_request(s, place: Place, outcome, mark: str, waits: list, parked: list[str]):
    """A turn that has stopped before calls: `waits` holds the name and the line of each, `parked` the lines of those that are made with them."""
    assert outcome.end == "requires_approval", outcome
    place.waits = waiting_calls(s, place, waits)
    place.parked = parked
    heard(s, place, outcome, mark, s.answered)


def waiting_calls(s, place: Place, waits: list) -> list[Waiting]:
    """The calls at the end of the window, which should be those of `waits`: the name and the line of each."""
    asked = s.context(place)[-1]["tool_calls"]
    assert [call["function"]["name"] for call in asked] == [name for name, _ in waits], f"{asked} wait, and should: {waits}"
    return [Waiting(call["id"], name, line) for call, (name, line) in zip(asked, waits, strict=True)]


def verdict(s, each: Waiting, approve: bool | None = None) -> tuple[dict, bool]:
    """A decision about a call, and whether it will be made."""
    approve = s.dice.random() < 0.6 if approve is None else approve
    if each.name == "get_place" and approve:
        return {"type": "tool", "tool_call_id": each.id, "tool_return": PLACE, "status": s.dice.choice(["success", "error"])}, False
    reason = {} if approve else {"reason": "not now"}
    return {"type": "approval", "tool_call_id": each.id, "approve": approve, **reason}, approve


def decide(s, place: Place):
    decided = [verdict(s, each) for each in place.waits]
    return send_decision(s, place, decided)


def deny(s, place: Place):
    return send_decision(s, place, [verdict(s, each, False) for each in place.waits])


def send_decision(s, place: Place, decided):
    lines = place.parked + [each.line for each, (_, made) in zip(place.waits, decided, strict=True) if made and each.line]
    answers = [answer for answer, _ in decided]
    s.dice.shuffle(answers)
    if s.dice.random() < 0.2:
        answers.append(answers[0])  # once more, and the same
    decision = {"type": "approval", "approvals": answers}
    if len(answers) == 1 and answers[0]["type"] == "approval" and s.dice.random() < 0.3:
        decision = {"approve": answers[0]["approve"], "approval_request_id": s.dice.choice([place.window[-1], answers[0]["tool_call_id"]])}
    mark = s.mark() if s.dice.random() < 0.3 else None
    messages = [decision] + ([{"role": "user", "content": f"{mark} and then?"}] if mark else [])
    fails = s.dice.random() < 0.15
    called = [(each.name, PLACE if answer["type"] == "tool" else "") for each, (answer, made) in zip(place.waits, decided, strict=True) if made or answer["type"] == "tool"]
    ends = None if mark or not called else s.kind.end_behind(called[:1], True)
    s.will(place, then=refusal(400) if fails else s.answer("as you wish"))
    outcome = s.talk(place, {"messages": messages, "client_tools": [CLIENT_TOOL]}, made=called)
    if outcome.end == "gone":
        return s.unheard(place, mark, lines)
    assert outcome.end == (ends or ("failed" if fails else "end_turn")), outcome
    s.known.lines += lines
    place.waits, place.parked = [], []
    heard(s, place, outcome, mark)
    place.decided = None if mark else decision


def decide_again(s, place: Place):
    """A decision that arrives once more is heard and changes nothing; the model goes on."""
    s.will(place, s.answer("I know"))
    outcome = s.talk(place, {"messages": [place.decided]})
    if outcome.end == "gone":
        return s.unheard(place, None)
    assert outcome.end == "end_turn", outcome
    heard(s, place, outcome)


def decide_wrongly(s, place: Place):
    """Too few, too many, two minds about one, or about nothing at all: refused, and what waits goes on waiting."""
    answers = [verdict(s, each, True)[0] for each in place.waits]
    way = s.dice.choice(["fewer", "more", "both"])
    if way == "fewer":
        answers = answers[1:]
    elif way == "both" and answers:
        answers.append({"type": "approval", "tool_call_id": answers[0]["tool_call_id"], "approve": False})
    else:
        answers.append({"type": "approval", "tool_call_id": "call_of_nobody", "approve": True})
    outcome = s.talk(place, {"messages": [{"type": "approval", "approvals": answers}]})
    if outcome.end == "gone":
        return s.unheard(place, None)
    assert outcome.end == "refused" and outcome.refusal.status in (400, 422), outcome
    s.check(place, "same")


# ---- what stands around the messages ----

def edit(s, place: Place):
    """Memory and prompt are written by the client: in the next request of every conversation."""
    value = f"I am {s.mark()}."
    if s.dice.random() < 0.5:
        possible, call = s.known.persona, (s.client.patch, f"/v1/agents/{s.agent}/core-memory/blocks/persona", {"value": value})
    else:
        possible, call = s.known.system, (s.client.patch, f"/v1/agents/{s.agent}", {"system": value})
    _, refused, gone = s.attempt(*call)
    assert not refused, refused
    possible[:] = [*possible, value] if gone else [value]
    for each in s.places:
        s.check(each, "same")


MODES = ["sliding_window", "all", "self_compact_sliding_window", "self_compact_all"]


def compact(s, place: Place):
    """Takes the older messages out of the window, or shows what would go. At once undone it was never made."""
    before, mode, preview = list(place.window), s.dice.choice(MODES), s.dice.random() < 0.3
    spelling = "/compact" if place.conversation else s.dice.choice(["/compact", "/summarize"])
    body = {"preview": preview, "compaction_settings": {"mode": mode, "prompt": SUMMARISE}}
    done, refused, gone = s.attempt(s.client.post, s.path(place, spelling), body)
    s.log.append(f"    {mode}, preview {preview}: {refused or done}"[:200])
    if gone:
        place.forget_edits()
        return s.check(place, "any")
    assert not refused or refused.status == 400, refused
    if refused or preview or done["num_messages_after"] == done["num_messages_before"]:
        return s.check(place, "same")
    s.check(place, "any")
    assert place.window[0] == before[0] and len(place.window) == done["num_messages_after"], place.window
    kept = place.window[2:]
    assert kept == before[len(before) - len(kept):] or place.by_hand, f"{before} became {place.window}"
    if s.dice.random() < 0.4:
        undone, refused, gone = s.attempt(s.client.post, s.path(place, "/compact/undo"))
        assert not refused, refused
        s.check(place, "any" if gone or place.by_hand else before)


def undo(s, place: Place):
    """Whatever was compacted, and whatever has come since."""
    _, refused, _ = s.attempt(s.client.post, s.path(place, "/compact/undo"))
    assert not refused or refused.status in (400, 409), refused
    if not refused:
        place.decided = None
        place.by_hand = place.by_hand or place.orphans  # calls may come back that the client had parted
        s.read_waiting(place)
    s.check(place, "any")


def reset(s, place: Place):
    _, refused, gone = s.attempt(s.client.patch, f"/v1/agents/{s.agent}/reset-messages", {"add_default_initial_messages": False})
    assert not refused, refused
    place.forget_edits()
    if gone:
        s.read_waiting(place)
        return s.check(place, "any")
    place.waits, place.parked, place.by_hand, place.orphans = [], [], False, False
    s.check(place, place.window[:1])


# ---- conversations ----

def begin_conversation(s, _):
    made, refused, gone = s.attempt(s.client.post, f"/v1/conversations?agent_id={s.agent}", {})
    assert not refused, refused
    if not gone:
        s.places.append(Place(made["id"], window=made["in_context_message_ids"]))
        s.check(s.places[-1], "same")


def fork(s, place: Place):
    """Shares the window, and goes on by itself."""
    path = f"/v1/conversations/{place.conversation or 'default'}/fork" + ("" if place.conversation else f"?agent_id={s.agent}")
    made, refused, gone = s.attempt(s.client.post, path)
    assert not refused, refused
    if gone:
        return s.check(place, "same")
    assert made["in_context_message_ids"][1:] == place.window[1:]
    shared = Place(made["id"], window=made["in_context_message_ids"], waits=list(place.waits), parked=list(place.parked), by_hand=place.by_hand, orphans=place.orphans)
    shared.said = [mark for mark in place.said if mark in marks_in_window(s, shared)]
    s.places.append(shared)
    s.check(shared, "same")
    s.check(place, "same")


def marks_in_window(s, place: Place) -> set[str]:
    listed = s.history(place)
    return {str(message["content"]).split()[0] for message in listed if message["id"] in place.window and message["message_type"] == "user_message"}


def end_conversation(s, place: Place):
    _, refused, gone = s.attempt(s.client.delete, f"/v1/conversations/{place.conversation}")
    assert not refused, refused
    if gone:
        there = s.client.get(f"/v1/conversations?agent_id={s.agent}&limit=100")
        if place.conversation in [each["id"] for each in there]:
            return s.check(place, "same")
    s.places.remove(place)
    for each in s.places:
        s.check(each, "same")


WHILE_WAITING = [(decide, 8), (talk_into_waiting, 2), (operations_runs.cancel_waiting, 2)]
WHILE_FREE = [(work, 7), (operations_calls.work_on, 2), (operations_runs.work_in_background, 4), (fail, 3), (say_twice, 1), (overflow_once, 1)]
EVERY = {say, edit, operations_calls.only_talk, operations_edit.amend, operations_edit.forget, compact, undo, decide_wrongly, decide_again, fork, begin_conversation, end_conversation, reset,
         operations_window.rearrange, operations_window.part,
         *[each for each, _ in WHILE_WAITING + WHILE_FREE + operations_group_held.EVERY + operations_supervisor.EVERY]}
