"""Providers of the type anthropic that users bring along: checked, listed, used by the proxy, and refused for agents in clear words."""

import uuid

import pytest
import stele
from mock_anthropic import MockAnthropic, message
from stele import refused

PAGES = [[{"type": "model", "id": "claude-mock-1", "display_name": "Mock 1"}, {"type": "model", "id": "claude-mock-2", "max_input_tokens": 1_000_000}], [{"type": "model", "id": "claude-old"}]]


@pytest.fixture
def upstream():
    made = MockAnthropic()
    made.models = PAGES
    yield made
    made.close()


@pytest.fixture(scope="module")
def api(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("anthropic-providers"), model.environment(), ["--providers-private", "true"]).start()
    yield running.http(2)
    assert running.stop() == 0
    assert "sk-ant" not in running.log.read_text()


def made(api, upstream, **more):
    return api.post("/v1/providers/", {"name": f"claude-{uuid.uuid4().hex[:8]}", "provider_type": "anthropic", "api_key": "sk-ant-1", "base_url": upstream.url, **more})


def test_its_models_are_listed_page_by_page(api, upstream):
    provider = made(api, upstream)
    assert (provider["provider_type"], provider["base_url"], bool(provider["last_synced"])) == ("anthropic", upstream.url, True)
    listed = {m["name"]: m for m in api.get("/v1/models/?provider_category=byok") if m["provider_name"] == provider["name"]}
    assert {name: m["max_context_window"] for name, m in listed.items()} == {"claude-mock-1": 200_000, "claude-mock-2": 1_000_000, "claude-old": 200_000}
    assert {(m["model_endpoint_type"], m["provider_type"]) for m in listed.values()} == {("anthropic", "anthropic")}
    first, second = [each for each in upstream.requests if "/models" in each["path"]][:2]
    assert first["path"] == "/v1/models?limit=1000" and second["path"] == "/v1/models?limit=1000&after_id=claude-mock-2"
    assert {"x-api-key": "sk-ant-1", "anthropic-version": "2023-06-01"}.items() <= first["headers"].items() and "authorization" not in first["headers"]
    api.delete(f"/v1/providers/{provider['id']}")
    assert provider["name"] not in {m["provider_name"] for m in api.get("/v1/models/")}


def test_a_check_asks_it(api, upstream):
    good = {"provider_type": "anthropic", "api_key": "sk-ant-1", "base_url": upstream.url}
    assert api.post("/v1/providers/check", good) == {"message": "Valid api key for provider_type=anthropic"}
    provider = made(api, upstream)
    assert "Valid" in api.post("/v1/providers/check", {"provider_id": provider["id"]})["message"]
    upstream.refusal = (401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}, {})
    failed = refused(api, "POST", "/v1/providers/check", 401, good)
    assert upstream.url in failed.text and "sk-ant-1" not in failed.text
    api.delete(f"/v1/providers/{provider['id']}")


def test_an_agent_on_such_a_model_is_refused_in_clear_words(api, upstream):
    provider = made(api, upstream)
    for handle in (f"{provider['name']}/claude-mock-1", f"{provider['name']}/claude-nobody-lists"):
        said = refused(api, "POST", "/v1/agents", 400, {"model": handle}).body["detail"]
        assert handle in said and "anthropic" in said and "chat completions" in said
    agent = api.post("/v1/agents", {})
    refused(api, "PATCH", f"/v1/agents/{agent['id']}", 400, {"model": f"{provider['name']}/claude-mock-1"})
    assert api.get(f"/v1/agents/{agent['id']}")["model"] == agent["model"]
    api.delete(f"/v1/providers/{provider['id']}")


def test_the_proxy_takes_its_key(api, upstream):
    provider = made(api, upstream, api_key="sk-ant-2")
    assert api.post("/v1/anthropic/v1/messages", {"model": "claude-mock-1", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}) == message()
    assert upstream.requests[-1]["headers"]["x-api-key"] == "sk-ant-2"
    api.delete(f"/v1/providers/{provider['id']}")
