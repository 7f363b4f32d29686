"""Agent files that are too large for memory: taken as they come, seen when they are whole, and gone when they are not."""

import base64
import json
import sqlite3
import threading

import large_agent_file as large
import pytest
import stele
from process_size import is_sanitized, peak_mb
from test_agent_files import export

TEXT = "words of a message, and more of them. " * 8


@pytest.fixture(scope="module")
def large_server(tmp_path_factory):
    server = stele.Server(tmp_path_factory.mktemp("large")).start()
    yield server
    server.kill()


def stored(server) -> list[int]:
    """How many rows of an import there are, seen or not."""
    with sqlite3.connect(f"file:{server.folder / 'data/stele.db'}?mode=ro", uri=True) as store:
        count = lambda what: store.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0]  # noqa: E731
        return [count(table) for table in ("agent", "message", "block", "folder", "file", "file_text", "agent_import")]


def imported(server, file, **fields) -> str:
    status, answer = large.upload(server, file, **fields)
    assert status == 200, answer
    (agent,) = answer["agent_ids"]
    return agent


def without_ids(message: dict) -> dict:
    return {**message, "id": None, "agent_id": None}


def test_a_large_file_comes_back_as_it_was(large_server):
    http, count = large_server.http(), 12_001
    texts = [*(f"{number}\n" * 30_000 for number in range(3)), "data:image/gif;base64," + base64.b64encode(b"GIF89a" + bytes(300_000)).decode()]
    agent = imported(large_server, large.pieces(count, TEXT, texts=texts), name="large")
    state = http.get(f"/v1/agents/{agent}")
    assert state["name"] == "large" and len(state["message_ids"]) == 4
    context = http.get(f"/v1/agents/{agent}/context")
    assert context["num_messages"] == 4
    file = export(http, agent, "?messages=all")
    (written,) = file["agents"]
    assert len(written["messages"]) == count and [each["content"] for each in file["files"]] == texts
    for number in (0, 1, 2, 3, 9_999, count - 1):
        given = large.message(number, TEXT)
        assert written["messages"][number]["role"] == given["role"] and written["messages"][number]["created_at"][:19] == given["created_at"][:19]
        if given["role"] in ("user", "system"):
            assert written["messages"][number]["content"][0]["text"] == given["content"][0]["text"]
    assert written["messages"][3]["name"] == "roll"  # by the call in front of it
    assert [m["id"] for m in written["messages"] if m["id"] in written["in_context_message_ids"]] == written["in_context_message_ids"]
    (folder,) = http.get(f"/v1/agents/{agent}/folders")
    assert folder["name"] == "papers"
    stele.wait_until(lambda: {each["processing_status"] for each in http.get(f"/v1/folders/{folder['id']}/files")} == {"completed"}, 120)
    answer = http.post(f"/v1/agents/{agent}/messages", {"messages": [{"role": "user", "content": "@say still here"}]})
    assert "still here" in json.dumps(answer)
    again = export(http, imported(large_server, [json.dumps(file)]), "?messages=all")
    assert [without_ids(m) for m in again["agents"][0]["messages"]] == [without_ids(m) for m in written["messages"]]


def test_the_legacy_form_streams_both_ways(large_server):
    http, count = large_server.http(), 12_001
    agent = imported(large_server, large.pieces(count, TEXT))
    for query, kept in (("&messages=all", count), ("&messages=all&max_steps=2", 1 + 8), ("", 4)):
        legacy = export(http, agent, f"?use_legacy_format=true{query}")
        assert len(legacy["messages"]) == kept, query
        assert legacy["in_context_message_indices"] == [0, *range(kept - 3, kept)]
    legacy = export(http, agent, "?use_legacy_format=true&messages=all")
    copy = imported(large_server, [json.dumps(legacy)])
    assert len(http.get(f"/v1/agents/{copy}")["message_ids"]) == 4
    said = lambda of: [(m["role"], m["content"]) for m in export(http, of, "?messages=all")["agents"][0]["messages"] if m["role"] != "tool"]  # noqa: E731
    assert said(copy) == said(agent)


def test_memory_does_not_grow_with_the_file(own_server):
    server = own_server().start()
    imported(server, large.pieces(1_000))
    before = peak_mb(server)
    agent = imported(server, large.pieces(60_000, TEXT * 3))  # about 60 MB
    grown = peak_mb(server) - before
    assert server.http().get(f"/v1/agents/{agent}")["name"] == "large 0_copy"
    assert is_sanitized(server) or grown < 50, grown


def endless(begin: str, again: str, times: int, end: str = ""):
    yield begin
    for _ in range(times):
        yield again
    yield end


def broken_at(number: int, change: dict):
    """A large file with one message that is not right, near its end."""
    text = "".join(large.pieces(12_000, TEXT))
    wrong = json.dumps(large.message(number, TEXT))
    assert wrong in text
    return [text.replace(wrong, json.dumps({**large.message(number, TEXT), **change}))]


HOSTILE = {
    "role": (lambda: broken_at(11_000, {"role": "narrator"}), "agents.0.messages.11000.role must be one of"),
    "twice": (lambda: broken_at(11_000, {"id": "message-7"}), "agents.0.messages.11000: the id message-7 is there twice"),
    "cut": (lambda: ["".join(large.pieces(12_000, TEXT))[:-5_000]], "JSON ends too early"),
    "utf8": (lambda: [each.encode().replace(b"message-11000", b"message-\xff") for each in large.pieces(12_000, TEXT)], "no UTF-8"),
    "window": (lambda: ["".join(large.pieces(12_000, TEXT)).replace('["message-0"', '["message-99999"', 1)], "the file has no message message-99999"),
    "blocks": (lambda: ["".join(large.pieces(12_000, TEXT)).replace('"block_ids": []', '"block_ids": ["block-1"]')], "the file has no block block-1"),
    "deep": (lambda: endless('{"agents": [{"x": ', "[" * 100_000, 20), "nested deeper than 64"),
    "text": (lambda: endless('{"agents": [{"messages": [{"id": "', "x" * (1 << 20), 70), "agents.0.messages.0 is too large"),
    "rest": (lambda: endless('{"agents": [{"id": "a", "metadata": {"x": "', "x" * (1 << 20), 70), "too much in it besides"),
    "agents": (lambda: endless('{"agents": [', "{}, " * 250_000, 4, "{}]}"), "too much in it besides"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_told_and_leaves_nothing(large_server, kind):
    make, said = HOSTILE[kind]
    before = stored(large_server)
    status, answer = large.upload(large_server, make())
    assert status == 400 and said in answer["detail"], answer
    assert stored(large_server) == before
    assert is_sanitized(large_server) or peak_mb(large_server) < 600


def at_work(server) -> bool:
    return stored(server)[-1] > 0 and stored(server)[1] > 1_000


def test_nobody_sees_it_before_it_is_whole_and_a_crash_leaves_nothing(own_server):
    server = own_server().start()
    http = server.http()
    untouched = stored(server)
    failures = []

    def send():
        try:
            large.upload(server, large.pieces(50_000, "seldom " + TEXT))
        except OSError as cut:
            failures.append(cut)

    sender = threading.Thread(target=send)
    sender.start()
    stele.wait_until(lambda: at_work(server), 120)
    assert http.get("/v1/agents/?limit=50") == [] and http.get("/v1/agents/count") == 0
    assert http.get("/v1/messages?limit=50") == []
    assert http.post("/v1/messages/search", {"query": "seldom"}) == []
    assert at_work(server)  # all this while
    server.kill()
    sender.join()
    server.start()
    assert http.get("/v1/agents/count") == 0
    stele.wait_until(lambda: stored(server) == untouched, 120)


def test_what_fails_at_its_end_is_taken_away(own_server):
    server = own_server().start()
    http = server.http()
    schema = {"name": "fleeting", "description": "d", "parameters": {"type": "object", "properties": {}}}
    tool = http.post("/v1/tools/", {"source_code": "def fleeting():\n    return 1\n", "json_schema": schema})
    untouched = stored(server)
    file = "".join(large.pieces(30_000, TEXT)).replace('"tool_ids": []', '"tool_ids": ["tool-0"]')[:-1]
    file += ', "tools": ' + json.dumps([{"id": "tool-0", "name": "fleeting", "tool_type": "custom", "json_schema": schema}]) + "}"
    answers = []
    sender = threading.Thread(target=lambda: answers.append(large.upload(server, [file], override_existing_tools="false")))
    sender.start()
    stele.wait_until(lambda: at_work(server), 120)
    http.send("DELETE", f"/v1/tools/{tool['id']}")
    sender.join()
    assert answers[0][0] == 400, answers
    stele.wait_until(lambda: stored(server) == untouched, 120)


def test_who_is_not_known_fills_no_disk(own_server):
    server = own_server(environment={"STELE_PASSWORD": "pass"}).start()
    status, _ = large.upload(server, endless("", "x" * (1 << 20), 64), chunked=False)
    assert status == 413
    status, _ = large.upload(server, large.pieces(10))
    assert status == 401


def test_a_file_has_a_limit_of_its_own(own_server):
    server = own_server(arguments=["--agent-file-bytes-max", "70000000", "--body-bytes-max", "100000"]).start()
    assert imported(server, large.pieces(20_000, TEXT))
    status, answer = large.upload(server, endless('{"agents": [{"messages": [', "7, " * 100_000, 300), chunked=True)
    assert status == 413, answer
    stele.refused(server.http(), "POST", "/v1/agents/", 413, {"name": "x" * 200_000})


def test_the_same_request_again_gets_the_same_answer(large_server):
    key = {"headers": {"Idempotency-Key": "large-file-1"}}
    made = imported(large_server, large.pieces(10_000, TEXT), **key)
    rows = stored(large_server)
    assert imported(large_server, large.pieces(10_000, TEXT), **key) == made
    assert stored(large_server) == rows
    status, _ = large.upload(large_server, large.pieces(10_001, TEXT), **key)
    assert status == 422


def test_options_hold_for_a_large_file_too(large_server):
    http = large_server.http()
    agent = imported(large_server, large.pieces(12_000, TEXT, texts=["kept\n"]), strip_messages="true", append_copy_suffix="false", project_id="project-x")
    state = http.get(f"/v1/agents/{agent}")
    assert (state["name"], len(state["message_ids"]), state["project_id"]) == ("large 0", 1, "project-x")
    assert len(export(http, agent, "?messages=all")["agents"][0]["messages"]) == 1
    assert export(http, agent)["files"][0]["content"] == "kept\n"
