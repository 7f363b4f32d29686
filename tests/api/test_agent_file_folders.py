"""Agent files and templates carry folders and files."""

import base64
import copy
import json
import uuid

import pytest
import stele
from folder_files import blocks_of, files_of, folder_of, prompt_of, upload
from stele import refused
from test_agent_files import refused_import
from test_agent_files import upload as import_file
from test_image_files import PNG


@pytest.fixture
def http(server):
    return server.http(2)


@pytest.fixture
def agent(http):
    """With a folder of three files: one closed, one opened in part, one whole."""
    folder = folder_of(http, description="d", instructions="i")
    agent = http.post("/v1/agents/", {"name": "filed", "folder_ids": [folder], "max_files_open": 2})["id"]
    for name in ("a", "b", "c"):
        upload(http, folder, f"{name}.txt", "".join(f"{name}{number}\n" for number in range(9)))
    label = http.get(f"/v1/folders/{folder}")["name"]
    http.post(f"/v1/agents/{agent}/tools/open_files/run", {"args": {"file_requests": [{"file_name": f"{label}/b.txt", "offset": 3, "length": 2}]}})
    return agent


def exported(http, agent) -> dict:
    return http.get(f"/v1/agents/{agent}/export")


def without_names(file: dict) -> dict:
    """What may differ between a file and that of its copy."""
    plain = copy.deepcopy(file)
    (source,) = plain["sources"]
    text = json.dumps(plain).replace(source["name"], "NAME")
    plain = json.loads(text)
    plain["agents"][0]["name"] = plain["created_at"] = None
    for each in plain["agents"][0]["files_agents"]:
        each["id"] = each["last_accessed_at"] = None
    plain["agents"][0]["files_agents"].sort(key=lambda each: each["file_name"])
    for each in plain["agents"][0]["messages"]:
        each["created_at"] = each["content"] = None
    return plain


def test_a_round_trip_keeps_folders_and_files(http, agent):
    file = exported(http, agent)
    (source,) = file["sources"]
    assert source["id"] == "source-0" and (source["description"], source["instructions"], source["embedding"]) == ("d", "i", "stele/hash")
    assert [(each["id"], each["source_id"], each["original_file_name"]) for each in file["files"]] == [(f"file-{number}", "source-0", f"{name}.txt") for number, name in enumerate("abc")]
    assert file["files"][1]["content"].startswith("b0\nb1\n") and file["agents"][0]["source_ids"] == ["source-0"]
    (imported,) = import_file(http, json.dumps(file))["agent_ids"]
    (folder,) = http.get(f"/v1/agents/{imported}/folders")
    assert folder["name"].startswith(source["name"] + "_") and len(folder["name"]) == len(source["name"]) + 9
    stele.wait_until(lambda: {each["processing_status"] for each in http.get(f"/v1/folders/{folder['id']}/files")} == {"completed"})
    views = {label[-5:]: (each["is_open"], each["value"]) for label, each in blocks_of(http, imported).items()}
    assert views == {label[-5:]: (each["is_open"], each["value"]) for label, each in blocks_of(http, agent).items()}
    assert views["b.txt"][1] == "[Viewing lines 4 to 5 (out of 9 lines)]\n4: b3\n5: b4"
    assert {"open_files", "grep_files", "semantic_search_files"} <= {each["name"] for each in http.get(f"/v1/agents/{imported}/tools?limit=100")}
    assert "4: b3" in prompt_of(http, imported) or http.get(f"/v1/agents/{imported}/context")["directories"].count("4: b3") == 1
    assert without_names(exported(http, imported)) == without_names(file)


def test_an_import_caps_what_is_open_and_takes_what_has_no_content(http, agent):
    file = exported(http, agent)
    for each in file["agents"][0]["files_agents"]:
        each["is_open"], each["visible_content"] = True, "shown"
    file["files"][0]["content"] = None
    (imported,) = import_file(http, json.dumps(file))["agent_ids"]
    assert len(files_of(http, imported, "?is_open=true")) == 2
    (folder,) = http.get(f"/v1/agents/{imported}/folders")
    broken = next(each for each in http.get(f"/v1/folders/{folder['id']}/files") if each["file_name"] == "a.txt")
    assert broken["processing_status"] == "error" and "no content" in broken["error_message"]


def test_references_that_lead_nowhere_are_told(http, agent):
    file = exported(http, agent)
    file["files"][0]["source_id"] = "source-9"
    file["agents"][0]["files_agents"][0]["file_id"] = "file-9"
    file["agents"][0]["files_agents"][1]["agent_id"] = "agent-9"
    before = http.get("/v1/folders/count")
    said = refused_import(http, json.dumps(file))
    assert "source-9" in said and "file-9" in said and "agent-9" in said
    assert http.get("/v1/folders/count") == before


@pytest.mark.parametrize("image", [PNG, PNG + bytes(13 << 20)], ids=["small", "of a file that is stored bit by bit"])
def test_images_of_folders_come_along(http, agent, image):
    (folder,) = http.get(f"/v1/agents/{agent}/folders")
    upload(http, folder["id"], "p.png", image, "image/png")
    file = exported(http, agent)
    described = next(each for each in file["files"] if each["original_file_name"] == "p.png")
    assert described["content"] == "data:image/png;base64," + base64.b64encode(image).decode()
    (imported,) = import_file(http, json.dumps(file))["agent_ids"]
    (copied,) = http.get(f"/v1/agents/{imported}/folders")
    picture = next(each for each in http.get(f"/v1/folders/{copied['id']}/files") if each["file_name"] == "p.png")
    assert (picture["processing_status"], picture["file_type"], picture["file_size"]) == ("completed", "image/png", len(image))
    again = next(each for each in exported(http, imported)["files"] if each["original_file_name"] == "p.png")
    assert again["content"] == described["content"]
    parts = [{"type": "image", "source": {"type": "letta", "file_id": picture["id"]}}, {"type": "text", "text": "look"}]
    assert http.post(f"/v1/agents/{imported}/messages", {"messages": [{"role": "user", "content": parts}]})["messages"]


def test_a_text_that_only_looks_like_an_image_stays_a_text(http, agent):
    file = exported(http, agent)
    file["files"][0] |= {"content": "data:image/png;base64,AAAA", "file_type": "image/png"}
    (imported,) = import_file(http, json.dumps(file))["agent_ids"]
    assert exported(http, imported)["files"][0]["content"] == "data:image/png;base64,AAAA"


def test_templates_name_folders(http, agent):
    (folder,) = http.get(f"/v1/agents/{agent}/folders")
    name = f"t{uuid.uuid4().hex[:8]}"
    http.post("/v1/templates", {"type": "agent", "agent_id": agent, "name": name})
    made = http.post(f"/v1/templates/{name}/agents")
    (deployed,) = made["agent_ids"]
    assert [each["id"] for each in http.get(f"/v1/agents/{deployed}/folders")] == [folder["id"]]
    assert len(files_of(http, deployed)) == 3
    http.delete(f"/v1/folders/{folder['id']}")
    (later,) = http.post(f"/v1/templates/{name}/agents")["agent_ids"]
    assert http.get(f"/v1/agents/{later}/folders") == []
    assert folder["id"] in json.dumps(http.get(f"/v1/agents/{later}")["metadata"])
