"""Images in the results of MCP tools: shown to models that take them, kept with the message, and told in words elsewhere."""

import base64
import json
import socket
import sys

import pytest
import stele
from mcp_server import schema
from scripted_model import ScriptedModel, http, whole
from test_agent_files import upload

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 20
GIF = b"GIF89a" + b"a small one" * 3
SDK_SERVER = str(stele.ROOT / "tests/support/sdk_mcp_server.py")
OPTIONS = ["--tools-mcp-private", "true", "--tools-mcp-connect-seconds", "10"]
names = iter(range(10_000))


@pytest.fixture(scope="module")
def api(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("mcp_images"), model.environment(), OPTIONS).start()
    yield running.http(2)
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def sdk_url(tmp_path_factory):
    port = stele.free_port()
    process = stele.Process([sys.executable, SDK_SERVER, "streamable-http", str(port), "pictures"], log=tmp_path_factory.mktemp("sdk") / "log")
    stele.wait_until(lambda: listens(port))
    yield f"http://127.0.0.1:{port}/mcp"
    process.kill()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def image(data, kind="image/png"):
    return {"type": "image", "data": data if isinstance(data, str) else encoded(data), "mimeType": kind}


def blob(data, kind="image/png"):
    return {"type": "resource", "resource": {"uri": "file:///a", "mimeType": kind, "blob": encoded(data)}}


def picture(data, media_type="image/png"):
    """The part that a return shows."""
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": encoded(data), "detail": None}}


def words(text):
    return {"type": "text", "text": text}


def peer_of(peer, *content, **more):
    """A server whose tool `look` gives this."""
    return peer(tools_={"look": ("Looks.", schema(), lambda _: {"content": list(content), **more})})


def connect(api, url):
    made = api.post("/v1/mcp-servers/", {"server_name": f"images{next(names)}", "config": {"mcp_server_type": "streamable_http", "server_url": url}})
    return made["id"], {tool["metadata_"]["mcp"]["tool_name"]: tool for tool in api.get(f"/v1/mcp-servers/{made['id']}/tools")}


def looking(api, url, tool="look", **more):
    """An agent with this tool of the server, and what the tool gave it, as its history shows it."""
    _, tools = connect(api, url)
    agent = api.post("/v1/agents", {"tool_ids": [tools[tool]["id"]], "include_base_tools": False, **more})["id"]
    answer = api.post(f"/v1/agents/{agent}/messages", {"input": f"@call {tools[tool]['name']} {{}}"})
    assert answer["stop_reason"]["stop_reason"] == "end_turn"
    [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert returned(api, agent) == told["tool_returns"][0]["tool_return"]
    return agent, told


def returned(api, agent):
    messages = api.get(f"/v1/agents/{agent}/messages")
    return next(m for m in messages if m["message_type"] == "tool_return_message")["tool_returns"][0]["tool_return"]


def shown(request):
    """The images that a request to the model holds, as data URLs."""
    return [part["image_url"]["url"] for m in request["messages"] if isinstance(m["content"], list) for part in m["content"] if part["type"] == "image_url"]


def said_by_tools(request):
    return [json.loads(m["content"])["message"] for m in request["messages"] if m["role"] == "tool"]


# ---- what becomes of it ----


@pytest.fixture(scope="module")
def seen(api, sdk_url):
    """An agent that has looked at the picture of a server that was made with the official SDK."""
    return looking(api, sdk_url, "described")


def test_an_image_of_the_official_sdk_is_shown_to_the_model(api, model, sdk_url):
    agent, told = looking(api, sdk_url, "pixel")
    [part] = told["tool_returns"][0]["tool_return"]
    assert part["type"] == "image" and part["source"]["media_type"] == "image/png" and base64.b64decode(part["source"]["data"]).startswith(b"\x89PNG")
    assert told["tool_return"] == "[image]" and told["status"] == "success"
    request = model.requests()[-1]
    assert shown(request) == ["data:image/png;base64," + part["source"]["data"]] and said_by_tools(request) == ["[image]"]
    assert [m["role"] for m in request["messages"][-2:]] == ["tool", "user"]
    api.post(f"/v1/agents/{agent}/messages", {"input": "and now?"})
    assert shown(model.requests()[-1]) == shown(request), "it stays in the context"


def test_words_stay_around_it_in_order(seen):
    kinds = [part.get("text", part["type"]) for part in seen[1]["tool_returns"][0]["tool_return"]]
    assert kinds == ["Here it is:", "image", "One pixel."] and seen[1]["tool_return"] == "Here it is:\n[image]\nOne pixel."


def test_a_stream_tells_the_same(api, sdk_url):
    _, tools = connect(api, sdk_url)
    agent = api.post("/v1/agents", {"tool_ids": [tools["pixel"]["id"]], "include_base_tools": False})["id"]
    events = api.events(f"/v1/agents/{agent}/messages/stream", {"input": f"@call {tools['pixel']['name']} {{}}", "stream_tokens": True})
    [told] = [e for e in events if isinstance(e, dict) and e["message_type"] == "tool_return_message"]
    assert told["tool_returns"][0]["tool_return"] == returned(api, agent) and told["tool_returns"][0]["tool_return"][0]["type"] == "image"


def test_an_agent_file_keeps_it(api, model, seen):
    exported = api.get(f"/v1/agents/{seen[0]}/export")
    [copy] = upload(api, json.dumps(exported))["agent_ids"]
    assert returned(api, copy) == returned(api, seen[0])
    api.post(f"/v1/agents/{copy}/messages", {"input": "what was it?"})
    assert len(shown(model.requests()[-1])) == 1


def test_search_and_summaries_read_the_words_alone(api, model, sdk_url):
    agent, told = looking(api, sdk_url, "described")
    data = told["tool_returns"][0]["tool_return"][1]["source"]["data"]
    found = api.post("/v1/messages/search", {"query": "pixel", "agent_id": agent, "search_mode": "fts"})
    assert data not in json.dumps(found)
    for say in ("one", "two", "three"):
        api.post(f"/v1/agents/{agent}/messages", {"input": f"@say {say}"})
    model.forget()
    api.post(f"/v1/agents/{agent}/summarize", {"compaction_settings": {"mode": "all"}})
    asked = json.dumps(model.requests())
    assert "One pixel." in asked and data not in asked
    api.post(f"/v1/agents/{agent}/messages", {"input": "@say still here"})
    assert shown(model.requests()[-1]) == []


# ---- what counts as one ----

TAKEN = {
    "an image": ([image(PNG)], [picture(PNG)], "[image: image/png, 188 bytes]"),
    "one that is what its bytes say": ([image(GIF, "image/png")], [picture(GIF, "image/gif")], "[image: image/gif, 39 bytes]"),
    "a resource": ([blob(PNG)], [words("resource file:///a:"), picture(PNG)], "[resource file:///a: image/png, 188 bytes]"),
    "a resource of no type": ([blob(PNG, "application/octet-stream")], [words("resource file:///a:"), picture(PNG)], "[resource file:///a: image/png, 188 bytes]"),
    "among words": ([words("a"), words("b"), image(PNG), image(GIF), words("c")], [words("a b"), picture(PNG), picture(GIF, "image/gif"), words("c")],
                    "a b\n[image: image/png, 188 bytes]\n[image: image/gif, 39 bytes]\nc"),
    "beside one that is none": ([image(PNG), image("%%%")], [picture(PNG), words("[image: image/png, 0 bytes; not shown: no valid base64]")],
                                "[image: image/png, 188 bytes]\n[image: image/png, 0 bytes; not shown: no valid base64]"),
}
TOLD = {
    "no base64": ([image("***")], "[image: image/png, 0 bytes; not shown: no valid base64]"),
    "nothing": ([image("")], "[image: image/png, 0 bytes; not shown: no valid base64]"),
    "a drawing": ([image(b"<svg/>", "image/svg+xml")], "[image: image/svg+xml, 6 bytes; not shown: no PNG, JPEG, GIF or WebP]"),
    "a resource that claims to be one": ([blob(b"1234")], "[resource file:///a: image/png, 4 bytes; not shown: no PNG, JPEG, GIF or WebP]"),
    "bytes": ([blob(b"1234", "application/zip")], "[resource file:///a: application/zip, 4 bytes]"),
    "sound": ([{**image(PNG, "audio/wav"), "type": "audio"}], "[audio: audio/wav, 188 bytes]"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_shown(api, model, peer, name):
    content, parts, run_text = TAKEN[name]
    url = peer_of(peer, *content).url
    _, told = looking(api, url)
    found = [{key: part[key] for key in ("type", "text", "source") if key in part} for part in told["tool_returns"][0]["tool_return"]]
    assert found == parts
    assert shown(model.requests()[-1]) == [f"data:{p['source']['media_type']};base64,{p['source']['data']}" for p in parts if p["type"] == "image"]
    server, tools = connect(api, url)
    assert api.post(f"/v1/mcp-servers/{server}/tools/{tools['look']['id']}/run", {"args": {}})["func_return"] == run_text


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_in_words(api, model, peer, name):
    content, told = TOLD[name]
    assert looking(api, peer_of(peer, *content).url)[1]["tool_returns"][0]["tool_return"] == told
    assert shown(model.requests()[-1]) == []


def test_a_result_shows_no_more_than_twenty(api, model, peer):
    _, told = looking(api, peer_of(peer, *[image(PNG)] * 22).url)
    parts = told["tool_returns"][0]["tool_return"]
    assert [part["type"] for part in parts] == ["image"] * 20 + ["text"] and parts[-1]["text"].count("more than 20 images") == 2


def test_a_failure_may_come_with_a_picture(api, model, peer):
    _, told = looking(api, peer_of(peer, words("see:"), image(PNG), isError=True).url)
    assert told["status"] == "error" and told["tool_returns"][0]["tool_return"][1]["type"] == "image"
    assert len(shown(model.requests()[-1])) == 1


def test_what_describes_the_result_does_not_repeat_it(api, peer):
    again = {"result": image(PNG)}
    assert len(looking(api, peer_of(peer, image(PNG), structuredContent=again).url)[1]["tool_returns"][0]["tool_return"]) == 1
    both = looking(api, peer_of(peer, image(PNG), structuredContent={"width": 4}).url)[1]["tool_returns"][0]["tool_return"]
    assert both[1]["text"] == '{"width":4}'


def test_the_limit_of_a_return_cuts_words_and_no_image(api, peer):
    server, tools = connect(api, peer_of(peer, words("a" * 60), image(PNG), words("b" * 60)).url)
    api.patch(f"/v1/tools/{tools['look']['id']}", {"return_char_limit": 80})
    agent = api.post("/v1/agents", {"tool_ids": [tools["look"]["id"]], "include_base_tools": False})["id"]
    api.post(f"/v1/agents/{agent}/messages", {"input": f"@call {tools['look']['name']} {{}}"})
    first, second, third = returned(api, agent)
    assert first["text"] == "a" * 60 and second["source"]["data"] == encoded(PNG)
    assert third["text"] == "b" * 20 + "... [the return was cut: 120 > 80 characters]"


# ---- models that see nothing ----

BLIND = [
    (400, {"error": {"message": "model is not a multimodal model"}}),
    (500, {"error": {"message": "image input is not supported - hint: you may need to provide the mmproj"}}),
    (422, {"error": {"message": "messages[3]: unknown variant `image_url`, expected `text`"}}),
    (404, {"error": {"message": "No endpoints found that support image input", "code": 404}}),
    (400, {"error": {"message": "'messages.3.content' must be a string"}}),
]


@pytest.fixture(scope="module")
def blind():
    models = [{"id": f"blind{i}"} for i in range(len(BLIND) + 1)]
    made = ScriptedModel(models={"/v1/models": {"object": "list", "data": models}})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def blind_api(blind, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("blind"), {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": blind.url, "LETTA_DEFAULT_LLM_HANDLE": "openai/blind0"}, OPTIONS).start()
    yield running.http(2)
    assert running.stop() == 0, running.log.read_text()[-3000:]


def converse(api, blind, agent, *script):
    blind.answer_with(*script)
    api.post(f"/v1/agents/{agent}/messages", {"input": "look"})
    return [shown(request) for request in blind.requests]


def calls(tool):
    return whole({"content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": tool, "arguments": "{}"}}]}, "tool_calls")


@pytest.mark.parametrize("number", range(len(BLIND)))
def test_a_model_that_takes_no_images_is_told_so_and_not_shown_them_again(blind_api, blind, peer, number):
    _, tools = connect(blind_api, peer_of(peer, image(PNG)).url)
    agent = blind_api.post("/v1/agents", {"model": f"openai/blind{number}", "tool_ids": [tools["look"]["id"]], "include_base_tools": False})["id"]
    there = ["data:image/png;base64," + encoded(PNG)]
    fine = whole({"content": "fine"})
    assert converse(blind_api, blind, agent, calls(tools["look"]["name"]), http(*BLIND[number]), fine) == [[], there, []]
    assert "can't be shown" in json.dumps(blind.requests[-1])
    assert converse(blind_api, blind, agent, fine) == [[]], "it was told once"
    assert returned(blind_api, agent)[0]["type"] == "image"


def test_an_image_that_a_model_cannot_read_stops_nobody(blind_api, blind, peer):
    _, tools = connect(blind_api, peer_of(peer, image(PNG)).url)
    agent = blind_api.post("/v1/agents", {"model": f"openai/blind{len(BLIND)}", "tool_ids": [tools["look"]["id"]], "include_base_tools": False})["id"]
    there = ["data:image/png;base64," + encoded(PNG)]
    broken, fine = http(400, {"error": {"message": "Invalid image data"}}), whole({"content": "fine"})
    assert converse(blind_api, blind, agent, calls(tools["look"]["name"]), broken, fine) == [[], there, []]
    assert converse(blind_api, blind, agent, fine) == [there], "other images may be fine"
