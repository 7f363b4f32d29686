"""What the three big providers demand of a history: every call answered, by their own rules of place, number and name.

A history is a list of `Turn`s, in no provider's terms: one for each message on a chat-completions wire, where each return of
a call is a turn of its own. Each validator gives the list of what is wrong, in words; an empty one is a good history. Sources:
OpenAI's reference of chat completions ("an assistant message with tool_calls must be followed by tool messages responding to
each tool_call_id"), Anthropic's of tool use ("tool_result blocks must immediately follow their tool_use blocks, and come first
in the content"; ids match ^[a-zA-Z0-9_-]+$ and are unique), Google's of function calling ("the number of function response
parts equals the number of function call parts", and a call comes right after a user turn or a response)."""

import dataclasses
import json
import re

ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]+")


@dataclasses.dataclass
class Call:
    id: str
    name: str


@dataclasses.dataclass
class Turn:
    role: str  # system, user, assistant, tool
    text: str = ""
    calls: list[Call] = dataclasses.field(default_factory=list)  # of an assistant
    answers: str = ""  # of a tool: the id of the call that it returns


def from_chat(request: dict) -> list[Turn]:
    """The messages of a chat-completions request."""
    return [turn_of(message) for message in request["messages"]]


def turn_of(message: dict) -> Turn:
    content = message.get("content") or ""
    text = content if isinstance(content, str) else " ".join(part.get("text", "[image]") for part in content)
    calls = [Call(call["id"], call["function"]["name"]) for call in message.get("tool_calls") or []]
    role = "system" if message["role"] == "developer" else message["role"]
    return Turn(role, text, calls, message.get("tool_call_id", ""))


def from_stored(messages: list[dict]) -> list[Turn]:
    """A window as /context shows it, as it is told to a provider: a request for approval is the rest of the answer in front of
    it, a decision is told by the returns behind it; these come in the order of their calls, and an id that a model has given
    to two calls is made two."""
    turns, step, uses, open_calls = [], None, {}, {}
    for message in messages:
        role, asked = message["role"], []
        own = {}  # of each id of this message, the one that is sent
        for call in message.get("tool_calls") or []:
            uses[call["id"]] = use = uses.get(call["id"], 0) + 1
            own[call["id"]] = call["id"] if use == 1 else f"{call['id']}-{use}"
            asked.append(Call(own[call["id"]], call["function"]["name"]))
        if role == "tool":
            order = list(open_calls)
            for each in sorted(message["tool_returns"], key=lambda each: order.index(each["tool_call_id"]) if each["tool_call_id"] in order else len(order)):
                turns.append(Turn("tool", each.get("func_response") or "-", [], open_calls.get(each["tool_call_id"], each["tool_call_id"])))
        elif role == "approval" and not asked:
            continue
        elif role == "approval" and turns and turns[-1].role == "assistant" and step == message["step_id"] is not None:
            turns[-1].calls += asked
            open_calls |= own
        else:
            text = " ".join(part.get("text") or "" for part in message.get("content") or [])
            turns.append(Turn({"summary": "user", "approval": "assistant"}.get(role, role), text, asked))
            open_calls = own
        step = message["step_id"]
    return turns


def waiting(turns: list[Turn]) -> list[Call]:
    """The calls of the last answer, if nothing stands behind it."""
    return turns[-1].calls if turns else []


def openai(turns: list[Turn]) -> list[str]:
    """Every assistant's calls are followed directly by their tool messages, each exactly once; nothing returns unasked."""
    wrong, open_calls = [], []
    for place, turn in enumerate(turns):
        if turn.role == "tool":
            if turn.answers in open_calls:
                open_calls.remove(turn.answers)
            else:
                wrong.append(f"{place}: a tool message for {turn.answers!r}, which is not open")
            continue
        if open_calls:
            wrong.append(f"{place}: {turn.role} stands before the returns of {open_calls}")
        open_calls = [call.id for call in turn.calls]
        if len(set(open_calls)) < len(open_calls):
            wrong.append(f"{place}: an id twice in one answer: {open_calls}")
        if turn.role == "assistant" and not turn.text and not turn.calls:
            wrong.append(f"{place}: an assistant message with neither content nor calls")
        if any(not call.id or not call.name for call in turn.calls):
            wrong.append(f"{place}: a call without id or name")
    if open_calls:
        wrong.append(f"the end: no returns of {open_calls}")
    return wrong


def without_orphans(turns: list[Turn]) -> list[Turn]:
    """What is left of a window when returns whose calls do not stand before them are left out, and answers that were only thought."""
    kept, open_calls = [], []
    for turn in turns:
        if turn.role != "tool":
            open_calls = [call.id for call in turn.calls]
        elif turn.answers in open_calls:
            open_calls.remove(turn.answers)
        else:
            continue
        if turn.role != "assistant" or turn.text or turn.calls:
            kept.append(turn)
    return kept


@dataclasses.dataclass
class Side:
    """Neighbours of one side merged, as Anthropic's and Google's adapters send them."""

    user: bool
    texts: list[str]
    calls: list[Call]
    returns: list[str]  # ids
    returns_first: bool = True


def sides(turns: list[Turn]) -> list[Side]:
    """Without the system message, which both take apart from the rest; a later one becomes a user's words."""
    merged: list[Side] = []
    for turn in turns[1:] if turns and turns[0].role == "system" else turns:
        user = turn.role != "assistant"
        if not merged or merged[-1].user != user:
            merged.append(Side(user, [], [], []))
        side = merged[-1]
        if turn.role == "tool":
            side.returns_first = side.returns_first and not side.texts
            side.returns.append(turn.answers)
        elif turn.text or user:
            side.texts.append(turn.text)
        side.calls += turn.calls
    return merged


def first_is_user(merged: list[Side]) -> list[str]:
    return ["the start: the first turn is not the user's"] if not merged or not merged[0].user else []


def anthropic(turns: list[Turn]) -> list[str]:
    """Roles alternate; the tool_use blocks of a turn are answered in the very next one, first, each once, by unique ids."""
    merged, seen = sides(turns), set()
    wrong = first_is_user(merged)
    asked: list[str] = []
    for place, side in enumerate(merged):
        if side.user:
            if sorted(side.returns) != sorted(asked):
                wrong.append(f"turn {place}: results of {side.returns} for uses {asked}")
            if not side.returns_first:
                wrong.append(f"turn {place}: text stands before a result")
            if any(not text.strip() for text in side.texts):
                wrong.append(f"turn {place}: a text block is empty")
        asked = [call.id for call in side.calls]
        for call in side.calls:
            if call.id in seen:
                wrong.append(f"turn {place}: the id {call.id!r} came before")
            if not ANTHROPIC_ID.fullmatch(call.id):
                wrong.append(f"turn {place}: {call.id!r} is no id")
            seen.add(call.id)
    if asked:
        wrong.append(f"the end: no results of {asked}")
    return wrong


def gemini(turns: list[Turn]) -> list[str]:
    """The user begins; the calls of a turn are answered one to one, by name and in order, in the very next one."""
    merged = sides(turns)
    wrong = first_is_user(merged)
    asked: list[Call] = []
    for place, side in enumerate(merged):
        if side.user:
            left, names = list(asked), []
            for each in side.returns:  # a response has no id of its own: it has the name of the call that its id means
                call = next((call for call in left if call.id == each), None)
                names.append(call.name if call else "?")
                if call:
                    left.remove(call)
            if names != [call.name for call in asked]:
                wrong.append(f"content {place}: responses {names} to calls {[call.name for call in asked]}")
        asked = side.calls
    if asked:
        wrong.append(f"the end: no responses to {[call.name for call in asked]}")
    return wrong


VALIDATORS = {"OpenAI": openai, "Anthropic": anthropic, "Gemini": gemini}


def check(turns: list[Turn], where: str):
    """Fails with what any of the three would refuse."""
    wrong = [f"{name}: {each}" for name, validate in VALIDATORS.items() for each in validate(turns)]
    if wrong:
        shown = "\n".join(json.dumps(dataclasses.asdict(turn))[:200] for turn in turns)
        raise AssertionError(f"{where}: no provider-proof history\n" + "\n".join(wrong) + "\n" + shown)
