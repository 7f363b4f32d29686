"""A whole program, as a notebook would run it: what its last line comes to is part of what it gives back.

    {"value": that value as JSON, "text": its repr, or null for None, "error"?: {"name", "value", "traceback"}}

"program" of the request names what stands in front of it, in its own names: "preludes", sources of tools, and "stubs",
functions that have other tools run over the API (api_client.py has the socket); one without a path may not be called.
"""
import ast
import asyncio
import inspect
import json
import linecache
import re
import socket
import sys
import traceback
import urllib.parse

import api_client
import tool_values

FILE = "<code>"
TEXT_CHARACTERS_MAX = 1_000_000


def run(request, module, door, no_client):
    setting = request["program"]
    sys.modules[module.__name__] = module
    for stub in setting["stubs"]:
        module.__dict__[identifier(stub["name"])] = function_of(stub, door)
    for name, source in setting["preludes"]:
        in_front(module, name, source)
    source = request["source"]
    linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)
    try:
        value = last_value(source, module.__dict__)
        return {"value": held(value), "text": None if value is None else shown(value)}
    except BaseException as failure:  # SystemExit too: whoever wrote the program reads of it
        error = told(failure)
        if hint := api_client.hint(failure, module, no_client):
            error["value"] += f". {hint}"
        return {"value": None, "text": None, "error": error}


def in_front(module, name, source):
    """A tool that can't be loaded is left out, with a word about why: the program may do without."""
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    try:
        exec(compile(source, file, "exec"), module.__dict__)
    except BaseException as failure:
        print(f"The tool '{name}' can't be used here: {type(failure).__name__}: {failure}", file=sys.stderr)


def last_value(source, names):
    tree = ast.parse(source, FILE)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    evaluated(compile(tree, FILE, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if last is None:
        return None
    return evaluated(compile(ast.Expression(last.value), FILE, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)


def evaluated(code, names):
    value = eval(code, names)
    return asyncio.run(value) if code.co_flags & inspect.CO_COROUTINE else value


def held(value):
    try:
        return tool_values.jsonable(value)
    except Exception:  # a class of the program's may do anything
        return None


def shown(value):
    try:
        return tool_values.clean(repr(value))[:TEXT_CHARACTERS_MAX]
    except Exception as failure:
        return f"<{type(value).__name__}, whose repr raises {type(failure).__name__}>"


def told(failure):
    trace = failure.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILE:
        trace = trace.tb_next
    try:
        lines = traceback.format_exception(type(failure), failure, trace or None)
        value = str(failure)
    except Exception:
        lines, value = [], ""
    return {
        "name": tool_values.clean(type(failure).__name__),
        "value": tool_values.clean(value)[:1000],
        "traceback": tool_values.clean("".join(lines))[-TEXT_CHARACTERS_MAX:],
    }


def identifier(name):
    """What the tool's function is called: names of MCP tools may hold anything."""
    made = re.sub(r"\W", "_", name)
    return f"_{made}" if made[:1].isdigit() else made


def function_of(stub, door):
    def call(*values, **arguments):
        if len(values) > len(stub["parameters"]):
            raise TypeError(f"{stub['name']} takes {len(stub['parameters'])} arguments, not {len(values)}")
        arguments = {**dict(zip(stub["parameters"], values)), **arguments}
        return have_run(stub, arguments, door)

    call.__name__ = call.__qualname__ = identifier(stub["name"])
    return call


def have_run(stub, arguments, door):
    if not stub["path"]:
        raise PermissionError(f"{stub['name']} needs an approval: it can be called as a tool, and not in a program")
    if not door:
        raise RuntimeError(f"{stub['name']} can't be called from here: {api_client.NOBODY}")
    import http.client  # most calls are spared it

    connection = http.client.HTTPConnection("stele")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(api_client.address_of(door["socket"]))
    headers = {"Authorization": "Bearer " + door["token"], "Content-Type": "application/json"}
    body = json.dumps({"args": tool_values.jsonable(arguments)})
    try:
        connection.request("POST", urllib.parse.quote(stub["path"]), body, headers)
        answer = connection.getresponse()
        made = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{stub['name']} could not be called: {made.get('detail')}")
    if made["status"] == "error":
        raise RuntimeError("\n".join(made.get("stderr") or []) or f"{stub['name']} failed")
    if made.get("stdout"):
        print(*made["stdout"], sep="\n", end="")
    return made["func_return"]
