"""letta-client 0.1.324 against the real binary: approvals in their older form."""

import pytest
from letta_client import ApprovalCreate, Letta, MessageCreate
from letta_client.core.api_error import ApiError

ASK = [MessageCreate(role="user", content='@call memory_insert {"label":"human","new_string":"Likes tea."}')]


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, token="any")


@pytest.fixture
def made(client):
    agent = client.agents.create(memory_blocks=[{"label": "human", "value": ""}], agent_type="letta_v1_agent",
                                 model="openai/mock-small", embedding="stele/hash")
    agent = client.agents.tools.modify_approval(agent.id, "memory_insert", requires_approval=True)
    assert [rule.type for rule in agent.tool_rules] == ["requires_approval"], "this generation is told the agent"
    yield agent
    client.agents.delete(agent.id)


@pytest.mark.parametrize("approve", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_a_decision_by_the_request_s_id(client, made, approve, stream):
    if stream:
        pieces = list(client.agents.messages.create_stream(made.id, messages=ASK, stream_tokens=True))
        request = next(p for p in pieces if p.message_type == "approval_request_message")
    else:
        request = client.agents.messages.create(made.id, messages=ASK).messages[-1]
    with pytest.raises(ApiError) as refused:
        client.agents.messages.create(made.id, messages=[MessageCreate(role="user", content="hello?")])
    assert refused.value.status_code == 409 and refused.value.body["detail"]["pending_request_id"] == request.id
    decision = [ApprovalCreate(approve=approve, approval_request_id=request.id, reason="so")]
    answer = client.agents.messages.create(made.id, messages=decision)
    assert [m.message_type for m in answer.messages] == ["tool_return_message", "assistant_message"]
    assert answer.messages[0].status == ("success" if approve else "error")
    assert client.agents.blocks.retrieve(made.id, "human").value == ("Likes tea." if approve else "")
    decided = next(m for m in client.agents.messages.list(made.id) if m.message_type == "approval_response_message")
    assert (decided.approve, decided.reason) == (approve, "so")
    again = client.agents.messages.create(made.id, messages=decision)
    assert again.stop_reason.stop_reason == "end_turn"
