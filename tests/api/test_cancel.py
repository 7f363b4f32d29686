"""A run is ended wherever it is: in the queue, at the model, in a stream, between steps. What was committed stays, the run
is cancelled, its stream ends once, and the agent is usable at once."""

import json
import threading

import letta_client
import pytest
import scripted_model
import stele
from runs import in_background
from wire import Wire, request


@pytest.fixture
def http(server):
    return server.http(2)


@pytest.fixture
def sdk(server):
    return letta_client.Letta(base_url=server.url, api_key="none")


@pytest.fixture
def scripted(tmp_path):
    """A model whose every byte is the test's, and a server that knows no other."""
    model = scripted_model.ScriptedModel()
    environment = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": model.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}
    server = stele.Server(tmp_path, environment).start()
    yield model, server
    server.kill()
    model.stop()


def active(http, agent):
    return http.get(f"/v1/runs?agent_id={agent['id']}&active=true")


def begun(http, agent, count=1):
    stele.wait_until(lambda: len(active(http, agent)) == count)
    return active(http, agent)


def cancel(http, agent, *run_ids):
    return http.post(f"/v1/agents/{agent['id']}/messages/cancel", {"run_ids": list(run_ids)} if run_ids else None)


def say(http, agent, text, **more):
    return http.post(f"/v1/agents/{agent['id']}/messages", {"input": text, **more})


def check_usable(http, agent):
    answer = say(http, agent, "@say well")
    assert answer["stop_reason"]["stop_reason"] == "end_turn" and answer["messages"][-1]["content"] == "well"


def check_cancelled(http, agent, run_id):
    run = http.get(f"/v1/runs/{run_id}")
    assert run["status"] == "cancelled" and run["stop_reason"] == "cancelled" and run["completed_at"]
    assert "error" not in run["metadata"]
    assert not active(http, agent)


def end_of(events):
    return [e if isinstance(e, str) else e["message_type"] for e in events][-3:]


def test_a_run_that_waits_for_the_model_is_ended(http, model, agent, sdk):
    asked = in_background(lambda: say(http, agent, "@sleep 60000\n@say never"))
    run, = begun(http, agent)
    assert dict(sdk.agents.messages.cancel(agent["id"])) == {run["id"]: "cancelled"}
    answer = asked.done()
    assert answer["messages"] == [] and answer["stop_reason"]["stop_reason"] == "cancelled" and answer["usage"]["step_count"] == 0
    check_cancelled(http, agent, run["id"])
    step, = http.get(f"/v1/runs/{run['id']}/steps")
    assert step["status"] == "cancelled" and step["stop_reason"] == "cancelled" and step["error_type"] is None
    assert http.get(f"/v1/agents/{agent['id']}")["last_stop_reason"] == "cancelled"
    check_usable(http, agent)


@pytest.mark.parametrize("stream", [False, True])
def test_the_connection_to_the_model_is_closed(scripted, stream):
    model, server = scripted
    http = server.http()
    agent = http.post("/v1/agents", {})
    beginning = scripted_model.STREAM_HEAD + scripted_model.framed(scripted_model.events(scripted_model.chunk({"content": "half an "}), done=False))

    def half_a_stream(connection, body):
        connection.sendall(beginning)
        return scripted_model.silence()(connection, body)

    silent = threading.Event()

    def until_gone(connection, body):
        (half_a_stream if stream else scripted_model.silence())(connection, body)
        silent.set()
        return False

    model.answer_with(until_gone, scripted_model.whole({"content": "again"}))
    path = f"/v1/agents/{agent['id']}/messages"
    asked = in_background(lambda: http.events(path + "/stream", {"input": "x", "stream_tokens": True}) if stream else http.post(path, {"input": "x"}))
    stele.wait_until(lambda: model.requests)
    run, = begun(http, agent)
    assert cancel(http, agent, run["id"]) == {run["id"]: "cancelled"}
    assert silent.wait(20), "the model's server still holds its connection"
    found = asked.done()
    if stream:
        assert end_of(found) == ["stop_reason", "usage_statistics", "[DONE]"]
    assert http.post(path, {"input": "y"})["messages"][-1]["content"] == "again"
    assert [turn["role"] for turn in model.requests[-1]["messages"]][1:] == ["user"], "the broken step left something"


@pytest.mark.parametrize("tokens", [False, True])
def test_a_stream_ends_once(http, agent, tokens):
    events = in_background(lambda: http.events(f"/v1/agents/{agent['id']}/messages/stream", {
        "input": "@slow 20\n@long 5000" if tokens else "@sleep 60000", "stream_tokens": tokens}))
    run, = begun(http, agent)
    assert cancel(http, agent) == {run["id"]: "cancelled"}
    told = events.done()
    names = [e if isinstance(e, str) else e["message_type"] for e in told]
    assert names[-3:] == ["stop_reason", "usage_statistics", "[DONE]"]
    assert names.count("stop_reason") == 1 and names.count("[DONE]") == 1 and "event: error" not in names
    assert told[-3]["stop_reason"] == "cancelled"
    check_cancelled(http, agent, run["id"])
    check_usable(http, agent)


def test_the_steps_before_the_cancelled_one_stay(http, agent):
    text = '@call memory_insert {"label":"human","new_string":"kept"}\n@sleep 400'
    asked = in_background(lambda: say(http, agent, text))
    run, = begun(http, agent)
    stele.wait_until(lambda: "kept" in http.get(f"/v1/agents/{agent['id']}/core-memory/blocks/human")["value"])
    assert cancel(http, agent, run["id"]) == {run["id"]: "cancelled"}
    answer = asked.done()
    assert [m["message_type"] for m in answer["messages"]] == ["tool_call_message", "tool_return_message"]
    assert answer["stop_reason"]["stop_reason"] == "cancelled" and answer["usage"]["step_count"] == 1
    check_cancelled(http, agent, run["id"])
    listed = [m["message_type"] for m in http.get(f"/v1/agents/{agent['id']}/messages?order=asc")]
    assert listed == ["system_message", "user_message", "tool_call_message", "tool_return_message"]
    assert sorted(step["status"] for step in http.get(f"/v1/runs/{run['id']}/steps")) == ["cancelled", "success"]
    check_usable(http, agent)


def test_a_run_in_the_queue_is_ended_and_the_one_before_it_is_not(http, agent, model):
    first = in_background(lambda: say(http, agent, "@hold\n@say first"))
    ahead, = begun(http, agent)
    second = in_background(lambda: say(http, agent, "@say second"))
    waiting = next(run for run in begun(http, agent, 2) if run["id"] != ahead["id"])
    assert cancel(http, agent, waiting["id"]) == {waiting["id"]: "cancelled"}
    answer = second.done()
    assert answer["messages"] == [] and answer["stop_reason"]["stop_reason"] == "cancelled"
    model.release()
    assert first.done()["messages"][-1]["content"] == "first"
    check_cancelled(http, agent, waiting["id"])
    assert http.get(f"/v1/runs/{ahead['id']}")["status"] == "completed"
    check_usable(http, agent)


def test_all_of_an_agents_runs_end_at_once_and_nobody_elses(http, agent):
    other = http.post("/v1/agents", {})
    spared = in_background(lambda: say(http, other, "@sleep 2000\n@say spared"))
    asked = [in_background(lambda: say(http, agent, "@sleep 60000")) for _ in range(6)]
    runs = begun(http, agent, 6)
    assert cancel(http, agent) == {run["id"]: "cancelled" for run in runs}
    assert {each.done()["stop_reason"]["stop_reason"] for each in asked} == {"cancelled"}
    assert spared.done()["messages"][-1]["content"] == "spared"
    check_usable(http, agent)


def test_a_run_whose_client_has_left_is_ended(server, http, agent):
    with Wire(server.port) as wire:
        wire.send(request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps({"input": "@sleep 60000"}).encode()))
        run, = begun(http, agent)
    assert cancel(http, agent) == {run["id"]: "cancelled"}
    check_cancelled(http, agent, run["id"])
    check_usable(http, agent)


def test_a_finished_run_stays_what_it_is(http, agent):
    run_id = say(http, agent, "@say done")["messages"][0]["run_id"]
    before = http.get(f"/v1/runs/{run_id}")
    assert cancel(http, agent, run_id) == {run_id: "completed"}
    assert http.get(f"/v1/runs/{run_id}") == before


def test_what_cannot_be_cancelled_is_refused(http, agent, sdk):
    with pytest.raises(letta_client.ConflictError) as refused:
        sdk.agents.messages.cancel(agent["id"])
    assert "No active runs" in str(refused.value)
    with pytest.raises(stele.Refused) as refused:
        cancel(http, agent, "run-00000000-0000-4000-8000-000000000000")
    assert refused.value.status == 404
    with pytest.raises(stele.Refused) as refused:
        cancel(http, agent, "nonsense")
    assert refused.value.status == 422 and "run_ids" in refused.value.text
    other = http.post("/v1/agents", {})
    run_id = say(http, other, "@say x")["messages"][0]["run_id"]
    with pytest.raises(stele.Refused) as refused:
        cancel(http, agent, run_id)
    assert refused.value.status == 404
    with pytest.raises(stele.Refused) as refused:
        http.post("/v1/agents/agent-00000000-0000-4000-8000-000000000000/messages/cancel")
    assert refused.value.status == 404


def test_cancel_at_any_moment_leaves_a_valid_history(http, agent):
    """Cancels race with steps at random distances; afterwards calls and returns pair up and the agent answers."""
    for pause in range(0, 40, 2):
        asked = in_background(lambda: say(http, agent, f'@sleep 5\n@call memory_insert {{"label":"human","new_string":"{pause}"}}', max_steps=3))
        stele.wait_until(lambda: active(http, agent) or not asked.is_alive())
        threading.Event().wait(pause / 1000)
        try:
            outcome = cancel(http, agent)
            assert set(outcome.values()) <= {"cancelled", "completed"}
        except stele.Refused as refused:
            assert refused.status == 409
        assert asked.done()["stop_reason"]["stop_reason"] in ("cancelled", "end_turn")
    open_calls = []
    for message in http.get(f"/v1/agents/{agent['id']}/messages?order=asc&limit=1000"):
        if message["message_type"] == "tool_return_message":
            assert [each["tool_call_id"] for each in message["tool_returns"]] == open_calls
            open_calls = []
            continue
        assert not open_calls
        if message["message_type"] == "tool_call_message":
            open_calls = [call["tool_call_id"] for call in message["tool_calls"]]
    check_usable(http, agent)


def test_a_request_may_refuse_to_wait(http, agent):
    first = in_background(lambda: say(http, agent, "@sleep 2000\n@say first"))
    run, = begun(http, agent)
    with pytest.raises(stele.Refused) as refused:
        say(http, agent, "second", double_texting="reject")
    assert refused.value.status == 409 and refused.value.body["run_id"] == run["id"]
    queued = in_background(lambda: say(http, agent, "@say third", double_texting="queue"))
    assert first.done()["messages"][-1]["content"] == "first"
    assert queued.done()["messages"][-1]["content"] == "third"
    assert say(http, agent, "@say fourth", double_texting="reject")["messages"][-1]["content"] == "fourth"
    with pytest.raises(stele.Refused) as refused:
        say(http, agent, "x", double_texting="interrupt")
    assert refused.value.status == 422 and "double_texting" in refused.value.text
    assert "second" not in json.dumps(http.get(f"/v1/agents/{agent['id']}/messages"))


def test_an_agent_has_a_rule_for_requests_that_do_not_say(http, model):
    agent = http.post("/v1/agents", {"double_texting": "reject"})
    assert agent["double_texting"] == "reject" and http.get(f"/v1/agents/{agent['id']}")["double_texting"] == "reject"
    first = in_background(lambda: say(http, agent, "@sleep 2000\n@say first"))
    run, = begun(http, agent)
    with pytest.raises(stele.Refused) as refused:
        say(http, agent, "second")
    assert refused.value.status == 409 and refused.value.body["run_id"] == run["id"]
    assert say(http, agent, "@say third", double_texting="queue")["messages"][-1]["content"] == "third"
    assert first.done()["messages"][-1]["content"] == "first"
    changed = http.patch(f"/v1/agents/{agent['id']}", {"double_texting": "queue"})
    assert changed["double_texting"] == "queue"
    talk = http.post(f"/v1/conversations?agent_id={agent['id']}")
    path = f"/v1/conversations/{talk['id']}/messages"
    first = in_background(lambda: http.post(path, {"input": "@sleep 2000\n@say one", "streaming": False}))
    begun(http, agent)
    assert http.post(path, {"input": "@say two", "streaming": False})["messages"][-1]["content"] == "two"
    first.done()
    assert "double_texting" not in http.patch(f"/v1/agents/{agent['id']}", {"double_texting": None})
    with pytest.raises(stele.Refused) as refused:
        http.patch(f"/v1/agents/{agent['id']}", {"double_texting": "interrupt"})
    assert refused.value.status == 422 and "double_texting" in refused.value.text
