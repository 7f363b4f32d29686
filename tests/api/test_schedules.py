"""Messages that are planned to be sent: once or again and again, by the agent's clocks; what is due is sent once, whatever
comes in between, and what came of it is told."""

import datetime
import json
import re
import sqlite3
import time

import pytest
import stele
from approvals import ASK, RULE
from receiver import Receiver

UTC = datetime.timezone.utc
NEVER = "0 0 29 2 *"


def at(seconds: float) -> float:
    """Milliseconds since 1970, so many seconds from now."""
    return round((time.time() + seconds) * 1000)


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Plans:
    """The planned messages of one agent."""

    def __init__(self, http, agent=None, **fields):
        self.http = http
        self.agent_id = agent["id"] if agent else http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": ""}], **fields})["id"]
        self.path = f"/v1/agents/{self.agent_id}/schedule"

    def make(self, schedule, text="@say hello", **more):
        return self.http.post(self.path, {"messages": [{"role": "user", "content": text}], "schedule": schedule, **more})

    def once(self, seconds=0.2, text="@say hello", **more):
        return self.make({"scheduled_at": at(seconds)}, text, **more)["id"]

    def cron(self, expression, text="@say hello", **more):
        return self.make({"type": "recurring", "cron_expression": expression}, text, **more)["id"]

    def get(self, plan):
        return self.http.get(f"{self.path}/{plan}")

    def list(self, query=""):
        return self.http.get(self.path + query)["scheduled_messages"]

    def history(self, plan, query=""):
        return self.http.get(f"{self.path}/{plan}/history{query}")

    def fired(self, plan, times=1):
        """The history once so many sendings have ended."""
        stele.wait_until(lambda: len(self.history(plan)["history"]) >= times)
        return self.history(plan)["history"]

    def said(self, query=""):
        messages = self.http.get(f"/v1/agents/{self.agent_id}/messages?limit=500{query}")
        return [m["content"] for m in messages if m["message_type"] == "user_message" and m["content"].startswith("@")]


@pytest.fixture
def plans(http, agent):
    return Plans(http, agent)


def refused(status, call, *arguments):
    with pytest.raises(stele.Refused) as failure:
        call(*arguments)
    assert failure.value.status == status, failure.value
    return failure.value


def change(server, sql, *values):
    """Writes into the store of a server that is not at work."""
    with sqlite3.connect(server.folder / "data" / "stele.db") as store:
        done = store.execute(sql, values).rowcount
    store.close()
    return done


def rows(server, sql):
    store = sqlite3.connect(server.folder / "data" / "stele.db")
    found = store.execute(sql).fetchall()
    store.close()
    return found


# ---- making, showing, deleting ----

def test_a_plan_is_kept_as_it_was_made(plans):
    message = {"role": "user", "content": [{"type": "text", "text": "Remember the tea"}], "name": "grace", "otid": "tea-1"}
    due = at(3600)
    made = plans.http.post(plans.path, {"messages": [message], "schedule": {"type": "one-time", "scheduled_at": due}, "max_steps": 3,
                                        "callback_url": "https://example.com/done", "include_return_message_types": ["assistant_message"],
                                        "name": "tea", "description": "every so often", "target_device_id": "d", "use_sandbox": True})
    assert set(made) == {"id", "next_scheduled_at"} and re.fullmatch(r"sched-[0-9a-f-]{36}", made["id"])
    assert moment(made["next_scheduled_at"]).timestamp() * 1000 == due
    shown = plans.get(made["id"])
    message["content"] = "Remember the tea"  # a single text is a text
    assert shown.pop("created_at")
    assert shown == {"id": made["id"], "agent_id": plans.agent_id, "schedule": {"type": "one-time", "scheduled_at": due},
                     "message": {"messages": [message], "max_steps": 3, "callback_url": "https://example.com/done", "include_return_message_types": ["assistant_message"]},
                     "next_scheduled_time": made["next_scheduled_at"], "name": "tea", "description": "every so often", "conversation_id": None,
                     "target_device_id": "d", "use_sandbox": True}
    assert plans.list() == [plans.get(made["id"])]
    assert plans.history(made["id"]) == {"history": [], "has_next_page": False, "next_offset": None}


def test_it_is_answered_with_201_and_what_was_not_given_is_not_there(plans):
    body = {"messages": [{"role": "system", "content": "x"}], "schedule": {"type": "recurring", "cron_expression": "@daily"}}
    status, text, _ = plans.http.send("POST", plans.path, body)
    assert status == 201
    shown = plans.get(json.loads(text)["id"])
    assert shown["message"] == {"messages": body["messages"]} and shown["schedule"] == body["schedule"]
    assert shown["name"] is None and shown["use_sandbox"] is False


@pytest.mark.parametrize("factor", [1000, 1], ids=["milliseconds", "seconds"])
def test_a_time_is_read_in_either_unit(plans, factor):
    due = round(time.time()) + 5000
    made = plans.make({"scheduled_at": due * factor})
    assert moment(made["next_scheduled_at"]).timestamp() == due


NOW = time.time()
BAD = [
    # the plan, status, the place that is named
    ({}, 422, "body.schedule.scheduled_at"),
    ({"type": "one-time", "cron_expression": "* * * * *"}, 422, "body.schedule.scheduled_at"),
    ({"type": "recurring"}, 422, "body.schedule.cron_expression"),
    ({"type": "recurring", "scheduled_at": 1}, 422, "body.schedule.cron_expression"),
    ({"type": "sometimes", "scheduled_at": 1}, 422, "body.schedule.type"),
    ({"scheduled_at": "soon"}, 422, "body.schedule.scheduled_at"),
    ({"scheduled_at": -5}, 422, "body.schedule.scheduled_at"),
    ({"scheduled_at": 1e300}, 422, "body.schedule.scheduled_at"),
    ({"scheduled_at": 253402300800000}, 422, "body.schedule.scheduled_at"),
    ({"scheduled_at": 0}, 400, "body.schedule.scheduled_at"),
    ({"scheduled_at": NOW - 600}, 400, "body.schedule.scheduled_at"),
    ({"scheduled_at": (NOW - 600) * 1000}, 400, "body.schedule.scheduled_at"),
    ({"type": "recurring", "cron_expression": ""}, 400, "body.schedule.cron_expression"),
    ({"type": "recurring", "cron_expression": "every day"}, 400, "body.schedule.cron_expression"),
    ({"type": "recurring", "cron_expression": "0 0 30 2 *"}, 400, "body.schedule.cron_expression"),
    ({"type": "recurring", "cron_expression": "*/5 * * * * *"}, 400, "body.schedule.cron_expression"),
    ({"type": "recurring", "cron_expression": "61 * * * *"}, 400, "minute: '61'"),
]


@pytest.mark.parametrize("schedule, status, named", BAD, ids=range(len(BAD)))
def test_a_plan_that_is_none_is_refused_by_its_place(plans, schedule, status, named):
    failed = refused(status, plans.make, schedule)
    assert named in failed.body["detail"]
    if "cron_expression" in schedule and status == 400:
        assert failed.body["errorCode"] == "invalidCronExpression" and failed.body["message"] == failed.body["detail"]
    assert plans.list() == []


REQUESTS = [
    ({"messages": []}, 422, "body.messages"), ({"messages": [{"role": "robot", "content": "x"}]}, 422, "body.messages.0.role"),
    ({"messages": [{"role": "user"}]}, 422, "body.messages.0.content"), ({"messages": [{"role": "user", "content": ""}]}, 400, "messages"),
    ({"messages": [{"type": "approval", "approvals": []}]}, 422, "body.messages.0.type"), ({"max_steps": 0}, 422, "body.max_steps"),
    ({"include_return_message_types": ["gossip"]}, 422, "body.include_return_message_types"), ({"callback_url": "ftp://x"}, 422, "body.callback_url"),
    ({"conversation_id": "nonsense"}, 422, "body.conversation_id"), ({"conversation_id": f"conv-{stele.GONE}"}, 404, "not found"),
]


@pytest.mark.parametrize("body, status, named", REQUESTS, ids=range(len(REQUESTS)))
def test_what_could_not_be_sent_is_refused_at_once(plans, body, status, named):
    whole = {"messages": [{"role": "user", "content": "x"}], "schedule": {"type": "recurring", "cron_expression": "@daily"}, **body}
    assert named in refused(status, plans.http.post, plans.path, whole).body["detail"]
    assert plans.list() == []


def test_unknown_agents_and_plans_and_those_of_others(server, plans):
    gone, other = f"sched-{stele.GONE}", Plans(server.http())
    mine = plans.cron("@daily")
    refused(404, Plans(plans.http, {"id": f"agent-{stele.GONE}"}).make, {"scheduled_at": at(60)})
    refused(404, Plans(plans.http, {"id": f"agent-{stele.GONE}"}).list)
    for plan in (gone, mine):
        refused(404, other.get, plan)
        refused(404, other.history, plan)
        refused(404, other.http.delete, f"{other.path}/{plan}")
    refused(422, plans.get, "nonsense")
    assert plans.get(mine)


def test_a_deleted_plan_is_gone_and_is_not_sent(plans):
    plan = plans.once(0.4)
    after = plans.once(0.6, "@say after")
    assert plans.http.delete(f"{plans.path}/{plan}") == {"success": True}
    refused(404, plans.get, plan)
    refused(404, plans.http.delete, f"{plans.path}/{plan}")
    plans.fired(after)
    assert plans.said() == ["@say after"]


def test_a_key_makes_one_plan_of_two_requests(plans):
    body = {"messages": [{"role": "user", "content": "x"}], "schedule": {"scheduled_at": at(900)}}
    key = {"Idempotency-Key": f"plan-{time.time_ns()}"}
    first, again = (plans.http.send("POST", plans.path, body, headers=key) for _ in range(2))
    assert first[:2] == again[:2] and first[0] == 201
    assert len(plans.list()) == 1


def test_the_list_runs_from_the_next_one_on_and_is_paged(plans):
    made = [plans.once(seconds) for seconds in (3000, 1000, 4000, 2000)]
    wanted = [made[1], made[3], made[0], made[2]]
    assert [p["id"] for p in plans.list()] == wanted
    walked, cursor = [], ""
    for _ in range(4):
        page = plans.http.get(f"{plans.path}?limit=1{cursor}")
        walked += [p["id"] for p in page["scheduled_messages"]]
        assert page["has_next_page"] is (len(walked) < 4)
        cursor = f"&after={walked[-1]}"
    assert walked == wanted and plans.list(f"?limit=1{cursor}") == []
    plans.http.delete(f"{plans.path}/{made[3]}")
    assert [p["id"] for p in plans.list(f"?after={made[3]}")] == wanted[2:], "a walk that stands on a plan that is gone goes on"
    page = plans.http.get(f"{plans.path}?limit=1&before={made[2]}")
    assert [p["id"] for p in page["scheduled_messages"]] == [made[0]] and page["has_next_page"]
    refused(404, plans.list, f"?after=sched-{stele.GONE}")
    refused(422, plans.list, "?after=nonsense")
    refused(422, plans.list, "?limit=0")


# ---- when ----

def test_a_cron_expression_is_read_by_the_clocks_of_the_agent(http):
    plans = Plans(http, timezone="Asia/Kathmandu")
    due = moment(plans.make({"type": "recurring", "cron_expression": "0 9 * * *"})["next_scheduled_at"])
    assert (due.hour, due.minute, due.second) == (3, 15, 0) and datetime.timedelta(0) < due - datetime.datetime.now(UTC) <= datetime.timedelta(days=1)


def test_clocks_that_move_move_the_plans_with_them(http):
    plans = Plans(http)
    morning, once = plans.cron("30 9 * * *"), plans.once(5000)
    assert moment(plans.get(morning)["next_scheduled_time"]).hour == 9
    unmoved = plans.get(once)
    http.patch(f"/v1/agents/{plans.agent_id}", {"timezone": "Asia/Tokyo"})
    due = moment(plans.get(morning)["next_scheduled_time"])
    assert (due.hour, due.minute) == (0, 30)
    assert plans.get(once) == unmoved


# ---- sending ----

def test_what_is_due_is_sent_once_and_told(plans):
    plan = plans.once(0.3)
    assert plans.list() and plans.get(plan)["next_scheduled_time"]
    (firing,) = plans.fired(plan)
    assert firing["id"].startswith("firing-") and firing["scheduled_message_id"] == plan and firing["status"] == "success"
    assert abs(moment(firing["sent_at"]).timestamp() - time.time()) < 60
    run = plans.http.get(f"/v1/runs/{firing['run_id']}")
    assert run["status"] == "completed" and run["background"] is True and run["agent_id"] == plans.agent_id
    assert run["metadata"] == {"run_type": "send_message_scheduled", "result": firing["response"]}
    assert [m["content"] for m in firing["response"]["messages"]] == ["@say hello", "hello"]
    assert firing["response"]["stop_reason"]["stop_reason"] == "end_turn"
    assert plans.said() == ["@say hello"] and plans.list() == []
    assert plans.get(plan)["next_scheduled_time"] is None, "it can still be looked at"
    assert [r["id"] for r in plans.http.get(f"/v1/runs?agent_id={plans.agent_id}")] == [firing["run_id"]]


def test_a_time_just_gone_is_due_at_once(plans):
    plan = plans.once(-30)
    assert plans.fired(plan)[0]["status"] == "success"


def test_all_that_was_asked_for_goes_along(plans):
    conversation = plans.http.post(f"/v1/conversations?agent_id={plans.agent_id}")["id"]
    call = '@call memory_insert {"label":"human","new_string":"x"}'
    plan = plans.once(0.1, call, max_steps=1, include_return_message_types=["tool_call_message"], conversation_id=conversation)
    assert plans.get(plan)["conversation_id"] == conversation
    (firing,) = plans.fired(plan)
    assert [m["message_type"] for m in firing["response"]["messages"]] == ["tool_call_message"]
    assert firing["response"]["stop_reason"]["stop_reason"] == "max_steps"
    assert plans.said("&conversation_id=default") == [] and plans.said(f"&conversation_id={conversation}") == [call]


def test_the_same_otid_may_be_planned_again(plans):
    for _ in range(2):
        body = {"messages": [{"role": "user", "content": "@say hello", "otid": "the-same"}], "schedule": {"scheduled_at": at(0.1)}}
        assert plans.fired(plans.http.post(plans.path, body)["id"])[0]["status"] == "success"
    assert plans.said() == ["@say hello"] * 2


def test_it_waits_while_the_agent_is_busy(plans, model):
    plans.http.patch(f"/v1/agents/{plans.agent_id}", {"double_texting": "reject"})  # that is for requests somebody waits for
    busy = plans.http.post(f"/v1/agents/{plans.agent_id}/messages/async", {"input": "@hold\n@say first"})
    plan = plans.once(0.1, "@say second")
    stele.wait_until(lambda: len(plans.http.get(f"/v1/runs?agent_id={plans.agent_id}")) == 2)
    assert [r["status"] for r in plans.http.get(f"/v1/runs?agent_id={plans.agent_id}")] == ["created", "running"]
    assert plans.history(plan)["history"] == []
    model.release()
    assert plans.fired(plan)[0]["status"] == "success"
    assert plans.http.get(f"/v1/runs/{busy['id']}")["status"] == "completed"
    assert plans.said() == ["@hold\n@say first", "@say second"]


def test_what_waits_is_withdrawn_with_its_plan(plans):
    plans.http.post(f"/v1/agents/{plans.agent_id}/messages/async", {"input": "@sleep 2000\n@say first"})
    plan = plans.once(0.1, "@say second")
    stele.wait_until(lambda: len(plans.http.get(f"/v1/runs?agent_id={plans.agent_id}")) == 2)
    plans.http.delete(f"{plans.path}/{plan}")
    stele.wait_until(lambda: not plans.http.get(f"/v1/runs?agent_id={plans.agent_id}&active=true"))
    assert [r["status"] for r in plans.http.get(f"/v1/runs?agent_id={plans.agent_id}")] == ["cancelled", "completed"]
    assert plans.said() == ["@sleep 2000\n@say first"]


def test_it_does_not_wait_for_ever(own_server):
    plans = Plans(own_server(arguments=["--schedule-patience-seconds", "1"]).start().http())
    plans.http.post(f"/v1/agents/{plans.agent_id}/messages/async", {"input": "@sleep 60000"})
    (firing,) = plans.fired(plans.once(0.1, "@say second"))
    assert firing["status"] == "failed" and firing["response"] == {"error": "agent_busy"}
    assert [r["status"] for r in plans.http.get(f"/v1/runs?agent_id={plans.agent_id}")] == ["cancelled", "running"] and plans.said() == []


def test_while_a_decision_is_awaited_it_fails_and_is_not_sent(http):
    plans = Plans(http, tool_rules=[RULE])
    http.post(f"/v1/agents/{plans.agent_id}/messages", {"input": ASK})
    (firing,) = plans.fired(plans.once(0.1, "@say second"))
    assert firing["status"] == "failed" and "approval" in firing["response"]["error"] and firing["run_id"] is None
    assert plans.said() == [ASK]


def test_a_failure_is_in_the_history_with_its_reason(plans):
    (firing,) = plans.fired(plans.once(0.1, "@fail 401"))
    run = plans.http.get(f"/v1/runs/{firing['run_id']}")
    assert firing["status"] == "failed" and run["status"] == "failed" and firing["response"] == {"error": run["metadata"]["error"]}


def test_a_conversation_that_is_gone_is_a_failure(plans):
    conversation = plans.http.post(f"/v1/conversations?agent_id={plans.agent_id}")["id"]
    plan = plans.once(0.4, conversation_id=conversation)
    plans.http.delete(f"/v1/conversations/{conversation}")
    (firing,) = plans.fired(plan)
    assert firing["status"] == "failed" and "not found" in firing["response"]["error"]


def test_the_history_outlives_its_runs(plans):
    plan = plans.once(0.1)
    (firing,) = plans.fired(plan)
    plans.http.delete(f"/v1/runs/{firing['run_id']}")
    assert plans.history(plan)["history"] == [{**firing, "run_id": None, "response": None}]


def test_its_end_is_told_to_the_callback(model, tmp_path_factory):
    server = stele.Server(tmp_path_factory.mktemp("open"), model.environment(), ["--egress-private", "true"]).start()
    receiver = Receiver()
    try:
        plans = Plans(server.http())
        plan = plans.once(0.1, callback_url=receiver.url)
        (firing,) = plans.fired(plan)
        stele.wait_until(lambda: receiver.got)
        (_, _, told), = receiver.got
        assert told["run_id"] == firing["run_id"] and told["status"] == "completed" and told["metadata"]["result"] == firing["response"]
    finally:
        receiver.close()
        server.kill()


# ---- across restarts; the store is written to as if time had passed ----

HOURS = 3600 * 1_000_000


def micros() -> int:
    return time.time_ns() // 1000


def test_plans_survive_a_restart(own_server):
    server = own_server().start()
    plans = Plans(server.http())
    plans.cron("@weekly", name="tea")
    plans.once(9000)
    before = plans.list()
    server.kill()
    server.start()
    assert plans.list() == before and len(before) == 2


def test_what_was_missed_is_sent_once_however_often_it_came_up(own_server):
    server = own_server().start()
    plans = Plans(server.http())
    plan = plans.cron("*/5 * * * *")
    server.kill()
    assert change(server, "UPDATE schedule SET next_at = ?", micros() // 60_000_000 * 60_000_000 - 72 * HOURS) == 1
    server.start()
    assert [f["status"] for f in plans.fired(plan)] == ["success"]
    due = moment(plans.get(plan)["next_scheduled_time"])
    assert datetime.timedelta(0) < due - datetime.datetime.now(UTC) <= datetime.timedelta(minutes=5) and due.minute % 5 == 0
    server.stop()
    server.start()
    assert len(plans.history(plan)["history"]) == 1 and plans.said() == ["@say hello"]


@pytest.mark.parametrize("hours, status", [(23, "success"), (25, "failed")])
def test_a_single_message_is_sent_up_to_a_day_late(own_server, hours, status):
    server = own_server().start()
    plans = Plans(server.http())
    plan = plans.once(900)
    server.kill()
    assert change(server, "UPDATE schedule SET next_at = ?", micros() - hours * HOURS) == 1
    server.start()
    (firing,) = plans.fired(plan)
    assert firing["status"] == status and plans.list() == []
    assert plans.said() == (["@say hello"] if status == "success" else [])
    assert status == "success" or (firing["run_id"] is None and "due" in firing["response"]["error"])


def test_ten_failures_in_a_row_end_it(own_server):
    server = own_server().start()
    plans = Plans(server.http())
    well, ill = plans.cron("@hourly"), plans.cron("@hourly", "@fail 401")
    for failures, next_time in ((8, True), (9, False)):
        server.kill()
        assert change(server, "UPDATE schedule SET next_at = ?, failures = ?", micros() - HOURS, failures) == 2
        server.start()
        times = 1 if next_time else 2
        assert plans.fired(ill, times)[0]["status"] == "failed" and plans.fired(well, times)[0]["status"] == "success"
        assert (plans.get(ill)["next_scheduled_time"] is not None) is next_time
    assert [p["id"] for p in plans.list()] == [well, ill], "without a next time it is the last"
    server.kill()
    assert rows(server, "SELECT failures FROM schedule WHERE next_at IS NOT NULL") == [(0,)]


def test_what_is_old_is_forgotten(own_server):
    server = own_server().start()
    plans = Plans(server.http())
    once, again = plans.once(0.1), plans.cron("@weekly")
    plans.fired(once)
    server.kill()
    change(server, "UPDATE schedule_firing SET sent_at = ?", micros() - 31 * 24 * HOURS)
    server.start()
    stele.wait_until(lambda: rows(server, "SELECT id FROM schedule_firing") == [])
    refused(404, plans.get, once)
    assert plans.get(again)


def test_the_plans_of_an_agent_go_with_it(own_server):
    server = own_server().start()
    plans = Plans(server.http())
    plans.fired(plans.once(0.1))
    plans.cron("@daily")
    plans.once(0.3)
    server.http().delete(f"/v1/agents/{plans.agent_id}")
    refused(404, plans.list)
    server.stop()
    assert rows(server, "SELECT id FROM schedule") == [] and rows(server, "SELECT id FROM schedule_firing") == []


def test_a_stop_leaves_what_is_due_for_the_next_start(own_server):
    server = own_server().start()
    plans = Plans(server.http())
    server.http().post(f"/v1/agents/{plans.agent_id}/messages/async", {"input": "@sleep 2000\n@say first"})
    plan = plans.once(0.1, "@say second")
    stele.wait_until(lambda: len(plans.http.get(f"/v1/runs?agent_id={plans.agent_id}")) == 2)
    assert server.stop() == 0
    server.start()
    (firing,) = plans.fired(plan)
    assert firing["status"] == "success" and plans.said() == ["@sleep 2000\n@say first", "@say second"]
