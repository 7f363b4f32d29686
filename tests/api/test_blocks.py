"""Blocks: filters and counts, limits, versions, renames."""

import pytest
from stele import GONE, refused


@pytest.fixture(scope="module")
def filtered(server):
    http = server.http(2)
    made = {}
    for name, body in {"a": {"label": "bf", "value": "Übung 50%", "tags": ["x"], "project_id": "p1"}, "b": {"label": "BF long", "description": "Deep_Thought", "tags": ["x", "y"]},
                       "t": {"label": "bf", "is_template": True, "template_name": "tn", "tags": ["y"]}, "h": {"label": "bf", "hidden": True}}.items():
        made[name] = http.post("/v1/blocks", {**body, "base_template_id": "x"})["id"]
    http.post("/v1/agents", {"block_ids": [made["a"]]})
    http.post("/v1/agents", {"block_ids": [made["a"], made["b"]]})
    return made


@pytest.mark.parametrize("query, expected", [
    ("", "a b t"), ("label=bf", "a t"), ("label=bf&label_search=long", ""), ("label=bf&label_search=B", "a t"), ("label_search=LONG", "b"), ("value_search=%C3%BCBUNG", "a"),
    ("value_search=50%25", "a"), ("value_search=_", ""), ("description_search=deep_", "b"), ("description_search=deep%25", ""), ("name=tn", "t"), ("name=t", ""),
    ("templates_only=true", "t"), ("templates_only=false", "a b"), ("project_id=p1", "a"), ("tags=x&tags=y", "a b t"), ("tags=x&tags=y&match_all_tags=true", "b"),
    ("show_hidden_blocks=true", "a b t h"), ("connected_to_agents_count_gt=0", "a b"), ("connected_to_agents_count_gt=1", "a"), ("connected_to_agents_count_lt=2", "b t"),
    ("connected_to_agents_count_lt=1", "t"), ("connected_to_agents_count_eq=0&connected_to_agents_count_eq=2", "a t"),
    ("connected_to_agents_count_gt=0&connected_to_agents_count_lt=2", "b"), (f"identity_id=identity-{GONE}", ""), ("identifier_keys=k", ""),
    ("label=bf&templates_only=true", "t"), ("label=no%20such%20label%20%26%20odd", "")])
def test_filters_and_counts_agree(server, filtered, query, expected):
    http = server.http(2)
    found = [block["id"] for block in http.get("/v1/blocks?limit=1000&" + query)]
    assert [id for id in found if id in filtered.values()] == [filtered[name] for name in expected.split()]
    assert http.get("/v1/blocks/count?" + query) == len(found)


def test_a_filter_by_somebody_unknown_is_told(server):
    for path in ("/v1/blocks", "/v1/blocks/count", "/v1/agents", "/v1/agents/count"):
        assert "Identity" in refused(server.http(2), "GET", path + "?identity_id=nobody", 404).text


CHANGES = [
    ({"value": "new"}, {"value": "new"}), ({"limit": 77}, {"limit": 77}), ({"label": "renamed"}, {"label": "renamed"}), ({"read_only": True}, {"read_only": True}),
    ({"description": "new"}, {"description": "new"}), ({"description": None}, {"description": None}), ({"metadata": {"n": 2}}, {"metadata": {"n": 2}}),
    ({"metadata": None}, {"metadata": {}}), ({"hidden": True}, {"hidden": True}), ({"tags": ["b", "b", "a"]}, {"tags": ["b", "a"]}), ({"tags": []}, {"tags": []}),
    ({"name": "tn"}, {"template_name": "tn", "name": "tn"}), ({"template_name": None}, {"template_name": None, "name": None}), ({"is_template": True}, {"is_template": True}),
    ({"project_id": "p"}, {"project_id": "p"}), ({"preserve_on_migration": True}, {"preserve_on_migration": True}), ({"value": {"a": 1}}, {"value": '{"a":1}', "metadata": {"o": 1, "value_type": "json"}}),
]


@pytest.mark.parametrize("body, changed", CHANGES, ids=lambda value: str(value)[:40])
def test_a_patch_changes_what_it_names_and_nothing_else(server, body, changed):
    http = server.http(2)
    before = http.post("/v1/blocks", {"label": "old", "value": "old", "limit": 99, "description": "old", "metadata": {"o": 1}, "tags": ["o"],
                                      "template_name": "old", "hidden": False})
    after = http.patch(f"/v1/blocks/{before['id']}", body)
    assert {name: after[name] for name in changed} == changed
    assert {name for name in before if before[name] != after[name]} == set(changed) | {"updated_at"}
    assert after["updated_at"] > before["updated_at"]
    assert http.patch(f"/v1/blocks/{before['id']}", body) == after == http.get(f"/v1/blocks/{before['id']}")


@pytest.mark.parametrize("field", ["value", "limit", "label", "read_only", "is_template", "tags", "preserve_on_migration"])
def test_null_leaves_what_it_cannot_clear(server, field):
    http = server.http(2)
    before = http.post("/v1/blocks", {"label": "kept", "value": "kept", "limit": 50, "read_only": True, "tags": ["t"]})
    assert http.patch(f"/v1/blocks/{before['id']}", {field: None}) == before


def test_limits(server):
    http = server.http(2)
    block = http.post("/v1/blocks", {"label": "limited", "value": "é" * 5, "limit": 5})
    path = f"/v1/blocks/{block['id']}"
    for body in ({"value": "123456"}, {"limit": 4}, {"value": "1234567", "limit": 6}):
        failed = refused(http, "PATCH", path, 422, body)
        assert "exceeds" in failed.text and "body.value" in failed.text
    assert http.get(path) == block
    assert http.patch(path, {"value": "1234567", "limit": 7})["limit"] == 7
    agent = http.post("/v1/agents", {"block_ids": [block["id"]]})
    assert "exceeds" in refused(http, "PATCH", f"/v1/agents/{agent['id']}/core-memory/blocks/limited", 422, {"value": "x" * 8}).text
    assert "exceeds" in refused(http, "POST", "/v1/agents", 422, {"memory_blocks": [{"label": "l", "value": "xx", "limit": 1}]}).text


def test_versions(server):
    http = server.http(2)
    block = http.post("/v1/blocks", {"label": "versioned", "value": "one"})
    path = f"/v1/blocks/{block['id']}"
    tag = http.send("GET", path)[2]["ETag"]
    _, _, headers = http.send("PATCH", path, {"value": "two"}, headers={"If-Match": tag})
    assert headers["ETag"] != tag
    for stale in (tag, tag.strip('"'), '"nonsense"'):
        assert refused(http, "PATCH", path, 412, {"value": "three"}, headers={"If-Match": stale}).body["detail"]
    assert http.get(path)["value"] == "two"
    assert http.send("PATCH", path, {"value": "two"}, headers={"If-Match": headers["ETag"]})[2]["ETag"] == headers["ETag"], "no change, no version"
    http.patch(path, {"value": "three"}, headers={"If-Match": "*"})
    agent = http.post("/v1/agents", {"block_ids": [block["id"]]})
    by_label = f"/v1/agents/{agent['id']}/core-memory/blocks/versioned"
    refused(http, "PATCH", by_label, 412, {"value": "four"}, headers={"If-Match": tag})
    assert http.send("PATCH", by_label, {"value": "four"}, headers={"If-Match": http.send("GET", by_label)[2]["ETag"]})[0] == 200


def test_a_rename_is_seen_everywhere_and_refused_where_it_clashes(server):
    http = server.http(2)
    shared = http.post("/v1/blocks", {"label": "before"})["id"]
    first = http.post("/v1/agents", {"block_ids": [shared]})["id"]
    second = http.post("/v1/agents", {"block_ids": [shared], "memory_blocks": [{"label": "taken"}]})["id"]
    for path in (f"/v1/blocks/{shared}", f"/v1/agents/{first}/core-memory/blocks/before"):
        failed = refused(http, "PATCH", path, 409, {"label": "taken", "value": "lost"})
        assert failed.headers["x-should-retry"] == "false"
    assert http.get(f"/v1/blocks/{shared}")["label"] == "before" and http.get(f"/v1/blocks/{shared}")["value"] == ""
    http.patch(f"/v1/agents/{first}/core-memory/blocks/before", {"label": "group/after"})
    for agent in (first, second):
        assert http.get(f"/v1/agents/{agent}/core-memory/blocks/group/after")["id"] == shared
        assert http.get(f"/v1/agents/{agent}/core-memory/blocks/group%2Fafter")["id"] == shared
        refused(http, "GET", f"/v1/agents/{agent}/core-memory/blocks/before", 404)


def test_a_deleted_block_leaves_its_agents(server):
    http = server.http(2)
    block = http.post("/v1/blocks", {"label": "fleeting", "value": "a text to be forgotten", "tags": ["fleeting tag"]})["id"]
    agent = http.post("/v1/agents", {"block_ids": [block]})["id"]
    assert http.delete(f"/v1/blocks/{block}") is None
    assert "not found" in refused(http, "DELETE", f"/v1/blocks/{block}", 404).text
    assert http.get(f"/v1/agents/{agent}/core-memory/blocks") == [] and "fleeting tag" not in http.get("/v1/tags?limit=1000")
    assert "to be forgotten" not in http.get(f"/v1/agents/{agent}/messages")[0]["content"]


def test_labels_and_defaults(server):
    http = server.http(2)
    for label in ("My Block", "Persona_Ada", "system/human", "ünï", "x" * 255):
        assert http.post("/v1/blocks", {"label": label, "id": "block-" + GONE})["label"] == label
    block = http.post("/v1/blocks", {"label": "human", "value": None, "limit": None, "read_only": None})
    assert (block["value"], block["limit"], block["read_only"], block["metadata"]) == ("", 100000, False, {}) and len(block["description"]) > 20
    assert block["id"] != "block-" + GONE and http.post("/v1/blocks", {"label": "x", "name": "tn"})["template_name"] == "tn"
    for label in ("", "a\nb", "a\u0000b", "x" * 256):
        assert "body.label" in refused(http, "POST", "/v1/blocks", 422, {"label": label}).text
