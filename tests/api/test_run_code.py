"""run_code and run_code_with_tools: in the loop, by hand, in each language, with the agent's tools, and what bad programs do."""

import json
import shutil

import pytest
import stele

ADD = '''def add(a: int, b: int) -> int:
    """Adds.

    Args:
        a: one
        b: the other
    """
    return a + b
'''
BROKEN = '''import no_such_module
def broken() -> int:
    """Breaks."""
    return 1
'''
SHOUT = '''import os
def shout() -> str:
    """Shouts."""
    return os.environ["WORD"].upper() + os.environ["LETTA_AGENT_ID"]
'''
EXECUTION = ["results", "logs"]
node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


@pytest.fixture
def api(walled):
    return walled.http(2)


def agent_with(api, *builtins, sources=(), **more):
    ids = [api.get(f"/v1/tools?name={name}")[0]["id"] for name in builtins]
    ids += [api.post("/v1/tools", {"source_code": source})["id"] for source in sources]
    return api.post("/v1/agents", {"tool_ids": ids, "include_base_tools": False, "include_base_tool_rules": False, **more})["id"]


def run(api, agent, tool, **arguments):
    made = api.post(f"/v1/agents/{agent}/tools/{tool}/run", {"args": arguments})
    assert made["status"] == "success", made
    return json.loads(made["func_return"])


def test_they_are_among_the_built_in_tools(api):
    listed = {tool["name"]: tool for tool in api.post("/v1/tools/add-base-tools") if tool["tool_type"] == "letta_builtin"}
    code, with_tools = listed["run_code"], listed["run_code_with_tools"]

    assert code["json_schema"]["parameters"]["required"] == ["code", "language"]
    assert code["json_schema"]["parameters"]["properties"]["language"]["enum"] == ["python", "js", "ts", "r", "java"]
    assert with_tools["json_schema"]["parameters"]["required"] == ["code"]
    assert (code["enable_parallel_execution"], with_tools["enable_parallel_execution"]) == (True, False)
    assert code["tags"] == ["letta_builtin"] and code["source_code"] is None and code["source_type"] == "python"
    assert "run_code" in [tool["name"] for tool in api.get("/v1/tools?tool_types=letta_builtin")]


def test_a_model_runs_a_program_and_reads_what_came_of_it(api, model):
    agent = agent_with(api, "run_code")
    code = "import math\nprint('hi')\nmath.factorial(5)"

    answer = api.post(f"/v1/agents/{agent}/messages", {"input": "@call run_code " + json.dumps({"code": code, "language": "python"})})

    [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert told["status"] == "success"
    assert json.loads(told["tool_return"]) == {"results": ["120"], "logs": {"stdout": ["hi\n"], "stderr": []}}
    assert "120" in [m for m in model.requests()[-1]["messages"] if m["role"] == "tool"][-1]["content"]


PYTHON = [
    ("1 + 1", ["2"], "", ""), ("'text'", ["'text'"], "", ""), ("None", [], "", ""), ("x = 3", [], "", ""), ("", [], "", ""),
    ("x = 3\nx * 2", ["6"], "", ""), ("print('a'); print('b')", [], "a\nb\n", ""), ("import sys\nprint('e', file=sys.stderr)", [], "", "e\n"),
    ("import asyncio\nasync def f(): return 7\nawait f()", ["7"], "", ""), ("if __name__ == '__main__':\n    print(1)", [], "1\n", ""),
    ("class A:\n    def __repr__(self): raise ValueError\nA()", ["<A, whose repr raises ValueError>"], "", ""), ("'\\ud800'", ["'\\ud800'"], "", ""),
]


@pytest.mark.parametrize("code, results, out, err", PYTHON)
def test_python(api, code, results, out, err):
    made = run(api, agent_with(api, "run_code"), "run_code", code=code, language="python")

    assert made == {"results": results, "logs": {"stdout": [out] if out else [], "stderr": [err] if err else []}}


FAILURES = [("1 / 0", "ZeroDivisionError", "division by zero"), ("def (", "SyntaxError", ""), ("import sys; sys.exit(3)", "SystemExit", "3"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt", ""), ("import os; os._exit(9)", "Crash", "exit code 9"),
            ("import ctypes; ctypes.string_at(0)", "Crash", ""), ("x = 'a' * (1 << 40)", "MemoryError", ""),
            ("def f(): f()\nf()", "RecursionError", "")]


@pytest.mark.parametrize("code, name, value", FAILURES)
def test_a_program_that_fails_says_how(api, code, name, value):
    agent = agent_with(api, "run_code")
    made = run(api, agent, "run_code", code="print('before')\n" + code, language="python")

    assert made["error"]["name"] == name and value in made["error"]["value"] and set(made["error"]) == {"name", "value", "traceback"}
    assert made["results"] == [] and list(made)[:2] == EXECUTION
    assert name in ("Crash", "SyntaxError") or made["logs"]["stdout"] == ["before\n"] and name in made["error"]["traceback"]
    assert run(api, agent, "run_code", code="6 * 7", language="python")["results"] == ["42"]


JAVASCRIPT = [
    ("1 + 1", ["2"], ""), ("const a = [1, 'b']; a", ["[ 1, 'b' ]"], ""), ("console.log('hi')", [], "hi\n"), ("let x = 3", [], ""), ("null", ["null"], ""),
    ("Promise.resolve(7)", ["7"], ""), ("require('node:path').join('a', 'b')", ["'a/b'"], ""), ("import path from 'node:path'; console.log(path.sep)", [], "/\n"),
    ("const v = await Promise.resolve(3); console.log(v)", [], "3\n"), ("10n", ["10n"], ""), ("const a = {}; a.a = a; a", ["<ref *1> { a: [Circular *1] }"], ""),
]


@node
@pytest.mark.parametrize("code, results, out", JAVASCRIPT)
def test_javascript(api, code, results, out):
    made = run(api, agent_with(api, "run_code"), "run_code", code=code, language="js")

    assert made == {"results": results, "logs": {"stdout": [out] if out else [], "stderr": []}}


@node
@pytest.mark.parametrize("code, name", [("throw new TypeError('no')", "TypeError"), ("let (", "SyntaxError"), ("await Promise.reject(new RangeError('x'))", "RangeError"),
                                        ("setTimeout(() => { throw new Error('late') }, 1); await new Promise(() => setTimeout(() => {}, 1e5))", "Error"), ("process.exit(3)", "Crash")])
def test_javascript_that_fails_says_how(api, code, name):
    agent = agent_with(api, "run_code")

    assert run(api, agent, "run_code", code=code, language="js")["error"]["name"] == name
    assert run(api, agent, "run_code", code="6 * 7", language="js")["results"] == ["42"]


@pytest.mark.parametrize("language", ["r", "java"])
def test_a_language_that_is_not_there_is_refused_with_those_that_are(api, language):
    agent = agent_with(api, "run_code")
    made = api.post(f"/v1/agents/{agent}/tools/run_code/run", {"args": {"code": "1", "language": language}})

    assert made["status"] == "error" and f"'{language}'" in made["stderr"][0] and "python" in made["stderr"][0]


@pytest.mark.parametrize("arguments, word", [({"code": "1"}, "language"), ({"language": "python"}, "code"), ({"code": "1", "language": "cobol"}, "language"),
                                             ({"code": 1, "language": "python"}, "code"), ({"code": "1", "language": "python", "x": 1}, "x")])
def test_arguments_that_do_not_fit_are_named(api, arguments, word):
    agent = agent_with(api, "run_code")
    made = api.post(f"/v1/agents/{agent}/tools/run_code/run", {"args": arguments})

    assert made["status"] == "error" and word in made["stderr"][0] and made["func_return"] is None


@pytest.mark.parametrize("tool", ["run_code", "run_code_with_tools"])
def test_tools_in_python_stand_in_front_and_one_that_cannot_be_loaded_is_left_out(api, tool):
    agent = agent_with(api, tool, sources=[ADD, BROKEN, SHOUT], secrets={"WORD": "hello"})
    language = {"language": "python"} if tool == "run_code" else {}
    made = run(api, agent, tool, code="print(shout())\nadd(20, 22)", **language)

    out, err = (made["logs"]["stdout"], made["logs"]["stderr"]) if tool == "run_code" else (made["stdout"], made["stderr"])
    assert out == [f"HELLO{agent}\n"] and "'broken'" in err[0] and "no_such_module" in err[0]
    assert (made["results"] == ["42"]) if tool == "run_code" else (made["status"], made["func_return"]) == ("success", 42)


def test_other_tools_are_functions(api):
    agent = agent_with(api, "run_code_with_tools", "memory_insert", "core_memory_append", "conversation_search", sources=[ADD],
                       memory_blocks=[{"label": "human", "value": "Name: Grace."}])
    code = """
for n in range(3):
    core_memory_append("human", f"fact {add(n, 1)}")
memory_insert(label="human", new_string="last")
[len(str(conversation_search(query="x"))) > 0]
"""
    made = run(api, agent, "run_code_with_tools", code=code)

    assert (made["status"], made["func_return"]) == ("success", [True]), made
    assert api.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"].split("\n") == ["Name: Grace.", "fact 1", "fact 2", "fact 3", "last"]


def test_in_the_loop_too_what_they_change_of_the_memory_is_kept(api):
    agent = agent_with(api, "run_code_with_tools", "core_memory_append", memory_blocks=[{"label": "human", "value": "a"}])
    code = 'core_memory_append(label="human", content="b")\n"done"'

    answer = api.post(f"/v1/agents/{agent}/messages", {"input": "@call run_code_with_tools " + json.dumps({"code": code})})

    [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert json.loads(told["tool_return"]) == {"status": "success", "func_return": "done", "stdout": [], "stderr": []}
    assert api.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"] == "a\nb"


def test_a_tool_that_fails_raises_what_it_said(api):
    agent = agent_with(api, "run_code_with_tools", "core_memory_append", memory_blocks=[{"label": "human", "value": "a"}])
    made = run(api, agent, "run_code_with_tools", code='core_memory_append(label="nobody", content="b")')

    assert made["status"] == "error" and made["func_return"] is None and "nobody" in made["stderr"][0] and "RuntimeError" in made["stderr"][0]
    made = run(api, agent, "run_code_with_tools", code="core_memory_append(1, 2, 3, 4, 5, 6)")
    assert "takes 2 arguments" in made["stderr"][0]


def test_a_tool_that_needs_an_approval_needs_it_here_too(api):
    rules = [{"type": "requires_approval", "tool_name": name} for name in ("core_memory_append", "add")]
    agent = agent_with(api, "run_code_with_tools", "run_code", "core_memory_append", sources=[ADD], tool_rules=rules, memory_blocks=[{"label": "human", "value": "a"}])

    for code in ("core_memory_append('human', 'b')", "add(1, 2)"):
        assert "needs an approval" in run(api, agent, "run_code_with_tools", code=code)["stderr"][0]
    assert run(api, agent, "run_code", code="add(1, 2)", language="python")["error"]["name"] == "NameError"
    assert api.get(f"/v1/agents/{agent}/core-memory/blocks/human")["value"] == "a"


def test_a_tool_that_waits_for_the_agent_itself_is_refused(api):
    agent = agent_with(api, "run_code_with_tools", "send_message_to_agent_and_wait_for_reply")
    code = f"send_message_to_agent_and_wait_for_reply(message='hi', other_agent_id='{agent}')"
    answer = api.post(f"/v1/agents/{agent}/messages", {"input": "@call run_code_with_tools " + json.dumps({"code": code})})

    [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert "can't wait for an answer of its own" in json.loads(told["tool_return"])["stderr"][0]
    assert api.post(f"/v1/agents/{agent}/messages", {"input": "@say still here"})["messages"][-1]["content"] == "still here"


def test_what_is_long_loses_its_middle_and_the_rest_is_still_json(api):
    agent = agent_with(api, "run_code")
    made = run(api, agent, "run_code", code="print('a' + 'é' * 100_000 + 'b')\n'c' * 100_000", language="python")

    [out], [result] = made["logs"]["stdout"], made["results"]
    assert out.startswith("aé") and out.endswith("éb\n") and "85003 characters left out" in out and len(out) < 16_000
    assert result.startswith("'c") and result.endswith("c'") and len(result) < 16_000


ATTACKS = ["import os\nwhile True:\n    try: os.fork()\n    except OSError: break", "print('x' * 3_000_000)", "open('/tmp/f', 'wb').write(b'x' * (200 << 20))",
           "import socket; socket.create_connection(('127.0.0.1', 8283), 1)", "open('/etc/passwd').read()", "import subprocess; subprocess.run(['sh', '-c', 'cat /proc/1/environ'], check=True)"]


@pytest.mark.parametrize("code", ATTACKS)
def test_the_server_is_well_after_a_bad_program(api, code):
    agent = agent_with(api, "run_code")
    made = api.post(f"/v1/agents/{agent}/tools/run_code/run", {"args": {"code": code, "language": "python"}})

    assert len(made["func_return"]) < 3_000_000
    assert run(api, agent, "run_code", code="6 * 7", language="python")["results"] == ["42"]


def test_a_program_without_end_is_ended(walled, own_server, model):
    own = own_server({**model.environment(), "TOOL_SANDBOX_TIMEOUT": "1"}).start()
    agent = agent_with(own.http(2), "run_code", "run_code_with_tools")

    made = run(own.http(2), agent, "run_code", code="print('on', flush=True)\nwhile True: pass", language="python")
    assert made["error"]["name"] == "Timeout" and made["logs"]["stdout"] == ["on\n"]
    made = run(own.http(2), agent, "run_code_with_tools", code="while True: pass")
    assert made["status"] == "error" and "1 s" in made["stderr"][0]
    assert own.stop() == 0
