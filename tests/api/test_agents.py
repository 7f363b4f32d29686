"""Agents: filters and counts, PATCH field by field, links."""

import threading

import pytest
from stele import GONE, refused


@pytest.fixture(scope="module")
def filtered(server):
    """Agents that differ in whatever a list can filter by."""
    http = server.http(2)
    made = {}
    for name, body in {"ada": {"tags": ["f", "x"], "project_id": "p1"}, "Ada": {"tags": ["f", "x", "y"], "template_id": "t1"},
                       "100%_real": {"tags": ["f", "y"], "base_template_id": "b1"}, "Émile": {"tags": ["f"]},
                       "hidden": {"tags": ["f"], "hidden": True}, "sub": {"tags": ["f", "role:subagent"]}}.items():
        name_sent = name if name != "100%_real" else "under_score"
        made[name] = http.post("/v1/agents", {"name": name_sent, **body})["id"]
    http.post(f"/v1/agents/{made['ada']}/messages", {"input": "hello"})
    return made


@pytest.mark.parametrize("query, expected", [
    ("", "ada Ada 100%_real Émile"), ("&name=ada", "ada"), ("&name=ad", ""), ("&query_text=ADA", "ada Ada"), ("&query_text=_", "100%_real"),
    ("&query_text=%25", ""), ("&query_text=%C3%A9mile", "Émile"), ("&query_text=%C3%89MILE", "Émile"), ("&project_id=p1", "ada"), ("&template_id=t1", "Ada"),
    ("&base_template_id=b1", "100%_real"), ("&created_by_id=user-00000000-0000-4000-8000-000000000000", "ada Ada 100%_real Émile"),
    ("&created_by_id=user-x", ""), ("&last_stop_reason=end_turn", "ada"), ("&last_stop_reason=error", ""),
    ("&identifier_keys=k", ""), ("&show_hidden_agents=true", "ada Ada 100%_real Émile hidden sub"), ("&name=ada&project_id=p2", ""),
    ("&name=&project_id=&match_all_tags=", "ada Ada 100%_real Émile")])
def test_filters_and_counts_agree(server, filtered, query, expected):
    http = server.http(2)
    found = http.get("/v1/agents?tags=f&order=asc" + query)
    assert [agent["id"] for agent in found] == [filtered[name] for name in expected.split()]
    assert http.get("/v1/agents/count?tags=f" + query) == len(found)


@pytest.mark.parametrize("query, expected", [("tags=x&tags=y", "ada Ada 100%_real"), ("tags=x&tags=y&match_all_tags=true", "Ada"),
                                             ("tags[]=x&tags[]=y&match_all_tags=1", "Ada"), ("tags=x,y", ""), ("tags=no-such", "")])
def test_any_tag_or_all_tags(server, filtered, query, expected):
    http = server.http(2)
    found = [agent["id"] for agent in http.get("/v1/agents?order=asc&limit=1000&" + query)]
    assert [id for id in found if id in filtered.values()] == [filtered[name] for name in expected.split()]
    assert http.get("/v1/agents/count?" + query) == len(found)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64, 100, 254])
def test_filters_take_many_values(server, filtered, count):
    http = server.http(2)
    some = "".join(f"&tags=x{i}" for i in range(count))
    assert [agent["id"] for agent in http.get("/v1/agents?name=Ada&tags=f&tags=y" + some)] == [filtered["Ada"]]
    assert http.get("/v1/agents?name=Ada&match_all_tags=true&tags=f" + some) == []
    assert [agent["id"] for agent in http.get("/v1/agents?name=Ada&match_all_tags=true" + "&tags=f" * count + "&tags=y")] == [filtered["Ada"]]
    tools = "".join(f"&tools_used=tool-{i}" for i in range(count))
    assert http.get("/v1/runs?run_id=x" + tools) == []


def test_too_many_values_are_refused(server):
    for path in ("/v1/agents?tags=", "/v1/agents?match_all_tags=true&tags=", "/v1/blocks?match_all_tags=true&tags=", "/v1/runs?tools_used="):
        key = path.rpartition("?")[2].rpartition("&")[2]
        assert "at most" in refused(server.http(2), "GET", path + "x" + ("&" + key + "x") * 1024, 400).text


def test_wrong_filters_are_told(server):
    assert "last_stop_reason" in refused(server.http(2), "GET", "/v1/agents?last_stop_reason=boredom", 422).text
    assert "include" in refused(server.http(2), "GET", "/v1/agents?include=agent.soul", 422).text
    server.http(2).get("/v1/agents?include_relationships=anything")


def test_agents_by_ids_come_in_that_order(server):
    http = server.http(2)
    made = [http.post("/v1/agents", {})["id"] for _ in range(4)]
    wanted = [made[2], made[0], f"agent-{GONE}", made[3]]
    assert [agent["id"] for agent in http.get("/v1/agents?" + "&".join("ids=" + id for id in wanted))] == [made[2], made[0], made[3]]


# What is sent, what must have changed in the answer. Everything else must be as it was.
CHANGES = [
    ({"name": "New name"}, {"name": "New name"}), ({"description": "d"}, {"description": "d"}), ({"description": None}, {"description": None}),
    ({"metadata": {"k": [1, None]}}, {"metadata": {"k": [1, None]}}), ({"metadata": None}, {"metadata": None}), ({"system": "Be kind."}, {"system": "Be kind."}),
    ({"instructions": "Be brief."}, {"system": "Be brief."}), ({"tags": ["b", "a", "b"]}, {"tags": ["a", "b"]}), ({"tags": []}, {"tags": []}),
    ({"tool_rules": [{"type": "exit_loop", "tool_name": "x"}] * 2}, {"tool_rules": [{"tool_name": "x", "type": "exit_loop", "prompt_template": None}]}),
    ({"tool_rules": []}, {"tool_rules": []}), ({"message_buffer_autoclear": True}, {"message_buffer_autoclear": True}),
    ({"timezone": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}), ({"hidden": True}, {"hidden": True}), ({"hidden": None}, {"hidden": None}),
    ({"max_files_open": 7}, {"max_files_open": 7}), ({"per_file_view_window_char_limit": 99}, {"per_file_view_window_char_limit": 99}),
    ({"project_id": "p"}, {"project_id": "p"}), ({"template_id": "t"}, {"template_id": "t"}), ({"base_template_id": "b"}, {"base_template_id": "b"}),
    ({"last_run_completion": "2026-01-31T10:20:30Z"}, {"last_run_completion": "2026-01-31T10:20:30Z"}), ({"last_run_duration_ms": 5}, {"last_run_duration_ms": 5}),
    ({"last_stop_reason": "max_steps"}, {"last_stop_reason": "max_steps"}), ({"tool_ids": []}, {"tools": []}), ({"block_ids": []}, {"blocks": []}),
]


@pytest.mark.parametrize("body, changed", CHANGES, ids=lambda value: str(value)[:50])
def test_a_patch_changes_what_it_names_and_nothing_else(server, body, changed):
    http = server.http(1)
    before = http.post("/v1/agents", {"name": "Old", "description": "old", "metadata": {"old": 1}, "tags": ["old"], "hidden": False, "tool_rules": [{"type": "continue_loop", "tool_name": "y"}],
                                      "memory_blocks": [{"label": "human", "value": "v"}], "secrets": {"K": "v"}})
    after = http.patch(f"/v1/agents/{before['id']}", body)
    assert {name: after[name] for name in changed} == changed
    touched = set(changed) | {"updated_at", "last_updated_by_id"} | ({"memory"} if "blocks" in changed else set())
    assert {name for name in before if before[name] != after[name]} <= touched
    assert after["updated_at"] > before["updated_at"] and after["created_at"] == before["created_at"]
    again = http.patch(f"/v1/agents/{before['id']}", body)
    assert again == after or "tool_ids" in body or "block_ids" in body or "tags" in body, "nothing changed, so nothing may be touched"


LEFT = ["name", "system", "tags", "tool_rules", "tool_ids", "block_ids", "model", "embedding", "llm_config", "embedding_config", "model_settings",
        "compaction_settings", "timezone", "max_files_open", "per_file_view_window_char_limit", "message_buffer_autoclear", "project_id", "secrets",
        "message_ids", "context_window_limit", "identity_ids", "last_run_completion", "agent_type", "id", "created_at"]


@pytest.mark.parametrize("field", LEFT)
def test_null_leaves_what_it_cannot_clear(server, field):
    http = server.http(1)
    before = http.post("/v1/agents", {"tags": ["t"], "memory_blocks": [{"label": "human", "value": "v"}], "secrets": {"K": "v"}})
    assert http.patch(f"/v1/agents/{before['id']}", {field: None}) == before


def test_what_cannot_be_patched_is_ignored(server):
    http = server.http(1)
    before = http.post("/v1/agents", {})
    ignored = {"agent_type": "react_agent", "id": "agent-" + GONE, "created_at": "2020-01-01", "unknown": {"a": 1}}
    assert http.patch(f"/v1/agents/{before['id']}", ignored) == before


def test_max_tokens_and_the_context_window(server):
    http = server.http(1)
    agent = http.post("/v1/agents", {"context_window_limit": 20_000})
    path = f"/v1/agents/{agent['id']}"
    assert agent["llm_config"]["context_window"] == 20_000
    assert http.patch(path, {"max_tokens": 77})["llm_config"]["max_tokens"] == 77
    assert http.patch(path, {"name": "x"})["llm_config"]["max_tokens"] == 77
    assert http.patch(path, {"max_tokens": None})["llm_config"]["max_tokens"] is None
    assert http.patch(path, {"context_window_limit": 900_000})["llm_config"]["context_window"] == 900_000
    changed = http.patch(path, {"model": "openai/gpt-4o-mini"})
    assert changed["model"] == changed["llm_config"]["handle"] == "openai/gpt-4o-mini"


@pytest.mark.parametrize("body, status, named", [
    ({"name": ""}, 422, "body.name"), ({"name": "a/b"}, 422, "body.name"), ({"tool_ids": [f"tool-{GONE}"]}, 404, GONE), ({"block_ids": [f"block-{GONE}"]}, 404, GONE),
    ({"identity_ids": [f"identity-{GONE}"]}, 404, GONE), ({"folder_ids": [f"source-{GONE}"]}, 404, GONE), ({"message_ids": [f"message-{GONE}"]}, 400, "message"),
    ({"message_ids": []}, 400, "message_ids"), ({"model": "no/such"}, 404, "no/such"), ({"embedding": "no/such"}, 404, "no/such"),
    ({"context_window_limit": 0}, 422, "context_window_limit"), ({"timezone": "Mars"}, 422, "timezone"), ({"max_files_open": 1001}, 400, "max_files_open"),
    ({"per_file_view_window_char_limit": 2**31}, 400, "per_file_view_window_char_limit"), ({"last_stop_reason": "boredom"}, 422, "last_stop_reason"),
    ({"description": "a\u0000b"}, 422, "U+0000"), ({"name": "fine", "metadata": 5}, 422, "body.metadata")])
def test_a_bad_patch_changes_nothing(server, body, status, named):
    http = server.http(1)
    before = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "v"}]})
    assert named in refused(http, "PATCH", f"/v1/agents/{before['id']}", status, body).text
    assert http.get(f"/v1/agents/{before['id']}") == before


def test_blocks_of_one_label_are_refused_on_patch_too(server):
    http = server.http(1)
    twins = [http.post("/v1/blocks", {"label": "twin"})["id"] for _ in range(2)]
    agent = http.post("/v1/agents", {"block_ids": [twins[0]]})
    failed = refused(http, "PATCH", f"/v1/agents/{agent['id']}", 409, {"block_ids": twins})
    assert "twin" in failed.text and failed.headers["x-should-retry"] == "false"
    assert [block["id"] for block in http.get(f"/v1/agents/{agent['id']}")["blocks"]] == [twins[0]]


def test_secrets_are_replaced_whole(server):
    http = server.http(1)
    agent = http.post("/v1/agents", {"secrets": {"A": "1", "B": "2"}})
    path = f"/v1/agents/{agent['id']}"
    values = lambda: {each["key"]: each["value"] for each in http.get(path)["secrets"]}  # noqa: E731
    http.patch(path, {"name": "x"})
    assert values() == {"A": "1", "B": "2"}
    http.patch(path, {"secrets": {"B": "3"}, "tool_exec_environment_variables": {"C": "4"}})
    assert values() == {"B": "3"}
    http.patch(path, {"tool_exec_environment_variables": {}})
    assert values() == {}


def test_message_ids_choose_the_context(server):
    http = server.http(1)
    agent = http.post("/v1/agents", {})
    path = f"/v1/agents/{agent['id']}"
    http.post(path + "/messages", {"messages": [{"role": "user", "content": "one"}]})
    ids = http.get(path)["message_ids"]
    assert http.patch(path, {"message_ids": [ids[0], ids[2]]})["message_ids"] == [ids[0], ids[2]]
    refused(http, "PATCH", path, 400, {"message_ids": [ids[1]]})
    assert http.get(path)["message_ids"] == [ids[0], ids[2]]


def test_attach_and_detach_blocks(server):
    http = server.http(2)
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human"}]})
    block, rival = (http.post("/v1/blocks", {"label": "notes"})["id"] for _ in range(2))
    path = f"/v1/agents/{agent['id']}/core-memory/blocks"
    for _ in range(2):
        assert [each["label"] for each in http.patch(f"{path}/attach/{block}", {})["blocks"]] == ["human", "notes"]
    failed = refused(http, "PATCH", f"{path}/attach/{rival}", 409)
    assert "notes" in failed.text and failed.headers["x-should-retry"] == "false"
    assert [each["id"] for each in http.get(f"/v1/blocks/{block}/agents")] == [agent["id"]]
    http.patch(f"{path}/detach/{block}")
    assert "not found" in refused(http, "PATCH", f"{path}/detach/{block}", 404).text
    assert http.get(f"/v1/blocks/{block}")["id"] == block and http.get(f"/v1/blocks/{block}/agents") == []
    assert "not found" in refused(http, "GET", f"/v1/blocks/block-{GONE}/agents", 404).text


def test_two_attaches_at_once_both_succeed(server):
    http = server.http(2)
    agent, block = http.post("/v1/agents", {})["id"], http.post("/v1/blocks", {"label": "at once"})["id"]
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(http.send("PATCH", f"/v1/agents/{agent}/core-memory/blocks/attach/{block}")[0]))
               for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 6


def test_deleting_an_agent_keeps_blocks_runs_and_steps(server):
    http = server.http(2)
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "left behind"}], "tags": ["only this one"]})
    message = http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})["messages"][0]
    assert agent["id"] in http.delete(f"/v1/agents/{agent['id']}")["message"]
    assert "not found" in refused(http, "DELETE", f"/v1/agents/{agent['id']}", 404).text
    assert http.get(f"/v1/blocks/{agent['blocks'][0]['id']}")["label"] == "left behind"
    assert http.get(f"/v1/runs/{message['run_id']}")["agent_id"] == agent["id"] and http.get(f"/v1/steps/{message['step_id']}")
    refused(http, "GET", f"/v1/messages/{message['id']}", 404)
    assert "only this one" not in http.get("/v1/tags?query_text=only%20this")


def test_create_takes_whole_blocks_as_the_block_routes_give_them(server):
    http = server.http(2)
    given = http.post("/v1/blocks", {"label": "given", "value": "text", "limit": 77})
    agent = http.post("/v1/agents", {"memory_blocks": [given]})
    made = agent["blocks"][0]
    assert made["id"] != given["id"] and (made["label"], made["value"], made["limit"]) == ("given", "text", 77)


def test_the_project_of_an_agent_comes_from_body_or_header(server):
    http = server.http(2)
    assert http.post("/v1/agents", {"project_id": "p"}, headers={"X-Project-Id": "q"})["project_id"] == "p"
    assert http.post("/v1/agents", {}, headers={"X-Project-Id": "q"})["project_id"] == "q"
    assert http.post("/v1/agents", {}, headers={"X-Project": "default-project"})["id"]


def test_tags_of_agents_and_blocks(server):
    http = server.http(2)
    http.post("/v1/agents", {"tags": ["tagged b", "tagged A", "tagged d"]})
    http.post("/v1/blocks", {"label": "x", "tags": ["tagged c", "tagged b"]})
    tags = lambda query="": http.get("/v1/tags?query_text=tagged" + query)  # noqa: E731
    every = ["tagged A", "tagged b", "tagged c", "tagged d"]
    assert tags() == every and tags("&order=desc") == every[::-1] and http.get("/v1/tags?name=TAGGED") == every
    assert tags("&limit=2") == every[:2] and tags("&limit=2&after=tagged%20b") == every[2:] and tags("&after=tagged%20bb") == every[2:]
    assert tags("&before=tagged%20d&limit=2") == every[1:3] and tags("&order=desc&after=tagged%20c") == every[1::-1]
