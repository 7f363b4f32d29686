"""What a provider has cached stays good: over many turns with tools the bytes of a request up to its newest message never
change, but where an edit of the memory or a compaction says so; and then in the system message, or behind it, alone."""

import json

import pytest
import stele
from answering_model import SUMMARISE, AnsweringModel, Step

TURNS = 50
CLIENT_TOOL = {"name": "get_place", "parameters": {"type": "object", "properties": {}}}
TEXTS = ["hello", "grüß dich \u2028 \\ \"quoted\"", "a\ttab\nand a line", "🦊 " * 40]


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    model = AnsweringModel()
    model.keep = True
    server = stele.Server(tmp_path_factory.mktemp("prefix"), model.environment()).start()
    yield server.http(), model
    server.kill()
    model.stop()


def parts(body: bytes) -> tuple[bytes, bytes, bytes]:
    """The bytes of the system message with all before it, of the other messages, and of all behind them."""
    request = json.loads(body)
    opening = body.index(b'"messages":[') + len(b'"messages":[')
    decoder, text, ends = json.JSONDecoder(), body[opening:].decode(), []
    at = 0
    for _ in request["messages"]:
        _, at = decoder.raw_decode(text, at)
        ends.append(at)
        at += 1  # the comma, or the end of the list
    system, last = opening + len(text[:ends[0]].encode()), opening + len(text[:ends[-1]].encode())
    return body[:system], body[system:last], body[last:]


def extends(older: bytes, newer: bytes) -> bool:
    return newer.startswith(older)


def check(bodies: list[bytes]):
    """Each request is the one before it and more; what stands behind the messages (tools and settings) is the same in all."""
    for number, (older, newer) in enumerate(zip(bodies, bodies[1:], strict=False)):
        assert parts(older)[0] == parts(newer)[0], f"request {number + 1}: something before or in the system message has changed"
        assert extends(parts(older)[1], parts(newer)[1]), f"request {number + 1}: a message has changed"
        assert parts(older)[2] == parts(newer)[2], f"request {number + 1}: the tools or settings have changed"


def make(http, **more) -> tuple[str, str]:
    agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "Ada"}], "include_base_tool_rules": False,
                                     "model_settings": {"provider_type": "openai", "parallel_tool_calls": True}, **more})
    return agent["id"], f"/v1/agents/{agent['id']}/messages"


def sent(model, agent) -> list[bytes]:
    return list(model.raw.get((agent, "default"), []))


@pytest.mark.parametrize("agent_type", ["letta_v1_agent", "memgpt_v2_agent"])
@pytest.mark.parametrize("tokens", [False, True])
def test_turns_with_tools_only_append(ground, agent_type, tokens):
    http, model = ground
    agent, path = make(http, agent_type=agent_type)
    more = {"request_heartbeat": True, "thinking": "hm"} if agent_type == "memgpt_v2_agent" else {}
    for turn in range(TURNS):
        calls = [(f"call_{turn}_{i}", "conversation_search", json.dumps({"query": f"w{turn}", **more})) for i in range(turn % 3 + 1)]
        calls += [(f"bad_{turn}", "conversation_search", '{"query": ')] if turn % 7 == 0 else []
        last = Step("done", reasoning="so") if not more else Step(calls=[(f"say_{turn}", "send_message", json.dumps({"message": "done", "thinking": "so"}))])
        model.will(agent, "", Step(TEXTS[turn % 4], calls, reasoning="let me see"), last)
        body = {"input": TEXTS[(turn + 1) % 4]}
        http.events(path + "/stream", {**body, "stream_tokens": True}) if tokens else http.post(path, body)
    bodies = sent(model, agent)
    assert len(bodies) >= 2 * TURNS
    check(bodies)


def test_decisions_and_tools_of_the_client_only_append(ground):
    http, model = ground
    agent, path = make(http, tool_rules=[{"type": "requires_approval", "tool_name": "conversation_search"}])
    for turn in range(TURNS // 5):
        calls = [(f"a{turn}", "conversation_search", "{}"), (f"b{turn}", "get_place", "{}"), (f"c{turn}", "no_such_tool", "{}")]
        model.will(agent, "", Step("may I?", calls), Step("done"))
        http.post(path, {"input": "hello", "client_tools": [CLIENT_TOOL]})
        decisions = [{"type": "tool", "tool_call_id": f"b{turn}", "tool_return": "Paris", "status": "success"},
                     {"type": "approval", "tool_call_id": f"a{turn}", "approve": turn % 2 == 0}]
        http.post(path, {"messages": [{"type": "approval", "approvals": decisions}], "client_tools": [CLIENT_TOOL]})
    bodies = sent(model, agent)
    assert len(bodies) == 2 * (TURNS // 5)
    check(bodies)


def test_failures_and_refusals_leave_what_was_sent_alone(ground):
    http, model = ground
    agent, path = make(http)
    good = []
    for turn in range(6):
        model.will(agent, "", Step(f"answer {turn}"))
        http.post(path, {"input": f"question {turn}"})
        good.append(sent(model, agent)[-1])
        model.will(agent, "", then=Step())
        stele.refused(http, "POST", path, 500, {"input": f"in vain {turn}"})
        stele.refused(http, "POST", path, 400, {"input": ""})
    check(good)


@pytest.mark.parametrize("by", ["client", "tool", "prompt"])
def test_an_edit_changes_the_system_message_alone(ground, by):
    http, model = ground
    agent, path = make(http)
    for text in ("one", "two"):
        http.post(path, {"input": text})
    before = sent(model, agent)[-1]
    if by == "client":
        http.patch(f"/v1/agents/{agent}/core-memory/blocks/human", {"value": "Grace"})
    elif by == "prompt":
        http.patch(f"/v1/agents/{agent}", {"system": "Grace is here."})
    else:
        model.will(agent, "", Step(None, [("c", "memory_insert", '{"label": "human", "new_string": "Grace"}')]))
        http.post(path, {"input": "remember"})
    http.post(path, {"input": "three"})
    after = sent(model, agent)[-1]
    assert b"Grace" in parts(after)[0] and parts(before)[0] != parts(after)[0]
    assert extends(parts(before)[1], parts(after)[1]) and parts(before)[2] == parts(after)[2]
    http.post(path, {"input": "four"})
    check([after, sent(model, agent)[-1]])


def test_a_compaction_puts_its_summary_behind_the_system_message_and_what_follows_only_appends(ground):
    http, model = ground
    agent, path = make(http)
    for turn in range(6):
        http.post(path, {"input": f"question {turn}"})
    before = sent(model, agent)[-1]
    http.post(f"/v1/agents/{agent}/compact", {"compaction_settings": {"mode": "sliding_window", "prompt": SUMMARISE}})
    for text in ("after", "and after", "and on"):
        http.post(path, {"input": text})
    after = sent(model, agent)[-3:]
    check(after)
    kept = json.loads(after[0])["messages"]
    assert kept[1]["role"] == "user" and "this and that" in kept[1]["content"]
    assert kept[2:-2] == json.loads(before)["messages"][-len(kept[2:-2]):], "the tail is as it was"
    assert parts(before)[2] == parts(after[0])[2]
