"""The server is killed at random points while files are uploaded and worked on: each file whose upload was answered is
worked on to its end, once, and stands with the agent that has the folder. STELE_FILE_KILLS and STELE_SEED repeat or
lengthen it."""

import os
import random
import threading
import time

import stele
from folder_files import blocks_of, send
from workers import GONE, kills

KILLS = int(os.environ.get("STELE_FILE_KILLS", "8"))


class Uploader(threading.Thread):
    """Uploads one file after another, and remembers those that were answered."""

    def __init__(self, server, folder, seed):
        super().__init__(daemon=True)
        self.server, self.folder, self.dice = server, folder, random.Random(seed)
        self.answered, self.tried, self.stopping, self.failure = {}, 0, False, None

    def run(self):
        while not self.stopping:
            self.tried += 1
            lines = self.dice.choice((3, 400, 6000))
            text = "".join(f"file {self.tried} line {number}\n" for number in range(lines))
            try:
                made = send(self.server.http(), self.folder, f"{self.tried}.txt", text)[1]
                self.answered[made["id"]] = text
            except GONE:
                time.sleep(0.002)
            except BaseException as failure:  # noqa: BLE001  the thread's owner raises it
                self.failure = failure
                return
            time.sleep(self.dice.random() * 0.05)


def test_what_was_taken_is_worked_on(own_server):
    seed = int(os.environ.get("STELE_SEED", random.randrange(10**6)))
    dice = random.Random(seed)
    server = own_server().start()
    folder = server.http().post("/v1/folders", {"name": "killed"})["id"]
    agent = server.http().post("/v1/agents", {"folder_ids": [folder]})["id"]
    uploader = Uploader(server, folder, seed)
    uploader.start()
    for _ in kills(KILLS, lambda: uploader.answered):
        time.sleep(0.1 + dice.random() * 0.4)
        server.kill()
        server.start()
    uploader.stopping = True
    uploader.join(60)
    assert uploader.failure is None, (seed, uploader.failure)
    api = server.http()
    stele.wait_until(lambda: all(each["processing_status"] == "completed" for each in api.get(f"/v1/folders/{folder}/files")), 120)
    files = {each["id"]: each for each in api.get(f"/v1/folders/{folder}/files?include_content=true")}
    assert uploader.answered.keys() <= files.keys(), seed
    for file_id, text in uploader.answered.items():
        assert files[file_id]["content"] == text, seed
    for each in files.values():
        assert each["chunks_embedded"] == each["total_chunks"] > 0, (seed, each["file_name"])
    texts, after = [], ""
    while page := api.get(f"/v1/folders/{folder}/passages?limit=1000&order=asc{after}"):
        texts += [(each["file_id"], each["text"]) for each in page]
        after = f"&after={page[-1]['id']}"
    assert len(texts) == sum(each["total_chunks"] for each in files.values()) == len(set(texts)), seed
    assert len(blocks_of(api, agent)) == len(files), seed
