"""Changes of what has been said: the text of a message, and messages that are deleted. Forks share what they change."""

import re

from reference import Place

MARK = re.compile(r"^m\d+")


def amend(s, place: Place):
    """A text is changed, wherever it is shown and sent."""
    texts = [m for m in s.history(place) if m["message_type"] in ("user_message", "assistant_message") and isinstance(m["content"], str) and not m["content"].startswith("{")]  # nor a summary
    if not texts:
        return s.check(place, unchanged(place))
    message = s.dice.choice(texts)
    mark = MARK.match(message["content"])  # of a question: it stays known by it
    text = f"{mark[0] if mark else 'it was'} amended by {s.mark()}"
    keys = [(message["id"], kind, message["otid"]) for kind in (message["message_type"], "reasoning_message")]  # text beside speech by tool is shown as either
    body = {"message_type": message["message_type"], "content": text}
    _, refused, gone = s.attempt(s.client.patch, f"/v1/agents/{s.agent}/messages/{message['id']}", body)
    assert not refused, refused
    for each in s.places:
        for key in [key for key in keys if key in each.told]:
            if gone:
                del each.told[key]
            else:
                each.told[key]["content" if "content" in each.told[key] else "reasoning"] = text
    if s.group and gone:
        s.group.read(s.client)
    elif s.group:
        s.group.amended(message["id"], text)
    if not gone:
        assert text in [m.get("content") for m in s.history(place)]
    for each in s.places:
        s.check(each, unchanged(each))


def forget(s, place: Place):
    """A message is deleted, and with a call all that belongs to it; what is left is as it was."""
    listed = {id(each): s.history(each) for each in s.places}
    there = [m["id"] for m in listed[id(place)] if m["message_type"] != "system_message"]
    if not there:
        return s.check(place, unchanged(place))
    wanted, before = s.dice.choice(there), stored(s)
    window = s.context(s.places[0]) if s.group and not s.kind.clears and not s.places[0].by_hand and not s.places[0].orphans else None
    answer, refused, gone = s.attempt(s.client.delete, f"/v1/agents/{s.agent}/messages/{wanted}")
    assert not refused, refused
    if gone:
        deleted = before - stored(s)
        assert not deleted or wanted in deleted
    else:
        deleted = set(answer["deleted_message_ids"])
        assert wanted in deleted
    s.log.append(f"    deleted {sorted(deleted)}")
    s.model.starts_with_agent.add(s.agent)  # perhaps: what it answered may be gone
    if s.group:
        s.group.dropped(deleted, s.agent, window)
    for each in s.places:
        drop(each, deleted, listed[id(each)])
        s.check(each, unchanged(each))


def stored(s) -> set[str]:
    """The ids of all messages of all conversations. Lists that show speech by tool as speech leave its returns out."""
    return {m["id"] for m in s.client.get(f"/v1/agents/{s.agent}/messages?order=asc&limit=1000&use_assistant_message=false")}


def drop(place: Place, deleted: set[str], listed: list[dict]):
    marks = {mark[0] for m in listed if m["id"] in deleted and m["message_type"] == "user_message" and (mark := MARK.match(str(m["content"])))}
    place.said = [mark for mark in place.said if mark not in marks]
    place.told = {key: told for key, told in place.told.items() if key[0] not in deleted}
    if place.waits and place.window[-1] in deleted:
        place.waits, place.parked = [], []
    if deleted & {m["id"] for m in listed}:
        place.forget_edits()
        place.by_hand = place.by_hand or place.orphans  # the return that closed a parted call may be among them
    place.window = [each for each in place.window if each not in deleted]


def unchanged(place: Place) -> str:
    return "any" if place.by_hand else "same"
