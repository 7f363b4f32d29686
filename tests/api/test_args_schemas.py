"""args_json_schema end to end: what the model is told, what the function is given with pydantic and without, what is refused."""

import json
import sys

import pydantic
import pytest
import stele


class Place(pydantic.BaseModel):
    city: str = pydantic.Field(..., description="which", min_length=2)
    zip: int | None = pydantic.Field(None, description="its number")
    model_config = pydantic.ConfigDict(extra="forbid")


class Arguments(pydantic.BaseModel):
    place: Place = pydantic.Field(..., description="where")
    others: list[Place] = pydantic.Field(default_factory=list, description="where else")
    days: int = pydantic.Field(3, description="how long", ge=1)


SCHEMA = Arguments.model_json_schema()
KINDS = '''def kinds(place, others, days) -> list:
    """Tells what it is given."""
    return [type(place).__name__, getattr(place, "city", None) or place["city"], [type(each).__name__ for each in others], days]
'''
ASYNC = KINDS.replace("def kinds", "async def kinds")


@pytest.fixture(scope="module")
def with_pydantic(walled, model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("args"), model.environment(), ["--tools-python", sys.executable]).start()
    yield running.http(2)
    assert running.stop() == 0


def run(http, source, args, schema=None, **more):
    return http.post("/v1/tools/run", {"source_code": source, "args": args, "args_json_schema": SCHEMA if schema is None else schema, **more})


def test_the_model_is_told_the_schema_without_references_and_titles(walled):
    tool = walled.http(2).post("/v1/tools", {"source_code": KINDS.replace("kinds", "kinds_told"), "args_json_schema": SCHEMA})
    parameters = tool["json_schema"]["parameters"]

    place = {"type": "object", "properties": {"city": {"type": "string", "minLength": 2, "description": "which"},
                                              "zip": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None, "description": "its number"}},
             "required": ["city"], "additionalProperties": False}
    assert parameters["properties"]["place"] == {**place, "description": "where"}
    assert parameters["properties"]["others"]["items"] == place and parameters["required"] == ["place"]
    assert tool["args_json_schema"] == SCHEMA
    text = json.dumps(parameters)
    assert "$ref" not in text and "$defs" not in text and "title" not in text


@pytest.mark.parametrize("source", [KINDS, ASYNC], ids=["sync", "async"])
def test_objects_are_models_where_pydantic_is_there(with_pydantic, source):
    made = run(with_pydantic, source, {"place": {"city": "Rome", "zip": "5"}, "others": [{"city": "Oslo"}, {"city": "Bonn"}]})

    assert made["status"] == "success", made
    assert json.loads(made["tool_return"]) == ["Place", "Rome", ["Place", "Place"], 3]


@pytest.mark.parametrize("source", [KINDS, ASYNC], ids=["sync", "async"])
def test_without_it_they_are_what_the_model_wrote(walled, source):
    made = run(walled.http(2), source, {"place": {"city": "Rome"}, "others": [{"city": "Oslo"}], "days": 2})
    if "Place" in made["tool_return"]:
        pytest.skip("the system's interpreter has pydantic")

    assert json.loads(made["tool_return"]) == ["dict", "Rome", ["dict"], 2]


BAD = [({}, "place"), ({"place": {}}, "place.city"), ({"place": {"city": "R"}}, "place.city"), ({"place": {"city": "Rome", "x": 1}}, "place.x"),
       ({"place": {"city": "Rome"}, "days": 0}, "days"), ({"place": {"city": "Rome"}, "others": [{"city": "Oslo"}, {"zip": 1}]}, "others.1.city"),
       ({"place": {"city": "Rome"}, "others": {}}, "others"), ({"place": "Rome"}, "place")]


@pytest.mark.parametrize("args, where", BAD, ids=[str(i) for i in range(len(BAD))])
def test_what_does_not_fit_is_refused_by_name_and_the_function_is_not_called(with_pydantic, args, where):
    made = run(with_pydantic, KINDS.replace('"""\n', '"""\n    print("called")\n'), args)

    assert made["status"] == "error" and f"ValidationError: {where}:" in made["tool_return"] and made["stdout"] == [], made


VALUES = [
    ({"type": "integer"}, "5", "[5]"), ({"type": "number"}, 5, "[5.0]"), ({"type": "boolean"}, "true", "[true]"), ({"enum": ["a", "b"]}, "a", '["a"]'),
    ({"type": "array", "items": {"type": "integer"}}, ["1", 2], "[[1, 2]]"), ({"type": "object"}, {"a": 1}, '[{"a": 1}]'),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": "1"}, '[{"a": 1}]'), ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, "[null]"),
    ({"type": ["integer", "null"]}, None, "[null]"), ({"const": "x"}, "x", '["x"]'), ({"allOf": [{"type": "string"}]}, "s", '["s"]'), ({}, {"any": []}, '[{"any": []}]'),
    ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2}, ["a", "1"], '[["a", 1]]'),
    ({"type": "string", "pattern": "^a"}, "abc", '["abc"]'),
]


@pytest.mark.parametrize("schema, value, returned", VALUES, ids=[str(i) for i in range(len(VALUES))])
def test_values_become_what_their_schema_says(with_pydantic, schema, value, returned):
    source = 'def give(v):\n    """Gives."""\n    return [v]\n'
    made = run(with_pydantic, source, {"v": value}, {"type": "object", "properties": {"v": schema}, "required": ["v"]})

    assert (made["status"], made["tool_return"]) == ("success", returned), made


def test_names_that_python_cannot_have_as_attributes_do_no_harm(with_pydantic):
    source = 'def give(inner, **more):\n    """Gives."""\n    return inner.model_dump(by_alias=True)\n'
    names = ["class", "_hidden", "model_config", "copy", "a-b"]
    inner = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    schema = {"name": "give", "parameters": {"type": "object", "properties": {"inner": {}}}}
    made = run(with_pydantic, source, {"inner": {name: name for name in names}}, {"type": "object", "properties": {"inner": inner}}, json_schema=schema)

    assert json.loads(made["tool_return"]) == {name: name for name in names}, made


def test_an_annotation_of_the_source_wins_over_the_generated_model(with_pydantic):
    source = '''from pydantic import BaseModel
class Place(BaseModel):
    city: str
    def shout(self):
        return self.city.upper()
def kinds(place: Place, others: list[Place], days: int = 7) -> list:
    """Tells."""
    return [place.shout(), [each.shout() for each in others], days]
'''
    made = run(with_pydantic, source, {"place": {"city": "Rome"}, "others": [{"city": "Oslo"}]})

    assert json.loads(made["tool_return"]) == ["ROME", ["OSLO"], 7], made


def test_in_the_loop_a_model_reads_what_it_got_wrong(with_pydantic):
    tool = with_pydantic.post("/v1/tools", {"source_code": KINDS, "args_json_schema": SCHEMA})
    agent = with_pydantic.post("/v1/agents", {"tool_ids": [tool["id"]], "include_base_tools": False, "include_base_tool_rules": False})["id"]

    def call(args):
        answer = with_pydantic.post(f"/v1/agents/{agent}/messages", {"input": f"@call kinds {json.dumps(args)}"})
        [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
        return told["status"], told["tool_return"]

    status, text = call({"place": {"city": "R"}})
    assert status == "error" and "place.city" in text
    assert call({"place": {"city": "Rome"}, "others": [], "unknown": 1}) == ("success", '["Place", "Rome", [], 3]')


def test_pydantic_may_come_with_the_tools_requirements(walled):
    made = run(walled.http(2), KINDS, {"place": {"city": "Rome"}, "others": []}, pip_requirements=[{"name": "pydantic", "version": "2.11.7"}])
    if "Failed to install" in made["tool_return"] and "onnect" in made["tool_return"]:
        pytest.skip("no package index can be reached")

    assert json.loads(made["tool_return"]) == ["Place", "Rome", [], 3], made


HOSTILE = [{"type": "object", "properties": {"v": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}}},
           {"type": "object", "properties": {"v": {"type": "string", "pattern": "("}}}, {"type": "object", "properties": {"v": {"type": "strange"}}},
           {"type": "object", "properties": {"v": {"type": "string", "minLength": "x"}}}, {"type": "object", "properties": {"v": {"enum": [{}]}}},
           {"type": "object", "properties": {"v": {"$ref": "http://elsewhere/x"}}}, {"type": "object", "properties": {"v": {"anyOf": []}}},
           {"type": "object", "properties": {"__class__": {"type": "string"}, "v": {}}}, {"type": "object", "properties": {"v": 3}}]


@pytest.mark.parametrize("schema", HOSTILE, ids=[str(i) for i in range(len(HOSTILE))])
def test_a_schema_that_is_none_breaks_nothing(with_pydantic, schema):
    source = 'def give(v=None):\n    """Gives."""\n    return 1\n'
    told = {"name": "give", "parameters": {"type": "object", "properties": {"v": {}}}}
    made = run(with_pydantic, source, {"v": {"a": {}}}, schema, json_schema=told)

    assert made["message_type"] == "tool_return_message" and "Crash" not in made["tool_return"], made
    assert run(with_pydantic, source, {}, {"type": "object", "properties": {}}, json_schema=told)["tool_return"] == "1"
