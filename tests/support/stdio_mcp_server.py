"""An MCP server that is a command: speaks JSON lines on its standard streams. `python3 stdio_mcp_server.py [misdeed]`."""

import json
import os
import sys
import time

MISDEED = sys.argv[1] if len(sys.argv) > 1 else ""
STRING = {"type": "string"}
TOOLS = [{"name": name, "description": "d", "inputSchema": {"type": "object", "properties": {"message": STRING}, "required": ["message"]}}
         for name in ("echo", "environment", "read", "hang", "die", "count", "limits", "fetch", "long", "hog")]
calls = 0


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def call(name, message):
    global calls
    calls += 1
    if name == "environment":
        return json.dumps(dict(os.environ), sort_keys=True)
    if name == "read":
        try:
            return open(message).read()[:100]
        except OSError as failure:
            return "refused: " + type(failure).__name__
    if name == "limits":
        import resource
        kinds = {"files": resource.RLIMIT_NOFILE, "processes": resource.RLIMIT_NPROC, "bytes": resource.RLIMIT_FSIZE}
        return json.dumps({"user": os.getuid(), "group": os.getgid(), "groups": os.getgroups(), **{what: resource.getrlimit(kind)[1] for what, kind in kinds.items()}})
    if name == "fetch":
        import urllib.request
        try:
            return str(urllib.request.urlopen(message, timeout=10).status)
        except OSError as failure:
            return f"refused: {failure}"
    if name == "long":  # reads on, so that it hears of being taken back, and leaves a word of it
        for line in sys.stdin:
            with open(message, "a") as log:
                log.write(line)
        time.sleep(0.2)
        sys.exit(0)
    if name == "hog":
        try:
            return str(len(bytearray(int(message))))
        except MemoryError:
            return "refused: MemoryError"
    if name == "hang":
        time.sleep(600)
    if name == "die":
        os._exit(3)
    return str(calls) if name == "count" else "Echo: " + message


if MISDEED == "silent":
    time.sleep(600)
if MISDEED == "exits":
    sys.exit(1)
print("a line that is no message, as careless servers print")
print("this is for the log" * 10_000, file=sys.stderr)
while MISDEED == "endless":
    sys.stdout.write("x" * 65536)
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    method, params, answer = message["method"], message.get("params", {}), {"jsonrpc": "2.0", "id": message["id"]}
    if method == "initialize":
        answer["result"] = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "stdio", "version": "1"}}
    elif method == "tools/list":
        answer["result"] = {"tools": TOOLS}
    elif method == "tools/call":
        answer["result"] = {"content": [{"type": "text", "text": call(params["name"], params["arguments"]["message"])}], "isError": False}
    else:
        answer["error"] = {"code": -32601, "message": "no such method"}
    say(answer)
