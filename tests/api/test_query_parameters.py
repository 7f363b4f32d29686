"""The query parameters of the published contract and of the clients (data/query_parameters.tsv): this server's document names each, and
those that only some clients send do what they say."""

import csv
import pathlib
import re
import uuid

import pytest
import stele
from stele import refused

ROWS = list(csv.DictReader((pathlib.Path(__file__).parent / "data/query_parameters.tsv").open(), delimiter="\t"))


def shape(path: str) -> str:
    """Names of parameters are no part of a path."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_parameter_is_known(server):
    document = server.http().get("/openapi.json")
    known = {(verb.upper(), shape(path)): {each["name"].removesuffix("[]") for each in operation.get("parameters", []) if each["in"] == "query"}
             for path, verbs in document["paths"].items() for verb, operation in verbs.items()}
    assert len(ROWS) > 90
    lacking = {f"{row['method']} {row['path']}": set(row["parameters"].split()) - known[row["method"], shape(row["path"])] for row in ROWS}
    assert {name: left for name, left in lacking.items() if left} == {}


@pytest.fixture(scope="module")
def runs(server):
    """An agent with three runs, of which one is on behalf of an identity."""
    http = server.http(2)
    agent = http.post("/v1/agents", {})["id"]
    key = f"user_{uuid.uuid4().hex[:8]}"
    identity = http.post("/v1/identities/", {"identifier_key": key, "name": "Ada", "identity_type": "user"})["id"]
    path = f"/v1/agents/{agent}/messages"
    plain = [http.post(path, {"input": "hello"})["messages"][0]["run_id"] for _ in range(2)]
    theirs = http.post(path, {"messages": [{"role": "user", "content": "hello"}], "identity_id": key})["messages"][0]["run_id"]
    return {"agent": agent, "key": key, "identity": identity, "plain": plain, "theirs": theirs}


def test_runs_of_an_identity(server, runs):
    http = server.http(2)
    for named in (runs["key"], runs["identity"]):
        assert [run["id"] for run in http.get(f"/v1/runs?identity_id={named}")] == [runs["theirs"]]
        assert [run["id"] for run in http.get(f"/v1/runs?identity_id={named}&agent_id={runs['agent']}&statuses=failed")] == []
    assert http.get(f"/v1/runs?identity_id=identity-{stele.GONE}") == []
    refused(http, "GET", "/v1/runs?identity_id=nobody", 404)


def test_a_run_at_work_is_found_by_its_identity(server, runs):
    http = server.http(2)
    agent = http.post("/v1/agents", {})["id"]
    path = f"/v1/agents/{agent}/messages"
    before = http.post(path + "/async", {"messages": [{"role": "user", "content": "@sleep 60000"}]})["id"]  # the next one waits for it
    run = http.post(path + "/async", {"messages": [{"role": "user", "content": "hello"}], "identity_id": runs["identity"]})["id"]
    assert [each["id"] for each in http.get(f"/v1/runs?identity_id={runs['identity']}&agent_id={agent}")] == [run]
    assert [each["id"] for each in http.get(f"/v1/runs/active?identity_id={runs['identity']}")] == [run]
    assert http.get(f"/v1/runs?identity_id=identity-{stele.GONE}&agent_id={agent}") == []
    http.post(path + "/cancel", {"run_ids": [before, run]})


def test_runs_by_the_part_that_is_faster(server, runs):
    http = server.http(2)
    slow_first = http.get(f"/v1/runs?agent_id={runs['agent']}&order_by=duration")
    assert len(slow_first) == 3
    for percentile, count in ((1, 3), (33, 3), (34, 2), (66, 2), (67, 1), (100, 1)):
        found = http.get(f"/v1/runs?agent_id={runs['agent']}&duration_percentile={percentile}")
        wanted = [run for run in slow_first if run["total_duration_ns"] >= slow_first[count - 1]["total_duration_ns"]]
        assert {run["id"] for run in found} == {run["id"] for run in wanted}, percentile
    assert http.get(f"/v1/runs?agent_id=agent-{stele.GONE}&duration_percentile=50") == []
    for wrong in ("0", "101", "half"):
        assert "query.duration_percentile" in refused(http, "GET", f"/v1/_internal_runs?duration_percentile={wrong}", 422).text


def test_messages_of_a_run_by_role(server):
    http = server.http(2)
    agent = http.post("/v1/agents", {})["id"]
    run = http.post(f"/v1/agents/{agent}/messages", {"input": '@call conversation_search {"query": "x"}'})["messages"][0]["run_id"]

    def kinds(role):
        return [each["message_type"] for each in http.get(f"/v1/runs/{run}/messages?role={role}")]

    assert kinds("user") == ["user_message"] and kinds("tool") == ["tool_return_message"]
    assert kinds("assistant") == ["tool_call_message", "assistant_message"] and kinds("function") == []
    assert "query.role" in refused(http, "GET", f"/v1/runs/{run}/messages?role=nobody", 422).text


def test_messages_of_a_batch_with_the_older_cursor(server):
    http = server.http(1)
    agent = http.post("/v1/agents", {})["id"]
    words = [{"agent_id": agent, "messages": [{"role": "user", "content": f"@say {i}"}]} for i in range(2)]
    batch = http.post("/v1/messages/batches", {"requests": words})["id"]
    stele.wait_until(lambda: http.get(f"/v1/messages/batches/{batch}")["status"] == "completed")
    path = f"/v1/messages/batches/{batch}/messages"
    newest_first = [each["id"] for each in http.get(path)["messages"]]
    assert len(newest_first) == 4
    for descending, wanted in (("true", newest_first), ("false", newest_first[::-1])):
        walked: list = []
        while page := http.get(f"{path}?limit=1&sort_descending={descending}" + (f"&cursor={walked[-1]}" if walked else ""))["messages"]:
            walked += [each["id"] for each in page]
        assert walked == wanted


def test_the_older_bound_of_a_compaction(server):
    http = server.http(1)
    made = http.post("/v1/agents", {})
    path = f"/v1/agents/{made['id']}"
    for i in range(8):
        http.post(path + "/messages", {"messages": [{"role": "user", "content": f"message {i}"}]})
    before = len(http.get(path)["message_ids"])
    refused(http, "POST", path + "/summarize?max_message_length=0", 422)
    wide = http.post(path + f"/summarize?max_message_length={before}", {"preview": True})["num_messages_after"]
    done = http.post(path + "/summarize?max_message_length=5")
    assert 2 < done["num_messages_after"] <= 5 < wide < before
    assert len(http.get(path)["message_ids"]) == done["num_messages_after"]
