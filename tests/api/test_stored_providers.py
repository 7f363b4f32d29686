"""Providers that users bring along: stored, checked, and their models there for as long as they are."""

import socket
import uuid

import pytest
import stele
from scripted_model import ScriptedModel, http as answer, whole
from stele import refused

MODELS = {"/v1/models": {"object": "list", "data": [{"id": "first", "object": "model", "context_length": 9000}, {"id": "text-embedding-3-small", "object": "model"}]}}


@pytest.fixture(scope="module")
def theirs():
    made = ScriptedModel(MODELS)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stored-providers")


@pytest.fixture(scope="module")
def server(model, folder):
    running = stele.Server(folder, model.environment(), ["--providers-private", "true"]).start()
    yield running
    assert running.stop() == 0
    assert "assertion.failed" not in running.log.read_text()


def made(http, theirs, **more):
    return http.post("/v1/providers/", {"name": f"mine-{uuid.uuid4().hex[:8]}", "provider_type": "openai", "api_key": "sk-very-secret", "base_url": theirs.url, **more})


def handles(http):
    return [m["handle"] for m in http.get("/v1/models/")]


def test_a_provider_brings_its_models_and_takes_them_away(http, theirs):
    provider = made(http, theirs)
    assert list(provider) == ["id", "name", "provider_type", "provider_category", "api_key", "base_url", "access_key", "region", "api_version",
                              "organization_id", "updated_at", "last_synced", "api_key_enc", "access_key_enc"]
    assert provider["provider_category"] == "byok" and provider["last_synced"] and provider["base_url"] == theirs.url
    handle = f"{provider['name']}/first"
    (listed,) = [m for m in http.get("/v1/models/?provider_category=byok") if m["handle"] == handle]
    assert listed["max_context_window"] == 9000 and listed["provider_category"] == "byok"
    assert f"{provider['name']}/text-embedding-3-small" in [m["handle"] for m in http.get("/v1/models/embedding")]
    agent = http.post("/v1/agents/", {"model": handle, "embedding": f"{provider['name']}/text-embedding-3-small"})
    theirs.answer_with(whole({"content": "hello from mine"}))
    said = http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})
    assert said["messages"][-1]["content"] == "hello from mine"
    assert theirs.heads[-1]["authorization"] == "Bearer sk-very-secret"

    deleted = http.delete(f"/v1/providers/{provider['id']}")
    assert provider["id"] in deleted["message"]
    assert handle not in handles(http)
    refused(http, "GET", f"/v1/providers/{provider['id']}", 404)
    refused(http, "DELETE", f"/v1/providers/{provider['id']}", 404)
    failure = refused(http, "POST", f"/v1/agents/{agent['id']}/messages", 404, {"input": "hello"})
    assert handle in failure.body["detail"]
    # Of the same name: it comes back as what it was, and its agents with it.
    again = http.post("/v1/providers/", {"name": provider["name"], "provider_type": "openai", "api_key": "sk-other", "base_url": theirs.url})
    assert again["id"] == provider["id"] and handle in handles(http)


def test_no_answer_and_no_log_holds_a_key(http, theirs, server):
    provider = made(http, theirs)
    texts = [http.send("GET", path)[1] for path in ("/v1/providers/", f"/v1/providers/{provider['id']}", "/v1/models/")]
    texts += [refused(http, "POST", "/v1/providers/", 409, {"name": provider["name"], "provider_type": "openai", "api_key": "sk-very-secret"}).text,
              refused(http, "POST", "/v1/providers/", 422, {"name": "n", "provider_type": "robot", "api_key": "sk-very-secret"}).text,
              server.log.read_text()]
    assert all("sk-very-secret" not in text for text in texts)
    stored = b"".join(part.read_bytes() for part in (server.log.parent / "data").glob("stele.db*"))
    assert b"sk-very-secret" not in stored and provider["name"].encode() in stored


def test_changes(http, theirs):
    provider = made(http, theirs)
    other = ScriptedModel({"/v1/models": {"object": "list", "data": [{"id": "second", "object": "model"}]}})
    changed = http.patch(f"/v1/providers/{provider['id']}", {"base_url": other.url, "region": "here"})
    assert changed["base_url"] == other.url and changed["region"] == "here" and changed["updated_at"] > provider["updated_at"]
    assert f"{provider['name']}/second" in handles(http) and f"{provider['name']}/first" not in handles(http)
    same = http.patch(f"/v1/providers/{provider['id']}", {"api_key": "sk-very-secret", "region": "here"})
    assert same["updated_at"] == changed["updated_at"]
    assert http.patch(f"/v1/providers/{provider['id']}", {"region": ""})["region"] is None
    other.models = {}
    failure = refused(http, "PATCH", f"/v1/providers/{provider['id']}/refresh", 503)
    assert other.url in failure.body["detail"]
    other.stop()


def test_lists_and_filters(http, theirs):
    some = [made(http, theirs) for _ in range(3)]
    ids = [p["id"] for p in some]
    assert [p["id"] for p in http.get("/v1/providers/") if p["id"] in ids] == ids[::-1]
    assert [p["id"] for p in http.get(f"/v1/providers/?after={ids[2]}&limit=1")] == [ids[1]]
    assert [p["id"] for p in http.get(f"/v1/providers/?name={some[0]['name']}")] == [ids[0]]
    assert http.get("/v1/providers/?provider_type=groq") == []


def test_a_start_brings_them_back(own_server, theirs, tmp_path):
    first = own_server(arguments=["--providers-private", "true"]).start()
    provider = made(first.http(2), theirs)
    first.kill()
    second = own_server(arguments=["--providers-private", "true"]).start()
    agent = second.http(2).post("/v1/agents/", {"model": f"{provider['name']}/first"})
    assert agent["llm_config"]["provider_category"] == "byok"


def test_a_check_says_what_is_wrong(http, theirs):
    good = {"provider_type": "openai", "api_key": "k", "base_url": theirs.url}
    assert http.post("/v1/providers/check", good) == {"message": "Valid api key for provider_type=openai"}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        for url, said in {closed: "refused", "http://no-such-host.invalid/v1": "not found", theirs.url + "/elsewhere": "no such path"}.items():
            failure = refused(http, "POST", "/v1/providers/check", 503, {**good, "base_url": url})
            assert url.rstrip("/") in failure.body["detail"] and said in failure.body["detail"].lower(), failure
    secure = refused(http, "POST", "/v1/providers/check", 503, {**good, "base_url": theirs.url.replace("http:", "https:")})
    assert theirs.url.replace("http:", "https:") in secure.body["detail"]
    provider = made(http, theirs)
    for path, body in ((f"/v1/providers/{provider['id']}/check", None), ("/v1/providers/check", {"provider_id": provider["id"]}),
                       (f"/v1/providers/check?provider_id={provider['id']}", None), ("/v1/providers/check-existing", {"provider_id": provider["id"]})):
        assert "Valid" in http.post(path, body)["message"]
    for other in http.get("/v1/providers/"):  # of tests before, whose servers have gone
        if other["id"] != provider["id"]:
            http.delete(f"/v1/providers/{other['id']}")
    assert "asked and take their keys: 1" in http.get("/v1/providers/check")["message"]
    refused(http, "POST", "/v1/providers/check", 422, {"api_key": "k"})
    refused(http, "POST", "/v1/providers/check", 404, {"provider_id": "provider-00000000-0000-4000-8000-00000000dead"})


def test_a_wrong_key_is_401(http, theirs):
    denying = ScriptedModel({"/v1/models": answer(401, {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error"}})})
    failure = refused(http, "POST", "/v1/providers/check", 401, {"provider_type": "openai", "api_key": "bad", "base_url": denying.url})
    assert failure.body["error"]["type"] == "llm_authentication" and denying.url in failure.body["error"]["detail"], failure.text
    provider = made(http, denying)  # stored all the same: the key may be put right
    assert provider["last_synced"] is None
    refused(http, "POST", f"/v1/providers/{provider['id']}/check", 401)
    denying.stop()


def test_what_can_not_be_stored(http, theirs):
    base = {"provider_type": "openai", "api_key": "k"}
    assert "operator" in refused(http, "POST", "/v1/providers/", 400, {**base, "name": "openai"}).body["detail"]
    assert "operator" in refused(http, "POST", "/v1/providers/", 400, {**base, "name": "stele"}).body["detail"]
    assert "google_ai" in refused(http, "POST", "/v1/providers/", 400, {**base, "name": "n", "provider_type": "google_ai"}).body["detail"]
    for bad, where in (({"name": ""}, "name"), ({"name": "a/b"}, "name"), ({"name": "n", "base_url": "ftp://x"}, "base_url"), ({"name": "n", "api_key": "a\nb"}, "api_key"),
                       ({"name": "n", "api_key": None}, "api_key")):
        failure = refused(http, "POST", "/v1/providers/", 422, {**base, **bad})
        assert failure.body["errors"][0]["loc"] == ["body", where], failure


def test_addresses_of_this_machine_need_the_operators_word(own_server, theirs):
    http = own_server().start().http(2)
    failure = refused(http, "POST", "/v1/providers/check", 503, {"provider_type": "openai", "api_key": "k", "base_url": theirs.url})
    assert "public" in failure.body["detail"]
