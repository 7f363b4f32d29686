"""Reflection: the terminal client's words for a partner that looks after an agent's memory."""

import pytest
from stele import GONE, refused, wait_until

WORDS = [{"role": "user", "content": "hello"}]


def group_of(http, agent):
    return http.get(f"/v1/agents/{agent['id']}?include=agent.managed_group")["managed_group"]


def test_it_is_off_until_it_is_asked_for(http, agent):
    config = http.get(f"/v1/agents/{agent['id']}/reflection")
    assert (config["agent_id"], config["enabled"], config["min_turn_count"]) == (agent["id"], False, 5) and config["created_at"] and config["updated_at"]
    assert group_of(http, agent) is None


def test_switching_it_on_gives_the_agent_a_partner(http, agent):
    path = f"/v1/agents/{agent['id']}/reflection"
    on = http.patch(path, {"enabled": True, "min_turn_count": 2})
    assert (on["enabled"], on["min_turn_count"]) == (True, 2) and http.get(path) == on
    group = group_of(http, agent)
    assert (group["manager_type"], group["sleeptime_agent_frequency"]) == ("sleeptime", 2)
    off = http.patch(path, {"enabled": False})
    assert (off["enabled"], off["min_turn_count"]) == (False, 2)
    assert http.patch(path, {"enabled": True, "min_turn_count": 3})["min_turn_count"] == 3
    assert group_of(http, agent)["id"] == group["id"] and http.patch(path, {}) == http.get(path)


def test_the_partner_works_while_it_is_on(http, agent):
    path = f"/v1/agents/{agent['id']}"
    http.patch(f"{path}/reflection", {"enabled": True, "min_turn_count": 1})
    runs = http.post(f"{path}/messages", {"messages": WORDS})["usage"]["run_ids"]
    assert len(runs) == 1
    http.patch(f"{path}/reflection", {"enabled": False})
    assert not http.post(f"{path}/messages", {"messages": WORDS})["usage"]["run_ids"]


def test_what_was_reflected_on_elsewhere_is_not_read_again(http, agent):
    path = f"/v1/agents/{agent['id']}"
    conversation = http.post(f"/v1/conversations?agent_id={agent['id']}")["id"]
    for text in ("first", "second"):
        http.post(f"{path}/messages", {"messages": [{"role": "user", "content": text}]})
    http.post(f"/v1/conversations/{conversation}/messages", {"messages": [{"role": "user", "content": "elsewhere"}], "streaming": False})
    first = next(m["id"] for m in http.get(f"{path}/messages?limit=100") if m.get("content") == "first")
    mark = http.patch(f"{path}/conversations/default/reflection", {"reflected_through_message_id": first})
    assert (mark["agent_id"], mark["conversation_id"], mark["reflected_through_message_id"]) == (agent["id"], "default", first)
    http.patch(f"{path}/reflection", {"enabled": True, "min_turn_count": 1})
    run, = http.post(f"{path}/messages", {"messages": [{"role": "user", "content": "third"}]})["usage"]["run_ids"]
    wait_until(lambda: http.get(f"/v1/runs/{run}")["status"] == "completed")
    read = next(m["content"] for m in http.get(f"/v1/agents/{group_of(http, agent)['agent_ids'][0]}/messages") if m["message_type"] == "user_message")
    assert "user: first" not in read and all(f"user: {word}" in read for word in ("second", "third", "elsewhere"))


def test_marks_are_for_messages_of_that_conversation(http, agent):
    path, other = f"/v1/agents/{agent['id']}", http.post("/v1/agents", {})
    conversation = http.post(f"/v1/conversations?agent_id={agent['id']}")["id"]
    message = http.get(f"{path}/messages")[0]["id"]
    refused(http, "PATCH", f"{path}/conversations/{conversation}/reflection", 400, {"reflected_through_message_id": message})
    refused(http, "PATCH", f"{path}/conversations/default/reflection", 404, {"reflected_through_message_id": f"message-{GONE}"})
    refused(http, "PATCH", f"/v1/agents/{other['id']}/conversations/default/reflection", 404, {"reflected_through_message_id": message})
    refused(http, "PATCH", f"/v1/agents/{other['id']}/conversations/{conversation}/reflection", 404, {"reflected_through_message_id": message})
    assert "reflected_through_message_id" in refused(http, "PATCH", f"{path}/conversations/default/reflection", 422, {"reflected_through_message_id": "x"}).text


@pytest.mark.parametrize("turns", [0, -1, 10_001])
def test_turns_have_bounds(http, agent, turns):
    assert "body.min_turn_count" in refused(http, "PATCH", f"/v1/agents/{agent['id']}/reflection", 422, {"min_turn_count": turns}).text
    refused(http, "GET", f"/v1/agents/agent-{GONE}/reflection", 404)
