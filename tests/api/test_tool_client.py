"""`client` inside tools: it speaks to the server that calls them, as whom they are called for, as long as the call lasts. The
package comes from the environment that these tests run in, so nothing is fetched."""

import http.client
import json
import os
import pathlib
import socket
import stat
import sys
import threading

import pytest
import stele

PYTHONS = {"generation2": pathlib.Path(sys.executable), "generation1": stele.ROOT / "build/python/sdk0/bin/python3"}
NAMES = '''def names() -> list:
    """Names the tools."""
    return sorted(tool.name for tool in client.tools.list(name="names"))
'''
WHO = '''def who() -> str:
    """Asks who it is."""
    import os
    return client.agents.retrieve(os.environ["LETTA_AGENT_ID"]).name
'''
ASK = '''def ask(agent: str, text: str) -> str:
    """Asks an agent.

    Args:
        agent: whom
        text: what
    """
    answer = client.agents.messages.create(agent_id=agent, messages=[{"role": "user", "content": text}])
    return " ".join(m.content if m.message_type == "assistant_message" else m.tool_return
                    for m in answer.messages if m.message_type in ("assistant_message", "tool_return_message"))
'''
LISTEN = '''def listen(agent: str, text: str) -> str:
    """Follows an agent.

    Args:
        agent: whom
        text: what
    """
    said = client.agents.messages.stream(agent_id=agent, messages=[{"role": "user", "content": text}])
    return " ".join(m.content for m in said if m.message_type == "assistant_message")
'''
FOLLOW = LISTEN.replace("listen", "follow").replace("m.content", "m.tool_return").replace("assistant_message", "tool_return_message")
LATER = '''def later(agent: str, text: str) -> str:
    """Tells an agent.

    Args:
        agent: whom
        text: what
    """
    return client.agents.messages.create_async(agent_id=agent, messages=[{"role": "user", "content": text}]).id
'''
TOKEN = '''def token() -> list:
    """Tells its token, backwards."""
    print(client.api_key)
    import os
    return [client.api_key[::-1], client.api_key, str(dict(os.environ))]
'''


@pytest.fixture(scope="module", params=["none", "public"])
def network(request):
    return request.param


@pytest.fixture(scope="module")
def own(walled, model, tmp_path_factory):
    """A server whose tools find the package, and which asks everybody else for a password."""
    arguments = ["--tools-python", sys.executable, "--tools-network", "none"]
    running = stele.Server(tmp_path_factory.mktemp("clients"), {**model.environment(), "STELE_PASSWORD": "swordfish"}, arguments).start()
    yield running
    assert running.stop() == 0
    assert not socket_of(running).exists()
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def api(own):
    return own.http(2, headers={"Authorization": "Bearer swordfish"})


def socket_of(server):
    return server.folder / "data/run/api.sock"


def agent_with(api, *sources, **more):
    ids = [api.post("/v1/tools", {"source_code": source})["id"] for source in sources]
    return api.post("/v1/agents", {"tool_ids": ids, "include_base_tools": False, "include_base_tool_rules": False, **more})["id"]


def call(api, caller, tool, **arguments):
    """What the tool gave back when the model had called it."""
    answer = api.post(f"/v1/agents/{caller}/messages", {"input": f"@call {tool} {json.dumps(arguments)}"})
    [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    assert answer["stop_reason"]["stop_reason"] == "end_turn"
    return told["status"], told["tool_return"]


def asked(server, token, path="/v1/tools/", method="GET"):
    """Status and body of a request at the tools' socket."""
    connection = http.client.HTTPConnection("stele")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    folder = os.open(socket_of(server).parent, os.O_RDONLY)
    try:
        connection.sock.connect(f"/proc/self/fd/{folder}/api.sock")
    finally:
        os.close(folder)
    connection.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.mark.parametrize("generation", PYTHONS)
def test_the_client_of_either_generation_speaks_to_this_server(walled, own_server, generation):
    if not PYTHONS[generation].exists():
        pytest.skip("this generation's package is not installed")
    own = own_server(arguments=["--tools-python", str(PYTHONS[generation]), "--tools-network", "none"]).start()
    agent = agent_with(own.http(2), NAMES, WHO, name="Ada")

    assert call(own.http(2), agent, "names") == ("success", '["names"]')
    assert call(own.http(2), agent, "who") == ("success", "Ada")
    made = own.http(2).post(f"/v1/agents/{agent}/tools/who/run")
    assert made["func_return"] == "Ada", made
    made = own.http(2).post("/v1/tools/run", {"source_code": NAMES, "args": {}})
    assert made["tool_return"] == '["names"]', made
    assert own.stop() == 0


def test_it_reaches_the_server_whatever_its_network_is(walled, own_server, network):
    own = own_server(arguments=["--tools-python", sys.executable, "--tools-network", network]).start()
    agent = agent_with(own.http(2), NAMES)

    assert call(own.http(2), agent, "names") == ("success", '["names"]')
    assert own.stop() == 0


def test_it_works_without_walls(walled, own_server):
    own = own_server(arguments=["--tools-python", sys.executable, "--tools-sandbox", "unsafe-none"]).start()
    agent = agent_with(own.http(2), NAMES)

    assert call(own.http(2), agent, "names") == ("success", '["names"]')
    assert own.stop() == 0


def test_other_agents_can_be_asked_and_followed(api):
    other = agent_with(api)
    agent = agent_with(api, ASK, LISTEN)

    assert call(api, agent, "ask", agent=other, text="hello") == ("success", "You said: hello")
    assert call(api, agent, "listen", agent=other, text="again") == ("success", "You said: again")


@pytest.mark.parametrize("tool", ["ask", "listen"])
def test_a_tool_that_waits_for_its_own_agent_hears_why_that_would_never_end(api, tool):
    agent = agent_with(api, ASK, LISTEN)

    status, text = call(api, agent, tool, agent=agent, text="hello")

    assert status == "error" and "can't answer" in text and "messages/async" in text
    assert call(api, agent, tool, agent=agent_with(api), text="hello") == ("success", "You said: hello")


@pytest.mark.parametrize("tool", ["ask", "follow"])
def test_a_circle_over_another_agent_is_refused_too(api, tool):
    agent, other = agent_with(api, ASK, FOLLOW), agent_with(api, ASK)
    back = f"@call ask {json.dumps({'agent': agent, 'text': 'hello'})}"

    status, text = call(api, agent, tool, agent=other, text=back)

    assert status == "success" and "can't answer" in text
    assert call(api, other, "ask", agent=agent, text="hello") == ("success", "You said: hello")


WAITS = ["client.agents.messages.reset(agent_id=own)", "client.agents.delete(agent_id=own)", "client.agents.messages.compact(agent_id=own)",
         "client.post(f'/v1/agents/{own}/compact/undo', cast_to=object)",
         "client.post('/v1/groups/' + client.post('/v1/groups/', cast_to=object, body={'agent_ids': [own], 'description': 'x'})['id'] + '/messages',"
         " cast_to=object, body={'messages': [{'role': 'user', 'content': 'hi'}]})"]


@pytest.mark.parametrize("what", WAITS, ids=["reset", "delete", "compact", "undo", "group"])
def test_whatever_needs_its_own_turn_to_end_is_refused(api, what):
    source = f'def wait() -> str:\n    """Waits."""\n    import os\n    own = os.environ["LETTA_AGENT_ID"]\n    return str({what})\n'
    agent = agent_with(api, source)

    status, text = call(api, agent, "wait")

    assert status == "error" and ("can't answer" in text or "can't speak" in text), text
    assert api.get(f"/v1/agents/{agent}")["id"] == agent


def test_its_own_agent_can_be_told_something_for_later(api):
    agent = agent_with(api, LATER)

    status, run = call(api, agent, "later", agent=agent, text="hello")

    assert status == "success"
    stele.wait_until(lambda: api.get(f"/v1/runs/{run}")["status"] == "completed")
    assert "You said: hello" in [m.get("content") for m in api.get(f"/v1/agents/{agent}/messages")]


def test_a_token_ends_with_its_call_and_shows_nowhere(own, api):
    agent = agent_with(api, TOKEN)
    answer = api.post(f"/v1/agents/{agent}/messages", {"input": "@call token {}"}, headers={"Idempotency-Key": "once"})
    [told] = [m for m in answer["messages"] if m["message_type"] == "tool_return_message"]
    backwards, shown, environment = json.loads(told["tool_return"])
    token = backwards[::-1]

    assert len(token) == 64 and shown == "[run token]" and told["stdout"] == ["[run token]\n"] and token not in environment
    assert asked(own, token)[0] == 401
    stele.refused(own.http(2, headers={"Authorization": f"Bearer {token}"}), "GET", "/v1/agents", 401)
    assert token not in own.log.read_text()
    for file in (own.folder / "data").glob("stele.db*"):
        assert token.encode() not in file.read_bytes()


def test_a_token_is_good_at_the_tools_socket_alone(own, api):
    """While its call is at work: the tool itself tries the other door with it."""
    source = '''def knock(port: int) -> list:
    """Knocks.

    Args:
        port: where
    """
    import http.client
    told = [len(client.tools.list(name="knock").items)]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/v1/agents", headers={"Authorization": "Bearer " + client.api_key})
    return told + [connection.getresponse().status]
'''
    folder = own.folder / "knocking"
    folder.mkdir()
    model = {name: value for name, value in own.environment.items() if value}
    host = stele.Server(folder, model, ["--tools-python", sys.executable, "--tools-network", "host"]).start()
    try:
        http = host.http(2, headers={"Authorization": "Bearer swordfish"})
        assert call(http, agent_with(http, source), "knock", port=host.port) == ("success", "[1, 401]")
    finally:
        assert host.stop() == 0


def test_calls_at_once_have_a_token_each(own, api):
    agent = agent_with(api, TOKEN)
    found = []
    threads = [threading.Thread(target=lambda: found.append(api.post(f"/v1/agents/{agent}/tools/token/run")["func_return"][0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 6
    assert {asked(own, token[::-1])[0] for token in found} == {401}


def test_nobody_else_gets_in_at_the_tools_socket(own, api):
    for token in (None, "", "swordfish", "0" * 64):
        for path in ("/v1/tools/", "/v1/health", "/", "/nowhere"):
            assert asked(own, token, path)[0] == 401, (token, path)
    folder = os.open(socket_of(own).parent, os.O_RDONLY)
    held = []
    for _ in range(50):
        held.append(socket.socket(socket.AF_UNIX))
        held[-1].connect(f"/proc/self/fd/{folder}/api.sock")
        held[-1].sendall(b"\x00\xffGET garbage" * 10)
    for each in held:
        each.close()
    os.close(folder)

    assert api.get("/v1/health")["status"]
    assert call(api, agent_with(api, NAMES), "names") == ("success", '["names"]')


def test_the_socket_is_private_and_one_that_a_crash_left_is_replaced(walled, own_server):
    own = own_server(arguments=["--tools-python", sys.executable]).start()
    path = socket_of(own)
    mode = stat.S_IMODE(path.stat().st_mode)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700 and mode == (0o666 if os.getuid() == 0 else 0o600)
    own.kill()
    assert path.exists()

    own.start()
    assert call(own.http(2), agent_with(own.http(2), NAMES), "names") == ("success", '["names"]')
    assert own.stop() == 0 and not path.exists()


def test_without_the_package_there_is_no_client_and_whoever_uses_it_hears_why(walled):
    api = walled.http(2)
    test = 'def test() -> bool:\n    """Tests."""\n    return client is None\n'
    use = 'def use() -> str:\n    """Uses."""\n    return client.agents.list()\n'
    agent = agent_with(api, test, use)

    assert call(api, agent, "test") == ("success", "True")
    status, text = call(api, agent, "use")
    assert status == "error" and "AttributeError" in text and "pip_requirements" in text


def test_with_a_key_of_its_own_a_tool_speaks_to_wherever_it_wants(api):
    source = 'def where() -> list:\n    """Tells."""\n    return [str(client.base_url), client.api_key]\n'
    agent = agent_with(api, source, secrets={"LETTA_API_KEY": "own-key", "LETTA_BASE_URL": "http://elsewhere.example"})

    assert json.loads(call(api, agent, "where")[1]) == ["http://elsewhere.example", "own-key"]


def test_runs_that_a_stop_lets_end_may_use_it_to_the_last(walled, own_server):
    source = '''def slow() -> str:
    """Takes its time."""
    import time
    client.blocks.create(label="begun", value="x")
    time.sleep(1)
    client.blocks.create(label="ended", value="x")
    return "done"
'''
    own = own_server(arguments=["--tools-python", sys.executable]).start()
    api = own.http(2)
    agent = agent_with(api, source)
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": "@call slow {}"})
    stele.wait_until(lambda: api.get("/v1/blocks?label=begun"))

    assert own.stop() == 0

    api = own.start().http(2)
    assert len(api.get("/v1/blocks?label=ended")) == 1 and api.get(f"/v1/runs/{run['id']}")["status"] == "completed"
    assert own.stop() == 0


def test_what_a_turn_waits_for_by_a_stream_ends_with_the_stream(api):
    """The wait is not left behind: later the other agent may ask back."""
    agent, other = agent_with(api, LISTEN), agent_with(api, ASK)

    assert call(api, agent, "listen", agent=other, text="hello") == ("success", "You said: hello")
    assert call(api, other, "ask", agent=agent, text="hello") == ("success", "You said: hello")


def test_a_call_that_is_cancelled_ends_its_token_and_its_requests(own, api):
    source = '''def hold(name: str) -> str:
    """Holds on.

    Args:
        name: of the block that it makes
    """
    import time
    client.blocks.create(label=name, value=client.api_key[::-1])
    time.sleep(120)
'''
    agent = agent_with(api, source)
    run = api.post(f"/v1/agents/{agent}/messages/async", {"input": '@call hold {"name": "held"}'})
    stele.wait_until(lambda: api.get("/v1/blocks?label=held"))
    token = api.get("/v1/blocks?label=held")[0]["value"][::-1]
    assert asked(own, token)[0] == 200

    api.post(f"/v1/agents/{agent}/messages/cancel", {"run_ids": [run["id"]]})

    stele.wait_until(lambda: api.get(f"/v1/runs/{run['id']}")["status"] == "cancelled")
    assert asked(own, token)[0] == 401


def test_a_folder_that_cannot_hold_a_socket_costs_tools_their_client_alone(walled, own_server):
    own = own_server(arguments=["--tools-python", sys.executable])
    (own.folder / "data").mkdir()
    (own.folder / "data/run").write_text("no folder")

    own.start()

    test = 'def test() -> bool:\n    """Tests."""\n    return client is None\n'
    agent = agent_with(own.http(2), test, NAMES)
    assert call(own.http(2), agent, "test") == ("success", "True")
    status, text = call(own.http(2), agent, "names")
    assert status == "error" and "no access to its API" in text
    assert own.stop() == 0 and "no_api_socket" in own.log.read_text()


def test_an_agent_that_is_asked_may_be_used_by_who_asks(api):
    """A tool of another agent is no answer of it: it can be run while that agent waits."""
    use = '''def use(agent: str) -> str:
    """Uses another's tool.

    Args:
        agent: whose
    """
    return client.post(f"/v1/agents/{agent}/tools/names/run", cast_to=object, body={"args": {}})["func_return"][0]
'''
    agent, other = agent_with(api, ASK, NAMES), agent_with(api, use)

    status, text = call(api, agent, "ask", agent=other, text=f"@call use {json.dumps({'agent': agent})}")

    assert status == "success" and text.startswith("names"), text


def test_a_tool_that_has_itself_run_without_end_comes_to_one(api):
    source = '''def again(depth: int) -> list:
    """Again.

    Args:
        depth: how deep it is
    """
    import os
    path = "/v1/agents/" + os.environ["LETTA_AGENT_ID"] + "/tools/again/run"
    try:
        return client.post(path, cast_to=object, body={"args": {"depth": depth + 1}})["func_return"]
    except Exception as failure:
        return [depth, str(failure)]
'''
    agent = agent_with(api, source, NAMES)

    depth, why = api.post(f"/v1/agents/{agent}/tools/again/run", {"args": {"depth": 0}})["func_return"]

    assert depth == 8 and "no chain may be longer" in why
    assert call(api, agent, "names") == ("success", '["names"]')
