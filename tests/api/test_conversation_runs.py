"""The runs of one conversation: cancelled and followed by the conversation's own paths."""

import letta_client
import pytest
import stele
from runs import frames, in_background, open_stream


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def talk(api):
    agent = api.post("/v1/agents", {})
    yield api.post(f"/v1/conversations?agent_id={agent['id']}")
    api.delete(f"/v1/agents/{agent['id']}")


def at_work(api, conversation, count=1):
    def runs():
        return [run for run in api.get(f"/v1/runs?agent_id={conversation['agent_id']}&active=true") if run["conversation_id"] == conversation["id"]]
    stele.wait_until(lambda: len(runs()) == count)
    return runs()


def say(api, conversation, text, **more):
    return api.post(f"/v1/conversations/{conversation['id']}/messages", {"input": text, "streaming": False, **more})


def begin(server, conversation, body):
    """Begins a background stream and leaves it after its first frame."""
    connection, answer = open_stream(server, f"/v1/conversations/{conversation['id']}/messages", {"background": True, **body})
    frames(answer, 1)
    run_id = answer.getheader("X-Stele-Run-Id")
    connection.close()
    return run_id


def follow(server, conversation, body=None):
    connection, answer = open_stream(server, f"/v1/conversations/{conversation['id']}/stream", body or {})
    told = [data for _, data in frames(answer)]
    connection.close()
    return told


def content(told):
    return "".join(m["content"] for m in told if isinstance(m, dict) and m["message_type"] == "assistant_message")


def test_a_run_of_the_conversation_is_cancelled_and_no_other(server, api, talk):
    sdk = letta_client.Letta(base_url=server.url, api_key="none")
    other = in_background(lambda: api.post(f"/v1/agents/{talk['agent_id']}/messages", {"input": "@sleep 700\n@say spared"}))
    asked = in_background(lambda: say(api, talk, "@sleep 60000"))
    run, = at_work(api, talk)
    assert dict(sdk.conversations.cancel(talk["id"])) == {run["id"]: "cancelled"}
    assert asked.done()["stop_reason"]["stop_reason"] == "cancelled"
    assert other.done()["messages"][-1]["content"] == "spared"
    with pytest.raises(letta_client.ConflictError) as refused:
        sdk.conversations.cancel(talk["id"])
    assert "No active runs" in str(refused.value)
    assert say(api, talk, "@say well")["messages"][-1]["content"] == "well"


def test_the_stream_at_work_is_followed_by_its_conversation(server, api, talk):
    run_id = begin(server, talk, {"input": "@slow 5\n@long 300", "stream_tokens": True})
    told = follow(server, talk)
    assert told[-1] == "[DONE]" and {m["run_id"] for m in told if isinstance(m, dict) and "run_id" in m} == {run_id}
    again = follow(server, talk, {"run_id": run_id})
    assert content(again) == content(told) != ""
    half = follow(server, talk, {"run_id": run_id, "starting_after": 20})
    assert content(told).endswith(content(half)) and len(content(half)) < len(content(told))


def test_a_stream_is_found_by_the_clients_id_of_its_message(server, api, talk):
    message = {"role": "user", "content": "@slow 5\n@long 100", "otid": "my-own-id"}
    run_id = begin(server, talk, {"messages": [message]})
    for _ in range(2):  # at work, and after it has ended
        told = follow(server, talk, {"otid": "my-own-id"})
        assert told[0]["run_id"] == run_id and told[-1] == "[DONE]"
    assert begin(server, talk, {"messages": [message]}) == run_id, "the same message again is the same run"


def test_what_cannot_be_followed_is_refused(server, api, talk):
    path = f"/v1/conversations/{talk['id']}/stream"
    with pytest.raises(stele.Refused) as refused:
        api.post(path)
    assert refused.value.status == 400 and "No active runs found" in refused.value.text
    with pytest.raises(stele.Refused) as refused:
        api.post(path, {"otid": "nobody's"})
    assert refused.value.status == 404
    mine = begin(server, talk, {"input": "@say x"})
    other = api.post(f"/v1/conversations?agent_id={talk['agent_id']}")
    with pytest.raises(stele.Refused) as refused:
        api.post(f"/v1/conversations/{other['id']}/stream", {"run_id": mine})
    assert refused.value.status == 404
    stele.wait_until(lambda: api.get(f"/v1/runs/{mine}")["status"] == "completed")
    foreground = say(api, talk, "@say x")["messages"][0]["run_id"]
    with pytest.raises(stele.Refused) as refused:
        api.post(path, {"run_id": foreground})
    assert refused.value.status == 400 and "not created in background mode" in refused.value.text
