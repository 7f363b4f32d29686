"""letta-client 1.12.1: conversations, and search over messages, by every method that it has for them here."""

import json

import pytest
from letta_client import ConflictError, Letta, NotFoundError


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=0)


@pytest.fixture
def agent(client):
    return client.agents.create(memory_blocks=[{"label": "human", "value": "Grace"}])


def texts(messages):
    return [m.content for m in messages if m.message_type in ("user_message", "assistant_message")]


def say(client, conversation_id, text, **more):
    """This client knows the stream alone."""
    return texts(list(client.conversations.messages.create(conversation_id, input=text, **more)))


def test_a_conversation_from_its_beginning_to_its_end(client, agent):
    made = client.conversations.create(agent_id=agent.id, summary="tea", description="d", extra_body={"isolated_block_labels": ["human"]},
                                       model="openai/mock-small", context_window_limit=9000, hidden=False,
                                       model_settings={"provider_type": "openai", "temperature": 0.5})
    shown = client.conversations.retrieve(made.id)
    assert shown == made and (shown.summary, shown.description, shown.model, shown.context_window_limit, shown.archived) == (
        "tea", "d", "openai/mock-small", 9000, False)
    assert shown.api_model_settings.temperature == 0.5 and len(shown.isolated_block_ids) == 1 and len(shown.in_context_message_ids) == 1
    assert texts(list(client.conversations.messages.create(made.id, messages=[{"role": "user", "content": "@say hot"}]))) == ["hot"]
    changed = client.conversations.update(made.id, summary="coffee", archived=True)
    assert changed.summary == "coffee" and changed.archived_at is not None and changed.last_message_at is not None
    assert [c.id for c in client.conversations.list(agent_id=agent.id, archive_status="archived", summary_search="COFF")] == [made.id]
    assert client.conversations.list(agent_id=agent.id) == []
    assert "Grace" in client.conversations.recompile(made.id, dry_run=True)
    assert client.conversations.delete(made.id) is None
    with pytest.raises(NotFoundError):
        client.conversations.retrieve(made.id)


def test_a_stream_is_the_default(client, agent):
    talk = client.conversations.create(agent_id=agent.id)
    events = list(client.conversations.messages.create(talk.id, input="@say streamed", stream_tokens=True))
    assert [e.message_type for e in events if e.message_type != "assistant_message"] == ["ping", "stop_reason", "usage_statistics"]
    assert "".join(e.content for e in events if e.message_type == "assistant_message") == "streamed"
    ephemeral = list(client.conversations.messages.create("default", agent_id=agent.id, input="@say own"))
    assert texts(ephemeral) == ["own"]
    assert texts(client.conversations.messages.list("default", agent_id=agent.id).items) == ["own", "@say own"]


def test_messages_are_walked_by_the_clients_iterator(client, agent):
    talk = client.conversations.create(agent_id=agent.id)
    for i in range(4):
        assert say(client, talk.id, f"@say {i}") == [str(i)]
        client.agents.messages.create(agent.id, input="elsewhere")
    asked = [f"@say {i}" for i in range(4)]
    for order in ("asc", "desc"):
        for limit in (1, 2, 3, 50):
            walked = texts(client.conversations.messages.list(talk.id, order=order, limit=limit))
            assert walked[(0 if order == "asc" else 1)::2] == (asked if order == "asc" else asked[::-1]), (order, limit)


def test_lists_page_by_the_last_id(client, agent):
    made = [client.conversations.create(agent_id=agent.id).id for _ in range(5)]
    for order, expected in (("asc", made), ("desc", made[::-1])):
        found, after = [], None
        while page := client.conversations.list(agent_id=agent.id, order=order, limit=2, **({"after": after} if after else {})):
            found += [c.id for c in page]
            after = found[-1]
        assert found == expected


def test_forks_and_compaction(client, agent):
    talk = client.conversations.create(agent_id=agent.id)
    for word in ("one", "two"):
        assert say(client, talk.id, f"@say {word}") == [word]
    fork = client.conversations.fork(talk.id)
    source = client.conversations.retrieve(talk.id).in_context_message_ids
    assert client.conversations.retrieve(fork.id).in_context_message_ids[1:] == source[1:]
    upto = client.conversations.fork(talk.id, message_id=source[2], hidden=True)
    assert client.conversations.retrieve(upto.id).in_context_message_ids[1:] == source[1:3]
    done = client.conversations.messages.compact(fork.id, compaction_settings={"mode": "all"})
    assert (done.num_messages_before, done.num_messages_after) == (5, 2) and done.summary
    assert client.conversations.retrieve(talk.id).in_context_message_ids == source
    own = client.conversations.fork("default", agent_id=agent.id)
    assert own.agent_id == agent.id


def test_a_busy_conversation_is_a_conflict(client, agent, model):
    talk = client.conversations.create(agent_id=agent.id)
    stream = client.conversations.messages.create(talk.id, input="@hold\n@say late")
    first = next(iter(stream))  # the ping: it is at work
    with pytest.raises(ConflictError) as busy:
        say(client, talk.id, "x")
    assert busy.value.body["run_id"] == first.run_id
    model.release()
    assert texts(list(stream)) == ["late"]


def test_search(client, agent):
    client.agents.messages.create(agent.id, input="@say yes\na pangolin")
    [hit] = client.messages.search(query="pangolin", search_mode="hybrid", agent_id=agent.id, limit=5)
    assert hit.message_type == "user_message" and "pangolin" in hit.content and hit.agent_id == agent.id and hit.created_at
    assert client.messages.search(query="pangolin", agent_id=agent.id, end_date="2001-01-01T00:00:00Z") == []


def test_recompile_of_an_agent(client, agent):
    client.agents.messages.create(agent.id, input="hello")
    assert agent.id in client.agents.recompile(agent.id, dry_run=True, update_timestamp=True)
    text = json.loads(client.agents.recompile(agent.id))  # this client hands JSON texts on as they came
    assert client.agents.messages.list(agent.id, order="asc", limit=1).items[0].content == text
