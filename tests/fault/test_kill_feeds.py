"""The server is killed at random points while texts of a feed are handed to agents: each text that was published arrives
once, in order, with each of them. STELE_FEED_KILLS and STELE_SEED repeat or lengthen it."""

import os
import random
import threading
import time

import stele
from workers import GONE, kills

KILLS = int(os.environ.get("STELE_FEED_KILLS", "12"))


class Publisher(threading.Thread):
    """Publishes one text after another and has them delivered."""

    def __init__(self, server, feed, subscriptions, seed):
        super().__init__(daemon=True)
        self.server, self.feed, self.subscriptions, self.dice = server, feed, subscriptions, random.Random(seed)
        self.tried, self.stopping, self.failure = 0, False, None

    def run(self):
        while not self.stopping:
            try:
                self.act()
            except GONE:
                time.sleep(0.002)
            except BaseException as failure:  # noqa: BLE001  the thread's owner raises it
                self.failure = failure
                return

    def act(self):
        self.tried += 1
        self.server.http().post(f"/v1/feeds/{self.feed}/messages", {"messages": [{"content": f"@slow 1\n@say {self.tried}"}]})
        self.trigger(self.dice.choice(self.subscriptions))
        time.sleep(self.dice.random() * 0.05)

    def trigger(self, subscription):
        try:
            self.server.http().post(f"/v1/feeds/{self.feed}/subscriptions/{subscription}/trigger")
        except stele.Refused as busy:
            assert busy.status == 409, busy


def test_each_text_arrives_once(own_server):
    seed = int(os.environ.get("STELE_SEED", random.randrange(10**6)))
    dice = random.Random(seed)
    server = own_server().start()
    api = server.http()
    feed = api.post("/v1/feeds", {"project_id": "default-project", "name": "n"})["id"]
    agents = [api.post("/v1/agents", {"memory_blocks": []})["id"] for _ in range(3)]
    subscriptions = [api.post(f"/v1/feeds/{feed}/subscribe", {"agent_id": agent, "cron_schedule": "0 0 29 2 *"})["id"] for agent in agents]
    publisher = Publisher(server, feed, subscriptions, dice.random())
    publisher.start()
    for _ in kills(KILLS, lambda: server.http().get(f"/v1/feeds/{feed}")["messages_count"]):
        time.sleep(dice.random() * 0.4)
        server.kill()
        server.start()
    publisher.stopping = True
    publisher.join(60)
    assert publisher.failure is None, (seed, publisher.failure)
    api = server.http()
    published, cursor = [], 0
    while cursor is not None:
        page = api.get(f"/v1/feeds/{feed}/messages?limit=100&after_sequence={cursor}")
        published += [each["content_preview"] for each in page["messages"]]
        cursor = page["next_cursor"]
    last = api.get(f"/v1/feeds/{feed}")["messages_count"]
    assert last == len(published)

    def done(subscription):
        publisher.trigger(subscription)
        listed = api.get(f"/v1/feeds/{feed}/subscriptions")["subscriptions"]
        return next(each["last_consumed_sequence"] for each in listed if each["id"] == subscription) == last

    for agent, subscription in zip(agents, subscriptions):
        stele.wait_until(lambda: done(subscription), 120)
        heard, after = [], ""
        while page := api.get(f"/v1/agents/{agent}/messages?limit=500&order=asc{after}"):
            heard += [each["content"] for each in page if each["message_type"] == "user_message" and each["content"].startswith("@slow")]
            after = f"&after={page[-1]['id']}"
        assert heard == published, seed
