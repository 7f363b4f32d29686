"""Given to the interpreter as text: loads the other files from the bundle, a sealed memory file that names its modules
with their sources, and starts the fork-server. So nothing of ours lies in a file that a tool could reach."""
import json
import linecache
import os
import sys
import types

with open(sys.argv[1]) as bundle:
    SOURCES = json.load(bundle)


def load(name):
    module = types.ModuleType(name)
    sys.modules[name] = module
    linecache.cache[f"<stele {name}>"] = (len(SOURCES[name]), None, SOURCES[name].splitlines(True), f"<stele {name}>")
    exec(compile(SOURCES[name], f"<stele {name}>", "exec"), module.__dict__)
    return module


for each in ("schema_derivation", "typescript_schema", "agent_state", "args_models", "tool_values", "api_client", "program", "tool_call", "zygote"):
    load(each)
sys.modules["zygote"].main(sys.argv[2:], sys.modules["tool_call"].run, sys.modules["tool_call"].rehearse)
