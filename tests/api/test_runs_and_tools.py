"""Runs, steps, messages and tools: what their lists filter by, feedback, deletion, walks over one run's messages."""

import threading

import pytest
import stele
from stele import GONE, refused


@pytest.fixture(scope="module")
def turns(server):
    """An agent with a plain run, one with tools and a failed one."""
    http = server.http(2)
    agent = http.post("/v1/agents", {"tags": ["traced"]})
    path = f"/v1/agents/{agent['id']}/messages"
    plain = http.post(path, {"input": "hello"})["messages"][0]
    tools = http.post(path, {"input": '@call conversation_search {"query": "hello"}'})["messages"][0]
    refused(http, "POST", path, 401, {"input": "@fail 401"})
    failed = http.get(f"/v1/runs?agent_id={agent['id']}&limit=1")[0]
    search = next(tool["id"] for tool in http.get(f"/v1/agents/{agent['id']}/tools") if tool["name"] == "conversation_search")
    return {"agent": agent["id"], "plain": plain["run_id"], "tools": tools["run_id"], "failed": failed["id"], "search": search}


@pytest.mark.parametrize("query, expected", [
    ("", "failed tools plain"), ("order=asc", "plain tools failed"), ("ascending=true", "plain tools failed"), ("statuses=failed", "failed"),
    ("statuses=completed&statuses=failed", "failed tools plain"), ("active=true", ""), ("active=true&statuses=failed", "failed"), ("stop_reason=end_turn", "tools plain"),
    ("stop_reason=llm_api_error", "failed"), ("background=true", ""), ("background=false", "failed tools plain"), ("conversation_id=conv-x", ""), ("run_id={plain}", "plain"),
    ("step_count=2", "tools"), ("step_count=1&step_count_operator=gte", "tools plain"), ("step_count=1&step_count_operator=lte", "failed plain"),
    ("tools_used={search}", "tools"), ("tools_used=tool-x&tools_used={search}", "tools"), ("tools_used=tool-x", ""), ("start_date=2100-01-01", ""),
    ("end_date=2100-01-01", "failed tools plain"), ("start_date=2020-01-01T00:00:00Z", "failed tools plain"), ("end_date=2020-01-01", ""),
    ("duration_value=1&duration_operator=lt", ""), ("duration_value=1&duration_operator=gt", "failed tools plain"), ("agent_ids=agent-x", "failed tools plain")])
def test_runs_are_filtered(server, turns, query, expected):
    found = server.http(2).get(f"/v1/runs?agent_id={turns['agent']}&" + query.format(**turns))
    assert [run["id"] for run in found] == [turns[name] for name in expected.split()]


@pytest.mark.parametrize("query, named", [("statuses=Failed", "statuses"), ("step_count_operator=like", "step_count_operator"), ("duration_operator=x", "duration_operator"),
                                          ("stop_reason=zz", "stop_reason"), ("start_date=yesterday", "start_date"), ("limit=1001", "limit"), ("order_by=name", "order_by")])
def test_wrong_filters_of_runs_are_told(server, query, named):
    assert "query." + named in refused(server.http(2), "GET", "/v1/runs?" + query, 422).text


def test_runs_by_duration(server, turns):
    found = server.http(2).get(f"/v1/runs?agent_id={turns['agent']}&order_by=duration")
    durations = [run["total_duration_ns"] for run in found]
    assert durations == sorted(durations, reverse=True) and len(found) == 3


def test_a_run_is_deleted_with_its_steps_and_without_its_messages(server):
    http = server.http(2)
    agent = http.post("/v1/agents", {})["id"]
    message = http.post(f"/v1/agents/{agent}/messages", {"input": "hello"})["messages"][0]
    assert http.delete(f"/v1/runs/{message['run_id']}")["id"] == message["run_id"]
    refused(http, "DELETE", f"/v1/runs/{message['run_id']}", 404)
    refused(http, "GET", f"/v1/steps/{message['step_id']}", 404)
    assert message["id"] in [each["id"] for each in http.get(f"/v1/agents/{agent}/messages")]


def test_usage_and_metrics_cover_all_steps(server, turns):
    http = server.http(2)
    steps = http.get(f"/v1/runs/{turns['tools']}/steps")
    usage = http.get(f"/v1/runs/{turns['tools']}/usage")
    assert usage["total_tokens"] == sum(step["total_tokens"] for step in steps) > 0
    metrics = http.get(f"/v1/runs/{turns['tools']}/metrics")
    assert (metrics["num_steps"], metrics["tools_used"]) == (2, [turns["search"]]) and metrics["run_ns"] > 0
    assert http.get(f"/v1/runs/{turns['failed']}/usage")["total_tokens"] == 0
    for part in ("usage", "metrics", "steps", "messages", "trace"):
        refused(http, "GET", f"/v1/runs/run-{GONE}/{part}", 404)


def test_steps_are_filtered_and_marked(server, turns):
    http = server.http(2)
    ids = lambda query: [step["id"] for step in http.get(f"/v1/steps?agent_id={turns['agent']}&" + query)]  # noqa: E731
    steps = ids("order=asc")
    assert len(steps) >= 3 and ids("") == steps[::-1]
    assert ids("model=mock-small") == ids("model=openai/mock-small") == steps[::-1] and ids("model=openai/mock") == []
    marked = http.patch(f"/v1/steps/{steps[0]}/feedback", {"feedback": "positive", "tags": ["good", "quick"]})
    assert (marked["feedback"], marked["tags"]) == ("positive", ["good", "quick"])
    assert http.patch(f"/v1/steps/{steps[1]}/feedback?feedback=negative")["feedback"] == "negative"
    assert ids("feedback=positive") == steps[:1] and ids("has_feedback=true&order=asc") == steps[:2] and steps[0] not in ids("has_feedback=false")
    assert ids("tags=quick") == ids("tags=quick&tags=other") == steps[:1] and ids("tags=other") == [] and ids("trace_ids=x") == []
    assert http.patch(f"/v1/steps/{steps[0]}/feedback", {"feedback": None})["tags"] == ["good", "quick"]
    assert http.patch(f"/v1/steps/{steps[0]}/feedback", {"tags": []})["tags"] == [] and ids("tags=quick") == []
    assert ids("start_date=2100-01-01") == [] and ids("end_date=2100-01-01") == steps[::-1]
    for query in ("feedback=perhaps", "start_date=yesterday", "has_feedback=perhaps"):
        refused(http, "GET", "/v1/steps?" + query, 422)
    assert "body.feedback" in refused(http, "PATCH", f"/v1/steps/{steps[0]}/feedback", 422, {"feedback": "perhaps"}).text
    assert http.patch(f"/v1/steps/{steps[0]}/transaction/tx-1")["tid"] == http.get(f"/v1/steps/{steps[0]}")["tid"] == "tx-1"


def test_a_trace_holds_what_was_sent_and_answered(server, turns):
    http = server.http(2)
    step = http.get(f"/v1/runs/{turns['plain']}/steps")[0]
    trace = http.get(f"/v1/steps/{step['id']}/trace")
    assert trace["request_json"]["model"] == "mock-small" and trace["request_json"]["messages"] and trace["response_json"]["usage"]
    assert (trace["step_id"], trace["run_id"], trace["agent_id"], trace["call_type"]) == (step["id"], turns["plain"], turns["agent"], "agent_step")
    assert http.get(f"/v1/steps/step-{GONE}/trace") is None
    assert "query.step_id" in refused(http, "GET", "/v1/telemetry/provider-trace", 422).text
    spans = http.get(f"/v1/runs/{turns['failed']}/trace")
    assert spans[0]["span_name"] == "run" and spans[0]["status_code"] == "error" and spans[0]["parent_span_id"] is None
    assert len(http.get(f"/v1/runs/{turns['tools']}/trace?limit=2")) == 2
    for limit in (0, 5001):
        refused(http, "GET", f"/v1/runs/{turns['tools']}/trace?limit={limit}", 422)


def test_messages_are_listed_oldest_first_from_either_end(server):
    http = server.http(2)
    agent = http.post("/v1/agents", {})["id"]
    for i in range(4):
        http.post(f"/v1/agents/{agent}/messages", {"input": f"@say {i}"})
    path = f"/v1/agents/{agent}/messages"
    ids = lambda query="": [message["id"] for message in http.get(path + "?" + query)]  # noqa: E731
    every = ids()
    assert len(every) == 9 and ids("order=asc") == every
    assert ids("limit=3") == every[-3:] and ids("limit=3&order=asc") == every[:3]
    for order in ("asc", "desc"):  # cursors mean time, whatever the order
        assert ids(f"after={every[5]}&order={order}") == every[6:] and ids(f"before={every[3]}&order={order}") == every[:3]
    assert ids(f"before={every[5]}&limit=2") == every[3:5] and ids(f"after={every[2]}&limit=2&order=asc") == every[3:5]
    assert ids("conversation_id=default") == every and ids("conversation_id=conv-x") == [] and ids("group_id=x") == []
    assert {message["message_type"] for message in http.get(path + "?include_return_message_types=user_message")} == {"user_message"}
    refused(http, "GET", path + "?include_return_message_types=poem", 422)
    http.patch(f"/v1/agents/{agent}/reset-messages")
    assert ids() == every, "what was said stays, in the context or not"


def test_tools_are_filtered_and_counted(own_server):
    http = own_server().start().http(2)
    every = http.get("/v1/tools?limit=100")
    names = [tool["name"] for tool in every]
    assert http.get("/v1/tools/count") == len(every) == len(set(names))
    for query, expected in (("name=memory", ["memory"]), ("name=memo", []), ("names=memory&names=send_message", ["memory", "send_message"]),
                            ("names=memory,send_message", ["memory", "send_message"]), ("search=MEMORY_RE", ["core_memory_replace", "memory_replace", "memory_rethink"]), ("search=%25", []),
                            ("tool_types=letta_core", ["archival_memory_insert", "archival_memory_search", "conversation_search", "send_message"]), ("tool_types=custom", []), ("return_only_letta_tools=true", names),
                            ("exclude_letta_tools=true", []), ("tool_ids=" + every[0]["id"], [every[0]["name"]]),
                            ("tool_types=letta_core&exclude_tool_types=letta_core", [])):
        found = [tool["name"] for tool in http.get("/v1/tools?limit=100&" + query)]
        assert sorted(found) == sorted(expected), query
        assert http.get("/v1/tools/count?" + query) == len(expected), query
    assert "no tool type" in refused(http, "GET", "/v1/tools?tool_types=hammer", 400).text
    assert "no tool type" in refused(http, "GET", "/v1/tools/count?exclude_tool_types=hammer", 400).text
    assert sorted(tool["name"] for tool in http.post("/v1/tools/add-base-tools", {})) == sorted(names)


def test_attaching_what_is_not_there(server, agent):
    http = server.http(2)
    tool = http.get("/v1/tools?name=memory")[0]["id"]
    assert "not found" in refused(http, "PATCH", f"/v1/agents/{agent['id']}/tools/attach/tool-{GONE}", 404).text
    for verb in ("attach", "detach"):
        assert "not found" in refused(http, "PATCH", f"/v1/agents/agent-{GONE}/tools/{verb}/{tool}", 404).text
        assert "not found" in refused(http, "PATCH", f"/v1/agents/agent-{GONE}/core-memory/blocks/{verb}/block-{GONE}", 404).text


def test_models_are_filtered(server):
    http = server.http(2)
    names = lambda query: [model["handle"] for model in http.get("/v1/models?" + query)]  # noqa: E731
    assert names("provider_name=stele") == ["stele/offline"] and "stele/offline" not in names("provider_type=openai")
    assert names("provider_category=base") == names("") and names("provider_category=byok") == []
    assert "openai/mock-small" in names("provider_category=base&provider_category=byok")


def test_a_run_that_a_crash_cut_off_keeps_what_it_was(own_server, model):
    server = own_server()
    http = server.start().http(2)
    agent = http.post("/v1/agents", {})["id"]
    # The first step is stored, with the run; the second one never ends.
    with pytest.raises(OSError):
        killer = threading.Thread(target=lambda: (model.release(), stele.wait_until(lambda: http.get(f"/v1/agents/{agent}/messages")[-1]["message_type"] == "tool_return_message"),
                                                  server.kill()))
        killer.start()
        http.post(f"/v1/agents/{agent}/messages", {"input": '@call conversation_search {"query": "x"}\n@hold'})
    killer.join()
    run = server.start().http(2).get(f"/v1/runs?agent_id={agent}")[0]
    assert (run["status"], run["stop_reason"], run["metadata"]["run_type"]) == ("failed", "error", "send_message") and run["metadata"]["error"]


def test_a_page_that_shows_nothing_does_not_end_a_walk(server):
    """The returns of spoken words are left out of lists: with one stored message a page, some pages held nothing else."""
    http = server.http(1)
    agent = http.post("/v1/agents", {"agent_type": "memgpt_agent"})
    for word in ("one", "two", "three"):
        http.post(f"/v1/agents/{agent['id']}/messages", {"input": f"@say {word}"})
    for path in (f"/v1/agents/{agent['id']}/messages", f"/v1/messages?conversation_id=default&x={agent['id']}"):
        join = "&" if "?" in path else "?"
        met, cursor = [], ""
        while page := http.get(f"{path}{join}limit=1&order=asc{cursor}"):
            met += page
            cursor = f"&after={page[-1]['id']}"
        spoken = [m["content"] for m in met if m["message_type"] == "assistant_message"]
        assert spoken[-3:] == ["one", "two", "three"], spoken
