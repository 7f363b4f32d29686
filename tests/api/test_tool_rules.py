"""Tool rules: what is refused when an agent is made or changed, and that every kind holds in a real turn."""

import json

import pytest
import stele

BAD = [
    ({"type": "no_such_rule", "tool_name": "x"}, "type"),
    ({"tool_name": "x"}, "type"),
    ({"type": "exit_loop"}, "tool_name"),
    ({"type": "run_first", "tool_name": "x", "args": [1]}, "args"),
    ({"type": "constrain_child_tools", "tool_name": "x"}, "children"),
    ({"type": "constrain_child_tools", "tool_name": "x", "children": "y"}, "children"),
    ({"type": "constrain_child_tools", "tool_name": "x", "children": ["y"], "child_arg_nodes": {}}, "child_arg_nodes"),
    ({"type": "constrain_child_tools", "tool_name": "x", "children": ["y"], "child_arg_nodes": [7]}, "child_arg_nodes.0"),
    ({"type": "constrain_child_tools", "tool_name": "x", "children": ["y"], "child_arg_nodes": [{"args": {}}]}, "child_arg_nodes.0.name"),
    ({"type": "constrain_child_tools", "tool_name": "x", "children": ["y"], "child_arg_nodes": [{"name": "z"}]}, "child_arg_nodes.0.name"),
    ({"type": "constrain_child_tools", "tool_name": "x", "children": ["y"], "child_arg_nodes": [{"name": "y", "args": "n"}]}, "child_arg_nodes.0.args"),
    ({"type": "parent_last_tool", "tool_name": "x"}, "children"),
    ({"type": "conditional", "tool_name": "x"}, "child_output_mapping"),
    ({"type": "conditional", "tool_name": "x", "child_output_mapping": {}}, "child_output_mapping"),
    ({"type": "conditional", "tool_name": "x", "child_output_mapping": ["y"]}, "child_output_mapping"),
    ({"type": "conditional", "tool_name": "x", "child_output_mapping": {"yes": 1}}, "child_output_mapping.yes"),
    ({"type": "conditional", "tool_name": "x", "child_output_mapping": {"yes": "y"}, "default_child": 7}, "default_child"),
    ({"type": "conditional", "tool_name": "x", "child_output_mapping": {"yes": "y"}, "require_output_mapping": "maybe"}, "require_output_mapping"),
    ({"type": "max_count_per_step", "tool_name": "x"}, "max_count_limit"),
    ({"type": "max_count_per_step", "tool_name": "x", "max_count_limit": -1}, "max_count_limit"),
    ({"type": "max_count_per_step", "tool_name": "x", "max_count_limit": "many"}, "max_count_limit"),
]
GOOD = [
    {"type": "run_first", "tool_name": "x", "args": {"n": 1}}, {"type": "run_first", "tool_name": "x", "args": None},
    {"type": "exit_loop", "tool_name": "x"}, {"type": "continue_loop", "tool_name": "x", "prompt_template": "ignored"},
    {"type": "constrain_child_tools", "tool_name": "x", "children": ["y"], "child_arg_nodes": [{"name": "y", "args": {"n": 1}}, {"name": "y"}]},
    {"type": "parent_last_tool", "tool_name": "x", "children": ["y"]},
    {"type": "conditional", "tool_name": "x", "child_output_mapping": {"yes": "y"}, "default_child": "z", "require_output_mapping": True},
    {"type": "max_count_per_step", "tool_name": "x", "max_count_limit": 2},
    {"type": "required_before_exit", "tool_name": "x"}, {"type": "requires_approval", "tool_name": "x"},
]


@pytest.fixture
def agent(server):
    return server.http(2).post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}]})


@pytest.mark.parametrize("rule, field", BAD, ids=lambda value: value if isinstance(value, str) else value.get("type", "none"))
def test_a_rule_that_makes_no_sense_is_refused_by_name(http, agent, rule, field):
    good = {"type": "exit_loop", "tool_name": "x"}
    for method, path in (("POST", "/v1/agents"), ("PATCH", f"/v1/agents/{agent['id']}")):
        with pytest.raises(stele.Refused) as refused:
            http.call(method, path, {"tool_rules": [good, rule]})
        assert refused.value.status == 422 and f"body.tool_rules.1.{field}" in refused.value.body["detail"]
    assert http.get(f"/v1/agents/{agent['id']}")["tool_rules"] == []


def test_every_kind_comes_back_as_it_was_sent(http, agent):
    made = http.post("/v1/agents", {"tool_rules": GOOD, "include_base_tool_rules": False})
    patched = http.patch(f"/v1/agents/{agent['id']}", {"tool_rules": GOOD})
    for state in (made, patched, http.get(f"/v1/agents/{agent['id']}")):
        assert [{name: found[name] for name in sent} for found, sent in zip(state["tool_rules"], GOOD)] == GOOD


SEARCH, INSERT = "conversation_search", "memory_insert"
ASK = f'@call {SEARCH} {{"query": "nothing like it"}}'


def offered(model):
    return [[tool["function"]["name"] for tool in request.get("tools", [])] for request in model.requests()]


# Rules, and the tools that the second request of the turn offers after one call of conversation_search.
SECOND = [
    ([{"type": "constrain_child_tools", "tool_name": SEARCH, "children": [INSERT]}], [INSERT]),
    ([{"type": "max_count_per_step", "tool_name": SEARCH, "max_count_limit": 1}], [INSERT, "memory_replace"]),
    ([{"type": "parent_last_tool", "tool_name": INSERT, "children": ["memory_replace"]}], [SEARCH, INSERT]),
    ([{"type": "parent_last_tool", "tool_name": INSERT, "children": ["memory_replace"]},
      {"type": "parent_last_tool", "tool_name": SEARCH, "children": ["memory_replace"]}], [SEARCH, INSERT, "memory_replace"]),
    ([{"type": "conditional", "tool_name": SEARCH, "child_output_mapping": {"yes": "memory_replace"}, "default_child": INSERT}], [INSERT]),
]


@pytest.mark.parametrize("rules, expected", SECOND)
def test_rules_narrow_what_the_next_request_offers(server, model, rules, expected):
    http = server.http(2)
    agent = http.post("/v1/agents", {"tool_rules": rules, "include_base_tool_rules": False})
    model.forget()
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": ASK, "max_steps": 2})
    assert offered(model)[1] == expected


def test_a_terminal_tool_ends_the_turn_only_once_what_is_required_was_called(server, model):
    http = server.http(2)
    agent = http.post("/v1/agents", {"include_base_tool_rules": False, "tool_rules": [
        {"type": "exit_loop", "tool_name": SEARCH}, {"type": "required_before_exit", "tool_name": INSERT}]})
    model.forget()
    answer = http.post(f"/v1/agents/{agent['id']}/messages", {"input": ASK, "max_steps": 2})
    assert answer["stop_reason"]["stop_reason"] == "max_steps", "the required tool is still owed"
    assert INSERT in json.dumps(model.requests()[1]["messages"][-1])
