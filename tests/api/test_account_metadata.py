"""What the terminal client asks about the account behind its credential."""

import sqlite3

from stele import refused

PROJECT = "project-00000000-0000-4000-8000-000000000000"


def test_user_status_and_balance(server):
    http = server.http()
    user = http.get("/v1/metadata/user")
    assert user == {"id": "user-00000000-0000-4000-8000-000000000000", "email": "", "name": "default_user", "organization_name": "default_org",
                    "organization_id": "org-00000000-0000-4000-8000-000000000000", "current_project_name": "default-project", "current_project_id": PROJECT,
                    "billing_tier": "self-hosted", "remaining_credits": 0}
    assert http.get("/v1/metadata/status") == {"current_project_id": PROJECT}
    assert http.get("/v1/metadata/status", headers={"X-Project-Id": "p"}) == {"current_project_id": "p"}
    assert http.get("/v1/metadata/balance") == {"total_balance": 0, "monthly_credit_balance": 0, "purchased_credit_balance": 0, "billing_tier": "self-hosted"}


def test_feedback_is_kept_whole_and_telemetry_is_not(server):
    http = server.http()
    assert http.post("/v1/metadata/feedback", {"message": "Splendid", "feature": "sdk", "session_id": "s1"}) == {"success": True}
    event = {"type": "session_start", "timestamp": "2026-01-01T00:00:00Z", "data": {"session_id": "unheard-of", "startup_command": "x"}}
    assert http.post("/v1/metadata/telemetry", {"service": "letta-code", "events": [event, {"type": "new"}]}) == {"success": True}
    with sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True) as store:
        kept = store.execute("SELECT message, details FROM feedback").fetchall()
    assert any(message == "Splendid" and '"session_id": "s1"' in details for message, details in kept)
    assert not any(b"unheard-of" in file.read_bytes() for file in (server.folder / "data").glob("stele.db*"))
    for path, body in (("feedback", {}), ("feedback", {"message": ""}), ("feedback", {"message": "x" * 10_001}), ("telemetry", {"service": "letta-code", "events": []}), ("telemetry", {"events": [event]})):
        refused(http, "POST", f"/v1/metadata/{path}", 422, body)
