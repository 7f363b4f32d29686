"""A conversation outgrows its model's window: it is summarised, whoever writes the summary and whether anybody can; the
newest messages stay, the old ones stay searchable, and no turn fails of it."""

import json
import math
import threading
import time

import pytest
import stele

WINDOW = 4_000  # of openai/mock-tiny, which refuses what is longer
PADDING = "lorem ipsum dolor sit amet " * 40  # about 270 tokens


@pytest.fixture
def tiny(server):
    return server.http().post("/v1/agents", {"model": "openai/mock-tiny", "memory_blocks": [{"label": "human", "value": "Grace"}],
                                             "system": "You are terse.", "include_base_tools": False})


def say(http, agent, text, **more):
    return http.post(f"/v1/agents/{agent['id']}/messages", {"input": text, **more})


def context(http, agent):
    """The messages of the window as they stand."""
    return http.get(f"/v1/agents/{agent['id']}/context")["messages"]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def talk(http, agent, turns):
    for i in range(turns):
        answer = say(http, agent, f"@say answer {i}\nquestion {i} {PADDING}")
        assert answer["stop_reason"]["stop_reason"] == "end_turn"
        assert answer["messages"][-1]["content"] == f"answer {i}"


def test_a_long_conversation_stays_within_the_window(server, model, tiny):
    http = server.http()
    model.forget()
    talk(http, tiny, 30)

    answered = [r for r in model.requests() if r["model"] == "mock-tiny"]
    longest = max(math.ceil(len(json.dumps(r)) / 4) for r in answered)
    assert longest <= WINDOW
    until(lambda: len(http.get(f"/v1/agents/{tiny['id']}")["message_ids"]) < 40)
    window = context(http, tiny)
    assert window[0]["role"] == "system" and window[1]["role"] == "summary" and window[2]["role"] == "assistant"
    history = http.get(f"/v1/agents/{tiny['id']}/messages?limit=1000&order=asc")
    questions = [m["content"].split()[4] for m in history if m["message_type"] == "user_message" and m["content"].startswith("@say")]
    assert questions == [str(i) for i in range(30)], "an evicted message is gone from the history"


def test_evicted_messages_are_found_by_search(server, tiny):
    http = server.http()
    search = http.get("/v1/tools?name=conversation_search")[0]["id"]
    http.patch(f"/v1/agents/{tiny['id']}/tools/attach/{search}")
    say(http, tiny, "@say noted\nThe password of the library is xylophone.")
    talk(http, tiny, 10)
    http.post(f"/v1/agents/{tiny['id']}/summarize", {"compaction_settings": {"mode": "all"}})
    answer = say(http, tiny, '@call conversation_search {"query": "xylophone library"}')
    assert "password of the library" in answer["messages"][1]["tool_return"]


def test_an_input_that_overflows_makes_room_first(server, tiny):
    http = server.http()
    talk(http, tiny, 7)
    answer = say(http, tiny, "@say still here\n" + PADDING * 8)
    assert answer["messages"][-1]["content"] == "still here"
    assert context(http, tiny)[1]["role"] == "summary"


def test_what_can_never_fit_is_said_and_the_agent_goes_on(server, tiny):
    http = server.http()
    talk(http, tiny, 2)
    with pytest.raises(stele.Refused) as refused:
        say(http, tiny, "@say x\n" + PADDING * 30)
    assert refused.value.status == 400 and "context" in refused.value.text
    assert say(http, tiny, "@say alive")["messages"][-1]["content"] == "alive"


@pytest.mark.parametrize("mode", ["sliding_window", "all", "self_compact_sliding_window", "self_compact_all"])
@pytest.mark.parametrize("writer", ["openai/mock-small", "openai/mock-mute", "openai/mock-refusing", "openai/mock-short",
                                    "openai/no-such-model"])
def test_whoever_writes_the_summary(server, mode, writer):
    http = server.http()
    agent = http.post("/v1/agents", {"model": "openai/mock-small", "compaction_settings": {"model": writer, "mode": mode}})
    talk(http, agent, 6)
    if mode.startswith("self") and "no-such" not in writer:
        http.patch(f"/v1/agents/{agent['id']}", {"model": writer})
    done = http.post(f"/v1/agents/{agent['id']}/summarize", {})
    assert done["summary"].strip() and done["num_messages_after"] < done["num_messages_before"] == 13
    window = context(http, agent)
    assert len(window) == done["num_messages_after"]
    if mode.endswith("all"):
        assert done["num_messages_after"] == 2
    else:
        assert window[2]["role"] == "assistant"
    http.patch(f"/v1/agents/{agent['id']}", {"model": "openai/mock-small"})
    assert say(http, agent, "@say alive")["messages"][-1]["content"] == "alive"


def test_a_preview_changes_nothing_and_an_undo_brings_everything_back(server, tiny):
    http = server.http()
    talk(http, tiny, 4)
    path = f"/v1/agents/{tiny['id']}"
    before = http.get(path)["message_ids"]
    preview = http.post(path + "/summarize", {"preview": True, "compaction_settings": {"mode": "all"}})
    assert http.get(path)["message_ids"] == before and preview["num_messages_after"] == 2
    http.post(path + "/summarize", {})
    once = http.get(path)["message_ids"]
    http.post(path + "/compact", {"compaction_settings": {"mode": "all"}})
    assert len(http.get(path)["message_ids"]) == 2
    http.post(path + "/compact/undo")
    assert http.get(path)["message_ids"] == once
    http.post(path + "/compact/undo")
    assert http.get(path)["message_ids"] == before
    with pytest.raises(stele.Refused) as refused:
        http.post(path + "/compact/undo")
    assert refused.value.status == 409
    assert say(http, tiny, "@say alive")["messages"][-1]["content"] == "alive"


def test_nothing_to_compact_is_refused_and_a_summary_alone_is_answered(server, tiny):
    http = server.http()
    path = f"/v1/agents/{tiny['id']}/summarize"
    with pytest.raises(stele.Refused) as refused:
        http.post(path, {})
    assert refused.value.status == 400
    talk(http, tiny, 2)
    first = http.post(path, {"compaction_settings": {"mode": "all"}})
    again = http.post(path)
    assert again == {"summary": first["summary"], "num_messages_before": 2, "num_messages_after": 2}
    for bad, named in (({"compaction_settings": {"mode": "some"}}, "mode"), ({"compaction_settings": 5}, "compaction_settings"),
                       ({"preview": "x"}, "preview")):
        with pytest.raises(stele.Refused) as refused:
            http.post(path, bad)
        assert refused.value.status == 422 and named in refused.value.text


def test_a_stream_that_asks_for_it_shows_the_compaction(server, tiny):
    http = server.http()
    for i in range(12):
        events = http.events(f"/v1/agents/{tiny['id']}/messages/stream",
                             {"input": f"@say {i}\n{PADDING}", "include_compaction_messages": True, "include_pings": False})
        kinds = [event["message_type"] for event in events[:-1]]
        if "event_message" in kinds:
            break
    at = kinds.index("event_message")
    assert kinds[at:] == ["event_message", "summary_message", "stop_reason", "usage_statistics"]
    event, summary = events[at], events[at + 1]
    assert event["event_type"] == "compaction" and event["event_data"]["context_window"] == WINDOW
    assert summary["summary"] and summary["compaction_stats"]["trigger"] == "post_step_context_check"
    listed = [m for m in http.get(f"/v1/agents/{tiny['id']}/messages") if m["id"] == summary["id"]]
    assert json.loads(listed[0]["content"])["type"] == "system_alert"
    asked = http.get(f"/v1/agents/{tiny['id']}/messages?include_return_message_types=summary_message")
    assert [m["summary"] for m in asked] == [summary["summary"]]


def test_a_client_need_not_wait_for_the_summary_but_the_next_message_does(own_server, model):
    http = own_server().start().http()
    agent = http.post("/v1/agents", {"model": "openai/mock-tiny", "system": "You are terse.", "include_base_tools": False,
                                     "compaction_settings": {"model": "openai/mock-held"}})
    model.forget()
    tokens = 0
    while tokens <= 0.9 * WINDOW:
        tokens = say(http, agent, f"@say yes\n{PADDING}")["usage"]["context_tokens"]
    # Answered, though nobody has let the writer of the summary go on.
    until(lambda: "mock-held" in [request["model"] for request in model.requests()])
    told = len(model.requests())
    answers = []
    following = threading.Thread(target=lambda: answers.append(say(http, agent, "@say next")))
    following.start()
    until(lambda: len(http.get(f"/v1/runs?active=true&agent_id={agent['id']}")) == 1)
    assert len(model.requests()) == told and not answers
    model.release()
    following.join()
    assert answers[0]["messages"][-1]["content"] == "next"
    assert "have left your view" in model.requests()[-1]["messages"][1]["content"]


def test_compaction_waits_for_the_turn_at_work(server, tiny):
    http = server.http()
    talk(http, tiny, 3)
    turn = threading.Thread(target=lambda: say(http, tiny, "@sleep 2000\n@say late"))
    turn.start()
    until(lambda: http.get(f"/v1/runs?active=true&agent_id={tiny['id']}"))
    done = http.post(f"/v1/agents/{tiny['id']}/summarize", {"compaction_settings": {"mode": "all"}})
    turn.join()
    assert done["num_messages_before"] == 9


def test_a_call_and_its_return_are_never_parted(server, model, tiny):
    http = server.http()
    search = http.get("/v1/tools?name=conversation_search")[0]["id"]
    http.patch(f"/v1/agents/{tiny['id']}/tools/attach/{search}")
    model.forget()
    for i in range(15):
        say(http, tiny, f'@call conversation_search {{"query": "nothing{i}"}}\n{PADDING}')
    for request in model.requests():
        open_calls = []
        for message in request["messages"]:
            if message["role"] == "tool":
                assert message["tool_call_id"] == open_calls.pop(0)
            else:
                assert not open_calls
                open_calls = [call["id"] for call in message.get("tool_calls") or []]
        assert not open_calls


@pytest.mark.parametrize("share", [0.2, 0.3, 0.4, 0.5, 0.6])
def test_an_answer_and_its_request_for_approval_stay_together(server, model, share):
    """The calls beside those that waited are in the message before the request."""
    http = server.http()
    agent = http.post("/v1/agents", {
        "memory_blocks": [{"label": "human", "value": ""}], "include_base_tool_rules": False, "model_settings": {"provider_type": "openai", "parallel_tool_calls": True},
        "tool_rules": [{"type": "requires_approval", "tool_name": "memory_insert"}]})
    say(http, agent, "@say hello")
    asked = say(http, agent, '@call memory_insert {"label": "human", "new_string": "x"}\n@call conversation_search {"query": "tea"}')
    call = asked["messages"][-1]["tool_call"]["tool_call_id"]
    http.post(f"/v1/agents/{agent['id']}/messages", {"messages": [{"type": "approval", "approvals": [{"type": "approval", "tool_call_id": call, "approve": True}]}]})
    say(http, agent, "@say more")
    http.post(f"/v1/agents/{agent['id']}/summarize", {"compaction_settings": {"mode": "sliding_window", "sliding_window_percentage": share}})
    model.forget()
    say(http, agent, "@say after")
    sent = model.requests()[0]["messages"]
    calls = sum(len(turn.get("tool_calls") or []) for turn in sent)
    assert calls == sum(turn["role"] == "tool" for turn in sent) and calls in (0, 2), "a call has lost its neighbour"


def test_a_window_that_a_client_has_put_together_is_not_undone_into_another(server, model, tiny):
    """What was evicted has its place in the window as it was; the system message of the new one stands elsewhere."""
    http, path = server.http(), f"/v1/agents/{tiny['id']}"
    talk(http, tiny, 3)
    http.post(path + "/compact", {"compaction_settings": {"mode": "all"}})
    say(http, tiny, "@say after")
    ids = http.get(path)["message_ids"]
    http.patch(path, {"message_ids": ids[:2]})
    stele.refused(http, "POST", path + "/compact/undo", 400)
    assert http.get(path)["message_ids"] == ids[:2]
    model.forget()
    say(http, tiny, "@say well")
    assert [turn["role"] for turn in model.requests()[-1]["messages"]] == ["system", "user", "user"]
