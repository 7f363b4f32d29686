"""Sandboxes on a server of one's own: folders of the server that agents keep files in."""

import pytest
from stele import GONE, refused, wait_until

MESSAGES = [{"role": "user", "content": "hello", "client_message_id": "c1"}]


@pytest.fixture
def http(server):
    return server.http(2)


def upload(http, sandbox, name, content: bytes, kind="text/plain", query=""):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\nContent-Type: ' + kind.encode() + b"\r\n\r\n" + content + b"\r\n--x--\r\n"
    return http.call("POST", f"/v1/sandboxes/{sandbox}/files{query}", raw=body, headers={"Content-Type": "multipart/form-data; boundary=x"})["files"]


def test_an_agents_sandbox_is_started_once(http, agent):
    path = f"/v1/agents/{agent['id']}/sandboxes"
    first, again = http.post(path), http.post(path, {})
    assert (first["resumed"], again["resumed"]) == (False, True) and first["sandboxId"] == again["sandboxId"]
    conversation = http.post(f"/v1/conversations?agent_id={agent['id']}")["id"]
    own = http.post(path, {"conversationId": conversation})
    assert own["conversationId"] == conversation and own["sandboxId"] != first["sandboxId"] and http.post(path, {"conversationId": conversation})["resumed"] is True
    more = http.post("/v1/sandboxes", {"agentId": agent["id"], "connectionName": "box"})
    assert more["connectionName"] == "box" and "resumed" not in more
    listed = http.get(f"/v1/sandboxes?agentId={agent['id']}")["sandboxes"]
    assert [each["sandboxId"] for each in listed] == [more["sandboxId"], own["sandboxId"], first["sandboxId"]] and all(each["agentId"] == agent["id"] and each["connectionId"] for each in listed)
    assert len(http.get(f"/v1/sandboxes?agentId={agent['id']}&limit=2")["sandboxes"]) == 2 and http.get(f"/v1/sandboxes?agentId=agent-{GONE}")["sandboxes"] == []
    refused(http, "POST", path, 404, {"conversationId": f"conv-{GONE}"})
    refused(http, "POST", "/v1/sandboxes", 404, {"agentId": f"agent-{GONE}"})


def test_it_stands_among_the_environments_and_works_for_its_agent(http, agent):
    made = http.post(f"/v1/agents/{agent['id']}/sandboxes")
    device = http.get(f"/v1/environments/{made['deviceId']}")
    assert device["connectionId"] == made["sandboxId"] and device["connectedAt"]
    assert made["deviceId"] in [each["deviceId"] for each in http.get("/v1/environments?source=remote&limit=100&onlineOnly=true")["connections"]]
    assert http.post(f"/v1/environments/{device['connectionId']}/messages", {"messages": MESSAGES, "agentId": agent["id"]})["success"] is True
    wait_until(lambda: any(m["message_type"] == "assistant_message" for m in http.get(f"/v1/agents/{agent['id']}/messages")))
    other = http.post("/v1/agents", {})
    refused(http, "POST", f"/v1/environments/{device['connectionId']}/messages", 400, {"messages": MESSAGES, "agentId": other["id"]})
    moved = http.post(f"/v1/environments/runtimes/{agent['id']}/default/teleport", {"targetConnectionId": device["connectionId"], "idempotencyKey": made["sandboxId"]})
    assert (moved["status"], moved["targetDeviceId"]) == ("completed", made["deviceId"])
    refused(http, "POST", f"/v1/environments/runtimes/{other['id']}/default/teleport", 400, {"targetConnectionId": device["connectionId"], "idempotencyKey": "x"})


def test_files_are_kept(http, agent, server):
    box = http.post(f"/v1/agents/{agent['id']}/sandboxes")["sandboxId"]
    assert upload(http, box, "notes.txt", b"one\n") == [{"path": "notes.txt", "name": "notes.txt", "mimeType": "text/plain", "size": 4}]
    assert upload(http, box, "a.bin", bytes(range(256)), "application/x-thing", "?path=/deep/er")[0]["path"] == "deep/er/a.bin"
    upload(http, box, "notes.txt", b"two\n")
    status, text, headers = http.send("GET", f"/v1/sandboxes/{box}/files?path=notes.txt")
    assert (status, text, headers["Content-Disposition"], headers["X-Content-Type-Options"]) == (200, "two\n", "attachment", "nosniff")
    import urllib.request
    assert urllib.request.urlopen(f"{http.url}/v1/sandboxes/{box}/files?path=deep/er/a.bin").read() == bytes(range(256))
    assert [each["path"] for each in http.get(f"/v1/sandboxes/{box}/files")["files"]] == ["deep/er/a.bin", "notes.txt"]
    assert http.post(f"/v1/sandboxes/{box}/terminate", {})["success"] is True
    for verb, path in (("GET", f"/v1/sandboxes/{box}/files?path=notes.txt"), ("POST", f"/v1/sandboxes/{box}/terminate"), ("GET", f"/v1/environments/{box}")):
        refused(http, verb, path, 404)
    assert not (server.folder / "data/sandboxes" / box).exists()


@pytest.mark.parametrize("path", ["../x", "a/../../x", "..", "/", "a/..", "x\x01y", "x" * 300])
def test_paths_lead_nowhere_else(http, agent, path):
    import urllib.parse
    box = http.post(f"/v1/agents/{agent['id']}/sandboxes")["sandboxId"]
    assert "query.path" in refused(http, "GET", f"/v1/sandboxes/{box}/files?path={urllib.parse.quote(path, safe='')}", 422).text
    body = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{path}"\r\n\r\nX\r\n--x--\r\n'.encode()
    if path != "/":
        refused(http, "POST", f"/v1/sandboxes/{box}/files", 422, raw=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert http.get(f"/v1/sandboxes/{box}/files")["files"] == []


def test_what_can_not_be_a_file(http, agent):
    box = http.post(f"/v1/agents/{agent['id']}/sandboxes")["sandboxId"]
    upload(http, box, "a", b"x", query="?path=dir")
    for name, query in (("dir", ""), ("b", "?path=dir/a")):
        body = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nX\r\n--x--\r\n'.encode()
        refused(http, "POST", f"/v1/sandboxes/{box}/files{query}", 409, raw=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    refused(http, "GET", f"/v1/sandboxes/{box}/files?path=dir", 404)
    refused(http, "POST", f"/v1/sandboxes/{box}/files", 422, raw=b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nX\r\n--x--\r\n', headers={"Content-Type": "multipart/form-data; boundary=x"})
    refused(http, "POST", f"/v1/sandboxes/{box}/files", 422, {})


def test_what_belongs_to_nobody_any_more_goes_at_the_next_start(own_server):
    server = own_server().start()
    http = server.http(2)
    gone, kept = (http.post("/v1/agents", {}) for _ in range(2))
    boxes = {each["id"]: http.post(f"/v1/agents/{each['id']}/sandboxes")["sandboxId"] for each in (gone, kept)}
    for box in boxes.values():
        upload(http, box, "f", b"x")
    http.delete(f"/v1/agents/{gone['id']}")
    server.stop()
    server.start()
    wait_until(lambda: [each.name for each in (server.folder / "data/sandboxes").iterdir()] == [boxes[kept["id"]]])
