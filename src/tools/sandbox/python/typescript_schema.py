"""What a model is told of a function in TypeScript: name, description, parameters as JSON schema.

The text is read, never run. `derive` takes the first exported function (`export function`, or `export const` of an
arrow or a function), types from its annotations, descriptions from the JSDoc in front of it, and raises ValueError with
a reason that the author can act on. Interfaces and type aliases of the same source are written out.
"""
import json
import re

import schema_derivation

NODES_MAX = 20_000
DEPTH_MAX = 60

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      |(?P<doc>/\*\*(?!/).*?\*/)|(?P<comment>/\*.*?\*/)
      |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)
      |(?P<number>\d[\w.]*)
      |(?P<name>[^\W\d][\w$]*|\$[\w$]*)
      |(?P<sign>=>|\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
PAIRS = {"(": ")", "[": "]", "{": "}"}
PLAIN = {"string": "string", "number": "number", "boolean": "boolean", "any": "string", "unknown": "string",
         "bigint": "integer", "Date": "string"}
MODIFIERS = ("public", "private", "protected", "readonly")


class Token:
    def __init__(self, kind, text, doc):
        self.kind, self.text, self.doc = kind, text, doc  # doc: the JSDoc in front of it


def tokens_of(source):
    found, doc = [], None
    for match in TOKEN.finditer(source):
        if match.lastgroup == "doc":
            doc = match[0]
        elif match.lastgroup not in ("space", "comment"):
            found.append(Token(match.lastgroup, match[0], doc))
            doc = None
    return found + [Token("end", "", None)] * 3  # whoever looks ahead finds something


def derive(source, args_json_schema=None):
    try:
        tokens = tokens_of(source)
        begin = next((i for i in range(len(tokens)) if is_exported(tokens, i)), None)
        if begin is None:
            raise ValueError("No functions found: the source needs an `export function` or an exported arrow function")
        doc = Doc(tokens[begin].doc or "")
        reader = Reader(tokens, begin + 1)
        name = reader.head()
        if args_json_schema:
            parameters = schema_derivation.Inliner(args_json_schema).parameters()
        else:
            parameters = reader.parameters(doc, Types(tokens))
    except IndexError:
        raise ValueError("Failed to parse source code: it ends too early") from None
    except (RecursionError, MemoryError):
        raise ValueError("Failed to parse source code: it is nested too deeply") from None
    return {"name": name, "description": doc.text or "Calls the function " + name + ".", "parameters": parameters}


def is_exported(tokens, at):
    """An `export` of the top level that a function follows."""
    if tokens[at].text != "export" or tokens[at].kind != "name":
        return False
    words = [token.text for token in tokens[at + 1 : at + 40]]
    for skipped in ("default", "async"):
        if words[:1] == [skipped]:
            words.pop(0)
    if words[:1] == ["function"]:
        return True
    if words[:1] not in (["const"], ["let"], ["var"]):
        return False
    if words[2:3] == [":"]:  # a type of its own, `const f: Handler = ...`
        return "=" in words
    after = words[3:5]
    return words[2:3] == ["="] and bool(after) and (after[0] in ("async", "function", "(", "<"))


class Doc:
    """JSDoc: free text, and a description for each @param."""

    def __init__(self, comment):
        lines = [re.sub(r"^\s*\*? ?", "", line) for line in comment.removeprefix("/**").removesuffix("*/").splitlines()]
        self.parameters = {}
        free, into = [], None
        for line in lines:
            tag = re.match(r"\s*@(\w+)\s*(.*)", line)
            if tag:
                into = None
                named = re.match(r"(?:\{[^}]*\}\s*)?\[?([\w$.]+)[^\]\s]*\]?\s*-?\s*(.*)", tag[2])
                if tag[1] in ("param", "arg", "argument") and named:
                    into = named[1]
                    self.parameters[into] = named[2].strip()
                else:
                    into = ""
            elif into is None:
                free.append(line.rstrip())
            elif into:
                self.parameters[into] = f"{self.parameters[into]} {line.strip()}".strip()
        self.text = "\n".join(free).strip()


class Reader:
    """Goes over tokens. `at`: the next one."""

    def __init__(self, tokens, at):
        self.tokens, self.at = tokens, at

    @property
    def next(self):
        return self.tokens[self.at].text if self.tokens[self.at].kind != "end" else ""

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def took(self, text):
        if self.next == text:
            self.at += 1
            return True
        return False

    def demand(self, text):
        if not self.took(text):
            raise ValueError(f"Failed to parse source code: '{text}' expected, '{self.next}' found")

    def skip_pair(self):
        """Over a bracket and all that it holds."""
        closing = [PAIRS[self.take().text]]
        while closing:
            token = self.take()
            if token.kind == "end":
                raise ValueError("Failed to parse source code: a bracket is not closed")
            if token.text in PAIRS:
                closing.append(PAIRS[token.text])
            elif token.text == closing[-1]:
                closing.pop()

    def skip_angles(self):
        depth = 0
        while True:
            token = self.take()
            depth += (token.text == "<") - (token.text == ">")
            if token.kind == "end":
                raise ValueError("Failed to parse source code: '<' is not closed")
            if depth == 0:
                return

    def head(self):
        """The function's name; then its parameters come."""
        self.took("default")
        self.took("async")
        if not self.took("function"):
            self.take()  # const
            name = self.take().text
            while self.next and not self.took("="):
                self.take()
            self.took("async")
            if self.took("function") and self.next not in ("(", "<"):
                self.take()
        else:
            self.took("*")
            if self.tokens[self.at].kind != "name":
                raise ValueError("The exported function has no name")
            name = self.take().text
        if self.next == "<":
            self.skip_angles()
        if self.next != "(":
            raise ValueError(f"The parameters of {name} are not in brackets")
        return name

    def parameters(self, doc, types):
        self.demand("(")
        properties, required = {}, []
        while not self.took(")"):
            while self.next in MODIFIERS:
                self.take()
            if self.next == "...":
                raise ValueError("The last parameter takes any number of values; name each of them")
            if self.next in ("{", "["):
                raise ValueError("A parameter that is taken apart has no name; name it, and take it apart inside")
            if self.tokens[self.at].kind != "name":
                raise ValueError(f"Failed to parse source code: '{self.next}' is no name of a parameter")
            name = self.take().text
            optional = self.took("?")
            if not self.took(":"):
                if self.next != "=":
                    raise ValueError(f"Parameter '{name}' lacks a type annotation")
                schema = {"type": of_default(self.tokens[self.at + 1])}
            else:
                schema, absent = types.read(self, f"parameter '{name}'")
                optional = optional or absent
            if self.took("="):
                optional = True
                self.skip_value()
            if name != "this":
                properties[name] = {**schema, "description": doc.parameters.get(name) or f"The {name} of the call."}
                if not optional:
                    required.append(name)
            if self.next != ")":
                self.demand(",")
        return {"type": "object", "properties": properties, "required": required}

    def skip_value(self):
        while self.next and self.next not in (",", ")"):
            if self.next in PAIRS:
                self.skip_pair()
            else:
                self.take()


def of_default(token):
    if token.text in ("true", "false"):
        return "boolean"
    return {"number": "number", "text": "string"}.get(token.kind) or {"[": "array", "{": "object"}.get(token.text, "string")


class Types:
    """Reads types. Knows the interfaces and aliases of the source."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.named = {}
        for at in range(len(tokens) - 2):
            if tokens[at].text in ("interface", "type", "enum") and tokens[at + 1].kind == "name":
                self.named[tokens[at + 1].text] = at
        self.open = []
        self.nodes = 0

    def read(self, reader, where):
        """(schema, whether it may be left out)"""
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise ValueError(f"The types of {where} are too large")
        reader.took("|")
        members, absent = [], False
        while True:
            member = self.intersection(reader, where)
            if member is None:
                absent = True
            else:
                members.append(member)
            if not reader.took("|"):
                break
        if len(members) == 1:
            return members[0], absent
        values = [value for member in members for value in member.get("enum", [None])]
        if members and all(isinstance(value, str) for value in values):
            return {"type": "string", "enum": values}, absent
        kinds = {member["type"] for member in members}
        return {"type": kinds.pop() if kinds in ({"boolean"}, {"number"}) else "string"}, absent

    def intersection(self, reader, where):
        schema = self.postfix(reader, where)
        while reader.took("&"):
            other = self.postfix(reader, where) or {}
            if schema and schema.get("properties") and other.get("properties"):
                schema = {"type": "object", "properties": {**schema["properties"], **other["properties"]},
                          "required": schema["required"] + [n for n in other["required"] if n not in schema["required"]]}
            else:
                schema = {"type": "object"}
        return schema

    def postfix(self, reader, where):
        schema = self.one(reader, where)
        while reader.next == "[" and reader.tokens[reader.at + 1].text == "]":
            reader.at += 2
            schema = {"type": "array", "items": schema or {"type": "string"}}
        return schema

    def one(self, reader, where):
        """None for what means that there is nothing."""
        token = reader.tokens[reader.at]
        if token.text == "{":
            return self.members(reader, where)
        if token.text == "[":
            return self.tuple(reader, where)
        if token.text == "(":
            return self.bracketed(reader, where)
        if token.kind == "text":
            return {"type": "string", "enum": [unquoted(reader.take().text)]}
        if token.kind == "number":
            reader.take()
            return {"type": "number"}
        if token.kind != "name":
            raise ValueError(f"The type of {where} can't be read at '{token.text}'")
        name = reader.take().text
        if name in ("undefined", "null", "void"):
            return None
        if name == "readonly":
            return self.postfix(reader, where)
        if name in ("true", "false"):
            return {"type": "boolean"}
        if name in PLAIN:
            return {"type": PLAIN[name]}
        if name in ("object", "Object"):
            return {"type": "object"}
        return self.generic(name, reader, where)

    def generic(self, name, reader, where):
        arguments = []
        if reader.took("<"):
            while not reader.took(">"):
                arguments.append(self.read(reader, where)[0])
                reader.took(",")
        if name in ("Array", "ReadonlyArray", "Set") and len(arguments) == 1:
            return {"type": "array", "items": arguments[0]}
        if name in ("Record", "Map") and len(arguments) == 2:
            return {"type": "object", "additionalProperties": arguments[1]}
        if name == "Partial" and len(arguments) == 1:
            return {**arguments[0], "required": []} if "required" in arguments[0] else arguments[0]
        if name in ("Readonly", "Required", "NonNullable", "Promise") and len(arguments) == 1:
            return arguments[0]
        if name in self.named and not arguments:
            return self.of_name(name, where)
        raise ValueError(f"The type {name} of {where} is not supported: neither a plain one nor one of this source")

    def of_name(self, name, where):
        if name in self.open:
            raise ValueError(f"The type {name} of {where} contains itself")
        if len(self.open) > DEPTH_MAX:
            raise ValueError(f"The types of {where} are nested too deeply")
        self.open.append(name)
        reader = Reader(self.tokens, self.named[name] + 2)
        if self.tokens[self.named[name]].text == "type":
            reader.demand("=")
            made = self.read(reader, f"type {name}")[0]
        elif self.tokens[self.named[name]].text == "enum":
            made = self.enum(reader)
        else:
            bases = []
            if reader.took("extends"):
                while reader.next and reader.next != "{":
                    bases.append(self.one(reader, f"interface {name}") or {})
                    reader.took(",")
            made = self.members(reader, f"interface {name}")
            for base in bases:
                made["properties"] = {**base.get("properties", {}), **made["properties"]}
                made["required"] = base.get("required", []) + [n for n in made["required"] if n not in base.get("required", [])]
        self.open.pop()
        return made

    def enum(self, reader):
        reader.demand("{")
        values = []
        while not reader.took("}"):
            reader.take()
            value = reader.take() if reader.took("=") else None
            values.append(unquoted(value.text) if value and value.kind == "text" else None)
            reader.took(",")
        return {"type": "string", "enum": values} if values and None not in values else {"type": "number"}

    def members(self, reader, where):
        reader.demand("{")
        properties, required = {}, []
        more = None
        while not reader.took("}"):
            token = reader.tokens[reader.at]
            reader.took("readonly") if reader.tokens[reader.at + 1].kind in ("name", "text") else None
            if reader.next == "[":  # an index signature
                reader.skip_pair()
                reader.demand(":")
                more = self.read(reader, where)[0]
            else:
                member = reader.take()
                if member.kind not in ("name", "text", "number"):
                    raise ValueError(f"The type of {where} can't be read at '{member.text}'")
                name = unquoted(member.text) if member.kind == "text" else member.text
                optional = reader.took("?")
                reader.demand(":")
                schema, absent = self.read(reader, f"member '{name}' of {where}")
                said = Doc(token.doc or "").text
                properties[name] = {**schema, "description": said} if said else schema
                if not optional and not absent:
                    required.append(name)
            if not reader.took(";"):
                reader.took(",")
        made = {"type": "object", "properties": properties, "required": required}
        if more is not None:
            made["additionalProperties"] = more
        return made

    def tuple(self, reader, where):
        reader.demand("[")
        items = []
        while not reader.took("]"):
            if reader.tokens[reader.at].kind == "name" and reader.tokens[reader.at + 1].text == ":":
                reader.at += 2
            items.append(self.read(reader, where)[0])
            reader.took(",")
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    def bracketed(self, reader, where):
        begin = reader.at
        reader.skip_pair()
        if reader.next == "=>":
            raise ValueError(f"The type of {where} is a function; a model can't pass one")
        end, reader.at = reader.at, begin + 1
        schema, absent = self.read(reader, where)
        reader.at = end
        return None if absent and not schema else schema


def unquoted(text):
    if text[0] == '"':
        try:
            return json.loads(text)
        except ValueError:
            pass
    return re.sub(r"\\(.)", r"\1", text[1:-1])
