"""The built-in tools as the model meets them: what comes back, what stands in memory afterwards, what it is asked next."""

import datetime
import json

import pytest

EDITS = ["core_memory_append", "core_memory_replace", "memory", "memory_apply_patch", "memory_replace", "memory_insert", "memory_rethink"]


@pytest.fixture(scope="module")
def http(server):
    return server.http(1)


@pytest.fixture
def make(http):
    def make(human="Name: Grace.\nLikes tea.", **more):
        return http.post("/v1/agents", {"include_base_tools": False, "tools": [*EDITS, "conversation_search"], "memory_blocks": [
            {"label": "human", "value": human, "limit": 2000}, {"label": "policy", "value": "Be fair.", "read_only": True}], **more})

    return make


@pytest.fixture
def call(http):
    def call(agent, tool, **arguments):
        """One call by the model; its return as the API shows it."""
        answer = http.post(f"/v1/agents/{agent['id']}/messages", {"input": f"@call {tool} {json.dumps(arguments)}", "max_steps": 1})
        returned = answer["messages"][-1]
        assert returned["message_type"] == "tool_return_message" and returned["name"] == tool
        return returned["status"], returned["tool_return"]

    return call


@pytest.fixture
def value(http):
    return lambda agent, label="human": http.get(f"/v1/agents/{agent['id']}/core-memory/blocks/{label}")["value"]


def labels(http, agent):
    return sorted(block["label"] for block in http.get(f"/v1/agents/{agent['id']}/core-memory/blocks"))


GOOD = [
    ("core_memory_append", {"label": "human", "content": "Plays chess."}, "Name: Grace.\nLikes tea.\nPlays chess."),
    ("core_memory_append", {"label": "human", "content": ""}, "Name: Grace.\nLikes tea.\n"),
    ("core_memory_replace", {"label": "human", "old_content": "e", "new_content": "3"}, "Nam3: Grac3.\nLik3s t3a."),
    ("core_memory_replace", {"label": "human", "old_content": "\nLikes tea.", "new_content": ""}, "Name: Grace."),
    ("memory_replace", {"label": "human", "old_string": "tea", "new_string": "☕ and 🍰"}, "Name: Grace.\nLikes ☕ and 🍰."),
    ("memory_replace", {"label": "human", "old_string": "tea", "new_string": "a\tb"}, "Name: Grace.\nLikes a       b."),
    ("memory_insert", {"label": "human", "new_string": "First."}, "Name: Grace.\nLikes tea.\nFirst."),
    ("memory_insert", {"label": "human", "new_string": "First.", "insert_line": 0}, "First.\nName: Grace.\nLikes tea."),
    ("memory_rethink", {"label": "human", "new_memory": "New\nText"}, "New\nText"),
    ("memory_rethink", {"label": "human", "new_memory": ""}, ""),
    ("memory", {"command": "str_replace", "path": "/memories/human", "old_string": "tea", "new_string": "milk"}, "Name: Grace.\nLikes milk."),
    ("memory", {"command": "insert", "path": "/memories/human", "insert_text": "x", "insert_line": 1}, "Name: Grace.\nx\nLikes tea."),
    ("memory", {"command": "insert", "path": "/memories/human", "insert_text": "x"}, "Name: Grace.\nLikes tea.\nx"),
]


@pytest.mark.parametrize("tool, arguments, expected", GOOD)
def test_an_edit_gives_back_the_new_text(make, call, value, tool, arguments, expected):
    agent = make()
    assert call(agent, tool, **arguments) == ("success", expected)
    assert value(agent) == expected


BAD = [
    ("core_memory_append", {"label": "x", "content": "a"}, "human, policy"),
    ("core_memory_append", {"label": "policy", "content": "a"}, "read-only"),
    ("core_memory_append", {"label": "human", "content": "a" * 2001}, "limit of 2000"),
    ("core_memory_replace", {"label": "human", "old_content": "coffee", "new_content": "x"}, "'coffee' was not found in the memory block 'human'"),
    ("core_memory_replace", {"label": "policy", "old_content": "nothing", "new_content": "x"}, "read-only"),
    ("core_memory_replace", {"label": "human", "old_content": "", "new_content": "x"}, "must not be empty"),
    ("memory_replace", {"label": "human", "old_string": "coffee", "new_string": "x"}, "was not found"),
    ("memory_replace", {"label": "human", "old_string": "e", "new_string": "x"}, "in lines 1, 1, 2, 2"),
    ("memory_replace", {"label": "human", "old_string": "1→ Name", "new_string": "x"}, "old_string holds line numbers"),
    ("memory_replace", {"label": "human", "old_string": "tea", "new_string": " 2→ x"}, "new_string holds line numbers"),
    ("memory_replace", {"label": "policy", "old_string": "fair", "new_string": "x"}, "read-only"),
    ("memory_replace", {"label": "x", "old_string": "a", "new_string": "b"}, "human, policy"),
    ("memory_replace", {"label": "human", "old_string": "tea"}, "'new_string' is missing"),
    ("memory_replace", {"label": "human", "old_str": "tea", "new_string": "x"}, "unknown argument 'old_str'"),
    ("memory_replace", {"label": "human", "old_string": 5, "new_string": "x"}, "old_string"),
    ("memory_insert", {"label": "human", "new_string": "x", "insert_line": 3}, "between 0 and 2"),
    ("memory_insert", {"label": "human", "new_string": "x", "insert_line": -2}, "between 0 and 2"),
    ("memory_insert", {"label": "human", "new_string": "3→ x"}, "line numbers"),
    ("memory_insert", {"label": "policy", "new_string": "x"}, "read-only"),
    ("memory_rethink", {"label": "human", "new_memory": "1→ x"}, "line numbers"),
    ("memory_rethink", {"label": "x", "new_memory": "x"}, "human, policy"),
    ("memory_rethink", {"label": "policy", "new_memory": "Be fair."}, "read-only"),
    ("memory", {"command": "fly"}, "unknown command 'fly'"),
    ("memory", {"command": "create", "path": "/memories/notes"}, "'description' is missing"),
    ("memory", {"command": "create", "description": "d"}, "'path' is missing"),
    ("memory", {"command": "create", "path": "/memories/human", "description": "d"}, "already"),
    ("memory", {"command": "create", "path": "/memories/", "description": "d"}, "/memories/<label>"),
    ("memory", {"command": "create", "path": "/memories/n", "description": "d", "file_text": "1→ x"}, "file_text holds line numbers"),
    ("memory", {"command": "insert", "path": "/memories/human"}, "'insert_text' is missing"),
    ("memory", {"command": "str_replace", "path": "/memories/human", "old_string": "tea"}, "'new_string' is missing"),
    ("memory", {"command": "delete", "path": "/memories/policy"}, "read-only"),
    ("memory", {"command": "delete", "path": "/memories/x"}, "human, policy"),
    ("memory", {"command": "rename", "old_path": "/memories/human", "new_path": "/memories/policy"}, "already"),
    ("memory", {"command": "rename", "old_path": "/memories/human"}, "'new_path' is missing"),
    ("memory", {"command": "rename", "old_path": "/memories/human", "new_path": "/memories/a\nb"}, "can't be the label"),
    ("memory_apply_patch", {"label": "human", "patch": "@@\n-coffee\n+x"}, "does not fit"),
    ("memory_apply_patch", {"label": "human", "patch": ""}, "no hunk"),
    ("memory_apply_patch", {"label": "human", "patch": "@@\n-Likes tea.\n+2→ x"}, "line numbers"),
    ("memory_apply_patch", {"label": "policy", "patch": "@@\n+x"}, "read-only"),
    ("memory_apply_patch", {"label": "human", "patch": "*** Update Block: human\n@@\n-Likes tea.\n+x\n*** Delete Block: nobody"}, "human, policy"),
]


@pytest.mark.parametrize("tool, arguments, words", BAD)
def test_an_edit_that_can_t_be_made_says_why_and_changes_nothing(http, make, call, value, tool, arguments, words):
    agent = make()
    status, text = call(agent, tool, **arguments)
    assert status == "error" and words in text, text
    assert (value(agent), value(agent, "policy"), labels(http, agent)) == ("Name: Grace.\nLikes tea.", "Be fair.", ["human", "policy"])


def test_memory_makes_renames_describes_and_removes_blocks(http, make, call, value, model):
    agent = make()
    status, text = call(agent, "memory", command="create", path="/memories/notes", description="Things", file_text="one")
    assert status == "success" and "'notes'" in text
    block = next(b for b in http.get(f"/v1/agents/{agent['id']}/core-memory/blocks") if b["label"] == "notes")
    assert (block["value"], block["description"]) == ("one", "Things")
    assert "'journal'" in call(agent, "memory", command="rename", old_path="/memories/notes", new_path="/memories/journal")[1]
    assert call(agent, "memory", command="rename", path="/memories/journal", description="Days")[0] == "success"
    block = http.get(f"/v1/agents/{agent['id']}/core-memory/blocks/journal")
    assert (block["value"], block["description"]) == ("one", "Days")
    model.forget()
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hi"})
    assert "<journal>" in model.requests()[0]["messages"][0]["content"]
    assert "'journal'" in call(agent, "memory", command="delete", path="/memories/journal")[1]
    assert labels(http, agent) == ["human", "policy"]
    assert http.get(f"/v1/blocks/{block['id']}")["value"] == "one", "the block is detached, not deleted"
    model.forget()
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hi"})
    assert "<journal>" not in model.requests()[0]["messages"][0]["content"]


def test_a_patch_over_several_blocks_is_made_whole(http, make, call, value):
    agent = make()
    patch = ("*** Begin Patch\n*** Add Block: notes\n+one\n+two\n*** Update Block: human\n*** Move to: person\n@@\n Name: Grace.\n"
             "-Likes tea.\n+Likes milk.\n*** End Patch")
    assert call(agent, "memory_apply_patch", label="human", patch=patch)[0] == "success"
    assert value(agent, "notes") == "one\ntwo" and value(agent, "person") == "Name: Grace.\nLikes milk."
    assert call(agent, "memory_apply_patch", label="", patch="*** Delete Block: notes")[0] == "success"
    assert labels(http, agent) == ["person", "policy"]


def test_a_large_text_is_edited(http, make, call, value):
    big = "\n".join(f"line {i} of a long memory" for i in range(4_000))
    agent = make(memory_blocks=[{"label": "human", "value": big, "limit": 200_000}])
    status, text = call(agent, "memory_replace", label="human", old_string="line 3999 of", new_string="the last of")
    assert status == "success" and value(agent).endswith("the last of a long memory")
    assert len(text) < 51_000 and "characters]" in text, "the return is cut at the tool's limit, the memory is not"
    status, text = call(agent, "memory_replace", label="human", old_string="long", new_string="x")
    assert status == "error" and "4000 times" in text and len(text) < 500


def test_a_rename_that_another_agent_can_t_follow_is_an_error_return(http, make, call):
    block = http.post("/v1/blocks", {"label": "shared", "value": "x"})
    one, two = make(block_ids=[block["id"]]), make(block_ids=[block["id"]])
    http.patch(f"/v1/agents/{two['id']}/core-memory/blocks/attach/{http.post('/v1/blocks', {'label': 'taken', 'value': ''})['id']}")
    status, text = call(one, "memory", command="rename", old_path="/memories/shared", new_path="/memories/taken")
    assert status == "error" and text
    assert "shared" in labels(http, one) and "shared" in labels(http, two)


def test_line_numbers_are_shown_to_claude_only(http, make, model):
    agent = make()
    model.forget()
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hi"})
    assert "1→" not in model.requests()[0]["messages"][0]["content"]


def search(call, agent, **arguments):
    status, text = call(agent, "conversation_search", **arguments)
    return json.loads(text) if status == "success" else text


def test_conversation_search_finds_what_was_said(http, make, call):
    agent = make()
    for said, answer in (("I sold my blue bicycle", "A pity"), ("What is the weather?", "A blue sky, Zürich 東京")):
        http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": said}, {"role": "user", "content": f"@say {answer}"}]})
    found = search(call, agent, query="BICYCLE", roles=["user"])
    assert "1" in found["message"] and len(found["results"]) == 1
    hit = found["results"][0]
    assert hit["content"] == "I sold my blue bicycle" and hit["role"] == "user" and hit["relevance"]["search_mode"]
    assert hit["time_ago"].endswith("ago") and datetime.datetime.fromisoformat(hit["timestamp"]).utcoffset() == datetime.timedelta(0)
    assert {r["role"] for r in search(call, agent, query="blue")["results"]} == {"user", "assistant"}
    assert {r["role"] for r in search(call, agent, query="blue", roles=["assistant"])["results"]} == {"assistant"}
    assert search(call, agent, query="zürich")["results"]
    assert search(call, agent, query="no such word")["results"] == []
    assert len(search(call, agent, query="blue", limit=1)["results"]) == 1
    newest = search(call, agent, limit=2)["results"]
    assert len(newest) == 2 and "relevance" not in newest[0]
    for odd in ('"', "blue AND", "NEAR(", "col:blue", "*", "'; DROP TABLE message; --"):
        assert isinstance(search(call, agent, query=odd), dict), odd


def test_conversation_search_skips_tool_returns_and_its_own_calls(http, make, call):
    agent = make()
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say I know a walrus"})
    search(call, agent, query="walrus")
    again = search(call, agent, query="walrus")["results"]
    assert all("conversation_search" not in r.get("content", "") or r["role"] == "user" for r in again)
    assert "tool" not in {r["role"] for r in again}


@pytest.mark.parametrize("arguments, words", [
    ({"query": "x", "start_date": "yesterday"}, "ISO 8601"), ({"query": "x", "end_date": "2026-13-01"}, "ISO 8601"),
    ({"query": "blue\u0000x"}, "U+0000"), ({"query": "x", "roles": ["system"]}, "system"), ({"query": "x", "roles": "user"}, "roles"), ({"query": 5}, "query")])
def test_conversation_search_says_what_is_wrong(make, call, arguments, words):
    assert words in search(call, make(), **arguments)


def test_conversation_search_knows_days_in_the_agent_s_zone(http, make, call):
    agent = make(timezone="Asia/Tokyo")
    http.post(f"/v1/agents/{agent['id']}/messages", {"input": "the walrus is here"})
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9)))
    today, tomorrow = now.date(), now.date() + datetime.timedelta(days=1)
    hit = search(call, agent, query="walrus")["results"][0]
    assert hit["timestamp"].endswith("+09:00")
    assert abs(datetime.datetime.fromisoformat(hit["timestamp"]) - now) < datetime.timedelta(minutes=5)

    def found(**dates):
        return len([r for r in search(call, agent, query="walrus", **dates)["results"] if r["content"] == "the walrus is here"])

    assert found(start_date=str(today), end_date=str(today)) == 1, "a date as an end means its whole day"
    assert found(start_date=str(tomorrow)) == 0
    before, after = (now + datetime.timedelta(minutes=m) for m in (-10, 10))
    assert found(start_date=f"{before:%Y-%m-%dT%H:%M}", end_date=f"{after:%Y-%m-%dT%H:%M}") == 1, "without an offset: the agent's zone"
    assert found(start_date=f"{after:%Y-%m-%dT%H:%M}") == 0
    utc = datetime.datetime.now(datetime.timezone.utc)
    assert found(start_date=f"{utc - datetime.timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}") == 1
    assert found(end_date=f"{utc - datetime.timedelta(minutes=10):%Y-%m-%dT%H:%M:%S+00:00}") == 0


def test_send_message_has_a_fixed_answer(http):
    agent = http.post("/v1/agents", {"agent_type": "memgpt_v2_agent"})
    answer = http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say hi", "use_assistant_message": False})
    returned = answer["messages"][-1]
    assert returned["name"] == "send_message" and returned["status"] == "success" and returned["tool_return"]
    missing = http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@call send_message {}", "max_steps": 1, "use_assistant_message": False})
    assert missing["messages"][-1]["status"] == "error" and "'message' is missing" in missing["messages"][-1]["tool_return"]
