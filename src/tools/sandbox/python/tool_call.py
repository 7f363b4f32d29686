"""One call, in the process that was forked for it. Request and answer are one JSON frame each:

    {"op": "call", "source", "name", "args", "schema", "args_schema", "env", "agent_id", "agent_state", "client", "limits"}
        -> {"ok": true, "result": JSON as a text, "blocks": {label: value}} or {"ok": false, "type", "message"}
    "client" is {"socket", "token"} where the call may use the server's API (api_client.py), else absent.
    With "program" the source is one (program.py), else "name" is the function to call.
    With "node", the path of Node.js, this process becomes one that runs run_tool.mjs, and answers the same.
    {"op": "derive_schema", "source", "source_type", "args_schema", "limits"} -> {"ok": true, "schema"} or {"ok": false, "message"}
"""
import asyncio
import builtins
import gc
import inspect
import json
import linecache
import os
import struct
import sys
import traceback
import types
import typing

import agent_state
import api_client
import program
import schema_derivation
import tool_values
import typescript_schema

FILE = "<tool>"
ANSWER_BYTES_MAX = 16 << 20
MESSAGE_CHARACTERS_MAX = 1000
# Names that annotations of a lone function use, as the clients send it: the imports above it stay behind in its file.
KNOWN_TO_ANNOTATIONS = {"typing": typing, "AgentState": agent_state.AgentState, **{name: getattr(typing, name) for name in typing.__all__}}


def run(channel, walls):
    request = json.loads(receive(channel))
    walls.limit(request["limits"])
    del walls
    gc.enable()
    if request.get("node"):
        hand_to_node(request)
    if request["op"] == "derive_schema":
        answer = derive(request)
    else:
        answer = call(request)
    send(channel, answer)


REHEARSED = {
    "op": "call",
    "source": "def add(a: int, b: int) -> int:\n    return a + b\n",
    "name": "add",
    "args": {"a": 1, "b": 2},
    "schema": {"parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}},
    "env": {"HOME": "/tmp"},
}


def rehearse():
    """A call that goes nowhere, ahead of the real one. Leaves nothing behind that `call` does not set anew."""
    streams, environment = (sys.stdout, sys.stderr), dict(os.environ)
    json.dumps(call(json.loads(json.dumps(REHEARSED))), ensure_ascii=False).encode("utf-8", "replace")
    sys.stdout, sys.stderr = streams
    os.environ.clear()
    os.environ.update(environment)
    sys.modules.pop("tool", None)
    linecache.cache.pop(FILE, None)


def receive(channel):
    (length,) = struct.unpack("!I", exactly(channel, 4))
    return exactly(channel, length)


def exactly(channel, count):
    data = bytearray()
    while len(data) < count:
        piece = channel.recv(min(count - len(data), 1 << 20))
        if not piece:
            os._exit(0)  # the server has given the call up
        data += piece
    return bytes(data)


def send(channel, answer):
    data = json.dumps(answer, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace")
    if len(data) > ANSWER_BYTES_MAX:
        data = json.dumps(failed("ResultTooLarge", f"the result has {len(data)} bytes; {ANSWER_BYTES_MAX} are allowed"))
        data = data.encode()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a tool may have closed or replaced it
            pass
    channel.sendall(struct.pack("!I", len(data)) + data)


def failed(kind, message):
    return {"ok": False, "type": tool_values.clean(kind), "message": tool_values.clean(message)[:MESSAGE_CHARACTERS_MAX]}


def hand_to_node(request):
    text = os.memfd_create("request")
    os.write(text, json.dumps(request).encode("utf-8", "replace"))
    os.lseek(text, 0, os.SEEK_SET)
    os.dup2(text, 4)
    for descriptor in (3, 4):  # dup2 alone says nothing if it is 4 already
        os.set_inheritable(descriptor, True)
    options = ["--max-old-space-size=1024", "--input-type=module", "-e", request["runner"]]
    os.execve(request["node"], [request["node"], *options], request["env"])


def derive(request):
    try:
        reader = typescript_schema if request.get("source_type") == "typescript" else schema_derivation
        return {"ok": True, "schema": reader.derive(request["source"], request.get("args_schema"))}
    except (ValueError, SyntaxError, RecursionError, MemoryError) as failure:
        return {"ok": False, "message": tool_values.clean(str(failure) or type(failure).__name__)}


def call(request):
    os.environ.clear()
    os.environ.update(request["env"])
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)
    state = agent_state.AgentState(request["agent_state"]) if request.get("agent_state") else None
    module, no_client = None, None
    try:
        module = types.ModuleType("__main__" if "program" in request else "tool")
        module.__builtins__ = {**KNOWN_TO_ANNOTATIONS, **vars(builtins)}
        door = request.pop("client", None)
        module.client, no_client = api_client.made(door) if says_client(request) else (None, None)
        if "program" in request:
            result = program.run(request, module, door, no_client)
        else:
            result = called(request, module, state)
        text = json.dumps(tool_values.jsonable(result), allow_nan=False, ensure_ascii=False)
        answer = {"ok": True, "result": text}
        if state is not None:
            answer["blocks"] = {str(label): tool_values.clean(value) for label, value in state._changed().items()}
        return answer
    except BaseException as failure:  # SystemExit and KeyboardInterrupt are a tool's failures too
        tell(failure)
        message = message_of(failure)
        if hint := api_client.hint(failure, module, no_client):
            print(hint, file=sys.stderr)
            message += f". {hint}"
        return failed(type(failure).__name__, message)


def says_client(request):
    """Its package takes long to import; most sources never speak of it."""
    preludes = request["program"]["preludes"] if "program" in request else []
    return any("client" in source for source in [request["source"], *(source for _, source in preludes)])


def called(request, module, state):
    name = request["name"]
    load(request, module)
    function = module.__dict__.get(name)
    if not callable(function):
        raise NameError(f"the source defines no function '{name}'")
    arguments = tool_values.known(request["args"], request.get("schema"))
    parameters = parameters_of(function)
    for reserved in ("agent_state", "agent_id"):
        if reserved in parameters and (reserved == "agent_state" or reserved not in arguments):
            arguments.pop(reserved, None)
    arguments = tool_values.fitted(function, arguments, request.get("schema"), request.get("args_schema"))
    if "agent_state" in parameters:
        arguments["agent_state"] = state
    if "agent_id" in parameters and request.get("agent_id"):
        arguments["agent_id"] = request["agent_id"]
    if inspect.iscoroutinefunction(function):
        return asyncio.run(function(**arguments))
    return function(**arguments)


def load(request, module):
    """Runs the source as a module of its own: nothing of ours is among its names but `client`."""
    sys.modules[module.__name__] = module
    source = request["source"]
    linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)
    exec(compile(source, FILE, "exec"), module.__dict__)


def parameters_of(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def message_of(failure):
    try:
        return str(failure)
    except Exception:  # a class of the tool's may do anything
        return ""


def tell(failure):
    """The traceback on standard error, from the first line that is the tool's."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILE:
        trace = trace.tb_next
    try:
        traceback.print_exception(type(failure), failure, trace or None, file=sys.stderr)
    except BaseException:
        print(type(failure).__name__, file=sys.stderr)
