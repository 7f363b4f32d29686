"""The kinds of agents that a sequence may be about, and what the loop of each makes of a model's calls. Nothing here talks to a server."""

import dataclasses
import json
import random

import rules
from answering_model import Step
from rules import OWED, SPEECH_ENDS, Made


class Reminded(Step):
    """Words that would end a turn; told that a call is owed, the model makes it, and says them again behind it."""

    def __init__(self, step: Step, call: tuple[str, str, str]):
        super().__init__(step.text, step.calls, step.reasoning)
        self.call = call

    def __call__(self, connection, request):
        last = request["messages"][-1]
        reminded = last["role"] == "user" and "Before your turn may end" in str(last["content"])
        (Step(None, [self.call]) if reminded else super()).__call__(connection, request)


@dataclasses.dataclass
class Kind:
    agent_type: str = "letta_v1_agent"
    clears: bool = False  # message_buffer_autoclear: a message is answered out of a window that holds nothing else
    rules: list[dict] = dataclasses.field(default_factory=list)
    greets: bool = False  # its first messages are the usual ones, in which the agent begins
    sleeps: int = 0  # the turns behind which a partner wakes that reads what was said; 0: it has none
    talks: bool = False  # it belongs to a group
    tools: list[str] = dataclasses.field(default_factory=list)  # that its agent has got

    @property
    def speaks_in_text(self) -> bool:
        return self.agent_type == "letta_v1_agent"

    @property
    def owes(self) -> bool:
        return OWED in self.rules

    def settings(self) -> dict:
        """What makes an agent of this kind."""
        return {"agent_type": self.agent_type, "message_buffer_autoclear": self.clears, "enable_sleeptime": self.sleeps > 0,
                "tools": ["memory_insert", "conversation_search"], "include_base_tool_rules": False, **({} if self.greets else {"initial_message_sequence": []})}

    # ---- what its model writes ----

    def answer(self, id_: str, text: str, reasoning: str | None = None, step=Step) -> Step:
        """The words that end a turn."""
        said = step(text, reasoning=reasoning) if self.speaks_in_text else step(None, [(id_, "send_message", json.dumps({"message": text}))], reasoning)
        return Reminded(said, (id_, "conversation_search", json.dumps(self.arguments({"query": "hello"}, True)))) if self.owes else said

    def arguments(self, arguments: dict, heartbeat: bool) -> dict:
        return arguments if self.speaks_in_text else {**arguments, "request_heartbeat": heartbeat}

    # ---- what becomes of a call: spec of the loop, in its own words ----

    def tools_for(self, client_tools: bool) -> list[str]:
        """Those of a request; a client's are told to agents that speak in text only."""
        return self.tools + [rules.CLIENT] * (client_tools and self.speaks_in_text)

    def allows(self, made: Made, tool: str, client_tools: bool) -> bool:
        return tool in rules.offered(self.rules, made, self.tools_for(client_tools))

    def search(self, dice: random.Random) -> tuple[dict, str]:
        """Arguments of a search, and what it gives back, as far as a rule asks."""
        if not any(rule["type"] == "conditional" for rule in self.rules):
            return {"query": "hello"}, "whatever it finds"
        return dice.choice([({"start_date": "2999-01-01"}, rules.NOTHING), ({"roles": ["robot"]}, "an error")])

    def end_behind(self, made: Made, heartbeat: bool) -> str | None:
        """The stop reason of a turn whose newest call is the last of `made`; None: the model goes on, as it does behind one that is refused."""
        newest = made[-1][0]
        if self.owes and OWED["tool_name"] not in [tool for tool, _ in made]:
            return None
        if {"type": "exit_loop", "tool_name": newest} in self.rules:
            return "tool_rule" if self.speaks_in_text or heartbeat else "end_turn"
        return None if self.speaks_in_text or heartbeat or rules.goes_on(self.rules, newest) else "end_turn"


def choose(dice: random.Random) -> Kind:
    """Plain ones are the majority."""
    kind = Kind(dice.choices(["letta_v1_agent", "memgpt_agent", "memgpt_v2_agent"], [10, 1, 1])[0], clears=dice.random() < 0.1)
    kind.rules = rules.choose(dice, kind.speaks_in_text)
    if not kind.speaks_in_text:
        kind.greets = dice.random() < 0.3
        kind.rules += [SPEECH_ENDS] if dice.random() < 0.5 else []
    if dice.random() < 0.05:
        kind.sleeps = dice.randrange(1, 4)
    elif dice.random() < 0.1:
        kind.talks = not kind.owes
    return kind


def check_heartbeats(messages: list[dict]):
    """`messages`: what a turn has put into the window. A stored call says whether the model went on behind it, and a heartbeat tells it to."""
    for place, message in enumerate(messages):
        if message["role"] != "assistant" or not message["tool_calls"]:
            continue
        assert len(message["tool_calls"]) == 1, f"more than one call of an agent that speaks by tool: {message}"
        try:
            said = json.loads(message["tool_calls"][0]["function"]["arguments"])["request_heartbeat"]
        except json.JSONDecodeError:
            continue  # kept as the model wrote it
        behind = [text_of(each) for each in messages[place + 2:place + 3] if each["role"] == "user"]
        beats = any(text.startswith("{") and json.loads(text)["type"] == "heartbeat" for text in behind)
        assert said == beats, f"request_heartbeat is {said}, and behind the return stands {behind}"


def text_of(message: dict) -> str:
    return " ".join(part.get("text") or "" for part in message.get("content") or [])
