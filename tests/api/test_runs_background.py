"""Background runs: their streams are numbered, go on without their client, and are taken up again from any event, by any
number of readers, while the run is at work, after it, and after the server was started anew."""

import json
import random
import threading

import letta_client
import pytest
import stele
from runs import DEADLINE_SECONDS, frames, open_stream


def begin(server, agent, text, most=None, **more):
    """Begins a background run, reads `most` of its frames and leaves. Gives the run's id and the frames."""
    connection, answer = open_stream(server, f"/v1/agents/{agent['id']}/messages/stream", {"input": text, "background": True, **more})
    told = frames(answer, most)
    run_id = answer.getheader("X-Stele-Run-Id")
    connection.close()
    return run_id, told


def resume(server, run_id, after=0, most=None, headers=None, **more):
    connection, answer = open_stream(server, f"/v1/runs/{run_id}/stream", {"starting_after": after, **more}, headers)
    told = frames(answer, most)
    connection.close()
    return told


def seqs(told):
    return [data["seq_id"] for _, data in told if isinstance(data, dict) and "seq_id" in data and data["message_type"] not in ("ping", "error_message")]


def spoken(told):
    return "".join(data["content"] for _, data in told if isinstance(data, dict) and data["message_type"] == "assistant_message")


def names(told):
    return [data if isinstance(data, str) else data["message_type"] for _, data in told]


def last_seq(told, before):
    return max([before, *seqs(told)])


@pytest.fixture
def http_(server):
    return server.http(2)


@pytest.mark.parametrize("tokens", [False, True])
def test_every_event_is_numbered_and_names_its_run(server, agent, tokens):
    run_id, told = begin(server, agent, "@long 20", stream_tokens=tokens)
    assert told[0][1]["message_type"] == "ping" and told[0][1]["seq_id"] == 1
    assert seqs(told) == list(range(2, 2 + len(seqs(told)))) and len(seqs(told)) == (20 if tokens else 1)
    for mark, data in told[:-3]:
        assert data["run_id"] == run_id
        assert mark == (None if data["message_type"] == "ping" else str(data["seq_id"]))
    assert names(told)[-3:] == ["stop_reason", "usage_statistics", "[DONE]"]
    assert server.http().get(f"/v1/runs/{run_id}")["background"] is True


def test_the_whole_stream_and_each_rest_of_it_can_be_told_again(server, http_, agent):
    run_id, told = begin(server, agent, '@call memory_insert {"label":"human","new_string":"x"}\n@reason so so', stream_tokens=True)
    for _ in range(2):  # from memory or store, whatever is there first, then from the store
        assert resume(server, run_id) == told
        for after in range(1, seqs(told)[-1] + 3):
            rest = [frame for frame in told if not (isinstance(frame[1], dict) and frame[1].get("seq_id") is not None and frame[1]["seq_id"] <= after)]
            assert resume(server, run_id, after) == rest, after
            assert resume(server, run_id, headers={"Last-Event-ID": str(after)}) == rest, after
        stele.wait_until(lambda: not http_.get(f"/v1/runs/active?agent_id={agent['id']}"))
    assert "ping" not in names(resume(server, run_id, include_pings=False))


def test_readers_come_and_go_while_the_run_is_at_work(server, agent):
    """Cuts at random places: the pieces put together are the uncut run, for each of several readers."""
    run_id, told = begin(server, agent, "@slow 3\n@long 300", most=3, stream_tokens=True)
    failures = []

    def read(seed):
        dice = random.Random(seed)
        pieces, seen = [], 0
        while "[DONE]" not in names(pieces[-1:]):
            fresh = resume(server, run_id, seen, most=dice.randrange(1, 60))
            pieces += fresh
            seen = last_seq(fresh, seen)
        expected = " ".join(f"word{i}" for i in range(300))
        if spoken(pieces) != expected or seqs(pieces) != list(range(2, 302)):
            failures.append((seed, spoken(pieces)))

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for each in readers:
        each.start()
    for each in readers:
        each.join(DEADLINE_SECONDS)
    assert not failures and not any(each.is_alive() for each in readers)


def test_a_run_outlives_its_client_and_a_stream_a_restart(own_server):
    server = own_server().start()
    agent = server.http().post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}]})
    run_id, told = begin(server, agent, "@long 1000", stream_tokens=True)
    cut_id, _ = begin(server, agent, "@slow 1\n@long 200", most=2, stream_tokens=True)
    assert server.stop() == 0, "a run at work is waited for"
    server.start()
    assert resume(server, run_id) == told
    rest = resume(server, cut_id, 100)
    assert seqs(rest) == list(range(101, 202)) and names(rest)[-3:] == ["stop_reason", "usage_statistics", "[DONE]"]
    pieces, seen = [], 0
    dice = random.Random(4)
    while "[DONE]" not in names(pieces[-1:]):
        fresh = resume(server, run_id, seen, most=dice.randrange(1, 200))
        pieces += fresh
        seen = last_seq(fresh, seen)
    assert spoken(pieces) == spoken(told) and seqs(pieces) == seqs(told)


def test_a_run_that_a_crash_cut_off_is_closed_and_its_stream_ends(own_server):
    server = own_server().start()
    agent = server.http().post("/v1/agents", {})
    run_id, told = begin(server, agent, "@slow 5\n@long 5000", most=60, stream_tokens=True)
    server.kill()
    server.start()
    run = server.http().get(f"/v1/runs/{run_id}")
    assert run["status"] == "failed" and run["stop_reason"] == "error" and "server stopped" in run["metadata"]["error"]
    rest = resume(server, run_id, last_seq(told, 0))
    assert names(rest)[-3:] == ["stop_reason", "error_message", "[DONE]"] and rest[-2][0] == "error"
    assert rest[-3][1]["stop_reason"] == "error" and rest[-2][1]["error_type"] == "stream_incomplete"
    whole = resume(server, run_id)
    assert seqs(whole) == list(range(2, 2 + len(seqs(whole)))), "what is told again has no gaps"
    assert spoken(told).startswith(spoken(whole)) or spoken(whole).startswith(spoken(told))
    answer = server.http().post(f"/v1/agents/{agent['id']}/messages", {"input": "@say well"})
    assert answer["messages"][-1]["content"] == "well"


def test_a_failure_is_told_again_as_it_was(server, agent):
    run_id, told = begin(server, agent, "@fail 401")
    assert names(told) == ["ping", "stop_reason", "error_message", "[DONE]"]
    stele.wait_until(lambda: server.http().get(f"/v1/runs/{run_id}")["status"] == "failed")
    for _ in range(20):
        assert resume(server, run_id) == told


def test_a_cancelled_run_ends_the_streams_of_all_its_readers(server, http_, agent):
    run_id, _ = begin(server, agent, "@slow 20\n@long 5000", most=2, stream_tokens=True)
    results = []
    readers = [threading.Thread(target=lambda: results.append(resume(server, run_id))) for _ in range(3)]
    for each in readers:
        each.start()
    assert http_.post(f"/v1/agents/{agent['id']}/messages/cancel", {"run_ids": [run_id]}) == {run_id: "cancelled"}
    for each in readers:
        each.join(DEADLINE_SECONDS)
    results.append(resume(server, run_id))
    for told in results:
        assert names(told)[-3:] == ["stop_reason", "usage_statistics", "[DONE]"] and names(told).count("stop_reason") == 1
        assert told[-3][1]["stop_reason"] == "cancelled"


def test_what_cannot_be_resumed_is_refused(server, http_, agent):
    run_id = http_.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say x"})["messages"][0]["run_id"]
    cases = [(run_id, {}, None, 400, "not created in background mode"), ("run-00000000-0000-4000-8000-000000000000", {}, None, 404, ""),
             (run_id, {"starting_after": -1}, None, 422, "starting_after"), (run_id, {"batch_size": 0}, None, 422, "batch_size"),
             (run_id, {}, {"Last-Event-ID": "x"}, 422, "Last-Event-ID")]
    for run, body, headers, status, text in cases:
        with pytest.raises(stele.Refused) as refused:
            http_.post(f"/v1/runs/{run}/stream", body, headers=headers)
        assert refused.value.status == status and text in refused.value.text


def test_a_repeated_request_is_told_the_same_stream(server, agent):
    body = {"messages": [{"role": "user", "content": "@slow 5\n@long 50", "otid": "otid-1"}], "background": True, "stream_tokens": True}
    path = f"/v1/agents/{agent['id']}/messages/stream"
    connection, answer = open_stream(server, path, body)
    _, same = open_stream(server, path, body)
    run_id = answer.getheader("X-Stele-Run-Id")
    assert same.getheader("X-Stele-Run-Id") == run_id
    told = frames(answer)
    assert frames(same) == told
    stele.wait_until(lambda: server.http().get(f"/v1/runs/{run_id}")["status"] == "completed")
    _, after = open_stream(server, path, body)
    assert after.getheader("X-Stele-Run-Id") == run_id and frames(after) == told


def test_only_the_newest_events_are_kept(own_server):
    server = own_server().start()
    agent = server.http().post("/v1/agents", {})
    run_id, told = begin(server, agent, "@long 12000", stream_tokens=True)
    assert seqs(told) == list(range(2, 12_002))
    server.stop()
    server.start()
    assert seqs(resume(server, run_id, 11_000)) == list(range(11_001, 12_002))
    with pytest.raises(stele.Refused) as refused:
        resume(server, run_id)
    assert refused.value.status == 410


def test_the_official_client_resumes(server, agent):
    client = letta_client.Letta(base_url=server.url, api_key="none")
    first = list(client.agents.messages.create(agent["id"], input="@long 30", streaming=True, stream_tokens=True, background=True))
    run_id = first[0].run_id
    again = list(client.runs.messages.stream(run_id, starting_after=0))
    assert [event.to_dict() for event in again] == [event.to_dict() for event in first]
    rest = list(client.runs.messages.stream(run_id, starting_after=20, include_pings=False, batch_size=5, poll_interval=0.1))
    assert [event.seq_id for event in rest[:-2]] == list(range(21, 32))
    assert client.runs.retrieve(run_id).background is True
