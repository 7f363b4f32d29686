"""The agent in a group: messages to the group beside those to the agent itself, and what becomes of the group meanwhile."""

import dataclasses
import json

import group
import kinds
import operations
import operations_edit
import rules
from answering_model import Step, refusal
from group import Dynamic, Group, Member, RoundRobin
from reference import Place
from stele import Refused
from supervised import Supervised

TURNS_MAX = 5
DOORS = ["blocking", "stream", "tokens"]
DONE = "DONE!"  # ends the talk of a dynamic group
KINDS = [RoundRobin, Dynamic, Supervised]


def begin(s, agent: dict) -> Group:
    """The agent and one or two others, in any order; some groups are led by one more."""
    members = [Member(s.agent, agent["name"], s.kind)]
    members += [another(s, name, s.dice.choice(["letta_v1_agent"] * 3 + ["memgpt_v2_agent"])) for name in ["Bob", "Eve"][:s.dice.randrange(1, 3)]]
    kind = s.dice.choices(KINDS, [4, 2, 3])[0]
    if kind is Supervised and s.kind.speaks_in_text and not s.kind.rules and s.dice.random() < 0.4:
        return make(s, members[1:], members[0], kind)  # the agent leads
    return make(s, members, None if kind is RoundRobin else another(s, "Max", "letta_v1_agent"), kind)


def another(s, name: str, agent_type: str) -> Member:
    kind = kinds.Kind(agent_type)
    made = s.client.post("/v1/agents", {**kind.settings(), "name": name, "memory_blocks": [{"label": "human", "value": ""}]})
    return Member(made["id"], name, kind)


def make(s, everybody: list[Member], manager: Member | None, kind: type[Group]) -> Group:
    made = kind("", s.dice.sample(everybody, len(everybody)), everybody, manager, None if kind is Supervised else s.dice.choice([None, None, *range(1, TURNS_MAX + 1)]))
    body = {"agent_ids": [each.id for each in made.members], "description": "who talk", "manager_config": made.config(made.max_turns)}
    made.id = s.client.post("/v1/groups", body)["id"]
    made.forget_all()
    return made


# ---- talks ----

@dataclasses.dataclass
class Plan:
    """What a member's model does in its turn."""

    steps: list  # each answers a request
    said: list[str]
    end: str = "end_turn"
    begun: bool = True  # something of it is kept
    line: str | None = None  # that its call adds to the memory
    waits: bool = False  # the call waits for a client


@dataclasses.dataclass
class Turn:
    member: Member
    plan: Plan
    hears: list[tuple[str, str]]
    leads: bool  # it is the manager's, which is asked who speaks


def plan(s, member: Member) -> Plan:
    """Words, a call before them, a call that waits, or a failure."""
    mark, own, id_ = talk_mark(s), member.id == s.agent, operations.call_ids(s, 1)[0]
    if s.dice.random() < 0.15:
        return Plan([refusal(400)], [], "failed", begun=False)
    answer = member.kind.answer(id_, f"{mark} I think so")
    if s.dice.random() < 0.6 or not member.kind.allows([], rules.INSERT, client_tools=False):
        return Plan([answer], [f"{mark} I think so"])
    words = s.dice.choice([None, f"{mark} one moment"]) if member.kind.speaks_in_text else None
    arguments = member.kind.arguments({"label": "human", "new_string": mark}, True)
    call, said = Step(words, [(operations.call_ids(s, 1)[0], rules.INSERT, json.dumps(arguments))]), [words] * bool(words)
    if own and s.asks:
        return Plan([call], said, "requires_approval", line=mark, waits=True)
    if end := member.kind.end_behind([(rules.INSERT, "")], True):
        return Plan([call], said, end, line=mark)
    if s.dice.random() < 0.2:
        return Plan([call, refusal(400)], said, "failed", line=mark)
    return Plan([call, answer], [*said, f"{mark} I think so"], line=mark)


def talk_mark(s) -> str:
    """Of what is said in groups; the agent's own history is not looked through for these."""
    return "g" + s.mark()[1:]


def lead(s, last: Member | None) -> tuple[Plan, Member | None, bool]:
    """What the manager's model says, whom it has named by that, and whether that ends the talk."""
    text = s.dice.choice(["whoever wants to", DONE, *[f"{each.name}, please" for each in s.group.members] * 3])
    if s.dice.random() < 0.1:
        return Plan([refusal(400)], [], "failed", begun=False), None, False
    named = next((each for each in s.group.members if text.startswith(each.name) and (each is not last or len(s.group.members) == 1)), None)
    return Plan([Step(text)], []), named, text == DONE


class Talk:
    """A talk about `text` as it should come. Notes what will have been said. `plan`: what the model of a member does."""

    def __init__(self, s, place: Place, text: str, plan):
        self.group, self.text, self.given = s.group, text, False
        self.turns: list[Turn] = []
        last, waits = None, bool(place.waits)
        for _ in range(self.group.turns_max):
            named = None
            if self.group.manager:
                does, named, done = lead(s, last)
                self.take(self.group.manager, does, leads=True)
                if done:
                    break
            last = named or self.group.behind(last)
            if last.id == s.agent and waits:
                continue  # it is passed over
            waits = self.take(last, plan(s, last)).waits or waits

    def take(self, member: Member, does: Plan, leads=False) -> Plan:
        self.turns.append(Turn(member, does, self.group.unheard_by(member) + [("user", self.text)] * (not self.given), leads))
        if not self.given:
            self.group.says("", self.text)
            self.given = True
        for each in does.said:
            self.group.says(member.id, each)
        if does.begun:
            self.group.knows_all(member)
        return does

    def of(self, agent_id: str) -> list[Plan]:
        return [turn.plan for turn in self.turns if turn.member.id == agent_id]


def talk(s, place: Place):
    """A message to the group."""
    heard_before = {each.id: each.heard for each in s.group.all_agents()}
    planned = Talk(s, place, f"{talk_mark(s)} what do you all think?", plan)
    will(s, planned)
    outcome = send(s, s.client, planned, s.dice.choice(DOORS), s.attempt)
    own = planned.of(s.agent)
    if outcome.end == "gone":
        s.group.read(s.client)
        s.unheard(place, None, [does.line for does in own if does.line])
        return check_all(s)
    check_outcome(planned.turns, outcome)
    check_sent(s, planned.turns, heard_before)
    settle(s, place, own, outcome)
    check_all(s)


def will(s, planned: Talk):
    for member in s.group.all_agents():
        s.model.will(member.id, "", *[step for does in planned.of(member.id) for step in does.steps])


def send(s, client, planned: Talk, door: str, attempt):
    """`attempt` as Sequence.attempt."""
    s.log.append(f"    {[(turn.member.name, turn.plan.said, turn.plan.end) for turn in planned.turns]}")
    return post(s, client, planned.text, door, attempt)


def post(s, client, text: str, door: str, attempt):
    path = f"/v1/groups/{s.group.id}/messages"
    if door == "blocking":
        answer, refused, gone = attempt(client.post, path, {"input": text})
    else:
        answer, refused, gone = attempt(client.events, path + "/stream", {"input": text, "stream_tokens": door == "tokens"})
    outcome = s.outcome(answer, refused, gone)
    s.log.append(f"    {door}: {text} -> {outcome}")
    return outcome


def check_outcome(turns: list[Turn], outcome):
    well = [turn.plan.end for turn in turns if turn.plan.end != "failed" and not turn.leads]
    assert outcome.end in (well[-1:] or ["failed", "refused", "end_turn"]), outcome
    said = [(turn.member.id, text) for turn in turns for text in turn.plan.said]
    told = [(m.get("sender_id"), m["content"]) for m in outcome.messages if m["message_type"] == "assistant_message"]
    assert told == said or not well, f"the talk's answer tells {told}, and should: {said}"


def check_sent(s, turns: list[Turn], heard_before: dict):
    """What the model of each was sent at the beginning of each of its turns."""
    for member in s.group.all_agents():
        sent = s.model.sent_to(member.id, "")
        known = dataclasses.replace(member, heard=heard_before[member.id])
        for turn in [turn for turn in turns if turn.member is member]:
            s.group.check_heard(known, sent[0], turn.hears, turn.leads)
            sent = sent[len(turn.plan.steps):]
            known.heard = 0 if turn.plan.begun else known.heard
        assert not sent, f"{member.name} was asked too often: {sent}"


def settle(s, place: Place, own: list[Plan], outcome):
    """What the talk leaves of the agent itself."""
    outcome.messages = [m for m in outcome.messages if m.get("sender_id") == s.agent]
    if any(does.end == "failed" for does in own):
        outcome.messages = []
    operations.note(place, outcome)
    if own:
        place.forget_edits()
    s.known.lines += [does.line for does in own if does.line and not does.waits]
    if waiting := next((does for does in own if does.waits), None):
        place.waits = operations.waiting_calls(s, place, [(rules.INSERT, waiting.line)])
        place.parked = []
    begun = ("any" if s.kind.clears else "grown") if any(does.begun for does in own) else "same"  # one that clears begins with what is passed on
    s.check(place, place.mended(begun) if own else operations_edit.unchanged(place))


def check_all(s):
    s.group.check(s.client)
    for each in s.group.all_agents():
        if each.id != s.agent:
            group.check_member(s.client, each.id)
            if s.dice.random() < 0.2:
                say_to(s, each)


def say_to(s, member: Member):
    """The next plain message to another member works."""
    text = f"{talk_mark(s)} for you"
    s.model.will(member.id, "", then=member.kind.answer(operations.call_ids(s, 1)[0], text))
    answer, refused, gone = s.attempt(s.client.post, f"/v1/agents/{member.id}/messages", {"input": "hello"})
    assert not refused, refused
    assert gone or (answer["stop_reason"]["stop_reason"], answer["messages"][-1]["content"]) == ("end_turn", text), answer


# ---- what becomes of the group ----

def change_group(s, place: Place):
    """Who belongs to it, in which order, and how often they speak."""
    now = s.group
    members = s.dice.sample(now.everybody, s.dice.randrange(1, len(now.everybody) + 1))
    most = None if now.asks_all else s.dice.choice([None, *range(1, TURNS_MAX + 1)])
    body = s.dice.choice([{"agent_ids": [each.id for each in members]}, {"manager_config": now.config(most)}, {"description": "others"}])
    changed, refused, gone = s.attempt(s.client.patch, f"/v1/groups/{now.id}", body)
    assert not refused, refused
    shown = s.client.get(f"/v1/groups/{now.id}")
    assert gone or shown == changed, f"{changed} is shown as {shown}"
    now.members = [next(each for each in now.everybody if each.id == agent_id) for agent_id in shown["agent_ids"]]
    now.max_turns = shown["max_turns"]
    if not gone and "agent_ids" in body:
        assert now.members == members, shown
    if not gone and "manager_config" in body:
        assert now.max_turns == most, shown
    s.check(place, operations_edit.unchanged(place))
    check_all(s)


def reset_group(s, place: Place):
    """What was said in the group is forgotten by everybody; what was said to its members alone is not."""
    before = s.context(place)
    said = {message["id"] for message in s.client.get(f"/v1/agents/{s.agent}/messages?group_id={s.group.id}&limit=1000")}
    _, refused, gone = s.attempt(s.client.patch, f"/v1/groups/{s.group.id}/reset-messages")
    assert not refused, refused
    s.model.starts_with_agent.add(s.agent)  # perhaps: a call of the group may have been decided outside of it
    place.forget_edits()
    s.read_waiting(place)
    if gone:
        s.group.read(s.client)
        return s.check(place, "any")
    s.group.forget_all()
    s.group.forgotten |= said if s.agent in [each.id for each in s.group.members] else set()  # whoever has left keeps what it knows
    there = [message["id"] for message in s.context(place)]
    steps = {message["step_id"] for message in before if message["group_id"] == s.group.id}  # what is decided about a call belongs to its step
    alone = [message["id"] for message in before if message["group_id"] != s.group.id and (not message["step_id"] or message["step_id"] not in steps)]
    assert [each for each in there if each in alone] == alone, f"{alone} was said outside of the group, and is left: {there}"
    s.check(place, "any")
    check_all(s)


def end_group(s, place: Place):
    """The group is deleted; its members keep what they know. Another one of the same agents may begin."""
    old = s.group
    _, refused, gone = s.attempt(s.client.delete, f"/v1/groups/{old.id}")
    assert not refused, refused
    if gone and still_there(s, old):
        return
    assert not still_there(s, old)
    s.check(place, operations_edit.unchanged(place))
    s.group = make(s, old.everybody, old.manager, type(old))
    check_all(s)


def still_there(s, of: Group) -> bool:
    try:
        return s.client.get(f"/v1/groups/{of.id}")["id"] == of.id
    except Refused as refused:
        assert refused.status == 404, refused
        return False


def leave(s):
    """The end of a sequence: every member still answers, and none was sent what a provider refuses."""
    for each in s.group.all_agents():
        if each.id == s.agent:
            continue
        say_to(s, each)
        group.check_member(s.client, each.id)
        assert each.id not in s.model.wrong, s.model.wrong[each.id]
        s.client.delete(f"/v1/agents/{each.id}")
        s.model.forget(each.id)


EVERY = [(talk, 6), (change_group, 2), (reset_group, 1), (end_group, 1)]
