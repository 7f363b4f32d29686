"""The samples of the API reference through letta-client 1.12.1: with its methods where it has them, what they don't take in `extra_body`,
and all else through the client's own verbs (`client.post(path, ...)`). What they are: reference_samples.json."""

import asyncio

import httpx
import pytest
import reference_walk
from letta_client import AsyncLetta, Letta

# What the reference calls otherwise than the client does.
NAMES = {"health.check": "health", "agents.modify": "agents.update", "agents.messages.create_stream": "agents.messages.stream", "blocks.modify": "blocks.update", "tools.modify": "tools.update"}


def plain(answer):
    return answer.model_dump(mode="json") if hasattr(answer, "model_dump") else answer


def with_verbs(client: Letta, step: dict, values: dict):
    """Through what the client has for routes that it has no method for."""
    method, path, left = reference_walk.request(step, values)
    given = {"cast_to": httpx.Response if step.get("stream") else object}
    if "file_path" in left:
        given |= {"files": {"file": (left["file_path"], reference_walk.FILE_TEXT, "text/plain")}, "options": {"headers": {"Content-Type": "multipart/form-data"}}}
    elif method != "GET":
        given["body"] = left
    return getattr(client, method.lower())(path, **given)


def through(url: str, set_up: dict):
    """The client's door."""
    given = {"base_url": url, "api_key": set_up.get("token", "any"), "project": set_up.get("project"), "max_retries": 0}
    client, awaited = Letta(**given), AsyncLetta(**given)

    def door(step, values):
        method = awaited if step.get("awaited") else client
        for name in NAMES.get(step.get("call"), step.get("call", "no.such")).split("."):
            method = getattr(method, name, None)
        taken = method and reference_walk.takes(method, values)
        if not taken:
            return with_verbs(client, step, values)
        answer = method(**taken[0], extra_body=taken[1] or None) if taken[0] or taken[1] else method()
        if step.get("awaited"):
            answer = asyncio.run(answer)
        if step.get("walk") or step.get("stream") or hasattr(answer, "items"):  # pages and streams
            return [plain(each) for each in answer]
        return plain(answer)

    return door


def test_no_sample_is_missing():
    assert reference_walk.missing() == {}


@pytest.mark.parametrize("sample", [pytest.param(each, id=name) for name, each in reference_walk.samples()])
def test_section(walked, model, sample):
    reference_walk.walk(sample, through(walked.url, sample["client"]), model.url + "/v1")
