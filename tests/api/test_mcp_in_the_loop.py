"""Agents that use the tools of MCP servers in a turn: answers, failures, approval, headers of an agent's own, a cancel and a
crash while the server is silent."""

import json
import threading

import pytest
import stele

names = iter(range(10_000))
OPTIONS = ["--tools-mcp-private", "true", "--tools-mcp-connect-seconds", "5", "--tools-mcp-list-seconds", "5", "--tools-mcp-call-seconds", "30"]


@pytest.fixture(scope="module")
def open_server(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("mcp_loop"), model.environment(), OPTIONS).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def api(open_server):
    return open_server.http(2)


def connect(api, url, **config):
    """Ids of the tools that a new server offers, by their names there."""
    made = api.post("/v1/mcp-servers/", {"server_name": f"loop{next(names)}", "config": {"mcp_server_type": "streamable_http", "server_url": url, **config}})
    return {tool["metadata_"]["mcp"]["tool_name"]: tool for tool in api.get(f"/v1/mcp-servers/{made['id']}/tools")}


def agent_with(api, *tools, **more):
    return api.post("/v1/agents", {"tool_ids": [tool["id"] for tool in tools], "include_base_tools": False, **more})["id"]


def call(tool, **arguments):
    return f"@call {tool['name']} {json.dumps(arguments)}"


def say(api, agent, text, **more):
    return api.post(f"/v1/agents/{agent}/messages", {"input": text, **more})


def returns(answer):
    messages = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    return [(each["status"], each["tool_return"]) for m in messages for each in m["tool_returns"]]


def test_what_a_server_answers_is_the_return(api, peer, model):
    tools = connect(api, peer().url)
    agent = agent_with(api, tools["echo"], tools["add"], tools["create_person"])
    assert returns(say(api, agent, call(tools["echo"], message="hej"))) == [("success", "Echo: hej")]
    assert returns(say(api, agent, call(tools["add"], a=40, b=60))) == [("success", "Result: 100.0")]
    person = {"name": "Ada", "age": 36, "address": {"city": "London", "zip": None}}
    [(status, text)] = returns(say(api, agent, call(tools["create_person"], person=person)))
    assert status == "success" and json.loads(text) == person
    offered = model.requests()[-1]["tools"]
    assert {each["function"]["name"] for each in offered} == {tools[name]["name"] for name in ("echo", "add", "create_person")}
    assert "mcp:" not in json.dumps(offered) and "request_heartbeat" not in json.dumps(offered)


def test_several_calls_of_one_answer_come_back_in_order(api, peer):
    tools = connect(api, peer().url)
    agent = agent_with(api, tools["echo"], tools["reverse_string"], include_base_tool_rules=False, model_settings={"provider_type": "openai", "parallel_tool_calls": True})
    words = "\n".join([call(tools["echo"], message="one"), call(tools["reverse_string"], text="two"), call(tools["echo"], message="three")])
    assert returns(say(api, agent, words)) == [("success", "Echo: one"), ("success", "Reversed: owt"), ("success", "Echo: three")]


def test_a_tool_that_fails_and_a_server_that_is_broken_are_error_returns(api, peer):
    server = peer()
    tools = connect(api, server.url)
    agent = agent_with(api, tools["fails"], tools["echo"])
    assert returns(say(api, agent, call(tools["fails"]))) == [("error", "it went wrong")]
    server.before = lambda *_: b"HTTP/1.1 nonsense\r\n\r\n"
    answer = say(api, agent, call(tools["echo"], message="hej"))
    assert returns(answer)[0][0] == "error" and answer["stop_reason"]["stop_reason"] == "end_turn"


def test_a_call_that_needs_approval_is_made_when_it_is_approved(api, peer):
    server = peer()
    tools = connect(api, server.url)
    rule = {"type": "requires_approval", "tool_name": tools["echo"]["name"]}
    agent = agent_with(api, tools["echo"], tool_rules=[rule])
    asked = say(api, agent, call(tools["echo"], message="may I?"))
    assert asked["stop_reason"]["stop_reason"] == "requires_approval" and "tools/call" not in server.methods()
    [request] = [m for m in asked["messages"] if m["message_type"] == "approval_request_message"]
    decision = {"type": "approval", "approve": True, "tool_call_id": request["tool_call"]["tool_call_id"]}
    answer = api.post(f"/v1/agents/{agent}/messages", {"messages": [{"type": "approval", "approvals": [decision]}]})
    assert returns(answer) == [("success", "Echo: may I?")] and server.methods().count("tools/call") == 1


def test_a_header_takes_the_secret_of_the_agent_that_calls(api, peer):
    server = peer()
    tools = connect(api, server.url, custom_headers={"X-Own": "{{ OWN_KEY | nobody }}"})
    for secrets, sent in (({"OWN_KEY": "of-ada"}, "of-ada"), ({}, "nobody")):
        agent = agent_with(api, tools["echo"], secrets=secrets)
        say(api, agent, call(tools["echo"], message="hej"))
        assert server.headers_of("tools/call")["X-Own"] == sent


def test_a_silent_server_is_left_when_the_run_is_cancelled(api, peer):
    release = threading.Event()
    server = peer(before=lambda method, _: release.wait(60) and None if method == "tools/call" else None)
    tools = connect(api, server.url)
    agent = agent_with(api, tools["echo"])
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": call(tools["echo"], message="hej")})
    stele.wait_until(lambda: "tools/call" in server.methods())
    api.post(f"/v1/agents/{agent}/messages/cancel", {"run_ids": [run["id"]]})
    stele.wait_until(lambda: api.get(f"/v1/runs/{run['id']}")["status"] == "cancelled")
    release.set()
    [told] = [m for m in api.get(f"/v1/agents/{agent}/messages") if m["message_type"] == "tool_return_message"]
    assert told["status"] == "error" and "cut off" in told["tool_return"]
    assert returns(say(api, agent, call(tools["echo"], message="again"))) == [("success", "Echo: again")]


def test_a_call_that_a_crash_cut_off_is_not_made_again(own_server, model, peer):
    release = threading.Event()
    server = peer(before=lambda method, _: release.wait(60) and None if method == "tools/call" else None)
    own = own_server(model.environment(), OPTIONS).start()
    api = own.http(2)
    tools = connect(api, server.url)
    agent = agent_with(api, tools["echo"])
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": call(tools["echo"], message="hej")})
    stele.wait_until(lambda: "tools/call" in server.methods())
    own.kill()
    release.set()
    api = own.start().http(2)
    assert api.get(f"/v1/runs/{run['id']}")["status"] == "failed"
    [told] = [m for m in api.get(f"/v1/agents/{agent}/messages") if m["message_type"] == "tool_return_message"]
    assert told["status"] == "error" and "not known" in told["tool_return"]
    say(api, agent, "@say fine")
    assert server.methods().count("tools/call") == 1
    assert own.stop() == 0
