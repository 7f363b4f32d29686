"""Inserts into an archive, and searches of it as it grows to 50,000 passages (stele/hash, 384 dimensions). Prints figures; asserts nothing.

python3 bench/passages.py [passages]"""

import http.client
import json
import pathlib
import random
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

import stele  # noqa: E402

WORDS = [f"{a}{b}" for a in "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu".split() for b in "na ne ni no nu ra re ri ro ru sa se si so su".split()]
BATCH = 500


def text(chance: random.Random) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(60))


def median_ms(server, body: dict, rounds: int) -> float:
    connection, times = http.client.HTTPConnection("127.0.0.1", server.port), []
    chance = random.Random(7)
    for _ in range(rounds):
        data = json.dumps({**body, "query": f"{chance.choice(WORDS)} {chance.choice(WORDS)}"})
        begin = time.perf_counter()
        connection.request("POST", "/v1/passages/search", data, {"Content-Type": "application/json"})
        connection.getresponse().read()
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times)


def main(count: int) -> None:
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        server = stele.Server(pathlib.Path(folder), arguments=["--log-level", "warn"]).start()
        client = server.http()
        archive = client.post("/v1/archives", {"name": "a"})["id"]
        stored, base = 0, {}
        for goal in sorted({500, count // 5 // BATCH * BATCH, count}):
            texts = [text(chance) for _ in range(goal - stored)]
            begin = time.perf_counter()
            for at in range(0, len(texts), BATCH):
                client.send("POST", f"/v1/archives/{archive}/passages/batch", {"passages": [{"text": each} for each in texts[at:at + BATCH]]})
            seconds = time.perf_counter() - begin
            stored = goal
            body = {"archive_id": archive, "limit": 5}
            median_ms(server, body, 3)  # the vectors are in memory then
            row = {mode: median_ms(server, {**body, "search_mode": mode}, 30) for mode in ("fts", "vector", "hybrid")}
            base = base or row
            print(f"{stored:>7} passages: {len(texts) / seconds:7.0f} inserts/s; search " + ", ".join(f"{mode} {ms:.1f} ms ({ms / base[mode]:.1f}x of 500)" for mode, ms in row.items()), flush=True)
        server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
