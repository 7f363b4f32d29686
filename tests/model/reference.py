"""What must hold of an agent and its conversations, as far as their client knows it.

`Place` is one conversation: what was said there, what its window holds, what waits. `Agent` is what all its conversations
share. Nothing here talks to a server."""

import dataclasses


def essence(message: dict) -> dict:
    """What an answer and a listing say alike."""
    return {name: message[name] for name in ("content", "reasoning", "tool_calls", "tool_returns", "approvals") if message.get(name) is not None}


def key_of(message: dict) -> tuple[str, str, str]:
    """What a part of a stored message is known by, in answers, streams and listings."""
    return message["id"], message["message_type"], message["otid"]


@dataclasses.dataclass
class Waiting:
    """A call that waits, and the line that it adds to the memory if it is made."""

    id: str
    name: str
    line: str | None


@dataclasses.dataclass
class Place:
    conversation: str = ""  # "": the agent's default one
    said: list[str] = dataclasses.field(default_factory=list)  # marks of the inputs in the history, oldest first
    unsure: list[str] = dataclasses.field(default_factory=list)  # marks of requests whose outcome nobody has heard
    window: list[str] = dataclasses.field(default_factory=list)  # ids of messages
    told: dict[tuple[str, str, str], dict] = dataclasses.field(default_factory=dict)  # what an answer has shown
    waits: list[Waiting] = dataclasses.field(default_factory=list)
    parked: list[str] = dataclasses.field(default_factory=list)  # lines of calls that are made along with those that wait
    decided: dict | None = None  # the newest decision, if nothing came behind it
    undo: list[list[str]] = dataclasses.field(default_factory=list)  # windows before compactions, while they can come back
    by_hand: bool = False  # a client has put the window together: the next message closes calls that it parted
    orphans: bool = False  # ... and returns that it parted stay in the window, where they are sent to nobody

    def mended(self, window: str) -> str:
        """What a turn, good or bad, leaves of a window that would else be `window`: calls that were parted are closed by then."""
        was, self.by_hand = self.by_hand, False
        return "mended" if was and window in ("grown", "same") else window

    def forget_edits(self):
        self.undo, self.decided = [], None

    def hears(self, mark: str):
        self.said.append(mark)

    def check_said(self, listed: list[str]):
        """`listed`: the marks in the history. Settles what was unsure."""
        certain = [mark for mark in listed if mark not in self.unsure]
        assert certain == self.said, f"said and listed differ: {self.said} {listed}"
        assert len(set(listed)) == len(listed), f"said once and listed twice: {listed}"
        self.said, self.unsure = listed, []


@dataclasses.dataclass
class Agent:
    lines: list[str] = dataclasses.field(default_factory=list)  # of the human block; one twice if forks have shared its call
    unsure_lines: list[str] = dataclasses.field(default_factory=list)
    persona: list[str] = dataclasses.field(default_factory=lambda: ["Ada"])  # values that the block may have
    system: list[str] = dataclasses.field(default_factory=lambda: ["Be brief."])

    def check_lines(self, value: str, made: set[str]):
        """`value`: the human block; `made`: lines whose calls are stored as successful."""
        lines = value.split("\n") if value else []
        fresh = lines[len(self.lines):]
        assert lines[:len(self.lines)] == self.lines, f"memory is {lines}, should be {self.lines}"
        assert fresh == [line for line in self.unsure_lines if line in fresh], f"memory is {lines}, should be {self.lines} and some of {self.unsure_lines}"
        for line in self.unsure_lines:
            assert (line in fresh) == (line in made), f"{line}: memory and history disagree"
        self.lines, self.unsure_lines = lines, []

    @staticmethod
    def settle(possible: list[str], value: str):
        """One of the values that an unheard write leaves possible; the others are out of the question then."""
        assert value in possible, f"{value!r} is none of {possible}"
        possible[:] = [value]
