"""letta-client 1.12.1 against the real binary: approvals and tools of the client."""

import pytest
from letta_client import BadRequestError, ConflictError, Letta, NotFoundError

ASK = '@call memory_insert {"label":"human","new_string":"Likes tea."}'
PLACE = {"name": "get_place", "description": "Where the person is.", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="any", max_retries=2)


@pytest.fixture
def made(client):
    agent = client.agents.create(memory_blocks=[{"label": "human", "value": ""}],
                                 model_settings={"provider_type": "openai", "parallel_tool_calls": True})
    client.agents.tools.update_approval("memory_insert", agent_id=agent.id, body_requires_approval=True)
    yield agent
    client.agents.delete(agent.id)


def kinds(messages):
    return [message.message_type for message in messages]


def test_approve(client, made):
    asked = client.agents.messages.create(made.id, input=ASK)
    request = asked.messages[-1]
    assert kinds(asked.messages) == ["approval_request_message"] and asked.stop_reason.stop_reason == "requires_approval"
    assert client.agents.retrieve(made.id, include=["agent.pending_approval"]).pending_approval.id == request.id
    with pytest.raises(ConflictError) as refused:
        client.agents.messages.create(made.id, input="hello?")
    assert refused.value.body["detail"]["pending_request_id"] == request.id
    answer = client.agents.messages.create(made.id, messages=[
        {"type": "approval", "approvals": [{"type": "approval", "tool_call_id": request.tool_calls[0].tool_call_id, "approve": True}]}])
    assert kinds(answer.messages) == ["tool_return_message", "assistant_message"] and answer.messages[0].status == "success"
    assert client.agents.blocks.retrieve("human", agent_id=made.id).value == "Likes tea."
    listed = list(client.agents.messages.list(made.id, order="asc"))
    assert "approval_response_message" in kinds(listed)
    decided = next(m for m in listed if m.message_type == "approval_response_message")
    assert decided.approvals[0].approve is True and decided.approvals[0].tool_call_id == request.tool_calls[0].tool_call_id


@pytest.mark.parametrize("tokens", [False, True])
def test_deny_in_a_stream(client, made, tokens):
    pieces = list(client.agents.messages.stream(made.id, messages=[{"role": "user", "content": ASK}], stream_tokens=tokens))
    call = client.agents.retrieve(made.id, include=["agent.pending_approval"]).pending_approval.tool_calls[0]
    assert [p.message_type for p in pieces[-2:]] == ["stop_reason", "usage_statistics"]
    shown = [p for p in pieces if p.message_type == "approval_request_message"]
    assert "".join(p.tool_call.arguments or "" for p in shown) == call.arguments
    with pytest.raises(ConflictError):
        list(client.agents.messages.stream(made.id, messages=[{"role": "user", "content": "hello?"}]))
    pieces = list(client.agents.messages.stream(made.id, stream_tokens=tokens, messages=[
        {"type": "approval", "approvals": [{"type": "approval", "tool_call_id": call.tool_call_id, "approve": False, "reason": "no"}]}]))
    returned = next(p for p in pieces if p.message_type == "tool_return_message")
    assert returned.status == "error" and "no" in returned.tool_return


def test_tools_of_the_client_beside_others(client, made):
    text = f'@call get_place {{}}\n{ASK}\n@call conversation_search {{"query":"tea"}}'
    asked = client.agents.messages.create(made.id, input=text, client_tools=[PLACE])
    assert kinds(asked.messages) == ["tool_call_message", "approval_request_message"]
    ids = {call.name: call.tool_call_id for call in asked.messages[-1].tool_calls}
    with pytest.raises(BadRequestError, match="Invalid tool call IDs"):
        client.agents.messages.create(made.id, messages=[
            {"type": "tool_return", "tool_returns": [{"type": "tool", "tool_call_id": ids["get_place"], "tool_return": "Paris", "status": "success"}]}])
    answer = client.agents.messages.create(made.id, client_tools=[PLACE], messages=[{"type": "approval", "approvals": [
        {"type": "tool", "tool_call_id": ids["get_place"], "tool_return": [{"type": "text", "text": "Paris"}], "status": "success"},
        {"type": "approval", "tool_call_id": ids["memory_insert"], "approve": True}]}])
    returns = answer.messages[0].tool_returns
    assert len(returns) == 3 and {r.status for r in returns} == {"success"}
    assert returns[0].tool_return[0].text == "Paris" and answer.messages[0].tool_return == "Paris"


def test_the_switch(client, made):
    assert [rule.type for rule in client.agents.retrieve(made.id).tool_rules] == ["requires_approval"]
    client.agents.tools.update_approval("memory_insert", agent_id=made.id, body_requires_approval=False)
    assert client.agents.retrieve(made.id).tool_rules == []
    with pytest.raises(NotFoundError):
        client.agents.tools.update_approval("no_such_tool", agent_id=made.id, body_requires_approval=True)
