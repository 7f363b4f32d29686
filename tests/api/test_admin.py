"""Users and organisations over /v1/admin, and whom a request speaks for."""

import sqlite3

import pytest
import stele
from stele import GONE, refused, wait_until

FIRST_ORG, FIRST_USER = "org-00000000-0000-4000-8000-000000000000", "user-00000000-0000-4000-8000-000000000000"
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    environment = {**model.environment(), "STELE_PASSWORD": PASSWORD}
    running = stele.Server(tmp_path_factory.mktemp("admin"), environment).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def admin(server):
    return server.http(headers={"Authorization": f"Bearer {PASSWORD}"})


def as_user(server, user_id):
    return server.http(headers={"Authorization": f"Bearer {PASSWORD}", "user_id": user_id})


@pytest.fixture
def tenant(server, admin):
    """A user of an organisation of their own, and a client that speaks for them."""
    organization = admin.post("/v1/admin/orgs", {"name": "Tenant"})
    user = admin.post("/v1/admin/users", {"name": "Ada", "organization_id": organization["id"]})
    return organization, user, as_user(server, user["id"])


def test_the_first_organization_and_user_are_there(admin):
    assert admin.get("/v1/admin/orgs?limit=1")[0].items() >= {"id": FIRST_ORG, "name": "default_org", "privileged_tools": False}.items()
    assert admin.get("/v1/admin/users?limit=1")[0].items() >= {"id": FIRST_USER, "name": "default_user", "organization_id": FIRST_ORG, "is_deleted": False}.items()


def test_organizations_are_made_changed_and_deleted(admin):
    made = admin.post("/v1/admin/orgs", {"name": "Acme"})
    assert list(made) == ["id", "name", "created_at", "privileged_tools"] and made["id"].startswith("org-")
    unnamed = admin.post("/v1/admin/orgs", {})
    assert unnamed["name"]

    changed = admin.patch(f"/v1/admin/orgs?org_id={made['id']}", {"name": "Acme 2", "privileged_tools": True})
    assert (changed["name"], changed["privileged_tools"]) == ("Acme 2", True)
    assert admin.patch(f"/v1/admin/orgs?org_id={made['id']}", {"privileged_tools": False}) == {**changed, "privileged_tools": False}

    assert admin.delete(f"/v1/admin/orgs?org_id={made['id']}")["id"] == made["id"]
    assert made["id"] not in [each["id"] for each in admin.get("/v1/admin/orgs")]
    refused(admin, "DELETE", f"/v1/admin/orgs?org_id={made['id']}", 404)
    admin.delete(f"/v1/admin/orgs?org_id={unnamed['id']}")


def test_users_are_made_changed_and_deleted(admin):
    made = admin.post("/v1/admin/users", {"name": "Ada", "organization_id": FIRST_ORG})
    assert list(made) == ["id", "organization_id", "name", "created_at", "updated_at", "is_deleted"]
    assert admin.call("PUT", "/v1/admin/users", {"id": made["id"], "name": "Grace"})["name"] == "Grace"
    unchanged = admin.call("PUT", "/v1/admin/users", {"id": made["id"], "name": "Grace"})
    assert unchanged == admin.call("PUT", "/v1/admin/users", {"id": made["id"]})

    assert admin.delete(f"/v1/admin/users?user_id={made['id']}") == {**unchanged, "is_deleted": True}
    refused(admin, "DELETE", f"/v1/admin/users?user_id={made['id']}", 404)
    assert made["id"] not in [each["id"] for each in admin.get("/v1/admin/users")]


@pytest.mark.parametrize("method, path, body, status, word", [
    ("POST", "/v1/admin/users", {"name": "x"}, 422, "organization_id"),
    ("POST", "/v1/admin/users", {"name": "", "organization_id": FIRST_ORG}, 422, "name"),
    ("POST", "/v1/admin/users", {"name": "x", "organization_id": f"org-{GONE}"}, 404, "not found"),
    ("PUT", "/v1/admin/users", {"id": "nonsense"}, 422, "id"),
    ("PUT", "/v1/admin/users", {"id": f"user-{GONE}", "name": "x"}, 404, "not found"),
    ("DELETE", "/v1/admin/users", None, 422, "user_id"),
    ("DELETE", "/v1/admin/users?user_id=5", None, 422, "user_id"),
    ("DELETE", f"/v1/admin/users?user_id={FIRST_USER}", None, 409, "first user"),
    ("PUT", "/v1/admin/users", {"id": FIRST_USER, "organization_id": f"org-{GONE}"}, 409, "first user"),
    ("POST", "/v1/admin/orgs", {"name": ""}, 422, "name"),
    ("PATCH", f"/v1/admin/orgs?org_id=org-{GONE}", {"name": "x"}, 404, "not found"),
    ("PATCH", "/v1/admin/orgs", {"name": "x"}, 422, "org_id"),
    ("DELETE", f"/v1/admin/orgs?org_id={FIRST_ORG}&force=true", None, 409, "first organization"),
    ("GET", f"/v1/admin/users?after=user-{GONE}", None, 404, "cursor"),
    ("GET", "/v1/admin/users?after=nonsense", None, 422, "cursor"),
    ("GET", "/v1/admin/orgs?limit=0", None, 422, "limit"),
])
def test_what_is_refused(admin, method, path, body, status, word):
    assert word in refused(admin, method, path, status, body).text


def test_lists_are_walked_also_over_deleted_rows(admin):
    made = [admin.post("/v1/admin/users", {"name": f"walker {i}", "organization_id": FIRST_ORG})["id"] for i in range(5)]
    seen, after = [], made[0]
    admin.delete(f"/v1/admin/users?user_id={made[0]}")
    while page := admin.get(f"/v1/admin/users?limit=2&after={after}"):
        seen += [each["id"] for each in page]
        after = seen[-1]
    assert seen == made[1:]


def test_the_header_names_the_acting_user(server, admin, tenant):
    organization, user, theirs = tenant
    agent = theirs.post("/v1/agents", {"name": "theirs", "memory_blocks": [{"label": "human", "value": "Grace"}]})
    assert agent["created_by_id"] == user["id"] and {tool["name"] for tool in agent["tools"]} & {"memory_insert", "core_memory_append", "conversation_search"}
    answer = theirs.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})
    assert any(message["message_type"] == "assistant_message" for message in answer["messages"])

    refused(admin, "GET", f"/v1/agents/{agent['id']}", 404)
    assert theirs.get("/v1/agents/count") == 1 and agent["id"] not in [each["id"] for each in admin.get("/v1/agents?limit=1000")]
    assert theirs.get("/v1/metadata/user").items() >= {"id": user["id"], "name": "Ada", "organization_id": organization["id"], "organization_name": "Tenant"}.items()


def test_a_header_that_names_nobody(server, admin):
    assert "User not found" in refused(as_user(server, f"user-{GONE}"), "GET", "/v1/agents", 404).text
    refused(as_user(server, "nonsense"), "GET", "/v1/agents", 400)
    gone = admin.post("/v1/admin/users", {"name": "x", "organization_id": FIRST_ORG})["id"]
    as_user(server, gone).get("/v1/agents")
    admin.delete(f"/v1/admin/users?user_id={gone}")
    refused(as_user(server, gone), "GET", "/v1/agents", 404)
    assert as_user(server, "nonsense").get("/v1/health")["status"] == "ok"


def test_a_user_who_moves_sees_the_other_organization(server, admin, tenant):
    organization, user, theirs = tenant
    other = admin.post("/v1/admin/orgs", {"name": "Other"})
    theirs.post("/v1/blocks", {"label": "left behind", "value": "v"})
    admin.call("PUT", "/v1/admin/users", {"id": user["id"], "organization_id": other["id"]})
    assert theirs.get("/v1/blocks") == [] and theirs.get("/v1/metadata/user")["organization_id"] == other["id"]
    refused(admin, "PUT", "/v1/admin/users", 404, {"id": user["id"], "organization_id": f"org-{GONE}"})


def rows_of(server, names: set) -> dict:
    """How many rows each table has that name one of `names` anywhere."""
    with sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE 'message_search%'")]
        return {table: found for table in tables
                if (found := sum(any(isinstance(value, str) and any(name in value for name in names) for value in row) for row in store.execute(f"SELECT * FROM {table}")))}


def count_all(server) -> dict:
    with sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'message_search_%'")]
        return {table: store.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables if table not in ("tombstone", "message_search")}


def fill(http, model):
    """One of everything that has rows of its own."""
    words = [{"role": "user", "content": "hello"}]
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}], "tags": ["t"], "secrets": {"KEY": "v"}})
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": words}, headers={"Idempotency-Key": "one"})
    run = http.post(f"/v1/agents/{agent['id']}/messages/async", {"messages": words})
    wait_until(lambda: http.get(f"/v1/runs/{run['id']}")["status"] == "completed")
    step = http.get(f"/v1/runs/{run['id']}/steps")[0]
    http.patch(f"/v1/steps/{step['id']}/feedback", {"feedback": "positive", "tags": ["good"]})
    http.post("/v1/blocks", {"label": "shared", "tags": ["b"]})
    conversation = http.post(f"/v1/conversations?agent_id={agent['id']}", {"isolated_block_labels": ["human"]})
    http.post(f"/v1/conversations/{conversation['id']}/messages", {"input": "hello", "streaming": False})
    http.post(f"/v1/conversations/{conversation['id']}/fork")
    group = http.post("/v1/groups", {"agent_ids": [agent["id"]], "description": "d"})
    http.post(f"/v1/groups/{group['id']}/messages", {"messages": words})
    http.post(f"/v1/agents/{agent['id']}/schedule", {"messages": words, "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}})
    batch = http.post("/v1/batches", {"requests": [{"agent_id": agent["id"], "messages": words}]})
    wait_until(lambda: http.get(f"/v1/batches/{batch['id']}")["status"] == "completed")
    http.post("/v1/mcp-servers", {"server_name": "nobody", "config": {"mcp_server_type": "streamable_http", "server_url": "https://mcp.invalid/"}})
    http.post("/v1/tools", {"name": "everything", "description": "d"})
    sandbox = http.post("/v1/sandbox-config/local/default")
    http.post(f"/v1/sandbox-config/{sandbox['id']}/environment-variable", {"key": "EVERYTHING", "value": "v"})
    http.post("/v1/metadata/feedback", {"message": "fine"})
    http.post("/v1/tokens", {"policy": [{"type": "agent", "id": agent["id"], "access": ["read_agent"]}], "hostname": "https://pages.example"})
    return agent


def test_a_deleted_organization_leaves_nothing(server, admin, model):
    before = count_all(server)
    organization = admin.post("/v1/admin/orgs", {"name": "Short-lived"})
    user = admin.post("/v1/admin/users", {"name": "x", "organization_id": organization["id"]})
    admin.post("/v1/admin/keys", {"name": "k", "user_id": user["id"]})
    theirs = as_user(server, user["id"])
    agent = fill(theirs, model)
    filled = {table for table, count in count_all(server).items() if count > before[table]}
    assert len(filled) > 20, filled

    held = refused(admin, "DELETE", f"/v1/admin/orgs?org_id={organization['id']}", 409)
    assert "force" in held.text and held.headers["x-should-retry"] == "false"
    assert theirs.get(f"/v1/agents/{agent['id']}")["id"] == agent["id"]

    admin.delete(f"/v1/admin/orgs?org_id={organization['id']}&force=true")
    refused(theirs, "GET", "/v1/agents", 404)
    left = rows_of(server, {organization["id"], user["id"], agent["id"]})
    assert set(left) <= {"tombstone"}, f"rows that are left: {left}"
    assert count_all(server) == before


def test_runs_at_work_end_with_their_organization(server, admin, tenant):
    organization, _, theirs = tenant
    agent = theirs.post("/v1/agents", {"memory_blocks": [{"label": "human"}]})
    run = theirs.post(f"/v1/agents/{agent['id']}/messages/async", {"input": "@sleep 60000"})
    wait_until(lambda: theirs.get(f"/v1/runs/{run['id']}")["status"] == "running")
    admin.delete(f"/v1/admin/orgs?org_id={organization['id']}&force=true")
    assert set(rows_of(server, {organization["id"], agent["id"], run["id"]})) <= {"tombstone"}


def test_a_removal_that_a_crash_cut_off_goes_on_at_the_start(own_server):
    server = own_server()
    server.start()
    http = server.http()
    organization = http.post("/v1/admin/orgs", {"name": "x"})
    user = http.post("/v1/admin/users", {"name": "x", "organization_id": organization["id"]})
    server.http(headers={"user_id": user["id"]}).post("/v1/blocks", {"label": "b"})
    server.kill()
    with sqlite3.connect(server.folder / "data/stele.db") as store:  # what the first commit of a removal leaves
        store.execute("UPDATE organization SET deleted_at = 1 WHERE id = ?", (organization["id"],))
    server.start()
    wait_until(lambda: not rows_of(server, {organization["id"]}))


def test_without_a_default_actor_the_header_is_needed(own_server):
    server = own_server({"LETTA_NO_DEFAULT_ACTOR": "true"})
    server.start()
    http = server.http()
    assert "user_id" in refused(http, "GET", "/v1/agents", 404).text
    assert http.get("/v1/admin/users")[0]["id"] == FIRST_USER
    assert server.http(headers={"user_id": FIRST_USER}).get("/v1/agents") == []


def test_auth_exchanges_the_password(server):
    http = server.http()
    assert http.post("/v1/auth", {"password": PASSWORD}) == {"uuid": FIRST_USER.removeprefix("user-"), "is_admin": True}
    for wrong in ({"password": "wrong"}, {}):
        refused(http, "POST", "/v1/auth", 401, wrong)
