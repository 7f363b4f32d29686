"""A group in which the agent talks with others: what each of them has to hear, and that all of it is listed under who said it."""

import dataclasses

import kinds
import pairing

PASSED_ON = "{} says in the group: {}"
AGAIN = "your turn again"  # what one is told that has heard everything
WHO_SPEAKS = "[You lead this group"  # what the manager is asked
EVERYTHING = "order=asc&limit=1000"


@dataclasses.dataclass
class Member:
    id: str
    name: str
    kind: kinds.Kind
    heard: int | None = 0  # up to which number it knows what was said; None: it is not known how far


@dataclasses.dataclass
class Said:
    number: int
    by: str  # the agent's id; "": whoever talks to the group
    text: str
    id: str = ""  # of the message, once it has been listed


@dataclasses.dataclass
class Group:
    id: str
    members: list[Member]  # in the order in which they speak
    everybody: list[Member]  # who belongs to it, or did
    manager: Member | None = None  # of a dynamic group: names who speaks
    max_turns: int | None = None
    said: list[Said] = dataclasses.field(default_factory=list)
    number: int = 0
    forgotten: set[str] = dataclasses.field(default_factory=set)  # messages of the agent that a reset has taken out of its window

    asks_all = False  # it is led by one who asks all the others at once

    @property
    def turns_max(self) -> int:
        return self.max_turns or len(self.members) * (2 if self.manager else 1)

    def behind(self, last: Member | None) -> Member:
        """Who follows in the order of the group."""
        return self.members[(self.members.index(last) + 1) % len(self.members)] if last else self.members[0]

    def all_agents(self) -> list[Member]:
        return self.everybody + ([self.manager] if self.manager else [])

    def says(self, by: str, text: str):
        self.number += 1
        self.said.append(Said(self.number, by, text))

    def name(self, agent_id: str) -> str:
        return next(each.name for each in self.everybody if each.id == agent_id)

    def unheard_by(self, member: Member) -> list[tuple[str, str]]:
        """(role, text) of what it is told at the beginning of its turn: what the others have said since it spoke."""
        fresh = [each for each in self.said if each.number > (member.heard or 0) and each.by != member.id]
        return [("system", PASSED_ON.format(self.name(each.by), each.text)) if each.by else ("user", each.text) for each in fresh]

    def knows_all(self, member: Member):
        member.heard = self.number

    def forget_all(self):
        self.said = []
        for each in self.all_agents():
            each.heard = self.number

    # ---- what a client does to messages ----

    def amended(self, message_id: str, text: str):
        for each in self.said:
            each.text = text if each.id == message_id else each.text

    def dropped(self, deleted: set[str], agent_id: str, before: list[dict] | None):
        """Messages of one agent are deleted. `before`: its window until then, if that is as turns have made it. What an agent has
        heard is known by what it was told in its newest turn, or by what it answered then."""
        self.said = [each for each in self.said if each.id not in deleted]
        here = [message for message in before or [] if message["group_id"] == self.id]
        newest = [m["id"] for m in here if m["run_id"] == here[-1]["run_id"] and m["role"] in ("user", "system")]
        if not newest or newest[-1] in deleted:
            next(each for each in self.all_agents() if each.id == agent_id).heard = None

    def not_sure(self):
        for each in self.all_agents():
            each.heard = None

    # ---- what must hold ----

    def listed(self, client) -> list[Said]:
        shown = client.get(f"/v1/groups/{self.id}/messages?{EVERYTHING}")
        return [Said(0, m["sender_id"] or "", m["content"], m["id"]) for m in shown if m["message_type"] in ("user_message", "assistant_message")]

    def read(self, client):
        """After requests whose outcome nobody has heard: takes for said what is listed."""
        self.said = []
        for each in self.listed(client):
            self.says(each.by, each.text)
            self.said[-1].id = each.id
        self.not_sure()

    def check(self, client):
        listed = self.listed(client)
        shown, wanted = [(each.by, each.text) for each in listed], [(each.by, each.text) for each in self.said]
        assert shown == wanted, f"the group lists {shown}, and should: {wanted}"
        for said, found in zip(self.said, listed, strict=True):
            said.id = found.id

    @staticmethod
    def check_heard(member: Member, request: dict, wanted: list[tuple[str, str]], leads: bool):
        """`request`: the first of its turn; `wanted`: what stands at its end, and nowhere before. `leads`: who speaks is asked there."""
        sent = [(each["role"], str(each["content"])) for each in request["messages"]]
        if leads:
            assert sent.pop()[1].startswith(WHO_SPEAKS), f"the manager is asked {request['messages'][-1]}"
        if member.heard is None:
            assert not wanted or sent[-1] == wanted[-1], f"{member.name} hears {sent[-1]} last, and should: {wanted[-1]}"
            return
        if not wanted and leads:
            return
        if not wanted:
            assert AGAIN in sent[-1][1], f"{member.name} has heard everything, and is told {sent[-1]}"
            return
        assert sent[-len(wanted):] == wanted, f"{member.name} hears {sent[-len(wanted) - 1:]}, and should: {wanted}"
        again = [each for each in sent[:-len(wanted)] if each in wanted]
        assert not again, f"{member.name} hears once more {again}"


class RoundRobin(Group):
    def config(self, max_turns: int | None) -> dict:
        return {"manager_type": "round_robin", "max_turns": max_turns}


class Dynamic(Group):
    def config(self, max_turns: int | None) -> dict:
        return {"manager_type": "dynamic", "manager_agent_id": self.manager.id, "max_turns": max_turns}


def check_member(client, agent_id: str):
    """Its history, and what would be sent of it, is one that providers take."""
    turns = pairing.from_stored(client.get(f"/v1/agents/{agent_id}/context?conversation_id=default")["messages"])
    pairing.check([*turns, pairing.Turn("user", "next")], "what is stored of a member")
    request = client.post(f"/v1/agents/{agent_id}/messages/preview-raw-payload", {"input": "next"})
    pairing.check(pairing.from_chat(request), "what would be sent of a member")
