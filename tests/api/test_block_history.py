"""What a block was: every change that prompts show is kept, whoever made it, and can be taken back."""

import pytest
from stele import GONE, refused


@pytest.fixture
def http(server):
    return server.http(2)


def states(http, block: str, query: str = "") -> list:
    return [(v["version"], v["value"]) for v in http.get(f"/v1/blocks/{block}/history{query}")]


def test_every_change_that_prompts_show_is_kept(http):
    made = http.post("/v1/blocks", {"label": "h", "value": "one"})
    path = f"/v1/blocks/{made['id']}"
    http.patch(path, {"value": "two"})
    http.patch(path, {"tags": ["unseen"]})
    http.patch(path, {"metadata": {"un": "seen"}})
    http.patch(path, {"description": "d", "limit": 50, "read_only": True, "label": "i"})
    http.patch(path, {"value": "two"})  # nothing
    history = http.get(path + "/history")
    assert [(v["version"], v["label"], v["value"], v["current"]) for v in history] == [(5, "i", "two", True), (4, "h", "two", False), (1, "h", "one", False)]
    assert [v["id"] for v in history] == ["5", "4", "1"]
    assert (history[0]["description"], history[0]["limit"], history[0]["read_only"]) == ("d", 50, True)
    assert history[2]["changed_at"] == made["created_at"] and history[0]["changed_at"] > history[1]["changed_at"] > history[2]["changed_at"]
    assert all(v["changed_by_id"] == made["created_by_id"] and v["run_id"] is None and v["tool"] is None for v in history)
    assert http.send("GET", path)[2]["ETag"] == '"5"'


def test_it_is_paged_by_versions(http):
    block = http.post("/v1/blocks", {"label": "h", "value": "1"})["id"]
    for value in "23456":
        http.patch(f"/v1/blocks/{block}", {"value": value})
    up = [(n, str(n)) for n in range(1, 7)]
    assert states(http, block) == up[::-1] and states(http, block, "?order=asc") == up
    for limit in (1, 2, 4):
        for order, expected in (("asc", up), ("desc", up[::-1])):
            seen, after = [], ""
            while page := states(http, block, f"?order={order}&limit={limit}{after}"):
                seen += page
                after = f"&after={page[-1][0]}"
            assert seen == expected
    assert states(http, block, "?order=asc&before=5&limit=2") == up[2:4] and states(http, block, "?before=2&limit=2") == up[::-1][2:4]
    assert states(http, block, "?after=5&before=2&limit=9") == up[::-1][2:4]
    assert "cursor" in refused(http, "GET", f"/v1/blocks/{block}/history?after=x", 422).text
    refused(http, "GET", f"/v1/blocks/block-{GONE}/history", 404)


def test_a_tool_s_change_names_run_and_tool(http):
    block = http.post("/v1/blocks", {"label": "notes", "value": "nothing"})["id"]
    agent = http.post("/v1/agents", {"block_ids": [block], "tools": ["core_memory_append"], "include_base_tools": False})["id"]
    answer = http.post(f"/v1/agents/{agent}/messages", {"input": '@call core_memory_append {"label": "notes", "content": "tea"}'})
    run = answer["messages"][0]["run_id"]
    http.patch(f"/v1/agents/{agent}/core-memory/blocks/notes", {"value": "by label"})
    newest, by_tool, first = http.get(f"/v1/blocks/{block}/history")
    assert (newest["run_id"], newest["tool"]) == (None, None) == (first["run_id"], first["tool"])
    assert (by_tool["run_id"], by_tool["tool"]) == (run, "core_memory_append") and "tea" in by_tool["value"]


def test_a_former_state_comes_back_as_a_new_version(http):
    block = http.post("/v1/blocks", {"label": "h", "value": {"a": 1}, "description": None})["id"]
    path = f"/v1/blocks/{block}"
    http.patch(path, {"value": {"a": 2}, "description": "d"})
    back = http.post(path + "/restore", {"version": 1})
    assert (back["value"], back["value_json"], back["description"]) == ('{"a":1}', {"a": 1}, None)
    assert [v[0] for v in states(http, block)] == [3, 2, 1]
    assert http.post(path + "/restore", {"version": 3}) == back
    refused(http, "POST", path + "/restore", 404, {"version": 4})
    refused(http, "POST", path + "/restore", 404, {"version": 0})
    assert "version" in refused(http, "POST", path + "/restore", 422, {}).text
    refused(http, "POST", path + "/restore", 412, {"version": 1}, headers={"If-Match": '"2"'})


def test_a_label_that_is_taken_meanwhile_does_not_come_back(http):
    block = http.post("/v1/blocks", {"label": "old"})["id"]
    agent = http.post("/v1/agents", {"block_ids": [block]})["id"]
    http.patch(f"/v1/blocks/{block}", {"label": "new"})
    other = http.post("/v1/blocks", {"label": "old"})["id"]
    http.patch(f"/v1/agents/{agent}/core-memory/blocks/attach/{other}")
    refused(http, "POST", f"/v1/blocks/{block}/restore", 409, {"version": 1})
    assert http.get(f"/v1/blocks/{block}")["label"] == "new" and len(states(http, block)) == 2


def test_the_difference_of_two_versions(http):
    block = http.post("/v1/blocks", {"label": "h", "value": "a\nb\nc"})["id"]
    path = f"/v1/blocks/{block}"
    http.patch(path, {"value": "a\nB\nc", "limit": 9})
    http.patch(path, {"value": "a\nB\nc\nd"})
    assert http.get(path + "/history/diff?from=1&to=2") == {"block_id": block, "from": 1, "to": 2, "changes": [{"name": "limit", "from": 100000, "to": 9}],
                                                          "diff": "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"}
    assert http.get(path + "/history/diff?from=3&to=2")["diff"] == "@@ -1,4 +1,3 @@\n a\n B\n c\n-d\n"
    assert http.get(path + "/history/diff?from=3")["diff"] == ""
    assert http.get(path + "/history/diff") == http.get(path + "/history/diff?from=2&to=3")
    assert http.get(path + "/history/diff?to=2") == http.get(path + "/history/diff?from=1&to=2") and http.get(path + "/history/diff?to=1")["diff"] == ""
    refused(http, "GET", path + "/history/diff?from=9", 404)
