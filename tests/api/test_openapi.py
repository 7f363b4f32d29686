"""/openapi.json is whole: a valid document in which every operation names its parameters, its body and its answer."""

import pathlib
import re

import pytest
import stele

SOURCES = pathlib.Path(stele.ROOT) / "src/api"
TYPES = {"string", "integer", "number", "boolean", "array", "object", "null"}


@pytest.fixture(scope="module")
def document(server):
    return server.http().get("/openapi.json")


def operations(document):
    return [(path, verb, operation) for path, verbs in document["paths"].items() for verb, operation in verbs.items()]


def schemas_within(value):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from schemas_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas_within(inner)


def test_it_is_a_document_of_its_version(document):
    assert document["openapi"].startswith("3.1") and document["info"]["title"] == "Stele" and document["info"]["version"]
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)), "an operation's name is given twice"


def test_every_reference_leads_to_a_schema_and_every_type_is_one(document):
    known = document["components"]["schemas"]
    for part in schemas_within(document):
        if isinstance(part.get("$ref"), str):
            assert part["$ref"].removeprefix("#/components/schemas/") in known, part
        if isinstance(part.get("type"), str) and "scheme" not in part:
            assert part["type"] in TYPES or part["type"] == "object", part
        if part.get("type") == "array":
            assert "items" in part
        if isinstance(part.get("required"), list):
            assert set(part["required"]) <= set(part["properties"])
    used = {part["$ref"].rsplit("/", 1)[1] for part in schemas_within(document) if isinstance(part.get("$ref"), str)}
    assert set(known) == used, "a schema that nothing uses, or the other way round"


def test_every_operation_describes_its_parameters_body_and_answers(document):
    for path, verb, operation in operations(document):
        in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path), path
        assert all(p["schema"] and (p["in"] != "path" or p["required"]) for p in operation["parameters"])
        names = [(p["in"], p["name"]) for p in operation["parameters"]]
        assert len(names) == len(set(names)), f"{path} names a parameter twice"
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert len(good) == 1 and (good == ["204"] or operation["responses"][good[0]]["content"]), f"{verb} {path} has no answer"
        for status in ("422", "default"):
            assert operation["responses"][status]["content"]["application/json"]["schema"]


def test_bodies_demand_what_they_need_and_answers_promise_what_they_give(document):
    schemas = document["components"]["schemas"]
    assert schemas["CreateBlock"]["required"] == ["label"] and "required" not in schemas["BlockUpdate"] and "required" not in schemas["CreateAgent"]
    agent = schemas["AgentState"]
    assert set(agent["properties"]) - set(agent["required"]) == {"double_texting"}, "our own, and there only if it was set"
    assert schemas["BlockResponse"]["properties"]["limit"] == {"type": "integer", "default": 100000}
    kinds = [set(each["properties"]) for each in schemas["LettaMessage"]["anyOf"]]
    assert any("tool_returns" in kind for kind in kinds) and all("otid" in kind for kind in kinds)


def test_every_query_parameter_that_the_code_reads_is_documented(document):
    documented = {p["name"] for _, _, operation in operations(document) for p in operation["parameters"] if p["in"] == "query"}
    read = set()
    for source in SOURCES.glob("*.cpp"):
        read |= set(re.findall(r'query\.(?:text|list|flag|integer|integers|time|has)\(\s*"(\w+)"', source.read_text()))
        read |= set(re.findall(r'comparison\(query, "(\w+)"', source.read_text()))
    assert len(read) > 40 and read <= documented, read - documented


def test_answers_are_as_the_document_says(server, document):
    """The members of real answers are those of their schemas, in the same order."""
    http = server.http(1)
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": {}}], "secrets": {"k": "v"}, "double_texting": "queue"})
    message = http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": "hello"}]})
    first = message["messages"][0]
    for path, name in ((f"/v1/agents/{agent['id']}", "AgentState"), (f"/v1/agents/{agent['id']}/context", "ContextWindowOverview"),
                       (f"/v1/agents/{agent['id']}/core-memory", "AgentMemory"), (f"/v1/blocks/{agent['blocks'][0]['id']}", "BlockResponse"),
                       (f"/v1/runs/{first['run_id']}", "Run"), (f"/v1/runs/{first['run_id']}/usage", "RunUsage"),
                       (f"/v1/runs/{first['run_id']}/metrics", "RunMetrics"), (f"/v1/steps/{first['step_id']}", "Step"),
                       (f"/v1/steps/{first['step_id']}/metrics", "StepMetrics"), (f"/v1/steps/{first['step_id']}/trace", "ProviderTrace"),
                       ("/v1/health", "Health"), (f"/v1/agents/{agent['id']}/core-memory/variables", "MemoryVariables")):
        assert list(http.get(path)) == list(document["components"]["schemas"][name]["properties"]), path
    for path, name in (("/v1/models", "ModelListing"), ("/v1/models/embedding", "EmbeddingListing"), ("/v1/tools", "Tool"),
                       (f"/v1/runs/{first['run_id']}/trace", "TraceSpan")):
        assert list(http.get(path)[0]) == list(document["components"]["schemas"][name]["properties"]), path
    assert list(message) == list(document["components"]["schemas"]["LettaResponse"]["properties"])
    possible = [list(each["properties"]) for each in document["components"]["schemas"]["LettaMessage"]["anyOf"]]
    assert all(list(each) in possible for each in http.get(f"/v1/agents/{agent['id']}/messages"))
