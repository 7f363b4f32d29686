"""Every page of every list against the contract in Python (support/list_world): random orders, limits and cursors, the
deleted among them; and walks while others write."""

import random

import list_world
import pytest
from stele import refused


def query(path: str, **parameters) -> str:
    return path + "".join(f"&{name}={value}" for name, value in parameters.items() if value)


def test_any_page_is_what_the_contract_says(server):
    http, seed = server.http(2), random.randrange(1 << 30)
    chance = random.Random(seed)
    _, kinds, stay = list_world.lasting(http)
    for kind in kinds:
        contract = list_world.Contract(stay[kind.name])
        for _ in range(60):
            if chance.random() < 0.15:
                contract.add(list_world.make(http, kind)["id"])
            left = [each for each in contract.places if each not in contract.gone]
            if left and chance.random() < 0.15:
                gone = chance.choice(left)
                list_world.delete(http, kind, gone)
                contract.gone.add(gone)
            ids = [*contract.places, None, None]
            wanted = {"order": chance.choice(["asc", "desc"]), "limit": chance.choice([1, 2, 3, 100]), "after": chance.choice(ids), "before": chance.choice(ids)}
            assert [item["id"] for item in http.get(query(kind.path, **wanted))] == contract.page(**wanted), f"seed {seed}, {kind.name}, {wanted}"
        refused(http, "GET", kind.path + "&order_by=colour", 422)


@pytest.mark.parametrize("generation", [1, 2])
def test_walks_by_hand_while_others_write(server, generation):
    http, seed = server.http(generation), random.randrange(1 << 30)
    _, kinds, stay = list_world.lasting(http)
    with list_world.Writers(server, kinds, seed):
        for kind in kinds:
            for order in ("asc", "desc"):
                for limit in (1, 3):
                    for bound in ("after", "before"):
                        seen, cursor = [], None
                        if bound == "before":
                            cursor = stay[kind.name][-1 if order == "asc" else 0]
                        while page := http.get(query(kind.path, order=order, limit=limit, **({bound: cursor} if cursor else {}))):
                            ids = [item["id"] for item in page]
                            seen = seen + ids if bound == "after" else ids + seen
                            cursor = ids[-1 if bound == "after" else 0]
                        expected = stay[kind.name] if order == "asc" else stay[kind.name][::-1]
                        expected = expected if bound == "after" else expected[:-1]
                        assert [each for each in seen if each in expected] == expected, f"seed {seed}, {kind.name}, {order}, {limit}, {bound}"
