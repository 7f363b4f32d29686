"""The samples of the API reference as its readers type them: with letta-client 0.1.324 where it takes their arguments, else the
same JSON through the client's own escape, `request_options`, or where that does not reach either, over HTTP. Then all over HTTP."""

import asyncio

import pytest
import reference_walk
from letta_client import AsyncLetta, Letta, MessageCreate

# What the reference calls otherwise than the client does.
NAMES = {"sources.upload_file": "sources.files.upload", "sources.list_files": "sources.files.list", "sources.delete_file": "sources.files.delete"}


def plain(answer):
    if isinstance(answer, list):
        return [plain(each) for each in answer]
    return answer.dict() if hasattr(answer, "dict") else answer


def typed(values: dict) -> dict:
    """The arguments as the samples write them."""
    if "messages" in values:
        values["messages"] = [MessageCreate(**each) for each in values["messages"]]
    if "file_path" in values:
        values["file"] = (values.pop("file_path"), reference_walk.FILE_TEXT, "text/plain")
    if "message_type" in values:  # this client wants the change of a message as one argument
        values["request"] = {key: values.pop(key) for key in ("message_type", "content")}
    return values


def through(url: str, set_up: dict):
    """The client's door."""
    client, awaited = (kind(base_url=url, **set_up) for kind in (Letta, AsyncLetta))
    http = reference_walk.over_http(reference_walk.stele.Http(url, 1, {"Authorization": f"Bearer {set_up.get('token', '')}"}))

    def door(step, values):
        method = awaited if step.get("awaited") else client
        for name in NAMES.get(step.get("call"), step.get("call", "no.such")).split("."):
            method = getattr(method, name, None)
        taken = method and reference_walk.takes(method, typed(dict(values)))
        if not taken:
            return http(step, values)
        given, left = taken
        given["request_options"] = {"additional_body_parameters": left, "max_retries": 0}
        if step.get("walk"):
            found = []
            while page := method(after=found[-1]["id"] if found else None, limit=50):
                found += plain(page)
            return found
        answer = method(**given)
        if step.get("awaited"):
            answer = asyncio.run(answer)
        return plain(list(answer) if step.get("stream") else answer)

    return door


def test_no_sample_is_missing():
    assert reference_walk.missing() == {}


@pytest.mark.parametrize("sample", [pytest.param(each, id=name) for name, each in reference_walk.samples()])
@pytest.mark.parametrize("door", ["client", "http"])
def test_section(walked, model, sample, door):
    bearer = {"Authorization": f"Bearer {sample['client'].get('token', '')}", "X-Project": sample["client"].get("project", "")}
    opened = through(walked.url, sample["client"]) if door == "client" else reference_walk.over_http(walked.http(1, headers=bearer))
    reference_walk.walk(sample, opened, model.url + "/v1")
