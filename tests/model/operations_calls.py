"""A turn of several answers with one call each: the rules about their order, heartbeats, and a call that waits behind others."""

import json

import operations
from answering_model import Step
from reference import Place


def work_on(s, place: Place):
    """The model calls, and calls again behind what came back, until it may not, must ask or has done enough."""
    mark = s.mark()
    steps, made, lines, waits, end = [], [], [], [], None
    for index in range(s.dice.randrange(2, 6)):
        tool, heartbeat = s.dice.choice(["memory_insert"] * 3 + ["conversation_search"] * 2 + ["no_such_tool"]), s.dice.random() < (0.7 if s.kind.rules else 0.85)
        line = f"{mark}-{index}" if tool == "memory_insert" else None
        search, found = s.kind.search(s.dice)
        arguments = {"label": "human", "new_string": line} if line else search
        steps.append(Step(None, [(operations.call_ids(s, 1)[0], tool, json.dumps(s.kind.arguments(arguments, heartbeat)))]))
        allowed = s.kind.allows(made, tool, client_tools=False)
        if allowed and line and s.asks:
            waits = [(tool, line)]
            break
        if not allowed:
            continue
        made.append((tool, found))
        lines += [line] if line else []
        end = s.kind.end_behind(made, heartbeat)
        if end:
            break
    s.log.append(f"    the model calls {[step.calls for step in steps]}, of which {made} are made")
    s.will(place, *steps, s.answer(f"done with {mark}"))
    outcome = s.talk(place, {"input": f"{mark} one by one"})
    if outcome.end == "gone":
        return s.unheard(place, mark, [*lines, *[line for _, line in waits]])
    s.known.lines += lines
    if waits:
        return operations.heard_request(s, place, outcome, mark, waits, [])
    assert outcome.end == (end or "end_turn"), outcome
    operations.heard(s, place, outcome, mark, s.answered)


def only_talk(s, place: Place):
    """The model of an agent that speaks by tool calls none: the client is told so, and both sides of it are kept."""
    mark = s.mark()
    s.will(place, Step("only words"))
    outcome = s.talk(place, {"input": f"{mark} hello"})
    if outcome.end == "gone":
        return s.unheard(place, mark)
    assert outcome.end == "no_tool_call", outcome
    operations.heard(s, place, outcome, mark, s.answered)
