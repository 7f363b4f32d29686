"""What a model is told of a function whose source somebody wrote: name, description, parameters as JSON schema.

The text is parsed, never run. `derive` takes the last function of the module's top level, reads types from its
annotations and descriptions from its docstring (Google, NumPy or reST style), and raises ValueError with a reason that
the author can act on. With `args_json_schema` (as Pydantic prints it) the parameters come from there instead.
"""

import ast
import inspect
import re

RESERVED = ("self", "agent_state", "agent_id")  # filled in by the runtime: the model never sees them
NODES_MAX = 20_000  # of one schema: models and references that name each other would grow without end
DEPTH_MAX = 60

SCALARS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def derive(source, args_json_schema=None):
    try:
        module = ast.parse(source)
        function = last_function(module)
        doc = Docstring(ast.get_docstring(function, clean=True) or "")
        if args_json_schema:
            description = doc.description or "Calls the function " + function.name + "."
            parameters = Inliner(args_json_schema).parameters()
        else:
            if not doc.text.strip():
                raise ValueError(f"Function {function.name} has no docstring: it tells the model what the tool does")
            description = doc.description
            parameters = parameters_of(function, doc, Types(module))
    except SyntaxError as error:
        raise ValueError(f"Failed to parse source code: {error.msg} (line {error.lineno})") from None
    except (RecursionError, MemoryError):
        raise ValueError("Failed to parse source code: it is nested too deeply") from None
    return {"name": function.name, "description": description, "parameters": parameters}


def last_function(module):
    functions = [node for node in module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if not functions:
        raise ValueError("No functions found: the source needs a `def` at its top level")
    return functions[-1]


def parameters_of(function, doc, types):
    arguments = function.args
    for starred in filter(None, (arguments.vararg, arguments.kwarg)):
        raise ValueError(f"Parameter '{starred.arg}' of {function.name} takes any number of values; name each of them")
    positional = arguments.posonlyargs + arguments.args
    given = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    pairs = list(zip(positional, given)) + list(zip(arguments.kwonlyargs, arguments.kw_defaults))
    properties, required = {}, []
    for argument, default in pairs:
        name = argument.arg
        if name in RESERVED:
            continue
        if argument in arguments.posonlyargs:
            raise ValueError(f"Parameter '{name}' of {function.name} is positional-only; tools are called by keyword")
        if argument.annotation is None:
            raise ValueError(f"Parameter '{name}' of {function.name} lacks a type annotation")
        schema, optional, noted = types.read(argument.annotation, f"parameter '{name}'")
        described = doc.parameters.get(name) or noted
        if not described:
            raise ValueError(f"Parameter '{name}' of {function.name} lacks a description in the docstring")
        properties[name] = {**schema, "description": described}
        if default is None and not optional:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


class Types:
    """Reads annotations. Knows the Pydantic models that the module defines."""

    def __init__(self, module):
        self.classes = {node.name: node for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
        self.open = []
        self.nodes = 0

    def read(self, node, where):
        """(schema, whether it may be left out, a description that Annotated carries)"""
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise ValueError(f"The types of {where} are too large")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # a quoted annotation
            return self.read(ast.parse(node.value.strip(), mode="eval").body, where)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.union(members_of(node), node, where)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self.plain(last_name(node), node, where), False, None
        if isinstance(node, ast.Subscript):
            return self.generic(last_name(node.value), items_of(node.slice), node, where)
        raise refused(node, where)

    def schema(self, node, where):
        return self.read(node, where)[0]

    def plain(self, name, node, where):
        if name in SCALARS:
            return {"type": SCALARS[name]}
        if name in ("list", "List"):
            return {"type": "array", "items": {"type": "string"}}
        if name in ("dict", "Dict"):
            return {"type": "object"}
        if name in self.classes:
            return self.model(self.classes[name], where)
        raise refused(node, where)

    def generic(self, name, items, node, where):
        if name == "Optional" and len(items) == 1:
            schema, _, noted = self.read(items[0], where)
            return schema, True, noted
        if name == "Union":
            return self.union(items, node, where)
        if name == "Annotated" and len(items) > 1:
            schema, optional, noted = self.read(items[0], where)
            for note in items[1:]:
                noted = text_of(note) or field_of(note).get("description") or noted
            return schema, optional, noted
        if name == "Literal":
            values = [literal_of(item, where) for item in items]
            shown = [value for value in values if value is not None]
            return {"type": "string", "enum": shown}, len(shown) < len(values), None
        if name in ("list", "List") and len(items) == 1:
            return {"type": "array", "items": self.schema(items[0], where)}, False, None
        if name in ("tuple", "Tuple") and not any(is_ellipsis(item) for item in items):
            members = [self.schema(item, where) for item in items]
            count = len(members)
            return {"type": "array", "prefixItems": members, "minItems": count, "maxItems": count}, False, None
        if name in ("dict", "Dict"):
            raise ValueError(
                f"The type {ast.unparse(node)} of {where} can't be described to a model: use a Pydantic model whose"
                " fields have names, or plain dict"
            )
        raise refused(node, where)

    def union(self, members, node, where):
        others = [member for member in members if not is_none(member)]
        if len(others) != 1 or len(others) == len(members):
            raise ValueError(f"The union {ast.unparse(node)} of {where} is not supported: only Optional is")
        schema, _, noted = self.read(others[0], where)
        return schema, True, noted

    def model(self, node, where):
        if not self.is_model(node):
            raise ValueError(f"The class {node.name} of {where} is not supported: it must derive from BaseModel")
        if node.name in self.open:
            raise ValueError(f"The model {node.name} of {where} contains itself")
        if len(self.open) > DEPTH_MAX:
            raise ValueError(f"The models of {where} are nested too deeply")
        self.open.append(node.name)
        properties, required = {}, []
        for statement in self.fields(node):
            name = statement.target.id
            field_where = f"field '{name}' of {node.name}"
            schema, optional, noted = self.read(statement.annotation, field_where)
            field = field_of(statement.value)
            described = field.get("description") or noted
            if not described:
                raise ValueError(f"The {field_where} lacks a description: Field(..., description=\"...\")")
            properties[name] = {**schema, "description": described}
            if field.get("required", statement.value is None) and not (optional and not field.get("ellipsis")):
                required.append(name)
        self.open.pop()
        return {"type": "object", "properties": properties, "required": required}

    def bases(self, node):
        names = [last_name(base) for base in node.bases]
        return [self.classes[name] for name in names if name in self.classes and name != node.name]

    def is_model(self, node, seen=()):
        if any(last_name(base) == "BaseModel" for base in node.bases):
            return True
        return any(base.name not in seen and self.is_model(base, (*seen, node.name)) for base in self.bases(node))

    def fields(self, node, seen=()):
        found = {}
        for base in self.bases(node):
            if base.name not in seen:
                found.update((field.target.id, field) for field in self.fields(base, (*seen, node.name)))
        for statement in node.body:
            if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                continue
            name = statement.target.id
            class_variable = "ClassVar" in ast.unparse(statement.annotation)
            if not name.startswith("_") and name != "model_config" and not class_variable:
                found[name] = statement
        return list(found.values())


class Inliner:
    """A JSON schema as Pydantic prints it, without titles, each local reference replaced by what it names."""

    def __init__(self, root):
        self.root = root
        self.open = []
        self.nodes = 0

    def parameters(self):
        if not isinstance(self.root, dict) or self.root.get("type", "object") != "object":
            raise ValueError("args_json_schema must be the schema of an object")
        made = self.schema({key: value for key, value in self.root.items() if key not in ("description", "$schema")})
        return {**made, "type": "object", "properties": made.get("properties", {}),
                "required": made.get("required", [])}

    def schema(self, node):
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise ValueError("args_json_schema grows too large when its references are written out")
        if isinstance(node, list):
            return [self.schema(item) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            return self.reference(node)
        made = {}
        for key, value in node.items():
            if key in ("title", "$defs", "definitions"):
                continue
            if key in ("properties", "patternProperties") and isinstance(value, dict):
                made[key] = {name: self.schema(member) for name, member in value.items()}
            elif key in ("default", "const", "enum", "examples", "required"):
                made[key] = value  # data, whatever its members are called
            else:
                made[key] = self.schema(value)
        return made

    def reference(self, node):
        target = node["$ref"]
        if target in self.open:
            raise ValueError(f"args_json_schema refers to itself: {target}")
        if len(self.open) > DEPTH_MAX:
            raise ValueError("args_json_schema is nested too deeply")
        found = self.root
        for step in target.removeprefix("#/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if not target.startswith("#/") or not isinstance(found, dict) or step not in found:
                raise ValueError(f"args_json_schema refers to {target}, which it does not define")
            found = found[step]
        self.open.append(target)
        made = self.schema(found)
        self.open.pop()
        if not isinstance(made, dict):
            raise ValueError(f"args_json_schema refers to {target}, which is no schema")
        return {**made, **self.schema({key: value for key, value in node.items() if key != "$ref"})}


GOOGLE_PARAMETERS = ("args", "arguments", "parameters", "params", "keyword args", "keyword arguments", "other parameters")
EXAMPLES = ("example", "examples")
HIDDEN = ("return", "returns", "yield", "yields", "receives", "raise", "raises", "except", "exceptions", "warns",
          "attributes")
GOOGLE_HEAD = re.compile(r"([A-Za-z][A-Za-z ]*):\s*$")
GOOGLE_ITEM = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:\s?(.*)$")
REST_FIELD = re.compile(r":(\w+)\s*([^:]*):\s?(.*)$")
REST_PARAMETERS = ("param", "parameter", "arg", "argument", "key", "keyword")
REST_HIDDEN = ("type", "return", "returns", "rtype", "raise", "raises", "except", "exception", "yield", "yields",
               "ytype", "var", "ivar", "cvar", "vartype", "meta")


class Docstring:
    """Free text and descriptions of parameters. A docstring may mix the three styles; each is known by its own marks."""

    def __init__(self, text):
        self.text = text
        self.parameters = {}
        self.free, self.examples = [], []
        lines = text.splitlines()
        at = 0
        while at < len(lines):
            at = self.take(lines, at)
        paragraphs = [part for part in (first_and_rest(self.free), "\n".join(self.examples).strip()) if part]
        self.description = "\n\n".join(paragraphs)

    def take(self, lines, at):
        """Reads what begins with line `at` and gives the number of the line behind it."""
        line = lines[at]
        if line[:1].isspace():
            self.free.append(line)
            return at + 1
        field = REST_FIELD.match(line)
        if field and field[1] in REST_PARAMETERS + REST_HIDDEN:
            end = indented_end(lines, at + 1)
            if field[1] in REST_PARAMETERS and field[2]:
                self.describe(field[2].split()[-1], [field[3], *lines[at + 1 : end]])
            return end
        underlined = at + 1 < len(lines) and re.fullmatch(r"-{3,}|={3,}", lines[at + 1].strip())
        if underlined and is_section(line.strip().lower()):
            end = next((i for i in range(at + 2, len(lines) - 1) if is_underlined(lines, i)), len(lines))
            self.numpy(line.strip().lower(), line, lines[at + 2 : end])
            return end
        head = GOOGLE_HEAD.match(line)
        if head and is_section(head[1].strip().lower()):
            end = indented_end(lines, at + 1)
            self.google(head[1].strip().lower(), line, lines[at + 1 : end])
            return end
        self.free.append(line)
        return at + 1

    def google(self, name, head, body):
        if name in EXAMPLES:
            self.examples += [head, *body, ""]
        if name not in GOOGLE_PARAMETERS:
            return
        items = inspect.cleandoc("\n".join(["", *body])).splitlines()
        at = 0
        while at < len(items):
            item = GOOGLE_ITEM.match(items[at])
            end = indented_end(items, at + 1)
            if item:
                self.describe(item[1], [item[2], *items[at + 1 : end]])
            at = end

    def numpy(self, name, head, body):
        if name in EXAMPLES:
            self.examples += [head + ":", *body, ""]
        if name not in GOOGLE_PARAMETERS:
            return
        at = 0
        while at < len(body):
            end = indented_end(body, at + 1)
            for each in body[at].split(":")[0].split(","):
                self.describe(each.strip().lstrip("*"), ["", *body[at + 1 : end]])
            at = end

    def describe(self, name, lines):
        rest = inspect.cleandoc("\n".join(["", *lines[1:]]))
        text = "\n".join(part for part in (lines[0].strip(), rest.strip()) if part)
        if name and text:
            self.parameters[name] = text


def is_section(name):
    return name in GOOGLE_PARAMETERS + EXAMPLES + HIDDEN


def is_underlined(lines, at):
    return bool(lines[at].strip()) and not lines[at][:1].isspace() and bool(
        re.fullmatch(r"-{3,}|={3,}", lines[at + 1].strip())
    )


def indented_end(lines, begin):
    """The first line from `begin` on that is neither indented nor empty."""
    return next((i for i in range(begin, len(lines)) if lines[i].strip() and not lines[i][:1].isspace()), len(lines))


def first_and_rest(lines):
    """The first line and the rest, a blank line between, as the API has always shown descriptions."""
    text = "\n".join(lines).strip()
    first, _, rest = text.partition("\n")
    return f"{first.strip()}\n\n{rest.strip()}" if rest.strip() else first.strip()


def field_of(node):
    """What Field(...) says. `required` is absent where the node is no such call."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "Field":
        return {}
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    default = node.args[0] if node.args else keywords.get("default")
    field = {"ellipsis": default is not None and is_ellipsis(default)}
    field["required"] = field["ellipsis"] or (default is None and "default_factory" not in keywords)
    field["description"] = text_of(keywords.get("description"))
    return field


def literal_of(node, where):
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(f"Literal[...] of {where} may hold plain values only") from None


def text_of(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


def is_ellipsis(node):
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def last_name(node):
    if isinstance(node, ast.Subscript):  # a generic base class
        return last_name(node.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def items_of(node):
    return node.elts if isinstance(node, ast.Tuple) else [node]


def members_of(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return members_of(node.left) + members_of(node.right)
    return [node]


def refused(node, where):
    return ValueError(f"The type {ast.unparse(node)} of {where} is not supported")
