"""A manager asks all the agents of its group at once: what each of them hears, what comes back, and what fails for nobody else."""

import dataclasses
import json

import operations
import operations_group
import operations_supervisor_held
from answering_model import Step, refusal
from group import Member
from operations_group import Plan
from reference import Place
from supervised import ASK, WAITS, check_asked, check_return

ROUNDS = [1, 1, 1, 2, 0]  # so often the manager asks; 0: its model fails before


@dataclasses.dataclass
class Round:
    """The manager asks, once."""

    question: str
    plans: list[tuple[Member, Plan | None]]  # of those that are asked, in the order of the group; None: it waits for a decision

    def replies(self) -> list[tuple[str, list[str], str | None]]:
        return [(member.id, does.said if does else [], why(does)) for member, does in self.plans]


def why(does: Plan | None) -> str | None:
    """A word of the reason that a reply gives for not being whole."""
    if does is None:
        return "could not take the message"
    return WAITS if does.waits else "did not finish" if does.end == "failed" else None


class Asking:
    """A message to the group as it should come. Notes what will have been said. `plan`: what the model of a member does."""

    def __init__(self, s, place: Place, text: str, rounds: int, plan):
        self.group, self.text, self.manager = s.group, text, s.group.manager
        self.hears = self.group.unheard_by(self.manager) + [("user", text)]
        self.refused = bool(place.waits) and self.manager.id == s.agent
        self.rounds, self.answer, self.steps = [], None, []
        if self.refused:
            return
        self.group.says("", text)
        waits = bool(place.waits)
        for _ in range(rounds):
            plans = []
            for member in self.group.members:
                does = None if member.id == s.agent and waits else plan(s, member)
                waits = waits or bool(does and does.waits)
                plans.append((member, does))
            self.ask(s, Round(f"{operations_group.talk_mark(s)} what do you say?", plans))
        if rounds and s.dice.random() < 0.85:
            self.answer = f"{operations_group.talk_mark(s)} they have said it all"
            self.steps.append(self.manager.kind.answer(operations.call_ids(s, 1)[0], self.answer))
            self.group.says(self.manager.id, self.answer)
            self.group.knows_all(self.manager)
        else:
            self.steps.append(refusal(400))

    def ask(self, s, asked: Round):
        arguments = self.manager.kind.arguments({"message": asked.question}, True)
        self.steps.append(Step(None, [(operations.call_ids(s, 1)[0], ASK, json.dumps(arguments))]))
        self.group.knows_all(self.manager)
        self.rounds.append(asked)
        for member, does in asked.plans:
            for each in does.said if does else []:
                self.group.says(member.id, each)

    def of(self, agent_id: str) -> list[Plan]:
        """What the agent does, as `operations_group.settle` wants it."""
        if agent_id == self.manager.id:
            return [] if self.refused else [Plan(self.steps, [], "end_turn" if self.answer else "failed", begun=bool(self.rounds))]
        return [does for asked in self.rounds for member, does in asked.plans if member.id == agent_id and does]

    def will(self, s):
        s.model.will(self.manager.id, "", *self.steps)
        for member in self.group.everybody:
            s.model.will(member.id, "", *[step for does in self.of(member.id) for step in does.steps])


def ask_all(s, place: Place):
    """A message to the group."""
    heard = s.group.manager.heard
    asking = Asking(s, place, f"{operations_group.talk_mark(s)} what do they all think?", s.dice.choice(ROUNDS), operations_group.plan)
    asking.will(s)
    outcome = send(s, s.client, asking, s.dice.choice(operations_group.DOORS), s.attempt)
    if outcome.end == "gone":
        s.group.read(s.client)
        s.unheard(place, None, [does.line for does in asking.of(s.agent) if does.line])
        check_questions(s, asking, certain=False)
        return operations_group.check_all(s)
    check(s, asking, outcome, heard)
    operations_group.settle(s, place, asking.of(s.agent), outcome)
    operations_group.check_all(s)


def send(s, client, asking: Asking, door: str, attempt):
    s.log.append(f"    led by {asking.manager.name}, waits {asking.refused}, answer {asking.answer}: "
                 f"{[(asked.question, asked.replies()) for asked in asking.rounds]}")
    return operations_group.post(s, client, asking.text, door, attempt)


def check(s, asking: Asking, outcome, heard: int | None):
    """After a talk that was heard to its end. `heard`: by the manager, before."""
    assert outcome.end == ("end_turn" if asking.answer else "failed") or (asking.refused and outcome.end in ("failed", "refused")), outcome
    if asking.answer:
        told = [(m.get("sender_id"), m["content"]) for m in outcome.messages if m["message_type"] == "assistant_message"]
        assert told == [(asking.manager.id, asking.answer)], f"the answer tells {told}"
    check_questions(s, asking, certain=True)
    sent = s.model.sent_to(asking.manager.id, "")
    if asking.refused:
        assert not sent, f"a manager that waits was asked {sent}"
        return
    check_offered(sent)
    asking.group.check_heard(dataclasses.replace(asking.manager, heard=heard), sent[0], asking.hears, leads=False)
    behind = sent[-1]["messages"][len(sent[0]["messages"]):]
    returns = [message["content"] for message in behind if message["role"] == "tool"][:len(asking.rounds)]
    assert len(returns) == len(asking.rounds), f"{len(returns)} returns of {len(asking.rounds)} calls: {behind}"
    for asked, text in zip(asking.rounds, returns, strict=True):
        check_return(json.loads(text)["message"] if text.startswith("{") else text, asked.replies())
    for member in asking.group.members:
        asked = len([step for does in asking.of(member.id) for step in does.steps])
        assert len(s.model.sent_to(member.id, "")) == asked, f"{member.name} was asked {s.model.sent_to(member.id, '')}, and should {asked} times"


def check_offered(sent: list[dict]):
    """The manager has to ask before anything else, and may then."""
    assert [tool["function"]["name"] for tool in sent[0]["tools"]] == [ASK], sent[0]["tools"]
    assert all(ASK in [tool["function"]["name"] for tool in each["tools"]] for each in sent), "the tool is taken away"


def check_questions(s, asking: Asking, certain: bool):
    """Who is asked hears it once, whatever becomes of it; nobody else hears it."""
    for asked in asking.rounds:
        times = {member.id: int(does is not None) for member, does in asked.plans}
        others = {each.id: 0 for each in asking.group.all_agents() if each.id not in times}
        check_asked(s.client, {**times, **others}, asked.question, certain)


EVERY = [(ask_all, 7), (operations_group.change_group, 2), (operations_group.reset_group, 1), (operations_group.end_group, 1), (operations_supervisor_held.ask_meanwhile, 3)]
