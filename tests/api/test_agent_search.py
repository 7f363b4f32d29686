"""Searching agents: terms that all have to fit, pages by cursor, and the count."""

import json
import urllib.parse

import pytest
import stele


@pytest.fixture(scope="module")
def world(own_server_module):
    return own_server_module


@pytest.fixture(scope="module")
def own_server_module(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("search"), model.environment()).start()
    http = running.http(2)
    for name, tags in (("Ada", ["x"]), ("ada two", ["x", "y"]), ("Grace", ["y"])):
        http.post("/v1/agents", {"name": name, "tags": tags, "memory_blocks": [], "project_id": "p" if name == "Grace" else None})
    author = http.post("/v1/agents", {"name": "Author", "memory_blocks": []})
    http.post("/v1/templates", {"type": "agent", "agent_id": author["id"], "name": "Bot"})
    http.post("/v1/templates/Bot/agents", {"agent_name": "Made 1"})
    draft = http.get("/v1/templates/default-project/Bot:current/snapshot")
    draft["agents"][0]["systemPrompt"] = "second"
    http.call("PUT", "/v1/templates/default-project/Bot:current/snapshot", draft)
    http.post("/v1/templates/Bot/save")
    http.post("/v1/templates/Bot/agents", {"agent_name": "Made 2"})
    yield http
    assert running.stop() == 0


def names(http, *terms, **more):
    return [agent["name"] for agent in http.post("/v1/agents/search", {"search": list(terms), "ascending": True, **more})["agents"]]


TERMS = [
    ([], "Ada|ada two|Grace|Author|Made 1|Made 2"),
    ([{"field": "name", "operator": "eq", "value": "Ada"}], "Ada"),
    ([{"field": "name", "operator": "contains", "value": "ADA"}], "Ada|ada two"),
    ([{"field": "name", "operator": "contains", "value": "%"}], ""),
    ([{"field": "tags", "operator": "contains", "value": ["x", "y"]}], "ada two"),
    ([{"field": "tags", "operator": "contains", "value": []}, {"field": "name", "operator": "contains", "value": "grace"}], "Grace"),
    ([{"field": "tags", "operator": "contains", "value": ["y"]}, {"field": "name", "operator": "contains", "value": "a"}], "ada two|Grace"),
    ([{"field": "templateName", "operator": "eq", "value": "bot"}], "Author|Made 1|Made 2"),
    ([{"field": "version", "value": "Bot:1"}], "Made 1"),
    ([{"field": "version", "value": "Bot:latest"}], "Made 2"),
    ([{"field": "version", "value": "Bot"}], "Author|Made 1|Made 2"),
    ([{"field": "version", "value": "Bot:current"}], ""),
    ([{"field": "version", "value": "Nobody:1"}], ""),
    ([{"field": "identity", "operator": "eq", "value": "nobody"}], ""),
]


@pytest.mark.parametrize("terms, found", TERMS, ids=range(len(TERMS)))
def test_all_terms_have_to_fit(world, terms, found):
    expected = found.split("|") if found else []
    assert names(world, *terms) == expected
    query = "&".join("search=" + urllib.parse.quote(json.dumps(term)) for term in terms)
    assert world.get(f"/v1/agents/search/count?{query}") == {"count": len(expected)}


def test_by_id_and_project(world):
    ada = world.post("/v1/agents/search", {"search": [{"field": "name", "operator": "eq", "value": "Ada"}]})["agents"][0]
    assert names(world, {"field": "agentId", "operator": "eq", "value": ada["id"]}) == ["Ada"]
    assert names(world, project_id="p") == ["Grace"] and "Grace" not in names(world, project_id="project-00000000-0000-4000-8000-000000000000")
    assert world.get("/v1/agents/search/count?project_id=p&combinator=AND") == {"count": 1}


def test_terms_of_the_count_in_brackets(world):
    query = "search[0][field]=name&search[0][operator]=contains&search[0][value]=ada&search[1][field]=tags&search[1][operator]=contains&search[1][value][0]=x&search[1][value][1]=y"
    assert world.get("/v1/agents/search/count?" + query.replace("[", "%5B").replace("]", "%5D")) == {"count": 1}


def test_pages_end_with_null(world):
    found, cursor = [], None
    while True:
        page = world.post("/v1/agents/search", {"limit": 4, "after": cursor})
        found += [agent["name"] for agent in page["agents"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert found == ["Made 2", "Made 1", "Author", "Grace", "ada two", "Ada"]
    for order in ("updated_at", "last_run_completion"):
        assert len(world.post("/v1/agents/search", {"sortBy": order})["agents"]) == 6


def test_without_a_body_it_finds_all(world):
    assert len(world.post("/v1/agents/search")["agents"]) == 6


@pytest.mark.parametrize("body, place", [
    ({"search": [{"field": "nonsense", "value": "x"}]}, ["search", 0, "field"]), ({"search": [{"field": "name", "operator": "like", "value": "x"}]}, ["search", 0, "operator"]),
    ({"search": [{"field": "name"}]}, ["search", 0, "value"]), ({"search": [{"field": "tags", "operator": "contains", "value": "x"}]}, ["search", 0, "value"]),
    ({"limit": 0}, ["limit"]), ({"limit": 101}, ["limit"]), ({"combinator": "OR"}, ["combinator"]), ({"sortBy": "name"}, ["sortBy"]), ({"after": "x"}, ["after"]), ({"search": ["x"]}, ["search", 0])])
def test_bad_searches_name_the_field(world, body, place):
    assert ["body", *place] in [each["loc"] for each in stele.refused(world, "POST", "/v1/agents/search", 422, body).body["errors"]]


def test_a_bad_search_of_the_count_names_the_query(world):
    for text in ("nonsense", json.dumps({"field": "x", "value": "y"})):
        failed = stele.refused(world, "GET", "/v1/agents/search/count?search=" + urllib.parse.quote(text), 422)
        assert failed.body["errors"][0]["loc"][:2] == ["query", "search"], failed.text
