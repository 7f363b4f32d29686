"""What comes while the agents of a group are asked all at once: the model of one of them holds its answer back meanwhile."""

import threading

import operations
import operations_group
import operations_group_held as held
import operations_runs
import operations_supervisor
import scripted_model
from answering_model import Held
from client import Client
from group import Member
from operations_group import Plan
from reference import Place


def ask_meanwhile(s, place: Place):
    """A message to the group, and something else before one of those who are asked answers."""
    now, text, mark = s.group, operations_group.talk_mark(s), s.mark()
    slow = s.dice.choice(now.members)
    if place.waits:
        return operations_supervisor.ask_all(s, place)
    step = (s.answer if slow.id == s.agent else lambda *a, **more: slow.kind.answer(operations.call_ids(s, 1)[0], *a, **more))(f"{text} after a while", step=Held)
    heard_before = now.manager.heard
    asking = operations_supervisor.Asking(s, place, f"{text} take your time", 1, lambda s, member: plan(s, member, slow, step, text))
    asking.will(s)
    if slow.id == s.agent:
        s.will(place, step, then=s.answer(f"answer to {mark}"))
    door, way = s.dice.choice(operations_group.DOORS), s.dice.choice([*ALWAYS, *["queue"] * (slow.id == s.agent), *["remove"] * (slow.id != s.agent and len(now.members) > 1)] + ["kill"] * 3 * s.kills)
    s.log.append(f"    {slow.name} holds back, meanwhile: {way}")
    heard, given = held.beside(s, step, way, lambda client: operations_supervisor.send(s, client, asking, door, held.attempt), lambda: MEANWHILE[way](s, place, slow, mark))
    s.log.append(f"    -> {heard}")
    AFTER[way](s, place, asking, heard, heard_before, mark, given)
    operations_group.check_all(s)


def plan(s, member: Member, slow: Member, step: Held, text: str) -> Plan:
    """All answer, one of them after a while."""
    if member is slow:
        return Plan([step], [f"{text} after a while"])
    text = f"{operations_group.talk_mark(s)} I think so"
    return Plan([member.kind.answer(operations.call_ids(s, 1)[0], text)], [text])


# ---- meanwhile; what is given back goes to what is looked at afterwards ----

def cancel(s, place, slow, mark):
    """The manager's turn is ended, and with it the turns of those it has asked."""
    leads = s.group.manager.id
    outcome = s.client.post(f"/v1/agents/{leads}/messages/cancel", {"run_ids": talks(s, leads)})
    assert outcome and set(outcome.values()) == {"cancelled"}, outcome


def talks(s, agent_id: str) -> list[str]:
    return [run["id"] for run in s.client.get(f"/v1/runs?active=true&agent_id={agent_id}")]


def refuse(s, place, slow, mark):
    """Whoever is asked takes no other message, if that does not want to wait."""
    answer, refused, _ = held.attempt(s.client.post, f"/v1/agents/{slow.id}/messages", {"input": f"{operations_group.talk_mark(s)} now!", "double_texting": "reject"})
    assert refused and refused.status == 409, answer


def remove(s, place, slow, mark):
    """One that is asked is deleted; the others answer."""
    deleting = threading.Thread(target=lambda: held.attempt(Client(s.server.port).delete, f"/v1/agents/{slow.id}"))
    deleting.start()
    return deleting, slow


# ---- afterwards ----

def went_on(s, place, asking, heard, heard_before, mark, given):
    operations_supervisor.check(s, asking, heard, heard_before)
    operations_group.settle(s, place, asking.of(s.agent), heard)


def changed(s, place, asking, heard, heard_before, mark, members):
    went_on(s, place, asking, heard, heard_before, mark, None)
    s.group.members = members


def queued(s, place, asking, heard, heard_before, mark, run_id):
    """The message to the agent is answered behind what it says to the manager."""
    assert operations_runs.ended(s, run_id)["status"] == "completed"
    place.hears(mark)
    operations_group.settle(s, place, asking.of(s.agent), heard)
    operations_supervisor.check_questions(s, asking, certain=True)


def broke_off(s, place, asking, heard, heard_before, mark, given):
    """The server has died, or the talk was cancelled: nobody is asked again, and nobody works on."""
    assert heard.end == ("gone" if given == "killed" else "cancelled"), heard
    for each in s.group.all_agents():
        scripted_model.wait(lambda each=each: not talks(s, each.id), held.PATIENCE)
    operations_supervisor.check_questions(s, asking, certain=False)
    s.group.read(s.client)
    place.forget_edits()
    s.check(place, place.mended("any" if s.kind.clears else "grown"))


def kill(s, place, slow, mark):
    held.kill(s, place, mark)
    return "killed"


def forgotten(s, place, asking, heard, heard_before, mark, given):
    assert heard.end == ("end_turn" if asking.answer else "failed"), heard
    s.group.forget_all()
    s.model.starts_with_agent.add(s.agent)
    place.forget_edits()
    s.check(place, "any")


def deleted(s, place, asking, heard, heard_before, mark, given):
    """What was begun in a group that is no more goes on to its end."""
    went_on(s, place, asking, heard, heard_before, mark, None)
    s.group = operations_group.make(s, s.group.everybody, s.group.manager, type(s.group))


def removed(s, place, asking, heard, heard_before, mark, given):
    deleting, gone = given
    deleting.join()
    assert heard.end == ("end_turn" if asking.answer else "failed"), heard
    s.group.everybody = [each for each in s.group.everybody if each is not gone]
    s.group.members = [each for each in s.group.members if each is not gone]
    assert s.client.get(f"/v1/groups/{s.group.id}")["agent_ids"] == [each.id for each in s.group.members]
    s.group.said = [each for each in s.group.said if each.by != gone.id]
    operations_group.settle(s, place, asking.of(s.agent), heard)


MEANWHILE = {"refuse": refuse, "change": lambda s, place, slow, mark: held.change(s, place, mark), "cancel": cancel, "reset": lambda *_: None,
             "end": lambda s, place, slow, mark: held.end(s, place, mark), "queue": lambda s, place, slow, mark: held.queue(s, place, mark), "remove": remove, "kill": kill}
AFTER = {"refuse": went_on, "change": changed, "cancel": broke_off, "reset": forgotten, "end": deleted, "queue": queued, "remove": removed, "kill": broke_off}
ALWAYS = ["refuse", "change", "cancel", "reset", "end"]
