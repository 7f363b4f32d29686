"""Agents that talk by voice: the short window, the partner that keeps what leaves it, and how they look things up again."""

import json

import pytest
import stele
from answering_model import AnsweringModel, Step
from scripted_model import wait
from stele import refused


@pytest.fixture(scope="module")
def model():
    made = AnsweringModel()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def api(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("voice"), model.environment()).start()
    yield running.http(1)
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def ada(api):
    return api.post("/v1/agents", {"name": "Ada", "agent_type": "voice_convo_agent", "enable_sleeptime": True,
                                   "memory_blocks": [{"label": "human", "value": "Grace"}]})


def say(api, agent, text):
    return api.post(f"/v1/agents/{agent['id']}/messages", {"input": text})


def run_tool(api, agent, name, **arguments):
    return api.post(f"/v1/agents/{agent['id']}/tools/{name}/run", {"args": arguments})


def test_it_comes_with_a_partner_that_looks_after_its_memory(api, ada):
    assert {tool["name"] for tool in ada["tools"]} == {"send_message", "search_memory"}
    group = ada["managed_group"]
    assert (group["manager_type"], group["max_message_buffer_length"], group["min_message_buffer_length"]) == ("voice_sleeptime", 30, 15)
    partner = api.get(f"/v1/agents/{group['agent_ids'][0]}")
    assert partner["agent_type"] == "voice_sleeptime_agent"
    assert {tool["name"] for tool in partner["tools"]} == {"store_memories", "rethink_user_memory", "finish_rethinking_memory"}
    assert {tool["tool_type"] for tool in partner["tools"]} == {"letta_voice_sleeptime_core"}
    ends = [rule["tool_name"] for rule in partner["tool_rules"] if rule["type"] == "exit_loop"]
    assert ends == ["finish_rethinking_memory"]


@pytest.mark.parametrize("given", [{}, {"enable_sleeptime": False}, {"enable_sleeptime": None}])
def test_without_a_partner_it_is_refused(api, given):
    failure = refused(api, "POST", "/v1/agents", 422, {"agent_type": "voice_convo_agent", **given})
    assert "enable_sleeptime" in str(failure)


def test_the_partner_writes_down_who_the_person_is_and_ends_its_turn(api, model, ada):
    [partner] = ada["managed_group"]["agent_ids"]
    api.patch(f"/v1/groups/{ada['managed_group']['id']}", {"manager_config": {
        "manager_type": "voice_sleeptime", "max_message_buffer_length": 6, "min_message_buffer_length": 5}})
    model.will(ada["id"], "", then=Step(calls=[("c", "send_message", json.dumps({"message": "I see"}))]))
    parts = {"chunks": [{"start_index": 1, "end_index": 1, "context": "What Grace drinks."}]}
    model.will(partner, "", Step(calls=[("c0", "store_memories", json.dumps(parts))]), Step(calls=[("c1", "rethink_user_memory", json.dumps({"new_memory": "Grace likes tea"}))]),
               Step(calls=[("c2", "finish_rethinking_memory", "{}")]))
    answers = (say(api, ada, text) for text in ("I like tea", "and cake", "not coffee", "goodbye"))
    [run_id] = next(runs for answer in answers if (runs := answer["usage"]["run_ids"]))
    run = wait(lambda: next((r for r in [api.get(f"/v1/runs/{run_id}")] if r["completed_at"]), None))
    assert (run["status"], run["stop_reason"]) == ("completed", "end_turn")
    shown = api.get(f"/v1/runs/{run_id}/messages")
    assert [m["tool_call"]["name"] for m in shown if m["message_type"] == "tool_call_message"] == ["store_memories", "rethink_user_memory", "finish_rethinking_memory"]
    assert "user: I like tea" in str(shown)
    assert api.get(f"/v1/agents/{ada['id']}/core-memory/blocks/human")["value"] == "Grace likes tea"
    [kept] = api.get(f"/v1/agents/{ada['id']}/archival-memory")
    assert kept["text"] == "What Grace drinks.\nuser: I like tea"


def test_what_was_said_is_found_by_words_and_by_time(api, model, ada):
    model.will(ada["id"], "", then=Step(calls=[("c", "send_message", json.dumps({"message": "I see"}))]))
    for text in ("my dog is called Rex", "my cat is called Tom", "the weather is fine"):
        say(api, ada, text)
    found = run_tool(api, ada, "search_memory", convo_keyword_queries=["dog", "cat"])
    assert found["status"] == "success"
    texts = [result["content"] for result in found["func_return"]["results"]]
    assert sorted(texts) == ["my cat is called Tom", "my dog is called Rex"]
    recent = run_tool(api, ada, "search_memory", start_minutes_ago=5)["func_return"]["results"]
    assert "the weather is fine" in [result["content"] for result in recent]
    long_ago = run_tool(api, ada, "search_memory", convo_keyword_queries=["dog"], end_minutes_ago=5)
    assert long_ago["func_return"]["results"] == []
    assert "start_minutes_ago" in run_tool(api, ada, "search_memory", start_minutes_ago=-1)["stderr"][0]
