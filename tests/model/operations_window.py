"""Windows that a client puts together by a PATCH of message_ids. Whatever it parts: the history keeps all of it, no request that a
provider refuses is made of it (look at `check_preview`, and at what the model was sent), and the next turn closes the calls."""

from reference import Place


def rearrange(s, place: Place):
    """The client drops messages, or brings them into an order of its own."""
    rest = place.window[1:]
    if s.dice.random() < 0.5:
        rest = [each for each in rest if s.dice.random() < 0.7]
    else:
        s.dice.shuffle(rest)
    put_together(s, place, [place.window[0], *rest])


def part(s, place: Place):
    """Takes a call from its return, a return from its call, or what was decided from both."""
    parts = [message["id"] for message in s.context(place) if message["role"] in ("tool", "approval") or message["tool_calls"]]
    if not parts:
        return rearrange(s, place)
    dropped = s.dice.choice(parts)
    put_together(s, place, [each for each in place.window if each != dropped])


def check_repairs(listed: list[dict]):
    """What closed a call says that its result is unknown only if the history does not hold it."""
    returned = set()
    for message in listed:
        for each in message.get("tool_returns") or []:
            call = (message["step_id"], each["tool_call_id"])
            text = str(each["tool_return"])
            assert not text.startswith("[NoResult] The result") or call not in returned, f"{call} has returned, and is called unknown: {message}"
            if not text.startswith("[NoResult]"):
                returned.add(call)


def put_together(s, place: Place, ids: list[str]):
    before = [message["id"] for message in s.history(place)]
    _, refused, gone = s.attempt(s.client.patch, f"/v1/agents/{s.agent}", {"message_ids": ids})
    assert not refused, refused
    assert [message["id"] for message in s.history(place)] == before, "a window that is put together takes nothing from the history"
    place.by_hand = place.orphans = True
    place.forget_edits()
    s.model.starts_with_agent.add(s.agent)
    s.read_waiting(place)
    s.check(place, "any" if gone else ids)
