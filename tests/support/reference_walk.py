"""The samples of the API reference (conformance/reference_samples.json), walked through whatever door a client has.

A sample is a list of steps that know what went before. A step: `call`, the method as the reference spells it; `http`, the request
it stands for; `give`, its arguments in the API's spelling, `{block.id}` for what an earlier answer said; `keep`, the name of its
answer, `keep_one` of the item that `one` found. What must come back: `has` (members, of lists these items among others) and
`lacks`, `one`, `some` and `none` of a list's items, or `refused` with this status. `walk`: over all pages; `stream`: its events;
`awaited`: the sample awaits it.

A door is a function (step, values) -> the answer as JSON; what it raises has a `status_code` or `status`."""

import collections
import contextlib
import inspect
import json
import pathlib
import re
import urllib.parse

import stele

DATA = json.loads((pathlib.Path(__file__).parents[1] / "conformance/reference_samples.json").read_text())
FILE_TEXT = b"What the file says"


def samples() -> list[tuple[str, dict]]:
    """(a name, the sample)."""
    seen = collections.Counter()
    named = []
    for sample in DATA["samples"]:
        seen[sample["section"]] += 1
        named.append((f"{sample['section']} {seen[sample['section']]}", sample))
    return named


def missing() -> dict:
    """Calls that a section of the reference shows and that no sample here makes, by section; and sections that it does not have."""
    made = collections.defaultdict(set)
    for sample in DATA["samples"]:
        made[sample["section"]] |= {sample.get("stands_for")} | {step.get("call", step["http"]) for step in sample["steps"]}
    known = DATA["sections"]
    return {name: calls for name in known | made if (calls := set(known.get(name, ["no such section"])) - made[name])}


def filled(value, known: dict):
    """`value` with what earlier answers said; an identifier in braces that none did stays as it stands."""
    def said(match):
        found = known.get(match[1])
        for key in filter(None, match[2].split(".")):
            found = found[key]
        return match[0] if found is None else str(found)

    if isinstance(value, str):
        return re.sub(r"\{(\w+)((?:\.\w+)*)\}", said, value)
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    return {key: filled(each, known) for key, each in value.items()} if isinstance(value, dict) else value


def matches(pattern, found) -> bool:
    """Whether `found` holds all that `pattern` does."""
    if isinstance(pattern, dict):
        return isinstance(found, dict) and all(key in found and matches(each, found[key]) for key, each in pattern.items())
    if isinstance(pattern, list):
        return isinstance(found, list) and all(any(matches(each, item) for item in found) for each in pattern)
    return pattern == found


def status_of(failed: Exception) -> int:
    return getattr(failed, "status_code", None) or getattr(failed, "status", None)


def walk(sample: dict, door, model_url: str) -> None:
    """Takes the steps of one sample and holds each answer against what the step says. `model_url`: of a server of models."""
    known: dict = {"model_url": model_url}
    left = list(sample["steps"])
    try:
        while left:
            take(left.pop(0), door, known)
    finally:
        for step in left:  # of a sample that failed: what it made would be in the way of the others
            if step["http"].startswith("DELETE"):
                with contextlib.suppress(Exception):
                    take(step, door, known)


def take(step: dict, door, known: dict) -> None:
    step = {**step, **filled({key: step[key] for key in ("give", "has", "lacks", "one", "some", "none") if key in step}, known)}
    try:
        answer = door(step, dict(step.get("give", {})))
    except Exception as failed:
        assert status_of(failed) is not None and status_of(failed) == step.get("refused"), f"{step}: {failed!r}"
        return
    assert "refused" not in step, f"{step}: {answer}"
    hold(step, answer)
    if "keep" in step:
        known[step["keep"]] = answer
    if "keep_one" in step:
        known[step["keep_one"]] = next(item for item in answer if matches(step["one"], item))


def hold(step: dict, answer) -> None:
    told = f"{step}: {json.dumps(answer, default=str)[:2000]}"
    assert matches(step.get("has", {}), answer if isinstance(answer, dict) else {}), told
    assert "lacks" not in step or not matches(step["lacks"], answer), told
    if "one" in step:
        assert sum(matches(step["one"], item) for item in answer) == 1, told
    assert matches(step.get("some", []), answer if isinstance(answer, list) else []), told
    assert "none" not in step or not any(matches(step["none"], item) for item in answer), told


def request(step: dict, values: dict) -> tuple[str, str, dict]:
    """(method, path, what is left of `values` for the query or the body)."""
    method, path = step["http"].split(" ")
    left = dict(values)
    path = re.sub(r"\{(\w+)\}", lambda match: urllib.parse.quote(left.pop(match[1])), path)
    return method, path, left


def over_http(http: stele.Http):
    """The door of those who write JSON."""
    def door(step, values):
        method, path, left = request(step, values)
        if "file_path" in left:
            head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{left["file_path"]}"\r\nContent-Type: text/plain\r\n\r\n'
            _, text, _ = http.send(method, path, raw=head.encode() + FILE_TEXT + b"\r\n--edge--\r\n", headers={"Content-Type": "multipart/form-data; boundary=edge"})
            return json.loads(text)
        if step.get("stream"):
            return [event for event in http.events(path, left) if isinstance(event, dict)]
        if not step.get("walk"):
            return json.loads(http.send(method, path, left if method != "GET" else None)[1] or "null")
        found: list = []
        while page := http.get(f"{path}?limit=50" + (f"&after={found[-1]['id']}" if found else "")):
            found += page
        return found
    return door


def takes(method, values: dict) -> tuple[dict, dict] | None:
    """(what of `values` this method of a client takes, what is left over); nothing if it can't be called with them."""
    parameters = inspect.signature(method).parameters
    needed = {name for name, each in parameters.items() if each.default is each.empty}
    if not needed <= set(values):
        return None
    return {key: each for key, each in values.items() if key in parameters}, {key: each for key, each in values.items() if key not in parameters}
