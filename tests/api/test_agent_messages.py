"""Agents that speak to one another: what each of them sees, chains and circles that end, and nobody who is left locked."""

import concurrent.futures
import json

import pytest
import stele
from scripted_model import ScriptedModel, wait, whole

ASK, TELL, BROADCAST = ("send_message_to_agent_and_wait_for_reply", "send_message_to_agent_async",
                        "send_message_to_agents_matching_tags")


@pytest.fixture
def api(server):
    return server.http(2)


def make(api, name=None, **more):
    body = {"include_multi_agent_tools": True, "include_base_tools": False, **more}
    return api.post("/v1/agents?include=agent.tools", {**body, "name": name} if name else body)


def call(tool, **arguments):
    return f"@call {tool} {json.dumps(arguments)}"


def ask(agent, message):
    return call(ASK, other_agent_id=agent["id"], message=message)


def say(api, agent, text, **more):
    return api.post(f"/v1/agents/{agent['id']}/messages", {"input": text, **more})


def returns(answer):
    return [(m["status"], m["tool_return"]) for m in answer["messages"] if m["message_type"] == "tool_return_message"]


def history(api, agent, kind=None):
    messages = api.get(f"/v1/agents/{agent['id']}/messages?order=asc&limit=1000")
    return [m for m in messages if kind in (None, m["message_type"])]


def test_the_tools_come_when_they_are_asked_for(api):
    assert [t["name"] for t in make(api)["tools"]] == [ASK, BROADCAST, TELL]
    assert {t["tool_type"] for t in make(api)["tools"]} == {"letta_multi_agent_core"}
    assert make(api, include_multi_agent_tools=False)["tools"] == []
    async_rule = {"tool_name": TELL, "type": "exit_loop"}
    ruled = api.post("/v1/agents", {"agent_type": "memgpt_agent", "include_multi_agent_tools": True})["tool_rules"]
    assert async_rule in [{k: r[k] for k in async_rule} for r in ruled]


def test_an_answer_comes_back_as_the_return_of_the_call(api):
    ada, bob = make(api, "Ada"), make(api, "Bob")
    answer = say(api, ada, ask(bob, "@say it's a\\b\n@reason none"))
    [(status, text)] = returns(answer)
    assert status == "success"
    assert f"{{'agent_id': '{bob['id']}', 'response': ['it\\'s a\\\\b']}}" == text
    [heard] = [m for m in history(api, bob, "system_message")[1:]]
    assert "@say it's" in heard["content"] and "Ada" in heard["content"] and ada["id"] in heard["content"]
    assert heard["sender_id"] == ada["id"]
    [run] = api.get(f"/v1/runs?agent_id={bob['id']}")
    assert run["status"] == "completed"


def test_an_agent_that_speaks_by_tool_is_understood(api):
    ada, bob = make(api), make(api, agent_type="memgpt_v2_agent", include_base_tools=True)
    [(status, text)] = returns(say(api, ada, ask(bob, "@say spoken")))
    assert (status, text) == ("success", f"{{'agent_id': '{bob['id']}', 'response': ['spoken']}}")


def test_silence_is_told_as_silence(api):
    rule = {"type": "exit_loop", "tool_name": "memory_finish_edits"}
    ada, bob = make(api), make(api, tools=["memory_finish_edits"], tool_rules=[rule])
    [(status, text)] = returns(say(api, ada, ask(bob, call("memory_finish_edits"))))
    assert (status, text) == ("success", f"{{'agent_id': '{bob['id']}', 'response': ['<no response>']}}")


@pytest.mark.parametrize("other, told", [("agent-" + stele.GONE, "not found"), ("nobody", "no id of an agent")])
def test_an_unknown_agent_is_an_error_return(api, other, told):
    ada = make(api)
    for tool in (ASK, TELL):
        [(status, text)] = returns(say(api, ada, call(tool, other_agent_id=other, message="hello")))
        assert status == "error" and told in text


def test_a_receiver_whose_model_fails_is_an_error_return_and_works_on(api):
    ada, bob = make(api), make(api)
    [(status, text)] = returns(say(api, ada, ask(bob, "@fail 400")))
    assert status == "error" and bob["id"] in text and "did not finish" in text
    assert returns(say(api, ada, ask(bob, "@say back")))[0][0] == "success"


def test_a_receiver_that_waits_for_a_person_is_not_waited_for(api):
    rule = {"type": "requires_approval", "tool_name": "memory_insert"}
    bob = make(api, include_base_tools=True, tool_rules=[rule], memory_blocks=[{"label": "human", "value": ""}])
    ada = make(api)
    [(status, text)] = returns(say(api, ada, ask(bob, call("memory_insert", label="human", new_string="x"))))
    assert "approval" in text, (status, text)
    [(status, text)] = returns(say(api, ada, ask(bob, "again")))
    assert status == "error" and "approval" in text


def test_a_message_that_nobody_waits_for(api):
    ada, bob = make(api, "Ada"), make(api)
    answer = say(api, ada, call(TELL, other_agent_id=bob["id"], message="@say heard"))
    assert returns(answer)[0][0] == "success"
    wait(lambda: history(api, bob, "assistant_message"))
    assert history(api, bob, "assistant_message")[0]["content"] == "heard"
    assert "does not wait" in history(api, bob, "system_message")[1]["content"]


def test_a_broadcast_reaches_those_whose_tags_fit(api):
    tag, other = stele.GONE + "-all", stele.GONE + "-some"
    ada = make(api, tags=[tag, other])
    fitting = [make(api, tags=[tag, other]), make(api, tags=[tag, other, "x"], hidden=True)]
    not_fitting = [make(api, tags=[tag]), make(api, tags=[other])]
    failing = make(api, tags=[tag, other], model="openai/mock-refusing")
    [(status, text)] = returns(say(api, ada, call(BROADCAST, message="@say here", match_all=[tag], match_some=[other, "z"])))
    assert status == "success"
    for agent in fitting:
        assert f"{{'agent_id': '{agent['id']}', 'response': ['here']}}" in text
    assert f"'agent_id': '{failing['id']}', 'response': ['<no response>'], 'error': " in text
    assert text.count("'agent_id'") == 3
    assert all(len(history(api, agent)) == 1 for agent in not_fitting)
    [(status, text)] = returns(say(api, ada, call(BROADCAST, message="x", match_all=[], match_some=[])))
    assert status == "error" and "match_some" in text
    assert returns(say(api, ada, call(BROADCAST, message="x", match_all=["nobody has it"], match_some=[]))) == [("success", "[]")]


def test_an_agent_that_asks_itself_gets_an_error(api):
    ada = make(api)
    [(status, text)] = returns(say(api, ada, ask(ada, "hello me")))
    assert status == "error" and "of its own" in text


def test_a_circle_of_questions_ends_with_an_error(api):
    ada, bob, eve = make(api), make(api), make(api)
    answer = say(api, ada, ask(bob, ask(eve, ask(ada, "are you there?"))))
    [(status, _)] = returns(answer)
    assert status == "success"
    [refused] = history(api, eve, "tool_return_message")
    assert refused["status"] == "error" and "waits for an answer" in refused["tool_return"]
    for agent in (ada, bob, eve):
        assert say(api, agent, "@say free")["stop_reason"]["stop_reason"] == "end_turn"


def test_an_agent_may_tell_one_that_waits_for_it(api):
    """It is heard once the waiting is over."""
    ada, bob = make(api), make(api)
    answer = say(api, ada, ask(bob, call(TELL, other_agent_id=ada["id"], message="@say later")))
    assert returns(answer)[0][0] == "success"
    wait(lambda: any(m["content"] == "later" for m in history(api, ada, "assistant_message")))


@pytest.mark.parametrize("tool", [ASK, TELL])
def test_a_chain_of_messages_is_no_longer_than_allowed(api, own_server, tool):
    """Each agent passes whatever it hears on to the next, for ever if it could."""
    mock = ScriptedModel()
    own = own_server({"OPENAI_BASE_URL": mock.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}).start()
    api = own.http(2)
    agents = [make(api) for _ in range(8)]

    def pass_on(connection, request):
        ids = [a["id"] for a in agents]
        own_id = next(i for i in ids if f"AGENT_ID: {i}" in request["messages"][0]["content"])
        other = ids[(ids.index(own_id) + 1) % len(ids)]
        arguments = json.dumps({"other_agent_id": other, "message": "pass it on"})
        if request["messages"][-1]["role"] == "tool":
            connection.sendall(whole({"content": "passed on"}))
        else:
            connection.sendall(whole({"tool_calls": [{"id": "c", "type": "function", "function": {"name": tool, "arguments": arguments}}]}, "tool_calls"))

    mock.answer_with(*[pass_on] * 40)
    say(api, agents[0], "begin")
    wait(lambda: len(api.get("/v1/runs?limit=100")) == 6 and all(r["status"] == "completed" for r in api.get("/v1/runs?limit=100")))
    refusals = [m for a in agents for m in history(api, a, "tool_return_message") if m["status"] == "error"]
    assert len(refusals) == 1 and "no chain may be longer" in refusals[0]["tool_return"]
    assert own.stop() == 0
    mock.stop()


def test_questions_that_cross_do_not_lock_anybody(api, own_server):
    """Both are asked at once to ask the other. At most one of the two waits can stand; whoever is refused goes on."""
    mock = ScriptedModel()
    own = own_server({"OPENAI_BASE_URL": mock.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}).start()
    api = own.http(2)
    pair = [make(api), make(api)]

    def cross(connection, request):
        me, other = [a["id"] for a in pair][:: 1 if f"AGENT_ID: {pair[0]['id']}" in request["messages"][0]["content"] else -1]
        last = request["messages"][-1]
        if last["role"] == "user" and last["content"] == "cross":
            wait(lambda: len([r for r in mock.requests if r["messages"][-1]["content"] == "cross"]) == 2)
            arguments = json.dumps({"other_agent_id": other, "message": "hello"})
            connection.sendall(whole({"tool_calls": [{"id": "c", "type": "function", "function": {"name": ASK, "arguments": arguments}}]}, "tool_calls"))
        else:
            connection.sendall(whole({"content": "hello from " + me}))

    mock.answer_with(*[cross] * 20)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda agent: say(api, agent, "cross"), pair))
    assert sorted(status for answer in answers for status, _ in returns(answer)) == ["error", "success"]
    assert {r["status"] for r in api.get("/v1/runs")} == {"completed"} and len(api.get("/v1/runs")) == 3
    assert own.stop() == 0
    mock.stop()


def test_who_is_cancelled_takes_along_those_it_waits_for(api):
    """Each of the chain is free again, however deep the one is that works."""
    ada, bob, eve = make(api), make(api), make(api, model="openai/mock-held")
    begun = api.post(f"/v1/agents/{ada['id']}/messages/async", {"input": ask(bob, ask(eve, "held"))})
    wait(lambda: [r for r in api.get(f"/v1/runs?agent_id={eve['id']}") if r["status"] == "running"])
    api.post(f"/v1/agents/{ada['id']}/messages/cancel", {"run_ids": [begun["id"]]})
    for agent in (ada, bob, eve):
        wait(lambda: [r["status"] for r in api.get(f"/v1/runs?agent_id={agent['id']}")] == ["cancelled"])
        api.patch(f"/v1/agents/{agent['id']}", {"model": "openai/mock-small"})
        assert say(api, agent, "@say free")["stop_reason"]["stop_reason"] == "end_turn"


def test_a_cancelled_receiver_is_an_error_return(api):
    ada, eve = make(api), make(api, model="openai/mock-held")
    begun = api.post(f"/v1/agents/{ada['id']}/messages/async", {"input": ask(eve, "held")})
    wait(lambda: [r for r in api.get(f"/v1/runs?agent_id={eve['id']}") if r["status"] == "running"])
    api.post(f"/v1/agents/{eve['id']}/messages/cancel")
    wait(lambda: api.get(f"/v1/runs/{begun['id']}")["status"] == "completed")
    [told] = history(api, ada, "tool_return_message")
    assert told["status"] == "error" and "was cancelled" in told["tool_return"]


def test_a_message_that_nobody_waits_for_outlives_its_sender(api):
    ada, eve = make(api), make(api, model="openai/mock-held")
    say(api, ada, call(TELL, other_agent_id=eve["id"], message="held"))
    wait(lambda: [r for r in api.get(f"/v1/runs?agent_id={eve['id']}") if r["status"] == "running"])
    api.delete(f"/v1/agents/{ada['id']}")
    [run] = api.get(f"/v1/runs?agent_id={eve['id']}")
    assert run["status"] == "running"
    api.post(f"/v1/agents/{eve['id']}/messages/cancel")
