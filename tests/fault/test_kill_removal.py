"""An organisation that is being deleted when the server is killed: it is there whole, or goes without a rest."""

import http.client as http_client
import random
import sqlite3
import threading
import time

import pytest
import stele

AGENTS, COPIES = 12, 2_000


def fill(server, user_id: str) -> list:
    """Agents with a message each, and many copies of one message, so that the removal takes many slices."""
    http = server.http(headers={"user_id": user_id})
    made = [http.post("/v1/agents", {"memory_blocks": [{"label": "human"}]})["id"] for _ in range(AGENTS)]
    http.post(f"/v1/agents/{made[0]}/messages", {"input": "@say hello"})
    server.stop()
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(message)") if row[1] not in ("id", "position")]
        names = ", ".join(columns)
        store.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COPIES})"
                      f" INSERT INTO message (id, position, {names}) SELECT m.id || i, m.position + i, {names} FROM n,"
                      " (SELECT * FROM message WHERE agent_id = ? ORDER BY position DESC LIMIT 1) m", (made[0],))
    server.start()
    return made


def rows_of(server, organization_id: str) -> int:
    with sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True) as store:
        tables = [name for (name,) in store.execute("SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'organization_id'")]
        own = store.execute("SELECT COUNT(*) FROM organization WHERE id = ?", (organization_id,)).fetchone()[0]
        return own + sum(store.execute(f"SELECT COUNT(*) FROM {table} WHERE organization_id = ?", (organization_id,)).fetchone()[0] for table in tables)


@pytest.mark.parametrize("seed", range(4))
def test_a_removal_that_is_cut_is_none_or_goes_on(own_server, seed):
    server = own_server().start()
    http = server.http()
    organization = http.post("/v1/admin/orgs", {"name": "x"})
    user = http.post("/v1/admin/users", {"name": "x", "organization_id": organization["id"]})
    agents = fill(server, user["id"])

    def ask():
        try:
            http.delete(f"/v1/admin/orgs?org_id={organization['id']}&force=true")
        except (OSError, http_client.HTTPException, stele.Refused):
            pass

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(random.Random(seed).uniform(0, 0.08))  # where in the removal the cut comes
    server.kill()
    asking.join()
    server.start()
    if organization["id"] in [each["id"] for each in http.get("/v1/admin/orgs")]:
        theirs = server.http(headers={"user_id": user["id"]})
        assert {each["id"] for each in theirs.get("/v1/agents?limit=100")} == set(agents), f"seed {seed}"
        http.delete(f"/v1/admin/orgs?org_id={organization['id']}&force=true")
    stele.wait_until(lambda: rows_of(server, organization["id"]) == 0)
