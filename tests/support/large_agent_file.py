"""Agent files of any size, written as they are sent: to a socket, with nothing held."""

import http.client
import itertools
import json

BOUNDARY = "largeagentfileboundary"


def agent(number: int = 0, **more) -> dict:
    return {"name": f"large {number}", "id": f"agent-{number}", "agent_type": "letta_v1_agent", "system": "You remember.", "tool_ids": [], "block_ids": [],
            "llm_config": {"model": "offline", "model_endpoint_type": "stele", "context_window": 32000, "handle": "stele/offline"}, **more}


def message(number: int, text: str = "") -> dict:
    """A round of four: the system message or a call, what came back, and what was said."""
    created_at = f"2025-01-01T00:{number // 60 % 60:02}:{number % 60:02}+00:00"
    common = {"type": "message", "id": f"message-{number}", "created_at": created_at}
    if number == 0:
        return {**common, "role": "system", "content": [{"type": "text", "text": "You remember."}]}
    if number % 4 == 2:
        return {**common, "role": "assistant", "content": [], "tool_calls": [{"id": f"call-{number}", "type": "function", "function": {"name": "roll", "arguments": '{"sides": 6}'}}]}
    if number % 4 == 3:
        return {**common, "role": "tool", "content": [], "tool_call_id": f"call-{number - 1}", "tool_returns": [{"tool_call_id": f"call-{number - 1}", "status": "success", "func_response": f"{text}{number}"}]}
    return {**common, "role": "user" if number % 4 == 1 else "assistant", "content": [{"type": "text", "text": f"{text}{number}"}]}


def pieces(messages: int, text: str = "", window: int = 3, texts: list[str] = (), **more):
    """The text of a file with one agent. In its window: the first message and the last ones."""
    ids = [f"message-{n}" for n in {0, *range(max(0, messages - window), messages)}] if messages else []
    links = {"in_context_message_ids": sorted(ids, key=lambda each: int(each[8:])), "source_ids": ["source-0"] if texts else []}
    yield json.dumps({"agents": [agent(**links, **more)]})[:-3] + ', "messages": ['
    for first in range(0, messages, 500):
        yield ", ".join(json.dumps(message(n, text)) for n in range(first, min(first + 500, messages))) + (", " if first + 500 < messages else "")
    yield ']}], "files": ['
    for number, each in enumerate(texts):
        yield (", " if number else "") + json.dumps({"id": f"file-{number}", "source_id": "source-0", "file_name": f"{number}.txt", "file_type": "text/plain", "content": each})
    yield '], "sources": [' + (json.dumps({"id": "source-0", "name": "papers"}) if texts else "") + "]}"


def upload(server, file, chunked: bool = True, headers: dict | None = None, **fields) -> tuple[int, dict]:
    """POST /v1/agents/import with what `file` yields."""
    head = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="large.af"\r\n\r\n'
    parts = (each if isinstance(each, bytes) else each.encode() for each in itertools.chain([head], file, [f"\r\n--{BOUNDARY}--\r\n"]))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    body = parts if chunked else b"".join(parts)
    try:
        connection.request("POST", "/v1/agents/import", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **(headers or {})}, encode_chunked=chunked)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was refused before it was whole
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
