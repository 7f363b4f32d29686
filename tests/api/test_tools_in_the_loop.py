"""Agents that call tools of their users in a turn: what the model reads, memory, secrets, failures, a cancel and a crash while
the tool works, several at once. The sandbox is the real one."""

import json

import pytest
import stele

ADD = '''def add(a: int, b: int) -> int:
    """Adds.

    Args:
        a: one
        b: the other
    """
    return a + b
'''
FAIL = '''def fail() -> str:
    """Fails."""
    print("so far so good")
    raise ValueError("no luck")
'''
SECRET = '''def secret() -> str:
    """Tells."""
    import os
    return os.environ["OWN_SECRET"] + " " + os.environ["LETTA_AGENT_ID"]
'''
REMEMBER = '''def remember(text: str, agent_state: "AgentState") -> str:
    """Remembers.

    Args:
        text: what
    """
    agent_state.memory.update_block_value("human", text)
    return "remembered"
'''
MEET = '''def meet(role: str) -> str:
    """Meets another call of its own.

    Args:
        role: host or guest
    """
    import socket, time
    door = socket.socket(socket.AF_UNIX)
    door.settimeout(20)
    if role == "host":
        door.bind("\\0meeting")
        door.listen()
        return door.accept()[0].recv(9).decode()
    until = time.monotonic() + 20
    while True:
        try:
            door.connect("\\0meeting")
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
    door.sendall(b"well met")
    return "met"
'''
SLEEP = '''def nap(seconds: int) -> str:
    """Sleeps.

    Args:
        seconds: how long
    """
    import time
    time.sleep(seconds)
    return "slept"
'''


@pytest.fixture
def api(walled):
    return walled.http(2)


def agent_with(api, *sources, tool=None, **more):
    ids = [api.post("/v1/tools", {"source_code": source, **(tool or {})})["id"] for source in sources]
    return api.post("/v1/agents", {"tool_ids": ids, "include_base_tools": False, "include_base_tool_rules": False, **more})["id"]


def say(api, agent, text):
    return api.post(f"/v1/agents/{agent}/messages", {"input": text})


def returns(answer):
    messages = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    return [(each["status"], each["tool_return"]) for m in messages for each in m["tool_returns"]]


def test_what_a_tool_returns_is_what_the_model_reads(api, model):
    agent = agent_with(api, ADD)
    assert returns(say(api, agent, '@call add {"a": 20, "b": 22}')) == [("success", "42")]
    told = [m for m in model.requests()[-1]["messages"] if m["role"] == "tool"]
    assert "42" in told[-1]["content"]


def test_a_tool_that_fails_tells_why_and_what_it_printed(api):
    agent = agent_with(api, FAIL)
    answer = say(api, agent, "@call fail {}")
    [(status, text)] = returns(answer)
    assert status == "error" and "ValueError: no luck" in text and answer["stop_reason"]["stop_reason"] == "end_turn"
    [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert told["stdout"] == ["so far so good\n"] and "Traceback" in told["stderr"][0]


def test_a_tool_sees_its_agents_secrets(api):
    agent = agent_with(api, SECRET, secrets={"OWN_SECRET": "swordfish"})
    assert returns(say(api, agent, "@call secret {}")) == [("success", f"swordfish {agent}")]


def test_what_a_tool_remembers_is_in_the_block_and_in_the_next_request(api, model):
    agent = agent_with(api, REMEMBER, memory_blocks=[{"label": "human", "value": ""}])
    assert returns(say(api, agent, '@call remember {"text": "likes tea"}')) == [("success", "remembered")]
    assert api.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"] == "likes tea"
    say(api, agent, "hello")
    assert "likes tea" in json.dumps(model.requests()[-1]["messages"][0])


def test_calls_that_may_run_beside_others_do(api):
    """Each of the two waits for the other: one after another they would fail."""
    parallel = {"provider_type": "openai", "parallel_tool_calls": True}
    agent = agent_with(api, MEET, tool={"enable_parallel_execution": True}, model_settings=parallel)
    words = '@call meet {"role": "host"}\n@call meet {"role": "guest"}'
    assert returns(say(api, agent, words)) == [("success", "well met"), ("success", "met")]


@pytest.mark.parametrize("tokens", [False, True])
def test_streams_tell_the_call_once_and_then_its_return(api, tokens):
    agent = agent_with(api, ADD)
    events = api.events(f"/v1/agents/{agent}/messages/stream", {"input": '@call add {"a": 1, "b": 2}', "streaming": True, "stream_tokens": tokens})
    events = [each for each in events if isinstance(each, dict)]
    calls = [e for e in events if e["message_type"] == "tool_call_message"]
    assert json.loads("".join(e["tool_call"].get("arguments") or "" for e in calls)) == {"a": 1, "b": 2}
    kinds = [e["message_type"] for e in events if e["message_type"] in ("tool_call_message", "tool_return_message", "assistant_message")]
    assert kinds.index("tool_return_message") == len(calls) and kinds.count("tool_return_message") == 1 and kinds[-1] == "assistant_message"


def test_a_working_tool_is_ended_when_its_run_is_cancelled(api):
    agent = agent_with(api, SLEEP)
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": '@call nap {"seconds": 120}'})
    stele.wait_until(lambda: [m for m in api.get(f"/v1/agents/{agent}/messages") if m["message_type"] == "tool_call_message"])
    api.post(f"/v1/agents/{agent}/messages/cancel", {"run_ids": [run["id"]]})
    stele.wait_until(lambda: api.get(f"/v1/runs/{run['id']}")["status"] == "cancelled")
    [told] = [m for m in api.get(f"/v1/agents/{agent}/messages") if m["message_type"] == "tool_return_message"]
    assert told["status"] == "error" and "cut off" in told["tool_return"]
    assert returns(say(api, agent, '@call nap {"seconds": 0}')) == [("success", "slept")]


def test_a_tool_that_takes_too_long_is_ended_and_the_turn_goes_on(walled, own_server, model):
    own = own_server({**model.environment(), "TOOL_SANDBOX_TIMEOUT": "1"}).start()
    api = own.http(2)
    agent = agent_with(api, SLEEP)
    answer = say(api, agent, '@call nap {"seconds": 120}')
    [(status, text)] = returns(answer)
    assert status == "error" and "1 s" in text and answer["stop_reason"]["stop_reason"] == "end_turn"
    assert own.stop() == 0


def test_a_tool_that_a_crash_cut_off_is_not_run_again(walled, own_server, model):
    own = own_server(model.environment()).start()
    api = own.http(2)
    agent = agent_with(api, SLEEP)
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": '@call nap {"seconds": 120}'})
    stele.wait_until(lambda: [m for m in api.get(f"/v1/agents/{agent}/messages") if m["message_type"] == "tool_call_message"])
    own.kill()
    api = own.start().http(2)
    assert api.get(f"/v1/runs/{run['id']}")["status"] == "failed"
    [told] = [m for m in api.get(f"/v1/agents/{agent}/messages") if m["message_type"] == "tool_return_message"]
    assert told["status"] == "error" and "not known" in told["tool_return"]
    assert returns(say(api, agent, '@call nap {"seconds": 0}')) == [("success", "slept")]
    assert own.stop() == 0


APPEND = '''def append(text: str, agent_state: "AgentState") -> str:
    """Adds a line, slowly.

    Args:
        text: what
    """
    import time
    seen = agent_state.memory.get_block("human").value
    time.sleep(2)
    agent_state.memory.update_block_value("human", seen.replace("end", text))
    return "appended"
'''


def work_and_edit(api, agent, edited):
    """Has the tool at work while somebody else writes `edited` to its block; the run's returns."""
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": '@call append {"text": "tool"}'})["id"]
    stele.wait_until(lambda: any(m["message_type"] == "tool_call_message" for m in api.get(f"/v1/runs/{run}/messages")))
    api.patch(f"/v1/agents/{agent}/core-memory/blocks/human", {"value": edited})
    stele.wait_until(lambda: api.get(f"/v1/runs/{run}")["status"] == "completed", 60)
    return [(m["status"], m["tool_return"]) for m in api.get(f"/v1/runs/{run}/messages") if m["message_type"] == "tool_return_message"]


def test_what_others_write_while_a_tool_edits_memory_stays(api):
    agent = agent_with(api, APPEND, memory_blocks=[{"label": "human", "value": "begin\nmiddle\nend"}])
    assert work_and_edit(api, agent, "person\nmiddle\nend") == [("success", "appended")]
    assert api.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"] == "person\nmiddle\ntool"


def test_edits_of_one_place_are_the_persons_and_the_model_is_told(api):
    agent = agent_with(api, APPEND, memory_blocks=[{"label": "human", "value": "begin\nmiddle\nend"}])
    [(status, text)] = work_and_edit(api, agent, "begin\nmiddle\nperson")
    assert status == "error" and "edited at the same place" in text
    assert api.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"] == "begin\nmiddle\nperson"
