"""Deleted agents and blocks that may come back: nowhere to be seen meanwhile, whole again afterwards, and gone in the end."""

import datetime
import sqlite3

import pytest
import stele
from stele import refused


@pytest.fixture(scope="module")
def kept(model, tmp_path_factory):
    """A server that keeps deleted things for thirty days."""
    running = stele.Server(tmp_path_factory.mktemp("trash"), model.environment(), ["--trash-days", "30"]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def http(kept):
    return kept.http(1)


def rows(server, sql: str, *values) -> list:
    with sqlite3.connect(f"file:{server.folder}/data/stele.db?mode=ro", uri=True) as store:
        return store.execute(sql, values).fetchall()


def full_agent(http) -> dict:
    identity = http.post("/v1/identities/", {"identifier_key": "k" + stele.random.randbytes(6).hex(), "name": "n", "identity_type": "user"})
    agent = http.post("/v1/agents/", {"name": "Ada", "tags": ["trashed"], "secrets": {"KEY": "v"}, "identity_ids": [identity["id"]],
                                      "memory_blocks": [{"label": "human", "value": "Grace"}, {"label": "notes", "value": "x"}]})
    conversation = http.post(f"/v1/conversations?agent_id={agent['id']}", {"isolated_block_labels": ["notes"]})["id"]
    http.post(f"/v1/conversations/{conversation}/messages", {"input": "aside", "streaming": False})
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})
    http.post(f"/v1/agents/{agent['id']}/schedule", {"messages": [{"role": "user", "content": "x"}], "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}})
    return http.get(f"/v1/agents/{agent['id']}")


def view(http, agent: str) -> list:
    """All that clients can see of an agent."""
    conversations = http.get(f"/v1/conversations?agent_id={agent}")
    return [{**http.get(f"/v1/agents/{agent}"), "updated_at": None}, http.get(f"/v1/agents/{agent}/messages?limit=100"), conversations, http.get(f"/v1/agents/{agent}/schedule"),
            [http.get(f"/v1/conversations/{each['id']}/messages") for each in conversations]]


def test_an_agent_goes_and_comes_back_whole(http):
    agent = full_agent(http)
    before, path = view(http, agent["id"]), f"/v1/agents/{agent['id']}"
    message, conversation, schedule = before[1][0]["id"], before[2][0], before[3]["scheduled_messages"][0]["id"]
    isolated = conversation["isolated_block_ids"][0]
    group = http.post("/v1/groups/", {"agent_ids": [agent["id"]], "description": "d"})["id"]
    http.delete(path)

    for gone in (path, path + "/messages", path + "/context", f"/v1/messages/{message}", f"/v1/conversations/{conversation['id']}", f"/v1/blocks/{isolated}", path + f"/schedule/{schedule}"):
        refused(http, "GET", gone, 404)
    refused(http, "DELETE", path, 404)
    refused(http, "POST", path + "/messages", 404, {"input": "x"})
    assert agent["id"] not in [a["id"] for a in http.get("/v1/agents/?limit=1000")] and message not in [m["id"] for m in http.get("/v1/messages?limit=1000")]
    assert "trashed" not in http.get("/v1/tags/?limit=1000")
    assert all(http.get(f"/v1/blocks/{block['id']}/agents") == [] for block in agent["blocks"]) and http.get(f"/v1/groups/{group}")["agent_ids"] == []
    assert http.get(f"/v1/identities/{agent['identity_ids'][0]}")["agent_ids"] == []
    assert http.get("/v1/runs?agent_id=" + agent["id"])  # they are kept, deleted or not

    item = http.get("/v1/trash/" + agent["id"])
    assert (item["kind"], item["object_id"], item["name"]) == ("agent", agent["id"], "Ada") and item in http.get("/v1/trash") and http.get("/v1/trash/" + item["id"]) == item
    assert datetime.datetime.fromisoformat(item["expires_at"]) - datetime.datetime.fromisoformat(item["deleted_at"]) == datetime.timedelta(days=30)
    assert http.post(f"/v1/trash/{item['id']}/restore") == item
    assert view(http, agent["id"]) == before and http.get(f"/v1/groups/{group}")["agent_ids"] == [agent["id"]]
    assert http.post(path + "/messages", {"input": "again"})["stop_reason"]["stop_reason"] == "end_turn"
    refused(http, "POST", f"/v1/trash/{item['id']}/restore", 404)
    assert item not in http.get("/v1/trash")


def test_a_block_comes_back_to_whoever_still_wants_it(http):
    block = http.post("/v1/blocks/", {"label": "shared", "value": "x", "tags": ["block of trash"]})
    http.patch(f"/v1/blocks/{block['id']}", {"value": "y"})
    one, two, three = (http.post("/v1/agents/", {"block_ids": [block["id"]]})["id"] for _ in range(3))
    identity = http.post("/v1/identities/", {"identifier_key": "b" + block["id"], "name": "n", "identity_type": "user", "block_ids": [block["id"]]})["id"]
    http.delete(f"/v1/blocks/{block['id']}")
    refused(http, "GET", f"/v1/blocks/{block['id']}", 404), refused(http, "GET", f"/v1/blocks/{block['id']}/history", 404)
    refused(http, "PATCH", f"/v1/agents/{one}/core-memory/blocks/attach/{block['id']}", 404)
    assert "shared" not in http.get(f"/v1/agents/{one}/messages?order=asc")[0]["content"] and "block of trash" not in http.get("/v1/tags/?limit=1000")
    http.patch(f"/v1/agents/{two}/core-memory/blocks/attach/" + http.post("/v1/blocks/", {"label": "shared"})["id"])
    http.delete(f"/v1/agents/{three}")
    http.post(f"/v1/trash/{block['id']}/restore")
    assert [b["id"] for b in http.get(f"/v1/agents/{one}/core-memory/blocks")] == [block["id"]] != [b["id"] for b in http.get(f"/v1/agents/{two}/core-memory/blocks")]
    assert http.get(f"/v1/identities/{identity}")["block_ids"] == [block["id"]] and len(http.get(f"/v1/blocks/{block['id']}/history")) == 2
    http.post(f"/v1/trash/{three}/restore")
    assert [b["id"] for b in http.get(f"/v1/agents/{three}/core-memory/blocks")] == [block["id"]], "it waited for the agent, which was in the trash itself"


def test_two_that_are_linked_find_each_other_in_either_order(http):
    for order in (0, 1):
        agent = http.post("/v1/agents/", {"memory_blocks": [{"label": "human", "value": "x"}]})
        both = [agent["id"], agent["blocks"][0]["id"]]
        http.delete(f"/v1/agents/{both[0]}"), http.delete(f"/v1/blocks/{both[1]}")
        for each in both[::-1] if order else both:
            http.post(f"/v1/trash/{each}/restore")
        assert [b["id"] for b in http.get(f"/v1/agents/{both[0]}")["blocks"]] == both[1:]


def test_who_looked_after_its_memory_comes_back_by_itself(http):
    main = http.post("/v1/agents/", {"enable_sleeptime": True, "memory_blocks": [{"label": "human", "value": "x"}]})
    partner = main["managed_group"]["agent_ids"][0]
    http.delete(f"/v1/agents/{main['id']}")
    for each in (main["id"], partner):
        http.post(f"/v1/trash/{each}/restore")
    back = http.get(f"/v1/agents/{main['id']}")
    assert back["managed_group"] is None and not back["enable_sleeptime"] and http.get(f"/v1/agents/{partner}")["agent_type"] == "sleeptime_agent"


def test_what_is_purged_is_gone(kept, http):
    agent = full_agent(http)
    block = http.post("/v1/blocks/", {"label": "b"})["id"]
    http.delete(f"/v1/agents/{agent['id']}"), http.delete(f"/v1/blocks/{block}")
    assert http.delete(f"/v1/trash/{agent['id']}") is None
    refused(http, "GET", f"/v1/trash/{agent['id']}", 404), refused(http, "POST", f"/v1/trash/{agent['id']}/restore", 404)
    assert http.delete("/v1/trash") is None and http.get("/v1/trash") == []
    stele.wait_until(lambda: not rows(kept, "SELECT 1 FROM trash"))
    for table, column in (("agent", "id"), ("message", "agent_id"), ("conversation", "agent_id"), ("schedule", "agent_id"), ("agent_variable", "agent_id"), ("trash_link", "left_id")):
        assert not rows(kept, f"SELECT 1 FROM {table} WHERE {column} = ?", agent["id"]), table
    assert not rows(kept, "SELECT 1 FROM block WHERE id = ?", block) and not rows(kept, "SELECT 1 FROM block WHERE organization_id LIKE '%de1ed'")
    assert "trash_id" in refused(http, "GET", "/v1/trash/x", 422).text


def test_it_is_walked_like_every_list(http):
    ids = []
    for n in range(5):
        ids.append(http.post("/v1/blocks/", {"label": f"walk {n}"})["id"])
        http.delete(f"/v1/blocks/{ids[-1]}")
    for order in ("asc", "desc"):
        seen, after = [], ""
        while page := http.get(f"/v1/trash?limit=2&order={order}{after}"):
            seen += [item["object_id"] for item in page]
            after = f"&after={page[-1]['id']}"
        assert [each for each in seen if each in ids] == (ids if order == "asc" else ids[::-1])


def test_what_has_expired_is_purged_and_a_crash_loses_nothing(own_server):
    server = own_server(arguments=["--trash-days", "1"]).start()
    http = server.http(1)
    old, young = full_agent(http)["id"], full_agent(http)["id"]
    http.delete(f"/v1/agents/{old}"), http.delete(f"/v1/agents/{young}")
    server.kill()
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        store.execute("UPDATE trash SET expires_at = deleted_at WHERE object_id = ?", [old])
    server.start()
    stele.wait_until(lambda: not rows(server, "SELECT 1 FROM agent WHERE id = ?", old))
    assert [item["object_id"] for item in server.http(1).get("/v1/trash")] == [young]
    server.http(1).post(f"/v1/trash/{young}/restore")
    assert server.http(1).get(f"/v1/agents/{young}/messages")


def test_a_deleted_agent_sends_nothing_that_was_planned(own_server):
    server = own_server(arguments=["--trash-days", "1"]).start()
    http = server.http(1)
    plan = {"messages": [{"role": "user", "content": "x"}], "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}}
    gone, there = (http.post("/v1/agents/", {})["id"] for _ in range(2))
    late, soon = (http.post(f"/v1/agents/{agent}/schedule", plan)["id"] for agent in (gone, there))
    http.delete(f"/v1/agents/{gone}")
    assert server.stop() == 0
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        store.execute("UPDATE schedule SET next_at = CASE id WHEN ? THEN 1 ELSE 2 END", [late])
    server.start()
    sent = lambda plan: rows(server, "SELECT 1 FROM schedule_firing WHERE schedule_id = ? AND status <> 'pending'", plan)  # noqa: E731
    stele.wait_until(lambda: sent(soon))
    assert not rows(server, "SELECT 1 FROM schedule_firing WHERE schedule_id = ?", late) and not rows(server, "SELECT 1 FROM run WHERE agent_id = ?", gone)
    server.http(1).post(f"/v1/trash/{gone}/restore")
    stele.wait_until(lambda: sent(late))


def test_the_trash_s_own_organisation_is_nobody_s(http):
    own = "org-00000000-0000-4000-8000-0000000de1ed"
    assert own not in [each["id"] for each in http.get("/v1/admin/orgs?limit=1000")]
    refused(http, "PATCH", f"/v1/admin/orgs?org_id={own}", 404, {"name": "x"}), refused(http, "DELETE", f"/v1/admin/orgs?org_id={own}&force=true", 404)
    refused(http, "POST", "/v1/admin/users", 404, {"name": "x", "organization_id": own})


def test_without_the_option_what_is_deleted_is_gone(server):
    http = server.http(1)
    block = http.post("/v1/blocks/", {"label": "b"})["id"]
    http.delete(f"/v1/blocks/{block}")
    assert http.get("/v1/trash") == [] and rows(server, "SELECT 1 FROM block WHERE id = ?", block) == []
