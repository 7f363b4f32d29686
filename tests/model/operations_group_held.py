"""What comes in the middle of a talk: the agent's model holds its answer back meanwhile."""

import threading

import operations
import operations_group
import operations_runs
from answering_model import Held
from client import Client, Gone
from group import RoundRobin
from operations_group import Plan, Talk
from reference import Place
from stele import Refused

PATIENCE = 60


def talk_meanwhile(s, place: Place):
    """A message to the group, and something else before it is answered."""
    now = s.group
    if place.waits or now.manager or now.turns_max > len(now.members) or s.agent not in [each.id for each in now.members[:now.turns_max]]:
        return operations_group.talk(s, place)  # it would not speak exactly once
    text, mark = operations_group.talk_mark(s), s.mark()
    held, heard_before = s.answer(f"{text} after a while", step=Held), {each.id: each.heard for each in now.everybody}
    planned = Talk(s, place, f"{text} take your time", lambda s, member: plan(s, member, held, f"{text} after a while"))
    operations_group.will(s, planned)
    s.will(place, held, then=s.answer(f"answer to {mark}"))
    door, way = s.dice.choice(operations_group.DOORS), s.dice.choice(["talk", "queue", "change", "cancel", "reset", "end"] + ["kill"] * 3 * s.kills)
    s.log.append(f"    meanwhile: {way}")
    heard, given = beside(s, held, way, lambda client: operations_group.send(s, client, planned, door, attempt), lambda: MEANWHILE[way](s, place, mark))
    AFTER[way](s, place, planned, heard, mark, given)
    if way in ("talk", "change"):
        operations_group.check_sent(s, planned.turns, heard_before)
    operations_group.check_all(s)


def beside(s, step: Held, way: str, send, meanwhile):
    """`send(client)`, and `meanwhile()` while the model holds `step` back; what each has given."""
    client, heard = Client(s.server.port), []
    asking = threading.Thread(target=lambda: heard.append(send(client)))
    asking.start()
    try:
        assert step.asked.wait(PATIENCE), "the model was not asked"
        given = meanwhile()
        step.release.set()
        if way == "reset":  # it waits for the talk
            s.client.patch(f"/v1/groups/{s.group.id}/reset-messages")
    finally:
        step.release.set()
        asking.join()
        client.close()
    return heard[0], given


def attempt(call, *arguments):
    """As Sequence.attempt: but whether the server dies is decided elsewhere."""
    try:
        return call(*arguments), None, False
    except Refused as refusal:
        return None, refusal, False
    except Gone:
        return None, None, True


def plan(s, member, held: Held, text: str) -> Plan:
    """All answer, the agent after a while."""
    if member.id == s.agent:
        return Plan([held], [text])
    text = f"{operations_group.talk_mark(s)} I think so"
    return Plan([member.kind.answer(operations.call_ids(s, 1)[0], text)], [text])


# ---- meanwhile; what is given back goes to what is looked at afterwards ----

def talk(s, place, mark):
    """A message to the agent that does not want to wait."""
    answer, refused, _ = attempt(s.client.post, s.path(place, "/messages"), {"input": f"{mark} now!", "double_texting": "reject"})
    assert refused and refused.status == 409, answer


def queue(s, place, mark):
    """A message to the agent that waits behind its turn."""
    return s.client.post(s.path(place, "/messages/async"), {"input": f"{mark} and then?", "double_texting": "queue"})["id"]


def change(s, place, mark):
    """Who belongs to the group: from the next talk on."""
    members = s.dice.sample(s.group.everybody, s.dice.randrange(1, len(s.group.everybody) + 1))
    s.client.patch(f"/v1/groups/{s.group.id}", {"agent_ids": [each.id for each in members]})
    return members


def cancel(s, place, mark):
    """The talk is ended, and with it the turn at hand."""
    first = s.group.members[0].id
    runs = [run["id"] for run in s.client.get(f"/v1/runs?active=true&agent_id={first}")]
    outcome = s.client.post(f"/v1/agents/{first}/messages/cancel", {"run_ids": runs})
    assert outcome and set(outcome.values()) == {"cancelled"}, outcome


def end(s, place, mark):
    s.client.delete(f"/v1/groups/{s.group.id}")


def kill(s, place, mark):
    s.server.kill()
    s.client.close()
    s.server.start()


# ---- afterwards ----

def went_on(s, place, planned, outcome, mark, given):
    operations_group.check_outcome(planned.turns, outcome)
    operations_group.settle(s, place, planned.of(s.agent), outcome)


def queued(s, place, planned, outcome, mark, run_id):
    assert operations_runs.ended(s, run_id)["status"] == "completed"
    place.hears(mark)
    went_on(s, place, planned, outcome, mark, None)


def changed(s, place, planned, outcome, mark, members):
    went_on(s, place, planned, outcome, mark, None)
    s.group.members = members


def cancelled(s, place, planned, outcome, mark, given):
    assert outcome.end == "cancelled", outcome
    broke_off(s, place, "same")


def killed(s, place, planned, outcome, mark, given):
    assert outcome.end == "gone", outcome
    assert not s.client.get(f"/v1/runs?active=true&agent_id={s.agent}")
    broke_off(s, place, "same")


def broke_off(s, place, window):
    s.group.read(s.client)
    place.forget_edits()
    s.check(place, place.mended(window))


def forgotten(s, place, planned, outcome, mark, given):
    operations_group.check_outcome(planned.turns, outcome)
    s.group.forget_all()
    s.model.starts_with_agent.add(s.agent)
    place.forget_edits()
    s.check(place, "any")


def deleted(s, place, planned, outcome, mark, given):
    """Whoever is speaking in a group that is deleted is heard; nobody is asked behind it."""
    assert outcome.end == "end_turn", outcome
    last = next(i for i, turn in enumerate(planned.turns) if turn.member.id == s.agent)
    spoke, silent = planned.turns[:last + 1], planned.turns[last + 1:]
    operations_group.check_outcome(spoke, outcome)
    assert not [each for each in silent if s.model.sent_to(each.member.id, "")], "somebody was asked in a group that is no more"
    operations_group.settle(s, place, planned.of(s.agent), outcome)
    s.group = operations_group.make(s, s.group.everybody, None, RoundRobin)


MEANWHILE = {"talk": talk, "queue": queue, "change": change, "cancel": cancel, "reset": lambda *_: None, "end": end, "kill": kill}
AFTER = {"talk": went_on, "queue": queued, "change": changed, "cancel": cancelled, "reset": forgotten, "end": deleted, "kill": killed}
EVERY = [*operations_group.EVERY, (talk_meanwhile, 2)]
