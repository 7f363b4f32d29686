"""Projects: namespaces of an organisation, named by id or slug, in paths, bodies and headers."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import stele

DEFAULT = "project-00000000-0000-4000-8000-000000000000"


@pytest.fixture
def api(server):
    return server.http(2)


def name_of(request) -> str:
    return re.sub(r"[^a-z]+", " ", request.node.name.lower())[-40:].strip()


def refused(api, method, path, status, body=None, **more):
    body = stele.refused(api, method, path, status, body, **more).body
    assert body["message"] == body["detail"], body
    return body


def test_a_project_has_a_slug_of_its_own(api, request):
    made = [api.post("/v1/projects", {"name": f"Ümlaut & {name_of(request)}"}) for _ in range(3)]
    assert {each["name"] for each in made} == {f"Ümlaut & {name_of(request)}"} and all(re.fullmatch(r"project-[0-9a-f-]{36}", each["id"]) for each in made)
    first = made[0]["slug"]
    assert re.fullmatch(r"mlaut-[a-z-]+", first) and [each["slug"] for each in made] == [first, f"{first}-2", f"{first}-3"]


def test_making_one_is_answered_with_201(api):
    assert api.send("POST", "/v1/projects", {"name": "Answered"})[0] == 201


@pytest.mark.parametrize("body", [{}, {"name": "ab"}, {"name": "x" * 51}, {"name": None}, {"name": 5}])
def test_a_name_has_3_to_50_characters(api, body):
    assert stele.refused(api, "POST", "/v1/projects", 422, body).body["errors"][0]["loc"] == ["body", "name"]


def test_a_name_without_a_letter_of_ascii_still_gets_a_slug(api):
    assert re.fullmatch(r"project(-\d+)?", api.post("/v1/projects", {"name": "日本語"})["slug"])


def test_the_list_is_the_newest_first_and_pages_by_offset(api, request):
    made = [api.post("/v1/projects", {"name": f"{name_of(request)} {i}"})["id"] for i in range(5)]
    query = "/v1/projects?name=" + name_of(request).replace(" ", "%20").upper()
    page = api.get(f"{query}&limit=2")
    assert [each["id"] for each in page["projects"]] == made[:2:-1] and page["hasNextPage"] is True
    page = api.get(f"{query}&limit=2&offset=4")
    assert [each["id"] for each in page["projects"]] == made[:1] and page["hasNextPage"] is False
    assert api.get(f"{query}&limit=5")["hasNextPage"] is False
    assert api.get("/v1/projects?name=%25")["projects"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=many", "offset=-1", "offset=x", "offset=99999999999"])
def test_bad_paging_is_refused(api, query):
    refused(api, "GET", f"/v1/projects?{query}", 400)


def test_the_default_project_is_there_and_stays(api):
    assert {"id": DEFAULT, "slug": "default-project", "name": "default-project"} in api.get("/v1/projects?name=default-project")["projects"]
    for text in (DEFAULT, "default-project"):
        refused(api, "DELETE", f"/v1/projects/{text}?force=true", 409 if text == DEFAULT else 409)
    assert api.post("/v1/projects", {"name": "default project"})["slug"].startswith("default-project-")


def test_an_unknown_one_is_not_found(api):
    refused(api, "DELETE", f"/v1/projects/project-{stele.GONE}", 404)


def test_a_project_with_agents_is_deleted_only_with_force(api, request):
    project = api.post("/v1/projects", {"name": name_of(request)})
    agents = [api.post("/v1/agents", {"memory_blocks": [{"label": "human"}], "project_id": project["id"]}) for _ in range(2)]
    block = api.post("/v1/blocks", {"label": "left", "project_id": project["id"]})
    assert "2 agents" in refused(api, "DELETE", f"/v1/projects/{project['id']}", 409)["detail"]
    assert api.get(f"/v1/agents/{agents[0]['id']}")["id"]
    assert api.delete(f"/v1/projects/{project['slug']}?force=true") == {"success": True}
    for agent in agents:
        stele.refused(api, "GET", f"/v1/agents/{agent['id']}", 404)
    refused(api, "DELETE", f"/v1/projects/{project['id']}", 404)
    assert api.get(f"/v1/blocks/{block['id']}")["project_id"] is None


def test_an_empty_project_is_deleted_with_any_body(api):
    project = api.post("/v1/projects", {"name": "Empty"})
    assert api.delete(f"/v1/projects/{project['id']}", raw=b"{}") == {"success": True}


# ---- headers ----

MADE = [("/v1/agents", {"memory_blocks": []}), ("/v1/blocks", {"label": "p"}), ("/v1/groups", {"agent_ids": [], "description": "d"}),
        ("/v1/tools", {"name": "of_a_project", "description": "d"})]


@pytest.mark.parametrize("path, body", MADE, ids=[path for path, _ in MADE])
def test_what_is_made_belongs_to_the_project_of_body_or_header(api, path, body):
    project = api.post("/v1/projects", {"name": "Of header"})
    by_slug, by_id = {"X-Project": project["slug"]}, {"X-Project-Id": "project-of-elsewhere"}
    made = [api.post(path, body, headers=by_slug), api.post(path, body, headers=by_id), api.post(path, body, headers={**by_slug, **by_id}),
            api.post(path, {**body, "project_id": "p"}, headers=by_slug)]
    assert [each["project_id"] for each in made][:4] == [project["id"], "project-of-elsewhere", "project-of-elsewhere", "p"]


def test_a_slug_that_nobody_knows_is_made_with_the_first_write(api):
    header = {"X-Project": "Made By Itself"}
    assert api.get("/v1/agents?limit=1", headers=header) is not None
    assert api.get("/v1/projects?name=made%20by%20itself")["projects"] == []
    first, second = (api.post("/v1/agents", {"memory_blocks": []}, headers=header) for _ in range(2))
    assert api.get("/v1/projects?name=made%20by%20itself")["projects"] == [{"id": first["project_id"], "slug": "made-by-itself", "name": "Made By Itself"}]
    assert second["project_id"] == first["project_id"]
    assert api.post("/v1/agents", {"memory_blocks": []}, headers={"X-Project": "made-by-itself"})["project_id"] == first["project_id"]


def test_many_who_name_a_slug_first_get_one_project(api):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: api.post("/v1/agents", {"memory_blocks": []}, headers={"X-Project": "all-at-once"})["project_id"], range(16)))
    assert len(set(made)) == 1


def test_a_deleted_slug_is_forgotten(api):
    header = {"X-Project": "soon-gone"}
    first = api.post("/v1/agents", {"memory_blocks": []}, headers=header)["project_id"]
    api.delete(f"/v1/projects/{first}?force=true")
    assert api.post("/v1/agents", {"memory_blocks": []}, headers=header)["project_id"] != first


def test_a_header_that_can_be_no_slug_is_refused(api):
    assert stele.refused(api, "POST", "/v1/agents", 422, {}, headers={"X-Project": "!!"}).body["errors"][0]["loc"] == ["header", "X-Project"]


def test_projects_are_not_made_where_they_should_not(own_server):
    api = own_server(arguments=["--auto-create-projects", "false"]).start().http(2)
    for method in ("POST", "GET"):
        refused(api, method, "/v1/agents", 404, {} if method == "POST" else None, headers={"X-Project": "nobody-knows"})
    assert api.post("/v1/agents", {"memory_blocks": []}, headers={"X-Project": "default-project"})["project_id"] == DEFAULT


# ---- filters ----

def test_filters_by_project_and_the_default_one_holds_what_names_none(own_server):
    api = own_server().start().http(2)
    none = api.post("/v1/agents", {"memory_blocks": [{"label": "a"}]})
    default = api.post("/v1/agents", {"memory_blocks": [{"label": "b", "project_id": DEFAULT}], "project_id": DEFAULT})
    other = api.post("/v1/agents", {"memory_blocks": [{"label": "c", "project_id": "p"}], "project_id": "p"})
    for agent in (none, other):
        api.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello ostrich"})
    ids = lambda path: {each["id"] for each in api.get(path)}
    assert ids(f"/v1/agents?project_id={DEFAULT}") == {none["id"], default["id"]} and ids("/v1/agents?project_id=p") == {other["id"]}
    labels = lambda project: {each["label"] for each in api.get(f"/v1/blocks?project_id={project}")}
    assert labels(DEFAULT) == {"a", "b"} and labels("p") == {"c"}
    for path, key in (("/v1/runs", "agent_id"), ("/v1/steps", "agent_id")):
        of = lambda project: {each[key] for each in api.get(f"{path}?project_id={project}")}
        assert of(DEFAULT) == {none["id"]} and of("p") == {other["id"]}, path
    found = api.post("/v1/agents/messages/search", {"query": "ostrich", "project_id": DEFAULT})
    assert {each["message"]["agent_id"] for each in found} == {none["id"]}
    assert api.get(f"/v1/agents/count?project_id={DEFAULT}") == 2
