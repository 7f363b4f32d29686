"""Many requests at once: each is a run of its own, a few at a time and never two of one agent; counted, cancelled, called
back from, and carried on behind a restart."""

import re
import sqlite3
import time

import pytest
import stele
from approvals import ASK, RULE
from receiver import Receiver

PATHS = ["/v1/messages/batches", "/v1/batches"]


def agents(http, count, **fields):
    return [http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}], **fields})["id"] for _ in range(count)]


def request(agent, text="@say hello", **more):
    return {"agent_id": agent, "messages": [{"role": "user", "content": text}], **more}


def create(http, *requests, path=PATHS[0], **more):
    return http.post(path, {"requests": list(requests), **more})


def ended(http, batch, seconds=40):
    path = f"{PATHS[0]}/{batch['id']}"
    stele.wait_until(lambda: http.get(path)["status"] != "running", seconds)
    return http.get(path)


def counts(batch):
    told = batch["metadata"]["counts"]
    return told["total"], told["completed"], told["failed"], told["cancelled"]


def said(http, agent):
    return [m["content"] for m in http.get(f"/v1/agents/{agent}/messages?limit=500") if m["message_type"] == "user_message" and m["content"].startswith("@")]


def runs(http, *of):
    """Oldest first."""
    return http.get("/v1/runs?order=asc&limit=500" + "".join(f"&agent_ids={agent}" for agent in of))


def refused(status, call, *arguments, **more):
    with pytest.raises(stele.Refused) as failure:
        call(*arguments, **more)
    assert failure.value.status == status, failure.value
    return failure.value


@pytest.fixture
def private_server(model, tmp_path):
    """A server whose operator lets callbacks into private networks."""
    running = stele.Server(tmp_path, model.environment(), ["--egress-private", "true", "--batch-concurrency", "2"]).start()
    yield running
    if running.process:
        running.kill()


@pytest.mark.parametrize("path", PATHS)
def test_every_request_becomes_a_run(http, path):
    own = agents(http, 3)
    made = create(http, *(request(agent, f"@say {i}") for i, agent in enumerate(own)), path=path)
    assert re.fullmatch(r"job-[0-9a-f-]{36}", made["id"]) and made["status"] == "running" and made["job_type"] == "batch"
    assert made["metadata"] == {"job_type": "batch_messages", "counts": {"total": 3, "completed": 0, "failed": 0, "cancelled": 0}}
    assert made["completed_at"] is None and made["callback_url"] is None and made["agent_id"] is None
    batch = ended(http, made)
    assert batch["status"] == "completed" and counts(batch) == (3, 3, 0, 0)
    assert batch["completed_at"] >= batch["created_at"] == made["created_at"] and batch["total_duration_ns"] > 0
    assert http.get(f"{path}/{made['id']}") == batch and http.get(path)[0]["id"] == made["id"]
    for agent in own:
        (run,) = runs(http, agent)
        assert run["status"] == "completed" and run["background"] is True and run["metadata"] == {"run_type": "send_message_batch"}


def test_what_was_said_is_told_with_the_item_it_belongs_to(http):
    one, two = agents(http, 2)
    batch = ended(http, create(http, request(one, "@say a"), request(two, "@say b"), request(one, "@say c")))
    path = f"{PATHS[0]}/{batch['id']}/messages"
    messages = http.get(path)["messages"]
    assert sorted(m["role"] for m in messages) == ["assistant"] * 3 + ["user"] * 3
    items = {}
    for message in messages:
        assert re.fullmatch(r"batch_item-[0-9a-f-]{36}", message["batch_item_id"])
        items.setdefault(message["batch_item_id"], set()).add((message["agent_id"], message["run_id"]))
    assert len(items) == 3 and all(len(each) == 1 for each in items.values())
    assert [m["content"][0]["text"] for m in http.get(f"{path}?agent_id={one}&order=asc")["messages"]] == ["@say a", "a", "@say c", "c"]
    assert [m["content"][0]["text"] for m in http.get(f"{path}?agent_id={one}")["messages"]] == ["c", "@say c", "a", "@say a"]
    for order in ("asc", "desc"):
        whole, walked, cursor = http.get(f"{path}?order={order}")["messages"], [], ""
        while page := http.get(f"{path}?order={order}&limit=2{cursor}")["messages"]:
            walked += page
            cursor = f"&after={page[-1]['id']}"
        assert walked == whole and len(whole) == 6


def test_requests_of_one_agent_come_in_order_and_few_run_at_once(private_server):
    http = private_server.http()
    own = agents(http, 5)
    order = [own[0], own[0], own[1], own[2], own[0], own[3], own[4]]
    batch = ended(http, create(http, *(request(agent, f"@sleep 150\n@say {i}") for i, agent in enumerate(order))))
    assert counts(batch) == (7, 7, 0, 0)
    assert said(http, own[0]) == [f"@sleep 150\n@say {i}" for i in (0, 1, 4)]
    times = sorted(t for run in runs(http) for t in ((run["created_at"], 1), (run["completed_at"], -1)))
    at_once = [sum(step for _, step in times[:i + 1]) for i in range(len(times))]
    assert max(at_once) == 2, "two at once, as the operator says"


def test_all_fields_of_a_request_count(http):
    (agent,) = agents(http, 1)
    call = '@call memory_insert {"label":"human","new_string":"x"}'
    batch = ended(http, create(http, request(agent, call, max_steps=1), {"agent_id": agent, "input": "@say two"}))
    assert counts(batch) == (2, 2, 0, 0)
    assert [run["stop_reason"] for run in runs(http, agent)] == ["max_steps", "end_turn"]


def test_runs_that_fail_are_counted_and_the_batch_is_completed(http):
    one, two = agents(http, 2)
    batch = ended(http, create(http, request(one, "@fail 401"), request(two), request(one)))
    assert batch["status"] == "completed" and counts(batch) == (3, 2, 1, 0)
    assert said(http, one) == ["@fail 401", "@say hello"]


def test_a_batch_of_which_nothing_could_run_has_failed(http):
    (agent,) = agents(http, 1, tool_rules=[RULE])
    http.post(f"/v1/agents/{agent}/messages", {"input": ASK})  # waits for a decision: nothing else can be said
    batch = ended(http, create(http, request(agent), request(agent)))
    assert batch["status"] == "failed" and counts(batch) == (2, 0, 2, 0)
    assert said(http, agent) == [ASK]


def test_a_decision_may_be_sent_too(http):
    (agent,) = agents(http, 1, tool_rules=[RULE])
    asked = http.post(f"/v1/agents/{agent}/messages", {"input": ASK})["messages"][-1]
    decision = {"type": "approval", "approvals": [{"type": "approval", "approve": True, "tool_call_id": asked["tool_call"]["tool_call_id"]}]}
    batch = ended(http, create(http, {"agent_id": agent, "messages": [decision]}))
    assert counts(batch) == (1, 1, 0, 0)
    assert "Likes tea." in http.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"]


def test_the_same_otid_in_two_requests_makes_two_runs(http):
    (agent,) = agents(http, 1)
    twice = {"agent_id": agent, "messages": [{"role": "user", "content": "@say x", "otid": "the-same"}]}
    assert counts(ended(http, create(http, twice, twice))) == (2, 2, 0, 0)
    assert len(runs(http, agent)) == 2


def bad(agent):
    return [
        # the body, status, what is named
        ({"requests": []}, 422, "body.requests"), ({}, 422, "body.requests"), ({"requests": [request(agent)] * 10_001}, 422, "body.requests"),
        ({"requests": [request(agent), {"messages": []}]}, 422, "body.requests.1.agent_id"),
        ({"requests": [request("nonsense")]}, 422, "body.requests.0.agent_id"), ({"requests": [request("")]}, 404, "not found"),
        ({"requests": [request(agent), request(f"agent-{stele.GONE}")]}, 404, "not found"),
        ({"requests": [{"agent_id": agent}]}, 422, "body.requests.0"), ({"requests": [request(agent, max_steps=0)]}, 422, "body.requests.0.max_steps"),
        ({"requests": [request(agent), {"agent_id": agent, "messages": [{"role": "robot", "content": "x"}]}]}, 422, "body.requests.1.messages.0.role"),
        ({"requests": [request(agent), request(agent, "")]}, 400, "messages"), ({"requests": [request(agent)], "callback_url": "nowhere"}, 422, "body.callback_url"),
    ]


@pytest.mark.parametrize("case", range(len(bad(""))))
def test_if_one_request_is_wrong_none_is_begun(server, case):
    http = server.http()
    (agent,) = agents(http, 1)
    body, status, named = bad(agent)[case]
    newest = [b["id"] for b in http.get(PATHS[0] + "?limit=1")]
    assert named in refused(status, http.post, PATHS[0], body).body["detail"]
    assert [b["id"] for b in http.get(PATHS[0] + "?limit=1")] == newest and said(http, agent) == []


def test_unknown_batches(server):
    http = server.http()
    for path in PATHS:
        for call, tail in ((http.get, ""), (http.patch, "/cancel"), (http.get, "/messages")):
            refused(404, call, f"{path}/job-{stele.GONE}{tail}")
            refused(422, call, f"{path}/nonsense{tail}")


@pytest.mark.parametrize("path", PATHS)
def test_a_cancelled_batch_ends_at_once(http, path):
    one, two = agents(http, 2)
    batch = create(http, request(one, "@say first"), request(one, "@sleep 20000"), request(two, "@sleep 20000"), request(one, "@say never"))
    stele.wait_until(lambda: [r["status"] for r in runs(http, one)] == ["completed", "running"] and [r["status"] for r in runs(http, two)] == ["running"])
    stele.wait_until(lambda: counts(http.get(f"{path}/{batch['id']}"))[1] == 1)
    cancelled = http.patch(f"{path}/{batch['id']}/cancel")
    assert cancelled["status"] == "cancelled" and cancelled["completed_at"] and counts(cancelled) == (4, 1, 0, 3)
    assert sorted(r["status"] for r in runs(http, one, two)) == ["cancelled", "cancelled", "completed"]
    assert refused(409, http.patch, f"{path}/{batch['id']}/cancel").body["status"] == "cancelled"
    assert http.post(f"/v1/agents/{one}/messages", {"input": "@say well"})["messages"][-1]["content"] == "well"
    assert said(http, one) == ["@say first", "@sleep 20000", "@say well"] and ended(http, batch) == cancelled


def test_one_that_waits_for_its_agent_is_cancelled_too(http, model):
    (agent,) = agents(http, 1)
    busy = http.post(f"/v1/agents/{agent}/messages/async", {"input": "@hold\n@say first"})
    batch = create(http, request(agent, "@say second"))
    stele.wait_until(lambda: [r["status"] for r in runs(http, agent)] == ["running", "created"])
    http.patch(f"{PATHS[0]}/{batch['id']}/cancel")
    model.release()
    stele.wait_until(lambda: http.get(f"/v1/runs/{busy['id']}")["status"] == "completed")
    assert [r["status"] for r in runs(http, agent)] == ["completed", "cancelled"] and said(http, agent) == ["@hold\n@say first"]


def test_a_run_may_be_cancelled_by_itself(http):
    one, two = agents(http, 2)
    batch = create(http, request(one, "@sleep 20000"), request(two))
    stele.wait_until(lambda: [r["status"] for r in runs(http, one)] == ["running"])
    http.post(f"/v1/agents/{one}/messages/cancel")
    assert counts(ended(http, batch)) == (2, 1, 0, 1)


def test_an_agent_that_is_deleted_meanwhile_holds_up_nobody(http):
    one, two = agents(http, 2)
    batch = create(http, request(one, "@sleep 2000"), request(one), request(one), request(two))
    stele.wait_until(lambda: len(runs(http, one)) == 1)
    http.delete(f"/v1/agents/{one}")
    batch = ended(http, batch)
    assert batch["status"] == "completed" and counts(batch)[0] == 4 and counts(batch)[1] >= 1 and said(http, two) == ["@say hello"]


def test_the_list_is_paged(own_server):
    http = own_server().start().http()
    (agent,) = agents(http, 1)
    made = [create(http, request(agent))["id"] for _ in range(5)]
    for order, wanted in (("asc", made), ("desc", made[::-1])):
        walked, cursor = [], ""
        while page := http.get(f"{PATHS[0]}?limit=2&order={order}{cursor}"):
            walked += [b["id"] for b in page]
            cursor = f"&after={walked[-1]}"
        assert walked == wanted
    assert [b["id"] for b in http.get(f"{PATHS[0]}?before={made[2]}")] == [made[1], made[0]]
    refused(404, http.get, f"{PATHS[0]}?after=job-{stele.GONE}")


def test_older_clients_find_a_batch_among_their_jobs(http):
    (agent,) = agents(http, 1)
    batch = create(http, request(agent, "@sleep 20000"))
    assert http.get(f"/v1/jobs/{batch['id']}")["job_type"] == "batch" and http.get("/v1/jobs") == []
    cancelled = http.patch(f"/v1/jobs/{batch['id']}/cancel")
    assert cancelled["status"] == "cancelled" and http.patch(f"/v1/jobs/{batch['id']}/cancel")["status"] == "cancelled"
    assert http.delete(f"/v1/jobs/{batch['id']}")["id"] == batch["id"]
    refused(404, http.get, f"/v1/jobs/{batch['id']}")
    refused(404, http.get, f"{PATHS[0]}/{batch['id']}")
    refused(404, http.get, f"/v1/jobs/job-{stele.GONE}")


def test_a_key_makes_one_batch_of_two_requests(http):
    (agent,) = agents(http, 1)
    key = {"Idempotency-Key": f"batch-{time.time_ns()}"}
    first, again = (http.post(PATHS[0], {"requests": [request(agent)]}, headers=key) for _ in range(2))
    assert first == again
    ended(http, first)
    assert said(http, agent) == ["@say hello"]


# ---- callbacks, restarts, age ----

def test_its_end_is_told_once(private_server):
    http, receiver = private_server.http(), Receiver()
    try:
        one, two = agents(http, 2)
        done = ended(http, create(http, request(one), request(two), callback_url=receiver.url))
        cut = create(http, request(one, "@sleep 20000"), callback_url=receiver.url)
        http.patch(f"{PATHS[0]}/{cut['id']}/cancel")
        for batch in (done, cut):
            stele.wait_until(lambda: http.get(f"{PATHS[0]}/{batch['id']}")["callback_status_code"] == 200)
        told = sorted((body for _, _, body in receiver.got), key=lambda body: body["job_id"])
        shown = [http.get(f"{PATHS[0]}/{batch['id']}") for batch in (done, cut)]
        assert told == sorted(({"job_id": b["id"], "status": b["status"], "completed_at": b["completed_at"]} for b in shown), key=lambda b: b["job_id"])
        assert all(b["callback_sent_at"] and b["callback_error"] is None for b in shown)
    finally:
        receiver.close()


def test_a_callback_into_a_private_network_is_not_made(server):
    http, receiver = server.http(), Receiver()
    try:
        (agent,) = agents(http, 1)
        batch = create(http, request(agent), callback_url=receiver.url)
        stele.wait_until(lambda: http.get(f"{PATHS[0]}/{batch['id']}")["callback_error"] is not None)
        assert receiver.got == []
    finally:
        receiver.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_goes_on_behind_a_restart(own_server, end):
    server = own_server(arguments=["--grace-seconds", "0"]).start()
    http = server.http()
    own = agents(http, 3)
    texts = [f"@sleep 250\n@say {i}" for i in range(9)]
    batch = create(http, *(request(own[i % 3], text) for i, text in enumerate(texts)))
    stele.wait_until(lambda: counts(http.get(f"{PATHS[0]}/{batch['id']}"))[1] >= 2)
    getattr(server, end)()
    server.start()
    assert counts(ended(http, batch)) == (9, 9, 0, 0)
    for i, agent in enumerate(own):
        assert said(http, agent) == texts[i::3]
    assert len({m["batch_item_id"] for m in http.get(f"{PATHS[0]}/{batch['id']}/messages")["messages"]}) == 9


def test_after_a_day_it_expires(private_server):
    server, receiver = private_server, Receiver()
    http = server.http()
    (agent,) = agents(http, 1)
    batch = create(http, request(agent, "@sleep 20000"), request(agent), callback_url=receiver.url)
    stele.wait_until(lambda: len(runs(http, agent)) == 1)
    server.kill()
    store = sqlite3.connect(server.folder / "data" / "stele.db")
    store.execute("UPDATE batch SET created_at = created_at - ?", (25 * 3600 * 1_000_000,))
    store.commit()
    store.close()
    server.start()
    batch = ended(http, batch)
    assert batch["status"] == "expired" and counts(batch) == (2, 0, 0, 2)
    stele.wait_until(lambda: receiver.got)
    assert receiver.got[0][2]["status"] == "expired" and said(http, agent) == []
    receiver.close()
