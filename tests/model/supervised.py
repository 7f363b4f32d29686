"""A group whose manager asks all its members at once: they answer in no order, and the manager is told by one return."""

import ast

from group import Group, Said

ASK = "send_message_to_all_agents_in_group"
WAITS = "it waits for the approval of a tool call"


class Supervised(Group):
    asks_all = True

    def config(self, max_turns: int | None) -> dict:
        return {"manager_type": "supervisor", "manager_agent_id": self.manager.id}

    def check(self, client):
        """As for every group, but that those who were asked at once are listed in any order, each in its own."""
        listed, at = [(each.by, each.text) for each in self.listed(client)], 0
        while at < len(self.said):
            behind = next((i for i in range(at, len(self.said)) if self.said[i].by in ("", self.manager.id)), len(self.said))
            if behind > at:
                self.said[at:behind] = in_order_of(self.said[at:behind], listed[at:behind])
            at = behind + 1
        super().check(client)


def in_order_of(said: list[Said], listed: list[tuple[str, str]]) -> list[Said]:
    """`said`, each agent's in its own order, as `listed` mixes them; what is not listed comes last."""
    left, found = list(said), []
    for by, _ in listed:
        if first := next((each for each in left if each.by == by), None):
            left.remove(first)
            found.append(first)
    return found + left


def check_return(text: str, wanted: list[tuple[str, list[str], str | None]]):
    """`text`: what the manager's call has given back; `wanted`: (agent, what it said, a word of why it did not finish) of each."""
    replies = ast.literal_eval(text)
    assert [each["agent_id"] for each in replies] == [agent for agent, _, _ in wanted], f"{replies}, and should: {wanted}"
    for reply, (_, said, why) in zip(replies, wanted, strict=True):
        assert reply["response"] == (said or ["<no response>"]), f"{reply}, and should: {said}"
        assert ("error" in reply) == (why is not None) and (why or "") in reply.get("error", ""), f"{reply}, and should tell of {why!r}"


def check_asked(client, members: dict[str, int], question: str, certain: bool):
    """How often each agent has been asked `question`, by its own history: exactly so often; at most, if nobody knows (not `certain`)."""
    for agent_id, times in members.items():
        listed = client.get(f"/v1/agents/{agent_id}/messages?limit=1000&order=asc&conversation_id=default")
        asked = [m for m in listed if m["message_type"] == "system_message" and m["content"].endswith(question)]
        assert len(asked) == times or (not certain and len(asked) < times), f"{agent_id} was asked {len(asked)} times, and should: {times}"
