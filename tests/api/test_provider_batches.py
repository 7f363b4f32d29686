"""Batches that go to the provider's own: what is handed over, how its answers become runs, and that whatever goes wrong in between
costs neither an answer nor a second request."""

import json

import pytest
import stele
from batching_model import BatchingModel, completion, last_text

KEY = "key-of-the-lab"


@pytest.fixture
def lab():
    made = BatchingModel()
    yield made
    made.stop()


@pytest.fixture
def make(lab, own_server, tmp_path):
    """Makes servers whose default model is the lab's."""
    def make(*arguments):
        config = tmp_path / "stele.toml"
        config.write_text(f'[[providers]]\nname = "lab"\nbase_url = "{lab.url}"\nkey = "{KEY}"\nbatches = true\n')
        return own_server({"LETTA_DEFAULT_LLM_HANDLE": "lab/m"}, ["--config", str(config), "--batch-look-seconds", "1", *arguments]).start()

    return make


@pytest.fixture
def server(make, lab):
    made = make()
    yield made
    assert KEY not in made.log.read_text() and lab.keys == {f"Bearer {KEY}"}


def agents(api, count, **fields):
    return [api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}], **fields})["id"] for _ in range(count)]


def create(api, *requests):
    asked = [{"agent_id": agent, "messages": [{"role": "user", "content": text}]} for agent, text in requests]
    return api.post("/v1/messages/batches", {"requests": asked})


def ended(api, batch):
    path = f"/v1/messages/batches/{batch['id']}"
    stele.wait_until(lambda: api.get(path)["status"] != "running", 60)
    return api.get(path)


def handed_over(lab, count=1):
    stele.wait_until(lambda: len(lab.batches) == count, 60)
    return list(lab.batches.values())


def said(api, agent):
    return [m["content"] for m in api.get(f"/v1/agents/{agent}/messages?order=asc") if m["message_type"] in ("user_message", "assistant_message")]


def test_all_requests_go_together_and_their_answers_become_runs(server, lab):
    api = server.http()
    made = agents(api, 3)
    batch = create(api, *((agent, f"question {i}") for i, agent in enumerate(made)))
    [handed] = handed_over(lab)
    lines = lab.lines(handed)
    assert [line["method"] for line in lines] == ["POST"] * 3 and {line["url"] for line in lines} == {"/v1/chat/completions"}
    assert [last_text(line["body"]) for line in lines] == ["question 0", "question 1", "question 2"]
    assert all(line["body"]["model"] == "m" and not line["body"].get("stream") for line in lines)
    assert len({line["custom_id"] for line in lines}) == 3
    assert api.get(f"/v1/messages/batches/{batch['id']}")["status"] == "running" and not api.get("/v1/runs")
    # An agent is nobody's while a provider thinks about it.
    assert api.post(f"/v1/agents/{made[2]}/messages", {"input": "meanwhile"})["messages"][-1]["content"] == "live: meanwhile"
    lab.end()
    counts = ended(api, batch)["metadata"]["counts"]
    assert (counts["completed"], counts["failed"]) == (3, 0)
    for i, agent in enumerate(made):
        assert said(api, agent)[-2:] == [f"question {i}", f"batched: question {i}"]
    assert [last_text(body) for body in lab.live] == ["meanwhile"]
    steps = api.get(f"/v1/steps?agent_id={made[0]}")
    assert [(step["prompt_tokens"], step["completion_tokens"]) for step in steps] == [(100, 10)]
    shown = api.get(f"/v1/messages/batches/{batch['id']}/messages?limit=100")["messages"]
    assert {line["custom_id"] for line in lines} == {message["batch_item_id"] for message in shown}


def test_what_follows_upon_a_call_is_asked_for_at_once(server, lab):
    call = {"id": "c1", "type": "function", "function": {"name": "memory_insert", "arguments": json.dumps({"label": "human", "new_string": "likes tea"})}}
    lab.answer = lambda _: completion({"tool_calls": [call]})
    api = server.http()
    [agent] = agents(api, 1)
    batch = create(api, (agent, "I like tea"))
    handed_over(lab)
    lab.end()
    assert ended(api, batch)["metadata"]["counts"]["completed"] == 1
    assert api.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"] == "likes tea"
    [followed] = lab.live
    assert [m["role"] for m in followed["messages"][-2:]] == ["assistant", "tool"] and followed["messages"][-2]["tool_calls"][0]["id"] == "c1"


def test_an_agents_next_request_builds_on_its_first(server, lab):
    api = server.http()
    one, two = agents(api, 2)
    batch = create(api, (one, "first"), (two, "alone"), (one, "second"))
    [handed] = handed_over(lab)
    assert [last_text(line["body"]) for line in lab.lines(handed)] == ["first", "alone"]
    lab.end()
    assert ended(api, batch)["metadata"]["counts"]["completed"] == 3
    assert said(api, one)[-4:] == ["first", "batched: first", "second", "live: second"]
    assert "batched: first" in json.dumps(lab.live[0])


@pytest.mark.parametrize("end", ["completed", "expired", "failed"])
def test_what_is_not_answered_is_asked_for_directly(server, lab, end):
    lab.answer = lambda request: None if end == "failed" or "bad" in last_text(request) else completion({"content": "batched"})
    api = server.http()
    good, bad = agents(api, 2)
    batch = create(api, (good, "well"), (bad, "bad"))
    handed_over(lab)
    lab.end(end)
    assert ended(api, batch)["metadata"]["counts"]["completed"] == 2
    assert said(api, bad)[-1] == "live: bad" and said(api, good)[-1] == ("live: well" if end == "failed" else "batched")


@pytest.mark.parametrize("body", [completion({"content": ""}), {"no": "choices"}])
def test_an_answer_that_says_nothing_is_none(server, lab, body):
    lab.answer = lambda _: body
    api = server.http()
    [agent] = agents(api, 1)
    batch = create(api, (agent, "hello"))
    handed_over(lab)
    lab.end()
    assert ended(api, batch)["metadata"]["counts"]["completed"] == 1 and said(api, agent)[-1] == "live: hello"


@pytest.mark.parametrize("path, status", [("/files", 400), ("/files", 401), ("/batches", 400)])
def test_a_provider_that_refuses_is_asked_directly(server, lab, path, status):
    lab.refuses[path] = status
    api = server.http()
    [agent] = agents(api, 1)
    assert ended(api, create(api, (agent, "hello")))["metadata"]["counts"]["completed"] == 1
    assert said(api, agent)[-1] == "live: hello" and not lab.batches


def test_a_batch_that_arrived_unheard_is_not_handed_over_again(server, lab):
    lab.drops_created = True
    api = server.http()
    [agent] = agents(api, 1)
    batch = create(api, (agent, "hello"))
    handed_over(lab)
    lab.drops_created = False
    lab.end()
    assert ended(api, batch)["metadata"]["counts"]["completed"] == 1
    assert said(api, agent)[-1] == "batched: hello" and len(lab.batches) == 1 and not lab.live


def test_a_restart_goes_on_with_what_was_handed_over(server, lab):
    api = server.http()
    made = agents(api, 2)
    batch = create(api, *((agent, "hello") for agent in made))
    handed_over(lab)
    server.kill()
    lab.end()
    server.start()
    assert ended(server.http(), batch)["metadata"]["counts"]["completed"] == 2
    assert len(lab.batches) == 1 and not lab.live


def test_a_cancel_is_passed_on(server, lab):
    api = server.http()
    [agent] = agents(api, 1)
    batch = create(api, (agent, "hello"))
    [handed] = handed_over(lab)
    assert api.patch(f"/v1/messages/batches/{batch['id']}/cancel")["status"] == "cancelled"
    stele.wait_until(lambda: handed["status"] == "cancelled", 60)
    assert "hello" not in said(api, agent) and not lab.live
    assert api.post(f"/v1/agents/{agent}/messages", {"input": "still there?"})["messages"][-1]["content"] == "live: still there?"


def test_an_answer_of_another_model_is_not_taken_for_its_own(server, lab):
    api = server.http()
    [agent] = agents(api, 1)
    batch = create(api, (agent, "hello"))
    handed_over(lab)
    api.patch(f"/v1/agents/{agent}", {"model": "lab/other"})
    lab.end()
    assert ended(api, batch)["metadata"]["counts"]["completed"] == 1
    assert said(api, agent)[-1] == "live: hello" and lab.live[0]["model"] == "other"


def test_an_operator_can_keep_batches_here(make, lab):
    api = make("--batch-native", "false").http()
    [agent] = agents(api, 1)
    assert ended(api, create(api, (agent, "hello")))["metadata"]["counts"]["completed"] == 1
    assert said(api, agent)[-1] == "live: hello" and not lab.batches
