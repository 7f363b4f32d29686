"""Archives and who has them: their routes, sharing, the trash."""

import sqlite3

import pytest
import stele
from stele import GONE, refused


@pytest.fixture
def archive(http):
    return http.post("/v1/archives/", {"name": "shelf", "description": "d"})


def passage(http, archive: dict, text: str, **more) -> dict:
    return http.post(f"/v1/archives/{archive['id']}/passages", {"text": text, **more})


def test_an_archive_is_made_shown_changed_and_deleted(http, archive):
    path = f"/v1/archives/{archive['id']}"
    assert list(archive) == ["created_by_id", "last_updated_by_id", "created_at", "updated_at", "name", "description", "organization_id", "vector_db_provider", "embedding_config", "metadata", "id"]
    assert archive["id"].startswith("archive-") and archive["vector_db_provider"] == "native" and archive["metadata"] is None
    assert archive["embedding_config"]["handle"] == "stele/hash" and archive["embedding_config"]["embedding_dim"] == 384
    assert http.get(path) == archive

    changed = http.patch(path, {"name": "shelf 2"})
    assert (changed["name"], changed["description"]) == ("shelf 2", "d") and changed["updated_at"] > archive["updated_at"]
    assert http.patch(path, {"name": "shelf 2"}) == changed  # nothing new: nothing is written
    assert http.patch(path, {"description": None})["description"] is None

    status, text, _ = http.send("DELETE", path)
    assert (status, text) == (204, "")
    refused(http, "GET", path, 404)
    refused(http, "DELETE", path, 404)


@pytest.mark.parametrize("body, field", [({}, "name"), ({"name": ""}, "name"), ({"name": 5}, "name"), ({"name": "n", "metadata": 5}, "metadata"), ({"name": "n", "embedding_config": {"embedding_model": ""}}, "embedding_model")])
def test_what_is_no_archive_is_refused_with_the_field(http, body, field):
    assert field in refused(http, "POST", "/v1/archives", 422, body).text


def test_an_unknown_embedding_is_refused_and_none_is_taken(http):
    assert "nobody/x" in refused(http, "POST", "/v1/archives", 400, {"name": "n", "embedding": "nobody/x"}).text
    plain = http.post("/v1/archives", {"name": "n", "embedding": None})
    assert plain["embedding_config"] is None
    assert passage(http, plain, "words alone")["embedding"] is None


def test_the_list_filters_by_name_and_by_agent(http, agent):
    name = "n" + stele.random.randbytes(6).hex()
    made = [http.post("/v1/archives", {"name": name}) for _ in range(3)]
    http.post("/v1/archives", {"name": name + "x"})
    assert [a["id"] for a in http.get(f"/v1/archives?name={name}")] == [a["id"] for a in made[::-1]]
    assert [a["id"] for a in http.get(f"/v1/archives?name={name}&order=asc&limit=1&after={made[0]['id']}")] == [made[1]["id"]]
    http.patch(f"/v1/agents/{agent['id']}/archives/attach/{made[1]['id']}")
    assert [a["id"] for a in http.get(f"/v1/archives?agent_id={agent['id']}")] == [made[1]["id"]]


def test_an_agent_has_one_archive_at_most_and_several_may_share_one(http, agent, archive):
    other = http.post("/v1/agents", {"memory_blocks": []})
    second = http.post("/v1/archives", {"name": "second"})
    for each in (agent, other, agent):  # once more is no harm
        assert http.patch(f"/v1/agents/{each['id']}/archives/attach/{archive['id']}") is None
    assert {a["id"] for a in http.get(f"/v1/archives/{archive['id']}/agents")} == {agent["id"], other["id"]}
    assert "detach" in refused(http, "PATCH", f"/v1/agents/{agent['id']}/archives/attach/{second['id']}", 409).text

    kept = http.post(f"/v1/agents/{agent['id']}/archival-memory", {"text": "known to both"})[0]
    assert kept["archive_id"] == archive["id"]
    assert [p["id"] for p in http.get(f"/v1/agents/{other['id']}/archival-memory")] == [kept["id"]]

    assert http.patch(f"/v1/agents/{other['id']}/archives/detach/{archive['id']}") is None
    assert http.patch(f"/v1/agents/{other['id']}/archives/detach/{archive['id']}") is None
    assert http.get(f"/v1/agents/{other['id']}/archival-memory") == []
    http.delete(f"/v1/agents/{agent['id']}")
    assert http.get(f"/v1/archives/{archive['id']}/agents") == []
    assert [p["passage"]["id"] for p in http.post("/v1/passages/search", {"archive_id": archive["id"]})] == [kept["id"]]


@pytest.mark.parametrize("verb", ["attach", "detach"])
def test_links_between_what_is_not_there_are_refused(http, agent, archive, verb):
    for a, b, status in ((agent["id"], f"archive-{GONE}", 404), (f"agent-{GONE}", archive["id"], 404), ("x", archive["id"], 422), (agent["id"], "x", 422)):
        refused(http, "PATCH", f"/v1/agents/{a}/archives/{verb}/{b}", status)


def test_passages_come_one_by_one_and_in_batches(http, archive):
    path = f"/v1/archives/{archive['id']}/passages"
    one = passage(http, archive, "on the shelf", metadata={"page": 7}, tags=["a", "b", "a"], created_at="2020-02-03T04:05:06Z")
    assert (one["archive_id"], one["source_id"], one["text"], one["metadata"]) == (archive["id"], None, "on the shelf", {"page": 7})
    assert sorted(one["tags"]) == ["a", "b"] and one["created_at"] == "2020-02-03T04:05:06Z"
    assert len(one["embedding"]) == 4096 and any(one["embedding"][:384]) and not any(one["embedding"][384:])
    many = http.post(path + "/batch", {"passages": [{"text": "p1"}, {"text": "p2", "tags": ["q"]}]})
    assert [p["text"] for p in many] == ["p1", "p2"] and [p["tags"] for p in many] == [None, ["q"]]
    assert http.post(path + "/batch", {"passages": []}) == []

    status, _, _ = http.send("DELETE", f"{path}/{one['id']}")
    assert status == 204
    refused(http, "DELETE", f"{path}/{one['id']}", 404)
    other = http.post("/v1/archives", {"name": "o"})
    refused(http, "DELETE", f"/v1/archives/{other['id']}/passages/{many[0]['id']}", 404)
    assert "passages.1.text" in refused(http, "POST", path + "/batch", 422, {"passages": [{"text": "x"}, {}]}).text
    assert "passages" in refused(http, "POST", path + "/batch", 422, {"passages": [{"text": "x"}] * 1001}).text
    assert "metadata" in refused(http, "POST", path, 422, {"text": "x", "metadata": [1]}).text
    refused(http, "POST", f"/v1/archives/archive-{GONE}/passages", 404, {"text": "x"})


def test_a_post_that_is_repeated_with_its_key_adds_nothing(http, archive):
    headers = {"Idempotency-Key": "k" + stele.random.randbytes(8).hex()}
    path = f"/v1/archives/{archive['id']}/passages"
    first, second = (http.post(path, {"text": "once"}, headers=headers) for _ in range(2))
    assert first == second and len(http.post("/v1/passages/search", {"archive_id": archive["id"]})) == 1


def test_a_deleted_archive_comes_back_with_passages_and_agents(own_server):
    server = own_server(arguments=["--trash-days", "3"]).start()
    http = server.http(2)
    agent = http.post("/v1/agents", {"memory_blocks": []})
    kept = http.post(f"/v1/agents/{agent['id']}/archival-memory", {"text": "the red door", "tags": ["house"]})[0]
    path = f"/v1/archives/{kept['archive_id']}"
    http.send("DELETE", path)

    refused(http, "GET", path, 404)
    assert http.get(f"/v1/agents/{agent['id']}/archival-memory") == []
    assert http.post("/v1/passages/search", {"query": "red door"}) == [] and http.post("/v1/passages/search", {}) == []
    refused(http, "DELETE", f"{path}/passages/{kept['id']}", 404)
    refused(http, "DELETE", f"/v1/agents/{agent['id']}/archival-memory/{kept['id']}", 404)
    item = http.get("/v1/trash")[0]
    assert (item["kind"], item["object_id"], item["name"]) == ("archive", kept["archive_id"], f"{agent['name']}'s Archive")

    http.post(f"/v1/trash/{item['id']}/restore")
    assert http.get(f"/v1/agents/{agent['id']}/archival-memory") == [kept]
    assert [r["passage"]["id"] for r in http.post("/v1/passages/search", {"query": "red door"})] == [kept["id"]]

    http.send("DELETE", path)
    http.delete(f"/v1/trash/{kept['archive_id']}")
    stele.wait_until(lambda: store_count(server, "passage") == 0)
    stele.wait_until(lambda: store_count(server, "archive") == 0)
    assert store_count(server, "passage_vector") == store_count(server, "passage_tag") == 0


def store_count(server, table: str) -> int:
    with sqlite3.connect(f"file:{server.folder}/data/stele.db?mode=ro", uri=True) as store:
        return store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]


def test_the_size_of_all_vectors_is_told_in_the_unit_asked_for(http, archive):
    before = http.get("/v1/embeddings/total_storage_size", headers={"storage-unit": "B"})
    passage(http, archive, "another one")
    assert http.get("/v1/embeddings/total_storage_size", headers={"storage-unit": "B"}) >= before + 384 * 4
    assert 0 < http.get("/v1/embeddings/total_storage_size") < 1
    assert "storage-unit" in refused(http, "GET", "/v1/embeddings/total_storage_size", 422, headers={"storage-unit": "acre"}).text


def test_search_caches_may_be_warmed(http):
    status, text, _ = http.send("POST", "/v1/_internal_search/cache-warm", {"collection": "messages", "scope": {}})
    assert status == 202 and '"collection":"messages"' in text and '"warmed":true' in text
    assert "collection" in refused(http, "POST", "/v1/_internal_search/cache-warm", 422, {"collection": "x", "scope": {}}).text


@pytest.mark.parametrize("order", [["agent", "archive"], ["archive", "agent"]])
def test_agents_and_archives_find_each_other_again_in_any_order(own_server, order):
    http = own_server(arguments=["--trash-days", "3"]).start().http(2)
    agent = http.post("/v1/agents", {"memory_blocks": []})
    kept = http.post(f"/v1/agents/{agent['id']}/archival-memory", {"text": "the red door"})[0]
    paths = {"agent": f"/v1/agents/{agent['id']}", "archive": f"/v1/archives/{kept['archive_id']}"}
    for each in order:
        http.send("DELETE", paths[each])
    for each in order:
        http.post(f"/v1/trash/{paths[each].rsplit('/', 1)[1]}/restore")
    assert http.get(f"/v1/agents/{agent['id']}/archival-memory") == [kept]
    assert [a["id"] for a in http.get(f"{paths['archive']}/agents")] == [agent["id"]]


def test_what_an_organisation_has_archived_goes_with_it(own_server):
    server = own_server({"STELE_PASSWORD": "pw"}).start()
    admin = server.http(headers={"Authorization": "Bearer pw"})
    organization = admin.post("/v1/admin/orgs", {"name": "o"})
    user = admin.post("/v1/admin/users", {"name": "u", "organization_id": organization["id"]})
    key = admin.post("/v1/admin/keys", {"name": "k", "user_id": user["id"]})["key"]
    http = server.http(headers={"Authorization": f"Bearer {key}"})
    archive = http.post("/v1/archives", {"name": "a"})
    passage(http, archive, "words", tags=["t"])
    admin.delete(f"/v1/admin/orgs?org_id={organization['id']}&force=true")
    stele.wait_until(lambda: not any(store_count(server, table) for table in ("archive", "passage", "passage_vector", "passage_tag", "embedding_model")))
