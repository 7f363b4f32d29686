"""Images in messages: by URL through the egress rule, as data, and what is no image at all."""

import base64
import http.server
import json
import threading
import time

import pytest
import stele

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"a photograph" * 20


class Pictures:
    """A server of images; `answers` maps a path to (status, headers, body)."""

    def __init__(self):
        self.answers = {"/a.png": (200, {}, PNG), "/secret/b.jpg?token=hidden": (200, {"Content-Type": "text/plain"}, JPEG), "/page": (200, {}, b"<html>"),
                        "/gone": (404, {}, b""), "/moved": (302, {"Location": "/a.png"}, b""), "/loop": (302, {"Location": "/loop"}, b""),
                        "/large": (200, {}, PNG + b"x" * (21 << 20))}
        self.asked = []
        pictures = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                pictures.asked.append(self.path)
                status, headers, body = pictures.answers[self.path]
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # it was too large

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"


@pytest.fixture(scope="module")
def pictures():
    made = Pictures()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def open_server(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("open"), model.environment(), ["--egress-private", "true"]).start()
    yield running
    running.kill()


@pytest.fixture
def api(open_server):
    return open_server.http(2)


@pytest.fixture
def ada(api):
    return api.post("/v1/agents", {})


def by_url(url, **more):
    return {"type": "image", "source": {"type": "url", "url": url, **more}}


def as_data(data, media_type="image/png"):
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def show(api, agent, *images):
    return api.post(f"/v1/agents/{agent['id']}/messages", {"input": [{"type": "text", "text": "what is it?"}, *images]})


def seen(model):
    """The URLs of the images that the model was shown with the newest message."""
    return [part["image_url"]["url"] for part in model.requests()[-1]["messages"][-1]["content"] if part["type"] == "image_url"]


def refusal(status, call, *arguments):
    with pytest.raises(stele.Refused) as refused:
        call(*arguments)
    assert refused.value.status == status, refused.value
    return refused.value


def data_url(content, media_type):
    return f"data:{media_type};base64,{encoded(content)}"


def test_an_image_by_url_is_kept_as_it_was(api, ada, model, pictures):
    show(api, ada, by_url(pictures.url("/a.png"), detail="low"))
    assert seen(model) == [data_url(PNG, "image/png")]
    asked = len(pictures.asked)
    stored = next(m for m in api.get(f"/v1/agents/{ada['id']}/messages") if m["message_type"] == "user_message" and isinstance(m["content"], list))
    assert stored["content"][1]["source"] == {"type": "base64", "media_type": "image/png", "data": encoded(PNG), "detail": "low"}
    api.post(f"/v1/agents/{ada['id']}/messages", {"input": "and now?"})
    assert len(pictures.asked) == asked, "asked for once"


def test_the_type_is_what_the_bytes_say(api, ada, model, pictures):
    show(api, ada, by_url(pictures.url("/secret/b.jpg?token=hidden")), as_data(encoded(JPEG)), by_url(data_url(PNG, "image/webp")))
    assert seen(model) == [data_url(JPEG, "image/jpeg")] * 2 + [data_url(PNG, "image/png")]


def test_a_redirect_is_followed(api, ada, model, pictures):
    show(api, ada, by_url(pictures.url("/moved")))
    assert seen(model) == [data_url(PNG, "image/png")]


@pytest.mark.parametrize("path", ["/page", "/gone", "/loop", "/large"])
def test_what_can_not_be_had_is_refused_and_nothing_is_stored(api, ada, pictures, path):
    failed = refusal(400, show, api, ada, by_url(pictures.url(path)))
    assert "image" in failed.text and "127.0.0.1" in failed.text
    assert [m["message_type"] for m in api.get(f"/v1/agents/{ada['id']}/messages")] == ["system_message"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/a.png", "nonsense", "http://", "data:image/png,abc", "data:image/png;base64,!!",
                                 f"data:image/png;base64,{encoded(b'no image')}"])
def test_urls_that_lead_nowhere(api, ada, url):
    assert refusal(400, show, api, ada, by_url(url))


@pytest.mark.parametrize("source, where", [({"type": "url"}, "url"), ({"type": "base64", "media_type": "image/png"}, "data"), ({"type": "base64", "data": "a b"}, "data"),
                                           ({"type": "base64", "data": "abc"}, "data"), ({"type": "film"}, "type"), ({}, "type"), ("x", "type")])
def test_a_source_that_says_nothing(api, ada, source, where):
    failed = refusal(422, show, api, ada, {"type": "image", "source": source})
    assert failed.body["errors"][0]["loc"] == ["body", "input", 1, "source", where]


def test_a_file_that_is_not_there(api, ada):
    gone = f"file-{stele.GONE}"
    assert gone in refusal(404, show, api, ada, {"type": "image", "source": {"type": "letta", "file_id": gone}}).text


def test_private_addresses_are_asked_by_nobody_by_default(server, pictures):
    api = server.http(2)
    agent = api.post("/v1/agents", {})
    asked = len(pictures.asked)
    failed = refusal(400, show, api, agent, by_url(pictures.url("/secret/b.jpg?token=hidden")))
    assert len(pictures.asked) == asked and "hidden" not in failed.text


def test_images_come_by_every_door(api, ada, model, pictures):
    content = [{"type": "text", "text": "look"}, by_url(pictures.url("/a.png"))]
    conversation = api.post(f"/v1/conversations?agent_id={ada['id']}")
    api.post(f"/v1/conversations/{conversation['id']}/messages", {"input": content, "streaming": False})
    assert seen(model) == [data_url(PNG, "image/png")]
    events = api.events(f"/v1/agents/{ada['id']}/messages/stream", {"messages": [{"role": "user", "content": content}]})
    assert events[-1] == "[DONE]" and seen(model) == [data_url(PNG, "image/png")]
    preview = api.post(f"/v1/agents/{ada['id']}/messages/preview-raw-payload", {"input": content})
    assert preview["messages"][-1]["content"][1]["image_url"]["url"] == data_url(PNG, "image/png")
    run = api.post(f"/v1/agents/{ada['id']}/messages/async", {"input": content})
    stele.wait_until(lambda: api.get(f"/v1/runs/{run['id']}")["status"] == "completed")
    assert seen(model) == [data_url(PNG, "image/png")]
    plain = api.post(f"/v1/agents/{ada['id']}/messages", {"input": "plain"})["messages"][0]["run_id"]
    said = next(m for m in api.get(f"/v1/runs/{plain}/messages") if m["message_type"] == "user_message")
    edited = api.patch(f"/v1/agents/{ada['id']}/messages/{said['id']}", {"content": content})
    assert edited["content"][1]["source"]["data"] == encoded(PNG)


def test_an_image_in_the_return_of_a_clients_tool(api, ada, model, pictures):
    tool = {"name": "get_map", "description": "A map.", "parameters": {"type": "object", "properties": {}}}
    asked = api.post(f"/v1/agents/{ada['id']}/messages", {"input": "@call get_map {}", "client_tools": [tool]})
    call = asked["messages"][-1]["tool_call"]["tool_call_id"]
    parts = [{"type": "text", "text": "A map:"}, by_url(pictures.url("/a.png"))]
    api.post(f"/v1/agents/{ada['id']}/messages", {"client_tools": [tool], "messages": [{"type": "approval", "approvals": [
        {"type": "tool", "tool_call_id": call, "tool_return": parts, "status": "success"}]}]})
    shown = [part for m in model.requests()[-1]["messages"] if isinstance(m["content"], list) for part in m["content"] if part["type"] == "image_url"]
    assert [part["image_url"]["url"] for part in shown] == [data_url(PNG, "image/png")]
    assert json.dumps(api.get(f"/v1/agents/{ada['id']}/messages")).count(encoded(PNG)) >= 1


def test_groups_batches_and_schedules_bring_images_too(api, ada, model, pictures):
    content = [{"type": "text", "text": "look"}, by_url(pictures.url("/a.png"))]
    words = [{"role": "user", "content": content}]
    group = api.post("/v1/groups", {"description": "d", "agent_ids": [ada["id"]]})
    api.post(f"/v1/groups/{group['id']}/messages", {"messages": words})
    assert seen(model) == [data_url(PNG, "image/png")]
    model.forget()
    batch = api.post("/v1/batches", {"requests": [{"agent_id": ada["id"], "messages": words}]})
    stele.wait_until(lambda: api.get(f"/v1/batches/{batch['id']}")["status"] == "completed")
    assert seen(model) == [data_url(PNG, "image/png")]
    model.forget()
    plan = {"type": "one-time", "scheduled_at": (time.time() + 0.5) * 1000}
    api.post(f"/v1/agents/{ada['id']}/schedule", {"messages": words, "schedule": plan})
    stele.wait_until(lambda: model.requests())
    assert seen(model) == [data_url(PNG, "image/png")]
    bad = [{"role": "user", "content": [by_url("file:///etc/passwd")]}]
    refusal(400, api.post, f"/v1/agents/{ada['id']}/schedule", {"messages": bad, "schedule": plan})
    refusal(400, api.post, f"/v1/groups/{group['id']}/messages", {"messages": bad})
    refusal(400, api.post, "/v1/batches", {"requests": [{"agent_id": ada["id"], "messages": bad}]})


@pytest.mark.parametrize("handle", ["openai/mock-small", "stele/offline"], ids=["a model that counts nothing", "the built-in model"])
def test_the_bytes_of_an_image_do_not_fill_the_window(http, handle):
    agent = http.post("/v1/agents", {"model": handle, "context_window_limit": 32_000})["id"]
    photograph = {"type": "base64", "media_type": "image/jpeg", "data": base64.b64encode(JPEG * 2_000).decode()}  # more bytes than the window has tokens
    for number in range(3):
        said = http.post(f"/v1/agents/{agent}/messages", {"input": [{"type": "image", "source": photograph}, {"type": "text", "text": f"@nousage\n@say seen {number}"}]})
        assert said["usage"]["context_tokens"] < 12_000
    window = http.get(f"/v1/agents/{agent}/context")
    assert window["num_messages"] == 7 and "summary" not in [m["role"] for m in window["messages"]], "nothing had to go"
    assert 3_000 < window["num_tokens_messages"] < 6_000
