"""letta-client 1.12.1 against the real binary: messages, streams, runs, steps."""

import pytest
from letta_client import APIError, APIStatusError, AuthenticationError, Letta


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=0)


@pytest.fixture
def made(client):
    return client.agents.create(memory_blocks=[{"label": "human", "value": "Name: Grace."}, {"label": "persona", "value": "I am Ada."}])


def kinds(messages):
    return [message.message_type for message in messages]


def test_a_message_is_answered(client, made):
    answer = client.agents.messages.create(made.id, messages=[{"role": "user", "content": "@say Hello, Grace"}])
    assert kinds(answer.messages) == ["assistant_message"]
    assert answer.messages[0].content == "Hello, Grace"
    assert answer.stop_reason.stop_reason == "end_turn"
    assert answer.usage.step_count == 1 and answer.usage.total_tokens > 0
    assert client.agents.messages.create(made.id, input="@say short form").messages[0].content == "short form"


def test_a_tool_call_its_return_and_the_answer(client, made):
    answer = client.agents.messages.create(
        made.id, input='@call memory_insert {"label":"human","new_string":"Likes tea."}')
    assert kinds(answer.messages) == ["tool_call_message", "tool_return_message", "assistant_message"]
    call, result = answer.messages[0], answer.messages[1]
    assert call.tool_calls[0].name == "memory_insert"
    assert result.tool_returns[0].status == "success" and result.tool_returns[0].tool_call_id == call.tool_calls[0].tool_call_id
    assert answer.usage.step_count == 2
    assert client.agents.blocks.retrieve("human", agent_id=made.id).value == "Name: Grace.\nLikes tea."


def test_edited_memory_stands_in_the_very_next_request(client, made, model):
    client.agents.blocks.update("human", agent_id=made.id, value="Name: Lin.")
    model.forget()
    client.agents.messages.create(made.id, input="hi")
    assert "Name: Lin." in model.requests()[-1]["messages"][0]["content"]
    client.agents.update(made.id, system="You are terse.")
    client.agents.messages.create(made.id, input="hi again")
    assert model.requests()[-1]["messages"][0]["content"].startswith("You are terse.")


def test_the_prompt_keeps_its_prefix_from_turn_to_turn(client, made, model):
    model.forget()
    for text in ("one", "two", "three"):
        client.agents.messages.create(made.id, input=text)
    sent = [request["messages"] for request in model.requests()]
    assert sent[1][: len(sent[0])] == sent[0] and sent[2][: len(sent[1])] == sent[1]


def test_parts_images_and_several_messages(client, made, model):
    model.forget()
    client.agents.messages.create(made.id, messages=[
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "what is this?"},
                                     {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}]}])
    system, user = model.requests()[-1]["messages"][-2:]
    assert (system["role"], system["content"]) == ("system", "Be kind.")
    assert user["content"][1]["image_url"]["url"] == "data:image/png;base64,aGk="


def test_whole_messages_are_streamed_in_order(client, made):
    with client.agents.messages.stream(made.id, input="@long 5") as stream:
        events = list(stream)
    assert kinds(events) == ["ping", "assistant_message", "stop_reason", "usage_statistics"]
    assert events[1].content == "word0 word1 word2 word3 word4"


def test_tokens_are_streamed_and_add_up(client, made):
    with client.agents.messages.stream(made.id, input="@reason think first\n@long 5", stream_tokens=True, include_pings=False) as stream:
        events = list(stream)
    words = [event for event in events if event.message_type == "assistant_message"]
    assert len(words) == 5 and "".join(word.content for word in words) == "word0 word1 word2 word3 word4"
    assert len({(word.id, word.otid) for word in words}) == 1
    thoughts = [event for event in events if event.message_type == "reasoning_message"]
    assert "".join(thought.reasoning for thought in thoughts) == "think first "
    stored = client.agents.messages.list(made.id).items[-1]
    assert (stored.id, stored.otid) == (words[0].id, words[0].otid)


def test_streaming_through_create(client, made):
    events = list(client.agents.messages.create(made.id, input="@say yes", streaming=True))
    assert "assistant_message" in kinds(events)


def test_a_streamed_call_comes_in_pieces(client, made):
    with client.agents.messages.stream(made.id, input='@call conversation_search {"query": "something long enough"}', stream_tokens=True) as stream:
        events = list(stream)
    pieces = [event.tool_call for event in events if event.message_type == "tool_call_message"]
    assert pieces[0].name == "conversation_search"
    assert "".join(piece.arguments or "" for piece in pieces) == '{"query": "something long enough"}'
    assert "tool_return_message" in kinds(events)


@pytest.mark.parametrize("code, status, kind", [(401, 401, "llm_authentication"), (402, 402, "llm_insufficient_credits"),
                                                (400, 400, "llm_bad_request")])
def test_a_failing_model_is_reported_in_the_api_s_words(client, made, code, status, kind):
    with pytest.raises(APIStatusError) as failed:
        client.agents.messages.create(made.id, input=f"@fail {code}")
    assert failed.value.status_code == status and failed.value.body["error"]["type"] == kind
    with pytest.raises(APIError):
        with client.agents.messages.stream(made.id, input=f"@fail {code}") as stream:
            list(stream)
    assert client.agents.messages.create(made.id, input="@say still here").messages[0].content == "still here"


def test_a_message_whose_model_failed_is_in_the_history_and_not_in_the_window(client, made, model):
    before = client.agents.retrieve(made.id).message_ids
    message = {"role": "user", "content": "@fail 400", "otid": "otid-" + made.id}
    for _ in range(3):
        with pytest.raises(APIStatusError):
            client.agents.messages.create(made.id, messages=[message])
    assert client.agents.retrieve(made.id).message_ids == before
    history = client.agents.messages.list(made.id).items
    assert [m.content for m in history if m.message_type == "user_message"] == ["@fail 400"]
    run = client.runs.list(agent_id=made.id, order="asc").items[0]
    assert run.status == "failed" and [m.content for m in client.runs.messages.list(run.id)] == ["@fail 400"]
    model.forget()
    client.agents.messages.create(made.id, messages=[{"role": "user", "content": "@say better", "otid": "other-" + made.id}])
    assert [m["content"] for m in model.requests()[-1]["messages"] if m["role"] == "user"] == ["@say better"]


@pytest.mark.parametrize("directive", ["@retry 1 429", "@retry 2 500", "@nousage", "@slow 5\n@long 4"])
def test_what_can_be_coped_with_is_coped_with(client, made, directive):
    text = f"{directive}\n@say fine {directive.split()[0][1:]} {made.id}" if "long" not in directive else directive
    answer = client.agents.messages.create(made.id, input=text)
    assert answer.stop_reason.stop_reason == "end_turn"


@pytest.mark.parametrize("directive", ["@cut\n@long 8", "@garbage\n@long 8", "@empty"])
def test_a_broken_stream_ends_in_an_error_event(client, made, directive):
    with pytest.raises(APIError):
        with client.agents.messages.stream(made.id, input=directive, stream_tokens=True) as stream:
            list(stream)
    assert client.agents.messages.create(made.id, input="@say alive").messages[0].content == "alive"


def test_arguments_that_are_no_json_come_back_as_an_error_return(client, made):
    answer = client.agents.messages.create(made.id, input="@badargs memory_insert")
    assert answer.messages[1].tool_returns[0].status == "error" and "JSON" in answer.messages[1].tool_returns[0].tool_return
    assert answer.stop_reason.stop_reason == "end_turn"


def test_max_steps_and_truncation(client, made):
    answer = client.agents.messages.create(made.id, input='@call conversation_search {"query":"x"}', max_steps=1)
    assert answer.stop_reason.stop_reason == "max_steps" and answer.usage.step_count == 1
    assert client.agents.messages.create(made.id, input="@truncate half a sen").stop_reason.stop_reason == "max_tokens_exceeded"


def test_history_lists_oldest_first_and_finds_cursors(client, made):
    for i in range(5):
        client.agents.messages.create(made.id, input=f"@say answer {i}")
    everything = list(client.agents.messages.list(made.id, order="asc", limit=3))
    assert kinds(everything)[:3] == ["system_message", "user_message", "assistant_message"]
    assert len({message.id for message in everything}) == 11
    newest = client.agents.messages.list(made.id, limit=2).items
    assert [message.content for message in newest] == ["@say answer 4", "answer 4"]
    older = client.agents.messages.list(made.id, limit=2, before=newest[0].id).items
    assert older[-1].content == "answer 3"


def test_an_otid_is_carried_out_once(client, made):
    message = {"role": "user", "content": "@say once", "otid": "otid-" + made.id}
    first = client.agents.messages.create(made.id, messages=[message])
    again = client.agents.messages.create(made.id, messages=[message])
    assert [m.id for m in again.messages] == [m.id for m in first.messages]
    assert len(client.agents.retrieve(made.id).message_ids) == 3


def test_reset_empties_the_window_and_keeps_the_history(client, made):
    client.agents.messages.create(made.id, input="@say hello")
    first = client.agents.retrieve(made.id).message_ids[0]
    client.agents.messages.reset(made.id, add_default_initial_messages=False)
    assert client.agents.retrieve(made.id).message_ids == [first]
    assert len(client.agents.messages.list(made.id).items) == 3


def test_runs_and_steps_tell_what_happened(client, made, model):
    answer = client.agents.messages.create(made.id, input='@call conversation_search {"query":"x"}')
    run = client.runs.list(agent_id=made.id).items[0]
    assert (run.status, run.stop_reason, run.agent_id) == ("completed", "end_turn", made.id)
    assert client.runs.retrieve(run.id).id == run.id
    assert client.runs.usage.retrieve(run.id).total_tokens == answer.usage.total_tokens
    assert "user_message" in kinds(client.runs.messages.list(run.id))
    steps = list(client.runs.steps.list(run.id, order="asc"))
    assert len(steps) == 2 and steps[1].stop_reason == "end_turn" and steps[0].model == "mock-small"
    assert client.steps.metrics.retrieve(steps[0].id).llm_request_ns > 0
    trace = client.steps.trace.retrieve(steps[0].id)
    assert trace.request_json["model"] == "mock-small" and trace.response_json["usage"]["total_tokens"] > 0
    assert client.steps.feedback.create(steps[0].id, feedback="positive").feedback == "positive"
    assert steps[0].id in [step.id for step in client.steps.list(agent_id=made.id, has_feedback=True)]


def test_a_password_is_asked_for(own_server):
    server = own_server({"STELE_PASSWORD": "open sesame"}).start()
    assert Letta(base_url=server.url, api_key="open sesame").agents.list().items == []
    with pytest.raises(AuthenticationError):
        Letta(base_url=server.url, api_key="wrong").agents.list()
    assert Letta(base_url=server.url, api_key="wrong").health().status == "ok"
