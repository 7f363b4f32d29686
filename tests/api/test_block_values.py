"""Blocks in the dialect of the seed: objects as values, labels with anything in them, lists that tell what they leave out."""

import json
import urllib.parse
import uuid

import pytest
from stele import refused


@pytest.fixture
def http(server):
    return server.http(2)


@pytest.mark.parametrize("value, text", [
    ({"name": "José", "preferences": {}, "conversation_history": []}, '{"name":"José","preferences":{},"conversation_history":[]}'),
    ([1, 2.5, "x", None, True], '[1,2.5,"x",null,true]'), (0.5, "0.5"), (7, "7"), (False, "false")])
def test_a_value_of_any_type_is_kept_as_its_json(http, value, text):
    block = http.post("/v1/blocks", {"label": "My Block", "value": value, "metadata": {"a": 1}})
    assert (block["value"], block["value_json"], block["metadata"]) == (text, value, {"a": 1, "value_type": "json"})
    path = f"/v1/blocks/{block['id']}"
    assert http.get(path)["value_json"] == value
    http.patch(path, {"metadata": {"b": 2}})
    assert http.get(path)["value_json"] == value and http.get(path)["metadata"] == {"b": 2, "value_type": "json"}
    plain = http.patch(path, {"value": "{}"})
    assert plain["value"] == "{}" and "value_json" not in plain and plain["metadata"] == {"b": 2}
    again = http.patch(path, {"value": value})
    assert again["value_json"] == value


def test_the_limit_counts_the_json(http):
    assert "exceeds" in refused(http, "POST", "/v1/blocks", 422, {"label": "b", "value": {"a": 1}, "limit": 6}).text
    assert http.post("/v1/blocks", {"label": "b", "value": {"a": 1}, "limit": 7})["value"] == '{"a":1}'


def test_the_mark_goes_when_a_tool_makes_it_plain_text(server, http):
    block = http.post("/v1/blocks", {"label": "facts", "value": {"a": 1}})["id"]
    agent = http.post("/v1/agents", {"block_ids": [block], "tools": ["core_memory_replace", "core_memory_append"]})["id"]
    path = f"/v1/agents/{agent}/tools"
    run = http.post(f"{path}/core_memory_replace/run", {"args": {"label": "facts", "old_content": "1", "new_content": "2"}})
    assert run["status"] == "success", run
    assert http.get(f"/v1/blocks/{block}")["value_json"] == {"a": 2}
    http.post(f"{path}/core_memory_append/run", {"args": {"label": "facts", "content": "and more"}})
    plain = http.get(f"/v1/blocks/{block}")
    assert "value_json" not in plain and plain["metadata"] == {}


def test_any_label_is_found_and_stands_in_the_prompt_as_a_tag(http):
    label = f"Persona_José Ünal & <b> {uuid.uuid4().hex}"
    block = http.post("/v1/blocks", {"label": label})
    agent = http.post("/v1/agents", {"block_ids": [block["id"]]})["id"]
    quote = urllib.parse.quote
    assert [b["id"] for b in http.get("/v1/blocks?label=" + quote(label))] == [block["id"]] == [b["id"] for b in http.get("/v1/blocks?label_search=" + quote(label[12:].lower()))]
    assert http.get(f"/v1/agents/{agent}/core-memory/blocks/" + quote(label, safe=""))["id"] == block["id"]
    system = http.get(f"/v1/agents/{agent}/messages?order=asc")[0]["content"]
    tag = "Persona_José_Ünal____b__" + label.split(" ")[-1]
    assert f"<{tag}>\n" in system and f"</{tag}>\n" in system


def test_name_is_the_older_word_for_template_name(http):
    block = http.post("/v1/blocks", {"label": "b", "name": "tn"})
    assert (block["name"], block["template_name"]) == ("tn", "tn")
    assert http.patch(f"/v1/blocks/{block['id']}", {"template_name": "other"})["name"] == "other"


def test_lists_tell_what_they_leave_out(http):
    mark = uuid.uuid4().hex
    for hidden in (False, None, True, False):
        http.post("/v1/blocks", {"label": f"x {mark}", "hidden": hidden})
    path, seen = f"/v1/blocks?label_search={mark}&limit=2", []
    while path:
        _, text, headers = http.send("GET", path)
        page = json.loads(text)
        assert (headers["X-Total-Count"], headers["X-Total-Hidden"]) == ("3", "1")
        seen += [block["id"] for block in page]
        link = headers["Link"]
        assert bool(link) == (len(page) == 2)
        path = link and link[1:link.index(">")]
    assert len(seen) == len(set(seen)) == 3
    _, _, headers = http.send("GET", f"/v1/_internal_blocks?label_search={mark}")
    assert (headers["X-Total-Count"], headers["X-Total-Hidden"]) == ("4", "0")


def test_the_project_of_the_header_is_that_of_the_block(http):
    assert http.post("/v1/blocks", {"label": "b"}, headers={"X-Project-Id": "p9"})["project_id"] == "p9"
    assert http.post("/v1/blocks", {"label": "b", "project_id": None}, headers={"X-Project-Id": "p9"})["project_id"] is None


def test_the_internal_routes_see_what_is_hidden(http):
    before = http.get("/v1/_internal_agents/count"), http.get("/v1/_internal_agents/count?exclude_hidden=false")
    agent = http.post("/v1/agents", {"hidden": True, "memory_blocks": [{"label": "human", "value": "x"}]})
    assert http.get("/v1/_internal_agents/count?exclude_hidden=false") >= before[1] + 1
    assert http.patch(f"/v1/_internal_agents/{agent['id']}/core-memory/blocks/human", {"value": "y"})["value"] == "y"
    block = http.post("/v1/_internal_blocks", {"label": "b", "hidden": True, "is_template": True})["id"]
    http.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/attach/{block}")
    assert [a["id"] for a in http.get(f"/v1/_internal_blocks/{block}/agents")] == [agent["id"]]
    assert http.delete(f"/v1/_internal_blocks/{block}") is None
    refused(http, "GET", f"/v1/blocks/{block}", 404)
