"""One suite for every list: walked page by page in every order, with every limit and from both ends while others write,
it gives each item exactly once."""

import threading
import urllib.parse

import pytest
import stele

PAGE_SIZES = [1, 2, 3, 1000]
RUNS_OF_A_WRITER_MAX = 150  # runs outlive their agents: on a slow server they would push the lasting ones off the first page
POSITION, TIME, HISTORY = "position", "time", "history"  # the families: see walk_forward and walk_back


class List:
    def __init__(self, path, family=POSITION, orders=("",), key="id", member=None):
        self.path, self.family, self.orders, self.key, self.member = path, family, orders, key, member

    def __repr__(self):
        return self.path


LISTS = [
    List("/v1/agents?tags=walked", orders=("created_at", "updated_at", "last_run_completion")),
    List("/v1/blocks?label_search=walked"),
    List("/v1/blocks/{block}/agents"),
    List("/v1/tools"),
    List("/v1/identities?name=walked"),
    List("/v1/identities/{identity}/agents"),
    List("/v1/identities/{identity}/blocks"),
    List("/v1/groups"),
    List("/v1/agents/{agent}/groups"),
    List("/v1/agents/{agent}/tools"),
    List("/v1/agents/{agent}/core-memory/blocks"),
    List("/v1/agents/{agent}/blocks"),
    List("/v1/steps"),
    List("/v1/steps?agent_id={agent}"),
    List("/v1/runs/{run}/steps"),
    List("/v1/tags", orders=("name",), key=None),
    List("/v1/runs", TIME),
    List("/v1/runs?agent_id={agent}", TIME, orders=("created_at", "duration")),
    List("/v1/runs/{run}/messages", TIME),
    List("/v1/steps/{step}/messages", TIME),
    List("/v1/agents/{agent}/messages", HISTORY),
    List("/v1/messages", HISTORY),
    List("/v1/conversations?agent_id={agent}", orders=("created_at", "last_run_completion", "last_message_at")),
    List("/v1/conversations/{conversation}/messages", TIME),
    List("/v1/conversations/{fork}/messages", TIME),
    List("/v1/conversations/default/messages?agent_id={agent}", TIME),
    List("/v1/agents/{agent}/messages?conversation_id={fork}", HISTORY),
    List("/v1/messages/batches", TIME),
    List("/v1/messages/batches/{batch}/messages", TIME, member="messages"),
    List("/v1/agents/{agent}/schedule", member="scheduled_messages"),
]


@pytest.fixture(scope="module")
def walked(server):
    """Enough of everything, and somebody who goes on writing."""
    http = server.http(2)
    shared = http.post("/v1/blocks", {"label": "walked shared"})
    agents, identities = [], []
    for i in range(7):
        agent = http.post("/v1/agents", {"tags": ["walked", f"walk {i}"], "block_ids": [shared["id"]],
                                         "memory_blocks": [{"label": f"walked {n}", "tags": [f"block walk {n}"]} for n in range(4)]})
        agents.append(agent["id"])
        if i % 2:  # the others never ran: null keys
            http.post(f"/v1/agents/{agent['id']}/messages", {"input": "hello"})
    for i in range(4):
        answer = http.post(f"/v1/agents/{agent['id']}/messages", {"input": '@call conversation_search {"query": "hello"}'})
    message = answer["messages"][0]
    talks = [http.post(f"/v1/conversations?agent_id={agent['id']}")["id"] for _ in range(5)]
    for talk in talks[1:4]:  # the others never had a message: null keys
        for _ in range(3):
            http.post(f"/v1/conversations/{talk}/messages", {"input": '@call conversation_search {"query": "hello"}', "streaming": False})
    fork = http.post(f"/v1/conversations/{talks[1]}/fork")["id"]
    for _ in range(2):
        http.post(f"/v1/conversations/{fork}/messages", {"input": "hello", "streaming": False})
    words = [{"role": "user", "content": "hello"}]
    for minute in (10, 5, 10, 20, 5):
        http.post(f"/v1/agents/{agent['id']}/schedule", {"messages": words, "schedule": {"type": "recurring", "cron_expression": f"{minute} 0 29 2 *"}})
    for _ in range(5):
        batch = http.post("/v1/batches", {"requests": [{"agent_id": agent["id"], "messages": words}] * 3})["id"]
    stele.wait_until(lambda: http.get(f"/v1/batches/{batch}")["status"] == "completed")
    for _ in range(5):
        identity = http.post("/v1/identities", {"identifier_key": "walked" + str(len(identities)), "name": "walked", "identity_type": "user", "agent_ids": agents, "block_ids": [block["id"] for block in agent["blocks"]]})["id"]
        identities.append(identity)
        http.post("/v1/groups", {"agent_ids": [agent["id"]], "description": "walked"})
    names = {"identity": identity, "batch": batch, "conversation": talks[2], "fork": fork, "agent": agent["id"], "block": shared["id"], "run": message["run_id"], "step": message["step_id"]}
    lasting = {id for each in LISTS for order in ("asc", "desc") for id in Walker(http, each, names, order, "", 1000).page()}
    stop = threading.Event()
    failures = []

    def write():
        rounds = 0
        while not stop.wait(0.05):  # or the walks would have to chase them
            rounds += 1
            try:
                made = http.post("/v1/agents", {"tags": ["walked"], "block_ids": [shared["id"]], "memory_blocks": [{"label": "walked x"}]})
                # Not among the walked: a cursor whose own key changes (updated_at, last_run_completion) moves the walk.
                known = http.post("/v1/identities", {"identifier_key": f"{threading.get_ident()} {rounds}", "name": "walked", "identity_type": "user"})["id"]
                http.patch(f"/v1/identities/{identity}", {"agent_ids": [made["id"]], "block_ids": [made["blocks"][0]["id"]]})
                group = http.post("/v1/groups", {"agent_ids": [agent["id"]], "description": "walked"})["id"]
                busy = http.post("/v1/agents", {"block_ids": [shared["id"]]})
                if rounds <= RUNS_OF_A_WRITER_MAX:
                    http.post(f"/v1/agents/{busy['id']}/messages", {"input": "@sleep 20"})
                    job = http.post("/v1/batches", {"requests": [{"agent_id": busy["id"], "messages": words}]})
                    http.delete(f"/v1/jobs/{job['id']}")
                http.delete(f"/v1/agents/{busy['id']}")
                http.delete(f"/v1/identities/{known}"), http.delete(f"/v1/groups/{group}")
                talk = http.post(f"/v1/conversations?agent_id={agent['id']}")
                http.delete(f"/v1/conversations/{talk['id']}")
                plan = http.post(f"/v1/agents/{agent['id']}/schedule", {"messages": words, "schedule": {"type": "recurring", "cron_expression": "7 0 29 2 *"}})
                http.delete(f"/v1/agents/{agent['id']}/schedule/{plan['id']}")
                http.delete(f"/v1/agents/{made['id']}")
                http.delete(f"/v1/blocks/{next(block['id'] for block in made['blocks'] if block['label'] == 'walked x')}")
            except Exception as failure:  # noqa: BLE001: told by the fixture
                failures.append(failure)
                return

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    yield {**names, "lasting": lasting}
    stop.set()
    for writer in writers:
        writer.join()
    assert not failures


class Walker:
    def __init__(self, http, each: List, names: dict, order: str, order_by: str, limit: int):
        self.http, self.each = http, each
        path = each.path.format(**names)
        self.base = path + ("&" if "?" in path else "?") + f"order={order}&limit={limit}" + (f"&order_by={order_by}" if order_by else "")

    def page(self, **cursor) -> list:
        items = self.http.get(self.base + "".join(f"&{name}={urllib.parse.quote(value)}" for name, value in cursor.items()))
        items = items[self.each.member] if self.each.member else items
        ids = [item if self.each.key is None else item[self.each.key] for item in items]
        return list(dict.fromkeys(ids))  # one stored message may show as several

    def walk(self, take, **start) -> list:
        seen, cursor = [], start
        while page := self.page(**cursor):
            seen.append(page)
            cursor = take(page)
            assert sum(map(len, seen)) < 5000, "a walk without end"
        return seen


def forward(walker: Walker) -> list:
    """As the clients of generation 2 go on: behind the last item."""
    return [id for page in walker.walk(lambda page: {"after": page[-1]}) for id in page]


def back(walker: Walker, family: str, order: str, last: str) -> list:
    """From the end to the front; `last` is the item at which the walk forward ended."""
    if family == TIME and order == "desc":  # older clients of lists in time: before = what is older
        return [id for page in walker.walk(lambda page: {"before": page[-1]}) for id in page]
    pages = walker.walk(lambda page: {"before": page[0]}, before=last)
    return [id for page in reversed(pages) for id in page] + [last]


@pytest.mark.parametrize("limit", PAGE_SIZES)
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("each", LISTS, ids=str)
def test_a_walk_meets_every_item_exactly_once(server, walked, each, order, limit):
    http = server.http(2)
    for order_by in each.orders:
        whole = Walker(http, each, walked, order, order_by, 1000).page()
        walker = Walker(http, each, walked, order, order_by, limit)
        if each.family == HISTORY:  # always oldest first: asc goes forward, desc goes back
            backwards = [id for page in reversed(walker.walk(lambda page: {"before": page[0]})) for id in page]
            check(whole, forward(walker) if order == "asc" else backwards, walked["lasting"])
            continue
        found = forward(walker)
        check(whole, found, walked["lasting"])
        check(whole, back(walker, each.family, order, found[-1]), walked["lasting"])


def check(whole: list, found: list, lasting: set):
    """Writers come and go; of what was there all the time nothing is missed, nothing told twice, the order kept."""
    expected = [id for id in whole if id in lasting]
    of_interest = set(expected)
    assert len(expected) > 1, "too little to walk over"
    assert [id for id in found if id in of_interest] == expected


def test_a_page_holds_what_was_asked_for(server, walked):
    http = server.http(2)
    for each in LISTS:
        if each.key is None:
            continue
        for order in ("asc", "desc"):
            assert len(Walker(http, each, walked, order, "", 1).page()) <= 1


@pytest.mark.parametrize("order_by", ["created_at", "updated_at", "last_run_completion"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_goes_on_when_its_cursor_is_deleted(server, model, order, order_by):
    http = server.http(2)
    tag = f"deleted-{order}-{order_by}"
    made = [http.post("/v1/agents", {"tags": [tag]})["id"] for _ in range(6)]
    for id in made[1:4]:
        http.post(f"/v1/agents/{id}/messages", {"input": "hello"})
    whole = [agent["id"] for agent in http.get(f"/v1/agents?tags={tag}&order={order}&order_by={order_by}")]
    for cursor in whole[1:5]:
        http.delete(f"/v1/agents/{cursor}")
        place = whole.index(cursor)
        for bound, rest in (("after", whole[place + 1:]), ("before", whole[:place])):
            page = http.get(f"/v1/agents?tags={tag}&order={order}&order_by={order_by}&{bound}={cursor}")
            assert [agent["id"] for agent in page] == [id for id in rest if id not in whole[1:place]]


def test_deleted_cursors_of_blocks_runs_steps_and_messages(server):
    http = server.http(2)
    agent = http.post("/v1/agents", {})["id"]
    answers = [http.post(f"/v1/agents/{agent}/messages", {"input": "hello"}) for _ in range(3)]
    runs = [answer["messages"][0]["run_id"] for answer in answers]
    steps = [answer["messages"][0]["step_id"] for answer in answers]
    http.delete(f"/v1/runs/{runs[1]}")
    assert [run["id"] for run in http.get(f"/v1/runs?agent_id={agent}&order=desc&after={runs[1]}")] == [runs[0]]
    assert [run["id"] for run in http.get(f"/v1/runs?agent_id={agent}&order=asc&after={runs[1]}")] == [runs[2]]
    assert [step["id"] for step in http.get(f"/v1/steps?agent_id={agent}&order=asc&after={steps[1]}")] == [steps[2]]
    blocks = [http.post("/v1/blocks", {"label": "gone cursor"})["id"] for _ in range(3)]
    http.delete(f"/v1/blocks/{blocks[1]}")
    assert [block["id"] for block in http.get(f"/v1/blocks?label=gone%20cursor&after={blocks[1]}")] == [blocks[2]]
    last = answers[-1]["messages"][-1]["id"]
    other = http.post("/v1/agents", {})
    http.delete(f"/v1/agents/{agent}")
    assert other["message_ids"][0] in [message["id"] for message in http.get(f"/v1/messages?order=asc&after={last}&limit=1000")]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_goes_on_when_its_conversation_is_deleted(server, order):
    http = server.http(2)
    agent = http.post("/v1/agents", {})["id"]
    made = [http.post(f"/v1/conversations?agent_id={agent}")["id"] for _ in range(5)]
    for talk in made[1:3]:
        http.post(f"/v1/conversations/{talk}/messages", {"input": "hello", "streaming": False})
    for order_by in ("created_at", "last_message_at", "last_run_completion"):
        path = f"/v1/conversations?agent_id={agent}&order={order}&order_by={order_by}"
        whole = [talk["id"] for talk in http.get(path)]
        cursor = next(id for id in whole if id != whole[0])
        http.delete(f"/v1/conversations/{cursor}")
        place = whole.index(cursor)
        assert [talk["id"] for talk in http.get(f"{path}&after={cursor}")] == whole[place + 1:]
        assert [talk["id"] for talk in http.get(f"{path}&before={cursor}")] == whole[:place]


def test_two_cursors_mean_what_lies_between_in_either_order(server):
    http = server.http(2)
    made = [http.post("/v1/blocks", {"label": "between"})["id"] for _ in range(5)]
    for order, between in (("asc", made[1:4]), ("desc", made[3:0:-1])):
        for first, second in ((made[0], made[4]), (made[4], made[0])):
            page = http.get(f"/v1/blocks?label=between&order={order}&after={first}&before={second}")
            assert [block["id"] for block in page] == between
    agent = http.post("/v1/agents", {})["id"]
    for _ in range(2):
        http.post(f"/v1/agents/{agent}/messages", {"input": "hello"})
    said = [message["id"] for message in http.get(f"/v1/agents/{agent}/messages")]
    for first, second in ((said[0], said[-1]), (said[-1], said[0])):
        assert [m["id"] for m in http.get(f"/v1/agents/{agent}/messages?after={first}&before={second}")] == said[1:-1]


def test_runs_at_work_are_walked_like_all_others(server):
    """They have no row until their first step is stored."""
    http = server.http(2)
    agents = [http.post("/v1/agents", {})["id"] for _ in range(4)]
    threads = [threading.Thread(target=http.post, args=(f"/v1/agents/{agent}/messages", {"input": "@sleep 3000"})) for agent in agents]
    for thread in threads:
        thread.start()
    query = "&".join(f"agent_ids={agent}" for agent in agents)
    try:
        stele.wait_until(lambda: len(http.get(f"/v1/runs?{query}&active=true")) == 4)
        for order in ("asc", "desc"):
            each = List(f"/v1/runs?{query}", TIME)
            whole = Walker(http, each, {}, order, "", 1000).page()
            assert len(whole) == 4
            assert forward(Walker(http, each, {}, order, "", 1)) == whole
            assert back(Walker(http, each, {}, order, "", 1), TIME, order, whole[-1]) == whole
        active = http.get("/v1/runs/active")
        assert {run["agent_id"] for run in active} >= set(agents)
        for run in active:
            if run["agent_id"] not in agents:
                continue
            with pytest.raises(stele.Refused) as failed:
                http.delete(f"/v1/runs/{run['id']}")
            assert failed.value.status == 409 and failed.value.headers["x-should-retry"] == "false"
    finally:
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("query, status, named", [
    ("limit=0", 422, "query.limit"), ("limit=-1", 422, "query.limit"), ("limit=x", 422, "query.limit"), ("limit=1.5", 422, "query.limit"),
    ("limit=99999999999999999999", 422, "query.limit"), ("order=up", 422, "query.order"), ("order_by=colour", 422, "query.order_by"),
    ("sort_by=colour", 422, "query.order_by"), ("ascending=perhaps", 422, "query.ascending"), ("after=junk", 422, "cursor")])
@pytest.mark.parametrize("each", LISTS, ids=str)
def test_bad_paging_is_refused_on_every_list(server, walked, each, query, status, named):
    if each.key is None and "after" in query:
        pytest.skip("a tag is its own cursor")
    path = each.path.format(**walked)
    with pytest.raises(stele.Refused) as failed:
        server.http(2).get(path + ("&" if "?" in path else "?") + query)
    assert failed.value.status == status and named in failed.value.text, failed.value.text


@pytest.mark.parametrize("each", LISTS, ids=str)
def test_unknown_cursors_are_not_found(server, walked, each):
    if each.key is None:
        pytest.skip("a tag is its own cursor")
    path = each.path.format(**walked)
    id = Walker(server.http(2), each, walked, "asc", "", 5).page()[0]
    unknown = id[:id.index("-")] + "-00000000-0000-4000-8000-00000000dead"
    for bound in ("after", "before"):
        with pytest.raises(stele.Refused) as failed:
            server.http(2).get(path + ("&" if "?" in path else "?") + f"{bound}={unknown}")
        assert failed.value.status == 404 and "cursor" in failed.value.body["detail"]


@pytest.mark.parametrize("each", LISTS, ids=str)
def test_large_limits_are_capped_but_on_runs_refused(server, walked, each):
    path = each.path.format(**walked)
    path += ("&" if "?" in path else "?") + "limit=5000"
    if path.startswith("/v1/runs?"):
        with pytest.raises(stele.Refused) as failed:
            server.http(2).get(path)
        assert failed.value.status == 422
    else:
        assert len(server.http(2).get(path)) > 0


def test_older_words_for_the_order(server):
    http = server.http(1)
    made = [http.post("/v1/agents", {"tags": ["older words"]})["id"] for _ in range(3)]
    ids = lambda query: [agent["id"] for agent in http.get("/v1/agents?tags=older%20words" + query)]  # noqa: E731
    assert ids("") == ids("&ascending=false") == ids("&sort_by=updated_at") == made[::-1]
    assert ids("&ascending=true") == ids("&order=asc") == ids("&order=asc&ascending=false") == made
    http.patch(f"/v1/agents/{made[0]}", {"description": "newest change"})
    assert ids("&sort_by=updated_at")[0] == ids("&order_by=updated_at&sort_by=created_at")[0] == made[0]
    assert ids("&order_by=created_at&sort_by=updated_at") == made[::-1]
    assert ids("&limit=&after=&order=&ascending=&name=") == made[::-1], "an empty value is how some clients send null"
