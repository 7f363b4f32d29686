"""Conversations: found by their titles, summaries of messages that are given, and conversations that belong to no agent."""

import pytest
from stele import GONE, refused

WORDS = [{"role": "user", "content": "hello"}]


def talk(http, agent, **more):
    return http.post(f"/v1/conversations?agent_id={agent['id']}", more)


def found(http, **body):
    return [(hit["conversation"]["id"], hit["embedded_text"]) for hit in http.post("/v1/conversations/search", body)]


def test_the_titles_that_hold_most_of_the_words_come_first(http, agent):
    one = talk(http, agent, summary="Planning the garden in spring")
    both = talk(http, agent, summary="The Garden: roses", description="About soil")
    talk(http, agent, summary="Taxes")
    talk(http, agent)
    assert found(http, query="roses garden", agent_id=agent["id"]) == [(both["id"], "The Garden: roses"), (one["id"], "Planning the garden in spring")]
    assert found(http, query="soil", search_target="description", agent_id=agent["id"]) == [(both["id"], "About soil")]
    assert found(http, query="soil", agent_id=agent["id"]) == []
    assert found(http, query="?!", agent_id=agent["id"]) == [] and found(http, query="100%", agent_id=agent["id"]) == []
    hits = http.post("/v1/conversations/search", {"query": "garden", "agent_id": agent["id"], "search_mode": "vector", "limit": 1})
    assert [hit["conversation"]["summary"] for hit in hits] == ["The Garden: roses"] and 0 < hits[0]["rrf_score"] < 1


def test_without_words_the_newest_come_first(http, agent):
    made = [talk(http, agent, summary=f"number {n}")["id"] for n in range(3)]
    assert [id_ for id_, _ in found(http, agent_id=agent["id"])] == made[::-1]
    assert [id_ for id_, _ in found(http, query="  ", agent_id=agent["id"], limit=2)] == made[:0:-1]
    http.delete(f"/v1/conversations/{made[2]}")
    assert [id_ for id_, _ in found(http, query="number", agent_id=agent["id"])] == made[1::-1]


@pytest.mark.parametrize("body, place", [({"search_mode": "psychic"}, "body.search_mode"), ({"search_target": "title"}, "body.search_target"), ({"limit": 0}, "body.limit"),
                                         ({"limit": 101}, "body.limit")])
def test_a_search_that_can_not_be_meant_is_refused(http, body, place):
    assert place in refused(http, "POST", "/v1/conversations/search", 422, body).text


GIVEN = [{"role": "user", "content": "Where are my keys?"}, {"role": "assistant", "content": "Under the green hat."}]


def test_a_summary_of_given_messages_is_written_by_the_conversations_model(http, agent, model):
    conversation = talk(http, agent)
    before = http.get(f"/v1/conversations/{conversation['id']}/messages")
    prompt = f"Sum up what matters to {conversation['id']}."
    for path in (f"{conversation['id']}/summarize", f"{agent['id']}/summarize", f"default/summarize?agent_id={agent['id']}"):
        assert http.post(f"/v1/conversations/{path}", {"prompt": prompt, "messages": GIVEN})["summary"]
    asked = [request for request in model.requests() if prompt in str(request)]
    assert len(asked) == 3 and all(each["model"] == "mock-small" for each in asked)
    assert asked[0]["messages"][0]["content"] == prompt and "Under the green hat." in asked[0]["messages"][1]["content"]
    assert http.get(f"/v1/conversations/{conversation['id']}/messages") == before


def test_a_model_of_rules_has_the_notes_taken_out_of_the_messages(http, agent):
    made = http.post(f"/v1/conversations/default/summarize?agent_id={agent['id']}", {"prompt": "Sum up.", "messages": GIVEN, "model": "stele/offline"})
    assert "green hat" in made["summary"]
    assert "GET /v1/models" in refused(http, "POST", f"/v1/conversations/default/summarize?agent_id={agent['id']}", 404, {"prompt": "x", "messages": GIVEN, "model": "no/model"}).text
    refused(http, "POST", f"/v1/conversations/conv-{GONE}/summarize", 404, {"prompt": "x", "messages": GIVEN})
    for body, place in (({"prompt": " ", "messages": GIVEN}, "body.prompt"), ({"prompt": "x", "messages": []}, "body.messages"),
                        ({"prompt": "x", "messages": [{"role": "wizard", "content": "x"}]}, "body.messages.0.role")):
        assert place in refused(http, "POST", f"/v1/conversations/conv-{GONE}/summarize", 422, body).text


def test_a_conversation_without_an_agent(http):
    before = http.get("/v1/agents/count")
    made = http.post("/v1/conversations/ephemeral", {"model": "stele/offline", "system": "You are a clock.", "context_window_limit": 9000})
    assert made == {"id": made["id"], "agent_id": None, "model": "stele/offline", "context_window_limit": 9000}
    answer = http.post(f"/v1/conversations/{made['id']}/messages", {"messages": WORDS, "streaming": False})
    assert any(m["message_type"] == "assistant_message" for m in answer["messages"])
    said = http.get(f"/v1/conversations/{made['id']}/messages?order=asc")
    assert said[0]["message_type"] == "system_message" and "You are a clock." in said[0]["content"]
    behind = http.get(f"/v1/conversations/{made['id']}")["agent_id"]
    state = http.get(f"/v1/agents/{behind}?include=agent.tools&include=agent.blocks")
    assert (state["tools"], state["blocks"], state["hidden"]) == ([], [], True)
    assert http.get("/v1/agents/count") == before and all(a["id"] != behind for a in http.get("/v1/agents/?limit=1000"))
    http.delete(f"/v1/conversations/{made['id']}")
    refused(http, "GET", f"/v1/agents/{behind}", 404)
    refused(http, "GET", f"/v1/conversations/{made['id']}", 404)


def test_an_unknown_model_makes_no_conversation(http):
    refused(http, "POST", "/v1/conversations/ephemeral", 404, {"model": "no/model", "system": "x"})
    assert "body.model" in refused(http, "POST", "/v1/conversations/ephemeral", 422, {"model": " ", "system": "x"}).text
    assert "body.system" in refused(http, "POST", "/v1/conversations/ephemeral", 422, {"model": "stele/offline"}).text


def test_what_nobody_has_used_for_a_day_goes_with_the_next_one(own_server):
    import sqlite3
    server = own_server().start()
    http = server.http(2)
    old, used = (http.post("/v1/conversations/ephemeral", {"model": "stele/offline", "system": "x"}) for _ in range(2))
    behind = {made["id"]: http.get(f"/v1/conversations/{made['id']}")["agent_id"] for made in (old, used)}
    http.post(f"/v1/conversations/{used['id']}/messages", {"messages": WORDS, "streaming": False})
    server.stop()
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        store.execute("UPDATE ephemeral_agent SET created_at = created_at - 90000000000")
    http = server.start().http(2)
    http.post("/v1/conversations/ephemeral", {"model": "stele/offline", "system": "x"})
    refused(http, "GET", f"/v1/agents/{behind[old['id']]}", 404)
    assert http.get(f"/v1/agents/{behind[used['id']]}")["hidden"] is True
