"""Tool rules as the loop is held to them: what a model may be offered behind the calls of its turn. Nothing here talks to a server.

`made` is what has been called since the request came: tools, each with what it gave back. Calls that a rule refused are none of them."""

import json
import random

SEARCH, INSERT, SPEECH, CLIENT = "conversation_search", "memory_insert", "send_message", "get_place"
NOTHING = json.dumps({"message": "No messages match", "results": []}, separators=(",", ":"))  # what a search in vain gives back
PLACE = "Paris"  # what the client's tool gives back

ENDS = [{"type": "exit_loop", "tool_name": SEARCH}, {"type": "exit_loop", "tool_name": INSERT}]
OWED = {"type": "required_before_exit", "tool_name": SEARCH}
ONCE = {"type": "max_count_per_step", "tool_name": INSERT, "max_count_limit": 1}
FIRST = {"type": "run_first", "tool_name": SEARCH}
SPEECH_ENDS = {"type": "exit_loop", "tool_name": SPEECH}

ORDERING = ("run_first", "constrain_child_tools", "parent_last_tool", "conditional")  # they say what may follow what

Made = list[tuple[str, str]]


def choose(dice: random.Random, speaks_in_text: bool) -> list[dict]:
    """Rules about the calls of a turn, of which most agents have none."""
    luck = dice.random()
    if luck < 0.1:
        return [dice.choice([*ENDS, ONCE, OWED])]
    if luck > (0.25 if speaks_in_text else 0.5):  # the latter are few
        return []
    found = [one_about_order(dice, speaks_in_text) for _ in range(dice.choice([1, 1, 2]))]
    return found + ([dice.choice([*ENDS, ONCE])] if dice.random() < 0.25 else [])


def one_about_order(dice: random.Random, speaks_in_text: bool) -> dict:
    """Speech by tool is a call itself: it stays possible behind every other one."""
    own = dice.choice([SEARCH, INSERT])
    some = dice.choice([[SEARCH], [INSERT], [SEARCH, INSERT]])
    kind = dice.choice(["run_first"] * speaks_in_text + ["constrain_child_tools", "parent_last_tool", "conditional", "continue_loop"])
    if kind == "constrain_child_tools":
        return {"type": kind, "tool_name": own, "children": some if speaks_in_text else [*some, SPEECH]}
    if kind == "parent_last_tool":
        return {"type": kind, "tool_name": own, "children": some}
    if kind == "conditional" and not speaks_in_text:
        return {"type": kind, "tool_name": SEARCH, "child_output_mapping": {NOTHING: SPEECH}}
    if kind == "conditional":
        own, output = dice.choice([(SEARCH, NOTHING), (SEARCH, NOTHING), (CLIENT, PLACE)])
        return {"type": kind, "tool_name": own, "child_output_mapping": {output: dice.choice([SEARCH, INSERT])},
                "default_child": dice.choice([None, SEARCH, INSERT]), "require_output_mapping": dice.random() < 0.5}
    return {"type": kind, "tool_name": own}


def offered(rules: list[dict], made: Made, tools: list[str]) -> list[str]:
    """Those of `tools` that may be called now. What follows from the order of calls is let go where it leaves none."""
    left = [tool for tool in tools if not any(uses_up(rule, tool, made) for rule in rules)]
    first = [tool for tool in left if any(rule["type"] == "run_first" and rule["tool_name"] == tool for rule in rules)]
    if first and not made:
        return first
    return [tool for tool in left if may_follow(rules, made, tool)] or left


def uses_up(rule: dict, tool: str, made: Made) -> bool:
    return rule["type"] == "max_count_per_step" and rule["tool_name"] == tool and [name for name, _ in made].count(tool) >= rule["max_count_limit"]


def may_follow(rules: list[dict], made: Made, tool: str) -> bool:
    last, output = made[-1] if made else (None, None)
    parents = [rule["tool_name"] for rule in rules if rule["type"] == "parent_last_tool" and tool in rule["children"]]
    behind = [children for rule in rules if rule["tool_name"] == last and (children := children_behind(rule, output)) is not None]
    return (not parents or last in parents) and all(tool in children for children in behind)


def children_behind(rule: dict, output: str) -> list[str] | None:
    """What may follow the rule's tool that gave back `output`; None: anything."""
    if rule["type"] == "constrain_child_tools":
        return rule["children"]
    if rule["type"] != "conditional":
        return None
    child = rule["child_output_mapping"].get(output) or rule.get("default_child")
    return [child] if child else [] if rule.get("require_output_mapping") else None


def demands_call(rules: list[dict], made: Made) -> bool:
    """The model is made to call, at least by what it is sent."""
    if not made:
        return any(rule["type"] == "run_first" for rule in rules)
    return any(rule["tool_name"] == made[-1][0] and rule["type"] in ORDERING[1:] for rule in rules)


def goes_on(rules: list[dict], tool: str) -> bool:
    """The model is asked again behind a call of this tool, though it has not asked to be."""
    return any(rule["tool_name"] == tool and rule["type"] in (*ORDERING[1:], "continue_loop") for rule in rules)


# ---- what a model was sent ----

def made_in(rules: list[dict], turns: list[dict], before: Made, tools: list[str]) -> Made:
    """What had been called by then. `turns`: messages of a request, from those on that its turn has put there."""
    made, answers = list(before), {each["tool_call_id"]: each["content"] for each in turns if each["role"] == "tool"}
    for call in [call for each in turns for call in each.get("tool_calls") or []]:
        name = call["function"]["name"]
        if name in offered(rules, made, tools):
            made.append((name, output_of(answers[call["id"]])))
    return made


def output_of(told: str) -> str:
    """Of a tool, as a rule looks at it. `told`: what the model is told of it."""
    output = json.loads(told)["message"]
    return output if isinstance(output, str) else json.dumps(output, separators=(",", ":"))


def check_request(rules: list[dict], request: dict, made: Made, tools: list[str], speaks_in_text: bool):
    shown = [tool["function"]["name"] for tool in request.get("tools") or []]
    assert set(shown) == set(offered(rules, made, tools)), f"offered {shown} behind {made}, and should: {offered(rules, made, tools)}"
    forced = request.get("tool_choice", "auto") != "auto"
    assert not shown or forced == (not speaks_in_text or demands_call(rules, made)), f"tool_choice is {request.get('tool_choice')} behind {made}"
