"""What agents keep: insert, list, search by words and by meaning, tags and times, the tools, and what the prompt tells of it."""

import pytest
import stele
from stele import GONE, refused


def keep(http, agent, text: str, **more) -> dict:
    return http.post(f"/v1/agents/{agent['id']}/archival-memory", {"text": text, **more})[0]


def found(http, agent, query: str, more: str = "") -> list:
    answer = http.get(f"/v1/agents/{agent['id']}/archival-memory/search?query={query.replace(' ', '+')}{more}")
    assert answer["count"] == len(answer["results"])
    return answer["results"]


def test_the_first_passage_makes_the_agents_archive(http, agent):
    path = f"/v1/agents/{agent['id']}/archival-memory"
    assert http.get(path) == [] and http.get(path + "/search?query=door") == {"results": [], "count": 0}
    answer = http.post(path, {"text": "The colour of the door is green.", "tags": ["house", "house"]})
    assert len(answer) == 1
    made = answer[0]
    assert list(made) == ["created_by_id", "last_updated_by_id", "created_at", "updated_at", "is_deleted", "organization_id", "archive_id", "source_id", "file_id", "file_name", "metadata", "tags",
                          "id", "text", "embedding", "embedding_config"]
    assert made["id"].startswith("passage-") and made["tags"] == ["house"] and made["metadata"] == {} and made["is_deleted"] is False
    assert len(made["embedding"]) == 4096 and made["embedding_config"]["handle"] == "stele/hash"
    archive = http.get(f"/v1/archives/{made['archive_id']}")
    assert archive["name"] == f"{agent['name']}'s Archive"
    assert keep(http, agent, "another")["archive_id"] == archive["id"]
    assert http.get(f"/v1/agents/{agent['id']}/passages") == http.get(path)


def test_the_list_goes_from_old_to_new_and_by_text(http, agent):
    made = [keep(http, agent, text, created_at=f"2020-01-0{i + 1}T00:00:00Z") for i, text in enumerate(["one", "Two", "three 50%"])]
    path, ids = f"/v1/agents/{agent['id']}/archival-memory", [p["id"] for p in made]
    listed = lambda query: [p["id"] for p in http.get(path + query)]
    assert listed("") == ids and listed("?ascending=false") == ids[::-1] and listed("?order=desc&limit=2") == [ids[2], ids[1]]
    assert listed(f"?after={ids[0]}&limit=1") == [ids[1]] and listed(f"?before={ids[2]}&limit=1") == [ids[1]]
    assert listed("?search=TWO") == [ids[1]] and listed("?search=50%25") == [ids[2]] and listed("?search=_") == []
    http.delete(f"{path}/{ids[0]}")
    assert listed(f"?after={ids[0]}") == ids[1:]  # a walk that stands on it goes on
    refused(http, "GET", path + f"?after=passage-{GONE}", 404)
    refused(http, "GET", path + "?after=x", 422)


def test_a_passage_is_changed_and_deleted_where_it_belongs(http, agent):
    path = f"/v1/agents/{agent['id']}/archival-memory"
    made = keep(http, agent, "the old wording", tags=["a"])
    assert http.call("PATCH", f"{path}/{made['id']}") == [made]
    changed = http.patch(f"{path}/{made['id']}", {"text": "a new phrase", "tags": ["b"]})[0]
    assert (changed["text"], changed["tags"], changed["created_at"]) == ("a new phrase", ["b"], made["created_at"])
    assert changed["embedding"] != made["embedding"] and len(changed["embedding"]) == 4096
    assert found(http, agent, "wording") == [] or "relevance" in found(http, agent, "wording")[0] and found(http, agent, "wording")[0]["relevance"]["fts_rank"] is None
    assert found(http, agent, "phrase")[0]["relevance"]["fts_rank"] == 1
    stranger = http.post("/v1/agents", {"memory_blocks": []})
    for verb in ("PATCH", "DELETE"):
        refused(http, verb, f"/v1/agents/{stranger['id']}/archival-memory/{made['id']}", 404, {} if verb == "PATCH" else None)
    assert "deleted" in http.delete(f"{path}/{made['id']}")["message"]
    refused(http, "DELETE", f"{path}/{made['id']}", 404)
    assert found(http, agent, "phrase") == []


def test_search_finds_by_words_and_tells_ranks_and_the_agents_time(http):
    agent = http.post("/v1/agents", {"memory_blocks": [], "timezone": "Europe/Berlin"})
    keep(http, agent, "Python is a language", tags=["notes", "lang"], created_at="2026-08-30T10:00:00Z")
    keep(http, agent, "Bread is baked at dawn", tags=["notes"])
    first = found(http, agent, "python language")[0]
    assert list(first) == ["id", "timestamp", "content", "tags", "relevance"]
    assert first["timestamp"] == "2026-08-30T12:00:00+02:00" and first["content"] == "Python is a language" and sorted(first["tags"]) == ["lang", "notes"]
    assert first["relevance"] == {"rrf_score": pytest.approx(1 / 61), "vector_rank": 1, "fts_rank": 1}
    assert found(http, agent, "") == []


def test_tags_and_the_limit_hold_together(http, agent):
    for i in range(12):
        keep(http, agent, f"apple {i}", tags=["fruit", "green" if i % 4 else "red"])
    for number in (1, 3, 5, 12):
        assert len(found(http, agent, "apple", f"&top_k={number}")) == number
    assert len(found(http, agent, "apple")) == 5 and len(found(http, agent, "apple", "&top_k=500")) == 12
    assert {r["content"] for r in found(http, agent, "apple", "&tags=red&top_k=3")} == {"apple 0", "apple 4", "apple 8"}
    assert len(found(http, agent, "apple", "&tags=red&tags=green&top_k=50")) == 12
    assert len(found(http, agent, "apple", "&tags=red&tags=fruit&tag_match_mode=all&top_k=50")) == 3
    assert found(http, agent, "apple", "&tags=red&tags=green&tag_match_mode=all") == []
    for query, field in (("&tag_match_mode=some", "tag_match_mode"), ("&top_k=0", "top_k"), ("&top_k=x", "top_k")):
        assert field in refused(http, "GET", f"/v1/agents/{agent['id']}/archival-memory/search?query=apple{query}", 422).text


def test_times_are_those_of_the_agents_zone_and_a_date_is_its_day(http):
    agent = http.post("/v1/agents", {"memory_blocks": [], "timezone": "Asia/Tokyo"})
    for text, time in (("bird one", "2026-01-30T15:00:00Z"), ("bird two", "2026-01-31T14:59:59.999999Z"), ("bird three", "2026-01-31T15:00:00Z")):
        keep(http, agent, text, created_at=time)
    texts = lambda more: {r["content"] for r in found(http, agent, "bird", more)}
    assert texts("&start_datetime=2026-01-31&end_datetime=2026-01-31") == {"bird one", "bird two"}
    assert texts("&start_datetime=2026-01-31T15:00:00Z") == {"bird three"}
    assert texts("&end_datetime=2026-01-31T00:00") == {"bird one"}
    assert "start_datetime" in refused(http, "GET", f"/v1/agents/{agent['id']}/archival-memory/search?query=bird&start_datetime=yesterday", 422).text


def test_texts_that_are_none_or_too_long_are_refused(http, agent):
    path = f"/v1/agents/{agent['id']}/archival-memory"
    for body, field in (({}, "text"), ({"text": 5}, "text"), ({"text": "x", "tags": "y"}, "tags"), ({"text": "x", "created_at": "soon"}, "created_at")):
        assert field in refused(http, "POST", path, 422, body).text
    assert "8192" in refused(http, "POST", path, 400, {"text": "x" * (8192 * 4 + 1)}).text
    assert keep(http, agent, "x" * (8192 * 4))["text"]
    refused(http, "POST", f"/v1/agents/agent-{GONE}/archival-memory", 404, {"text": "x"})


def test_the_search_over_all_looks_where_it_is_told(http):
    mark = "quokka" + stele.random.randbytes(4).hex()
    ada, bob = (http.post("/v1/agents", {"memory_blocks": []}) for _ in range(2))
    a = keep(http, ada, f"{mark} of Ada", tags=["x"], created_at="2026-01-01T00:00:00Z")
    b = keep(http, bob, f"{mark} of Bob", created_at="2026-02-01T12:00:00Z")
    search = lambda **body: http.post("/v1/passages/search", {"query": mark, **body})
    assert {r["passage"]["id"] for r in search() if mark in r["passage"]["text"]} == {a["id"], b["id"]}
    first = search(agent_id=ada["id"])[0]
    assert list(first) == ["passage", "score", "metadata"] and first["passage"]["id"] == a["id"] and isinstance(first["score"], float)
    assert first["metadata"] == {"combined_score": first["score"], "vector_rank": 1, "fts_rank": 1, "search_mode": "hybrid"}
    assert [r["passage"]["id"] for r in search(archive_id=b["archive_id"])] == [b["id"]]
    assert [r["passage"]["id"] for r in search(agent_id=ada["id"], archive_id=b["archive_id"])] == [a["id"]]  # the agent wins
    assert [r["passage"]["id"] for r in search(tags=["x"], search_mode="fts")] == [a["id"]]
    assert [r["passage"]["id"] for r in search(start_date="2026-01-15", end_date="2026-02-01", search_mode="fts")] == [b["id"]]
    newest = http.post("/v1/passages/search", {"agent_id": bob["id"]})
    assert newest[0]["passage"]["id"] == b["id"] and newest[0]["score"] == 0 and newest[0]["metadata"]["search_mode"] == "newest"
    assert http.post("/v1/passages/search", {"query": mark, "agent_id": http.post("/v1/agents", {"memory_blocks": []})["id"]}) == []
    for body, status in (({"limit": 0}, 422), ({"limit": 101}, 422), ({"tag_match_mode": "x"}, 422), ({"search_mode": "x"}, 422), ({"start_date": "x"}, 422), ({"agent_id": f"agent-{GONE}"}, 404), ({"archive_id": f"archive-{GONE}"}, 404)):
        refused(http, "POST", "/v1/passages/search", status, {"query": mark, **body})


def test_one_mode_alone_is_scored_so_that_scores_compare(http, agent):
    keep(http, agent, "a lonely lighthouse")
    for mode in ("fts", "vector"):
        hit = http.post("/v1/passages/search", {"query": "lighthouse", "agent_id": agent["id"], "search_mode": mode})[0]
        assert hit["metadata"]["search_mode"] == mode and hit["score"] == pytest.approx(1 / 61)


def call(http, agent, tool: str, **arguments) -> dict:
    return http.post(f"/v1/agents/{agent['id']}/tools/{tool}/run", {"args": arguments})


@pytest.fixture
def keeper(http):
    return http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}], "tools": ["archival_memory_insert", "archival_memory_search"], "timezone": "Asia/Tokyo"})


def test_the_tools_keep_and_find(http, keeper):
    kept = call(http, keeper, "archival_memory_insert", content="Grace sails on Sundays", tags=["sport"])
    assert (kept["status"], kept["func_return"]) == ("success", "None")
    hits = call(http, keeper, "archival_memory_search", query="sails")["func_return"]
    assert hits[0]["content"] == "Grace sails on Sundays" and hits[0]["tags"] == ["sport"] and hits[0]["timestamp"].endswith("+09:00")
    assert call(http, keeper, "archival_memory_search", query=" ")["func_return"] == []
    assert call(http, keeper, "archival_memory_search", query="sails", tags=["none"])["func_return"] == []
    for arguments, word in (({"query": "x", "start_datetime": "soon"}, "ISO 8601"), ({"query": "x", "tag_match_mode": "most"}, "any"), ({}, "query")):
        failed = call(http, keeper, "archival_memory_search", **arguments)
        assert failed["status"] == "error" and word in failed["stderr"][0]
    assert call(http, keeper, "archival_memory_insert", content=" ")["status"] == "error"


def test_an_insert_in_a_turn_is_told_in_the_prompt_at_once(http, model, keeper):
    path = f"/v1/agents/{keeper['id']}"
    http.post(path + "/messages", {"input": '@call archival_memory_insert {"content": "The key is under the mat", "tags": ["house", "keys"]}'})
    context = http.get(path + "/context")
    assert context["num_archival_memory"] == 1
    assert "1 memories are kept" in context["external_memory_summary"] and "Available archival memory tags: house, keys" in context["external_memory_summary"]
    system = http.get(path + "/messages?limit=100")[0]
    assert system["message_type"] == "system_message" and "1 memories are kept in archival memory" in system["content"]
    told = http.post(path + "/messages", {"input": '@call archival_memory_search {"query": "key mat"}'})["messages"]
    returned = next(m for m in told if m["message_type"] == "tool_return_message")
    assert returned["status"] == "success" and "under the mat" in returned["tool_return"]


def test_rest_inserts_are_told_with_the_next_recompile(http, keeper):
    keep(http, keeper, "kept by REST", tags=["rest"])
    path = f"/v1/agents/{keeper['id']}"
    assert "archival memory" not in http.get(path + "/messages?limit=100")[0]["content"]
    assert "1 memories are kept" in http.post(path + "/recompile") and "tags: rest" in http.get(path + "/messages?limit=100")[0]["content"]


def test_agents_without_embedding_keep_and_find_by_words(http):
    agent = http.post("/v1/agents", {"memory_blocks": [], "embedding": None})
    assert agent["embedding_config"] is None
    made = keep(http, agent, "Words are enough for lighthouses")
    assert made["embedding"] is None and made["embedding_config"] is None
    status, text, headers = http.send("GET", f"/v1/agents/{agent['id']}/archival-memory/search?query=enough")
    assert made["id"] in text and headers["X-Letta-Search-Degraded"] is None
    assert [r["id"] for r in found(http, agent, "thous")] == [made["id"]]  # a part of a word
    assert http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})["messages"]
