"""Organisations never see each other: every route of /openapi.json is walked with the key of one and the ids of another,
in path, query and body. A route that is new is walked the moment it is in a table; an id that this file has no maker for
gets one of its form that nobody has."""

import json
import re
import sqlite3
import sys
import time
import urllib.parse
import uuid

import folder_files
import mcp_server
import oauth_server
import pytest
import stele
from stele import refused, wait_until

ID = re.compile(r"\b[a-z_]+(?:-[a-z]+)?-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
WORDS = [{"role": "user", "content": "hello"}]
# Where something comes from is kept as it was said, whatever it names: it leads nowhere.
PLAIN = ("project_id", "template_id", "base_template_id", "deployment_id", "entity_id")
CHANGING = {"api_key", "schema_migration", "sqlite_sequence"}  # tables whose rows change by themselves


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    environment = {**model.environment(), "STELE_PASSWORD": "pw"}
    running = stele.Server(tmp_path_factory.mktemp("tenants"), environment, ["--tools-mcp-private", "true", "--trash-days", "1", "--tools-python", sys.executable]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(scope="module")
def peer():
    made = mcp_server.McpServer()
    yield made
    made.close()


class Noting(stele.Http):
    """Remembers every id that it was told."""

    seen: set

    def send(self, *arguments, **more):
        status, text, headers = super().send(*arguments, **more)
        self.seen |= set(ID.findall(text))
        return status, text, headers


class Tenant:
    """An organisation with one of everything that the API makes. `mark` stands in all of its texts."""

    def __init__(self, server, peer_url: str, mark: str):
        admin = server.http(headers={"Authorization": "Bearer pw"})
        self.mark = mark
        organization = admin.post("/v1/admin/orgs", {"name": mark})
        user = admin.post("/v1/admin/users", {"name": mark, "organization_id": organization["id"]})
        key = admin.post("/v1/admin/keys", {"name": mark, "user_id": user["id"]})
        self.http = Noting(server.url, headers={"Authorization": f"Bearer {key['key']}"})
        self.http.seen = {organization["id"], user["id"], key["id"]}
        self.ids = {"org_id": organization["id"], "user_id": user["id"], "key_id": key["id"], "mcp_server_name": mark, "peer_url": peer_url, **self.made(peer_url)}

    def made(self, peer_url) -> dict:
        http, mark = self.http, self.mark
        block = http.post("/v1/blocks", {"label": mark, "value": mark, "description": mark, "tags": [mark]})
        tool = http.post("/v1/tools", {"name": mark, "description": mark})
        agent = http.post("/v1/agents", {"name": mark, "description": mark, "memory_blocks": [{"label": "human", "value": mark}], "block_ids": [block["id"]],
                                         "tool_ids": [tool["id"]], "tags": [mark, "git-memory-enabled"], "secrets": {"KEY": mark}})
        said = http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": f"@say {mark} answers", "otid": f"otid of {mark}"}]})["messages"][0]
        conversation = http.post(f"/v1/conversations?agent_id={agent['id']}", {"summary": mark})
        http.post(f"/v1/conversations/{conversation['id']}/messages", {"input": f"@say {mark}", "streaming": False})
        group = http.post("/v1/groups", {"agent_ids": [agent["id"]], "description": mark})
        schedule = http.post(f"/v1/agents/{agent['id']}/schedule", {"messages": [{"role": "user", "content": mark}], "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}})
        batch = http.post("/v1/batches", {"requests": [{"agent_id": agent["id"], "messages": [{"role": "user", "content": f"@say {mark}"}]}]})
        wait_until(lambda: http.get(f"/v1/batches/{batch['id']}")["status"] == "completed")
        mcp = http.post("/v1/mcp-servers", {"server_name": mark, "config": {"mcp_server_type": "streamable_http", "server_url": peer_url, "auth_header": "X-Key", "auth_token": mark}})
        http.patch(f"/v1/mcp-servers/{mcp['id']}/refresh")
        sandbox = http.post("/v1/sandbox-config/local/default")
        variable = http.post(f"/v1/sandbox-config/{sandbox['id']}/environment-variable", {"key": "EVERYTHING", "value": mark})
        token = http.post("/v1/tokens", {"policy": [{"type": "agent", "id": agent["id"], "access": ["read_agent"]}], "hostname": "https://pages.example"})
        identity = http.post("/v1/identities", {"identifier_key": mark, "name": mark, "identity_type": "user", "agent_ids": [agent["id"]], "block_ids": [block["id"]]})
        provider = http.post("/v1/providers", {"name": mark, "provider_type": "openai", "api_key": mark, "base_url": "http://127.0.0.1:9"})
        project = http.post("/v1/projects", {"name": mark})
        template = http.post("/v1/templates", {"type": "agent", "agent_id": agent["id"], "name": mark})
        deployment = http.post(f"/v1/templates/{mark}/agents")["deployment_id"]
        feed = http.post("/v1/feeds", {"project_id": "default-project", "name": mark})
        http.post(f"/v1/feeds/{feed['id']}/messages", {"messages": [{"content": mark}]})
        subscription = http.post(f"/v1/feeds/{feed['id']}/subscribe", {"agent_id": agent["id"], "cron_schedule": "0 0 29 2 *", "prompt_template": mark})
        pipeline = http.post("/v1/pipelines", {"name": mark, "project_id": "default-project", "integration_type": "custom_webhook",
                                               "producer_config": {"type": "custom_webhook", "data": {"url": "http://127.0.0.1:9", "mark": mark}}})["pipeline"]
        memory = http.post(f"/v1/agents/{agent['id']}/archival-memory", {"text": mark, "tags": [mark]})[0]
        folder = http.post("/v1/folders", {"name": mark, "description": mark, "instructions": mark})["id"]
        file = folder_files.upload(http, folder, f"{mark}.txt", mark)["id"]
        http.patch(f"/v1/agents/{agent['id']}/folders/attach/{folder}")
        archive = http.post("/v1/archives", {"name": mark, "description": mark})
        passage = http.post(f"/v1/archives/{archive['id']}/passages", {"text": mark, "metadata": {"mark": mark}})
        repository = http.post("/v1/repositories", {"name": mark})
        http.post(f"/v1/agents/{agent['id']}/repositories", {"repository_id": repository["id"]})
        http.get(f"/v1/agents/{agent['id']}/memory-files/content?file_path=human.md")
        http.post("/v1/environments/register", {"deviceId": mark, "connectionName": mark, "metadata": {"mark": mark}})
        device = http.get(f"/v1/environments/{mark}")["id"]
        box = http.post(f"/v1/agents/{agent['id']}/sandboxes")["sandboxId"]
        thrown_away = http.post("/v1/blocks", {"label": f"{mark} is in the trash", "value": mark})["id"]
        http.delete(f"/v1/blocks/{thrown_away}")
        trash = http.get("/v1/trash")[0]
        busy = http.post("/v1/agents", {"name": f"{mark} is busy", "memory_blocks": [{"label": "human", "value": mark}]})
        run = http.post(f"/v1/agents/{busy['id']}/messages/async", {"messages": [{"role": "user", "content": f"@sleep 600000\n{mark}", "otid": f"otid at work of {mark}"}]})
        wait_until(lambda: http.get(f"/v1/runs/{run['id']}")["status"] == "running")
        self.at_work = {"agent_id": busy["id"], "run_id": run["id"], "job_id": run["id"]}
        return {"agent_id": agent["id"], "block_id": block["id"], "tool_id": tool["id"], "message_id": said["id"], "run_id": said["run_id"], "job_id": said["run_id"],
                "step_id": said["step_id"], "conversation_id": conversation["id"], "group_id": group["id"], "scheduled_message_id": schedule["id"], "batch_id": batch["id"],
                "mcp_server_id": mcp["id"], "sandbox_config_id": sandbox["id"], "env_var_id": variable["id"], "token": token["id"], "tool_name": mark, "block_label": "human",
                "mcp_tool_name": "echo", "identity_id": identity["id"], "provider_id": provider["id"], "project_id": project["id"], "projectId": project["id"],
                "template_id": template["id"], "templateId": template["id"], "template_name": mark, "template_version": mark, "deployment_id": deployment, "feed_id": feed["id"],
                "subscription_id": subscription["id"], "pipeline_id": pipeline["id"], "trash_id": trash["id"], "folder_id": folder, "source_id": folder, "file_id": file, "folder_name": mark, "source_name": mark, "archive_id": archive["id"],
                "passage_id": passage["id"], "memory_id": memory["id"],
                "repository_id": repository["id"], "repository": f"{mark}.git", "deviceId": mark, "id": device, "connectionId": box, "sandboxId": box, "endpoint": "models"}


@pytest.fixture(scope="module")
def world(server, peer):
    first, second = (Tenant(server, peer.url, f"{name}{uuid.uuid4().hex[:12]}") for name in ("first_", "second_"))
    document = server.http(headers={"Authorization": "Bearer pw"}).get("/openapi.json")
    yield first, second, document
    for tenant in (first, second):
        tenant.http.patch(f"/v1/jobs/{tenant.at_work['run_id']}/cancel")


def operations(document):
    """Those that ask for a credential; what is done with one thing comes before that thing is deleted."""
    found = [(verb.upper(), path, operation) for path, verbs in document["paths"].items() for verb, operation in verbs.items() if operation.get("security") != []]
    return sorted(found, key=lambda each: each[0] == "DELETE")


def value_of(name: str, ids: dict) -> str:
    """What stands for a parameter or member of this name: the id of the one whose ids these are."""
    single = re.sub(r"(_id)s$", r"\1", name)
    if single in ids:
        return ids[single]
    for known in ids:
        if known.endswith("_id") and single.endswith(known):  # manager_agent_id, last_message_id, ...
            return ids[known]
    return f"{single.removesuffix('_id').split('_')[-1]}-{uuid.uuid4()}" if single.endswith("_id") else ids.get(name, "x")


def resolved(document, schema: dict) -> dict:
    while "$ref" in schema or "anyOf" in schema or "oneOf" in schema:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        else:
            schema = next((each for each in schema.get("anyOf") or schema["oneOf"] if each.get("type") != "null"), {})
    return schema


def body_of(document, schema: dict, ids: dict, mark: str, name: str = "", depth: int = 0):
    """The smallest body that fits, with an id in every member that takes one and the mark where something is searched."""
    schema = resolved(document, schema)
    kind = schema.get("type")
    if kind == "array":
        return [body_of(document, schema["items"], ids, mark, name, depth + 1)]
    if kind == "object" or "properties" in schema:
        made = {}
        for member, inner in schema.get("properties", {}).items():
            wanted = member in schema.get("required", ()) or re.search(r"_ids?$", member) or member in ("query", "search", "label", "messages", "requests", "input")
            nested = depth < 4 and resolved(document, inner).get("type") in ("object", "array") and re.search(r"_config$|^manager", member)
            if wanted or nested:
                made[member] = body_of(document, inner, ids, mark, member, depth + 1)
        return made
    if kind in ("integer", "number", "boolean"):
        return {"integer": 1, "number": 1, "boolean": False}[kind]
    special = {"role": "user", "content": "hello", "input": "hello", "mcp_server_type": "streamable_http", "server_url": ids["peer_url"], "cron_expression": "0 0 29 2 *",
               "manager_type": "dynamic", "source_code": 'def f() -> int:\n    """Counts."""\n    return 1\n', "model": ids["agent_id"] if depth == 1 else "stele/offline", "access": "read_agent", "hostname": "https://pages.example",
               "type": "agent", "id": ids["agent_id"], "query": mark, "search": mark, "tid": "t", "agentId": ids["agent_id"], "targetConnectionId": ids["connectionId"], "conversationId": ids["conversation_id"]}
    if name.endswith(("_id", "_ids")):
        return value_of(name, ids)
    return special.get(name, f"x{uuid.uuid4().hex[:8]}")


def request_of(document, verb, path, operation, path_ids: dict, other_ids: dict, mark: str):
    """Path, query and body. `path_ids`: by name of the parameter."""
    if not path.startswith("/v1/templates"):
        other_ids = {name: value for name, value in other_ids.items() if name not in PLAIN}
    url = re.sub(r"\{(\w+)\}", lambda found: urllib.parse.quote(path_ids[found[1]], safe=""), path)
    query = [(p["name"], value_of(p["name"], other_ids)) for p in operation.get("parameters", ()) if p["in"] == "query" and re.search(r"_ids?$|^ids$|agentId|_name$|^deviceId$", p["name"])]
    query = [(name, value_of("agent_id", other_ids) if name in ("ids", "agentId") else value) for name, value in query]
    if query:
        url += "?" + urllib.parse.urlencode(query)
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return url, body_of(document, content["schema"], other_ids, mark) if content and verb != "GET" else None


def variants(path: str, mine: dict, theirs: dict):
    """All ids of the path foreign; each of them alone; and none, with foreign ones in query and body."""
    names = re.findall(r"\{(\w+)\}", path)
    for foreign in {tuple(names), *((name,) for name in names), ()}:
        yield {name: value_of(name, theirs if name in foreign else mine) for name in names}


def secret_of(first, second) -> set:
    """What the first has been told and the second has not; ids that every store has are no secret."""
    return {each for each in first.http.seen - second.http.seen if "-00000000-0000-4000-8000-" not in each}


def rows_naming(server, ids: set) -> dict:
    """Every row of the store that names one of these ids."""
    found = {}
    with sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE 'message_search%'")]
        for table in set(tables) - CHANGING:
            for row in store.execute(f"SELECT * FROM {table}"):
                if any(isinstance(value, str) and not ids.isdisjoint(ID.findall(value)) for value in row):
                    found.setdefault(table, set()).add(row)
    return found


def dump(tenant, document) -> dict:
    """What the tenant sees of its own, by every GET."""
    seen = {}
    for verb, path, operation in operations(document):
        if verb != "GET" or "/connect" in path or path in ("/openapi.json",):
            continue
        ids = {name: value_of(name, tenant.ids) for name in re.findall(r"\{(\w+)\}", path)}
        url = re.sub(r"\{(\w+)\}", lambda found: urllib.parse.quote(ids[found[1]], safe=""), path)
        try:
            seen[url] = tenant.http.send("GET", url)[1]
        except stele.Refused as failed:
            seen[url] = f"{failed.status} {failed.text}"
    return seen


def stable(document, tenant) -> dict:
    once, again = dump(tenant, document), dump(tenant, document)
    return {url: text for url, text in once.items() if again.get(url) == text}


def test_no_route_leads_to_another_organization(server, world):
    first, second, document = world
    before, rows = stable(document, first), None
    secret = secret_of(first, second)
    assert len(secret) > 30 and len(before) > 50
    rows = rows_naming(server, secret)
    tried, leaks = 0, []
    for verb, path, operation in operations(document):
        for at_work in (False, True):
            theirs = {**first.ids, **first.at_work} if at_work else first.ids
            if at_work and not {"agent_id", "run_id", "job_id"} & set(re.findall(r"\{(\w+)\}", path)):
                continue
            for path_ids in variants(path, second.ids, theirs):
                own = not set(path_ids.values()) & set(theirs.values())
                if own and verb == "DELETE":
                    continue  # of what is its own
                url, body = request_of(document, verb, path, operation, path_ids, theirs, first.mark)
                try:
                    status, text, _ = second.http.send(verb, url, body)
                except stele.Refused as failed:
                    status, text = failed.status, failed.text
                except TimeoutError:
                    leaks.append(f"{verb} {url} waits for what another organization does")
                    continue
                tried += 1
                told = (set(ID.findall(text)) & secret) - (set(ID.findall(f"{url} {json.dumps(body)}")) if status >= 400 or path.startswith("/v1/_internal_templates/deployment/") else set())
                sent_mark = first.mark in urllib.parse.unquote(url) + json.dumps(body)
                marked = first.mark in text and not (sent_mark and status >= 400)
                no_sandbox = status == 503 and "Tools need" in text or status == 502 and path.endswith("generate-tool") or status == 503 and "can't be asked" in text
                if told or marked or (status >= 500 and not no_sandbox):
                    leaks.append(f"{verb} {url} {json.dumps(body)}: {status} {text[:300]} tells {sorted(told)[:3]}")
    assert not leaks, f"{len(leaks)} leaks:\n" + "\n".join(leaks)
    assert tried > 300
    after = rows_naming(server, secret)
    changed = {table: list(after.get(table, set()) ^ rows.get(table, set()))[:3] for table in {*after, *rows} if after.get(table, set()) != rows.get(table, set())}
    assert not changed, f"the store has changed: {changed}"
    now = dump(first, document)
    assert {url: now[url] for url in before} == before


def test_lists_counts_searches_and_tags_show_nothing_of_another(world):
    first, second, document = world
    for verb, path, operation in operations(document):
        if verb != "GET" or "{" in path or "/admin/" in path:
            continue
        for query in ("", f"?name={first.mark}", f"?query_text={first.mark}", f"?tags={first.mark}&show_hidden_agents=true", f"?after={first.ids['agent_id']}", "?limit=100&order=asc"):
            try:
                text = second.http.send(verb, path + query)[1]
            except stele.Refused as failed:
                # A provider of one's own that isn't reached is told of as such.
                expected = (403, 404, 422, 503) if path == "/v1/providers/check" else (403, 404, 422)
                assert failed.status in expected, f"{path}{query}: {failed}"
                text = failed.text.replace(first.ids["agent_id"], "")
            assert first.mark not in text and not set(ID.findall(text)) & secret_of(first, second), f"{path}{query}: {text[:300]}"
    for path in ("/v1/messages/search", "/v1/agents/messages/search"):
        assert second.http.post(path, {"query": first.mark}) == []
        assert first.mark in json.dumps(first.http.post(path, {"query": first.mark}))
    assert second.http.get(f"/v1/agents/count?tags={first.mark}") == 0 and first.http.get(f"/v1/agents/count?tags={first.mark}") == 2


def test_an_otid_of_another_organization_leads_nowhere(world):
    """Repeated messages follow the run that took them up: not that of somebody else."""
    first, second, _ = world
    for ids, otid in ((first.ids, f"otid of {first.mark}"), (first.at_work, f"otid at work of {first.mark}")):
        body = {"messages": [{"role": "user", "content": "x", "otid": otid}]}
        for path in ("messages", "messages/stream", "messages/async"):
            failed = refused(second.http, "POST", f"/v1/agents/{ids['agent_id']}/{path}", 404, body)
            assert first.mark not in failed.text


def test_keys_of_idempotency_belong_to_an_organization(world):
    first, second, _ = world
    made = [tenant.http.post("/v1/blocks", {"label": "same"}, headers={"Idempotency-Key": "same"}) for tenant in (first, second, first)]
    assert made[0] == made[2] and made[0]["id"] != made[1]["id"]


def test_what_runs_by_itself_runs_in_its_own_organization(world):
    first, second, _ = world
    agent = second.http.post("/v1/agents", {"name": "sends later"})
    plan = second.http.post(f"/v1/agents/{agent['id']}/schedule", {"messages": WORDS, "schedule": {"type": "one-time", "scheduled_at": time.time()}})
    wait_until(lambda: second.http.get(f"/v1/agents/{agent['id']}/schedule/{plan['id']}/history")["history"])
    run = second.http.get(f"/v1/agents/{agent['id']}/schedule/{plan['id']}/history")["history"][0]["run_id"]
    assert second.http.get(f"/v1/runs/{run}")["agent_id"] == agent["id"]
    refused(first.http, "GET", f"/v1/runs/{run}", 404)
    batch = second.http.post("/v1/batches", {"requests": [{"agent_id": agent["id"], "messages": WORDS}]})
    wait_until(lambda: second.http.get(f"/v1/batches/{batch['id']}")["status"] == "completed")
    refused(first.http, "GET", f"/v1/batches/{batch['id']}", 404)
    assert "not found" in refused(second.http, "POST", "/v1/batches", 404, {"requests": [{"agent_id": first.ids["agent_id"], "messages": WORDS}]}).text


def test_a_login_with_an_mcp_server_is_of_its_own_organization(world):
    first, second, _ = world
    issuer = oauth_server.OauthServer()
    peer = oauth_server.ProtectedMcp(issuer)
    try:
        mine, theirs = ({"server": tenant.http.post("/v1/mcp-servers", {"server_name": f"guarded by {tenant.mark}", "config": {"mcp_server_type": "streamable_http", "server_url": peer.url}}),
                         "http": tenant.http} for tenant in (second, first))
        stream = oauth_server.Connecting(theirs["http"], "GET", f"/v1/mcp-servers/connect/{theirs['server']['id']}")
        oauth_server.log_in(stream.until("authorization_url")["url"])
        assert stream.rest()[-1] == "success"
        theirs["http"].patch(f"/v1/mcp-servers/{theirs['server']['id']}/refresh")
        # The same address, and nobody of this organization has logged in there.
        assert "wants a login" in refused(mine["http"], "PATCH", f"/v1/mcp-servers/{mine['server']['id']}/refresh", 502).text
        stream = oauth_server.Connecting(mine["http"], "GET", f"/v1/mcp-servers/connect/{mine['server']['id']}")
        assert stream.until("authorization_url")["url"]
        stream.close()
    finally:
        peer.close()
        issuer.close()


def test_the_client_of_a_tool_sees_its_own_organization(world):
    first, second, _ = world
    source = 'def look() -> str:\n    """Looks."""\n    import os\n    return " ".join([a.name for a in client.agents.list(limit=100)]) + " " + os.environ.get("EVERYTHING", "")\n'
    seen = [tenant.http.post("/v1/tools/run", {"source_code": source, "args": {}})["tool_return"] for tenant in (first, second)]
    if "Unavailable" in seen[0]:
        pytest.skip(seen[0])  # no sandbox on this machine
    assert first.mark in seen[0] and second.mark not in seen[0], seen[0]
    assert second.mark in seen[1] and first.mark not in seen[1], seen[1]
