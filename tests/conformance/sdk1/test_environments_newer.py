"""letta-client 1.12.1 with devices, whose socket is the tests' own."""

import uuid

import pytest
from letta_client import APIStatusError, Letta, NotFoundError
from web_socket import WebSocket


@pytest.fixture
def client(server):
    return Letta(base_url=server.url, api_key="unused", max_retries=0)


@pytest.fixture
def device(server):
    id_ = f"device-{uuid.uuid4()}"
    made = server.http().post("/v1/environments/register", {"deviceId": id_, "connectionName": "laptop", "metadata": {"os": "linux"}})
    socket = WebSocket(made["wsUrl"])
    socket.until("connected")
    yield id_, made["connectionId"], socket
    socket.close()


def test_devices_are_listed_and_looked_at(client, device):
    id_, connection_id, _ = device
    shown = client.environments.retrieve(id_)
    assert (shown.device_id, shown.connection_id, shown.connection_name, shown.metadata.os) == (id_, connection_id, "laptop", "linux")
    listed = client.environments.list(limit="100", online_only="true", source="local")
    assert id_ in [each.device_id for each in listed.connections] and listed.has_next_page in (True, False)
    with pytest.raises(NotFoundError):
        client.environments.retrieve("nobody")


def test_messages_reach_the_device(client, device):
    id_, connection_id, socket = device
    agent = client.agents.create()
    message = {"role": "user", "content": "hello", "client_message_id": "c1"}
    sent = client.environments.send_message(connection_id, messages=[message], agent_id=agent.id, conversation_id="default")
    assert sent.success is True and sent.message
    assert socket.until("messages")["messages"] == [message]
    socket.close()
    with pytest.raises(APIStatusError):
        for _ in range(1000):
            client.environments.send_message(connection_id, messages=[message])
