"""Folders, sources (their older name), and which agents have them."""

import uuid

import pytest
from folder_files import blocks_of, files_of, folder_of, prompt_of, send, upload
from stele import refused

FILE_TOOLS = {"open_files", "grep_files", "semantic_search_files"}


def name() -> str:
    return f"f{uuid.uuid4().hex[:10]}"


def tools_of(http, agent) -> set:
    return {each["name"] for each in http.get(f"/v1/agents/{agent}/tools?limit=100")}


@pytest.fixture
def agent(http):
    return http.post("/v1/agents/", {"memory_blocks": [{"label": "human", "value": "Name: Grace."}]})["id"]


@pytest.fixture
def folder(http):
    return folder_of(http)


def test_a_folder_is_made_shown_changed_and_deleted(http):
    called = name()
    made = http.post("/v1/folders/", {"name": called, "description": "d", "embedding": "stele/hash"})
    assert made["id"].startswith("source-") and made["name"] == called and made["embedding_config"]["handle"] == "stele/hash"
    assert list(made) == ["name", "description", "instructions", "metadata", "id", "embedding_config", "organization_id", "created_by_id", "last_updated_by_id", "created_at", "updated_at"]
    assert http.get(f"/v1/folders/{made['id']}") == made
    assert http.get(f"/v1/folders/?name={called}") == [made]
    assert http.get(f"/v1/folders/name/{called}") == http.get(f"/v1/folders/by-name?name={called}") == made["id"]
    older = http.get(f"/v1/sources/{made['id']}")
    assert older == {**made, "vector_db_provider": "native"}
    assert http.get(f"/v1/sources/name/{called}") == http.get(f"/v1/sources/by-name?source_name={called}") == made["id"]
    assert made["id"] in [each["id"] for each in http.get("/v1/sources/?limit=1000")]
    changed = http.patch(f"/v1/folders/{made['id']}", {"instructions": "cite", "metadata": {"a": 1}, "description": None})
    assert (changed["instructions"], changed["metadata"], changed["description"], changed["name"]) == ("cite", {"a": 1}, None, called)
    assert http.patch(f"/v1/sources/{made['id']}", {"name": called + "x"})["vector_db_provider"] == "native"
    before = http.get("/v1/folders/count")
    assert http.delete(f"/v1/folders/{made['id']}") is None
    assert http.get("/v1/sources/count") == before - 1
    refused(http, "GET", f"/v1/folders/{made['id']}", 404)
    refused(http, "DELETE", f"/v1/sources/{made['id']}", 404)
    refused(http, "GET", f"/v1/folders/name/{called}", 404)


def test_names_are_taken_once(http, folder):
    taken = http.get(f"/v1/folders/{folder}")["name"]
    refused(http, "POST", "/v1/folders/", 409, {"name": taken})
    other = folder_of(http)
    refused(http, "PATCH", f"/v1/folders/{other}", 409, {"name": taken})
    for bad in ("", "x" * 256, "two\nlines"):
        assert "body.name" in refused(http, "POST", "/v1/folders/", 422, {"name": bad}).text
    refused(http, "POST", "/v1/folders/", 422, {})
    assert "Embedding handle" in refused(http, "POST", "/v1/folders/", 400, {"name": name(), "embedding": "no/such"}).body["detail"]
    odd = http.post("/v1/folders/", {"name": f"a \"b\" <c> é/{name()}"})
    assert http.get(f"/v1/folders/{odd['id']}")["name"] == odd["name"]


def test_counts_and_sizes(http, folder):
    upload(http, folder, "a.txt", "12345")
    upload(http, folder, "b.txt", "123")
    one = http.get(f"/v1/folders/{folder}/metadata")
    assert (one["total_sources"], one["total_files"], one["total_size"]) == (1, 2, 8)
    assert [each["file_name"] for each in one["sources"][0]["files"]] == ["a.txt", "b.txt"]
    assert http.get("/v1/folders/metadata")["sources"] == []
    detailed = http.get("/v1/sources/metadata?include_detailed_per_source_metadata=true")
    mine = next(each for each in detailed["sources"] if each["source_id"] == folder)
    assert (mine["file_count"], mine["total_size"]) == (2, 8)


def test_the_first_folder_brings_the_tools_and_the_last_takes_them(http, agent, folder):
    other = folder_of(http)
    before = tools_of(http, agent)
    for each in (folder, other, folder):
        answer = http.patch(f"/v1/agents/{agent}/folders/attach/{each}")
        assert answer is None or answer["id"] == agent
    assert tools_of(http, agent) == before | FILE_TOOLS
    assert [each["id"] for each in http.get(f"/v1/agents/{agent}/folders?order=asc")] == [folder, other]
    assert [each["id"] for each in http.get(f"/v1/agents/{agent}?include=agent.sources")["sources"]] == [folder, other]
    assert http.get(f"/v1/folders/{folder}/agents") == [agent]
    http.patch(f"/v1/agents/{agent}/folders/detach/{folder}")
    assert tools_of(http, agent) == before | FILE_TOOLS
    assert http.patch(f"/v1/agents/{agent}/sources/detach/{other}")["id"] == agent
    assert tools_of(http, agent) == before
    http.patch(f"/v1/agents/{agent}/folders/detach/{other}")  # no change
    assert "<directories>" not in prompt_of(http, agent)


def test_what_leads_nowhere_is_refused(http, agent, folder):
    gone = "source-00000000-0000-4000-8000-00000000dead"
    for verb in ("attach", "detach"):
        refused(http, "PATCH", f"/v1/agents/{agent}/folders/{verb}/{gone}", 404)
        refused(http, "PATCH", f"/v1/agents/agent-00000000-0000-4000-8000-00000000dead/folders/{verb}/{folder}", 404)
        refused(http, "PATCH", f"/v1/agents/{agent}/sources/{verb}/x", 422)
    refused(http, "POST", "/v1/agents/", 404, {"folder_ids": [gone]})
    refused(http, "PATCH", f"/v1/agents/{agent}", 404, {"folder_ids": [gone]})
    refused(http, "POST", "/v1/agents/", 422, {"source_ids": ["x"]})
    assert tools_of(http, agent).isdisjoint(FILE_TOOLS)


def test_agents_are_made_with_folders_and_get_others(http, folder):
    other = folder_of(http)
    upload(http, folder, "a.txt", "apple")
    upload(http, other, "b.txt", "banana")
    called = {each: http.get(f"/v1/folders/{each}")["name"] for each in (folder, other)}
    agent = http.post("/v1/agents/", {"source_ids": [folder]})
    assert [each["id"] for each in agent["sources"]] == [folder]
    assert {each["name"] for each in agent["tools"]} >= FILE_TOOLS
    assert [each["label"] for each in agent["memory"]["file_blocks"]] == [f"{called[folder]}/a.txt"]
    assert "1: apple" in prompt_of(http, agent["id"])
    changed = http.patch(f"/v1/agents/{agent['id']}", {"folder_ids": [other], "source_ids": [folder]})
    assert [each["id"] for each in changed["sources"]] == [other]
    assert list(blocks_of(http, agent["id"])) == [f"{called[other]}/b.txt"]
    assert "1: banana" in prompt_of(http, agent["id"]) and "apple" not in prompt_of(http, agent["id"])
    http.patch(f"/v1/agents/{agent['id']}", {"name": "still"})
    assert len(blocks_of(http, agent["id"])) == 1
    http.patch(f"/v1/agents/{agent['id']}", {"folder_ids": []})
    assert not blocks_of(http, agent["id"]) and tools_of(http, agent["id"]).isdisjoint(FILE_TOOLS)


def test_a_default_source_is_made_on_request(http):
    agent = http.post("/v1/agents/", {"name": f"A{uuid.uuid4().hex[:8]}", "include_default_source": True})
    assert [each["name"] for each in agent["sources"]] == [f"{agent['name']} External Data Source"]
    twin = http.post("/v1/agents/", {"name": agent["name"], "include_default_source": True})
    assert twin["sources"][0]["name"].startswith(agent["sources"][0]["name"] + "_")


def test_a_deleted_folder_leaves_its_agents(http, agent, folder):
    http.patch(f"/v1/agents/{agent}/folders/attach/{folder}")
    upload(http, folder, "a.txt", "gone tomorrow")
    assert len(blocks_of(http, agent)) == 1
    http.delete(f"/v1/folders/{folder}")
    assert not blocks_of(http, agent) and not files_of(http, agent)
    assert tools_of(http, agent).isdisjoint(FILE_TOOLS)
    assert "gone tomorrow" not in prompt_of(http, agent) and "<directories>" not in prompt_of(http, agent)


def test_a_deleted_agent_leaves_its_folders(http, agent, folder):
    http.patch(f"/v1/agents/{agent}/folders/attach/{folder}")
    upload(http, folder, "a.txt", "stays")
    http.delete(f"/v1/agents/{agent}")
    assert http.get(f"/v1/folders/{folder}/agents") == []
    assert len(http.get(f"/v1/folders/{folder}/files")) == 1


def test_a_renamed_folder_is_shown_under_its_new_name(http, agent, folder):
    http.patch(f"/v1/agents/{agent}/folders/attach/{folder}")
    upload(http, folder, "a.txt", "x")
    new = name()
    http.patch(f"/v1/folders/{folder}", {"name": new, "description": "quarterly", "instructions": "cite pages"})
    assert list(blocks_of(http, agent)) == [f"{new}/a.txt"]
    prompt = prompt_of(http, agent)
    assert f'<directory name="{new}">\n<description>quarterly</description>\n<instructions>cite pages</instructions>\n<file status="open" name="{new}/a.txt">' in prompt


def test_the_directories_stand_in_the_context(http, agent, folder):
    http.patch(f"/v1/agents/{agent}/folders/attach/{folder}")
    upload(http, folder, "a.txt", "first\n\nsecond\n")
    called = http.get(f"/v1/folders/{folder}")["name"]
    agent_now = http.get(f"/v1/agents/{agent}?include=agent.blocks")
    most, limit = agent_now["max_files_open"], agent_now["per_file_view_window_char_limit"]
    value = "[Viewing file start (out of 2 lines)]\n1: first\n2: second"
    section = (f"<directories>\n<file_limits>\n- current_files_open=1\n- max_files_open={most}\n</file_limits>\n<directory name=\"{called}\">\n"
               f"<file status=\"open\" name=\"{called}/a.txt\">\n<metadata>\n- read_only=true\n- chars_current={len(value)}\n- chars_limit={limit}\n</metadata>\n"
               f"<value>\n{value}\n</value>\n</file>\n</directory>\n</directories>")
    assert "\n\n" + section + "\n\n<memory_metadata>" in prompt_of(http, agent)
    assert http.get(f"/v1/agents/{agent}/context")["directories"] == section
    block = agent_now["memory"]["file_blocks"][0]
    assert (block["label"], block["value"], block["limit"], block["read_only"], block["source_id"], block["is_open"]) == (f"{called}/a.txt", value, limit, True, folder, True)
    assert http.get(f"/v1/agents/{agent}/core-memory")["file_blocks"] == [block]
    said = http.post(f"/v1/agents/{agent}/messages", {"input": "@say hello"})
    assert said["messages"][-1]["message_type"] == "assistant_message"


def test_no_list_loses_a_row(http, agent):
    folders = [folder_of(http) for _ in range(5)]
    for each in folders:
        http.patch(f"/v1/agents/{agent}/folders/attach/{each}")
        upload(http, each, "a.txt", "x")
    walked, after = [], ""
    while page := http.get(f"/v1/agents/{agent}/folders?limit=2&order=asc{after}"):
        walked += [each["id"] for each in page]
        after = f"&after={page[-1]['id']}"
    assert walked == folders
    files = http.get(f"/v1/agents/{agent}/files?limit=2")
    seen = [each["id"] for each in files["files"]]
    assert files["has_more"] and files["next_cursor"] == seen[-1]
    while files["has_more"]:
        files = http.get(f"/v1/agents/{agent}/files?limit=2&cursor={files['next_cursor']}")
        seen += [each["id"] for each in files["files"]]
    assert len(set(seen)) == len(seen) == 5
    by_file = http.get(f"/v1/agents/{agent}/files?limit=10")["files"]
    after_file = http.get(f"/v1/agents/{agent}/files?after={by_file[1]['file_id']}")["files"]
    assert after_file == by_file[2:]
    assert http.patch(f"/v1/agents/{agent}/files")["files"] == by_file


def test_folders_never_see_another_organisations_files(http, folder):
    refused(http, "GET", f"/v1/folders/{folder}/files/file-00000000-0000-4000-8000-00000000dead", 404)
    file = send(http, folder, "a.txt", "x")[1]
    refused(http, "GET", f"/v1/folders/{folder_of(http)}/files/{file['id']}", 404)
    refused(http, "DELETE", f"/v1/folders/{folder_of(http)}/{file['id']}", 404)
