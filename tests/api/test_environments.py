"""Devices on which the terminal client listens: they register, hold a socket, are handed messages and conversations."""

import base64
import uuid

import pytest
from stele import GONE, refused, wait_until
from web_socket import WebSocket

MESSAGES = [{"role": "user", "content": "hello", "client_message_id": "c1"}]
APPROVAL = [{"type": "approval", "approvals": [{"approve": True, "tool_call_id": "t"}]}]


@pytest.fixture
def http(server):
    return server.http(2)


class Device:
    def __init__(self, http, name="laptop", **metadata):
        self.http, self.id = http, f"device-{uuid.uuid4()}"
        self.registered = self.register(name, **metadata)
        self.connection_id = self.registered["connectionId"]
        self.socket = None

    def register(self, name, **metadata):
        return self.http.post("/v1/environments/register", {"deviceId": self.id, "connectionName": name, "metadata": metadata})

    def connect(self):
        self.socket = WebSocket(self.registered["wsUrl"])
        assert self.socket.status == 101
        assert self.socket.read() == {"type": "connected", "connectionId": self.connection_id}
        return self

    def shown(self):
        return self.http.get(f"/v1/environments/{self.id}")

    def send(self, messages=MESSAGES, **more):
        return self.http.post(f"/v1/environments/{self.connection_id}/messages", {"messages": messages, **more})


@pytest.fixture
def device(http):
    made = []

    def make(*arguments, connected=True, **more):
        made.append(Device(http, *arguments, **more))
        return made[-1].connect() if connected else made[-1]

    yield make
    for each in made:
        if each.socket:
            each.socket.close()


def test_a_device_registers_and_is_there_while_its_socket_is(http, device):
    one = device("my laptop", connected=False, os="linux", supported_commands=["x"])
    shown = one.shown()
    assert (shown["deviceId"], shown["connectionName"], shown["metadata"]) == (one.id, "my laptop", {"os": "linux", "supported_commands": ["x"]})
    assert shown["connectionId"] is None and shown["connectedAt"] is None and shown["podId"] is None and shown["firstSeenAt"] == shown["lastSeenAt"] > 1_700_000_000_000
    assert refused(http, "POST", f"/v1/environments/{one.connection_id}/messages", 503, {"messages": MESSAGES}).body["errorCode"] == "environmentOffline"
    one.connect()
    shown = one.shown()
    assert (shown["connectionId"], shown["id"]) == (one.connection_id, one.shown()["id"]) and shown["connectedAt"] and shown["lastHeartbeat"] >= shown["connectedAt"]
    one.socket.close()
    wait_until(lambda: one.shown()["connectionId"] is None)


def test_messages_are_handed_over(http, device, agent):
    one = device()
    assert one.send([*MESSAGES, *APPROVAL], agentId=agent["id"], conversationId="default")["success"] is True
    assert one.socket.read() == {"type": "messages", "agentId": agent["id"], "conversationId": "default", "messages": [*MESSAGES, *APPROVAL]}
    one.send()
    assert one.socket.read() == {"type": "messages", "agentId": None, "conversationId": None, "messages": MESSAGES}
    large = [{"role": "user", "content": "x" * 100_000, "client_message_id": str(n)} for n in range(3)]
    one.send(large)
    assert one.socket.read()["messages"] == large


def test_heartbeats_and_modes(device):
    one = device()
    before = one.shown()["lastHeartbeat"]
    one.socket.send({"type": "ping"})
    assert one.socket.read() == {"type": "pong"} and one.shown()["lastHeartbeat"] >= before
    one.socket.send({"type": "mode", "mode": "plan"})
    one.socket.send({"type": "ping"})
    one.socket.until("pong")
    assert one.shown()["currentMode"] == "plan"
    for bad in ("no json", "[1]", {"type": "mode", "mode": "wild"}, {"type": "teleport", "id": "x", "status": "ready"}, {}):
        one.socket.send(bad)
        assert one.socket.read()["type"] == "error"
    one.socket.send({"type": "what nobody knows yet"})
    one.socket.send({"type": "ping"})
    assert one.socket.read() == {"type": "pong"}
    one.socket.close()
    wait_until(lambda: one.shown()["connectionId"] is None)
    assert one.shown()["currentMode"] == "plan"


def test_a_device_that_registers_again_is_the_same_one(http, device):
    one = device("old name")
    id_, first = one.shown()["id"], one.registered
    one.registered = one.register("new name")
    assert one.socket.read() is None  # the older socket is closed
    assert WebSocket(first["wsUrl"]).status == 401
    one.connection_id = one.registered["connectionId"]
    one.connect()
    assert (one.shown()["id"], one.shown()["connectionName"]) == (id_, "new name")
    refused(http, "POST", f"/v1/environments/{first['connectionId']}/messages", 404, {"messages": MESSAGES})
    twin = WebSocket(one.registered["wsUrl"])
    assert twin.status == 101 and one.socket.read() is None and twin.read()["type"] == "connected"
    one.socket = twin


def test_only_whom_the_server_gave_an_address_gets_in(http, device):
    one, other = device(connected=False), device(connected=False)
    address, ticket = one.registered["wsUrl"].split("&ticket=")
    for wrong in (address, address + "&ticket=", address + "&ticket=00", address + "&ticket=" + other.registered["wsUrl"].split("&ticket=")[1],
                  address.replace("organization=org-0", "organization=org-1") + "&ticket=" + ticket):
        assert WebSocket(wrong).status == 401
    assert refused(http, "GET", one.registered["wsUrl"].split("/", 3)[3].join(["/", ""]), 426)


def test_lists_are_paged_and_filtered(http, device):
    first, second = device(connected=False), device()
    mine = {first.id, second.id}

    def walk(query=""):
        seen, after = [], ""
        while True:
            page = http.get(f"/v1/environments?limit=1{query}{after}")
            seen += [each["deviceId"] for each in page["connections"]]
            if not page["hasNextPage"]:
                return seen
            after = f"&after={page['connections'][-1]['id']}"

    everything = walk()
    assert [each for each in everything if each in mine] == [second.id, first.id] and len(everything) == len(set(everything))
    assert [each for each in walk("&onlineOnly=true") if each in mine] == [second.id]
    assert mine <= set(walk("&source=local")) and not mine & set(walk("&source=remote")) and not mine & set(walk("&userId=user-nobody"))
    refused(http, "GET", f"/v1/environments?after=environment-{GONE}", 404)
    for query in ("limit=0", "limit=x", "source=moon"):
        refused(http, "GET", f"/v1/environments?{query}", 422)


def test_forgetting_a_device(http, device):
    one = device()
    assert http.call("DELETE", f"/v1/environments/{one.shown()['id']}", {})["success"] is True
    assert one.socket.read() is None
    for verb, path in (("GET", f"/v1/environments/{one.id}"), ("DELETE", f"/v1/environments/{one.id}")):
        assert refused(http, verb, path, 404).body["errorCode"] == "environmentNotFound"


def test_a_device_of_somebody_else_is_left_alone(http, device):
    one = device()
    other = http.post("/v1/admin/users", {"name": "other", "organization_id": one.shown()["organizationId"]})["id"]
    headers = {"user_id": other}
    assert refused(http, "DELETE", f"/v1/environments/{one.id}", 403, headers=headers).body["errorCode"] == "environmentNotYours"
    assert refused(http, "POST", "/v1/environments/register", 403, {"deviceId": one.id, "connectionName": "x"}, headers=headers).body["errorCode"] == "deviceTaken"
    assert one.shown()["connectionId"]


@pytest.mark.parametrize("body, place", [({"messages": []}, "body.messages"), ({"messages": [{"role": "user", "content": "x"}]}, "body.messages.0"), ({"messages": ["x"]}, "body.messages.0"),
                                         ({"messages": [{"type": "approval"}]}, "body.messages.0"), ({}, "body.messages")])
def test_bad_messages_are_refused(http, device, body, place):
    assert place in refused(http, "POST", f"/v1/environments/{device().connection_id}/messages", 422, body).text


def test_messages_name_an_agent_that_is_there(http, device, agent):
    one = device()
    for more in ({"agentId": f"agent-{GONE}"}, {"agentId": agent["id"], "conversationId": f"conv-{GONE}"}):
        refused(http, "POST", f"/v1/environments/{one.connection_id}/messages", 404, {"messages": MESSAGES, **more})


def teleport(http, agent, target, key=None, conversation="default"):
    return http.post(f"/v1/environments/runtimes/{agent['id']}/{conversation}/teleport", {"targetConnectionId": target.connection_id, "idempotencyKey": key or uuid.uuid4().hex})


def test_a_conversation_moves_from_one_device_to_the_next(http, device, agent):
    source, target = device("source"), device("target")
    source.send(agentId=agent["id"], conversationId="default")
    source.socket.until("messages")
    begun = teleport(http, agent, target, "move 1" + agent["id"])
    assert (begun["status"], begun["sourceConnectionId"], begun["targetDeviceId"], begun["targetConnectionName"], begun["error"]) == ("waiting_for_source", source.connection_id, target.id, "target", None)
    asked = source.socket.until("teleport")
    assert asked["role"] == "source" and asked["teleport"] == begun
    target.socket.send({"type": "teleport", "id": begun["id"], "status": "completed"})
    assert "does not wait for you" in target.socket.until("error")["message"]
    source.socket.send({"type": "teleport", "id": begun["id"], "status": "ready"})
    asked = target.socket.until("teleport")
    assert (asked["role"], asked["teleport"]["status"]) == ("destination", "starting_destination")
    target.socket.send({"type": "teleport", "id": begun["id"], "status": "completed"})
    wait_until(lambda: teleport(http, agent, target, "move 1" + agent["id"])["status"] == "completed")
    back = teleport(http, agent, source)
    assert back["sourceConnectionId"] == target.connection_id
    target.socket.send({"type": "teleport", "id": target.socket.until("teleport")["teleport"]["id"], "status": "failed", "error": "in the middle of something"})
    refused(http, "POST", f"/v1/environments/runtimes/{agent['id']}/default/teleport", 400, {"targetConnectionId": source.connection_id, "idempotencyKey": "move 1" + agent["id"]})


def test_what_the_server_had_goes_straight_to_the_destination(http, device, agent):
    target = device()
    key = uuid.uuid4().hex
    begun = teleport(http, agent, target, key)
    assert (begun["status"], begun["sourceConnectionId"]) == ("starting_destination", "server")
    target.socket.until("teleport")
    target.socket.close()
    wait_until(lambda: target.shown()["connectionId"] is None)
    ended = teleport(http, agent, target, key)
    assert (ended["status"], ended["error"]) == ("failed", "The device has left")


def test_moves_to_nowhere_are_refused(http, device, agent):
    one = device(connected=False)
    path = f"/v1/environments/runtimes/{agent['id']}/default/teleport"
    refused(http, "POST", path, 503, {"targetConnectionId": one.connection_id, "idempotencyKey": "k"})
    refused(http, "POST", path, 404, {"targetConnectionId": "nobody", "idempotencyKey": "k"})
    refused(http, "POST", f"/v1/environments/runtimes/agent-{GONE}/default/teleport", 404, {"targetConnectionId": "x", "idempotencyKey": "k"})
    refused(http, "POST", f"/v1/environments/runtimes/{agent['id']}/conv-{GONE}/teleport", 404, {"targetConnectionId": "x", "idempotencyKey": "k"})
    assert "idempotencyKey" in refused(http, "POST", path, 422, {"targetConnectionId": "x", "idempotencyKey": ""}).text


def test_a_device_has_a_key_of_its_own(own_server):
    server = own_server().start()
    http = server.http(2)
    user = http.post("/v1/admin/users", {"name": "u", "organization_id": "org-00000000-0000-4000-8000-000000000000"})["id"]
    key = http.get("/v1/device-storage-key?deviceId=a")["key"]
    assert len(base64.b64decode(key)) == 32
    assert len({key, http.get("/v1/device-storage-key?deviceId=b")["key"], http.get("/v1/device-storage-key?deviceId=a", headers={"user_id": user})["key"]}) == 3
    server.stop()
    assert server.start().http(2).get("/v1/device-storage-key?deviceId=a")["key"] == key
    assert "query.deviceId" in refused(http, "GET", "/v1/device-storage-key", 422).text


def test_a_stopping_server_closes_the_sockets(own_server):
    server = own_server(arguments=["--grace-seconds", "60"]).start()
    one = Device(server.http(2)).connect()
    assert server.stop() == 0 and one.socket.read() is None
    one.http = server.start().http(2)
    assert one.shown()["connectionId"] is None and one.connect().send()["success"] is True
    one.socket.close()
