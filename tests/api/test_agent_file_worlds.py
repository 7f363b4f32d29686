"""Random worlds of agents go through a file and come back: nothing is changed but ids."""

import json
import random

import large_agent_file as large
import pytest
from test_agent_files import export, upload

LETTERS = "abc xyz 0123 äßñ 日本 😀 \"\\/\n\t{}[]<>&'"
RULES = [lambda tool: {"type": "run_first"}, lambda tool: {"type": "exit_loop"}, lambda tool: {"type": "continue_loop"}, lambda tool: {"type": "required_before_exit"},
         lambda tool: {"type": "requires_approval"}, lambda tool: {"type": "max_count_per_step", "max_count_limit": 3}, lambda tool: {"type": "constrain_child_tools", "children": [tool]}]


@pytest.fixture
def http(server):
    return server.http(2)


class World:
    """An agent file made from a seed."""

    def __init__(self, seed: int):
        self.dice = random.Random(seed)
        self.seed = seed

    def text(self, most: int = 60) -> str:
        return "".join(self.dice.choice(LETTERS) for _ in range(self.dice.randint(1, most)))

    def json(self, depth: int = 3):
        kinds = [lambda: self.text(), lambda: self.dice.randint(-(2**40), 2**40), lambda: self.dice.choice([True, False, None]), lambda: self.dice.randint(-999, 999) / 8]
        if depth > 0:
            kinds += [lambda: [self.json(depth - 1) for _ in range(self.dice.randint(0, 3))], lambda: {self.text(9): self.json(depth - 1) for _ in range(self.dice.randint(0, 3))}]
        return self.dice.choice(kinds)()

    def some(self, most: int, make) -> list:
        return [make(number) for number in range(self.dice.randint(0, most))]

    def parts(self, role: str) -> list:
        part = lambda: {"type": "text", "text": self.text(), "signature": None}  # noqa: E731
        parts = [part() for _ in range(self.dice.randint(1, 2))]
        if role == "assistant" and self.dice.random() < 0.4:
            parts.insert(0, {"type": "reasoning", "reasoning": self.text(), "is_native": True, "signature": self.text(9)})
        if role == "user" and self.dice.random() < 0.3:
            parts.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}})
        return parts

    def messages(self, tools: list) -> list:
        messages = [{"role": "system", "content": [{"type": "text", "text": self.text(), "signature": None}]}]
        for _ in range(self.dice.randint(0, 8)):
            messages.append({"role": "user", "content": self.parts("user"), "name": self.dice.choice([None, "grace"]), "otid": self.dice.choice([None, f"otid-{self.dice.randint(0, 10**9)}"])})
            if tools and self.dice.random() < 0.6:
                calls = [{"id": f"call-{self.dice.randint(0, 10**12)}", "type": "function", "function": {"name": self.dice.choice(tools), "arguments": json.dumps({"x": self.text()})}}
                         for _ in range(self.dice.randint(1, 2))]
                messages.append({"role": "assistant", "content": self.parts("assistant"), "tool_calls": calls})
                for call in calls:
                    messages.append({"role": "tool", "content": [], "tool_call_id": call["id"],
                                     "tool_returns": [{"tool_call_id": call["id"], "status": self.dice.choice(["success", "error"]), "stdout": self.dice.choice([None, [self.text()]]), "stderr": None,
                                                       "func_response": self.text()}]})
            messages.append({"role": "assistant", "content": self.parts("assistant")})
        for number, message in enumerate(messages):
            message.update(type="message", id=f"message-{number}", created_at=f"2025-03-04T05:{number:02}:06.{self.dice.randint(1, 999_999):06}+00:00")
        return messages

    def file(self) -> dict:
        tools = [{"id": f"tool-{n}", "name": f"world_{self.seed}_{n}", "tool_type": "custom", "source_type": "python", "source_code": f"def world_{self.seed}_{n}(x: str):\n    return x\n", "tags": ["t"],
                  "description": self.text(), "json_schema": {"name": f"world_{self.seed}_{n}", "description": "d", "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}}}
                 for n in range(self.dice.randint(0, 3))]
        blocks = self.some(5, lambda n: {"id": f"block-{n}", "label": f"label_{n}", "value": self.text(200), "limit": self.dice.choice([5, 5_000]), "description": self.dice.choice([None, self.text()]),
                                         "read_only": self.dice.random() < 0.3, "metadata": {"m": self.json(2)}, "tags": self.dice.choice([[], ["a", "b"]])})
        sources = self.some(2, lambda n: {"id": f"source-{n}", "name": f"world {self.seed} {n}", "description": self.text(), "instructions": None, "metadata": {"k": self.text()}})
        files = [{"id": f"file-{n}", "source_id": self.dice.choice(sources)["id"], "file_name": f"{n}.txt", "original_file_name": f"{n}.txt", "file_type": "text/plain", "content": self.text(500)}
                 for n in range(self.dice.randint(0, 4))] if sources else []
        chosen = lambda of: sorted(self.dice.sample([each["id"] for each in of], self.dice.randint(0, len(of))))  # noqa: E731
        agents = []
        for n in range(self.dice.randint(2, 3)):
            names = [tool["name"] for tool in tools]
            messages = self.messages(names)
            window = [0, *sorted(self.dice.sample(range(1, len(messages)), self.dice.randint(0, len(messages) - 1)))]
            agents.append({**large.agent(n), "name": f"world {self.seed}", "description": self.text(), "metadata": {"x": self.json()}, "tags": sorted({self.text(8).strip() or "t" for _ in range(self.dice.randint(0, 3))}),
                           "system": self.text(300), "tool_ids": chosen(tools), "block_ids": chosen(blocks), "source_ids": chosen(sources), "timezone": self.dice.choice(["UTC", "Europe/Berlin"]),
                           "tool_rules": [{"tool_name": name, **self.dice.choice(RULES)(name)} for name in names if self.dice.random() < 0.7],
                           "tool_exec_environment_variables": {f"KEY_{k}": "" for k in range(self.dice.randint(0, 2))}, "message_buffer_autoclear": self.dice.random() < 0.2,
                           "compaction_settings": self.dice.choice([None, {"mode": "all"}]), "embedding_config": None, "messages": messages, "in_context_message_ids": [f"message-{k}" for k in window]})
        ids = [agent["id"] for agent in agents]
        manager = {"manager_type": self.dice.choice(["supervisor", "dynamic"]), "manager_agent_id": ids[0]}  # an export of the first brings all
        group = {"id": "group-0", "agent_ids": ids[1:], "description": self.text(), "manager_config": manager, "shared_block_ids": []}
        return {"agents": agents, "groups": [group], "blocks": blocks, "files": files, "sources": sources, "tools": tools, "mcp_servers": [], "skills": [], "metadata": {}}


def numbered(messages: list, window: list) -> tuple[list, list]:
    """Messages without their ids, and the window by their numbers."""
    number = {message["id"]: n for n, message in enumerate(messages)}
    plain = [{key: value for key, value in message.items() if key != "id"} for message in messages]
    return plain, [number[each] for each in window]


def comparable(file: dict) -> dict:
    """Without what may differ: ids of messages, names that were taken, who made it and when."""
    plain = json.loads(json.dumps(file))
    names = {source["name"]: f"source {n}" for n, source in enumerate(plain["sources"])}
    text = json.dumps(plain)
    for name, short in names.items():
        text = text.replace(json.dumps(name)[1:-1], short)
    plain = json.loads(text)
    plain.pop("created_at")
    for agent in plain["agents"]:
        agent["messages"], agent["in_context_message_ids"] = numbered(agent["messages"], agent["in_context_message_ids"])
        for each in agent["files_agents"]:
            each["id"] = each["last_accessed_at"] = None
        agent["files_agents"].sort(key=lambda each: each["file_id"])
        for message in agent["messages"]:
            if message["role"] == "system":
                message["content"] = None  # it tells of folders by their names, and when it was compiled
    for each in plain["tools"] + plain["files"]:
        for key in ("created_by_id", "last_updated_by_id", "processing_status", "total_chunks", "chunks_embedded", "error_message", "file_creation_date", "file_last_modified_date"):
            each.pop(key, None)
    return plain


@pytest.mark.parametrize("seed", range(12))
def test_a_random_world_comes_back_as_it_was(http, seed):
    given = World(seed).file()
    first = upload(http, json.dumps(given), append_copy_suffix="false")["agent_ids"]
    told = export(http, first[0], "?messages=all")
    # What was given is told,
    assert [agent["name"] for agent in told["agents"]] == [agent["name"] for agent in given["agents"]]
    for one, other in zip(given["agents"], told["agents"]):
        for key in ("description", "metadata", "tags", "system", "timezone", "tool_exec_environment_variables", "message_buffer_autoclear"):
            assert other[key] == one[key], key
        assert [(r["tool_name"], r["type"]) for r in other["tool_rules"]] == [(r["tool_name"], r["type"]) for r in one["tool_rules"]]
        (was, window), (now, window_now) = numbered(one["messages"], one["in_context_message_ids"]), numbered(other["messages"], other["in_context_message_ids"])
        assert window_now == window and len(now) == len(was)
        for a, b in zip(was, now):
            assert (b["role"], b["created_at"][:26], b.get("otid")) == (a["role"], a["created_at"][:26], a.get("otid"))
            assert (b["tool_calls"] or None) == a.get("tool_calls")
            if a["role"] in ("user", "assistant"):
                assert [{k: v for k, v in part.items() if v is not None} for part in b["content"]] == [{k: v for k, v in part.items() if v is not None} for part in a["content"]]
            for x, y in zip(a.get("tool_returns", []), b["tool_returns"], strict=True):
                assert (y["tool_call_id"], y["status"], y["stdout"], json.loads(y["func_response"])["message"]) == (x["tool_call_id"], x["status"], x["stdout"], x["func_response"])
    held = {block for agent in given["agents"] for block in agent["block_ids"]}
    assert sorted((b["label"], b["value"], b["limit"], b["read_only"], b["description"], json.dumps(b["metadata"]), b["tags"]) for b in told["blocks"]) == \
        sorted((b["label"], b["value"], b["limit"], b["read_only"], b["description"], json.dumps(b["metadata"]), b["tags"]) for b in given["blocks"] if b["id"] in held)
    used = {source for agent in given["agents"] for source in agent["source_ids"]}
    assert sorted(f["content"] for f in told["files"]) == sorted(f["content"] for f in given["files"] if f["source_id"] in used)
    (group,) = told["groups"]
    assert (group["description"], len(group["agent_ids"])) == (given["groups"][0]["description"], len(given["agents"]) - 1)
    # and the same once more, whichever form it goes through.
    second = upload(http, json.dumps(told), append_copy_suffix="false")["agent_ids"]
    assert comparable(export(http, second[0], "?messages=all")) == comparable(told)
