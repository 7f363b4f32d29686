"""The contract of lists as a model in Python, and a world of items that random writers change while somebody walks.

An item's key and id make the order; `Contract.page` says which items a page holds, whatever the cursors name: items that
are there, or ones that were deleted."""

import itertools
import random
import threading
import uuid


class Contract:
    """What a list holds, in the order in which it was made; deleted items stay known as places."""

    def __init__(self, ids: list[str]):
        self.places: dict[str, tuple] = {}
        self.gone: set[str] = set()
        for each in ids:
            self.add(each)

    def add(self, item: str):
        self.places[item] = (len(self.places), item)

    def page(self, order: str, limit: int, after: str | None = None, before: str | None = None) -> list[str]:
        items = sorted((place for id_, place in self.places.items() if id_ not in self.gone), reverse=order == "desc")
        behind = lambda place, bound: place > bound if order == "asc" else place < bound  # noqa: E731
        first, last = (self.places[each] if each else None for each in (after, before))
        if first and last and behind(first, last):
            first, last = last, first
        items = [place for place in items if (not first or behind(place, first)) and (not last or behind(last, place))]
        if before and not after:
            return [id_ for _, id_ in items[-limit:]]
        return [id_ for _, id_ in items[:limit]]


class Kind:
    """How items of one list are made, deleted and found."""

    def __init__(self, name: str, path: str, body, delete: bool = True):
        self.name, self.path, self.body, self.delete = name, path, body, delete


def kinds(mark: str, agent: str) -> list[Kind]:
    number = itertools.count()
    return [
        Kind("agents", "/v1/agents?tags=" + mark, lambda: {"tags": [mark], "include_base_tools": False}),
        Kind("archives", "/v1/archives?name=" + mark, lambda: {"name": mark}),
        Kind("blocks", "/v1/blocks?label=" + mark, lambda: {"label": mark}),
        Kind("identities", "/v1/identities?name=" + mark, lambda: {"identifier_key": f"{mark} {next(number)}", "name": mark, "identity_type": "user"}),
        Kind("groups", "/v1/groups?project_id=" + mark, lambda: {"agent_ids": [agent], "description": "d", "project_id": mark}),
        Kind("tools", "/v1/tools?search=" + mark, lambda: {"name": f"{mark}_{next(number)}", "description": "d"}),
    ]


def make(http, kind: Kind) -> dict:
    return http.post(f"/v1/{kind.name}", kind.body())


def delete(http, kind: Kind, item: str):
    http.send("DELETE", f"/v1/{kind.name}/{item}")


class Writers:
    """Make and delete, attach and detach at random, until the block is left. What was there before stays."""

    def __init__(self, server, kinds: list[Kind], seed: int, count: int = 2):
        self.server, self.kinds, self.seed = server, kinds, seed
        self.stop, self.failures = threading.Event(), []
        self.threads = [threading.Thread(target=self.write, args=(number,)) for number in range(count)]

    def write(self, number: int):
        chance, http, made = random.Random(self.seed + number), self.server.http(2), []
        try:
            while not self.stop.wait(0.01):
                kind = chance.choice(self.kinds)
                if len(made) < 20 and chance.random() < 0.6:
                    made.append((kind, make(http, kind)["id"]))
                elif made:
                    delete(http, *made.pop(chance.randrange(len(made))))
                of = {name: [id_ for kind, id_ in made if kind.name == name] for name in ("agents", "blocks", "identities")}
                if of["agents"] and of["identities"]:
                    word = chance.choice(["attach", "detach"])
                    http.patch(f"/v1/agents/{chance.choice(of['agents'])}/identities/{word}/{chance.choice(of['identities'])}")
                if of["agents"] and of["blocks"]:
                    agent, block = chance.choice(of["agents"]), chance.choice(of["blocks"])
                    http.patch(f"/v1/agents/{agent}", {"block_ids": chance.choice([[], [block]])})
            for each in made:
                delete(http, *each)
        except Exception as failure:  # noqa: BLE001: told when the block is left
            self.failures.append(failure)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, (self.seed, self.failures)


def lasting(http, agent_tag: str = "") -> tuple[str, list[Kind], dict[str, list[str]]]:
    """Seven items of each kind that stay, oldest first."""
    mark = "w" + uuid.uuid4().hex[:10] + agent_tag
    agent = http.post("/v1/agents", {"include_base_tools": False})["id"]
    all_kinds = kinds(mark, agent)
    return mark, all_kinds, {kind.name: [make(http, kind)["id"] for _ in range(7)] for kind in all_kinds}
