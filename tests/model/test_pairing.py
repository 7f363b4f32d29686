"""The validators themselves: good histories pass all three, and each rule has a history that breaks it."""

import pytest
from pairing import VALIDATORS, Call, Turn, from_chat, from_stored, waiting, without_orphans

SYSTEM, USER, FINE = Turn("system", "be brief"), Turn("user", "hi"), Turn("assistant", "fine")


def asks(*calls, text=""):
    """`calls` as "id:name"."""
    return Turn("assistant", text, [Call(*call.split(":")) for call in calls])


def tells(call_id):
    return Turn("tool", "42", [], call_id)


GOOD = {
    "talk": [SYSTEM, USER, FINE],
    "a call": [SYSTEM, USER, asks("a:add"), tells("a"), FINE],
    "a call with words": [USER, asks("a:add", text="let me see"), tells("a"), FINE, USER],
    "two calls": [USER, asks("a:add", "b:sub"), tells("a"), tells("b"), FINE],
    "a call upon a call": [USER, asks("a:add"), tells("a"), asks("b:add"), tells("b"), USER, FINE],
    "two users": [USER, USER, FINE, USER],
    "an answer in two": [USER, FINE, FINE, USER],
    "a later system message": [SYSTEM, USER, FINE, SYSTEM, USER],
}

# What is wrong, and who says so.
BAD = [
    ("no return", [USER, asks("a:add"), USER], {"OpenAI", "Anthropic", "Gemini"}),
    ("no return at the end", [USER, asks("a:add")], {"OpenAI", "Anthropic", "Gemini"}),
    ("one of two returns", [USER, asks("a:add", "b:sub"), tells("a"), USER], {"OpenAI", "Anthropic", "Gemini"}),
    ("an orphan", [USER, tells("a"), FINE], {"OpenAI", "Anthropic", "Gemini"}),
    ("an orphan behind good ones", [USER, asks("a:add"), tells("a"), tells("b"), FINE], {"OpenAI", "Anthropic", "Gemini"}),
    ("a return twice", [USER, asks("a:add"), tells("a"), tells("a"), FINE], {"OpenAI", "Anthropic", "Gemini"}),
    ("words before the return", [USER, asks("a:add"), USER, tells("a"), FINE], {"OpenAI", "Anthropic"}),
    ("an answer before the return", [USER, asks("a:add"), FINE, tells("a")], {"OpenAI"}),
    ("a return two turns later", [USER, asks("a:add"), USER, FINE, tells("a")], {"OpenAI", "Anthropic", "Gemini"}),
    ("an id twice in an answer", [USER, asks("a:add", "a:add"), tells("a"), tells("a"), FINE], {"OpenAI", "Anthropic"}),
    ("an id twice in a history", [USER, asks("a:add"), tells("a"), asks("a:add"), tells("a"), FINE], {"Anthropic"}),
    ("an id with a space", [USER, asks("a b:add"), tells("a b"), FINE], {"Anthropic"}),
    ("returns out of order", [USER, asks("a:add", "b:sub"), tells("b"), tells("a"), FINE], {"Gemini"}),
    ("an agent that begins", [SYSTEM, FINE, USER], {"Anthropic", "Gemini"}),
    ("nothing", [SYSTEM], {"Anthropic", "Gemini"}),
    ("an answer of nothing", [USER, Turn("assistant"), USER], {"OpenAI"}),
    ("a question of nothing", [USER, FINE, Turn("user", " ")], {"Anthropic"}),
    ("a call without a name", [USER, asks("a:"), tells("a"), FINE], {"OpenAI"}),
]


@pytest.mark.parametrize("name", GOOD)
def test_good_histories_pass(name):
    assert {who: validate(GOOD[name]) for who, validate in VALIDATORS.items()} == {who: [] for who in VALIDATORS}


@pytest.mark.parametrize("history, refused_by", [(history, by) for _, history, by in BAD], ids=[name for name, _, _ in BAD])
def test_bad_histories_are_refused(history, refused_by):
    assert {who for who, validate in VALIDATORS.items() if validate(history)} == refused_by


def test_what_is_sent_to_nobody_is_left_out():
    parted = [SYSTEM, tells("b"), USER, asks("a:add"), tells("a"), tells("a"), tells("b"), Turn("assistant"), FINE]
    assert without_orphans(parted) == [SYSTEM, USER, asks("a:add"), tells("a"), FINE]
    assert without_orphans([USER, asks("a:add"), USER, tells("a")]) == [USER, asks("a:add"), USER], "a call is not left out with its return"


def test_a_chat_request_is_read():
    turns = from_chat({"messages": [
        {"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "3"}]})
    assert turns == [Turn("system", "s"), Turn("user", "hi [image]"), asks("a:add"), Turn("tool", "3", [], "a")]


def test_a_stored_window_is_read():
    def stored(role, step, **more):
        return {"role": role, "step_id": step, **more}

    def call(name):
        return {"id": name, "function": {"name": "add"}}

    again = from_stored([stored("assistant", "s1", content=[], tool_calls=[call("a")]), stored("tool", "s1", tool_returns=[{"tool_call_id": "a"}])] * 2)
    assert [turn.answers or turn.calls[0].id for turn in again] == ["a", "a", "a-2", "a-2"], "an id that comes again is sent as another"
    turns = from_stored([
        stored("summary", None, content=[{"text": "so far"}]), stored("assistant", "s1", content=[], tool_calls=[call("a")]),
        stored("approval", "s1", tool_calls=[call("b")]), stored("approval", None, tool_calls=None),
        stored("tool", "s1", tool_returns=[{"tool_call_id": "b", "func_response": "2"}, {"tool_call_id": "a", "func_response": "1"}]),
        stored("approval", "s2", content=[{"text": "may I?"}], tool_calls=[call("c")])])
    assert turns == [Turn("user", "so far"), asks("a:add", "b:add"), Turn("tool", "1", [], "a"), Turn("tool", "2", [], "b"),
                     asks("c:add", text="may I?")]
    assert waiting(turns) == [Call("c", "add")]
