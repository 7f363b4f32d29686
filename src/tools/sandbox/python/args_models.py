"""The arguments of a call as the objects that an args_json_schema describes.

Where pydantic (2 or later) can be imported, each object becomes an instance of a model that is generated from its schema, and
what does not fit is refused before the function is called. Where it can't, arguments stay what JSON makes of them.
"""
import keyword
import typing

DEPTH_MAX = 32
PLAIN = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}
BOUNDS = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt", "multipleOf": "multiple_of",
          "minLength": "min_length", "maxLength": "max_length", "minItems": "min_length", "maxItems": "max_length",
          "pattern": "pattern"}
FITS = {"string": ("minLength", "maxLength", "pattern"), "array": ("minItems", "maxItems"),
        "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")}
FITS["number"] = FITS["integer"]


class ValidationError(ValueError):
    """Arguments that their schema does not allow."""


def modelled(arguments, args_schema, with_default):
    """`with_default`: names of parameters that need no value, since the function has one for them."""
    try:
        import pydantic
    except ImportError:
        return arguments
    if pydantic.VERSION.startswith("1.") or not isinstance(args_schema.get("properties"), dict):
        return arguments
    described = {name: value for name, value in arguments.items() if name in args_schema["properties"]}
    required = [name for name in args_schema.get("required") or [] if name not in with_default]
    models = Models(pydantic, args_schema)
    try:
        model = models.model({**args_schema, "title": "Arguments", "required": required}, 0)
        made = model.model_validate(described)
    except pydantic.ValidationError as failure:
        raise ValidationError("; ".join(told(each) for each in failure.errors())) from None
    values = {}
    for field, info in model.model_fields.items():
        name = info.alias or field
        has_default = "default" in args_schema["properties"][name] and name not in with_default
        if field in made.model_fields_set or has_default:
            values[name] = getattr(made, field)
    return {**arguments, **values}


def told(error):
    place = ".".join(str(step) for step in error["loc"])
    return f"{place}: {error['msg']}"


class Models:
    """Types for schemas. References lead into the definitions of `root`; one that leads back to itself is not followed."""

    def __init__(self, pydantic, root):
        self.pydantic, self.root = pydantic, root
        self.open = []

    def model(self, schema, depth):
        fields, required = {}, schema.get("required") or []
        for number, (name, inner) in enumerate(schema["properties"].items()):
            inner = inner if isinstance(inner, dict) else {}
            kind = self.type(inner, depth + 1)
            absent = ... if name in required else inner.get("default")
            if absent is None:
                kind = typing.Optional[kind]
            plain = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith(("_", "model_"))
            alias = {} if plain and not hasattr(self.pydantic.BaseModel, name) else {"alias": name}
            info = self.pydantic.Field(absent, description=inner.get("description"), **alias)
            fields[name if not alias else f"field_{number}"] = (kind, info)
        more = schema.get("additionalProperties")
        extra = "forbid" if more is False else "allow" if more else "ignore"
        config = self.pydantic.ConfigDict(extra=extra, protected_namespaces=(), arbitrary_types_allowed=True)
        return self.pydantic.create_model(str(schema.get("title") or "Arguments"), __config__=config, **fields)

    def type(self, schema, depth):
        if not isinstance(schema, dict) or depth > DEPTH_MAX:
            return typing.Any
        if isinstance(reference := schema.get("$ref"), str):
            return self.referred(reference, depth)
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return typing.Union[tuple(self.type(each, depth + 1) for each in schema[key])]
        if isinstance(schema.get("allOf"), list):
            return self.type(schema["allOf"][0], depth + 1) if len(schema["allOf"]) == 1 else typing.Any
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list) and values and all(isinstance(value, (str, int, bool, type(None))) for value in values):
            return typing.Literal[tuple(values)]
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return typing.Union[tuple(self.plain({**schema, "type": kind}, depth) for kind in kinds)] if kinds else typing.Any
        return self.plain(schema, depth)

    def plain(self, schema, depth):
        kind = schema.get("type") or ("object" if "properties" in schema else None)
        if kind == "object":
            if isinstance(schema.get("properties"), dict) and schema["properties"]:
                return self.model(schema, depth)
            more = schema.get("additionalProperties")
            return dict[str, self.type(more, depth + 1)] if isinstance(more, dict) else dict
        if kind == "array":
            if isinstance(items := schema.get("prefixItems"), list) and items:
                return tuple[tuple(self.type(each, depth + 1) for each in items)]
            made = list[self.type(schema["items"], depth + 1)] if isinstance(schema.get("items"), dict) else list
            if schema.get("uniqueItems") is True:
                made = set[typing.get_args(made)[0]] if typing.get_args(made) in ((str,), (int,)) else made
        else:
            made = PLAIN.get(kind, typing.Any) if isinstance(kind, str) else typing.Any
        bounds = {BOUNDS[key]: schema[key] for key in FITS.get(kind, ()) if key in schema}
        return typing.Annotated[made, self.pydantic.Field(**bounds)] if bounds else made

    def referred(self, reference, depth):
        if reference in self.open:
            return typing.Any
        found = self.root
        for step in reference.removeprefix("#/").split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if isinstance(found, dict):
            found = {"title": reference.rsplit("/", 1)[-1], **found}
        self.open.append(reference)
        made = self.type(found, depth + 1)
        self.open.pop()
        return made
