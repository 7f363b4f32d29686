"""Keys of Stele's own: whose they are, how far they reach, and when they hold no more."""

import base64
import concurrent.futures
import datetime
import pathlib
import re
import sqlite3

import pytest
import stele
from stele import GONE, refused, wait_until

PASSWORD = "correct horse"
FIRST_USER = "user-00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    environment = {**model.environment(), "STELE_PASSWORD": PASSWORD, "STELE_LOG_LEVEL": "debug"}
    running = stele.Server(tmp_path_factory.mktemp("keys"), environment).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture(scope="module")
def admin(server):
    return bearer(server, PASSWORD)


def bearer(server, text, **more):
    return server.http(headers={"Authorization": f"Bearer {text}", **more})


def in_seconds(seconds):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)).isoformat()


def test_a_key_is_shown_once_and_kept_as_a_hash(server, admin):
    made = admin.post("/v1/admin/keys", {"name": "laptop"}, headers={"Idempotency-Key": "once"})
    assert made["key"].startswith("stele_") and len(made["key"]) == 49 and made["key_start"] == made["key"][:10]
    assert made.items() >= {"name": "laptop", "user_id": FIRST_USER, "scopes": ["read", "write"], "rate_limit": None, "expires_at": None, "last_used_at": None}.items()
    shown = admin.get(f"/v1/admin/keys/{made['id']}")
    assert shown == {name: value for name, value in made.items() if name != "key"}
    assert shown in admin.get("/v1/admin/keys")
    bearer(server, made["key"]).get("/v1/agents")
    refused(bearer(server, made["key"]), "GET", f"/v1/agents/{made['key']}", 422)

    assert admin.post("/v1/admin/keys", {"name": "laptop"}, headers={"Idempotency-Key": "once"}) == made  # a lost answer
    secret = made["key"].removeprefix("stele_")
    for file in (server.folder / "data").glob("stele.db*"):
        assert secret.encode() not in file.read_bytes(), file
    assert secret not in server.log.read_text()


@pytest.mark.parametrize("body, where", [
    ({}, ["body", "name"]), ({"name": ""}, ["body", "name"]), ({"name": "x", "scopes": []}, ["body", "scopes"]),
    ({"name": "x", "scopes": ["read", "root"]}, ["body", "scopes", 1]), ({"name": "x", "rate_limit": 0}, ["body", "rate_limit"]),
    ({"name": "x", "expires_at": "2020-01-01"}, ["body", "expires_at"]), ({"name": "x", "user_id": "me"}, ["body", "user_id"]),
])
def test_what_a_key_can_not_be(admin, body, where):
    assert refused(admin, "POST", "/v1/admin/keys", 422, body).body["errors"][0]["loc"] == where
    assert "not found" in refused(admin, "POST", "/v1/admin/keys", 404, {"name": "x", "user_id": f"user-{GONE}"}).text


def test_a_key_speaks_for_its_user(server, admin):
    organization = admin.post("/v1/admin/orgs", {"name": "Tenant"})
    user = admin.post("/v1/admin/users", {"name": "Ada", "organization_id": organization["id"]})
    key = admin.post("/v1/admin/keys", {"name": "k", "user_id": user["id"]})
    assert key["organization_id"] == organization["id"] and key["created_by_id"] == FIRST_USER
    theirs = bearer(server, key["key"])
    block = theirs.post("/v1/blocks", {"label": "mine"})
    assert block["created_by_id"] == user["id"]
    refused(admin, "GET", f"/v1/blocks/{block['id']}", 404)
    assert [each["id"] for each in admin.get(f"/v1/admin/keys?user_id={user['id']}")] == [key["id"]]

    assert bearer(server, key["key"], user_id=user["id"]).get("/v1/blocks")[0]["id"] == block["id"]
    assert "administrators" in refused(bearer(server, key["key"], user_id=FIRST_USER), "GET", "/v1/blocks", 403).text
    admin.delete(f"/v1/admin/users?user_id={user['id']}")
    refused(theirs, "GET", "/v1/blocks", 401)
    refused(admin, "GET", f"/v1/admin/keys/{key['id']}", 404)


SCOPES = [  # scopes, what they let through, what they don't
    (["read"], [("GET", "/v1/agents"), ("POST", "/v1/messages/search"), ("POST", "/v1/tools/search")], [("POST", "/v1/blocks"), ("GET", "/v1/tokens"), ("GET", "/v1/admin/users")]),
    (["write"], [("GET", "/v1/agents"), ("POST", "/v1/blocks"), ("GET", "/v1/tokens")], [("GET", "/v1/admin/users"), ("POST", "/v1/admin/keys")]),
    (["admin"], [("GET", "/v1/agents"), ("POST", "/v1/blocks"), ("GET", "/v1/admin/users")], []),
]


@pytest.mark.parametrize("scopes, allowed, forbidden", SCOPES, ids=["read", "write", "admin"])
def test_scopes(server, admin, scopes, allowed, forbidden):
    http = bearer(server, admin.post("/v1/admin/keys", {"name": "k", "scopes": scopes})["key"])
    for method, path in allowed:
        http.send(method, path, {"label": "l", "query": "q"} if method == "POST" else None)
    for method, path in forbidden:
        assert "scope" in refused(http, method, path, 403, {"label": "l", "name": "n"} if method == "POST" else None).text
    for path in ("/v1/nowhere", "/v1/blocks/none"):
        refused(http, "GET", path, 404 if path.endswith("nowhere") else 422)


def test_every_route_asks_for_its_scope(server, admin):
    """Of each route a key of lesser reach is refused, and one of the reach it asks for is not."""
    document = admin.get("/openapi.json")
    operations = [(operation["operationId"], verb.upper(), re.sub(r"\{(\w+)\}", "x", path)) for path, verbs in document["paths"].items()
                  for verb, operation in verbs.items() if operation.get("security") != []]
    source = (pathlib.Path(stele.ROOT) / "src/api/scope_rules.cpp").read_text()
    looks, changes = (set(re.findall(r'"([\w.]+)"', table)) for table in re.findall(r"\[\] = \{(.*?)\};", source, re.DOTALL))
    assert looks | changes <= {name for name, _, _ in operations}, "a rule for an operation that is not there"
    reader, writer = (bearer(server, admin.post("/v1/admin/keys", {"name": "k", "scopes": [scope]})["key"]) for scope in ("read", "write"))
    for name, verb, path in operations:
        administers = name.startswith("admin.")
        reads = not administers and (name in looks or (verb == "GET" and name not in changes))
        for http, allowed in ((reader, reads), (writer, not administers)):
            if not allowed:
                assert "scope" in refused(http, verb, path, 403, {} if verb != "GET" else None).text
            elif verb in ("GET", "POST") or "x" in path.split("/"):  # of things that are not there
                try:
                    http.send(verb, path, [] if verb != "GET" else None)
                except stele.Refused as failed:
                    assert failed.status != 403, f"{verb} {path}: {failed}"


def test_two_changes_at_once_lose_nothing(server, admin):
    key = admin.post("/v1/admin/keys", {"name": "k"})
    organization = admin.post("/v1/admin/orgs", {"name": "o"})
    changes = [(f"/v1/admin/keys/{key['id']}", "rate_limit", list(range(1, 30))), (f"/v1/admin/keys/{key['id']}", "name", [f"n{i}" for i in range(1, 30)]),
               (f"/v1/admin/orgs?org_id={organization['id']}", "name", [f"n{i}" for i in range(1, 30)]), (f"/v1/admin/orgs?org_id={organization['id']}", "privileged_tools", [True, False] * 14 + [True])]

    def make_all(change):
        path, member, values = change
        for value in values:
            while True:
                try:
                    admin.patch(path, {member: value})
                    break
                except stele.Refused as lost:  # so many races in a row: the client is asked to try again
                    assert lost.status == 409 and "x-should-retry" not in lost.headers

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(make_all, changes))
    shown = admin.get(f"/v1/admin/keys/{key['id']}")
    assert (shown["rate_limit"], shown["name"]) == (29, "n29")
    found = next(each for each in admin.get("/v1/admin/orgs?limit=1000") if each["id"] == organization["id"])
    assert (found["name"], found["privileged_tools"]) == ("n29", True)


def test_a_change_holds_at_once(server, admin):
    key = admin.post("/v1/admin/keys", {"name": "k"})
    http = bearer(server, key["key"])
    http.post("/v1/blocks", {"label": "l"})
    changed = admin.patch(f"/v1/admin/keys/{key['id']}", {"scopes": ["read"], "name": "k2"})
    assert (changed["scopes"], changed["name"]) == (["read"], "k2")
    refused(http, "POST", "/v1/blocks", 403, {"label": "l"})
    admin.patch(f"/v1/admin/keys/{key['id']}", {"expires_at": "2020-01-01T00:00:00Z"})
    assert refused(http, "GET", "/v1/blocks", 401).headers["WWW-Authenticate"] == "Bearer"
    admin.patch(f"/v1/admin/keys/{key['id']}", {"expires_at": None})
    http.get("/v1/blocks")
    admin.delete(f"/v1/admin/keys/{key['id']}")
    refused(http, "GET", "/v1/blocks", 401)
    refused(admin, "DELETE", f"/v1/admin/keys/{key['id']}", 404)


def test_a_key_ends_by_itself(server, admin):
    http = bearer(server, admin.post("/v1/admin/keys", {"name": "k", "expires_at": in_seconds(2)})["key"])

    def has_ended():
        try:
            http.get("/v1/tags")
        except stele.Refused as ended:
            assert ended.status == 401
            return True

    wait_until(has_ended)


def test_a_rate_holds_for_one_key(server, admin):
    limited, other = (bearer(server, admin.post("/v1/admin/keys", {"name": "k", "rate_limit": 1})["key"]) for _ in range(2))
    limited.get("/v1/tags")
    beyond = next(failed for failed in iter(lambda: attempt(limited), None) if failed)
    assert beyond.status == 429 and 1 <= int(beyond.headers["Retry-After"]) <= 60 and "1 requests a minute" in beyond.text
    other.get("/v1/tags")


def attempt(http):
    try:
        http.get("/v1/tags")
    except stele.Refused as failed:
        return failed
    return False


def test_last_use_is_told_at_once_and_stored(server, admin):
    key = admin.post("/v1/admin/keys", {"name": "k"})
    bearer(server, key["key"]).get("/v1/tags")
    shown = admin.get(f"/v1/admin/keys/{key['id']}")["last_used_at"]
    assert shown and shown >= key["created_at"]

    def stored():
        with sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True) as store:
            return store.execute("SELECT last_used_at FROM api_key WHERE id = ?", (key["id"],)).fetchone()[0]

    wait_until(stored)


def test_every_form_of_credential(server, admin):
    key = admin.post("/v1/admin/keys", {"name": "k"})["key"]
    basic = base64.b64encode(f"anybody:{key}".encode()).decode()
    for headers in ({"Authorization": f"bearer {key}"}, {"Authorization": f"Basic {basic}"}, {"X-BARE-PASSWORD": f"password {key}"}):
        server.http(headers=headers).get("/v1/agents")
    for headers in ({}, {"Authorization": f"Bearer {key}x"}, {"Authorization": "Bearer stele_"}, {"Authorization": "Bearer "}, {"Authorization": key},
                    {"Authorization": "Basic !"}, {"Authorization": f"Digest {key}"}):
        assert refused(server.http(headers=headers), "GET", "/v1/agents", 401).body == {"detail": "Unauthorized"}


def test_on_an_open_server_a_key_is_still_whose_it_is(own_server):
    server = own_server()
    server.start()
    anybody = server.http()
    organization = anybody.post("/v1/admin/orgs", {"name": "x"})
    user = anybody.post("/v1/admin/users", {"name": "x", "organization_id": organization["id"]})
    key = anybody.post("/v1/admin/keys", {"name": "k", "user_id": user["id"], "scopes": ["read"]})
    theirs = bearer(server, key["key"])
    assert theirs.get("/v1/metadata/user")["organization_id"] == organization["id"]
    refused(theirs, "GET", "/v1/admin/users", 403)
    anybody.delete(f"/v1/admin/keys/{key['id']}")
    refused(theirs, "GET", "/v1/agents", 401)
    bearer(server, "sk-whatever").get("/v1/admin/users")  # what the samples send: nobody asks for it


def test_keys_outlive_a_restart(own_server):
    server = own_server()
    server.start()
    key = server.http().post("/v1/admin/keys", {"name": "k", "scopes": ["read"]})["key"]
    server.stop()
    server.start()
    refused(bearer(server, key), "POST", "/v1/blocks", 403, {"label": "l"})
    bearer(server, key).get("/v1/blocks")
