"""Identities: made, found by id and by key, changed, linked to agents and blocks."""

import concurrent.futures
import uuid

import pytest
from stele import GONE, refused


def key() -> str:
    return f"user_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def http(server):
    return server.http(1)


def made(http, **more) -> dict:
    return http.post("/v1/identities/", {"identifier_key": key(), "name": "John Doe", "identity_type": "user", **more})


MEMBERS = ["id", "identifier_key", "name", "identity_type", "project_id", "agent_ids", "block_ids", "organization_id", "properties"]


def test_is_made_and_found_by_its_id_and_its_key(http):
    identity = made(http)
    assert list(identity) == MEMBERS and identity["project_id"] is None and identity["agent_ids"] == identity["block_ids"] == identity["properties"] == []
    assert http.get(f"/v1/identities/{identity['id']}") == identity == http.get(f"/v1/identities/{identity['identifier_key']}")
    assert "identifier_key" in refused(http, "POST", "/v1/identities/", 409, {"identifier_key": identity["identifier_key"], "name": "x", "identity_type": "other"}).text


def test_a_repeated_request_makes_one(http):
    body, key_of_request = {"identifier_key": key(), "name": "x", "identity_type": "user"}, {"Idempotency-Key": key()}
    assert http.post("/v1/identities/", body, headers=key_of_request) == http.post("/v1/identities/", body, headers=key_of_request)


@pytest.mark.parametrize("body, field", [
    ({"name": "x"}, "body.identifier_key"), ({"name": "x"}, "body.identity_type"), ({"identifier_key": "k", "name": "x", "identity_type": "robot"}, "body.identity_type"),
    ({"identifier_key": "", "name": "x", "identity_type": "user"}, "body.identifier_key"), ({"identifier_key": "k" * 513, "name": "x", "identity_type": "user"}, "body.identifier_key"),
    ({"identifier_key": "k", "name": "x", "identity_type": "user", "properties": [{"key": "a", "value": "old", "type": "number"}]}, "body.properties.0.value"),
    ({"identifier_key": "k", "name": "x", "identity_type": "user", "properties": [{"key": "a", "value": 1, "type": "string"}]}, "body.properties.0.value"),
    ({"identifier_key": "k", "name": "x", "identity_type": "user", "agent_ids": ["ada"]}, "body.agent_ids.0")])
def test_a_bad_body_names_the_field(http, body, field):
    assert field in refused(http, "POST", "/v1/identities/", 422, body).text


@pytest.mark.parametrize("raw, place", [(b"{", "body"), (b"null", "body"), (b"5", "body"), (b'[{"key":"a","value":1}]', "body.0.type"), (b'[{"key":5,"value":1,"type":"number"}]', "body.0.key"),
                                        (b'{"a":null}', "body.a.value")])
def test_bad_properties_name_their_place(http, raw, place):
    identity = made(http, properties={"a": 1})
    failed = refused(http, "PUT", f"/v1/identities/{identity['id']}/properties", 422, raw=raw)
    assert place in [".".join(map(str, each["loc"])) for each in failed.body["errors"]]
    assert http.get(f"/v1/identities/{identity['id']}") == identity


@pytest.mark.parametrize("member, prefix", [("agent_ids", "agent"), ("block_ids", "block")])
def test_nothing_is_made_that_links_to_nothing(http, member, prefix):
    body = {"identifier_key": key(), "name": "x", "identity_type": "user", member: [f"{prefix}-{GONE}"]}
    for method in ("POST", "PUT"):
        assert GONE in refused(http, method, "/v1/identities/", 404, body).text
    refused(http, "GET", f"/v1/identities/{body['identifier_key']}", 404)


def test_properties_are_a_list_or_an_object(http):
    identity = made(http, properties={"email": "j@x", "age": 5, "vip": True, "more": {"a": [1]}})
    assert identity["properties"] == [{"key": "email", "value": "j@x", "type": "string"}, {"key": "age", "value": 5, "type": "number"},
                                      {"key": "vip", "value": True, "type": "boolean"}, {"key": "more", "value": {"a": [1]}, "type": "json"}]
    twice = [{"key": "a", "value": "1", "type": "number"}, {"key": "a", "value": "2", "type": "string"}]
    assert made(http, properties=twice)["properties"] == twice[1:]


def test_a_patch_merges_and_adds_and_replaces_on_request(http, agent):
    block, other = (http.post("/v1/blocks/", {"label": "b"})["id"] for _ in range(2))
    identity = made(http, properties={"a": 1, "b": 2}, block_ids=[block])
    path = f"/v1/identities/{identity['identifier_key']}"
    changed = http.patch(path, {"name": "J.", "properties": {"b": 3, "c": 4}, "agent_ids": [agent["id"]], "block_ids": [other]})
    assert changed["name"] == "J." and [(p["key"], p["value"]) for p in changed["properties"]] == [("a", 1), ("b", 3), ("c", 4)]
    assert changed["agent_ids"] == [agent["id"]] and changed["block_ids"] == [block, other]
    replaced = http.patch(path + "?replace=true", {"properties": {"z": 1}, "agent_ids": [], "block_ids": [other]})
    assert [p["key"] for p in replaced["properties"]] == ["z"] and replaced["agent_ids"] == [] and replaced["block_ids"] == [other]
    put = http.call("PUT", path + "/properties", [{"key": "age", "value": 5, "type": "number"}])
    assert put["properties"] == [{"key": "age", "value": 5, "type": "number"}] == http.get(path)["properties"]
    assert http.patch(path, {}) == put == http.patch(path, {"unknown": 1})


def test_an_upsert_makes_or_replaces(http, agent):
    body = {"identifier_key": key(), "name": "A", "identity_type": "user", "properties": {"a": 1}, "agent_ids": [agent["id"]]}
    first = http.call("PUT", "/v1/identities/", body)
    assert first["agent_ids"] == [agent["id"]]
    again = http.call("PUT", "/v1/identities", {"identifier_key": body["identifier_key"], "name": "B", "identity_type": "org"})
    assert again == {**first, "name": "B", "identity_type": "org"}
    last = http.call("PUT", "/v1/identities/", {**body, "properties": [], "agent_ids": []})
    assert last["properties"] == [] and last["agent_ids"] == [] and last["id"] == first["id"]


def test_upserts_at_once_are_one_identity(server):
    one = key()

    def upsert(number: int) -> str:
        return server.http(1).call("PUT", "/v1/identities/", {"identifier_key": one, "name": f"n{number}", "identity_type": "user", "core_block": "Likes tea."})["id"]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(upsert, range(64)))
    http = server.http(1)
    assert len(ids) == 1 and http.get(f"/v1/identities/count?identifier_key={one}") == 1
    assert len(http.get(f"/v1/identities/{one}")["block_ids"]) == 1 == http.get(f"/v1/blocks/count?label=Persona_{one}")


def test_a_key_belongs_to_its_project(server):
    http, one = server.http(1), key()
    body = {"identifier_key": one, "name": "x", "identity_type": "user"}
    in_a = http.post("/v1/identities/", {**body, "project_id": "project-a"})
    in_b = http.post("/v1/identities/", body, headers={"X-Project-Id": "project-b"})
    assert (in_a["project_id"], in_b["project_id"]) == ("project-a", "project-b")
    assert "2 identities" in refused(http, "GET", f"/v1/identities/{one}", 409).text
    assert http.get(f"/v1/identities/{one}", headers={"X-Project-Id": "project-b"}) == in_b
    without = http.post("/v1/identities/", body)
    assert http.get(f"/v1/identities/{one}") == without == http.get(f"/v1/identities/{one}", headers={"X-Project-Id": "project-c"})
    refused(http, "PATCH", f"/v1/identities/{in_a['id']}", 409, {"project_id": None})
    refused(http, "PATCH", f"/v1/identities/{in_a['id']}", 409, {"project_id": "project-b"})
    assert {i["id"] for i in http.get(f"/v1/identities/?identifier_key={one}")} == {in_a["id"], in_b["id"], without["id"]}


def test_lists_filter_and_counts_agree(http):
    word = uuid.uuid4().hex
    made(http, name=f"Ann {word}%", identity_type="org", project_id=word)
    user = made(http, name=f"BEN {word}")
    for query, number in [(f"name={word}", 2), (f"name=ben%20{word.upper()}", 1), (f"name={word}%25", 1), (f"name={word}&identity_type=org", 1),
                          (f"project_id={word}", 1), (f"identifier_key={user['identifier_key']}", 1), (f"name={word}&identity_type=other", 0)]:
        assert len(http.get(f"/v1/identities/?{query}")) == number == http.get(f"/v1/identities/count?{query}"), query
    assert "identity_type" in refused(http, "GET", "/v1/identities/?identity_type=robot", 422).text


def test_agents_and_blocks_are_found_by_their_identities(http):
    one, two = made(http), made(http)
    both = http.post("/v1/agents/", {"identity_ids": [one["id"], two["identifier_key"]]})
    first = http.post("/v1/agents/", {"identity_ids": [one["id"]], "memory_blocks": [{"label": "human", "value": "x"}]})
    assert both["identity_ids"] == [one["id"], two["id"]] and [i["name"] for i in both["identities"]] == ["John Doe"] * 2
    keys = f"identifier_keys={one['identifier_key']}&identifier_keys={two['identifier_key']}"
    for query, expected in [(f"identity_id={one['id']}", {both["id"], first["id"]}), (f"identity_id={two['identifier_key']}", {both["id"]}), (keys, {both["id"], first["id"]}),
                            (f"identity_id={two['id']}&identifier_keys={one['identifier_key']}", {both["id"]}), (f"identity_id=identity-{GONE}", set())]:
        assert {agent["id"] for agent in http.get("/v1/agents/?" + query)} == expected
        assert http.get("/v1/agents/count?" + query) == len(expected)
    refused(http, "GET", "/v1/agents/?identity_id=nobody", 404)
    assert [a["id"] for a in http.get(f"/v1/identities/{one['id']}/agents?order=asc")] == [both["id"], first["id"]]
    block = first["blocks"][0]["id"]
    assert http.patch(f"/v1/blocks/{block}/identities/attach/{two['identifier_key']}")["id"] == block
    assert [b["id"] for b in http.get(f"/v1/identities/{two['id']}/blocks")] == [block] == [b["id"] for b in http.get(f"/v1/blocks/?identifier_keys={two['identifier_key']}")]
    for _ in range(2):
        http.patch(f"/v1/blocks/{block}/identities/detach/{two['id']}")
    assert http.get(f"/v1/blocks/count?identity_id={two['id']}") == 0
    changed = http.patch(f"/v1/agents/{first['id']}", {"identity_ids": [two["identifier_key"]]})
    assert changed["identity_ids"] == [two["id"]]
    assert GONE in refused(http, "PATCH", f"/v1/agents/{first['id']}", 404, {"identity_ids": [f"identity-{GONE}"]}).text


def test_attaching_twice_and_detaching_twice_change_nothing(server, agent):
    http = server.http(2)
    identity = made(http)
    path = f"/v1/agents/{agent['id']}"
    for word, ids in (("attach", [identity["id"]]), ("detach", [])):
        for named in (identity["id"], identity["identifier_key"]):
            assert http.patch(f"{path}/identities/{word}/{named}", {}) is None
        assert http.get(path + "?include=agent.identities")["identity_ids"] == ids
    assert http.get(path)["identity_ids"] == []
    refused(http, "PATCH", f"/v1/agents/agent-{GONE}/identities/attach/{identity['id']}", 404)
    refused(http, "PATCH", f"{path}/identities/attach/identity-{GONE}", 404)
    refused(http, "PATCH", f"{path}/identities/attach/nobody", 404)


def test_a_deleted_one_leaves_agents_and_blocks(http):
    block = http.post("/v1/blocks/", {"label": "b"})["id"]
    identity = made(http, block_ids=[block])
    agent = http.post("/v1/agents/", {"identity_ids": [identity["id"]]})
    assert http.delete(f"/v1/identities/{identity['identifier_key']}") is None
    refused(http, "DELETE", f"/v1/identities/{identity['id']}", 404)
    assert http.get(f"/v1/agents/{agent['id']}")["identity_ids"] == [] and http.get(f"/v1/blocks/{block}")["id"] == block
    second = made(http)
    http.patch(f"/v1/identities/{second['id']}", {"agent_ids": [agent["id"]], "block_ids": [block]})
    http.delete(f"/v1/agents/{agent['id']}"), http.delete(f"/v1/blocks/{block}")
    assert (left := http.get(f"/v1/identities/{second['id']}"))["agent_ids"] == left["block_ids"] == []


def test_a_core_block_is_made_and_linked(http):
    one = key()
    identity = http.post("/v1/identities/", {"identifier_key": one, "name": "A", "identity_type": "user", "core_block": {"name": "A", "score": 0.5}})
    block = http.get(f"/v1/blocks/{identity['block_ids'][0]}")
    assert (block["label"], block["value"], block["value_json"]) == (f"Persona_{one}", '{"name":"A","score":0.5}', {"name": "A", "score": 0.5})
    again = http.call("PUT", "/v1/identities/", {"identifier_key": one, "name": "A", "identity_type": "user", "core_block": "forget all"})
    assert again["block_ids"] == identity["block_ids"] and http.get(f"/v1/blocks/{block['id']}")["value"] == block["value"]


@pytest.mark.parametrize("named_by", ["identifier_key", "name"])
@pytest.mark.parametrize("block_first", [True, False])
def test_a_persona_block_and_its_identity_find_each_other(http, named_by, block_first):
    word = "José " + key()
    body = {"identifier_key": key(), "name": "n" + key(), "identity_type": "user", named_by: word}
    if block_first:
        block = http.post("/v1/blocks/", {"label": f"Persona_{word}"})["id"]
        assert http.post("/v1/identities/", body)["block_ids"] == [block]
        assert http.post("/v1/identities/", {**body, "identifier_key": key(), "name": word})["block_ids"] == []  # it has its owner
    else:
        identity = http.post("/v1/identities/", body)
        block = http.post("/v1/blocks/", {"label": f"Persona_{word}"})["id"]
        assert http.get(f"/v1/identities/{identity['id']}")["block_ids"] == [block]
        http.post("/v1/blocks/", {"label": f"Persona_{word}", "project_id": "another"})
        assert http.get(f"/v1/identities/{identity['id']}")["block_ids"] == [block]


def test_a_name_that_two_have_links_nobody(http):
    word = key()
    identities = [made(http, name=word) for _ in range(2)]
    http.post("/v1/blocks/", {"label": f"Persona_{word}"})
    assert [http.get(f"/v1/identities/{i['id']}")["block_ids"] for i in identities] == [[], []]
