"""Images that are files of a folder: kept as they were sent, and shown to the model where a message names them by file id."""

import base64

import pytest
from folder_files import finished, folder_of, form, send, upload
from stele import GONE, refused

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
GIF = b"GIF89a" + bytes(20)
SEEN = "data:image/png;base64," + base64.b64encode(PNG).decode()


@pytest.fixture
def http(server):
    return server.http(2)


@pytest.fixture
def folder(http):
    return folder_of(http)


@pytest.fixture
def picture(http, folder):
    return upload(http, folder, "a.png", PNG, "image/png")


def named(file_id):
    return {"type": "image", "source": {"type": "letta", "file_id": file_id}}


def shown(model):
    return [part["image_url"]["url"] for turn in model.requests()[-1]["messages"] if isinstance(turn["content"], list) for part in turn["content"] if part["type"] == "image_url"]


def said(http, agent, *parts):
    return http.post(f"/v1/agents/{agent['id']}/messages", {"input": [{"type": "text", "text": "what is it?"}, *parts]})


@pytest.mark.parametrize("name, kind, content, stored", [("a.png", "image/png", PNG, "image/png"), ("b", "application/octet-stream", GIF, "image/gif"), ("c.txt", "image/webp", PNG, "image/png"),
                                                         ("d.txt", "text/plain", GIF, "text/plain")], ids=["said", "by its bytes", "of another type", "a text"])
def test_an_image_is_what_its_bytes_show(http, folder, name, kind, content, stored):
    assert finished(http, send(http, folder, name, content, kind)[1])["file_type"] == stored


def test_an_image_is_there_at_once_and_has_no_text(http, folder, picture):
    assert (picture["processing_status"], picture["file_size"], picture["error_message"]) == ("completed", len(PNG), None)
    assert http.get(f"/v1/folders/{folder}/files/{picture['id']}?include_content=true")["content"] is None
    assert http.get(f"/v1/folders/{folder}/passages") == []
    agent = http.post("/v1/agents", {"folder_ids": [folder]})
    assert http.get(f"/v1/agents/{agent['id']}/files")["files"] == []


def test_what_is_no_image_or_too_large_is_refused(http, folder):
    for content, kind, status in ((b"no image", "image/png", 415), (b"<svg/>", "image/svg+xml", 415), (PNG + bytes(20 << 20), "image/png", 400)):
        body, content_type = form("a.bin", content, kind)
        refused(http, "POST", f"/v1/folders/{folder}/upload", status, raw=body, headers={"Content-Type": content_type})
    assert http.get(f"/v1/folders/{folder}/files") == []


def test_a_message_names_it(http, model, folder, picture):
    agent = http.post("/v1/agents", {})
    said(http, agent, named(picture["id"]))
    assert shown(model) == [SEEN]
    stored = next(m for m in http.get(f"/v1/agents/{agent['id']}/messages") if m["message_type"] == "user_message" and isinstance(m["content"], list))
    assert (stored["content"][1]["source"]["type"], stored["content"][1]["source"]["media_type"]) == ("base64", "image/png")
    http.send("DELETE", f"/v1/folders/{folder}/{picture['id']}")
    said(http, agent)
    assert shown(model) == [SEEN]  # what the model has seen stays what it has seen
    refused(http, "POST", f"/v1/agents/{agent['id']}/messages", 404, {"input": [named(picture["id"])]})


def test_the_return_of_a_clients_tool_names_it(http, model, picture):
    agent = http.post("/v1/agents", {})
    tool = {"name": "get_map", "description": "A map.", "parameters": {"type": "object", "properties": {}}}
    path = f"/v1/agents/{agent['id']}/messages"
    call = http.post(path, {"input": "@call get_map {}", "client_tools": [tool]})["messages"][-1]["tool_call"]["tool_call_id"]
    decision = {"type": "tool", "tool_call_id": call, "tool_return": [{"type": "text", "text": "A map:"}, named(picture["id"])], "status": "success"}
    http.post(path, {"client_tools": [tool], "messages": [{"type": "approval", "approvals": [decision]}]})
    assert shown(model) == [SEEN]


def test_what_is_not_there_or_no_image(http, folder):
    agent = http.post("/v1/agents", {})
    path = f"/v1/agents/{agent['id']}/messages"
    text = upload(http, folder, "a.txt", "words")
    assert "a.txt" in refused(http, "POST", path, 400, {"input": [named(text["id"])]}).body["detail"]
    refused(http, "POST", path, 404, {"input": [named(f"file-{GONE}")]})
    failed = refused(http, "POST", path, 422, {"input": [named("file-1")]})
    assert failed.body["errors"][0]["loc"] == ["body", "input", 0, "source", "file_id"]
    assert http.get(path) == http.get(path) and not [m for m in http.get(path) if isinstance(m.get("content"), list)]


def test_nobody_elses(own_server):
    server = own_server({"STELE_PASSWORD": "pw"}).start()
    admin = server.http(headers={"Authorization": "Bearer pw"})
    picture = upload(admin, folder_of(admin), "a.png", PNG, "image/png")
    other = admin.post("/v1/admin/users", {"name": "o", "organization_id": admin.post("/v1/admin/orgs", {"name": "o"})["id"]})
    http = server.http(headers={"Authorization": f"Bearer {admin.post('/v1/admin/keys', {'name': 'o', 'user_id': other['id']})['key']}"})
    agent = http.post("/v1/agents", {})
    refused(http, "POST", f"/v1/agents/{agent['id']}/messages", 404, {"input": [named(picture["id"])]})
    mine = admin.post("/v1/agents", {})
    policy = [{"type": "agent", "id": mine["id"], "access": ["write_messages"]}]
    token = admin.post("/v1/client-side-access-tokens", {"policy": policy, "hostname": "https://pages.example"})["token"]
    page = server.http(headers={"Authorization": f"Bearer {token}", "Origin": "https://pages.example"})
    failed = refused(page, "POST", f"/v1/agents/{mine['id']}/messages", 403, {"messages": [{"role": "user", "content": [named(picture["id"])]}]})
    assert "file" in failed.text
    assert said(admin, mine, named(picture["id"]))["messages"]


def test_it_is_there_after_a_kill(own_server, model):
    server = own_server().start()
    http = server.http(2)
    made = send(http, folder_of(http), "a.png", PNG, "image/png")[1]
    server.kill()
    http = server.start().http(2)
    said(http, http.post("/v1/agents", {}), named(made["id"]))
    assert shown(model) == [SEEN]
