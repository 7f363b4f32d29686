"""letta-client 0.1.324 with client-side access tokens."""

import httpx
import pytest
import stele
from letta_client import Letta, MessageCreate
from letta_client.client_side_access_tokens import ClientSideAccessTokensCreateRequestPolicyItem
from letta_client.core.api_error import ApiError

ORIGIN = "https://pages.example"


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    running = stele.Server(tmp_path_factory.mktemp("tokens"), {**model.environment(), "STELE_PASSWORD": "pw"}).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


def refused(status, call):
    with pytest.raises(ApiError) as failed:
        call()
    assert failed.value.status_code == status, failed.value


def test_tokens_are_made_used_listed_and_deleted(server):
    client = Letta(base_url=server.url, token="pw")
    agent = client.agents.create(model="openai/mock-small", embedding="stele/hash", memory_blocks=[])
    item = ClientSideAccessTokensCreateRequestPolicyItem(id=agent.id, access=["read_messages", "write_messages", "read_agent"])
    token = client.client_side_access_tokens.create(policy=[item], hostname=ORIGIN)
    assert token.hostname == ORIGIN and token.policy.data[0].id == agent.id and token.expires_at

    page = Letta(base_url=server.url, token=token.token, httpx_client=httpx.Client(headers={"Origin": ORIGIN}))
    assert page.agents.retrieve(agent.id).id == agent.id
    told = page.agents.messages.create(agent.id, messages=[MessageCreate(role="user", content="@say hello")])
    assert told.messages[-1].message_type == "assistant_message"
    assert page.agents.messages.list(agent.id)
    refused(403, page.agents.list)
    refused(403, lambda: page.agents.modify(agent.id, name="x"))

    listed = client.client_side_access_tokens.client_side_access_tokens_list_client_side_access_tokens(agent_id=agent.id, limit=10.0)
    assert [each.token for each in listed.tokens] == [token.token[:8] + "..."] and listed.has_next_page is False
    client.client_side_access_tokens.delete(token.token, request={})
    refused(401, lambda: page.agents.retrieve(agent.id))
    refused(400, lambda: client.client_side_access_tokens.create(policy=[item], hostname="nowhere"))
