"""Every method of an official Python client with plausible arguments: found by looking at the client, filled by the names of its parameters.

As a program (`method_walk.py URL FILE`, with either generation's Python) it writes the arguments as JSON, for the clients that can't be asked what they need."""

import inspect
import itertools
import json
import pathlib
import sys
import threading
import uuid

import stele

SOURCE = 'def probe() -> int:\n    """Counts."""\n    return 1\n'
WORDS = [{"role": "user", "content": "@say hello"}]
# What every client has of its own, for HTTP.
PLUMBING = {"get", "post", "put", "patch", "get_api_list", "request", "copy", "is_closed", "with_options", "make_status_error", "platform_headers", "with_raw_response",
            "with_streaming_response", "add", "create_from_function", "upsert_from_function", "auth_headers"}
OF_THE_ROOT = {"close", "delete"}  # names that are plumbing on the client itself alone


def methods(thing, name: str = "", depth: int = 0):
    """(dotted name, method) of a client and of all its resources."""
    for key in sorted(dir(thing)):
        if key.startswith("_") or key in PLUMBING or (depth == 0 and key in OF_THE_ROOT):
            continue
        try:
            found = getattr(thing, key)
        except Exception:  # properties that want a credential
            continue
        if inspect.ismethod(found):
            yield name + key, found
        elif type(found).__module__.startswith("letta_client") and type(found).__name__.endswith(("Client", "Resource")) and depth < 5:
            yield from methods(found, f"{name}{key}.", depth + 1)


def parameters(method) -> list:
    return [each.name for each in inspect.signature(method).parameters.values() if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL) and each.default is inspect.Parameter.empty]


class Case:
    """What one call is about, made when it is asked for: each call has things of its own, so that a delete harms no other."""

    def __init__(self, http, method: str, needed: list, mcp_url: str):
        self.http, self.method, self.needed, self.mcp_url = http, method, needed, mcp_url
        self.mark = uuid.uuid4().hex[:12]
        self.made = {}

    def __call__(self, name: str):
        if name not in self.made:
            self.made[name] = getattr(self, name)()
        return self.made[name]

    def attaching(self) -> bool:
        return self.method.endswith("attach") or "agent_id" not in self.needed

    def agent(self):
        return self.http.post("/v1/agents", {"name": f"agent-{self.mark}", "memory_blocks": [{"label": "human", "value": "Name: Grace."}], "tools": ["memory_rethink"], "tags": ["walk"]})

    def agent_id(self):
        made = self("agent")["id"]
        if self.method in ("agents.templates.create_version", "agents.templates.migrate"):  # of a template that it was made of, and has left behind
            made = self.http.get(f"/v1/agents?deployment_id={self('deployment_id')}")[0]["id"]
            self.http.patch(f"/v1/agents/{made}", {"system": "You are new."})
        if self.method == "agents.messages.cancel":
            self.http.post(f"/v1/agents/{made}/messages/async", {"messages": [{"role": "user", "content": "@sleep 60000"}]})
        if ".files." in self.method or self.method.endswith(("folders.detach", "sources.detach", "folders.list")):
            self.http.patch(f"/v1/agents/{made}/folders/attach/{self('folder_id')}")
            self("file_id")
        return made

    def block_id(self):
        return self.http.post("/v1/blocks", {"label": f"block-{self.mark}", "value": "v"})["id"] if self.attaching() else self.http.get(f"/v1/agents/{self('agent_id')}/core-memory/blocks")[0]["id"]

    def block_label(self):
        return "human"

    def tool_id(self):
        if self.method.startswith("mcp_servers"):
            return next(tool["id"] for tool in self.http.get(f"/v1/mcp-servers/{self('mcp_server_id')}/tools") if tool["name"].endswith("echo"))
        if not self.attaching():
            return next(tool["id"] for tool in self.http.get(f"/v1/agents/{self('agent_id')}/tools") if tool["name"] == "memory_rethink")
        return self.http.post("/v1/tools", {"source_code": SOURCE.replace("probe", f"probe_{self.mark}")})["id"]

    def tool_name(self):
        return "memory_rethink"

    def answer(self):
        return self.http.post(f"/v1/agents/{self('agent_id')}/messages", {"messages": WORDS})

    def message_id(self):
        if self.method.startswith("groups"):
            self.http.post(f"/v1/groups/{self('group_id')}/messages", {"messages": WORDS})
            return next(each["id"] for each in self.http.get(f"/v1/groups/{self('group_id')}/messages") if each["message_type"] == "assistant_message")
        return self("answer")["messages"][-1]["id"]

    def run_id(self):
        if self.method.endswith("stream"):  # of a run that can be followed again
            self.http.send("POST", f"/v1/agents/{self('agent_id')}/messages/stream", {"messages": WORDS, "background": True})
            return self.http.get(f"/v1/runs?agent_id={self('agent_id')}")[0]["id"]
        return self("answer")["messages"][0]["run_id"]

    path_run_id = job_id = run_id

    def step_id(self):
        return self("answer")["messages"][0]["step_id"]

    def conversation_id(self):
        made = self.http.post(f"/v1/conversations?agent_id={self('agent_id')}")["id"]
        if self.method in ("conversations.cancel", "conversations.messages.stream"):
            said = "@sleep 60000" if self.method.endswith("cancel") else "@long 200"
            threading.Thread(target=self.follow, args=(made, said), daemon=True).start()
            stele.wait_until(lambda: self.http.get(f"/v1/runs?conversation_id={made}"))
            return made
        for _ in range(2):
            self.http.send("POST", f"/v1/conversations/{made}/messages", {"messages": WORDS, "streaming": False})
        return made

    def follow(self, conversation: str, said: str) -> None:
        try:
            self.http.send("POST", f"/v1/conversations/{conversation}/messages", {"messages": [{"role": "user", "content": said}], "background": True, "stream_tokens": True})
        except (OSError, stele.Refused):
            pass  # cancelled, or the server went away at the end of the tests

    def group_id(self):
        return self.http.post("/v1/groups", {"agent_ids": [self("agent_id")], "description": "d"})["id"]

    def batch_id(self):
        return self.http.post("/v1/batches", {"requests": [{"agent_id": self("agent_id"), "messages": WORDS}]})["id"]

    def identity_id(self):
        made = self.http.post("/v1/identities/", {"identifier_key": f"key-{self.mark}", "name": "n", "identity_type": "user"})["id"]
        if self.method.endswith("detach"):
            self.http.patch(f"/v1/agents/{self('agent_id')}/identities/attach/{made}")
        return made

    def provider_id(self):
        return self.http.post("/v1/providers", {"name": f"provider-{self.mark}", "provider_type": "openai", "api_key": "k", "base_url": self.http.url})["id"]

    def archive_id(self):
        made = self.http.post("/v1/archives", {"name": f"archive-{self.mark}"})["id"]
        if self.method.endswith("detach"):
            self.http.patch(f"/v1/agents/{self('agent_id')}/archives/attach/{made}")
        return made

    def passage_id(self):
        return self.http.post(f"/v1/archives/{self('archive_id')}/passages", {"text": "kept"})["id"]

    def memory_id(self):
        return self.http.post(f"/v1/agents/{self('agent_id')}/archival-memory", {"text": "kept"})[0]["id"]

    def folder_id(self):
        return self.http.post("/v1/folders", {"name": f"folder-{self.mark}"})["id"]

    def source_id(self):
        return self("folder_id")

    def folder_name(self):
        self("folder_id")
        return f"folder-{self.mark}"

    source_name = folder_name

    def file_id(self):
        folder = self("folder_id" if "folder_id" in self.needed or "agent_id" in self.needed else "source_id")
        body = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{self.mark}.txt"\r\nContent-Type: text/plain\r\n\r\nwords\r\n--edge--\r\n'
        made = json.loads(self.http.send("POST", f"/v1/folders/{folder}/upload", raw=body.encode(), headers={"Content-Type": "multipart/form-data; boundary=edge"})[1])["id"]
        stele.wait_until(lambda: self.http.get(f"/v1/folders/{folder}/files/{made}")["processing_status"] == "completed")
        return made

    def mcp_server(self):
        return self.http.post("/v1/mcp-servers", {"server_name": f"mcp_{self.mark}", "config": {"mcp_server_type": "streamable_http", "server_url": self.mcp_url}})

    def mcp_server_id(self):
        return self("mcp_server")["id"]

    def mcp_server_name(self):
        return self("mcp_server")["server_name"]

    def scheduled_message_id(self):
        return self.http.post(f"/v1/agents/{self('agent_id')}/schedule", {"messages": WORDS, "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"}})["id"]

    def template_name(self):
        self.http.post("/v1/templates", {"type": "agent", "agent_id": self("agent")["id"], "name": f"template-{self.mark}"})
        if self.method.endswith((".save", "savetemplateversion")):  # there has to be something new
            draft = self.http.get(f"/v1/templates/default-project/template-{self.mark}:current/snapshot")
            draft["agents"][0]["systemPrompt"] = "You are new."
            self.http.send("PUT", f"/v1/templates/default-project/template-{self.mark}:current/snapshot", draft)
        return f"template-{self.mark}"

    def template_version(self):
        return f"{self('template_name')}:{'latest' if 'snapshot' not in self.method else 'current'}"

    def to_template(self):
        return f"{self('template_name')}:latest"

    def deployment_id(self):
        return self.http.post(f"/v1/templates/{self('template_name')}:latest/agents", {})["deployment_id"]

    def device_id(self):
        self.http.post("/v1/environments/register", {"deviceId": f"device-{self.mark}", "connectionName": "walk"})
        return f"device-{self.mark}"

    def connection_id(self):
        """Of a sandbox, which is always there to listen."""
        return self.http.post(f"/v1/agents/{self('agent_id')}/sandboxes")["sandboxId"]

    def token(self):
        return self.http.post("/v1/client-side-access-tokens", {"policy": self.policy(), "hostname": "https://pages.example"})["token"]

    def policy(self):
        return [{"type": "agent", "id": self("agent_id"), "access": ["read_messages"]}]


def fixed(case: Case) -> dict:
    """Values by the names of parameters that make nothing."""
    mcp = {"mcp_server_type": "streamable_http", "server_url": case.mcp_url}
    return {"name": f"name-{case.mark}", "label": "notes", "value": "v", "text": "kept", "query": "hello", "messages": WORDS, "source_code": SOURCE.replace("probe", f"probe_{case.mark}"), "args": {},
            "description": "d", "identifier_key": f"key-{case.mark}", "identity_type": "user", "api_key": "k", "provider_type": "openai", "hostname": "https://pages.example", "requires_approval": True,
            "body_requires_approval": True, "max_message_length": 5, "new_name": f"renamed-{case.mark}", "version": "1", "project_id": "default-project", "project": "default-project", "type": "agent",
            "preserve_core_memories": True, "config": mcp, "server_name": f"mcp_{case.mark}", "passages": [{"text": "a"}, {"text": "b"}], "schedule": {"type": "recurring", "cron_expression": "0 0 29 2 *"},
            "composio_app_name": "github", "composio_action_name": "star", "mcp_tool_name": "echo", "agent_file_json": {"agents": [{"id": "agent-0", "name": "a"}]}}


def special(case: Case) -> dict:
    """What single methods take besides, or instead."""
    words, method = {"role": "user", "content": "changed"}, case.method
    mcp = {"server_name": f"mcp_{case.mark}", "server_url": case.mcp_url, "type": "streamable_http"}
    by_method = {
        "agents.create": {"name": f"name-{case.mark}"}, "agents.modify": {"name": "n"}, "agents.blocks.modify": {"value": "w"}, "blocks.modify": {"value": "w"}, "groups.modify": {"description": "e"},
        "identities.modify": {"name": "m"}, "folders.modify": {"name": f"other-{case.mark}"}, "sources.modify": {"name": f"other-{case.mark}"}, "archives.modify_archive": {"name": "m"},
        "tools.modify": {"description": "e"}, "agents.messages.search": {"query": "hello"},
        "agents.messages.modify": {"request": {"message_type": "user_message", "content": "x"}},
        "groups.messages.modify": {"request": {"message_type": "user_message", "content": "x"}},
        "agents.messages.preview": {"request": {"messages": WORDS}},
        "identities.properties.upsert": {"request": [{"key": "k", "value": "v", "type": "string"}]},
        "templates.createtemplate": {"request": {"type": "agent", "agent_id": "", "name": f"template-{case.mark}"}},
        "tools.add_mcp_server": {"request": mcp}, "tools.connect_mcp_server": {"request": mcp}, "tools.test_mcp_server": {"request": mcp},
        "tools.update_mcp_server": {"request": {"server_url": case.mcp_url}},
        "voice.create_voice_chat_completions": {"request": {"messages": WORDS, "stream": False}},
        "agents.messages.create": {"messages": WORDS}, "agents.messages.create_async": {"messages": WORDS}, "agents.messages.stream": {"messages": WORDS},
        "conversations.messages.create": {"messages": WORDS}, "agents.generate": {"prompt": "hello"},
        "mcp_servers.tools.run": {"args": {"message": "x"}}, "agents.tools.run": {"args": {"label": "human", "new_memory": "x"}},
        "environments.send_message": {"messages": [{"role": "user", "content": "@say hello", "client_message_id": f"message-{case.mark}"}]},
        "steps.feedback.create": {"feedback": "positive"},
    }
    made = dict(by_method.get(method, {}))
    if method == "templates.setcurrenttemplatefromsnapshot":
        made["request"] = case.http.get(f"/v1/templates/default-project/{case('template_name')}:current/snapshot")
    if method == "templates.listtemplateversions":
        made["name"] = case("template_name")
    if method == "templates.createtemplate":
        made["request"]["agent_id"] = case("agent_id")
    if method == "templates.create":
        made.update(agent_id=case("agent_id"), name=f"template-{case.mark}")
    if method.endswith(("messages.compact", "messages.summarize")):
        for _ in range(4):
            case.http.post(f"/v1/agents/{case('agent_id')}/messages", {"messages": WORDS})
    if method in ("agents.messages.modify", "groups.messages.modify"):
        made["request"] = {"message_type": "assistant_message", "content": words["content"]}
    return made


def arguments(http, name: str, method, mcp_url: str) -> dict:
    """What `method` is called with: all that it needs, by name."""
    case = Case(http, name, parameters(method), mcp_url)
    simple, made = fixed(case), special(case)
    for needed in case.needed:
        if needed in made:
            continue
        if needed == "agent_ids":
            made[needed] = [case("agent_id")]
        elif needed == "requests":
            made[needed] = [{"agent_id": case("agent_id"), "messages": WORDS}]
        elif needed == "file":
            made[needed] = upload(case)
        else:
            made[needed] = simple[needed] if needed in simple else case(needed)
    return made


def upload(case: Case):
    if case.method == "agents.import_file":
        return ("agent.af", case.http.send("GET", f"/v1/agents/{case('agent_id')}/export")[1].encode(), "application/json")
    return (f"{case.mark}.txt", b"some words", "text/plain")


# What a plausible call may be refused for, and how: the method is there.
REFUSED = {
    "tools.add_composio_tool": {410}, "tools.list_composio_actions_by_app": {410}, "tools.list_composio_apps": {410},
    "providers.check": {401, 503},  # a key that is none, or no way to the provider from here
    "batches.cancel": {409}, "conversations.messages.stream": {400}, "agents.messages.cancel": {409}, "conversations.cancel": {409},  # it may have ended meanwhile
}


def call(method, values: dict):
    """Calls, and reads what comes: pages and streams too."""
    answer = method(**values)
    if not isinstance(answer, (list, dict, str, bytes)) and (hasattr(answer, "__next__") or hasattr(answer, "items") or type(answer).__name__ == "Stream"):
        return list(itertools.islice(iter(answer), 200))
    return answer


def check(server, generation: int, name: str, mcp_url: str) -> None:
    """Calls one method of the client that runs this; it answers, or refuses as it may."""
    method = dict(methods(client_of(server.url)))[name]
    values = arguments(server.http(generation), name, method, mcp_url)
    try:
        call(method, values)
    except Exception as failed:
        assert getattr(failed, "status_code", None) in REFUSED.get(name, set()), f"{name}({values}): {type(failed).__name__}: {failed}"


def client_of(url: str):
    import letta_client  # of whichever generation runs this
    newer = "api_key" in inspect.signature(letta_client.Letta.__init__).parameters
    return letta_client.Letta(base_url=url, **({"api_key": "any", "max_retries": 0} if newer else {}))


def main() -> None:
    url, mcp_url, target = sys.argv[1:]
    http = stele.Http(url)
    made = {}
    for name, method in methods(client_of(url)):
        values = arguments(http, name, method, mcp_url)
        plain = {key: {"file": value[0], "text": value[1].decode()} if isinstance(value, tuple) else value for key, value in values.items()}
        made[name] = {"values": plain, "refused": sorted(REFUSED.get(name, []))}
    pathlib.Path(target).write_text(json.dumps(made))


if __name__ == "__main__":
    main()
