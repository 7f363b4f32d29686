"""What a turn does, for every type of agent: what is answered, what is stored, what the model is asked next."""

import json
import uuid

import pytest
import stele

SPEAK_BY_TOOL = ["memgpt_agent", "memgpt_v2_agent", "react_agent"]
TYPES = ["letta_v1_agent", *SPEAK_BY_TOOL]


SPEECH_ENDS = [{"type": "exit_loop", "tool_name": "send_message"}]


def kinds(messages):
    return [message["message_type"] for message in messages]


@pytest.fixture(scope="module")
def http(server):
    return server.http(1)


@pytest.fixture
def make(http):
    def make(agent_type="letta_v1_agent", **more):
        if agent_type == "react_agent":
            more.setdefault("tools", ["send_message", "conversation_search"])
        return http.post("/v1/agents", {"agent_type": agent_type, "memory_blocks": [
            {"label": "human", "value": "Name: Grace."}, {"label": "persona", "value": "I am Ada."}], **more})

    return make


@pytest.fixture
def say(http):
    def say(agent, text, **more):
        return http.post(f"/v1/agents/{agent['id']}/messages", {"input": text, **more})

    return say


@pytest.fixture
def history(http):
    def history(agent, **query):
        words = "&".join(f"{name}={value}" for name, value in {"order": "asc", "limit": 200, **query}.items())
        return http.get(f"/v1/agents/{agent['id']}/messages?{words}")

    return history


@pytest.mark.parametrize("agent_type", TYPES)
def test_the_answer_has_the_type_s_form(make, say, history, agent_type):
    agent = make(agent_type)
    answer = say(agent, "@say Hello, Grace")
    expected = ["assistant_message"] if agent_type == "letta_v1_agent" else ["reasoning_message", "assistant_message"]
    assert kinds(answer["messages"]) == expected
    assert answer["messages"][-1]["content"] == "Hello, Grace"
    assert answer["stop_reason"] == {"message_type": "stop_reason", "stop_reason": "end_turn"}
    assert answer["usage"]["step_count"] == 1 and answer["usage"]["total_tokens"] > 0
    for index, message in enumerate(answer["messages"]):
        assert message["run_id"] and message["step_id"] and message["id"].startswith("message-")
        assert int(message["otid"][-1], 16) == index, "the otid ends in the number of the part"
    # The listing shows what the answer showed: same ids, otids and texts, behind the input.
    listed = history(agent)[-len(expected) - 1:]
    assert kinds(listed) == ["user_message", *expected]
    assert listed[1:] == answer["messages"]


@pytest.mark.parametrize("agent_type", TYPES)
def test_first_messages_of_an_agent(make, history, agent_type):
    first = history(make(agent_type))
    if agent_type == "letta_v1_agent":
        assert kinds(first) == ["system_message"]
        return
    assert kinds(first) == ["system_message", "reasoning_message", "assistant_message", "user_message"]
    assert first[1]["source"] == "non_reasoner_model" and first[2]["content"]
    assert json.loads(first[3]["content"])["type"] == "login"
    assert kinds(history(make(agent_type, initial_message_sequence=[]))) == ["system_message"]


@pytest.mark.parametrize("agent_type", TYPES)
def test_a_supplied_sequence_of_first_messages(make, history, model, say, agent_type):
    agent = make(agent_type, initial_message_sequence=[
        {"role": "user", "content": "Good morning"}, {"role": "system", "content": "It rains."},
        {"role": "assistant", "content": "Good morning, Grace"}])
    shown = history(agent)
    assert kinds(shown)[:3] == ["system_message", "user_message", "user_message"]
    assert shown[1]["content"] == "Good morning" and json.loads(shown[2]["content"])["type"] == "system_alert"
    assert shown[3]["message_type"] == "assistant_message" and shown[3]["content"] == "Good morning, Grace"
    model.forget()
    say(agent, "hi")
    sent = model.requests()[-1]["messages"]
    assert json.loads(sent[1]["content"])["type"] == "user_message"
    assert sent[3]["tool_calls"][0]["function"]["name"] == "send_message"
    assert sent[4]["role"] == "tool" and json.loads(sent[4]["content"])["status"] == "OK"
    assert sent[5] == {"role": "user", "content": "hi"}, "text that is sent is never wrapped"


@pytest.mark.parametrize("agent_type", SPEAK_BY_TOOL)
def test_the_loop_s_parameters_of_agents_that_speak_by_tool(make, say, model, agent_type):
    agent = make(agent_type)
    model.forget()
    say(agent, "hi")
    request = model.requests()[-1]
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in request["tools"]}
    search = schemas["conversation_search"]
    assert list(search["properties"])[0] == "thinking" and "thinking" in search["required"]
    assert search["properties"]["request_heartbeat"]["type"] == "boolean" and "request_heartbeat" in search["required"]
    assert "thinking" in schemas["send_message"]["required"]
    terminal = any(rule["type"] == "exit_loop" and rule["tool_name"] == "send_message" for rule in agent["tool_rules"])
    assert ("request_heartbeat" not in schemas["send_message"]["properties"]) == terminal
    assert request["tool_choice"] == "required" and not request.get("parallel_tool_calls")


def test_v1_agents_get_their_tools_plain(make, say, model):
    agent = make()
    model.forget()
    say(agent, "hi")
    request = model.requests()[-1]
    assert request.get("tool_choice", "auto") == "auto"
    for tool in request["tools"]:
        assert not {"thinking", "request_heartbeat"} & set(tool["function"]["parameters"]["properties"])


@pytest.mark.parametrize("agent_type", SPEAK_BY_TOOL)
def test_a_heartbeat_goes_on_and_is_stored(make, say, history, model, agent_type):
    agent = make(agent_type, include_base_tool_rules=False, tool_rules=SPEECH_ENDS)
    model.forget()
    answer = say(agent, '@call conversation_search {"query": "tea", "request_heartbeat": true}')
    assert kinds(answer["messages"])[:3] == ["reasoning_message", "tool_call_message", "tool_return_message"]
    call = answer["messages"][1]["tool_call"]
    assert json.loads(call["arguments"]) == {"query": "tea", "request_heartbeat": True}
    assert "thinking" not in call["arguments"] and answer["usage"]["step_count"] == 2
    beat = [m for m in history(agent) if m["message_type"] == "user_message"][-1]
    assert json.loads(beat["content"])["type"] == "heartbeat" and "request_heartbeat=true" in beat["content"]
    second = model.requests()[1]["messages"]
    assert [turn["role"] for turn in second[-3:]] == ["assistant", "tool", "user"]
    assert json.loads(second[-3]["tool_calls"][0]["function"]["arguments"])["thinking"] == "thinking", "what it thought is sent again"


@pytest.mark.parametrize("agent_type", SPEAK_BY_TOOL)
def test_without_a_heartbeat_the_turn_ends_and_the_stored_call_says_what_was_decided(make, say, history, agent_type):
    agent = make(agent_type, include_base_tool_rules=False)
    answer = say(agent, '@call conversation_search {"query": "tea", "request_heartbeat": false}')
    assert kinds(answer["messages"])[-1] == "tool_return_message"
    assert answer["stop_reason"]["stop_reason"] == "end_turn" and answer["usage"]["step_count"] == 1
    rules = [{"type": "continue_loop", "tool_name": "conversation_search"}]
    agent = make(agent_type, tool_rules=rules, include_base_tool_rules=False)
    answer = say(agent, '@call conversation_search {"query": "tea", "request_heartbeat": false}', max_steps=2)
    assert answer["usage"]["step_count"] == 2
    calls = [m for m in history(agent) if m["message_type"] == "tool_call_message"]
    assert json.loads(calls[-1]["tool_call"]["arguments"])["request_heartbeat"] is True, "the rule decided to go on"


@pytest.mark.parametrize("agent_type", SPEAK_BY_TOOL)
def test_the_streamed_call_is_the_stored_one(http, make, history, agent_type):
    rules = [{"type": "continue_loop", "tool_name": "conversation_search"}, *SPEECH_ENDS]
    agent = make(agent_type, tool_rules=rules, include_base_tool_rules=False)
    events = http.events(f"/v1/agents/{agent['id']}/messages/stream", {
        "input": '@call conversation_search {"query": "tea", "request_heartbeat": false}', "stream_tokens": True})
    pieces = [e for e in events if isinstance(e, dict) and e["message_type"] == "tool_call_message"]
    stored = next(m for m in history(agent) if m["message_type"] == "tool_call_message" and m["id"] == pieces[0]["id"])
    assert "".join(p["tool_call"].get("arguments") or "" for p in pieces) == stored["tool_call"]["arguments"]
    assert {p["otid"] for p in pieces} == {stored["otid"]}
    names = kinds([e for e in events if isinstance(e, dict)])
    assert names.index("tool_call_message") < names.index("tool_return_message")


@pytest.mark.parametrize("agent_type", TYPES)
def test_speech_may_be_shown_as_the_call_that_it_is(http, make, say, history, agent_type):
    agent = make(agent_type)
    answer = say(agent, "@say hello", use_assistant_message=False)
    if agent_type == "letta_v1_agent":
        assert kinds(answer["messages"]) == ["assistant_message"]
        return
    assert kinds(answer["messages"]) == ["reasoning_message", "tool_call_message", "tool_return_message"]
    assert json.loads(answer["messages"][1]["tool_call"]["arguments"])["message"] == "hello"
    assert kinds(history(agent, use_assistant_message="false"))[-3:] == kinds(answer["messages"])
    assert kinds(history(agent))[-2:] == ["reasoning_message", "assistant_message"]


def test_another_tool_may_be_the_speech(make, say):
    agent = make("memgpt_v2_agent", include_base_tool_rules=False)
    answer = say(agent, '@call conversation_search {"query": "said aloud", "request_heartbeat": false}',
                 assistant_message_tool_name="conversation_search", assistant_message_tool_kwarg="query")
    assert answer["messages"][-1]["message_type"] == "assistant_message" and answer["messages"][-1]["content"] == "said aloud"


def test_a_v1_agent_with_send_message_shows_the_call_live_and_the_words_in_the_listing(make, say, history):
    agent = make(tools=["send_message"])
    answer = say(agent, '@call send_message {"message": "aloud"}', max_steps=1)
    assert kinds(answer["messages"]) == ["tool_call_message", "tool_return_message"]
    assert [m.get("content") for m in history(agent)][-1] == "aloud"


STOPS = [
    ("letta_v1_agent", {}, "@say hi", {}, "end_turn", "completed"),
    ("letta_v1_agent", {"tool_rules": [{"type": "exit_loop", "tool_name": "conversation_search"}]},
     '@call conversation_search {"query":"x"}', {}, "tool_rule", "completed"),
    ("memgpt_v2_agent", {}, "@say hi", {}, "end_turn", "completed"),
    ("memgpt_v2_agent", {"include_base_tool_rules": False,
                         "tool_rules": [{"type": "exit_loop", "tool_name": "conversation_search"}]},
     '@call conversation_search {"query":"x","request_heartbeat":true}', {}, "tool_rule", "completed"),
    ("letta_v1_agent", {}, '@call conversation_search {"query":"x"}', {"max_steps": 1}, "max_steps", "completed"),
    ("memgpt_v2_agent", {}, '@call conversation_search {"query":"x"}', {"max_steps": 1}, "max_steps", "completed"),
    ("letta_v1_agent", {}, "@truncate half a sen", {}, "max_tokens_exceeded", "failed"),
    ("memgpt_v2_agent", {"tools": [], "include_base_tools": False}, "@say hi", {}, "no_tool_call", "failed"),
    ("letta_v1_agent", {"tool_rules": [{"type": "run_first", "tool_name": "conversation_search", "args": {"limit": "many"}}]},
     '@call conversation_search {"query":"x"}', {}, "invalid_tool_call", "failed"),
]


@pytest.mark.parametrize("agent_type, fields, text, more, reason, status", STOPS)
def test_every_way_a_turn_ends(http, make, say, agent_type, fields, text, more, reason, status):
    agent = make(agent_type, **fields)
    answer = say(agent, text, **more)
    assert answer["stop_reason"]["stop_reason"] == reason
    run = http.get(f"/v1/runs?agent_id={agent['id']}")[0]
    assert (run["status"], run["stop_reason"]) == (status, reason)
    assert http.get(f"/v1/agents/{agent['id']}")["last_stop_reason"] == reason
    assert say(make(), "@say alive")["messages"][-1]["content"] == "alive"


@pytest.mark.parametrize("text, code, kind, reason", [
    ("@fail 400", 400, "llm_bad_request", "llm_api_error"), ("@fail 401", 401, "llm_authentication", "llm_api_error"),
    ("@garbage", 500, "llm_error", "llm_api_error"), ("@empty", 500, "llm_empty_response", "invalid_llm_response")])
@pytest.mark.parametrize("agent_type", ["letta_v1_agent", "memgpt_v2_agent"])
def test_every_way_a_turn_fails(http, make, say, agent_type, text, code, kind, reason):
    agent = make(agent_type)
    with pytest.raises(stele.Refused) as failed:
        say(agent, text)
    assert failed.value.status == code and failed.value.body["error"]["type"] == kind
    run = http.get(f"/v1/runs?agent_id={agent['id']}")[0]
    assert (run["status"], run["stop_reason"]) == ("failed", reason)
    step = http.get(f"/v1/runs/{run['id']}/steps")[0]
    assert step["status"] == "failed" and step["error_type"] == kind and step["error_data"]["message"]
    events = http.events(f"/v1/agents/{agent['id']}/messages/stream", {"input": text, "stream_tokens": True})
    names = [e if isinstance(e, str) else e["message_type"] for e in events]
    assert names[0] == "ping" and names[-4:] == ["stop_reason", "event: error", "error_message", "[DONE]"]
    assert set(names[1:-4]) <= {"assistant_message", "reasoning_message"}, "what came before the stream broke"
    assert (events[-4]["stop_reason"], events[-2]["error_type"]) == (reason, kind)
    assert say(agent, "@say alive")["messages"][-1]["content"] == "alive"


def test_arguments_that_a_rule_fills_in(make, say, model):
    rules = [{"type": "run_first", "tool_name": "conversation_search", "args": {"query": "ruled", "limit": 2}},
             {"type": "constrain_child_tools", "tool_name": "conversation_search", "children": ["memory_insert"],
              "child_arg_nodes": [{"name": "memory_insert", "args": {"label": "persona"}}]}]
    agent = make(tool_rules=rules)
    model.forget()
    answer = say(agent, '@call conversation_search {"query": "own", "start_date": "2026-01-01"}', max_steps=2)
    assert json.loads(answer["messages"][0]["tool_call"]["arguments"]) == {"query": "ruled", "start_date": "2026-01-01", "limit": 2}
    first, second = model.requests()
    assert [t["function"]["name"] for t in first["tools"]] == ["conversation_search"]
    assert first["tool_choice"]["function"]["name"] == "conversation_search"
    assert [t["function"]["name"] for t in second["tools"]] == ["memory_insert"]


def test_a_bad_filled_in_argument_is_told_and_ends_the_turn(make, say, model):
    agent = make(tool_rules=[{"type": "run_first", "tool_name": "conversation_search", "args": {"stranger": 1}}])
    model.forget()
    answer = say(agent, '@call conversation_search {"query": "x"}')
    returned = answer["messages"][1]["tool_returns"][0]
    assert returned["status"] == "error" and "stranger" in returned["tool_return"] and len(model.requests()) == 1


def test_a_call_that_a_rule_forbids_opens_no_other_way(make, say, model):
    agent = make(tool_rules=[{"type": "run_first", "tool_name": "memory_insert"}])
    model.forget()
    answer = say(agent, '@call conversation_search {"query": "x"}', max_steps=2)
    returned = answer["messages"][1]["tool_returns"][0]
    assert returned["status"] == "error" and returned["tool_return"].startswith("[ToolConstraintError]")
    assert "memory_insert" in returned["tool_return"]
    assert [t["function"]["name"] for t in model.requests()[1]["tools"]] == ["memory_insert"], "the first call is still owed"


@pytest.mark.parametrize("agent_type", ["letta_v1_agent", "memgpt_v2_agent"])
def test_a_tool_that_is_not_there(make, say, agent_type):
    answer = say(make(agent_type), "@call no_such_tool {}")
    returned = next(m for m in answer["messages"] if m["message_type"] == "tool_return_message")
    assert returned["status"] == "error" and returned["tool_return"].startswith("[ToolConstraintError]")
    assert "conversation_search" in returned["tool_return"]
    assert answer["messages"][-1]["message_type"] == "assistant_message", "the agent goes on"


def parallel(make):
    return make(model_settings={"provider_type": "openai", "parallel_tool_calls": True})


THREE = "\n".join(f'@call conversation_search {{"query": "q{i}"}}' for i in range(3))


@pytest.mark.parametrize("stream, tokens", [(False, False), (True, False), (True, True)])
def test_parallel_calls_are_one_message_and_one_return(http, make, history, stream, tokens):
    agent = parallel(make)
    if stream:
        events = http.events(f"/v1/agents/{agent['id']}/messages/stream", {"input": THREE, "stream_tokens": tokens})
        messages = [e for e in events if isinstance(e, dict) and e["message_type"].endswith("_message")]
    else:
        messages = http.post(f"/v1/agents/{agent['id']}/messages", {"input": THREE})["messages"]
    calls = [m for m in messages if m["message_type"] == "tool_call_message"]
    returned = [m for m in messages if m["message_type"] == "tool_return_message"]
    assert len(returned) == 1 and [r["type"] for r in returned[0]["tool_returns"]] == ["tool"] * 3
    stored = next(m for m in history(agent) if m["message_type"] == "tool_call_message")
    ids = [call["tool_call_id"] for call in stored["tool_calls"]]
    assert len(set(ids)) == 3 and [r["tool_call_id"] for r in returned[0]["tool_returns"]] == ids
    assert {m["id"] for m in calls} == {stored["id"]} and {m["otid"] for m in calls} == {stored["otid"]}
    if tokens:
        for call in stored["tool_calls"]:
            mine = [m["tool_call"] for m in calls if m["tool_call"]["tool_call_id"] == call["tool_call_id"]]
            assert mine[0]["name"] == call["name"] and "".join(p.get("arguments") or "" for p in mine) == call["arguments"]
            assert all(m["tool_call"] == m["tool_calls"] for m in calls)
    else:
        assert len(calls) == 1


def test_without_leave_only_the_first_of_several_calls_is_made(make, say):
    answer = say(make(model_settings={"provider_type": "openai", "parallel_tool_calls": False}), THREE)
    assert [len(m["tool_calls"]) for m in answer["messages"] if m["message_type"] == "tool_call_message"] == [1]


@pytest.mark.parametrize("agent_type", SPEAK_BY_TOOL)
def test_agents_that_speak_by_tool_make_one_call_an_answer_whatever_their_settings(http, make, say, history, model, agent_type):
    agent = make(agent_type, include_base_tool_rules=False, model_settings={"provider_type": "openai", "parallel_tool_calls": True})
    model.forget()
    answer = say(agent, THREE, max_steps=2)
    assert not model.requests()[0].get("parallel_tool_calls")
    call = next(m for m in history(agent, use_assistant_message="false") if m["id"] == answer["messages"][0]["id"] and m["message_type"] == "tool_call_message")
    assert len(call["tool_calls"]) == 1, "a call is stored that was not made"
    assert "lost" not in json.dumps(model.requests()[-1]["messages"])


def test_call_ids_that_come_again_keep_their_returns(make, say, model):
    agent = make()
    for word in ("one", "two"):
        model.forget()  # the mock model counts its calls by the requests that it remembers, so ids come again
        say(agent, f'@call memory_insert {{"label": "human", "new_string": "{word}"}}')
    sent = model.requests()[-1]["messages"]
    open_calls = []
    for turn in sent:
        if turn["role"] == "tool":
            open_calls.remove(turn["tool_call_id"])
        else:
            assert not open_calls
            open_calls = [call["id"] for call in turn.get("tool_calls") or []]
    assert not open_calls and sum(turn["role"] == "tool" for turn in sent) == 2
    assert "two" in sent[-1]["content"]


def test_usage_is_the_sum_of_the_steps(http, make, say):
    agent = make()
    answer = say(agent, '@call conversation_search {"query":"x"}')
    run = http.get(f"/v1/runs?agent_id={agent['id']}")[0]
    steps = http.get(f"/v1/runs/{run['id']}/steps")
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert answer["usage"][name] == sum(step[name] for step in steps)
    assert answer["usage"]["context_tokens"] == max(step["total_tokens"] for step in steps)
    assert [step["stop_reason"] for step in steps].count(None) == 1, "only the last step has one"


def test_a_client_s_otid_comes_back_on_the_stored_message(http, make, history):
    agent, otid = make(), str(uuid.uuid4())
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": "hi", "otid": otid},
                                                                  {"role": "user", "content": "there"}]})
    mine, other = [m["otid"] for m in history(agent) if m["message_type"] == "user_message"]
    assert mine == otid and uuid.UUID(other)


def test_listing_after_the_last_id_before_starts_with_the_input(make, say, history):
    agent = make()
    before = history(agent)[-1]["id"]
    answer = say(agent, '@call memory_insert {"label":"human","new_string":"x"}')
    listed = history(agent, after=before)
    assert listed[0]["message_type"] == "user_message" and listed[1:] == answer["messages"]


def test_autoclear_starts_every_request_from_the_system_message(http, make, say, history, model):
    agent = make(message_buffer_autoclear=True)
    say(agent, "@say one")
    say(agent, '@call conversation_search {"query":"x"}')
    model.forget()
    say(agent, "@say three")
    assert [turn["role"] for turn in model.requests()[0]["messages"]] == ["system", "user"]
    assert len(http.get(f"/v1/agents/{agent['id']}")["message_ids"]) == 3
    assert kinds(history(agent)).count("user_message") == 3, "the history keeps everything"


def test_overrides_hold_for_one_request(http, make, say, model):
    agent = make()
    model.forget()
    say(agent, "hi", override_system="You are a pirate.", override_model="openai/gpt-4o-mini")
    say(agent, "hi", system="You are a monk.")
    say(agent, "hi")
    pirate, monk, plain = model.requests()
    assert (pirate["messages"][0]["content"], pirate["model"]) == ("You are a pirate.", "gpt-4o-mini")
    assert (monk["messages"][0]["content"], monk["model"]) == ("You are a monk.", "mock-small")
    assert "Name: Grace." in plain["messages"][0]["content"] and plain["model"] == "mock-small"
    state = http.get(f"/v1/agents/{agent['id']}")
    assert state["model"] == agent["model"] and state["system"] == agent["system"]
    with pytest.raises(stele.Refused) as refused:
        say(agent, "hi", override_model="no/such")
    assert refused.value.status == 404


@pytest.mark.parametrize("agent_type", ["letta_v1_agent", "memgpt_agent", "memgpt_v2_agent"])
def test_edits_stand_in_the_very_next_request_of_the_same_run(http, make, say, model, agent_type):
    agent = make(agent_type, tools=["core_memory_append"])
    model.forget()
    say(agent, '@call core_memory_append {"label": "human", "content": "Likes tea.", "request_heartbeat": true}'
        if agent_type != "letta_v1_agent" else '@call core_memory_append {"label": "human", "content": "Likes tea."}')
    first, second = [request["messages"][0]["content"] for request in model.requests()]
    assert "Likes tea." not in first and "Name: Grace.\nLikes tea." in second
    recompiled = [line for text in (first, second) for line in text.splitlines() if "last recompiled" in line]
    assert recompiled[0] == recompiled[1], "an edit is no new compilation"


def test_an_edit_by_rest_in_the_middle_of_a_run_stands_in_its_next_step(http, make, model):
    import threading

    agent = make()
    model.forget()
    run = threading.Thread(target=lambda: http.post(f"/v1/agents/{agent['id']}/messages",
                                                    {"input": '@sleep 300\n@call conversation_search {"query":"x"}'}))
    run.start()
    while not model.requests():
        pass
    http.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/human", {"value": "Name: Lin."})
    http.patch(f"/v1/agents/{agent['id']}", {"system": "You are terse."})
    run.join()
    first, second = [request["messages"][0]["content"] for request in model.requests()]
    assert "Name: Grace." in first
    assert second.startswith("You are terse.") and "Name: Lin." in second


@pytest.mark.parametrize("agent_type", TYPES)
def test_the_prefix_is_stable_from_request_to_request(make, say, model, agent_type):
    agent = make(agent_type)
    model.forget()
    say(agent, "@say one")
    say(agent, '@call conversation_search {"query":"x"}')
    say(agent, "@say three")
    sent = [request["messages"] for request in model.requests()]
    assert len(sent) >= 4
    for before, after in zip(sent, sent[1:]):
        assert after[: len(before)] == before
    tools = [json.dumps(request["tools"]) for request in model.requests()]
    assert len(set(tools)) == 1


def test_context_counts_what_is_sent(http, make, say, model):
    agent = make()
    say(agent, '@call memory_insert {"label":"human","new_string":"x"}')
    http.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/human", {"value": "fresh"})
    overview = http.get(f"/v1/agents/{agent['id']}/context")
    parts = [name for name in overview if name.startswith("num_tokens_")]
    assert overview["context_window_size_current"] == sum(overview[name] for name in parts)
    assert overview["context_window_size_max"] == 32000
    assert overview["num_messages"] == len(overview["messages"]) == 5
    assert overview["num_recall_memory"] == 5 and overview["num_archival_memory"] == 0
    assert "fresh" in overview["core_memory"] and overview["core_memory"].startswith("<memory_blocks>")
    assert overview["num_tokens_core_memory"] == -(-len(overview["core_memory"].encode()) // 4)
    assert overview["system_prompt"].startswith("<base_instructions>")
    assert overview["external_memory_summary"].startswith("<memory_metadata>")
    assert agent["id"] in overview["external_memory_summary"] and "CONVERSATION_ID: default" in overview["external_memory_summary"]
    assert {f["function"]["name"] for f in overview["functions_definitions"]} == {"conversation_search", "memory_insert", "memory_replace"}
    assert [m["role"] for m in overview["messages"]] == ["system", "user", "assistant", "tool", "assistant"]
    assert overview["summary_memory"] is None and overview["tool_usage_rules"] is None
    ruled = make(tool_rules=[{"type": "exit_loop", "tool_name": "memory_insert"}])
    rules = http.get(f"/v1/agents/{ruled['id']}/context")
    assert "memory_insert" in rules["tool_usage_rules"] and rules["num_tokens_tool_usage_rules"] > 0


def test_react_agents_see_no_memory_blocks(make, say, model):
    agent = make("react_agent")
    model.forget()
    say(agent, "hi")
    assert "<memory_blocks>" not in model.requests()[0]["messages"][0]["content"]
