"""Feeds: texts that agents are given by plan, each once, and what was delivered."""

import sqlite3
import time

import pytest
import stele

DEFAULT = "project-00000000-0000-4000-8000-000000000000"
NEVER = "0 0 29 2 *"


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def feed(api):
    return api.post("/v1/feeds", {"project_id": "default-project", "name": "News", "description": "of the day"})


@pytest.fixture
def reader(api):
    return api.post("/v1/agents", {"name": "Reader", "memory_blocks": []})


class Reading:
    """An agent's subscription."""

    def __init__(self, api, feed, agent, **more):
        self.api, self.agent = api, agent
        self.made = api.post(f"/v1/feeds/{feed['id']}/subscribe", {"agent_id": agent["id"], "cron_schedule": NEVER, **more})
        self.feed_path = f"/v1/feeds/{feed['id']}"
        self.path = f"{self.feed_path}/subscriptions/{self.made['id']}"

    def publish(self, *texts):
        return self.api.post(f"{self.feed_path}/messages", {"messages": [{"content": text} for text in texts]})

    def heard(self):
        messages = self.api.get(f"/v1/agents/{self.agent['id']}/messages?limit=500&order=asc")
        return [each["content"] for each in messages if each["message_type"] == "user_message"]

    def state(self):
        return next(each for each in self.api.get(f"{self.feed_path}/subscriptions")["subscriptions"] if each["id"] == self.made["id"])

    def history(self, query=""):
        return self.api.get(f"{self.path}/history{query}")["runs"]

    def ended(self, count=1):
        stele.wait_until(lambda: len([run for run in self.history() if run["status"] != "running"]) >= count)
        return self.history()


def refused(api, method, path, status, body=None, code=None):
    failed = stele.refused(api, method, path, status, body).body
    assert failed["message"] == failed["detail"] and (code is None or failed["errorCode"] == code), failed
    return failed


# ---- feeds and texts ----

def test_a_feed_is_shown_as_it_was_made(api, feed):
    assert feed["id"].startswith("feed-") and feed["project_id"] == DEFAULT and feed["created_by_id"].startswith("user-")
    shown = api.get(f"/v1/feeds/{feed['id']}")
    assert shown == {**feed, "subscriptions_count": 0, "messages_count": 0}
    assert api.send("POST", "/v1/feeds", {"project_id": DEFAULT, "name": "x"})[0] == 201


def test_feeds_are_listed_by_project_and_name(api, request):
    project = api.post("/v1/projects", {"name": "Feeding"})
    made = [api.post("/v1/feeds", {"project_id": project["id"], "name": f"Feed {i}"})["id"] for i in range(3)]
    ids = lambda query: [each["id"] for each in api.get(f"/v1/feeds?{query}")["feeds"]]
    assert ids(f"project_id={project['slug']}") == made[::-1] and ids(f"project_id={project['id']}&name=FEED%201") == [made[1]]
    page = api.get(f"/v1/feeds?project_id={project['id']}&limit=2")
    assert page["has_next_page"] is True and "subscriptions_count" in page["feeds"][0] and ids(f"project_id={project['id']}&limit=2&offset=2") == [made[0]]


@pytest.mark.parametrize("body, place", [({"name": "x"}, "project_id"), ({"project_id": "p", "name": ""}, "name"), ({"project_id": "p", "name": "x" * 101}, "name"), ({"project_id": "p", "name": "x", "description": "x" * 501}, "description")])
def test_bad_feeds_name_the_field(api, body, place):
    assert stele.refused(api, "POST", "/v1/feeds", 422, body).body["errors"][0]["loc"] == ["body", place]


def test_texts_are_numbered_and_previewed(api, feed):
    path = f"/v1/feeds/{feed['id']}/messages"
    long = "é" * 300
    status, text, _ = api.send("POST", path, {"messages": [{"content": "one"}, {"content": long}]})
    assert status == 201 and text == '{"inserted_count":2}'
    api.post(path, {"messages": [{"content": "three"}]})
    listed = api.get(path)
    assert [each["sequence"] for each in listed["messages"]] == [1, 2, 3] and listed["has_next_page"] is False and listed["next_cursor"] is None
    assert listed["messages"][1]["content_preview"] == "é" * 200 and listed["messages"][1]["is_truncated"] is True and listed["messages"][1]["content_size_bytes"] == 600
    full = api.get(f"{path}/{listed['messages'][1]['id']}")["message"]
    assert full["content"] == long and full["feed_id"] == feed["id"] and full["expires_at"] > full["created_at"]
    page = api.get(f"{path}?limit=2")
    assert page["has_next_page"] is True and page["next_cursor"] == 2
    assert [each["sequence"] for each in api.get(f"{path}?after_sequence=2")["messages"]] == [3]
    refused(api, "GET", f"{path}/message-{stele.GONE}", 404)
    for bad in ({"messages": []}, {"messages": [{"content": ""}]}, {"messages": [{}]}, {}):
        stele.refused(api, "POST", path, 422, bad)


def test_many_texts_at_once(api, feed):
    assert api.post(f"/v1/feeds/{feed['id']}/messages", {"messages": [{"content": str(i)} for i in range(2000)]}) == {"inserted_count": 2000}
    assert api.get(f"/v1/feeds/{feed['id']}")["messages_count"] == 2000
    stele.refused(api, "POST", f"/v1/feeds/{feed['id']}/messages", 422, {"messages": [{"content": "x"}] * 10001})


def test_a_deleted_feed_is_gone_with_all_of_it(api, feed, reader):
    Reading(api, feed, reader)
    assert api.delete(f"/v1/feeds/{feed['id']}") == {"success": True}
    for method, path, body in (("GET", "", None), ("DELETE", "", None), ("GET", "/subscriptions", None), ("POST", "/messages", {"messages": [{"content": "x"}]})):
        refused(api, method, f"/v1/feeds/{feed['id']}{path}", 404, body, "feedNotFound")


# ---- subscriptions ----

def test_a_subscription_is_shown_as_it_was_made(api, feed, reader):
    reading = Reading(api, feed, reader, prompt_template="News: {{content}}")
    made = reading.made
    assert made["agent_id"] == reader["id"] and made["agent_name"] == "Reader" and made["cron_schedule"] == NEVER and made["merge_strategy"] == "unique-messages"
    assert made["last_consumed_sequence"] == 0 and made["last_consumed_at"] is None and made["disabled_at"] is None and made["next_scheduled_at"]
    assert reading.state() == made and api.get(f"/v1/feeds/{feed['id']}")["subscriptions_count"] == 1
    assert api.get(f"/v1/feeds/{feed['id']}/subscriptions?agent_id=agent-{stele.GONE}")["subscriptions"] == []
    refused(api, "POST", f"/v1/feeds/{feed['id']}/subscribe", 400, {"agent_id": reader["id"], "cron_schedule": NEVER}, "agentAlreadySubscribed")


def test_who_can_not_be_subscribed(api, feed, reader):
    path = f"/v1/feeds/{feed['id']}/subscribe"
    for bad in ("nonsense", "0 0 30 2 *", ""):
        refused(api, "POST", path, 400, {"agent_id": reader["id"], "cron_schedule": bad}, "invalidCronExpression")
    elsewhere = api.post("/v1/agents", {"memory_blocks": [], "project_id": "p"})
    refused(api, "POST", path, 400, {"agent_id": elsewhere["id"], "cron_schedule": NEVER}, "agentNotInProject")
    refused(api, "POST", path, 404, {"agent_id": f"agent-{stele.GONE}", "cron_schedule": NEVER})
    stele.refused(api, "POST", path, 422, {"agent_id": "x", "cron_schedule": NEVER})


def test_changing_pausing_and_ending(api, feed, reader):
    reading = Reading(api, feed, reader)
    changed = api.patch(reading.path, {"cron_schedule": "0 12 * * *", "prompt_template": "p", "disabled": True})
    assert changed["cron_schedule"] == "0 12 * * *" and changed["prompt_template"] == "p" and changed["disabled_at"] and changed["next_scheduled_at"] is None
    assert api.patch(reading.path, {"disabled": False})["next_scheduled_at"] and api.patch(reading.path)["disabled_at"] is None
    assert api.patch(f"{reading.feed_path}/subscriptions/cron", {"cron_schedule": "@daily"}) == {"updated_count": 1} and reading.state()["cron_schedule"] == "@daily"
    refused(api, "PATCH", f"{reading.feed_path}/subscriptions/cron", 400, {"cron_schedule": "x"}, "invalidCronExpression")
    assert api.post(f"{reading.feed_path}/unsubscribe", {"agent_id": reader["id"]}) == {"success": True}
    refused(api, "DELETE", reading.path, 404, None, "subscriptionNotFound")
    again = Reading(api, feed, reader)
    assert api.delete(again.path) == {"success": True}
    third = Reading(api, feed, reader)
    api.delete(f"/v1/agents/{reader['id']}")
    refused(api, "GET", f"{third.path}/history", 404, None, "subscriptionNotFound")


# ---- delivering ----

def test_a_trigger_hands_over_what_is_new(api, feed, reader):
    reading = Reading(api, feed, reader, prompt_template="News: {{content}}")
    assert api.post(f"{reading.path}/trigger") == {"success": True, "messages_sent": 0} and reading.history() == []
    reading.publish("one", "two")
    assert api.post(f"{reading.path}/trigger") == {"success": True, "messages_sent": 2}
    (run,) = reading.ended()
    assert run["type"] == "manual" and run["status"] == "completed" and run["completed_at"] >= run["started_at"]
    assert reading.heard() == ["News: one", "News: two"]
    assert reading.state()["last_consumed_sequence"] == 2 and reading.state()["last_consumed_at"]
    reading.publish("three")
    assert api.post(f"{reading.path}/trigger")["messages_sent"] == 1
    reading.ended(2)
    assert reading.heard()[2:] == ["News: three"]


def test_texts_can_be_combined(api, feed, reader):
    reading = Reading(api, feed, reader, merge_strategy="combine-into-single-message")
    reading.publish("one", "two")
    api.post(f"{reading.path}/trigger")
    reading.ended()
    assert reading.heard() == ["one\n\ntwo"]


def test_many_texts_go_piece_by_piece(api, feed, reader):
    reading = Reading(api, feed, reader, merge_strategy="combine-into-single-message")
    reading.publish(*(f"text {i}" for i in range(120)))
    assert api.post(f"{reading.path}/trigger")["messages_sent"] == 120
    reading.ended()
    heard = reading.heard()
    assert len(heard) == 3 and "\n\n".join(heard).split("\n\n") == [f"text {i}" for i in range(120)]
    assert reading.state()["last_consumed_sequence"] == 120


def test_a_backfill_gives_a_range_again(api, feed, reader):
    reading = Reading(api, feed, reader)
    reading.publish("one", "two", "three")
    made = api.post(f"{reading.path}/backfill", {"from_sequence": 2, "to_sequence": 2})
    (run,) = reading.ended()
    assert run["workflow_id"] == made["workflow_id"] and run["type"] == "backfill" and reading.heard() == ["two"]
    assert reading.state()["last_consumed_sequence"] == 0
    api.post(f"{reading.path}/backfill")
    reading.ended(2)
    assert reading.heard() == ["two", "one", "two", "three"]
    for bad in ({"from_sequence": 9}, {"from_sequence": 0}, {"from_sequence": 3, "to_sequence": 2}):
        refused(api, "POST", f"{reading.path}/backfill", 400, bad)
    refused(api, "POST", f"/v1/feeds/{feed['id']}/subscriptions/feed_subscription-{stele.GONE}/backfill", 404, {}, "subscriptionNotFound")


def test_history_is_the_newest_first_and_pages(api, feed, reader):
    reading = Reading(api, feed, reader)
    for text in ("one", "two", "three"):
        reading.publish(text)
        api.post(f"{reading.path}/trigger")
        reading.ended(("one", "two", "three").index(text) + 1)
    whole = [run["workflow_id"] for run in reading.history()]
    first = api.get(f"{reading.path}/history?page_size=2")
    second = api.get(f"{reading.path}/history?page_size=2&next_page_token={first['next_page_token']}")
    assert [run["workflow_id"] for run in first["runs"] + second["runs"]] == whole and second["next_page_token"] is None
    for query in ("page_size=0", "page_size=x", "next_page_token=x"):
        refused(api, "GET", f"{reading.path}/history?{query}", 400)


def test_what_no_run_took_up_comes_again(own_server):
    """The run fails before it has stored anything: the model's handle is unknown."""
    api = own_server().start().http(2)
    feed = api.post("/v1/feeds", {"project_id": DEFAULT, "name": "n"})
    agent = api.post("/v1/agents", {"memory_blocks": []})
    reading = Reading(api, feed, agent)
    reading.publish("one")
    config = {**api.get(f"/v1/agents/{agent['id']}")["llm_config"], "handle": "nobody/none"}
    api.patch(f"/v1/agents/{agent['id']}", {"llm_config": config})
    api.post(f"{reading.path}/trigger")
    (run,) = reading.ended()
    assert run["status"] == "failed" and reading.state()["last_consumed_sequence"] == 0 and reading.heard() == []
    api.patch(f"/v1/agents/{agent['id']}", {"model": "stele/offline"})
    assert api.post(f"{reading.path}/trigger")["messages_sent"] == 1
    assert reading.ended(2)[0]["status"] == "completed" and reading.heard() == ["one"]


def change(server, sql):
    """Writes into the store of a server that is not at work."""
    with sqlite3.connect(server.folder / "data" / "stele.db") as store:
        store.execute(sql)
    store.close()


def test_what_is_due_is_delivered_once_and_the_plan_moves_on(own_server):
    server = own_server().start()
    api = server.http(2)
    feed = api.post("/v1/feeds", {"project_id": DEFAULT, "name": "n"})
    reading = Reading(api, feed, api.post("/v1/agents", {"memory_blocks": []}))
    idle = Reading(api, feed, api.post("/v1/agents", {"memory_blocks": []}))
    paused = Reading(api, feed, api.post("/v1/agents", {"memory_blocks": []}))
    reading.publish("one")
    api.post(f"{idle.path}/trigger")
    idle.ended()
    api.patch(paused.path, {"disabled": True})
    server.stop()
    change(server, "UPDATE feed_subscription SET next_at = 1 WHERE next_at IS NOT NULL")
    api = server.start().http(2)
    for each in (reading, idle, paused):
        each.api = api
    (run,) = reading.ended()
    assert run["type"] == "scheduled" and reading.heard() == ["one"]
    stele.wait_until(lambda: idle.state()["next_scheduled_at"] > "2000")
    assert len(idle.history()) == 1 and reading.state()["next_scheduled_at"] > "2000" and paused.history() == []


def test_texts_go_after_30_days(own_server):
    server = own_server().start()
    api = server.http(2)
    feed = api.post("/v1/feeds", {"project_id": DEFAULT, "name": "n"})
    reading = Reading(api, feed, api.post("/v1/agents", {"memory_blocks": []}))
    reading.publish("old", "new")
    server.stop()
    change(server, "UPDATE feed_message SET expires_at = 1 WHERE sequence = 1")
    reading.api = api = server.start().http(2)
    assert [each["sequence"] for each in api.get(f"/v1/feeds/{feed['id']}/messages")["messages"]] == [2]
    assert api.post(f"{reading.path}/trigger")["messages_sent"] == 1
    reading.ended()
    assert reading.heard() == ["new"]


def test_an_agent_in_the_trash_reads_nothing_until_it_is_back(own_server):
    server = own_server(arguments=["--trash-days", "1"]).start()
    api = server.http(2)
    feed = api.post("/v1/feeds", {"project_id": "default-project", "name": "News"})
    reading = Reading(api, feed, api.post("/v1/agents", {"name": "Reader", "memory_blocks": []}))
    reading.publish("while you were away")
    api.delete(f"/v1/agents/{reading.agent['id']}")
    server.kill()
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        store.execute("UPDATE feed_subscription SET next_at = 1")
    server.start()

    def statements():
        _, text, _ = api.send("GET", "/metrics")
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("stele_store_statements_total")))

    before = statements()
    time.sleep(1)
    assert statements() - before < 100  # what is due and can't be delivered is not asked for over and over
    (item,) = [each for each in api.get("/v1/trash") if each["object_id"] == reading.agent["id"]]
    api.post(f"/v1/trash/{item['id']}/restore")
    assert reading.heard() == []
    api.post(f"{reading.path}/trigger")
    stele.wait_until(lambda: reading.heard() == ["while you were away"])
