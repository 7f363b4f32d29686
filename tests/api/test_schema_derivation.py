"""What a model is told of a function, from its source alone. Tables: source and what must come of it."""

import pathlib
import sys
import textwrap

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/tools/sandbox/python"))
from schema_derivation import derive  # noqa: E402


def tool(annotation, *, default="", before="", doc="what it is"):
    """A function with one parameter `x`."""
    text = f'def f(x: {annotation}{default}):\n    """Does it.\n\n    Args:\n        x: {doc}\n    """\n'
    return textwrap.dedent(before) + text


def schema_of(annotation, **more):
    parameters = derive(tool(annotation, **more))["parameters"]
    return parameters["properties"]["x"], parameters["required"]


TYPES = [
    ("str", {"type": "string"}),
    ("int", {"type": "integer"}),
    ("float", {"type": "number"}),
    ("bool", {"type": "boolean"}),
    ("list", {"type": "array", "items": {"type": "string"}}),
    ("List", {"type": "array", "items": {"type": "string"}}),
    ("list[int]", {"type": "array", "items": {"type": "integer"}}),
    ("typing.List[List[str]]", {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}),
    ("dict", {"type": "object"}),
    ('Literal["a", "b"]', {"type": "string", "enum": ["a", "b"]}),
    ("Literal[1, -2]", {"type": "string", "enum": [1, -2]}),
    ("'list[int]'", {"type": "array", "items": {"type": "integer"}}),
    (
        "tuple[int, str]",
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
    ),
    ("Annotated[int, 'unused']", {"type": "integer"}),
]


@pytest.mark.parametrize("annotation, expected", TYPES)
def test_an_annotation_becomes_a_schema(annotation, expected):
    schema, required = schema_of(annotation)

    assert schema == {**expected, "description": "what it is"}
    assert required == ["x"]


@pytest.mark.parametrize(
    "annotation, default",
    [("Optional[int]", ""), ("int | None", ""), ("None | int", ""), ("Union[int, None]", ""), ("int", " = 3"),
     ("typing.Optional[int]", " = None"), ("Annotated[Optional[int], 'n']", "")],
)
def test_what_may_be_left_out_is_not_required(annotation, default):
    schema, required = schema_of(annotation, default=default)

    assert schema == {"type": "integer", "description": "what it is"}
    assert required == []


REFUSED_TYPES = ["Dict[str, int]", "dict[str, int]", "Union[int, str]", "int | str", "tuple[int, ...]", "Thing",
                 "Callable[[int], str]", "set[int]", "lambda: 3", "int | str | None"]


@pytest.mark.parametrize("annotation", REFUSED_TYPES)
def test_a_type_that_no_model_can_be_told_is_refused_with_the_parameters_name(annotation):
    with pytest.raises(ValueError, match="'x'"):
        derive(tool(annotation))


MODELS = """
    from pydantic import BaseModel, Field

    class Item(BaseModel):
        sku: str = Field(..., description="which")
        count: int = Field(1, description="how many")
        note: Optional[str] = Field(None, description="free text")
        model_config = {"frozen": True}
        _private: int = 3

    class Special(Item):
        reason: str = Field(description="why")

    class Order(BaseModel):
        number: int = Field(..., description="its number")
        items: List[Item] = Field(..., description="what is wanted")
        gift: Optional[Special] = Field(..., description="a present")
        tags: list[str] = Field(default_factory=list, description="marks")
        label: Annotated[str, Field(description="shown")] = "x"

"""
ITEM = {
    "sku": {"type": "string", "description": "which"},
    "count": {"type": "integer", "description": "how many"},
    "note": {"type": "string", "description": "free text"},
}


def test_models_in_the_source_are_written_out():
    schema, required = schema_of("Order", before=MODELS)

    item = {"type": "object", "properties": ITEM, "required": ["sku"]}
    special = {
        "type": "object",
        "properties": {**ITEM, "reason": {"type": "string", "description": "why"}},
        "required": ["sku", "reason"],
    }
    assert required == ["x"]
    assert schema == {
        "type": "object",
        "description": "what it is",
        "properties": {
            "number": {"type": "integer", "description": "its number"},
            "items": {"type": "array", "items": item, "description": "what is wanted"},
            "gift": {**special, "description": "a present"},
            "tags": {"type": "array", "items": {"type": "string"}, "description": "marks"},
            "label": {"type": "string", "description": "shown"},
        },
        "required": ["number", "items", "gift"],
    }


REFUSED_MODELS = [
    ("class M(BaseModel):\n    a: int\n", "field 'a' of M lacks a description"),
    ("class M:\n    a: int\n", "must derive from BaseModel"),
    ("class M(BaseModel):\n    m: Optional['M'] = Field(None, description='d')\n", "contains itself"),
    ("class M(N): pass\nclass N(M): pass\n", "must derive from BaseModel"),
    ("class M(BaseModel):\n    a: Dict[str, int] = Field(..., description='d')\n", "field 'a' of M"),
]


@pytest.mark.parametrize("before, reason", REFUSED_MODELS)
def test_a_model_that_cannot_be_described_is_refused(before, reason):
    with pytest.raises(ValueError, match=reason):
        derive(tool("M", before=before))


def test_models_that_double_at_each_level_end_in_a_refusal():
    levels = "".join(
        f"class M{i}(BaseModel):\n    a: M{i + 1} = Field(..., description='d')\n    b: M{i + 1} = Field(..., description='d')\n"
        for i in range(40)
    )
    with pytest.raises(ValueError, match="too large"):
        derive(tool("M0", before=levels + "class M40(BaseModel): pass\n"))


GOOGLE = '''
def f(a: int, b: str = "x"):
    """Short line.

    The long part,
    in two lines.

    Args:
        a (int): the first,
            told in two lines
        b (str, optional): the second: with a colon

    Returns:
        str: nothing of interest

    Examples:
        f(1)

    Raises:
        ValueError: never
    """
'''
NUMPY = '''
def f(a: int, b: str = "x"):
    """Short line.

    The long part,
    in two lines.

    Parameters
    ----------
    a : int
        the first,
        told in two lines
    b : str, optional
        the second: with a colon

    Returns
    -------
    str
        nothing of interest

    Examples
    --------
    f(1)
    """
'''
REST = '''
def f(a: int, b: str = "x"):
    """Short line.

    The long part,
    in two lines.

    :param a: the first,
        told in two lines
    :param str b: the second: with a colon
    :type a: int
    :returns: nothing of interest
    :rtype: str
    :raises ValueError: never
    """
'''


@pytest.mark.parametrize("source", [GOOGLE, NUMPY, REST], ids=["google", "numpy", "rest"])
def test_each_style_of_docstring_gives_the_same(source):
    made = derive(source)

    assert made["name"] == "f"
    assert made["description"].startswith("Short line.\n\nThe long part,\nin two lines.")
    assert "interest" not in made["description"] and "never" not in made["description"]
    assert made["parameters"] == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "the first,\ntold in two lines"},
            "b": {"type": "string", "description": "the second: with a colon"},
        },
        "required": ["a"],
    }


@pytest.mark.parametrize("source", [GOOGLE, NUMPY], ids=["google", "numpy"])
def test_examples_are_part_of_the_description(source):
    assert derive(source)["description"].endswith("in two lines.\n\nExamples:\n    f(1)") or derive(source)[
        "description"
    ].endswith("in two lines.\n\nExamples:\nf(1)")


DESCRIPTIONS = [
    ('"""One line."""', "One line."),
    ('"""One line.\n    And one below."""', "One line.\n\nAnd one below."),
    ('"""\n    One line.\n\n    More.\n\n    Note:\n        kept\n    """', "One line.\n\nMore.\n\nNote:\n    kept"),
    ("'''Single\\x41quotes.'''", "SingleAquotes."),
]


@pytest.mark.parametrize("docstring, expected", DESCRIPTIONS)
def test_the_description_is_the_first_line_and_the_free_text(docstring, expected):
    assert derive(f"def f():\n    {docstring}\n")["description"] == expected


def test_the_last_function_of_the_top_level_counts_and_async_ones_too():
    source = '''
def helper(x): return x
async def wanted(n: int) -> int:
    """Counts.

    Args:
        n: so many
    """
    def inner(y): return y
    return inner(n)
class Other:
    def method(self): pass
'''
    assert derive(source)["name"] == "wanted"


def test_what_the_runtime_fills_in_is_not_shown_to_the_model():
    source = '''
def f(self, agent_state, agent_id: str, *, q: str, limit: int = 3):
    """Looks.

    Args:
        q: what for
        limit: at most
    """
'''
    parameters = derive(source)["parameters"]
    assert list(parameters["properties"]) == ["q", "limit"]
    assert parameters["required"] == ["q"]


REFUSED = [
    ("def (", "Failed to parse source code"),
    ("x = 1", "No functions found"),
    ("class A:\n    def f(self):\n        '''D.'''\n", "No functions found"),
    ("def f(x):\n    return x\n", "no docstring"),
    ("def f(x):\n    '''D.\n\n    Args:\n        x: it\n    '''\n", "'x' of f lacks a type annotation"),
    ("def f(x: int):\n    '''D.'''\n", "'x' of f lacks a description"),
    ("def f(*x: int):\n    '''D.'''\n", "'x' of f takes any number"),
    ("def f(**x: int):\n    '''D.'''\n", "'x' of f takes any number"),
    ("def f(x: int, /):\n    '''D.\n\n    Args:\n        x: it\n    '''\n", "'x' of f is positional-only"),
    ("x = '\0'\ndef f(): 'D.'", "parse|null"),
    ("(" * 5_000, "Failed to parse source code"),
    ("def f():\n    '''D.'''\n    return " + "-" * 100_000 + "1", "Failed to parse source code"),
    (tool('"list["'), "Failed to parse source code"),
]


@pytest.mark.parametrize("source, reason", REFUSED, ids=range(len(REFUSED)))
def test_a_source_that_tells_too_little_is_refused_with_the_reason(source, reason):
    with pytest.raises(ValueError, match=reason):
        derive(source)


ARGS = {
    "$defs": {
        "Unit": {"title": "Unit", "enum": ["title", "mm"], "type": "string"},
        "Size": {
            "title": "Size",
            "type": "object",
            "properties": {
                "title": {"type": "string", "title": "Title", "description": "named like a keyword"},
                "unit": {"$ref": "#/$defs/Unit", "description": "of both"},
            },
            "required": ["title"],
            "additionalProperties": False,
        },
    },
    "title": "Args",
    "description": "Docstring of the model.",
    "type": "object",
    "properties": {
        "size": {"$ref": "#/$defs/Size"},
        "sizes": {"type": "array", "items": {"$ref": "#/$defs/Size"}, "title": "Sizes", "default": []},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Note"},
    },
    "required": ["size"],
}


def test_an_args_schema_gives_the_parameters_and_the_source_the_name():
    made = derive("def place(size, sizes, note): pass\n", ARGS)

    unit = {"enum": ["title", "mm"], "type": "string", "description": "of both"}
    size = {
        "type": "object",
        "properties": {"title": {"type": "string", "description": "named like a keyword"}, "unit": unit},
        "required": ["title"],
        "additionalProperties": False,
    }
    assert made["name"] == "place" and "place" in made["description"]
    assert made["parameters"] == {
        "type": "object",
        "properties": {
            "size": size,
            "sizes": {"type": "array", "items": size, "default": []},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["size"],
    }
    assert derive("def place(size):\n    '''Puts it.'''\n", ARGS)["description"] == "Puts it."


REFUSED_ARGS = [
    ({"type": "array"}, "object"),
    ({"type": "object", "properties": {"a": {"$ref": "#/$defs/None"}}}, "does not define"),
    ({"type": "object", "properties": {"a": {"$ref": "https://elsewhere/x"}}}, "does not define"),
    ({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}, "refers to itself"),
    (
        {
            "properties": {"a": {"$ref": "#/$defs/D0"}},
            "$defs": {f"D{i}": {"anyOf": [{"$ref": f"#/$defs/D{i + 1}"}] * 2} for i in range(40)} | {"D40": {}},
        },
        "too large",
    ),
]


@pytest.mark.parametrize("args, reason", REFUSED_ARGS, ids=range(len(REFUSED_ARGS)))
def test_an_args_schema_that_cannot_be_written_out_is_refused(args, reason):
    with pytest.raises(ValueError, match=reason):
        derive("def f(): pass\n", args)
