"""Lists that the terminal client alone asks for, and the pages of the API's reference."""

import base64
import hashlib
import json
import pathlib
import re
import subprocess

import pytest
import stele
from stele import refused


@pytest.fixture
def http(server):
    return server.http(2)


def test_the_catalog_has_what_the_models_route_has(http):
    stele.wait_until(lambda: len(http.get("/v1/models")) > 1)  # the model server has been asked
    models = http.get("/v1/models/catalog")["models"]
    assert [each["handle"] for each in models] == [each["handle"] for each in http.get("/v1/models")]
    for each in models:
        assert all(isinstance(each[name], str) and each[name] for name in ("id", "handle", "label", "brand", "description"))
        assert each["maxContextWindow"] >= each["contextWindow"] > 0 and each.get("maxOutputTokens", 1) > 0
    assert [each["handle"] for each in models if each["isDefault"]] == ["openai/mock-small"]
    free = {each["handle"]: each["free"] for each in models}
    assert free["stele/offline"] is True and free["openai/mock-small"] is False


def test_nobody_has_connected_a_chatgpt_account(http):
    failed = refused(http, "GET", "/v1/providers/chatgpt-usage?provider_name=mine", 404)
    assert "mine" in failed.body["message"] and failed.body["errorCode"] == "providerNotFound"


def test_agents_that_others_have_made_are_shared(own_server):
    http = own_server().start().http(2)
    other = {"user_id": http.post("/v1/admin/users", {"name": "Grace", "organization_id": "org-00000000-0000-4000-8000-000000000000"})["id"]}
    mine = http.post("/v1/agents", {"name": "mine"})
    theirs = [http.post("/v1/agents", {"name": f"number {n}", "description": "d"}, headers=other) for n in range(3)]
    seen, after = [], ""
    while after is not None:
        page = http.get(f"/v1/shared-agents?limit=2{after}")
        seen += page["agents"]
        after = page["nextCursor"] and f"&after={page['nextCursor']}"
    assert [each["id"] for each in seen] == [each["id"] for each in theirs][::-1]
    assert seen[0]["creator"] == {"id": other["user_id"], "name": "Grace", "email": None, "image_url": None, "is_api_created": False} and seen[0]["description"] == "d"
    assert [each["name"] for each in http.get("/v1/shared-agents?order=asc&queryText=number%201")["agents"]] == ["number 1"]
    assert [each["id"] for each in http.get("/v1/shared-agents?orderBy=updated_at", headers=other)["agents"]] == [mine["id"]]
    for query in ("limit=0", "limit=101", "order=up", "orderBy=name"):
        refused(http, "GET", f"/v1/shared-agents?{query}", 422)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
def test_the_reference_is_one_page_that_needs_nothing_from_elsewhere(own_server, path):
    http = own_server({"STELE_PASSWORD": "pw"}).start().http(2)
    status, page, headers = http.send("GET", path)
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8" and page.startswith("<!doctype html>") and "{{" not in page
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page) and "@import" not in page and "url(" not in page
    policy = headers["Content-Security-Policy"]
    for tag in ("style", "script"):
        text, = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; connect-src 'self';") and "unsafe" not in policy and not re.search(r'\son\w+="|\sstyle="', page)
    assert http.send("HEAD", path)[0] == 200
    refused(http, "GET", "/openapi.json", 401)


@pytest.mark.parametrize("path, view", [("/docs", "try"), ("/redoc", "read")])
def test_the_reference_shows_every_operation_and_schema(server, http, tmp_path, path, view):
    document = http.get("/openapi.json")
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "script.js").write_text(re.search(r"<script>(.*)</script>", http.send("GET", path)[1], re.S)[1])
    told = json.loads(subprocess.run(["node", pathlib.Path(stele.ROOT) / "tests/support/reference_dom.js", view, tmp_path / "openapi.json", tmp_path / "script.js"], check=True, capture_output=True).stdout)
    operations = sum(len(verbs) for verbs in document["paths"].values())
    assert told["entries"] == operations + len(document["components"]["schemas"]) and told["empty"] == 0 and told["scrolled"] is True
    assert told["forms"] == (operations if view == "try" else 0)
    assert told["found"] == ["get /v1/blocks/{block_id} blocks.retrieve"] and told["nothing"] == 'Nothing is called "no such thing".'
