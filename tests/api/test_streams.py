"""Streams as bytes on the wire: order, framing, one stop reason, and clients that go away in the middle."""

import http.client
import json
import threading
import time

import pytest

DEADLINE_SECONDS = 30


@pytest.fixture(scope="module")
def http_(server):
    return server.http(2)


@pytest.fixture
def agent(http_):
    return http_.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Name: Grace."}]})


def until(condition, what):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def open_stream(server, agent, body, path="messages/stream"):
    """The connection and its answer, the body not yet read."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    connection.request("POST", f"/v1/agents/{agent['id']}/{path}", json.dumps(body), {"Content-Type": "application/json"})
    return connection, connection.getresponse()


def frames(text):
    """(event name or None, data) of every frame."""
    found = []
    for frame in text.split("\n\n"):
        if frame:
            lines = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
            found.append((lines.get("event"), lines["data"] if lines["data"] == "[DONE]" else json.loads(lines["data"])))
    return found


def kind(frame):
    name, data = frame
    return data if isinstance(data, str) else data["message_type"]


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("path", ["messages/stream", "messages"])
def test_the_frames_of_a_stream(server, agent, tokens, path):
    connection, answer = open_stream(server, agent, {
        "input": '@call memory_insert {"label":"human","new_string":"Likes tea."}', "streaming": True, "stream_tokens": tokens}, path)
    assert answer.status == 200 and answer.getheader("Content-Type").startswith("text/event-stream")
    text = answer.read().decode()
    connection.close()
    assert text.endswith("data: [DONE]\n\n") and text.count("[DONE]") == 1 and "event:" not in text
    events = frames(text)
    names = [kind(event) for event in events]
    assert names[0] == "ping" and events[0][1]["id"].startswith("ping-")
    assert names[-3:] == ["stop_reason", "usage_statistics", "[DONE]"] and names.count("stop_reason") == 1
    order = [name for i, name in enumerate(names) if name != names[i - 1]]
    assert order == ["ping", "tool_call_message", "tool_return_message", "assistant_message", "stop_reason", "usage_statistics", "[DONE]"]
    assert len({data["run_id"] for _, data in events if isinstance(data, dict) and "run_id" in data}) == 1
    for _, data in events[1:-3]:
        assert data["step_id"] and data["seq_id"] is None and data["otid"]


@pytest.mark.parametrize("body, kept", [({"include_pings": False}, ["tool_call_message", "tool_return_message", "assistant_message"]),
                                        ({"include_return_message_types": ["assistant_message"]}, ["ping", "assistant_message"]),
                                        ({"include_return_message_types": ["assistant_message"], "stream_tokens": True}, ["ping", "assistant_message"]),
                                        ({"include_return_message_types": ["tool_return_message"], "include_pings": False}, ["tool_return_message"])])
def test_filters_leave_the_end_of_the_stream_alone(http_, agent, body, kept):
    events = http_.events(f"/v1/agents/{agent['id']}/messages/stream", {"input": '@call conversation_search {"query":"x"}', **body})
    names = [event if isinstance(event, str) else event["message_type"] for event in events]
    assert [name for i, name in enumerate(names) if i == 0 or name != names[i - 1]] == [*kept, "stop_reason", "usage_statistics", "[DONE]"]


def test_what_was_told_is_stored_already(server, http_, agent):
    connection, answer = open_stream(server, agent, {"input": '@call conversation_search {"query":"x"}'})
    told = []
    while not told or "[DONE]" not in told[-1]:
        line = answer.readline().decode()
        if not line.startswith("data: {"):
            told.append(line)
            continue
        event = json.loads(line[6:])
        if event["message_type"].endswith("_message"):
            listed = [m["id"] for m in http_.get(f"/v1/agents/{agent['id']}/messages")]
            assert event["id"] in listed, event["message_type"]
        told.append(line)
    connection.close()


def test_a_failure_behind_good_steps_keeps_them(http_, agent):
    events = http_.events(f"/v1/agents/{agent['id']}/messages/stream", {"messages": [
        {"role": "user", "content": '@call memory_insert {"label":"human","new_string":"kept"}\n@fail_after_tool 400'}]})
    names = [event if isinstance(event, str) else event["message_type"] for event in events]
    assert names == ["ping", "tool_call_message", "tool_return_message", "stop_reason", "event: error", "error_message", "[DONE]"]
    assert "kept" in http_.get(f"/v1/agents/{agent['id']}/core-memory/blocks/human")["value"]
    listed = [m["message_type"] for m in http_.get(f"/v1/agents/{agent['id']}/messages?order=asc")]
    assert listed[-3:] == ["user_message", "tool_call_message", "tool_return_message"]
    answer = http_.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say alive"})
    assert answer["messages"][-1]["content"] == "alive"


@pytest.mark.parametrize("body", [{"input": "@sleep 200\n@say still said"}, {"input": "@slow 20\n@long 20", "stream_tokens": True},
                                  {"input": '@sleep 100\n@call memory_insert {"label":"human","new_string":"x"}'}])
@pytest.mark.parametrize("path", ["messages/stream", "messages"])
def test_a_client_that_goes_away_does_not_end_the_run(server, http_, model, agent, body, path):
    model.forget()
    if path == "messages":
        body = {"input": body["input"]}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
        connection.request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps(body), {"Content-Type": "application/json"})
        until(lambda: model.requests(), "the model was not asked")
    else:
        connection, answer = open_stream(server, agent, body)
        answer.readline()
    connection.sock.close() if connection.sock else answer.close()
    connection.close()
    until(lambda: (http_.get(f"/v1/runs?agent_id={agent['id']}") or [{"status": "none"}])[0]["status"] == "completed", "the run did not end")
    messages = http_.get(f"/v1/agents/{agent['id']}/messages?order=asc")
    assert messages[1]["content"] == body["input"] and messages[-1]["message_type"] == "assistant_message"


def test_a_client_that_leaves_the_queue_is_still_served(server, http_, agent):
    first = threading.Thread(target=lambda: http_.post(f"/v1/agents/{agent['id']}/messages", {"input": "@sleep 2000\n@say first"}))
    first.start()
    until(lambda: http_.get(f"/v1/runs?agent_id={agent['id']}&active=true"), "the first run did not begin")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    connection.request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps({"input": "@say second"}), {"Content-Type": "application/json"})
    until(lambda: len(http_.get("/v1/runs?active=true")) >= 2, "the second run does not wait")
    connection.close()
    first.join()
    until(lambda: [m.get("content") for m in http_.get(f"/v1/agents/{agent['id']}/messages?order=asc")][-1] == "second",
          "the run of the client that left was forgotten")


def test_many_followers_of_slow_agents_do_not_hold_up_a_quick_one(server, http_):
    slow = [http_.post("/v1/agents", {}) for _ in range(20)]
    streams = [open_stream(server, each, {"input": "@sleep 3000\n@say slow"}) for each in slow]
    quick = http_.post("/v1/agents", {})
    for number in range(5):
        assert http_.post(f"/v1/agents/{quick['id']}/messages", {"input": f"@say {number}"})["messages"][-1]["content"] == str(number)
    assert len(http_.get("/v1/runs?active=true&limit=100")) >= 20, "the slow agents had ended already: nothing was shown"
    for connection, answer in streams:
        assert '"content":"slow"' in answer.read().decode()
        connection.close()
