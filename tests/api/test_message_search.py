"""Search over what was said, by both paths: words, filters, dates, languages without spaces, and nothing that nobody said."""

import pytest
import stele

ALL, OF_AGENTS = "/v1/messages/search", "/v1/agents/messages/search"


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def ada(api):
    return api.post("/v1/agents", {"memory_blocks": []})


def say(api, agent, text):
    return api.post(f"/v1/agents/{agent['id']}/messages", {"input": text})


def found(api, agent, query, **more):
    return [hit["content"] for hit in api.post(ALL, {"query": query, "agent_id": agent["id"], **more})]


def test_what_was_said_is_found_with_all_that_belongs_to_it(api, ada):
    answer = say(api, ada, "@say The heron sleeps.\nWhere is the heron?")
    talk = api.post(f"/v1/conversations?agent_id={ada['id']}")
    api.post(f"/v1/conversations/{talk['id']}/messages", {"input": "a second heron", "streaming": False})
    hits = api.post(ALL, {"query": "heron", "agent_id": ada["id"]})
    assert len(hits) == 4 and {hit["message_type"] for hit in hits} == {"user_message", "assistant_message"}
    for hit in hits:
        assert list(hit) == ["message_type", "content", "message_id", "agent_id", "conversation_id", "created_at"]
        assert "heron" in hit["content"] and hit["agent_id"] == ada["id"]
    assert {hit["conversation_id"] for hit in hits} == {None, talk["id"]}
    assert answer["messages"][0]["id"] in [hit["message_id"] for hit in hits]
    results = api.post(OF_AGENTS, {"query": "heron", "agent_id": ada["id"]})
    assert [result["message"]["id"] for result in results] == [hit["message_id"] for hit in hits]
    for rank, result in enumerate(results, 1):
        assert list(result) == ["embedded_text", "message", "fts_rank", "vector_rank", "rrf_score"]
        assert (result["fts_rank"], result["vector_rank"], result["rrf_score"]) == (rank, None, pytest.approx(1 / (60 + rank)))
        assert "heron" in result["embedded_text"] and result["message"]["role"] in ("user", "assistant")


@pytest.mark.parametrize("mode", ["vector", "fts", "hybrid"])
def test_every_mode_is_served(api, ada, mode):
    say(api, ada, "@say yes\na kingfisher")
    assert found(api, ada, "kingfisher", search_mode=mode) == ["@say yes\na kingfisher"]


def test_filters_narrow_the_search(api, ada):
    other = api.post("/v1/agents", {"memory_blocks": [], "project_id": "search-project"})
    say(api, ada, "@say one\nostrich alpha")
    say(api, other, "@say two\nostrich beta")
    talk = api.post(f"/v1/conversations?agent_id={ada['id']}")
    api.post(f"/v1/conversations/{talk['id']}/messages", {"input": "@say ostrich gamma\nostrich", "streaming": False})
    fork = api.post(f"/v1/conversations/{talk['id']}/fork")
    of_all = lambda **more: {r["embedded_text"].split("\n")[-1] for r in api.post(OF_AGENTS, {"query": "ostrich", **more})}  # noqa: E731
    assert of_all() >= {"ostrich alpha", "ostrich beta", "ostrich gamma"}
    assert of_all(agent_id=other["id"]) == of_all(project_id="search-project") == {"ostrich beta"}
    assert of_all(conversation_id=talk["id"]) == of_all(conversation_id=fork["id"]) == {"ostrich", "ostrich gamma"}
    assert of_all(agent_id=ada["id"], conversation_id="default") == {"ostrich alpha"}
    assert of_all(agent_id=ada["id"], roles=["assistant"]) == {"ostrich gamma"}
    assert of_all(agent_id=ada["id"], roles=["user"]) == {"ostrich alpha", "ostrich"}
    assert of_all(template_id="none") == set()
    assert len(api.post(ALL, {"query": "ostrich", "limit": 2})) == 2
    assert len(found(api, ada, "ostrich", conversation_id=talk["id"])) == 2
    now = api.post(ALL, {"query": "ostrich", "agent_id": ada["id"]})
    times = sorted(hit["created_at"] for hit in now)
    assert found(api, ada, "ostrich", start_date=times[-1]) and len(found(api, ada, "ostrich", end_date=times[0])) == 1
    assert found(api, ada, "ostrich", start_date="2099-01-01T00:00:00Z") == [] == found(api, ada, "ostrich", end_date="2001-01-01T00:00:00Z")


def test_the_best_match_comes_first_and_no_query_means_the_newest(api, ada):
    for text in ("a magpie", "a magpie and a wren", "something else"):
        say(api, ada, f"@say ok\n{text}")
    assert found(api, ada, "wren magpie") == ["@say ok\na magpie and a wren", "@say ok\na magpie"]
    for query in (None, "", "  "):
        newest = api.post(OF_AGENTS, {"query": query, "agent_id": ada["id"], "roles": ["user"], "limit": 2})
        assert [r["embedded_text"] for r in newest] == ["@say ok\nsomething else", "@say ok\na magpie and a wren"]
    assert found(api, ada, "?!") == []


@pytest.mark.parametrize("text, query, other", [
    ("图书馆的密码是木琴", "密码", "钥匙"), ("图书馆的密码是木琴", "请问图书馆的密码是什么", "天气"), ("東京タワーに行きました", "タワー", "大阪"),
    ("도서관에서 만나요", "도서관", "학교"), ("ห้องสมุดปิดแล้ว", "ห้องสมุด", "โรงเรียน"), ("我的AI助手叫小明", "AI助手", "机器人"), ("名前は木です", "木", "水")])
def test_words_of_languages_without_spaces(api, ada, text, query, other):
    say(api, ada, f"@say ok\n{text}")
    say(api, ada, "@say ok\nnothing of the kind")
    assert found(api, ada, query) == [f"@say ok\n{text}"]
    assert found(api, ada, other) == []
    tool = api.get("/v1/tools?name=conversation_search")[0]["id"]
    api.patch(f"/v1/agents/{ada['id']}/tools/attach/{tool}")
    answer = say(api, ada, '@call conversation_search {"query": "%s", "roles": ["user"]}' % query)
    assert text in answer["messages"][1]["tool_return"]


def test_the_most_complete_match_comes_first_there_too(api, ada):
    for text in ("图书馆", "图书馆的密码", "100% 密码_"):
        say(api, ada, f"@say ok\n{text}")
    assert found(api, ada, "图书馆密码")[0] == "@say ok\n图书馆的密码"
    assert found(api, ada, "密码_") == ["@say ok\n100% 密码_", "@say ok\n图书馆的密码"]


def test_accents_and_case_do_not_matter(api, ada):
    say(api, ada, "@say ok\nUn Café à Zürich")
    for query in ("cafe", "CAFÉ", "zurich"):
        assert found(api, ada, query) == ["@say ok\nUn Café à Zürich"]


def test_events_that_nobody_said_are_left_out(api):
    agent = api.post("/v1/agents", {"agent_type": "memgpt_agent", "memory_blocks": [{"label": "human", "value": "x"}]})
    say(api, agent, '@call core_memory_append {"label": "human", "content": "y", "request_heartbeat": true}')
    history = [m["content"] for m in api.get(f"/v1/agents/{agent['id']}/messages") if m["message_type"] == "user_message"]
    assert any('"login"' in text for text in history) and any('"heartbeat"' in text for text in history), "there are none to find"
    for query in ("login", "heartbeat", "time", "reason", ""):
        texts = [r["embedded_text"] for r in api.post(OF_AGENTS, {"query": query, "agent_id": agent["id"], "limit": 100})]
        assert not [text for text in texts if '"type": "login"' in text or '"type": "heartbeat"' in text], query
    assert len(api.post(OF_AGENTS, {"agent_id": agent["id"]})) >= 2


def test_a_deleted_agent_is_not_found_any_more(api, ada):
    say(api, ada, "@say ok\na cassowary")
    assert api.post(ALL, {"query": "cassowary"})
    api.delete(f"/v1/agents/{ada['id']}")
    assert api.post(ALL, {"query": "cassowary"}) == []


@pytest.mark.parametrize("odd", ['"', "a AND", "NEAR(", "text : x", "*", "'; DROP TABLE message; --", "(", "-x", "%_\\", "\u3002"])
def test_nothing_in_a_query_is_syntax(api, ada, odd):
    say(api, ada, "hello")
    assert isinstance(api.post(ALL, {"query": odd, "agent_id": ada["id"]}), list)
    assert isinstance(api.post(ALL, {"query": odd + "\u6728" * 200, "agent_id": ada["id"]}), list)


@pytest.mark.parametrize("path, body, named", [
    (ALL, {}, "body.query"), (ALL, {"query": 5}, "body.query"), (ALL, {"query": "x", "limit": 0}, "body.limit"), (ALL, {"query": "x", "limit": 101}, "body.limit"),
    (ALL, {"query": "x", "search_mode": "magic"}, "body.search_mode"), (ALL, {"query": "x", "start_date": "yesterday"}, "body.start_date"),
    (OF_AGENTS, {"limit": -1}, "body.limit"), (OF_AGENTS, {"roles": ["nobody"]}, "body.roles"), (OF_AGENTS, {"roles": "user"}, "body.roles")])
def test_refusals(api, path, body, named):
    with pytest.raises(stele.Refused) as refused:
        api.post(path, body)
    assert refused.value.status == 422 and named in refused.value.text
