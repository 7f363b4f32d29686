"""Groups: what they are made of, how they change, and what goes with whom when something is deleted."""

import pytest
import stele
from stele import refused

GONE_AGENT, GONE_BLOCK, GONE_GROUP = (f"{kind}-{stele.GONE}" for kind in ("agent", "block", "group"))
FIELDS = ["id", "manager_type", "agent_ids", "description", "project_id", "template_id", "base_template_id", "deployment_id",
          "shared_block_ids", "manager_agent_id", "termination_token", "max_turns", "sleeptime_agent_frequency", "turns_counter",
          "last_processed_message_id", "max_message_buffer_length", "min_message_buffer_length", "hidden"]


@pytest.fixture
def api(server):
    return server.http(1)


def agents(api, count=2, **more):
    return [api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "x"}], **more})["id"] for _ in range(count)]


def make(api, ids, config=None, **more):
    return api.post("/v1/groups", {"agent_ids": ids, "description": "d", **({"manager_config": config} if config else {}), **more})


def blocks_of(api, agent):
    return [b["id"] for b in api.get(f"/v1/agents/{agent}")["blocks"]]


def test_a_group_is_what_was_asked_for(api):
    ids = agents(api)
    group = make(api, ids, {"manager_type": "round_robin", "max_turns": 2})
    assert list(group) == FIELDS
    empty = {name: None for name in FIELDS}
    assert group == {**empty, "id": group["id"], "manager_type": "round_robin", "agent_ids": ids, "description": "d",
                     "shared_block_ids": [], "max_turns": 2}
    assert api.get(f"/v1/groups/{group['id']}") == group
    assert make(api, [ids[0], ids[1], ids[0]])["agent_ids"] == ids


@pytest.mark.parametrize("config, has", [
    ({"manager_type": "supervisor"}, {}),
    ({"manager_type": "dynamic"}, {"termination_token": "DONE!"}),
    ({"manager_type": "dynamic", "termination_token": "END", "max_turns": 7}, {"termination_token": "END", "max_turns": 7}),
    ({"manager_type": "dynamic", "termination_token": None}, {"termination_token": None}),
    ({"manager_type": "sleeptime", "sleeptime_agent_frequency": 3}, {"sleeptime_agent_frequency": 3, "turns_counter": -1}),
    ({"manager_type": "voice_sleeptime", "max_message_buffer_length": 6, "min_message_buffer_length": 5},
     {"max_message_buffer_length": 6, "min_message_buffer_length": 5}),
    ({"manager_type": "round_robin", "sleeptime_agent_frequency": 3}, {"sleeptime_agent_frequency": None})])
def test_each_manager_keeps_what_belongs_to_it(api, config, has):
    manager, *members = agents(api, 3)
    group = make(api, members, {**config, "manager_agent_id": manager})
    assert has.items() <= group.items()
    managed = config["manager_type"] != "round_robin"
    assert group["manager_agent_id"] == (manager if managed else None)
    state = api.get(f"/v1/agents/{manager}")
    assert state["managed_group"] == state["multi_agent_group"] == (group if managed else None)
    assert api.get(f"/v1/agents/{members[0]}")["managed_group"] is None


@pytest.mark.parametrize("config, status, told", [
    ({"manager_type": "supervisor"}, 422, "manager_agent_id"),
    ({"manager_type": "swarm"}, 422, "manager_type"),
    ({"manager_type": "dynamic", "manager_agent_id": "agent-1"}, 422, "manager_agent_id"),
    ({"manager_type": "dynamic", "manager_agent_id": GONE_AGENT}, 404, "Agent"),
    ({"manager_type": "round_robin", "max_turns": 0}, 422, "max_turns"),
    ({"manager_type": "voice_sleeptime", "max_message_buffer_length": 9}, 400, "min_message_buffer_length"),
    ({"manager_type": "voice_sleeptime", "max_message_buffer_length": 9, "min_message_buffer_length": 4}, 400, "greater than 4"),
    ({"manager_type": "voice_sleeptime", "max_message_buffer_length": 9, "min_message_buffer_length": 9}, 400, "greater than min")])
def test_a_config_without_sense_is_refused(api, config, status, told):
    manager, member = agents(api)
    if config["manager_type"] == "voice_sleeptime":
        config = {**config, "manager_agent_id": manager}
    before = api.get("/v1/groups/count")
    body = {"agent_ids": [member], "description": "d", "manager_config": config}
    assert told in refused(api, "POST", "/v1/groups", status, body).text
    assert api.get("/v1/groups/count") == before


@pytest.mark.parametrize("body, status, told", [
    ({"description": "d"}, 422, "agent_ids"), ({"agent_ids": []}, 422, "description"),
    ({"agent_ids": ["x"], "description": "d"}, 422, "agent_ids"),
    ({"agent_ids": [GONE_AGENT], "description": "d"}, 404, "Agent"),
    ({"agent_ids": [], "description": "d", "shared_block_ids": [GONE_BLOCK]}, 404, "Block"),
    ({"agent_ids": [GONE_AGENT] * 101, "description": "d"}, 422, "agent_ids")])
def test_a_group_of_nobody_is_refused(api, body, status, told):
    assert told in refused(api, "POST", "/v1/groups", status, body).text


def test_a_change_leaves_what_it_does_not_name(api):
    manager, one, two = agents(api, 3)
    group = make(api, [one], {"manager_type": "dynamic", "manager_agent_id": manager, "max_turns": 4})
    path = f"/v1/groups/{group['id']}"
    assert api.patch(path, {"description": "new"}) == {**group, "description": "new"}
    changed = api.patch(path, {"agent_ids": [two, one], "manager_config": {"manager_type": "dynamic", "max_turns": None, "manager_agent_id": None}})
    assert changed == {**group, "description": "new", "agent_ids": [two, one], "max_turns": None}
    assert api.get(path) == changed
    assert "type" in refused(api, "PATCH", path, 400, {"manager_config": {"manager_type": "round_robin"}}).text
    refused(api, "PATCH", path, 404, {"agent_ids": [GONE_AGENT]})
    refused(api, "PATCH", path, 422, {"manager_config": {"manager_type": "dynamic", "max_turns": -1}})
    assert api.get(path) == changed
    for method, where in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/messages"), ("PATCH", "/reset-messages"),
                          ("PATCH", f"/blocks/attach/{GONE_BLOCK}")]:
        refused(api, method, f"/v1/groups/{GONE_GROUP}{where}", 404, {} if method == "PATCH" else None)


def test_lists_are_filtered_and_walked(api, own_server):
    own = own_server({}).start()
    api = own.http(1)
    manager, *members = agents(api, 3)
    made = [make(api, members, project_id="p" if i % 2 else None) for i in range(5)]
    dynamic = make(api, [], {"manager_type": "dynamic", "manager_agent_id": manager})
    hidden = make(api, [members[0]], hidden=True)
    ids = [g["id"] for g in made]
    assert [g["id"] for g in api.get("/v1/groups/")] == ids + [dynamic["id"]] and api.get("/v1/groups/count") == 6
    assert [g["id"] for g in api.get("/v1/groups?order=desc&limit=2")] == [dynamic["id"], ids[4]]
    assert [g["id"] for g in api.get("/v1/groups?manager_type=dynamic")] == [dynamic["id"]]
    assert [g["id"] for g in api.get("/v1/groups?project_id=p")] == [ids[1], ids[3]]
    assert api.get("/v1/groups?manager_type=swarm") == []
    assert "manager_type" in refused(api, "GET", "/v1/groups?manager_type=x", 422).text
    walked, after = [], ""
    while page := api.get(f"/v1/groups?limit=2{after}"):
        walked += page
        after = f"&after={page[-1]['id']}"
        if page[-1]["id"] == ids[1]:
            api.delete(f"/v1/groups/{ids[1]}")  # a walk that stands on it goes on
    assert walked == made + [dynamic]
    assert [g["id"] for g in api.get(f"/v1/agents/{members[0]}/groups")] == [ids[4], ids[3], ids[2], ids[0]]
    assert [g["id"] for g in api.get(f"/v1/agents/{members[0]}/groups?limit=1&order=asc")] == [ids[0]]
    assert api.get(f"/v1/agents/{manager}/groups?manager_type=dynamic") == [dynamic]
    assert api.get(f"/v1/agents/{manager}/groups?manager_type=supervisor") == []
    refused(api, "GET", f"/v1/agents/{GONE_AGENT}/groups", 404)
    assert api.get(f"/v1/groups/{hidden['id']}") == hidden
    assert own.stop() == 0


def test_shared_blocks_belong_to_all_of_the_group(api):
    manager, one, two = agents(api, 3)
    shared, other = (api.post("/v1/blocks", {"label": label, "value": "v"})["id"] for label in ("notes", "plan"))
    group = make(api, [one], {"manager_type": "supervisor", "manager_agent_id": manager}, shared_block_ids=[shared])
    path = f"/v1/groups/{group['id']}"
    assert group["shared_block_ids"] == [shared]
    assert shared in blocks_of(api, manager) and shared in blocks_of(api, one) and shared not in blocks_of(api, two)

    assert api.patch(f"{path}/blocks/attach/{other}") is None
    assert api.patch(f"{path}/blocks/attach/{other}") is None
    assert api.get(path)["shared_block_ids"] == [shared, other]
    assert other in blocks_of(api, manager) and other in blocks_of(api, one)

    api.patch(path, {"agent_ids": [two]})
    assert {shared, other} <= set(blocks_of(api, two)) and not {shared, other} & set(blocks_of(api, one))

    assert api.patch(f"{path}/blocks/detach/{shared}") is None
    assert api.get(path)["shared_block_ids"] == [other]
    assert shared not in blocks_of(api, manager) + blocks_of(api, two) and other in blocks_of(api, two)

    api.delete(f"/v1/blocks/{other}")
    assert api.get(path)["shared_block_ids"] == []


def test_a_block_whose_label_a_member_has_already_is_refused(api):
    [one] = agents(api, 1)
    clash = api.post("/v1/blocks", {"label": "human", "value": "v"})["id"]
    refused(api, "POST", "/v1/groups", 409, {"agent_ids": [one], "description": "d", "shared_block_ids": [clash]})
    group = make(api, [one])
    refused(api, "PATCH", f"/v1/groups/{group['id']}/blocks/attach/{clash}", 409)
    assert api.get(f"/v1/groups/{group['id']}")["shared_block_ids"] == [] and clash not in blocks_of(api, one)


def test_what_goes_with_whom(api):
    manager, one, two = agents(api, 3)
    group = make(api, [one, two], {"manager_type": "dynamic", "manager_agent_id": manager})
    other = make(api, [one, two])
    assert "successfully deleted" in api.delete(f"/v1/groups/{make(api, [one])['id']}")["message"]
    api.delete(f"/v1/agents/{one}")
    assert api.get(f"/v1/groups/{group['id']}")["agent_ids"] == [two]
    api.delete(f"/v1/agents/{manager}")
    refused(api, "GET", f"/v1/groups/{group['id']}", 404)
    assert api.get(f"/v1/agents/{two}")["id"] == two and api.get(f"/v1/groups/{other['id']}")["agent_ids"] == [two]


def test_the_same_key_makes_one_group(api):
    ids = agents(api)
    key = {"Idempotency-Key": "group-" + ids[0]}
    body = {"agent_ids": ids, "description": "d"}
    first, again = (api.post("/v1/groups", body, headers=key) for _ in range(2))
    assert first == again


def test_the_managed_group_is_shown_when_it_is_asked_for(server, api):
    manager, one = agents(api)
    group = make(api, [one], {"manager_type": "dynamic", "manager_agent_id": manager})
    newer = server.http(2)
    assert newer.get(f"/v1/agents/{manager}")["managed_group"] is None
    assert newer.get(f"/v1/agents/{manager}?include=agent.managed_group")["managed_group"] == group
    assert api.get(f"/v1/agents/{manager}?include_relationships=multi_agent_group")["multi_agent_group"] == group
    assert api.get(f"/v1/agents/{manager}?include_relationships=tools")["multi_agent_group"] is None
