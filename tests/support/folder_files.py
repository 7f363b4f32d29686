"""Folders and files, over plain HTTP."""

import json
import urllib.parse
import uuid

import stele


def form(name: str, content: bytes | str, kind: str | None = "text/plain", field: str = "file") -> tuple[bytes, str]:
    """A form with one file, and its content type."""
    boundary = f"-----{uuid.uuid4().hex}"
    content = content.encode() if isinstance(content, str) else content
    lines = [f"--{boundary}", f'Content-Disposition: form-data; name="{field}"; filename="{name}"', *([f"Content-Type: {kind}"] if kind else []), "", ""]
    return "\r\n".join(lines).encode() + content + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def send(http, folder: str, sent: str, content: bytes | str, kind: str | None = "text/plain", word: str = "folders", **query):
    """The status, the answer and its headers."""
    body, content_type = form(sent, content, kind)
    path = f"/v1/{word}/{folder}/upload" + ("?" + urllib.parse.urlencode(query) if query else "")
    status, text, headers = http.send("POST", path, raw=body, headers={"Content-Type": content_type})
    return status, json.loads(text), headers


def upload(http, folder: str, sent: str, content: bytes | str, kind: str | None = "text/plain", **query) -> dict:
    """Uploads and waits until the work on the file is done."""
    made = send(http, folder, sent, content, kind, **query)[1]
    return finished(http, made)


def finished(http, file: dict) -> dict:
    path = f"/v1/folders/{file['source_id']}/files/{file['id']}"
    stele.wait_until(lambda: http.get(path)["processing_status"] in ("completed", "error"), 60)
    return http.get(path)


def folder_of(http, **more) -> str:
    return http.post("/v1/folders/", {"name": f"f{uuid.uuid4().hex[:10]}", **more})["id"]


def blocks_of(http, agent: str) -> dict:
    """The agent's file blocks by their labels."""
    found = http.get(f"/v1/agents/{agent}?include=agent.blocks")["memory"]["file_blocks"]
    assert len({each["label"] for each in found}) == len(found)
    return {each["label"]: each for each in found}


def files_of(http, agent: str, query: str = "") -> list:
    return http.get(f"/v1/agents/{agent}/files{query}")["files"]


def prompt_of(http, agent: str) -> str:
    """The stored system message."""
    return http.get(f"/v1/agents/{agent}/messages?order=asc&limit=1")[0]["content"]


def call(http, agent: str, tool: str, arguments: dict) -> dict:
    """What a call of the tool by the model gave back."""
    said = http.post(f"/v1/agents/{agent}/messages", {"input": f"@call {tool} {json.dumps(arguments)}"})
    return next(each for each in said["messages"] if each["message_type"] == "tool_return_message")


def pdf(text: str) -> bytes:
    """A PDF of one page that says `text`, made by hand."""
    stream = "BT /F1 12 Tf 72 720 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in text.split("\n")) + " ET"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
               f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    made, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return made + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n".encode()
