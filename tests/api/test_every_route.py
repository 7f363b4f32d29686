"""Bad input on every route that the server's own document names: the API's status and shape, the field named, never a 500,
never a crash, nothing changed. A new route is covered the moment it is in a table."""

import json
import re
import urllib.parse

import folder_files
import mcp_server
import mock_anthropic
import pytest
import stele

GONE = "00000000-0000-4000-8000-00000000dead"
PREFIXES = {"agent_id": "agent", "conversation_id": "conv", "block_id": "block", "tool_id": "tool", "run_id": "run", "step_id": "step", "message_id": "message", "job_id": "job",
            "scheduled_message_id": "sched", "batch_id": "job", "group_id": "group", "sandbox_config_id": "sandbox", "env_var_id": "sandbox-env", "mcp_server_id": "mcp_server",
            "provider_id": "provider", "key_id": "key", "feed_id": "feed", "subscription_id": "feed_subscription", "pipeline_id": "pipeline",
            "archive_id": "archive", "passage_id": "passage", "memory_id": "passage", "folder_id": "source", "source_id": "source", "file_id": "file",
            "repository_id": "repository"}
NAMES = {"block_label": "human", "transaction_id": "t", "tool_name": "memory_insert", "composio_app_name": "app", "composio_action_name": "action", "mcp_server_name": "nobody", "mcp_tool_name": "echo",
         "session_id": "mcp-oauth-00000000", "token": "ste_nobody", "identity_id": "nobody", "trash_id": f"trash-{GONE}",
         "project_id": "default-project", "projectId": "default-project", "template_name": "everything", "template_version": "everything:current", "name": "everything",
         "template_id": "everything", "templateId": "everything", "deployment_id": f"deployment-{GONE}", "folder_name": "everything", "source_name": "everything", "endpoint": "models/x", "path": "x", "repository": "everything.git",
         "deviceId": "everything", "connectionId": "nobody", "id": "everything", "sandboxId": f"sandbox-{GONE}"}
SOURCE = 'def f() -> int:\n    """Counts."""\n    return 1\n'
DEEP = b'{"a":' * 200 + b"1" + b"}" * 200
ELSEWHERE = {"/v1/providers/chatgpt-usage", "/v1/git/{path}"}  # nothing is there, whatever is asked
NOT_FOR_IDS = {"/v1/steps/{step_id}/trace", "/v1/telemetry/{step_id}"}  # null for an unknown step

# Values of other kinds than a schema asks for. A text of digits counts as a number, 0 and 1 as flags: clients send both.
WRONG = {"string": [5, True, [], {}], "integer": ["many", 1.5, [], {}, True], "number": ["many", [], {}], "boolean": ["perhaps", 7, [], {}],
         "array": [5, "text", {}], "object": [5, "text", []]}


@pytest.fixture(scope="module")
def upstream():
    made = mock_anthropic.MockAnthropic()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(model, upstream, tmp_path_factory):
    """One that may speak with the servers of this file."""
    keys = {"ANTHROPIC_BASE_URL": upstream.url, "ANTHROPIC_API_KEY": "k", "ZAI_BASE_URL": upstream.url, "ZAI_API_KEY": "k"}
    running = stele.Server(tmp_path_factory.mktemp("routes"), {**model.environment(), **keys}, ["--tools-mcp-private", "true", "--providers-private", "true", "--trash-days", "1"]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(scope="module")
def peer():
    made = mcp_server.McpServer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def document(server):
    return server.http().get("/openapi.json")


@pytest.fixture(scope="module")
def world(server, peer, model):
    """One of everything, and a way to see whether it changed."""
    http = server.http(1)
    agent = http.post("/v1/agents", {"tags": ["git-memory-enabled"], "memory_blocks": [{"label": "human", "value": "Grace"}]})
    repository = http.post("/v1/repositories", {"name": "everything"})["id"]
    http.post(f"/v1/agents/{agent['id']}/repositories", {"repository_id": repository})
    http.post("/v1/environments/register", {"deviceId": "everything", "connectionName": "c"})
    box = http.post("/v1/sandboxes", {"agentId": agent["id"]})["sandboxId"]
    message = http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": "hello"}]})["messages"][0]
    conversation = http.post(f"/v1/conversations?agent_id={agent['id']}")
    for _ in range(2):
        http.post(f"/v1/conversations/{conversation['id']}/messages", {"input": "hello", "streaming": False})
    group = http.post("/v1/groups", {"agent_ids": [agent["id"]], "description": "d"})
    words = [{"role": "user", "content": "hello"}]
    plan = http.post(f"/v1/agents/{agent['id']}/schedule", {"messages": words, "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}})
    batch = http.post("/v1/batches", {"requests": [{"agent_id": agent["id"], "messages": words}]})
    stele.wait_until(lambda: http.get(f"/v1/batches/{batch['id']}")["status"] == "completed")
    mcp = http.post("/v1/mcp-servers", {"server_name": "nobody", "config": {"mcp_server_type": "streamable_http", "server_url": peer.url}})
    echo = next(tool for tool in http.get(f"/v1/mcp-servers/{mcp['id']}/tools") if tool["name"] == "echo")
    tool = http.post("/v1/tools", {"name": "everything", "description": "d"})
    http.patch(f"/v1/agents/{agent['id']}/tools/attach/{tool['id']}")
    sandbox = http.post("/v1/sandbox-config/local/default")
    feed = http.post("/v1/feeds", {"project_id": "default-project", "name": "f"})
    http.post(f"/v1/feeds/{feed['id']}/messages", {"messages": [{"content": "news"}]})
    subscription = http.post(f"/v1/feeds/{feed['id']}/subscribe", {"agent_id": agent["id"], "cron_schedule": "0 0 29 2 *"})
    pipeline = http.post("/v1/pipelines", {"name": "p", "project_id": "default-project", "integration_type": "custom_webhook", "producer_config": {"type": "custom_webhook", "data": {}}})["pipeline"]
    author = http.post("/v1/agents", {"memory_blocks": []})
    http.post(f"/v1/feeds/{feed['id']}/subscribe", {"agent_id": author["id"], "cron_schedule": "0 0 29 2 *"})
    template = http.post("/v1/templates", {"type": "agent", "agent_id": author["id"], "name": "everything"})
    deployment = http.post("/v1/templates/everything/agents")["deployment_id"]
    variable = http.post(f"/v1/sandbox-config/{sandbox['id']}/environment-variable", {"key": "EVERYTHING", "value": "v"})
    provider = http.post("/v1/providers", {"name": "everything", "provider_type": "openai", "api_key": "k", "base_url": model.environment()["OPENAI_BASE_URL"]})
    organization = http.post("/v1/admin/orgs", {"name": "o"})
    user = http.post("/v1/admin/users", {"name": "u", "organization_id": organization["id"]})
    key = http.post("/v1/admin/keys", {"name": "k", "user_id": user["id"]})
    memory = http.post(f"/v1/agents/{agent['id']}/archival-memory", {"text": "kept"})[0]
    folder = http.post("/v1/folders", {"name": "everything"})["id"]
    file = folder_files.upload(http, folder, "a.txt", "kept")["id"]
    http.patch(f"/v1/agents/{agent['id']}/folders/attach/{folder}")
    archive = http.post("/v1/archives", {"name": "everything"})
    passage = http.post(f"/v1/archives/{archive['id']}/passages", {"text": "kept"})
    identity = http.post("/v1/identities/", {"identifier_key": "everything", "name": "n", "identity_type": "user"})["id"]
    return {**NAMES, "repository_id": repository, "connectionId": box, "sandboxId": box, "folder_id": folder, "source_id": folder, "file_id": file, "archive_id": archive["id"], "passage_id": passage["id"], "memory_id": memory["id"], "feed_id": feed["id"], "feed_message_id": http.get(f"/v1/feeds/{feed['id']}/messages")["messages"][0]["id"], "subscription_id": subscription["id"], "pipeline_id": pipeline["id"],
            "author_id": author["id"], "template_id": template["id"], "deployment_id": deployment, "identity_id": identity, "trash_id": deleted_block(http), "provider_id": provider["id"], "provider_url": provider["base_url"], "org_id": organization["id"], "user_id": user["id"], "key_id": key["id"], "mcp_server_id": mcp["id"], "mcp_tool_id": echo["id"], "mcp_url": peer.url, "sandbox_config_id": sandbox["id"], "env_var_id": variable["id"],
            "scheduled_message_id": plan["id"], "batch_id": batch["id"], "group_id": group["id"], "agent_id": agent["id"], "conversation_id": conversation["id"],
            "block_id": agent["blocks"][0]["id"], "tool_id": tool["id"], "run_id": message["run_id"], "step_id": message["step_id"], "message_id": message["id"],
            "job_id": message["run_id"]}


def deleted_block(http) -> str:
    block = http.post("/v1/blocks", {"label": "deleted"})["id"]
    http.delete(f"/v1/blocks/{block}")
    return block


def snapshot(http, world) -> list:
    return [http.get(f"/v1/agents/{world['agent_id']}"), http.get(f"/v1/agents/{world['agent_id']}/messages"),
            http.get(f"/v1/steps/{world['step_id']}"), http.get(f"/v1/runs/{world['run_id']}"), http.get("/v1/agents/count"),
            http.get("/v1/blocks/count"), http.get("/v1/tools/count"), http.get(f"/v1/agents/{world['agent_id']}/schedule"), http.get("/v1/batches?limit=1"),
            http.get(f"/v1/tools/{world['tool_id']}"), http.get("/v1/sandbox-config"), http.get("/v1/mcp-servers"), http.get(f"/v1/sandbox-config/{world['sandbox_config_id']}/environment-variable")]


def operations(document, method=None):
    for path, methods in document["paths"].items():
        for verb, operation in methods.items():
            if (verb, path) == ("get", "/v1/providers/check") or path.endswith("/socket"):  # asks a provider at its own address; opens a WebSocket
                continue
            if path.startswith("/v1") and method in (None, verb.upper()):
                yield verb.upper(), path, operation


def filled(path: str, world: dict, **other) -> str:
    for name in list(PREFIXES) + list(NAMES):
        value = world.get("mcp_tool_id") if name == "tool_id" and path.startswith("/v1/mcp-servers/") else world.get(name)
        if name == "message_id" and path.startswith("/v1/feeds/"):
            value = world.get("feed_message_id")
        path = path.replace("{" + name + "}", urllib.parse.quote(other.get(name, value or name)))
    assert "{" not in path, f"tell this test how to fill {path}"
    needed = {"/v1/folders/by-name": "?name=everything", "/v1/sources/by-name": "?name=everything", "/v1/agents/export": f"?agent_id={world.get('agent_id')}", "/v1/telemetry/provider-trace": f"?step_id={world.get('step_id')}", "/v1/tools/mcp-tools-by-server": "?mcp_server_name=nobody",
              "/v1/admin/orgs": f"?org_id={world.get('org_id')}", "/v1/admin/users": f"?user_id={world.get('user_id')}",
              "/v1/device-storage-key": "?deviceId=d"}
    if path.endswith("/info/refs"):
        return path + "?service=git-upload-pack"
    if "/memory-files/" in path and not path.endswith("/directory"):
        return path + "?file_path=human.md"
    if path.startswith("/v1/sources/") and path.endswith("/files"):
        return path + f"?file_id={world.get('file_id')}"
    return path + ("?requires_approval=false" if "/tools/approval/" in path else needed.get(path, ""))


def needed(path: str, world: dict, text: str) -> dict:
    """A body that every operation with a needed one takes."""
    spoken = [{"role": "user", "content": text}]
    if path.endswith("/ephemeral") or path.endswith("/v1/messages") and path.startswith(("/v1/anthropic", "/v1/zai")):
        return {"model": "stele/offline", "system": text, "messages": spoken}
    if path.startswith("/v1/conversations") and path.endswith("/summarize"):
        return {"prompt": text, "messages": spoken}
    if path.endswith("/capture"):
        return {"provider": "p", "model": "m", "request_messages": spoken, "response_dict": {"content": text}}
    if path.endswith("/reflection"):
        return {"reflected_through_message_id": world["message_id"]}
    if path.endswith("/repositories"):
        return {"name": f"r{len(text)}", "repository_id": world["repository_id"]}
    if path.startswith(("/v1/environments", "/v1/sandboxes")):
        return {"deviceId": "another", "connectionName": "c", "messages": [{**spoken[0], "client_message_id": "c"}], "targetConnectionId": world["connectionId"], "idempotencyKey": text,
                **({} if path.endswith("/register") else {"agentId": world["agent_id"]})}
    if path.endswith("/chat/completions"):
        return {"model": world["agent_id"], "messages": [{"role": "user", "content": text}]}
    if path.endswith("/schedule"):
        return {"messages": [{"role": "user", "content": text}], "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}}
    if path.endswith("/batches"):
        return {"requests": [{"agent_id": world["agent_id"], "messages": [{"role": "user", "content": text}]}]}
    if path.endswith("/messages/{message_id}"):
        return {"content": text}
    if path == "/v1/tools":
        return {"name": "everything"}
    if "/tools/run" in path or path.endswith("/generate-schema"):
        return {"source_code": SOURCE, "code": SOURCE, "args": {}}
    if path.endswith("/generate-tool"):
        return {"tool_name": "f", "prompt": text}
    if path.startswith("/v1/sandbox-config"):
        return {"config": {}, "key": "K" + GONE.replace("-", "_"), "value": text}
    if path.startswith(("/v1/mcp-servers", "/v1/tools/mcp")) and "mcp_url" in world:
        given = {"args": {"message": text}} if path.endswith(("/run", "/execute")) else {}
        return {"server_name": f"{text} {path}", "config": {"server_url": world["mcp_url"]}, "server_url": world["mcp_url"], "mcp_server_name": "nobody", "mcp_tool_name": "echo", **given}
    if path == "/v1/providers":
        return {"name": f"provider-{len(text)}", "provider_type": "openai", "api_key": "k", "base_url": world.get("provider_url", "http://127.0.0.1:9")}
    if path.startswith("/v1/admin"):
        return {"name": text, "id": world["user_id"], "organization_id": world["org_id"]}
    if path.startswith("/v1/metadata"):
        return {"message": text, "service": "letta-code", "events": [{}]}
    if path.endswith("tokens"):
        return {"policy": [{"type": "agent", "id": world["agent_id"], "access": ["read_agent"]}], "hostname": "https://pages.example"}
    if path == "/v1/identities":
        return {"identifier_key": text, "name": text, "identity_type": "user"}
    if path.endswith("/restore"):
        return {"version": 1}
    if path == "/v1/projects":
        return {"name": "Unknown members"}
    if path.startswith(("/v1/templates", "/v1/legacy-templates")):
        return {"type": "agent", "agent_id": world.get("author_id", world["agent_id"]), "agent_file_json": {"agents": [{"id": "agent-0"}]}, "version": "1", "new_name": "everything",
                "deployment_id": world["deployment_id"], "agents": [{"model": "stele/offline", "systemPrompt": text, "entityId": "e"}]}
    if path.endswith("/migrate"):
        return {"to_template": "everything"}
    if path.startswith("/v1/_internal_templates/"):
        ids = {name: "x" for name in ("template_id", "base_template_id", "deployment_id", "entity_id")}
        made = {**ids, "label": "human", "value": text, "agent_ids": [world["agent_id"]], "description": text}
        return [made] if path.endswith("/batch") else made
    if path.startswith(("/v1/feeds", "/v1/pipelines")):
        config = {"type": "custom_webhook", "data": {}}
        if path.endswith("/unsubscribe"):
            return {"agent_id": world.get("author_id", world["agent_id"])}
        return {"name": "n", "project_id": "default-project", "messages": [{"content": text}], "agent_id": world["agent_id"], "cron_schedule": "0 0 29 2 *", "integration_type": "custom_webhook",
                "producer_config": config}
    if "/archives" in path or path.endswith("/archival-memory"):
        return {"name": text, "text": text, "passages": [{"text": text}]}
    if path.endswith("/cache-warm"):
        return {"collection": "messages", "scope": {}}
    if path in ("/v1/folders", "/v1/sources"):
        return {"name": f"{text} {path}"}
    if path == "/v1/groups":
        return {"agent_ids": [world["agent_id"]], "description": text}
    return {"label": "unknown members", "input": text, "prompt": text, "query": text}


def resolved(document, schema: dict) -> dict:
    if "$ref" in schema:
        return resolved(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        alternatives = [resolved(document, each) for each in schema["anyOf"] if each.get("type") != "null"]
        return alternatives[0] if len(alternatives) == 1 else {}
    return schema


def bodies(document):
    """Every operation that takes an object as its body, with the body's schema."""
    for method, path, operation in operations(document):
        if "application/json" in operation.get("requestBody", {}).get("content", {}) and not path.endswith(("/properties", "/blocks/batch")):  # lists
            yield method, path, resolved(document, operation["requestBody"]["content"]["application/json"]["schema"]), operation["requestBody"]["required"]


def refusal(http, method, path, statuses, **more) -> stele.Refused:
    try:
        status, text, _ = http.send(method, path, **more)
    except stele.Refused as failed:
        assert failed.status in statuses, f"{method} {path} {more}: {failed}"
        if method != "HEAD":
            assert "detail" in failed.body, failed.text
        return failed
    raise AssertionError(f"{method} {path} {str(more)[:200]} was taken: {status} {text[:200]}")


BROKEN = [
    # what is sent, status, the place that is named
    (b"{", 422, "body"), (b"{]", 422, "body"), (b"nonsense", 422, "body"), (b"[]", 422, "body"), (b"5", 422, "body"), (b'"text"', 422, "body"),
    (b"null", 422, "body"), (b'{"a":1}{"b":2}', 422, "body"), (b'{"a":1,"a":2}', 422, "body.a"), (DEEP, 422, "body"), (b'{"a":1e999}', 422, "body"),
    (b'{"a":99999999999999999999999}', 422, "body"), (b'{"a":"\\ud800"}', 400, "UTF-8"), (b'{"a":"\xff\xfe"}', 400, "UTF-8"), (b"\xff\xfe", 400, "UTF-8"),
    (b'{"a":"\x01"}', 422, "body"), (b'{"a":NaN}', 422, "body"), (b"{'a':1}", 422, "body"), (b'{"a":1,}', 422, "body"),
]


@pytest.mark.parametrize("raw, status, named", BROKEN, ids=range(len(BROKEN)))
def test_broken_bodies(server, document, world, raw, status, named):
    http = server.http(2)
    before = snapshot(http, world)
    for method, path, _, required in bodies(document):
        if raw == b"null" and not required:
            continue  # as good as no body
        failed = refusal(http, method, filled(path, world), {status}, raw=raw)
        if status == 422:
            assert named in [".".join(map(str, problem["loc"])) for problem in failed.body["errors"]], failed.text
        else:
            assert named in failed.body["detail"]
    assert snapshot(http, world) == before


def test_a_missing_body_is_refused_where_one_is_needed(server, document, world):
    for method, path, _, required in bodies(document):
        if required:
            refusal(server.http(2), method, filled(path, world), {422})


def wrong_values(document, schema: dict):
    schema = resolved(document, schema)
    return WRONG.get(schema.get("type"), [])


def test_every_member_of_every_body_with_a_value_of_another_kind(server, document, world):
    http = server.http(2)
    before = snapshot(http, world)
    tried = 0
    for method, path, schema, _ in bodies(document):
        whole = {name: "x" for name in schema.get("required", [])}
        for name, member in schema["properties"].items():
            for value in wrong_values(document, member):
                failed = refusal(http, method, filled(path, world), {422}, body={**whole, name: value})
                assert [problem for problem in failed.body["errors"] if problem["loc"][:2] == ["body", name]], f"{method} {path} {name}={value}: {failed}"
                tried += 1
    assert tried > 300
    assert snapshot(http, world) == before


def test_members_within_members_are_named_by_their_place(server, document, world):
    http = server.http(2)
    before = snapshot(http, world)
    for method, path, schema, _ in bodies(document):
        whole = {name: "x" for name in schema.get("required", [])}
        for name, member in schema["properties"].items():
            member = resolved(document, member)
            inner, place = (resolved(document, member["items"]), [name, 0]) if member.get("type") == "array" else (member, [name])
            if inner.get("type") == "object":
                cases = [({each: value}, place + [each]) for each, kind in inner.get("properties", {}).items() for value in wrong_values(document, kind)[:2]]
            else:
                cases = [(value, place) for value in wrong_values(document, inner)] if member.get("type") == "array" else []
            for value, where in cases:
                sent = {**whole, name: [value] if member.get("type") == "array" else value}
                failed = refusal(http, method, filled(path, world), {422}, body=sent)
                assert ["body", *where] in [problem["loc"] for problem in failed.body["errors"]], f"{method} {path} {sent}: {failed}"
    assert snapshot(http, world) == before


HUGE = [2**63 - 1, -(2**63), 2**31, -1, 1e300, -1e300]


def test_huge_numbers_are_refused_or_kept_but_never_break_anything(server, document):
    http = server.http(2)
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human"}]})
    world = {**{name: f"{prefix}-{GONE}" for name, prefix in PREFIXES.items()}, **NAMES, "agent_id": agent["id"], "block_id": http.post("/v1/blocks", {"label": "huge"})["id"]}
    for method, path, schema, _ in bodies(document):
        whole = {name: "x" for name in schema.get("required", [])}
        for name, member in schema["properties"].items():
            if resolved(document, member).get("type") not in ("integer", "number"):
                continue
            for number in HUGE:
                try:
                    status, text, _ = http.send(method, filled(path, world), {**whole, name: number})
                    assert json.loads(text) is not None
                except stele.Refused as failed:
                    assert failed.status in (400, 404, 409, 422), f"{method} {path} {name}={number}: {failed}"
    assert http.get(f"/v1/agents/{agent['id']}")["id"] == agent["id"]


def test_malformed_ids_foreign_ids_and_unknown_ids(server, document, world):
    http = server.http(2)
    before = snapshot(http, world)
    for method, path, operation in operations(document):
        for name in [p["name"] for p in operation["parameters"] if p["in"] == "path" and p["name"] in PREFIXES]:
            prefix = PREFIXES[name]
            foreign = "tool" if prefix == "agent" else "agent"
            body = {"body": {}} if "requestBody" in operation else {}
            if operation.get("requestBody", {}).get("required"):
                body = {"body": needed(path, world, "x")}
            for bad in ("nonsense", prefix, f"{prefix}-", f"{prefix}-{GONE}".upper(), f" {prefix}-{GONE}", f"{prefix}-{GONE}0", f"{foreign}-{GONE}",
                        f"{prefix}-{GONE[:-1]}g", "x" * 5000, "'; DROP TABLE agent; --", "%00", "\u00fc"):
                # An agent's id stands for its default conversation and for its own repository, so an unknown one is not malformed.
                statuses = {422, 405, 400} | ({404} if name in ("conversation_id", "repository_id") and bad.startswith("agent-") else set())
                failed = refusal(http, method, filled(path, world, **{name: bad}), statuses, **body)
                if failed.status == 422:
                    assert failed.body["errors"][0]["loc"] == ["path", name] and f"'{prefix}-{{uuid4}}'" in failed.body["detail"], f"{path} {bad}: {failed}"
            if path in NOT_FOR_IDS:
                assert http.get(filled(path, world, **{name: f"{prefix}-{GONE}"})) is None
            elif "/detach/{tool_id}" in path and name == "tool_id":
                http.patch(filled(path, world, **{name: f"{prefix}-{GONE}"}))  # nothing to detach: no change
            else:
                failed = refusal(http, method, filled(path, world, **{name: f"{prefix}-{GONE}"}), {404, 405}, **body)
                assert failed.status == 405 or "not found" in failed.body["detail"].lower(), failed
    after = snapshot(http, world)
    assert after[1:] == before[1:] and after[0]["id"] == before[0]["id"]


BAD_QUERY = {"integer": ["many", "1.5", "99999999999999999999", "0x10"], "boolean": ["perhaps", "2"], "date-time": ["yesterday", "2026-13-45"]}


def test_every_query_parameter_with_a_value_of_another_kind(server, document, world):
    http = server.http(2)
    tried = 0
    for method, path, operation in operations(document, "GET"):
        target = filled(path, world)
        for parameter in operation["parameters"]:
            if parameter["in"] != "query":
                continue
            schema = parameter["schema"]
            schema = schema.get("items", schema)
            for value in BAD_QUERY.get(schema.get("format", schema["type"]), []):
                failed = refusal(http, method, f"{target}{'&' if '?' in target else '?'}{parameter['name']}={value}", {400, 422})
                if failed.status == 400:  # lists of the hosted API say it in their own form
                    assert failed.body["errorCode"] and f"query.{parameter['name']}" in failed.body["message"]
                else:
                    assert failed.body["errors"][0]["loc"] == ["query", parameter["name"]], failed
                tried += 1
            for value in ("%ff", "%zz", "%00"):
                refusal(http, method, f"{target}{'&' if '?' in target else '?'}{parameter['name']}={value}", {400, 422})
            for value in ("", "'", "%25", "_", "\\", "x" * 4000):  # odd, not wrong: found or not, filtered or refused
                try:
                    http.send(method, f"{target}{'&' if '?' in target else '?'}{parameter['name']}={urllib.parse.quote(value, safe='%')}")
                except stele.Refused as failed:
                    assert failed.status in (400, 404, 422), f"{target} {parameter['name']}={value}: {failed}"
    assert tried > 50


def test_unknown_members_and_parameters_are_ignored(server, document, world):
    http = server.http(2)
    for method, path, operation in operations(document):
        if method == "DELETE" or "messages/{message_id}" in path or "/detach/" in path:
            continue
        if "application/json" not in operation.get("requestBody", {"content": {"application/json": {}}})["content"]:
            continue
        if path.endswith(("/summarize", "/compact")):  # there has to be something to summarise
            http.post(f"/v1/agents/{world['agent_id']}/messages", {"input": "hello"})
        body = {"no_such_member": {"deep": [1, None]}, "requires_approval": False}
        if path.startswith("/v1/providers/check"):
            body["provider_id"] = world["provider_id"]
        if operation.get("requestBody", {}).get("required"):
            more = needed(path, world, "@say hello") if method in ("POST", "PUT") or path.startswith(("/v1/templates", "/v1/feeds", "/v1/pipelines")) or path.endswith("}/reflection") else {}
            body = more if isinstance(more, list) else {**body, **more}
        if path.endswith("/save-version"):
            body["template_name"] = world["template_name"]
        block = http.post("/v1/blocks", {"label": f"u{len(path)}{method}"})["id"] if "{block_id}" in path else world["block_id"]
        trash = deleted_block(http) if path.endswith("{trash_id}/restore") else world["trash_id"]
        box = http.post("/v1/sandboxes", {"agentId": world["agent_id"]})["sandboxId"] if path.endswith("/terminate") else world["sandboxId"]
        url = filled(path, world, block_id=block, trash_id=trash, sandboxId=box).split("?")[0]
        needs = {"/info/refs": "&service=git-upload-pack", "/content": "&file_path=human.md", "/history": "&file_path=human.md", "/device-storage-key": "&deviceId=d"}
        url += f"?no_such_parameter=1&no_such_parameter=2&step_id={world['step_id']}&agent_id={world['agent_id']}&mcp_server_name=nobody&mcp_tool_name=echo&org_id={world['org_id']}&folder_name=everything&source_name=everything{next((more for end, more in needs.items() if path.endswith(end)), '')}"
        try:
            http.send(method, url, body if method != "GET" else None)
        except stele.Refused as refused:  # for what the run or the agent is at the moment, or nothing is there to be compacted
            if path in ELSEWHERE:
                assert refused.status == 404
                continue
            if "/composio/" in path or path.endswith("/generate-tool"):  # gone for good; a model that answers in words
                assert refused.status in (410, 502), f"{method} {path}: {refused}"
                continue
            if refused.status == 503 and "Tools need" in refused.text:  # no sandbox on this machine
                continue
            assert refused.status in (400, 409) and "no_such" not in refused.text, f"{method} {path}: {refused}"


def test_wrong_verbs_name_the_right_ones(server, document, world):
    http = server.http(2)
    by_shape = {}  # the same path may name its parameters differently for each verb
    for path, methods in document["paths"].items():
        by_shape.setdefault(re.sub(r"\{\w+\}", "{}", path), {}).update(dict.fromkeys(methods, path))
    for methods in by_shape.values():
        path = next(iter(methods.values()))
        if not path.startswith("/v1"):
            continue
        for verb in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {name.upper() for name in methods}:
            failed = refusal(http, verb, filled(path, world), {405})
            assert failed.body == {"detail": "Method Not Allowed"}
            assert {name.upper() for name in methods} <= set(failed.headers["Allow"].split(", ")), failed.headers["Allow"]


@pytest.mark.parametrize("spelling", ["/v1{}", "{}", "/latest{}", "/v1/v1{}", "//v1//{}", "/v1{}/"])
def test_every_path_in_every_spelling(server, document, world, spelling):
    http = server.http(2)
    for method, path, _ in operations(document, "GET"):
        target = filled(path, world)
        if path in ELSEWHERE:
            refusal(http, "GET", spelling.format(target.removeprefix("/v1")), {404})
            continue
        plain = http.send("GET", target)[0]
        path_part, mark, query = target.removeprefix("/v1").partition("?")
        spelled = spelling.format(path_part) + mark + query
        assert http.send("GET", spelled)[0] == plain == 200, path
        assert http.send("HEAD", spelled)[0] == 200, path
