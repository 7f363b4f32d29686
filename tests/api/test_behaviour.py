"""What holds for every client: idempotency, concurrency, budgets of SQL, the document, the page."""

import json
import threading
import uuid

import pytest
import stele


def test_an_idempotency_key_is_carried_out_once(http):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = http.post("/v1/blocks", {"label": "once"}, headers=key)
    _, text, headers = http.send("POST", "/v1/blocks", {"label": "once"}, headers=key)
    assert first["id"] in text and headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stele.Refused) as other:
        http.post("/v1/blocks", {"label": "another"}, headers=key)
    assert other.value.status == 422


def test_an_idempotency_key_of_a_message(http, agent):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/v1/agents/{agent['id']}/messages"
    first = http.post(path, {"input": "@say once"}, headers=key)
    again = http.post(path, {"input": "@say once"}, headers=key)
    assert [m["id"] for m in again["messages"]] == [m["id"] for m in first["messages"]]
    assert len(http.get(f"/v1/agents/{agent['id']}")["message_ids"]) == 3
    failing = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(2):
        with pytest.raises(stele.Refused) as failed:
            http.post(path, {"input": "@fail 400"}, headers=failing)
        assert failed.value.status == 400


def counters(http) -> dict:
    _, text, _ = http.send("GET", "/metrics")
    return {line.split()[0]: int(line.split()[1]) for line in text.splitlines() if not line.startswith("#")}


def test_a_plain_turn_costs_eight_statements_and_one_commit(own_server):
    http = own_server().start().http()
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "x"}]})
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say warm"})
    before = counters(http)
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say plain"})
    after = counters(http)
    assert after["stele_store_statements_total"] - before["stele_store_statements_total"] <= 8
    assert after["stele_store_commits_total"] - before["stele_store_commits_total"] == 1


def test_agents_never_wait_for_one_another(http, model):
    slow, quick = http.post("/v1/agents", {}), http.post("/v1/agents", {})
    done = []
    waiting = threading.Thread(target=lambda: done.append(http.post(f"/v1/agents/{slow['id']}/messages", {"input": "@hold\n@say slow"})))
    waiting.start()
    for _ in range(5):
        http.post(f"/v1/agents/{quick['id']}/messages", {"input": "@say quick"})
    assert not done
    model.release()
    waiting.join()
    assert done[0]["messages"][-1]["content"] == "slow"


def test_requests_to_one_agent_queue(http, agent):
    def talk(number):
        http.post(f"/v1/agents/{agent['id']}/messages", {"input": f"@sleep 20\n@say {number}"})

    threads = [threading.Thread(target=talk, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [m["message_type"] for m in http.get(f"/v1/agents/{agent['id']}/messages?order=asc")]
    assert kinds == ["system_message"] + ["user_message", "assistant_message"] * 8


def test_memory_edits_and_rest_edits_of_one_block_lose_nothing(http):
    block = http.post("/v1/blocks", {"label": "shared", "value": ""})
    agents = [http.post("/v1/agents", {"block_ids": [block["id"]]}) for _ in range(4)]

    def talk(agent, number):
        for i in range(5):
            http.post(f"/v1/agents/{agent['id']}/messages", {"input": f'@call memory_insert {{"label":"shared","new_string":"{number}-{i}"}}'})

    threads = [threading.Thread(target=talk, args=(agent, n)) for n, agent in enumerate(agents)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = http.get(f"/v1/blocks/{block['id']}")["value"].split()
    assert sorted(lines) == sorted(f"{n}-{i}" for n in range(4) for i in range(5))


def test_a_stale_if_match_is_refused(http):
    block = http.post("/v1/blocks", {"label": "versioned", "value": "1"})
    _, _, headers = http.send("GET", f"/v1/blocks/{block['id']}")
    assert http.patch(f"/v1/blocks/{block['id']}", {"value": "2"}, headers={"If-Match": headers["ETag"]})["value"] == "2"
    with pytest.raises(stele.Refused) as stale:
        http.patch(f"/v1/blocks/{block['id']}", {"value": "3"}, headers={"If-Match": headers["ETag"]})
    assert stale.value.status == 412


def test_the_document_names_every_route_and_every_route_answers(http):
    document = http.get("/openapi.json")
    assert document["openapi"].startswith("3.") and len(document["paths"]) > 30
    for path, operations in document["paths"].items():
        for method in operations:
            concrete = path.replace("{block_label}", "human")
            for name in ("agent", "block", "tool", "run", "step", "message"):
                concrete = concrete.replace(f"{{{name}_id}}", f"{name}-00000000-0000-4000-8000-00000000beef")
            try:
                status = http.send(method.upper(), concrete, body={} if method in ("post", "patch") else None)[0]
            except stele.Refused as refused:
                status = refused.status
            wants_ticket = path.endswith("/socket")  # of a device's own
            assert status in (200, 204, 400, 404, 405, 409, 410, 422) or status == 401 and wants_ticket, (method, path, status)

    def references(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "$ref":
                    yield value.rsplit("/", 1)[1]
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    assert set(references(document)) <= set(document["components"]["schemas"])


def test_the_page_says_what_runs_and_what_is_missing(own_server):
    server = own_server({"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "LETTA_DEFAULT_LLM_HANDLE": ""}).start()
    _, page, headers = server.http().send("GET", "/")
    assert headers["Content-Type"].startswith("text/html")
    assert "offline model" in page and "No password" in page


def test_the_offline_model_remembers_and_finds_again(own_server):
    server = own_server({"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "LETTA_DEFAULT_LLM_HANDLE": ""}).start()
    http = server.http()
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}]})

    def say(text):
        return http.post(f"/v1/agents/{agent['id']}/messages", {"input": text})["messages"][-1]["content"]

    assert "offline model" in say("Hello")
    say("My name is Grace")
    server.kill()
    server.start()
    assert "Grace" in say("What is my name?")
    assert "not a language model" in say("Who are you?")


def test_a_model_server_that_is_down_at_start_is_found_later(own_server):
    import subprocess
    import sys

    port = stele.free_port()
    server = own_server({"OPENAI_BASE_URL": f"http://127.0.0.1:{port}", "LETTA_DEFAULT_LLM_HANDLE": "openai/mock-small"}).start()
    http = server.http()
    assert "openai/mock-small" not in [m["handle"] for m in http.get("/v1/models")]
    late = stele.Process([sys.executable, str(stele.ROOT / "tests/support/mock_llm/server.py"), "--port", str(port)])
    try:
        while "openai/mock-small" not in [m["handle"] for m in http.get("/v1/models")]:
            assert late.child.poll() is None
        agent = http.post("/v1/agents", {})
        assert http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say found"})["messages"][0]["content"] == "found"
    finally:
        late.kill()


def test_every_log_line_of_a_request_carries_its_id(own_server):
    server = own_server(arguments=["--log-format", "json", "--log-level", "debug"]).start()
    http = server.http()
    agent = http.post("/v1/agents", {})
    _, _, headers = http.send("POST", f"/v1/agents/{agent['id']}/messages", {"input": "@say hi"})
    server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    own = {line["event"] for line in lines if line.get("request_id") == headers["X-Request-Id"]}
    assert {"step.committed", "run.ended", "request"} <= own
    assert all(line["request_id"] for line in lines if line["event"] in ("step.committed", "run.ended", "request"))


def test_secrets_stay_out_of_logs_and_files(own_server):
    server = own_server({"OPENAI_API_KEY": "key-that-nobody-sees"}).start()
    http = server.http()
    agent = http.post("/v1/agents", {"secrets": {"TOKEN": "value-that-nobody-sees"}})
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say hi"})
    server.stop()
    for file in server.folder.rglob("*"):
        if file.is_file():
            assert b"that-nobody-sees" not in file.read_bytes(), file
