"""Streams whose clients don't read or go away, and a server that is asked to stop while there is work."""

import json
import signal
import threading

import pytest
import stele
from process_size import is_sanitized, peak_mb
from wire import Closed, Wire, request


def ask_for_stream(wire: Wire, agent: dict, text: str, **more):
    body = {"input": text, "streaming": True, **more}
    wire.send(request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps(body).encode()))
    found = wire.head()
    assert found.status == 200
    return found


def wait_for_answer(http, agent: dict) -> dict:
    """The agent's run, as soon as it has ended."""
    while True:
        runs = [run for run in http.get("/v1/runs?limit=100") if run["agent_id"] == agent["id"]]
        if runs and runs[0]["status"] not in ("created", "running"):
            return runs[0]


def texts(http, agent: dict) -> list:
    return [m["content"] for m in http.get(f"/v1/agents/{agent['id']}/messages?order=asc") if m["message_type"] == "assistant_message"]


def test_a_stream_is_an_event_stream_that_nobody_may_keep(server, agent):
    with Wire(server.port) as wire:
        head = ask_for_stream(wire, agent, "@say hello")
        assert head.header("Content-Type").startswith("text/event-stream")
        assert head.header("Cache-Control") == "no-cache" and head.header("X-Accel-Buffering") == "no"
        text = b""
        while piece := wire.chunk():
            text += piece
        assert text.endswith(b"data: [DONE]\n\n")
        assert wire.ask("GET", "/v1/health").status == 200


def test_a_client_that_leaves_decides_nothing_about_the_run(server, agent):
    http = server.http()
    for leave in ("close", "reset"):
        with Wire(server.port) as wire:
            ask_for_stream(wire, agent, f"@sleep 300\n@say after {leave}", stream_tokens=True)
            getattr(wire, leave)()
        assert wait_for_answer(http, agent)["status"] == "completed"
        while f"after {leave}" not in texts(http, agent):
            pass


def test_a_client_that_leaves_a_blocking_request_decides_nothing_either(server, agent):
    http = server.http()
    with Wire(server.port) as wire:
        wire.send(request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps({"input": "@sleep 300\n@say alone"}).encode()))
        wire.reset()
    while "alone" not in texts(http, agent):
        pass


def test_a_client_that_does_not_read_is_cut_and_its_run_completes(own_server):
    server = own_server(arguments=["--write-timeout-seconds", "1"]).start()
    http = server.http()
    agent = http.post("/v1/agents", {})
    with Wire(server.port, receive_buffer=4096) as wire:
        before = peak_mb(server)
        ask_for_stream(wire, agent, "@long 60000", stream_tokens=True)
        assert wait_for_answer(http, agent)["status"] == "completed"
        assert is_sanitized(server) or peak_mb(server) - before < 30, "what nobody reads must not pile up"
        assert texts(http, agent)[0].endswith("word59999")
        while server.open_connections() > 0:  # until ours is cut
            pass
        with pytest.raises((Closed, AssertionError, ValueError)):
            while True:
                wire.chunk()  # what had been sent, and then an end that no reader takes for a whole stream
    assert http.get("/v1/health")


def test_a_silent_stream_is_kept_alive(own_server):
    server = own_server().start()
    agents = [server.http().post("/v1/agents", {}) for _ in range(2)]
    texts = [b"", b""]
    with Wire(server.port) as pinged, Wire(server.port) as plain:
        ask_for_stream(pinged, agents[0], "@sleep 21000\n@say late", include_pings=True)
        ask_for_stream(plain, agents[1], "@sleep 21000\n@say late", include_pings=False)
        for i, wire in enumerate((pinged, plain)):
            while piece := wire.chunk():
                texts[i] += piece
    assert texts[0].count(b'"message_type":"ping"') >= 2, texts[0][:2000]
    assert b"ping" not in texts[1] and b"\n: " in b"\n" + texts[1], "a comment, that no proxy cuts what is silent"


def test_stopping_lets_work_at_hand_finish(own_server):
    server = own_server().start()
    http = server.http()
    agents = [http.post("/v1/agents", {}) for _ in range(3)]
    with Wire(server.port) as blocking, Wire(server.port) as streaming, Wire(server.port) as leaving, Wire(server.port) as idle:
        path = "/v1/agents/{}/messages"
        blocking.send(request("POST", path.format(agents[0]["id"]), json.dumps({"input": "@sleep 2000\n@say done"}).encode()))
        ask_for_stream(streaming, agents[1], "@sleep 2000\n@say streamed")
        ask_for_stream(leaving, agents[2], "@sleep 2000\n@say unheard")
        assert idle.ask("GET", "/v1/health").status == 200
        while [run["status"] for run in http.get("/v1/runs")].count("running") < 3:
            pass
        leaving.close()
        server.process.child.send_signal(signal.SIGTERM)
        assert idle.is_closed()
        found = blocking.answer()
        assert found.json()["messages"][-1]["content"] == "done" and found.header("Connection") == "close"
        text = b""
        while piece := streaming.chunk():
            text += piece
        assert b"streamed" in text and text.endswith(b"data: [DONE]\n\n")
        assert blocking.is_closed() and streaming.is_closed()
    assert server.process.child.wait(timeout=30) == 0
    http = server.start().http()
    assert texts(http, agents[2]) == ["unheard"], "a run is work at hand also when nobody listens"
    assert {run["status"] for run in http.get("/v1/runs")} == {"completed"}


def test_a_stream_that_outlasts_the_grace_is_told(own_server):
    server = own_server(arguments=["--grace-seconds", "1"]).start()
    agent = server.http().post("/v1/agents", {})
    with Wire(server.port) as wire, Wire(server.port) as blocked:
        ask_for_stream(wire, agent, "@sleep 60000\n@say never")
        blocked.send(request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps({"input": "queued"}).encode()))
        server.process.child.send_signal(signal.SIGTERM)
        text = b""
        while piece := wire.chunk():
            text += piece
        assert b"event: error\n" in text and b"stream_incomplete" in text and text.endswith(b"data: [DONE]\n\n")
        assert wire.is_closed()
        blocked.rest()
    assert server.process.child.wait(timeout=30) == 0
    http = server.start().http()
    assert [run["status"] for run in http.get("/v1/runs") if run["agent_id"] == agent["id"]] in ([], ["failed"])
    assert http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say again"})["messages"][-1]["content"] == "again"


def test_a_second_signal_stops_at_once(own_server):
    server = own_server().start()
    http = server.http()
    agent = http.post("/v1/agents", {})
    with Wire(server.port) as wire:
        ask_for_stream(wire, agent, "@sleep 60000\n@say never")
        server.process.child.send_signal(signal.SIGTERM)
        while True:  # until the first one was heard: nothing new is accepted
            try:
                Wire(server.port).close()
            except ConnectionError:
                break
        server.process.child.send_signal(signal.SIGINT)
        assert server.process.child.wait(timeout=30) == 1
    assert server.start().http().post(f"/v1/agents/{agent['id']}/messages", {"input": "@say up"})["messages"][-1]["content"] == "up"


def test_many_streams_are_told_at_once(own_server):
    server = own_server(arguments=["--grace-seconds", "1"]).start()
    http = server.http()
    agents = [http.post("/v1/agents", {}) for _ in range(50)]
    wires = [Wire(server.port) for _ in agents]
    threads = [threading.Thread(target=ask_for_stream, args=(wire, agent, "@sleep 60000\n@say never")) for wire, agent in zip(wires, agents)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    server.process.child.send_signal(signal.SIGTERM)
    for wire in wires:
        assert wire.rest().endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert server.process.child.wait(timeout=30) == 0
