"""Values on their way into a tool and out of it: JSON on the outside, what the annotations say on the inside."""
import ast
import inspect
import json
import math
import sys
import types
import typing

import args_models

DEPTH_MAX = 60  # below the 64 levels of nesting that the server reads


def jsonable(value, depth=0):
    """The value as JSON can hold it; whatever it can't is told by its str()."""
    if value is None or isinstance(value, (bool, str)):
        return clean(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if depth >= DEPTH_MAX:
        return clean(str(value))
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return jsonable(value.model_dump(), depth + 1)
    if isinstance(value, dict):
        return {clean(str(key)): jsonable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item, depth + 1) for item in value]
    return clean(str(value))


def clean(text):
    """Without lone surrogates, which UTF-8 can't hold."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def known(arguments, schema):
    """Without the keys that the tool's schema does not name."""
    properties = (schema or {}).get("parameters", {}).get("properties")
    if not isinstance(properties, dict):
        return dict(arguments)
    return {name: value for name, value in arguments.items() if name in properties}


def fitted(function, arguments, schema, args_schema):
    """The arguments as the function's annotations want them. What can't be fitted stays as it came."""
    if args_schema:
        arguments = args_models.modelled(arguments, args_schema, names_with_default(function))
    hints = annotations_of(function)
    properties = (schema or {}).get("parameters", {}).get("properties") or {}
    made = {}
    for name, value in arguments.items():
        if name in hints:
            made[name] = coerced(value, hints[name])
        else:
            made[name] = by_schema(value, properties.get(name))
    return made


def names_with_default(function):
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return set()
    return {name for name, each in parameters.items() if each.default is not each.empty}


def annotations_of(function):
    try:
        return typing.get_type_hints(function)
    except Exception:  # an annotation may name anything
        return {name: hint for name, hint in getattr(function, "__annotations__", {}).items() if not isinstance(hint, str)}


def by_schema(value, property_schema):
    kind = property_schema.get("type") if isinstance(property_schema, dict) else None
    target = {"integer": int, "number": float, "boolean": bool}.get(kind) if isinstance(kind, str) else None
    return coerced(value, target) if target is not None else value


def coerced(value, hint):
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return coerced(value, typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not type(None)]
        if value is None or str in members:
            return value
        return coerced(value, members[0]) if len(members) == 1 else value
    if is_model(hint):
        return value if isinstance(value, hint) else hint.model_validate(plain(parsed(value)))
    if hint is bool:
        return boolean(value)
    if hint is int:
        return integer(value)
    if hint is float:
        return number(value)
    if origin in (list, set, tuple, frozenset) or hint in (list, set, tuple, frozenset):
        return collection(value, hint, origin or hint)
    if origin is dict or hint is dict:
        made = plain(parsed(value))
        if isinstance(made, dict) and len(typing.get_args(hint)) == 2:
            return {key: coerced(item, typing.get_args(hint)[1]) for key, item in made.items()}
        return made if isinstance(made, dict) else value
    return value


def plain(value):
    """A generated model as what JSON made of it: another class is wanted."""
    return value.model_dump() if is_model(type(value)) else value


def is_model(hint):
    return inspect.isclass(hint) and hasattr(hint, "model_validate") and hasattr(hint, "model_fields")


def boolean(value):
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}.get(value.strip().lower(), value)
    return bool(value) if value in (0, 1) and isinstance(value, (int, float)) else value


def integer(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value.strip())
        except ValueError:
            return value
    return value


def number(value):
    if isinstance(value, bool):
        return value
    try:
        return float(value) if isinstance(value, (int, str)) else value
    except (ValueError, OverflowError):
        return value


def collection(value, hint, kind):
    items = parsed(value)
    if not isinstance(items, (list, tuple, set)):
        return value
    inner = typing.get_args(hint)
    if kind is tuple and inner and not (len(inner) == 2 and inner[1] is Ellipsis):
        if len(inner) != len(items):
            return value
        return tuple(coerced(item, each) for item, each in zip(items, inner))
    return kind(coerced(item, inner[0]) if inner else item for item in items)


def parsed(value):
    """A text that stands for a structure: as JSON, else as a Python literal (which is parsed, never evaluated)."""
    if not isinstance(value, str):
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            return read(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return value
