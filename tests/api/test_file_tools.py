"""The tools of files, as the model calls them."""

import json

import pytest
from folder_files import blocks_of, call, files_of, folder_of, prompt_of, upload


def code(lines: int = 100) -> str:
    return "".join(f"x{number} = {number}\n" for number in range(1, lines + 1))


@pytest.fixture
def http(server):
    return server.http(2)


@pytest.fixture
def world(http):
    folder = folder_of(http)
    agent = http.post("/v1/agents/", {"max_files_open": 2, "folder_ids": [folder]})["id"]
    return agent, folder, http.get(f"/v1/folders/{folder}")["name"]


def test_their_schemas_have_the_parameters_of_old(http, world):
    tools = {each["name"]: each for each in http.get(f"/v1/agents/{world[0]}/tools?limit=100")}
    opening = tools["open_files"]["json_schema"]["parameters"]
    assert tools["open_files"]["tool_type"] == "letta_files_core" and tools["open_files"]["tags"] == ["letta_files_core"]
    item = opening["properties"]["file_requests"]["items"]
    assert opening["properties"]["file_requests"]["type"] == "array" and opening["required"] == ["file_requests"]
    assert item["type"] == "object" and item["required"] == ["file_name"]
    assert {name: each["type"] for name, each in item["properties"].items() if "type" in each}["file_name"] == "string" and set(item["properties"]) == {"file_name", "offset", "length"}
    assert opening["properties"]["close_all_others"]["type"] == "boolean"
    grep = tools["grep_files"]["json_schema"]["parameters"]
    assert {name: each["type"] for name, each in grep["properties"].items()} == {"pattern": "string", "include": "string", "context_lines": "integer", "offset": "integer"}
    assert grep["required"] == ["pattern"] and "\n" in grep["properties"]["pattern"]["description"] and "\n" in tools["open_files"]["description"]
    assert tools["semantic_search_files"]["json_schema"]["parameters"]["required"] == ["query"]


def test_a_part_is_opened(http, world):
    agent, folder, called = world
    upload(http, folder, "a.py", code(), "text/x-python")
    returned = call(http, agent, "open_files", {"file_requests": [{"file_name": f"{called}/a.py", "offset": 49, "length": 5}]})
    assert returned["status"] == "success" and "lines 50-54" in returned["tool_return"] and "previously full file" in returned["tool_return"]
    expected = "[Viewing lines 50 to 54 (out of 100 lines)]\n" + "\n".join(f"{number}: x{number} = {number}" for number in range(50, 55))
    assert blocks_of(http, agent)[f"{called}/a.py"]["value"] == expected
    place = files_of(http, agent)[0]
    assert (place["visible_content"], place["start_line"], place["end_line"]) == (expected, 50, 54)
    http.post(f"/v1/agents/{agent}/messages", {"input": "@say look"})
    assert expected in prompt_of(http, agent)
    returned = call(http, agent, "open_files", {"file_requests": [{"file_name": f"{called}/a.py", "offset": 98}]})
    assert "previously lines 50-54" in returned["tool_return"]
    assert blocks_of(http, agent)[f"{called}/a.py"]["value"] == "[Viewing lines 99 to end (out of 100 lines)]\n99: x99 = 99\n100: x100 = 100"


def test_what_is_opened_stands_in_the_next_step_of_the_same_turn(http, world, model):
    agent, folder, called = world
    upload(http, folder, "a.py", code(), "text/x-python")
    model.forget()
    call(http, agent, "open_files", {"file_requests": [{"file_name": f"{called}/a.py", "offset": 9, "length": 1}]})
    seen = [json.dumps(each) for each in model.requests()]
    assert "10: x10 = 10" in seen[-1] and "[Viewing lines 10 to 10" in seen[-1]


def test_too_many_or_wrong_files_open_nothing(http, world):
    agent, folder, called = world
    for name in ("a", "b", "c"):
        upload(http, folder, f"{name}.txt", name)
    http.patch(f"/v1/agents/{agent}/files/close-all")
    cases = [([], "names no file"), ([{"file_name": f"{called}/{name}.txt"} for name in "abc"], "at most 2"), ([{"file_name": f"{called}/a.txt"}, {"file_name": "nowhere.txt"}], f"{called}/a.txt"),
             ([{"file_name": f"{called}/a.txt", "offset": -1}], "offset"), ([{"file_name": f"{called}/a.txt", "offset": 0, "length": 0}], "length"),
             ([{"file_name": f"{called}/a.txt", "offset": 7}], "1 lines"), ([{"file_name": f"{called}/a.txt"}, {"file_name": f"{called}/b.txt", "offset": 5}], "offset")]
    for requests, named in cases:
        returned = call(http, agent, "open_files", {"file_requests": requests})
        assert returned["status"] == "error" and named in returned["tool_return"], returned["tool_return"]
        assert not files_of(http, agent, "?is_open=true")


def test_opening_closes_those_not_looked_at_for_longest(http, world):
    agent, folder, called = world
    for name in ("a", "b", "c"):
        upload(http, folder, f"{name}.txt", name)
    http.patch(f"/v1/agents/{agent}/files/close-all")
    for name in ("a", "b"):
        call(http, agent, "open_files", {"file_requests": [{"file_name": f"{called}/{name}.txt"}]})
    call(http, agent, "grep_files", {"pattern": "^a$"})  # a match is a look
    returned = call(http, agent, "open_files", {"file_requests": [{"file_name": f"{called}/c.txt"}]})
    assert f"{called}/b.txt" in returned["tool_return"]
    assert {each["file_name"] for each in files_of(http, agent, "?is_open=true")} == {f"{called}/a.txt", f"{called}/c.txt"}
    returned = call(http, agent, "open_files", {"file_requests": [{"file_name": f"{called}/b.txt"}], "close_all_others": True})
    assert "close_all_others" in returned["tool_return"]
    assert {each["file_name"] for each in files_of(http, agent, "?is_open=true")} == {f"{called}/b.txt"}


def test_grep_finds_a_line_with_its_context(http, world):
    agent, folder, called = world
    lines = [f"line {number}" for number in range(1, 1001)]
    lines[509] = "the Needle is here"
    upload(http, folder, "a.txt", "\n".join(lines))
    returned = call(http, agent, "grep_files", {"pattern": "needle"})
    text = returned["tool_return"]
    assert returned["status"] == "success" and text.startswith("Found 1 total matches across 1 files\n" + "=" * 80 + "\nFiles with matches:\n")
    assert f"  - {called}/a.txt: 1 matches\n" in text
    assert f"=== {called}/a.txt:510 ===\n  509: line 509\n> 510: the Needle is here\n  511: line 511\n" in text


def test_grep_goes_page_by_page(http, world):
    agent, folder, called = world
    upload(http, folder, "many.txt", "match\n" * 45)
    upload(http, folder, "few.md", "One match. Two matches. None.", "text/markdown")
    first = call(http, agent, "grep_files", {"pattern": "match", "context_lines": 0})["tool_return"]
    assert first.startswith("Found 47 total matches across 2 files (showing matches 1-20 of 47)") and "offset=20" in first
    assert first.index(f"{called}/many.txt: 45") < first.index(f"{called}/few.md: 2")
    shown = []
    for offset in (0, 20, 40):
        text = call(http, agent, "grep_files", {"pattern": "match", "context_lines": 0, "offset": offset})["tool_return"]
        shown += [line for line in text.splitlines() if line.startswith("=== ")]
    assert len(shown) == len(set(shown)) == 47 and "No more matches" in text
    only = call(http, agent, "grep_files", {"pattern": "match", "include": "*.md"})["tool_return"]
    assert only.startswith("Found 2 total matches across 1 files\n") and "many.txt" not in only
    assert "No matches found for pattern" in call(http, agent, "grep_files", {"pattern": "nothing like it"})["tool_return"]


def test_grep_explains_what_it_does_not_take(http, world):
    agent, folder, _ = world
    upload(http, folder, "a.txt", "x")
    for arguments in ({"pattern": "("}, {"pattern": ""}, {"pattern": "(?=x)"}, {"pattern": "x" * 1001}, {"pattern": "x", "offset": -1}):
        assert call(http, agent, "grep_files", arguments)["status"] == "error", arguments
    slow = call(http, agent, "grep_files", {"pattern": "(x+x+)+y"})
    assert slow["status"] == "success"


def test_files_are_found_by_meaning_and_by_words(http, world):
    agent, folder, called = world
    filler = "".join(f"Paragraph {number} speaks of nothing in particular and goes on for a while about it.\n\n" for number in range(60))
    upload(http, folder, "a.txt", filler + "The treasure lies under the old oak.\n")
    upload(http, folder, "b.txt", "Whales are mammals.\n")
    returned = call(http, agent, "semantic_search_files", {"query": "treasure oak", "limit": 1})
    text = returned["tool_return"]
    assert returned["status"] == "success" and text.startswith("Found 1 semantic matches in 1 file(s) for query: 'treasure oak'\n====")
    assert f"=== {called}/a.txt (passage #1) (lines " in text and "under the old oak" in text
    first, last = text.split("(lines ")[1].split(")")[0].split("-")
    call(http, agent, "open_files", {"file_requests": [{"file_name": f"{called}/a.txt", "offset": int(first) - 1, "length": int(last) - int(first) + 1}]})
    assert "under the old oak" in blocks_of(http, agent)[f"{called}/a.txt"]["value"]
    assert call(http, agent, "semantic_search_files", {"query": " "})["status"] == "error"
    assert call(http, agent, "semantic_search_files", {"query": "whales", "limit": 999})["status"] == "success"


def test_without_files_the_tools_say_so(http, world):
    agent, _, _ = world
    for tool, arguments in (("grep_files", {"pattern": "x"}), ("semantic_search_files", {"query": "x"})):
        returned = call(http, agent, tool, arguments)
        assert returned["status"] == "success" and "No files are currently attached" in returned["tool_return"]


def test_they_are_run_by_hand_too(http, world):
    agent, folder, called = world
    upload(http, folder, "a.txt", "by hand")
    made = http.post(f"/v1/agents/{agent}/tools/grep_files/run", {"args": {"pattern": "hand"}})
    assert made["status"] == "success" and "> 1: by hand" in made["func_return"]
    made = http.post(f"/v1/agents/{agent}/tools/open_files/run", {"args": {"file_requests": [{"file_name": f"{called}/a.txt", "offset": 0, "length": 1}]}})
    assert blocks_of(http, agent)[f"{called}/a.txt"]["value"] == "[Viewing lines 1 to 1 (out of 1 lines)]\n1: by hand"


def test_in_folders_without_an_embedding_words_are_enough(http, server):
    """An agent file may bring a folder without one."""
    file = {"agents": [{"id": "agent-0", "name": "a", "agent_type": "letta_v1_agent", "source_ids": ["source-0"], "model": "openai/mock-small"}], "groups": [], "blocks": [], "tools": [], "mcp_servers": [],
            "sources": [{"id": "source-0", "name": f"plain{id(http)}"}], "files": [{"id": "file-0", "source_id": "source-0", "file_name": "x/a.txt", "file_type": "text/plain", "content": "Whales sing.\n"}]}
    from test_agent_files import upload as send_agent_file
    (agent,) = send_agent_file(http, json.dumps(file))["agent_ids"]
    (folder,) = http.get(f"/v1/agents/{agent}/folders")
    assert folder["embedding_config"] is None
    import stele
    stele.wait_until(lambda: http.get(f"/v1/folders/{folder['id']}/files")[0]["processing_status"] == "completed")
    (passage,) = http.get(f"/v1/folders/{folder['id']}/passages")
    assert passage["embedding"] is None
    returned = call(http, agent, "semantic_search_files", {"query": "whales"})
    assert "Whales sing." in returned["tool_return"]
