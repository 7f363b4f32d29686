"""Asynchronous requests: the run is answered at once and polled to its end, or tells of its end by a callback, which goes
where the operator lets it go."""

import json

import letta_client
import pytest
import stele
from receiver import Receiver

ENDS = ("completed", "failed", "cancelled")


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def open_server(model, tmp_path_factory):
    """A server whose operator lets callbacks into private networks."""
    running = stele.Server(tmp_path_factory.mktemp("open"), model.environment(), ["--egress-private", "true"]).start()
    yield running
    running.kill()


def begin(http_, agent, text, **more):
    return http_.post(f"/v1/agents/{agent['id']}/messages/async", {"messages": [{"role": "user", "content": text}], **more})


def ended(http_, run_id):
    stele.wait_until(lambda: http_.get(f"/v1/runs/{run_id}")["status"] in ENDS)
    return http_.get(f"/v1/runs/{run_id}")


def called_back(http_, run_id):
    """The run, once what came of its callback is written."""
    def outcome():
        run = http_.get(f"/v1/runs/{run_id}")
        return run["callback_status_code"] is not None or run["callback_error"] is not None
    stele.wait_until(outcome)
    return http_.get(f"/v1/runs/{run_id}")


def test_a_run_that_may_not_begin_any_more_says_why(server):
    """It queues behind a run that ends waiting for a decision."""
    http_ = server.http(2)
    rule = {"type": "requires_approval", "tool_name": "memory_insert"}
    asked = http_.post("/v1/agents", {"tool_rules": [rule], "memory_blocks": [{"label": "human", "value": ""}]})
    runs = [begin(http_, asked, text)["id"] for text in ('@sleep 2000\n@call memory_insert {"label":"human","new_string":"x"}', "@say never")]
    assert ended(http_, runs[0])["stop_reason"] == "requires_approval"
    refused = ended(http_, runs[1])
    assert refused["status"] == "failed" and "waiting for approval" in refused["metadata"]["error"]
    assert refused["metadata"]["run_type"] == "send_message_async"
    assert "never" not in str(http_.get(f"/v1/agents/{asked['id']}/messages"))


def test_a_run_is_answered_at_once_and_holds_its_result_in_the_end(server, agent):
    client = letta_client.Letta(base_url=server.url, api_key="none")
    run = client.agents.messages.create_async(agent["id"], input='@call memory_insert {"label":"human","new_string":"x"}')
    assert run.status == "created" and run.background is True and run.metadata == {"run_type": "send_message_async"}
    assert run.completed_at is None and run.stop_reason is None and run.callback_sent_at is None
    http_ = server.http()
    run = ended(http_, run.id)
    assert run["status"] == "completed" and run["stop_reason"] == "end_turn"
    result = run["metadata"]["result"]
    assert result["messages"] == http_.get(f"/v1/runs/{run['id']}/messages")
    assert [m["message_type"] for m in result["messages"]] == ["user_message", "tool_call_message", "tool_return_message", "assistant_message"]
    assert result["stop_reason"]["stop_reason"] == "end_turn" and result["usage"]["step_count"] == 2
    assert [each.id for each in client.runs.messages.list(run["id"]).items] == [m["id"] for m in result["messages"]]


def test_its_events_can_be_followed(server, agent):
    http_ = server.http()
    run = begin(http_, agent, "@sleep 200\n@say hello")
    events = http_.events(f"/v1/runs/{run['id']}/stream", {"starting_after": 0})
    assert [e if isinstance(e, str) else e["message_type"] for e in events] == ["ping", "assistant_message", "stop_reason", "usage_statistics", "[DONE]"]


def test_a_failure_is_on_the_run(server, agent):
    http_ = server.http()
    run = ended(http_, begin(http_, agent, "@fail 401")["id"])
    assert run["status"] == "failed" and run["metadata"]["error"] and "result" not in run["metadata"]


def test_it_waits_behind_the_run_at_work_and_can_be_cancelled_there(server, agent):
    http_ = server.http()
    first, second = begin(http_, agent, "@sleep 2000\n@say first"), begin(http_, agent, "@say second")
    assert http_.get(f"/v1/runs/{second['id']}")["status"] == "created"
    third = begin(http_, agent, "@say third")
    assert http_.post(f"/v1/agents/{agent['id']}/messages/cancel", {"run_ids": [third["id"]]}) == {third["id"]: "cancelled"}
    assert [ended(http_, run["id"])["status"] for run in (first, second, third)] == ["completed", "completed", "cancelled"]


def test_an_unknown_agent_and_a_bad_request_are_refused_at_once(server, agent):
    http_ = server.http()
    with pytest.raises(stele.Refused) as refused:
        begin(http_, {"id": "agent-00000000-0000-4000-8000-000000000000"}, "x")
    assert refused.value.status == 404
    for url in ("nonsense", "ftp://example.com/", "http://user:secret@example.com/", "file:///etc/passwd"):
        with pytest.raises(stele.Refused) as refused:
            begin(http_, agent, "x", callback_url=url)
        assert refused.value.status == 422 and "callback_url" in refused.value.text


@pytest.mark.parametrize("text, status", [("@say hello", "completed"), ("@fail 401", "failed")])
def test_the_end_is_told_once(open_server, receiver, text, status):
    http_ = open_server.http()
    agent = http_.post("/v1/agents", {})
    run = called_back(http_, begin(http_, agent, text, callback_url=receiver.url)["id"])
    (path, kind, body), = receiver.got
    assert path == "/done" and kind == "application/json"
    assert body["run_id"] == run["id"] and body["status"] == run["status"] == status and body["completed_at"] == run["completed_at"]
    if status == "completed":
        assert body["metadata"]["result"]["messages"] == http_.get(f"/v1/runs/{run['id']}/messages")
        assert body["metadata"]["result"]["usage"] == run["metadata"]["result"]["usage"]
    else:
        assert body["metadata"]["error"] == run["metadata"]["error"]
    assert run["callback_status_code"] == 200 and run["callback_error"] is None and run["callback_sent_at"]


def test_a_repeated_request_does_not_call_back_twice(open_server, receiver):
    http_ = open_server.http()
    agent = http_.post("/v1/agents", {})
    body = {"messages": [{"role": "user", "content": "@sleep 300\n@say once", "otid": "otid-async"}], "callback_url": receiver.url}
    runs = [http_.post(f"/v1/agents/{agent['id']}/messages/async", body)["id"] for _ in range(3)]
    assert len(set(runs)) == 1
    called_back(http_, runs[0])
    assert http_.post(f"/v1/agents/{agent['id']}/messages/async", body)["id"] == runs[0]
    # Another run's callback, so that a second one of the first would have come by now.
    called_back(http_, begin(http_, agent, "@say other", callback_url=receiver.url)["id"])
    assert [body["run_id"] for _, _, body in receiver.got].count(runs[0]) == 1


def test_redirects_are_not_followed_and_refusals_are_recorded(open_server):
    http_ = open_server.http()
    agent = http_.post("/v1/agents", {})
    for status in (302, 500):
        receiver = Receiver(status)
        run = called_back(http_, begin(http_, agent, "@say x", callback_url=receiver.url)["id"])
        assert run["callback_status_code"] == status and [path for path, _, _ in receiver.got] == ["/done"]
        receiver.close()
    run = called_back(http_, begin(http_, agent, "@say x", callback_url=f"http://127.0.0.1:{stele.free_port()}/")["id"])
    assert run["callback_status_code"] is None and run["callback_error"] and run["status"] == "completed"


def test_callbacks_go_to_public_addresses_alone(server, receiver, agent):
    http_ = server.http()
    port = receiver.server.server_port
    for host in ("127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]"):
        run = called_back(http_, begin(http_, agent, "@say x", callback_url=f"http://{host}:{port}/")["id"])
        assert run["callback_status_code"] is None and "public" in run["callback_error"], host
    assert receiver.got == []


def test_a_crash_does_not_swallow_the_callback(own_server, receiver):
    server = own_server(arguments=["--egress-private", "true"]).start()
    agent = server.http().post("/v1/agents", {})
    run = begin(server.http(), agent, "@sleep 60000", callback_url=receiver.url)
    server.kill()
    server.start()
    run = called_back(server.http(), run["id"])
    (_, _, body), = receiver.got
    assert body["run_id"] == run["id"] and body["status"] == run["status"] == "failed" and "server stopped" in body["metadata"]["error"]
    server.kill()
    server.start()
    assert len(receiver.got) == 1


def test_older_clients_see_runs_as_jobs(server, agent):
    http_ = server.http(1)
    run_id = ended(http_, begin(http_, agent, "@say x")["id"])["id"]
    job = http_.get(f"/v1/jobs/{run_id}")
    assert list(job) == ["id", "user_id", "status", "job_type", "created_at", "updated_at", "completed_at", "stop_reason", "metadata", "background",
                         "agent_id", "callback_url", "callback_sent_at", "callback_status_code", "callback_error", "ttft_ns", "total_duration_ns",
                         "created_by_id", "last_updated_by_id"]
    assert job["status"] == "completed" and job["job_type"] == "run" and job["agent_id"] == agent["id"]
    assert job["metadata"]["result"]["messages"][-1]["content"] == "x"
    assert http_.send("PATCH", f"/v1/jobs/{run_id}/cancel")[0] == 200 and http_.get(f"/v1/jobs/{run_id}") == job, "it has ended already"
    assert http_.get("/v1/jobs") == [] and http_.get("/v1/jobs/active") == []
    working = begin(http_, agent, "@sleep 60000")["id"]
    assert http_.call("PATCH", f"/v1/jobs/{working}/cancel")["status"] == "cancelled"
    another = begin(http_, agent, "@sleep 60000")["id"]
    assert http_.delete(f"/v1/jobs/{another}")["status"] == "cancelled", "a run at work is ended before it is deleted"
    stele.wait_until(lambda: gone(http_, another))
    with pytest.raises(stele.Refused) as refused:
        http_.get("/v1/jobs/job-00000000-0000-4000-8000-000000000000")
    assert refused.value.status == 404


def gone(http_, run_id):
    try:
        http_.get(f"/v1/jobs/{run_id}")
        return False
    except stele.Refused as refused:
        assert refused.status == 404
        return True
