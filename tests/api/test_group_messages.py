"""What is said in groups: who speaks when, who hears what, and that nobody who fails breaks the talk."""

import json
import threading

import pytest
import stele
from scripted_model import ScriptedModel, http, wait, whole
from stele import refused


@pytest.fixture
def api(server):
    return server.http(1)


def agent(api, name, **more):
    return api.post("/v1/agents", {"name": name, "include_base_tools": False, **more})["id"]


def make(api, ids, kind="round_robin", **config):
    return api.post("/v1/groups", {"agent_ids": ids, "description": "d", "manager_config": {"manager_type": kind, **config}})["id"]


def say(api, group, text, **more):
    return api.post(f"/v1/groups/{group}/messages", {"messages": [{"role": "user", "content": text}], **more})


def spoken(answer):
    return [m["content"] for m in answer["messages"] if m["message_type"] == "assistant_message"]


def history(api, agent_id):
    return [(m["message_type"].removesuffix("_message"), m["content"]) for m in api.get(f"/v1/agents/{agent_id}/messages?limit=200")[1:]
            if "content" in m]


def listed(api, group, query="order=asc&limit=100"):
    return [m["content"] for m in api.get(f"/v1/groups/{group}/messages?{query}") if "content" in m]


class Talkers:
    """Agents whose model is the test's: `lines` says what each of them answers in turn, and `heard` what it was sent."""

    def __init__(self, own_server):
        self.model = ScriptedModel()
        self.server = own_server({"OPENAI_BASE_URL": self.model.url + "/v1", "LETTA_DEFAULT_LLM_HANDLE": "openai/m"}).start()
        self.api = self.server.http(1)
        self.ids: dict[str, str] = {}
        self.lines: dict[str, list] = {}
        self.heard: dict[str, list] = {}
        self.model.answer_with(*[self.answer] * 200)

    def add(self, name, *lines, **more):
        self.ids[name] = agent(self.api, name, **more)
        self.lines[name] = list(lines)
        self.heard[name] = []
        return self.ids[name]

    def answer(self, connection, request):
        name = next(n for n, i in self.ids.items() if f"AGENT_ID: {i}" in request["messages"][0]["content"])
        self.heard[name].append(request)
        line = self.lines[name].pop(0) if self.lines[name] else f"{name} has no more to say"
        if isinstance(line, int):
            connection.sendall(http(line, {"error": {"message": "refused by the test"}}))
        else:
            connection.sendall(whole(line if isinstance(line, dict) else {"content": line}, "tool_calls" if isinstance(line, dict) else "stop"))

    def end(self):
        assert self.server.stop() == 0
        self.model.stop()


@pytest.fixture
def talkers(own_server):
    made = Talkers(own_server)
    yield made
    made.end()


def new_turns(request):
    """What the agent has not answered yet, as the model sees it."""
    turns = request["messages"][1:]
    last = max((i for i, t in enumerate(turns) if t["role"] == "assistant"), default=-1)
    return [(t["role"], t["content"]) for t in turns[last + 1:]]


def test_a_round_robin_passes_every_answer_on(talkers):
    ann, bob, eve = (talkers.add(n, f"{n} one", f"{n} two") for n in ("Ann", "Bob", "Eve"))
    group = make(talkers.api, [ann, bob, eve])
    answer = say(talkers.api, group, "hello")
    assert spoken(answer) == ["Ann one", "Bob one", "Eve one"]
    assert new_turns(talkers.heard["Eve"][0]) == [("user", "hello"), ("system", "Ann says in the group: Ann one"), ("system", "Bob says in the group: Bob one")]
    assert answer["stop_reason"]["stop_reason"] == "end_turn" and answer["usage"]["step_count"] == 3
    runs = {r["id"]: r for r in talkers.api.get("/v1/runs")}
    assert [runs[i]["agent_id"] for i in answer["usage"]["run_ids"]] == [ann, bob, eve]
    assert len(runs) == 4 and {r["status"] for r in runs.values()} == {"completed"}

    say(talkers.api, group, "and now?")  # what was said since each of them last spoke, once
    assert new_turns(talkers.heard["Ann"][1]) == [("system", "Bob says in the group: Bob one"), ("system", "Eve says in the group: Eve one"), ("user", "and now?")]
    assert new_turns(talkers.heard["Bob"][1]) == [("system", "Eve says in the group: Eve one"), ("user", "and now?"), ("system", "Ann says in the group: Ann two")]
    assert listed(talkers.api, group) == ["hello", "Ann one", "Bob one", "Eve one", "and now?", "Ann two", "Bob two", "Eve two"]
    assert listed(talkers.api, group, "limit=3") == ["Eve two", "Bob two", "Ann two"]
    passed_on = [m for m in talkers.api.get(f"/v1/agents/{bob}/messages?group_id={group}") if m["message_type"] == "system_message"]
    assert [(m["name"], m["sender_id"]) for m in passed_on] == [("Ann", ann), ("Eve", eve), ("Ann", ann)]


def call_of(name, **arguments):
    return {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}]}


def test_all_that_a_member_says_names_it(talkers):
    ann, bob = talkers.add("Ann", "one", "two"), talkers.add("Bob", call_of("memory_insert", label="human", new_string="x"), "done", "two",
                                                             tools=["memory_insert"], memory_blocks=[{"label": "human", "value": ""}])
    group = make(talkers.api, [ann, bob])
    told = say(talkers.api, group, "hello")["messages"]
    pieces = talkers.api.events(f"/v1/groups/{group}/messages/stream", {"input": "again", "stream_tokens": True})
    listed_ones = talkers.api.get(f"/v1/groups/{group}/messages?order=asc&limit=100")
    for messages in (told, [m for m in listed_ones if m["message_type"] != "user_message"][:len(told)]):
        assert [m["sender_id"] for m in messages] == [ann, bob, bob, bob], [m["message_type"] for m in messages]
    assert [m["sender_id"] for m in pieces[:-1] if m["message_type"] == "assistant_message"] == [ann, bob]
    assert {m["sender_id"] for m in listed_ones if m["message_type"] == "user_message"} == {None}
    talkers.lines["Ann"].append("to you alone")
    assert talkers.api.post(f"/v1/agents/{ann}/messages", {"input": "x"})["messages"][0]["sender_id"] is None


def test_who_has_left_the_group_is_still_named(talkers):
    ann, bob, eve = (talkers.add(n, f"{n} one") for n in ("Ann", "Bob", "Eve"))
    group = make(talkers.api, [ann, bob])
    say(talkers.api, group, "hello")
    talkers.api.patch(f"/v1/groups/{group}", {"agent_ids": [eve]})
    say(talkers.api, group, "and you?")
    assert [c for _, c in new_turns(talkers.heard["Eve"][0])] == ["hello", "Ann says in the group: Ann one", "Bob says in the group: Bob one", "and you?"]


def test_what_the_loop_reminds_a_member_of_is_heard_by_nobody_else(talkers):
    ann = talkers.add("Ann", call_of("conversation_search", query="x", request_heartbeat=True), call_of("send_message", message="found nothing"),
                      agent_type="memgpt_v2_agent", include_base_tools=True)
    bob = talkers.add("Bob", "fine")
    say(talkers.api, make(talkers.api, [ann, bob]), "search!")
    assert "heartbeat" in talkers.heard["Ann"][1]["messages"][-1]["content"]
    assert new_turns(talkers.heard["Bob"][0]) == [("user", "search!"), ("system", "Ann says in the group: found nothing")]


def test_max_turns_bounds_a_round_robin(talkers):
    ann, bob = talkers.add("Ann", "1", "3"), talkers.add("Bob", "2", "4")
    assert spoken(say(talkers.api, make(talkers.api, [ann, bob], max_turns=3), "go")) == ["1", "2", "3"]
    assert spoken(say(talkers.api, make(talkers.api, [bob], max_turns=1), "go")) == ["4"]
    alone = talkers.add("Al", "a", "b")
    say(talkers.api, make(talkers.api, [alone], max_turns=2), "go")
    assert "your turn again" in new_turns(talkers.heard["Al"][1])[0][1]


def test_agents_that_speak_by_tool_are_heard_too(api):
    ann, bob = (agent(api, n, agent_type="memgpt_v2_agent", include_base_tools=True) for n in ("Ann", "Bob"))
    group = make(api, [ann, bob])
    assert spoken(say(api, group, "@say hello"))[0] == "hello"
    assert ("system", "Ann says in the group: hello") in history(api, bob)


def test_a_member_that_fails_loses_its_turn_and_nothing_else(talkers):
    ann, bob = talkers.add("Ann", 400, "Ann is back"), talkers.add("Bob", "Bob one", "Bob two")
    group = make(talkers.api, [ann, bob])
    assert spoken(say(talkers.api, group, "first")) == ["Bob one"]
    assert new_turns(talkers.heard["Bob"][0]) == [("user", "first")]
    assert spoken(say(talkers.api, group, "second")) == ["Ann is back", "Bob two"]
    assert [c for _, c in new_turns(talkers.heard["Ann"][1])] == ["first", "Bob says in the group: Bob one", "second"]
    assert listed(talkers.api, group) == ["first", "Bob one", "second", "Ann is back", "Bob two"]


def test_a_talk_in_which_nobody_could_speak_fails_and_the_next_works(talkers):
    ann = talkers.add("Ann", 400, "here")
    group = make(talkers.api, [ann])
    failed = refused(talkers.api, "POST", f"/v1/groups/{group}/messages", 400, {"input": "x"})
    assert "refused by the test" in failed.text
    assert sorted(r["status"] for r in talkers.api.get("/v1/runs")) == ["failed", "failed"]
    assert spoken(say(talkers.api, group, "y")) == ["here"]


def test_a_member_that_waits_for_an_approval_is_passed_over(api):
    rule = {"type": "requires_approval", "tool_name": "memory_insert"}
    ann = agent(api, "Ann", tools=["memory_insert"], tool_rules=[rule], memory_blocks=[{"label": "human", "value": ""}])
    bob = agent(api, "Bob")
    group = make(api, [ann, bob])
    say(api, group, '@call memory_insert {"label": "human", "new_string": "x"}')
    assert spoken(say(api, group, "@say still here")) == ["still here"]


def waiting_member(talkers, *lines):
    """Bob, who stops before a call; what he then says, denied, and later on."""
    return talkers.add("Bob", call_of("memory_insert", label="human", new_string="x"), *lines, tools=["memory_insert"],
                       tool_rules=[{"type": "requires_approval", "tool_name": "memory_insert"}], memory_blocks=[{"label": "human", "value": ""}])


def deny(api, agent_id):
    api.post(f"/v1/agents/{agent_id}/messages", {"messages": [{"type": "approval", "approvals": [{"type": "approval", "tool_call_id": "c1", "approve": False}]}]})


def test_a_member_that_waited_is_told_nothing_twice(talkers):
    ann, bob = talkers.add("Ann", "Ann one", "Ann two"), waiting_member(talkers, "as you wish", "Bob two")
    group = make(talkers.api, [ann, bob])
    say(talkers.api, group, "first")
    deny(talkers.api, bob)
    say(talkers.api, group, "second")
    assert [c for _, c in new_turns(talkers.heard["Bob"][2])] == ["second", "Ann says in the group: Ann two"]


def test_a_reset_takes_the_return_of_a_call_along_with_it(talkers):
    bob = waiting_member(talkers, "as you wish", "alone")
    group = make(talkers.api, [bob])
    say(talkers.api, group, "first")
    deny(talkers.api, bob)
    talkers.api.patch(f"/v1/groups/{group}/reset-messages")
    window = talkers.api.get(f"/v1/agents/{bob}/context")["messages"]
    assert not [m for m in window if m["tool_calls"] or m["tool_returns"]]
    assert [m["role"] for m in window] == ["system", "approval", "assistant"], "the decision and what was answered to it were not said in the group"


def test_a_compaction_that_is_undone_brings_back_nothing_that_a_reset_forgot(talkers):
    ann = talkers.add("Ann", "one", "two", "three", "so far")
    group = make(talkers.api, [ann])
    talkers.api.post(f"/v1/agents/{ann}/messages", {"input": "before"})
    for text in ("secret", "and more"):
        say(talkers.api, group, text)
    talkers.api.post(f"/v1/agents/{ann}/compact", {"compaction_settings": {"mode": "all", "prompt": "Write a summary. AGENT_ID: " + ann}})
    talkers.api.patch(f"/v1/groups/{group}/reset-messages")
    talkers.api.post(f"/v1/agents/{ann}/compact/undo")
    window = json.dumps(talkers.api.get(f"/v1/agents/{ann}/context")["messages"][1:])
    assert "before" in window and "secret" not in window and "more" not in window


def test_the_manager_of_a_dynamic_group_names_who_speaks(talkers):
    boss = talkers.add("Boss", "Bob, please.", "Now Ann", "DONE!")
    ann, bob = talkers.add("Ann", "Ann one"), talkers.add("Bob", "Bob one")
    group = make(talkers.api, [ann, bob], "dynamic", manager_agent_id=boss)
    assert spoken(say(talkers.api, group, "hello")) == ["Bob one", "Ann one"]
    asked = [new_turns(r) for r in talkers.heard["Boss"]]
    assert [c for _, c in asked[0][:-1]] == ["hello"] and "Ann (" in asked[0][-1][1] and "DONE!" in asked[0][-1][1]
    assert [c for _, c in asked[1][:-1]] == ["Bob says in the group: Bob one"] and "Bob has just spoken" in asked[1][-1][1]
    assert listed(talkers.api, group) == ["hello", "Bob one", "Ann one"]


def test_a_token_ends_a_dynamic_talk(talkers):
    boss, ann, bob = talkers.add("Boss", "Ann", "Bob"), talkers.add("Ann", "It is OVER"), talkers.add("Bob")
    group = make(talkers.api, [ann, bob], "dynamic", manager_agent_id=boss, termination_token="OVER")
    assert spoken(say(talkers.api, group, "hello")) == ["It is OVER"]


def test_a_manager_that_fails_or_names_nobody_leaves_it_to_the_order(talkers):
    boss = talkers.add("Boss", 400, "whoever", "Ann")
    ann, bob = talkers.add("Ann", "a"), talkers.add("Bob", "b")
    group = make(talkers.api, [ann, bob], "dynamic", manager_agent_id=boss, max_turns=2)
    assert spoken(say(talkers.api, group, "hello")) == ["a", "b"]


@pytest.mark.parametrize("kind", ["letta_v1_agent", "memgpt_v2_agent"])
def test_a_supervisor_asks_all_and_answers(talkers, kind):
    def call(name, **arguments):
        more = {"thinking": "t", "request_heartbeat": True} if kind == "memgpt_v2_agent" else {}
        return {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps({**more, **arguments})}}]}

    ask = "send_message_to_all_agents_in_group"
    last = "Both agree" if kind == "letta_v1_agent" else call("send_message", message="Both agree")
    boss = talkers.add("Boss", call(ask, message="What do you think?"), last, agent_type=kind, include_base_tools=kind != "letta_v1_agent")
    ann, bob = talkers.add("Ann", "yes"), talkers.add("Bob", 400)
    group = make(talkers.api, [ann, bob], "supervisor", manager_agent_id=boss)
    answer = say(talkers.api, group, "hello")
    assert spoken(answer) == ["Both agree"]
    [told] = [m["tool_return"] for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert f"{{'agent_id': '{ann}', 'response': ['yes']}}" in told and "refused by the test" in told
    first = talkers.heard["Boss"][0]
    assert [t["function"]["name"] for t in first["tools"]] == [ask]  # it has to ask before it may speak
    assert "What do you think?" in talkers.heard["Ann"][0]["messages"][-1]["content"]
    assert ask not in json.dumps(talkers.api.get("/v1/tools?limit=1000"))
    assert ask not in json.dumps(talkers.api.get(f"/v1/agents/{boss}"))
    assert "yes" in listed(talkers.api, group)


def test_a_stream_tells_the_same_as_a_blocking_answer(talkers):
    ann, bob = talkers.add("Ann", "Ann one"), talkers.add("Bob", "Bob one")
    group = make(talkers.api, [ann, bob])
    events = talkers.api.events(f"/v1/groups/{group}/messages/stream", {"messages": [{"role": "user", "content": "hello"}]})
    kinds = [e["message_type"] for e in events[:-1] if e["message_type"] != "ping"]
    assert kinds == ["assistant_message", "assistant_message", "stop_reason", "usage_statistics"] and events[-1] == "[DONE]"
    assert [e["content"] for e in events[:-1] if e["message_type"] == "assistant_message"] == ["Ann one", "Bob one"]


def test_tokens_of_all_members_are_streamed(api):
    ann, bob = agent(api, "Ann"), agent(api, "Bob")
    events = api.events(f"/v1/groups/{make(api, [ann, bob])}/messages/stream",
                        {"messages": [{"role": "user", "content": "@say one two three"}], "stream_tokens": True, "streaming": True})
    pieces = [e["content"] for e in events[:-1] if e.get("message_type") == "assistant_message"]
    assert len(pieces) >= 6 and "".join(pieces) == "one two three" + "You said: Ann says in the group: one two three"


def test_a_cancelled_talk_leaves_everybody_free(api):
    held, bob = agent(api, "Held", model="openai/mock-held"), agent(api, "Bob")
    group = make(api, [bob, held])
    answers = []
    asking = threading.Thread(target=lambda: answers.append(say(api, group, "@say hello")))
    asking.start()
    wait(lambda: [r for r in api.get(f"/v1/runs?agent_id={held}") if r["status"] == "running"])
    [talk] = [r for r in api.get(f"/v1/runs?agent_id={bob}") if r["status"] == "running"]
    api.post(f"/v1/agents/{bob}/messages/cancel", {"run_ids": [talk["id"]]})
    asking.join()
    assert answers[0]["stop_reason"]["stop_reason"] == "cancelled" and spoken(answers[0]) == ["hello"]
    wait(lambda: [r["status"] for r in api.get(f"/v1/runs?agent_id={held}")] == ["cancelled"])
    api.patch(f"/v1/groups/{group}", {"agent_ids": [bob]})
    assert spoken(say(api, group, "@say again")) == ["again"]


def test_reset_takes_the_talk_out_of_everybodys_window(talkers):
    ann, bob = talkers.add("Ann", "alone", "one", "three"), talkers.add("Bob", "two", "four")
    talkers.api.post(f"/v1/agents/{ann}/messages", {"input": "before the group"})
    group = make(talkers.api, [ann, bob])
    say(talkers.api, group, "secret")
    assert talkers.api.patch(f"/v1/groups/{group}/reset-messages") is None
    assert listed(talkers.api, group) == []
    say(talkers.api, group, "fresh")
    assert [t["content"] for t in talkers.heard["Ann"][-1]["messages"][1:]] == ["before the group", "alone", "fresh"]
    assert "secret" not in json.dumps(talkers.heard["Bob"][-1])
    assert listed(talkers.api, group) == ["fresh", "three", "four"]


def test_bad_requests_change_nothing(api):
    bob = agent(api, "Bob")
    group, nobody = make(api, [bob]), make(api, [])
    path = f"/v1/groups/{group}/messages"
    refused(api, "POST", path, 422, {})
    refused(api, "POST", path, 422, {"messages": [], "input": "x"})
    refused(api, "POST", path, 400, {"input": ""})
    refused(api, "POST", path, 400, {"messages": [{"type": "approval", "approve": True, "approval_request_id": "message-" + stele.GONE}]})
    assert "no members" in refused(api, "POST", f"/v1/groups/{nobody}/messages", 400, {"input": "x"}).text
    refused(api, "POST", f"/v1/groups/group-{stele.GONE}/messages", 404, {"input": "x"})
    assert api.get(f"/v1/runs?agent_id={bob}") == [] and history(api, bob) == []


def test_a_repeated_request_is_answered_once(talkers):
    group = make(talkers.api, [talkers.add("Ann", "one", "two")])
    key = {"Idempotency-Key": "talk-" + group}
    first, again = (talkers.api.post(f"/v1/groups/{group}/messages", {"input": "x"}, headers=key) for _ in range(2))
    assert first == again and spoken(first) == ["one"] and len(talkers.heard["Ann"]) == 1


def test_a_message_of_the_group_is_edited_through_it(api):
    bob = agent(api, "Bob")
    group, other = make(api, [bob]), make(api, [bob])
    say(api, group, "@say first")
    [_, said] = api.get(f"/v1/groups/{group}/messages?order=asc")
    edit = {"message_type": "assistant_message", "content": "second"}
    assert api.patch(f"/v1/groups/{group}/messages/{said['id']}", edit)["content"] == "second"
    assert listed(api, group)[1] == "second"
    refused(api, "PATCH", f"/v1/groups/{other}/messages/{said['id']}", 404, edit)
