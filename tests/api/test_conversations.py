"""Several talks with one agent: what they share and what they don't, forks, isolated blocks, and one writer each."""

import concurrent.futures
import json
import threading

import pytest
import stele
from runs import in_background

PADDING = "lorem ipsum dolor sit amet " * 40


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def ada(api):
    return api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}, {"label": "notes", "value": "none"}]})


def begin(api, agent, **body):
    return api.post(f"/v1/conversations?agent_id={agent['id']}", body)


def say(api, conversation, text, **more):
    return api.post(f"/v1/conversations/{conversation['id']}/messages", {"input": text, "streaming": False, **more})


def window(api, conversation):
    return api.get(f"/v1/conversations/{conversation['id']}")["in_context_message_ids"]


def said(api, conversation, order="asc"):
    messages = api.get(f"/v1/conversations/{conversation['id']}/messages?order={order}&limit=1000")
    return [m["content"] for m in messages if m["message_type"] in ("user_message", "assistant_message")]


def sent(model):
    """What an agent's model was sent last: the system text, and the rest as (role, text). Summaries are written in between."""
    messages = [r for r in model.requests() if "AGENT_ID: " in r["messages"][0]["content"]][-1]["messages"]
    return messages[0]["content"], [(m["role"], m.get("content")) for m in messages[1:]]


def refusal(call, *arguments, **more):
    with pytest.raises(stele.Refused) as refused:
        call(*arguments, **more)
    return refused.value


def test_a_new_conversation_has_a_system_message_of_its_own(api, ada):
    made = begin(api, ada, summary="first", description="d", context_window_limit=9000)
    assert made == api.get(f"/v1/conversations/{made['id']}")
    assert (made["agent_id"], made["summary"], made["description"], made["context_window_limit"]) == (ada["id"], "first", "d", 9000)
    assert len(made["in_context_message_ids"]) == 1 and made["in_context_message_ids"] != ada["message_ids"]
    [system] = api.get(f"/v1/conversations/{made['id']}/messages")
    assert system["message_type"] == "system_message" and f"- AGENT_ID: {ada['id']}" in system["content"]
    assert f"- CONVERSATION_ID: {made['id']}" in system["content"] and "Grace" in system["content"]
    bare = api.post(f"/v1/conversations/?agent_id={ada['id']}")
    assert (bare["summary"], bare["model"], bare["model_settings"], bare["last_message_at"], bare["archived"]) == (None, None, None, None, False)


def test_messages_stay_in_their_conversation(api, model, ada):
    first, second = begin(api, ada), begin(api, ada)
    say(api, first, "@say one\nin the first")
    say(api, second, "@say two\nin the second")
    api.post(f"/v1/agents/{ada['id']}/messages", {"input": "@say three\nin the default"})
    say(api, first, "@say four\nagain in the first")
    assert sent(model)[1] == [("user", "@say one\nin the first"), ("assistant", "one"), ("user", "@say four\nagain in the first")]
    assert said(api, first) == ["@say one\nin the first", "one", "@say four\nagain in the first", "four"]
    assert said(api, first, "desc") == said(api, first)[::-1]
    assert said(api, second) == ["@say two\nin the second", "two"]
    assert len(window(api, first)) == 5 and api.get(f"/v1/conversations/{first['id']}")["last_message_at"] is not None
    of_all = [m["content"] for m in api.get(f"/v1/agents/{ada['id']}/messages") if m["message_type"] == "user_message"]
    assert of_all == ["@say one\nin the first", "@say two\nin the second", "@say three\nin the default", "@say four\nagain in the first"]
    default = api.get(f"/v1/agents/{ada['id']}/messages?conversation_id=default")
    assert [m["content"] for m in default if m["message_type"] == "user_message"] == ["@say three\nin the default"]
    only = api.get(f"/v1/agents/{ada['id']}/messages?conversation_id={second['id']}")
    assert [m["message_type"] for m in only] == ["system_message", "user_message", "assistant_message"]
    runs = api.get(f"/v1/runs?conversation_id={first['id']}")
    assert len(runs) == 2 and {run["conversation_id"] for run in runs} == {first["id"]}


def test_streaming_is_the_default_and_ends_properly(api, ada):
    made = begin(api, ada)
    events = api.events(f"/v1/conversations/{made['id']}/messages", {"messages": [{"role": "user", "content": "hello"}]})
    kinds = [event if isinstance(event, str) else event["message_type"] for event in events]
    assert kinds == ["ping", "assistant_message", "stop_reason", "usage_statistics", "[DONE]"]
    assert api.events(f"/v1/conversations/{made['id']}/messages", {"input": "x", "stream_tokens": True, "include_pings": False})[-1] == "[DONE]"


def test_default_and_an_agents_id_mean_the_agents_own_conversation(api, ada):
    for path, body in (("default", {"agent_id": ada["id"]}), (ada["id"], {})):
        api.post(f"/v1/conversations/{path}/messages", {"input": f"@say by {path}", "streaming": False, **body})
    assert len(api.get(f"/v1/agents/{ada['id']}")["message_ids"]) == 5
    for path in (f"default/messages?agent_id={ada['id']}", f"{ada['id']}/messages?x=1"):
        newest = api.get(f"/v1/conversations/{path}&order=desc")
        assert newest[0]["content"] == f"by {ada['id']}" and newest[-1]["message_type"] == "system_message"
    missing = refusal(api.post, "/v1/conversations/default/messages", {"input": "x"})
    assert missing.status == 422 and "agent_id" in missing.text
    gone = "agent-00000000-0000-4000-8000-00000000dead"
    assert refusal(api.post, "/v1/conversations/default/messages", {"input": "x", "agent_id": gone}).status == 404
    assert refusal(api.post, f"/v1/conversations/{gone}/messages", {"input": "x"}).status == 404


def test_a_shared_block_and_the_prompt_stand_in_the_next_request_of_each(api, model, ada):
    talks = [begin(api, ada) for _ in range(3)]
    for talk in talks:
        say(api, talk, "hello")
    api.patch(f"/v1/agents/{ada['id']}/core-memory/blocks/human", {"value": "Hopper"})
    api.patch(f"/v1/agents/{ada['id']}", {"system": "You are terse."})
    for talk in talks:
        listed = api.get(f"/v1/conversations/{talk['id']}/messages?order=asc&limit=1")[0]["content"]
        assert "Hopper" in listed and listed.startswith("You are terse.")
        say(api, talk, "hello again")
        system, _ = sent(model)
        assert "Hopper" in system and "Grace" not in system and system == listed and talk["id"] in system


def test_a_tools_edit_of_a_shared_block_shows_in_the_other_conversations(api, model, ada):
    first, second = begin(api, ada), begin(api, ada)
    say(api, first, '@call memory_replace {"label": "human", "old_string": "Grace", "new_string": "Hopper"}')
    say(api, second, "hello")
    assert "Hopper" in sent(model)[0]
    assert api.get(f"/v1/agents/{ada['id']}/core-memory/blocks/human")["value"] == "Hopper"


def test_an_isolated_block_is_private(api, model, ada):
    shared = api.get(f"/v1/agents/{ada['id']}/core-memory/blocks/human")
    alone, other = begin(api, ada, isolated_block_labels=["human", "human"]), begin(api, ada)
    [copy] = alone["isolated_block_ids"]
    assert copy != shared["id"] and api.get(f"/v1/blocks/{copy}")["value"] == "Grace"
    say(api, alone, '@call memory_replace {"label": "human", "old_string": "Grace", "new_string": "Private"}')
    assert api.get(f"/v1/blocks/{copy}")["value"] == "Private" and api.get(f"/v1/blocks/{shared['id']}")["value"] == "Grace"
    api.patch(f"/v1/blocks/{shared['id']}", {"value": "Hopper"})
    say(api, alone, "hello")
    system = sent(model)[0]
    assert "Private" in system and "Hopper" not in system and system.index("<human>") < system.index("<notes>")
    say(api, other, "hello")
    assert "Hopper" in sent(model)[0] and "Private" not in sent(model)[0]
    api.delete(f"/v1/blocks/{copy}")  # then the conversation has none
    say(api, alone, "hello")
    assert "<human>" not in sent(model)[0] and "<notes>" in sent(model)[0]
    assert api.get(f"/v1/conversations/{alone['id']}")["isolated_block_ids"] == []
    unknown = refusal(begin, api, ada, isolated_block_labels=["human", "nobody"])
    assert unknown.status == 400 and "nobody" in unknown.text
    assert [c["id"] for c in api.get(f"/v1/conversations?agent_id={ada['id']}")] == [other["id"], alone["id"]], "half of it was made"


def test_an_isolated_block_that_a_tool_deletes_is_gone_there_alone(api, model):
    agent = api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}], "tools": ["memory"]})
    alone = begin(api, agent, isolated_block_labels=["human"])
    answer = say(api, alone, '@call memory {"command": "delete", "path": "/memories/human"}')
    assert answer["messages"][1]["status"] == "success"
    say(api, alone, "hello")
    assert "<human>" not in sent(model)[0]
    assert api.get(f"/v1/agents/{agent['id']}/core-memory/blocks/human")["value"] == "Grace"
    assert refusal(api.get, f"/v1/blocks/{alone['isolated_block_ids'][0]}").status == 404


def test_the_models_precedence(api, model, ada):
    own = begin(api, ada, model="openai/mock-tiny", model_settings={"provider_type": "openai", "temperature": 0.25, "max_output_tokens": 77})
    assert own["model"] == "openai/mock-tiny" and own["model_settings"]["temperature"] == 0.25
    say(api, own, "hello")
    asked = model.requests()[-1]
    assert (asked["model"], asked["temperature"], asked["max_completion_tokens"]) == ("mock-tiny", 0.25, 77)
    say(api, own, "hello", override_model="openai/mock-short")
    assert model.requests()[-1]["model"] == "mock-short"
    say(api, begin(api, ada), "hello")
    assert model.requests()[-1]["model"] == "mock-small"
    changed = api.patch(f"/v1/conversations/{own['id']}", {"model": "openai/mock-small"})
    assert changed["model"] == "openai/mock-small" and changed["model_settings"]["temperature"] == 0.25
    say(api, own, "hello")
    assert (model.requests()[-1]["model"], model.requests()[-1]["temperature"]) == ("mock-small", 0.25)
    for call in (lambda: begin(api, ada, model="openai/no-such"), lambda: api.patch(f"/v1/conversations/{own['id']}", {"model": "openai/no-such"})):
        assert refusal(call).status == 404
    assert api.get(f"/v1/agents/{ada['id']}")["llm_config"]["model"] == "mock-small"


def test_changes(api, ada):
    made = begin(api, ada, summary="s", description="d")
    path = f"/v1/conversations/{made['id']}"
    assert api.patch(path, {}) == api.patch(path, {"summary": None, "last_message_at": None}) == made, "a null leaves it"
    changed = api.patch(path, {"summary": "t", "description": None, "archived": True, "last_message_at": "2026-01-02T03:04:05Z"})
    assert (changed["summary"], changed["description"], changed["archived"]) == ("t", None, True) and changed["archived_at"]
    assert changed["last_message_at"].startswith("2026-01-02T03:04:05") and changed["updated_at"] > made["updated_at"]
    ids = lambda status: [c["id"] for c in api.get(f"/v1/conversations?agent_id={ada['id']}{status}")]  # noqa: E731
    other = begin(api, ada)["id"]
    assert ids("") == ids("&archive_status=unarchived") == [other]
    assert ids("&archive_status=archived") == [made["id"]] and ids("&archive_status=all") == [other, made["id"]]
    assert refusal(ids, "&archive_status=some").status == 422
    assert api.patch(path, {"archived": False})["archived_at"] is None
    begin(api, ada, hidden=True)
    assert len(ids("")) == 2


def test_lists_by_summary_and_by_last_message(api, ada):
    made = [begin(api, ada, summary=f"Tea {i}%") for i in range(3)]
    begin(api, ada, summary="coffee")
    for index in (2, 0):
        say(api, made[index], "hello")
    path = f"/v1/conversations?agent_id={ada['id']}&summary_search=tEA"
    names = lambda query: [c["summary"] for c in api.get(path + query)]  # noqa: E731
    assert names("") == ["Tea 2%", "Tea 1%", "Tea 0%"] and names("&order=asc&limit=2") == ["Tea 0%", "Tea 1%"]
    for by in ("last_message_at", "last_run_completion"):
        assert names(f"&order_by={by}") == ["Tea 0%", "Tea 2%", "Tea 1%"], "those without one come last"
        assert names(f"&order_by={by}&order=asc") == ["Tea 2%", "Tea 0%", "Tea 1%"]
    assert api.get(f"/v1/conversations?agent_id={ada['id']}&summary_search=%25&limit=9").__len__() == 3
    assert made[0]["id"] in [c["id"] for c in api.get("/v1/conversations?limit=1000")]


def test_a_deleted_conversation_is_gone(api, ada):
    made, other = begin(api, ada, isolated_block_labels=["human"]), begin(api, ada)
    say(api, made, "hello"), say(api, other, "hello")
    path = f"/v1/conversations/{made['id']}"
    last = api.get(path + "/messages")[0]["id"]
    assert api.delete(path) is None
    for call in (lambda: api.get(path), lambda: api.delete(path), lambda: api.patch(path, {}), lambda: api.get(path + "/messages"),
                 lambda: say(api, made, "x"), lambda: api.post(path + "/fork"), lambda: api.post(path + "/compact"),
                 lambda: api.post(path + "/recompile"), lambda: api.get(f"/v1/blocks/{made['isolated_block_ids'][0]}"),
                 lambda: api.get(f"/v1/messages/{last}")):
        gone = refusal(call)
        assert gone.status == 404 and "not found" in gone.text
    assert [c["id"] for c in api.get(f"/v1/conversations?agent_id={ada['id']}")] == [other["id"]]
    assert [m["message_type"] for m in api.get(f"/v1/agents/{ada['id']}/messages")].count("user_message") == 1
    assert api.get(f"/v1/agents/{ada['id']}/context")["num_recall_memory"] == 4
    assert say(api, other, "@say alive")["messages"][0]["content"] == "alive"


def test_an_agents_end_is_that_of_its_conversations(api, ada):
    made = begin(api, ada, isolated_block_labels=["human"])
    say(api, made, "hello")
    api.delete(f"/v1/agents/{ada['id']}")
    assert refusal(api.get, f"/v1/conversations/{made['id']}").status == 404
    assert refusal(api.get, f"/v1/blocks/{made['isolated_block_ids'][0]}").status == 404
    assert refusal(api.get, f"/v1/conversations/{made['id']}/messages").status == 404


def test_a_fork_shares_what_was_said_and_goes_on_by_itself(api, model, ada):
    source = begin(api, ada)
    say(api, source, "@say one\nfirst")
    say(api, source, '@call memory_insert {"label": "notes", "new_string": "x"}')
    fork = api.post(f"/v1/conversations/{source['id']}/fork")
    shared = window(api, source)[1:]
    assert fork["id"] != source["id"] and fork["summary"] is None
    assert fork["in_context_message_ids"] == window(api, fork) and window(api, fork)[1:] == shared
    assert window(api, fork)[0] != window(api, source)[0]
    say(api, fork, "@say forked\nin the fork")
    texts = [text for _, text in sent(model)[1]]
    assert "@say one\nfirst" in texts and "@say forked\nin the fork" in texts and fork["id"] in sent(model)[0]
    say(api, source, "@say two\nin the source")
    assert "@say forked\nin the fork" not in [text for _, text in sent(model)[1]]
    assert said(api, fork)[-2:] == ["@say forked\nin the fork", "forked"] and said(api, source)[-2:] == ["@say two\nin the source", "two"]
    listed = api.get(f"/v1/conversations/{fork['id']}/messages?order=asc")
    assert listed[0]["message_type"] == "system_message" and listed[0]["id"] == window(api, fork)[0]
    deeper = api.post(f"/v1/conversations/{fork['id']}/fork")
    assert window(api, deeper)[1:] == window(api, fork)[1:]
    api.delete(f"/v1/conversations/{source['id']}")
    assert window(api, fork)[1:len(shared) + 1] == shared, "what a fork has stays"
    api.delete(f"/v1/conversations/{fork['id']}")
    say(api, deeper, "@say deep")
    assert [text for _, text in sent(model)[1]][0] == "@say one\nfirst" and said(api, deeper)[-1] == "deep"
    api.delete(f"/v1/conversations/{deeper['id']}")
    assert [m["message_type"] for m in api.get(f"/v1/agents/{ada['id']}/messages")] == ["system_message"], "nobody has the rest any more"


def test_a_fork_of_the_default_conversation_and_up_to_a_message(api, model, ada):
    for word in ("one", "two"):
        api.post(f"/v1/agents/{ada['id']}/messages", {"input": f"@say {word}"})
    own = api.get(f"/v1/agents/{ada['id']}")["message_ids"]
    whole = api.post(f"/v1/conversations/default/fork?agent_id={ada['id']}")
    assert whole["in_context_message_ids"][1:] == own[1:]
    part = api.post(f"/v1/conversations/{ada['id']}/fork?message_id={own[2]}&hidden=true")
    assert window(api, part)[1:] == own[1:3] and part["id"] not in [c["id"] for c in api.get(f"/v1/conversations?agent_id={ada['id']}")]
    say(api, part, "@say three")
    assert [text for _, text in sent(model)[1]] == ["@say one", "one", "@say three"]
    assert api.get(f"/v1/agents/{ada['id']}")["message_ids"] == own
    unknown = "message-00000000-0000-4000-8000-00000000dead"
    assert refusal(api.post, f"/v1/conversations/{part['id']}/fork?message_id={unknown}").status == 400
    assert refusal(api.post, f"/v1/conversations/{part['id']}/fork?message_id=x").status == 422


def test_a_fork_never_parts_a_call_from_its_return(api, model, ada):
    source = begin(api, ada)
    answer = say(api, source, '@call conversation_search {"query": "x"}')
    fork = api.post(f"/v1/conversations/{source['id']}/fork?message_id={answer['messages'][0]['id']}")
    say(api, fork, "hello")
    roles = [message["role"] for message in model.requests()[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "user"]
    assert '"results"' in model.requests()[-1]["messages"][3]["content"], "the return itself, not a stand-in"


def test_a_fork_takes_the_model_along_and_leaves_isolated_blocks(api, model, ada):
    source = begin(api, ada, model="openai/mock-tiny", isolated_block_labels=["human"])
    api.patch(f"/v1/blocks/{source['isolated_block_ids'][0]}", {"value": "Private"})
    fork = api.post(f"/v1/conversations/{source['id']}/fork")
    assert (fork["model"], fork["isolated_block_ids"]) == ("openai/mock-tiny", [])
    say(api, fork, "hello")
    assert model.requests()[-1]["model"] == "mock-tiny" and "Grace" in sent(model)[0] and "Private" not in sent(model)[0]


@pytest.mark.parametrize("shared", [True, False], ids=["fork", "source"])
def test_compaction_of_shared_messages_leaves_the_other_conversation_alone(api, model, ada, shared):
    source = begin(api, ada)
    for i in range(4):
        say(api, source, f"@say answer {i}")
    fork = api.post(f"/v1/conversations/{source['id']}/fork")
    here, there = (fork, source) if shared else (source, fork)
    say(api, here, "@say own")
    before, other = window(api, here), window(api, there)
    path = f"/v1/conversations/{here['id']}/compact"
    preview = api.post(path, {"preview": True, "compaction_settings": {"mode": "all"}})
    assert preview["num_messages_after"] == 2 and window(api, here) == before
    once = api.post(path, {})
    assert once["num_messages_before"] == 11 and len(window(api, here)) == once["num_messages_after"] < 11
    sliding = window(api, here)
    assert api.post(path, {"compaction_settings": {"mode": "all"}})["num_messages_after"] == 2
    assert len(window(api, here)) == 2 and window(api, there) == other
    say(api, here, "@say still here")
    assert sent(model)[1][-1] == ("user", "@say still here") and len(sent(model)[1]) == 2
    say(api, there, "@say me too")
    assert len(sent(model)[1]) == len(other)
    kept = window(api, here)[2:]
    for expected in (sliding, before):
        api.post(path + "/undo")
        assert window(api, here) == expected + kept
    assert refusal(api.post, path + "/undo").status == 409
    assert "@say answer 0" in said(api, here), "the history shows what left the window"


def test_a_conversation_that_outgrows_its_window_is_summarised_by_itself(api, model):
    agent = api.post("/v1/agents", {"model": "openai/mock-tiny", "system": "You are terse.", "include_base_tools": False})
    talk = begin(api, agent)
    for i in range(16):
        assert say(api, talk, f"@say {i}\n{PADDING}")["messages"][-1]["content"] == str(i)
    stele.wait_until(lambda: len(window(api, talk)) < 30)
    assert len(api.get(f"/v1/agents/{agent['id']}")["message_ids"]) == 1
    assert api.get(f"/v1/agents/{agent['id']}/context?conversation_id={talk['id']}")["summary_memory"]
    while True:  # the summary that the last turn called for may still come, and another window with it
        before = window(api, talk)
        fork = api.post(f"/v1/conversations/{talk['id']}/fork")
        if window(api, talk) == before:
            break
    assert len(window(api, fork)) == len(before)
    say(api, fork, "@say on")
    assert "have left your view" in sent(model)[1][0][1]


def test_nothing_to_compact_is_refused(api, ada):
    made = begin(api, ada)
    assert refusal(api.post, f"/v1/conversations/{made['id']}/compact").status == 400
    assert refusal(api.post, "/v1/conversations/default/compact", {}).status == 422
    api.post(f"/v1/agents/{ada['id']}/messages", {"input": "hello"})
    done = api.post("/v1/conversations/default/compact", {"agent_id": ada["id"], "compaction_settings": {"mode": "all"}})
    assert done["num_messages_after"] == 2 == len(api.get(f"/v1/agents/{ada['id']}")["message_ids"])


def test_recompile_brings_counts_up_to_date_and_a_dry_run_stores_nothing(api, ada):
    made = begin(api, ada)
    say(api, made, "hello")
    path = f"/v1/conversations/{made['id']}"
    stored = lambda: api.get(path + "/messages?order=asc&limit=1")[0]["content"]  # noqa: E731
    before = stored()
    api.post(path + "/compact", {"compaction_settings": {"mode": "all"}})
    dry = api.post(path + "/recompile?dry_run=true")
    assert made["id"] in dry and "Grace" in dry
    api.post(f"/v1/agents/{ada['id']}/messages", {"input": "hello"})
    unchanged = stored()
    text = api.post(path + "/recompile")
    assert text == stored() != unchanged and before != text
    assert api.post(f"/v1/conversations/default/recompile?agent_id={ada['id']}") == api.get(f"/v1/agents/{ada['id']}/messages?order=asc&limit=1&conversation_id=default")[0]["content"]


def test_autoclear_forgets_within_its_conversation(api, model):
    agent = api.post("/v1/agents", {"message_buffer_autoclear": True})
    first, second = begin(api, agent), begin(api, agent)
    say(api, first, "@say one")
    fork = api.post(f"/v1/conversations/{first['id']}/fork")
    say(api, second, "@say two")
    say(api, fork, "@say three")
    assert sent(model)[1] == [("user", "@say three")]
    assert len(window(api, fork)) == len(window(api, first)) == 3
    say(api, first, "@say four")
    assert sent(model)[1] == [("user", "@say four")] and len(window(api, second)) == 3


def test_a_busy_conversation_says_so_and_the_others_go_on(api, model, ada):
    talk, other = begin(api, ada), begin(api, ada)
    slow = threading.Thread(target=say, args=(api, talk, "@hold\n@say late"))
    slow.start()
    stele.wait_until(lambda: api.get(f"/v1/runs?active=true&conversation_id={talk['id']}"))
    [run] = api.get(f"/v1/runs?active=true&conversation_id={talk['id']}")
    busy = refusal(say, api, talk, "x")
    assert busy.status == 409 and busy.body["run_id"] == run["id"] and "CONVERSATION_BUSY" in busy.body["detail"]
    assert busy.headers["Retry-After"] and busy.headers["x-should-retry"] is None, "the clients may try again"
    assert refusal(api.events, f"/v1/conversations/{talk['id']}/messages", {"input": "x"}).status == 409
    assert say(api, other, "@say free")["messages"][0]["content"] == "free"
    assert api.post(f"/v1/agents/{ada['id']}/messages", {"input": "@say own"})["messages"][0]["content"] == "own"
    model.release()
    slow.join()
    assert said(api, talk) == ["@hold\n@say late", "late"]
    assert say(api, talk, "@say next")["messages"][0]["content"] == "next"


def test_the_default_conversation_refuses_by_one_door_and_queues_by_the_other(api, model, ada):
    slow = threading.Thread(target=api.post, args=(f"/v1/agents/{ada['id']}/messages", {"input": "@hold"}))
    slow.start()
    stele.wait_until(lambda: api.get(f"/v1/runs?active=true&agent_id={ada['id']}"))
    body = {"input": "x", "agent_id": ada["id"], "streaming": False}
    assert refusal(api.post, "/v1/conversations/default/messages", body).status == 409
    queued = in_background(lambda: api.post(f"/v1/agents/{ada['id']}/messages", {"input": "@say queued"}))
    stele.wait_until(lambda: len(api.get(f"/v1/runs?active=true&agent_id={ada['id']}")) == 2)
    model.release()
    assert queued.done()["messages"][-1]["content"] == "queued"
    slow.join()


@pytest.mark.parametrize("end", ["@say fine", "@fail 400"])
def test_a_conversation_is_free_as_soon_as_its_answer_is_there(api, ada, end):
    talk = begin(api, ada)
    for _ in range(20):
        try:
            say(api, talk, end)
        except stele.Refused as failed:
            assert failed.status == 400
        assert say(api, talk, "@say next")["messages"][0]["content"] == "next"


def test_of_many_at_once_each_is_answered_or_refused(api, ada):
    talk = begin(api, ada)

    def attempt(i):
        try:
            return say(api, talk, f"@say {i}")["messages"][0]["content"]
        except stele.Refused as refused:
            assert refused.status == 409
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [answer for answer in pool.map(attempt, range(40)) if answer is not None]
    heard = said(api, talk)
    assert answers and sorted(heard[1::2]) == sorted(answers) and [f"@say {answer}" for answer in heard[1::2]] == heard[::2]


def test_a_repeated_request_follows_its_run(api, model, ada):
    talk = begin(api, ada)
    body = {"messages": [{"role": "user", "content": "@say once", "otid": "talk-otid-1"}], "streaming": False}
    first = api.post(f"/v1/conversations/{talk['id']}/messages", body)
    assert api.post(f"/v1/conversations/{talk['id']}/messages", body)["messages"] == first["messages"]
    events = api.events(f"/v1/conversations/{talk['id']}/messages", {"messages": body["messages"]})
    assert events[-1] == "[DONE]" and [e["content"] for e in events[:-1] if e["message_type"] == "assistant_message"] == ["once"]
    assert said(api, talk) == ["@say once", "once"]


def test_what_was_made_by_a_key_is_made_once(api, ada):
    headers = {"Idempotency-Key": "one conversation"}
    path = f"/v1/conversations?agent_id={ada['id']}"
    first = api.post(path, {"summary": "s"}, headers=headers)
    assert api.post(path, {"summary": "s"}, headers=headers) == first
    assert len(api.get(path)) == 1


def test_refusals(api, ada):
    made = begin(api, ada)
    path = f"/v1/conversations/{made['id']}"
    gone = "agent-00000000-0000-4000-8000-00000000dead"
    for call, status, named in (
            (lambda: api.post("/v1/conversations", {}), 422, "query.agent_id"), (lambda: api.post("/v1/conversations?agent_id=x", {}), 422, "query.agent_id"),
            (lambda: api.post(f"/v1/conversations?agent_id={gone}", {}), 404, "not found"), (lambda: api.get("/v1/conversations/x"), 422, "conv-{uuid4}"),
            (lambda: begin(api, ada, context_window_limit=0), 422, "context_window_limit"), (lambda: begin(api, ada, model=""), 422, "body.model"),
            (lambda: begin(api, ada, model_settings=5), 422, "model_settings"),
            (lambda: api.post(path + "/messages", {}), 422, "messages"), (lambda: api.post(path + "/messages", {"input": "", "streaming": False}), 400, "input"),
            (lambda: api.post(path + "/messages", {"input": "x", "streaming": False, "stream_tokens": True}), 422, "stream_tokens"),
            (lambda: api.post(path + "/messages", {"input": "x", "override_model": "openai/none"}), 404, "openai/none"),
            (lambda: api.get(path + "/messages?include_return_message_types=x"), 422, "include_return_message_types")):
        failed = refusal(call)
        assert failed.status == status and named in failed.text, failed.text
    assert window(api, made) == made["in_context_message_ids"]


def test_conversations_survive_a_kill(own_server):
    server = own_server().start()
    api = server.http()
    agent = api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}]})
    talk = begin(api, agent, isolated_block_labels=["human"], summary="s")
    say(api, talk, "@say one")
    fork = api.post(f"/v1/conversations/{talk['id']}/fork")
    before = [api.get(f"/v1/conversations/{c['id']}") for c in (talk, fork)], said(api, fork)
    server.kill()
    api = server.start().http()
    assert ([api.get(f"/v1/conversations/{c['id']}") for c in (talk, fork)], said(api, fork)) == before
    assert say(api, fork, "@say two")["messages"][0]["content"] == "two"
    assert json.dumps(said(api, talk)) == json.dumps(["@say one", "one"])


def test_a_turn_in_a_conversation_is_one_commit_and_few_statements_more(own_server):
    """A plain turn costs eight statements; here the conversation's owner, its row and isolated blocks are read, and it is noted."""
    api = own_server().start().http()
    agent = api.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Grace"}]})
    talk = begin(api, agent)
    fork = api.post(f"/v1/conversations/{talk['id']}/fork")

    def counters():
        lines = api.send("GET", "/metrics")[1].splitlines()
        return {line.split()[0]: float(line.split()[1]) for line in lines if not line.startswith("#")}

    for each in (talk, fork):
        say(api, each, "hello")
        before = counters()
        say(api, each, "hello")
        after = counters()
        assert after["stele_store_statements_total"] - before["stele_store_statements_total"] <= 12
        assert after["stele_store_commits_total"] - before["stele_store_commits_total"] == 1


def test_calls_without_return_are_closed_in_a_fork_alone_and_once(api, model, ada):
    """Their messages are shared: what is moved in the window of one conversation stays where it is in the other."""
    path = f"/v1/agents/{ada['id']}"
    api.post(path + "/messages", {"input": '@call conversation_search {"query": "x"}'})
    api.post(path + "/messages", {"input": "@say later"})
    ids = api.get(path)["message_ids"]
    api.patch(path, {"message_ids": [*ids[:3], *ids[4:]]})  # the return is gone
    before = api.get(path)["message_ids"]
    branch = api.post(f"/v1/conversations/default/fork?agent_id={ada['id']}")
    for word in ("one", "two"):
        say(api, branch, f"@say {word}")
        assert api.get(path)["message_ids"] == before, "the source's window has changed"
    there = window(api, branch)
    assert there[1:3] == before[1:3] and there[4:4 + len(before) - 3] == before[3:], "the return stands behind its call"
    assert len(there) == len(before) + 1 + 4, "closed once"
