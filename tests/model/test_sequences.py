"""Random sequences of requests against the real server and a model that fails in every way, each held against a small reference
model. STELE_MODEL_SEQUENCES says how many, STELE_SEED where they begin: the same ones each time unless it is set, so that a change
is judged by what it changed; `scripts/test --long` begins anywhere. `--seed N` replays one and tells what it does."""

import collections
import os
import threading

import pytest
import stele
from answering_model import AnsweringModel
from operations import EVERY
from sequence import Sequence, kills

ENOUGH = 400  # sequences in which every operation comes up
SEQUENCES = int(os.environ.get("STELE_MODEL_SEQUENCES", "2000"))
FIRST = int(os.environ.get("STELE_SEED", "1"))
PARTS = 2  # processes that share the sequences
AT_ONCE = 4  # agents that are talked to at the same time on one server


class Ground:
    """A server with a model of its own."""

    def __init__(self, folder):
        folder.mkdir()
        self.model = AnsweringModel()
        self.server = stele.Server(folder, self.model.environment(), ["--log-level", "warn"]).start()

    def run(self, seeds, failures: list, done: collections.Counter):
        while not failures and (seed := next(seeds, None)) is not None:
            sequence = Sequence(self.server, self.model, seed)
            try:
                sequence.run()
                done.update(sequence.done)
            except BaseException as failure:  # noqa: BLE001  the test raises it
                failures.append(failure)

    def leave(self):
        status = self.server.stop()
        self.model.stop()
        log = self.server.log.read_text()
        assert status == 0 and "assertion.failed" not in log, log[-3000:]


@pytest.fixture
def ground(tmp_path):
    made = []

    def make():
        made.append(Ground(tmp_path / str(len(made))))
        return made[-1]

    yield make
    for each in made:
        each.leave()


@pytest.mark.parametrize("part", range(PARTS))
def test_random_sequences(ground, part, request):
    if request.config.getoption("--seed") is not None:
        pytest.skip("one sequence is replayed")
    seeds = range(FIRST + part, FIRST + SEQUENCES, PARTS)
    failures, done = [], collections.Counter()
    lock = threading.Lock()

    class Shared:
        """One iterator for several threads."""

        def __init__(self, numbers):
            self.numbers = iter(numbers)

        def __next__(self):
            with lock:
                return next(self.numbers)

    # Those that kill have a server for themselves: the others would not know what became of their requests.
    quiet, killed = Shared([seed for seed in seeds if not kills(seed)]), Shared([seed for seed in seeds if kills(seed)])
    calm, fierce = ground(), ground()
    threads = [threading.Thread(target=calm.run, args=(quiet, failures, done)) for _ in range(AT_ONCE)]
    threads.append(threading.Thread(target=fierce.run, args=(killed, failures, done)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    print(f"{len(seeds)} sequences from {seeds[0]}:", ", ".join(f"{count} {each.__name__}" for each, count in done.most_common()))
    assert len(seeds) < ENOUGH or set(done) == EVERY, f"never done: {EVERY - set(done)}"


def test_one_sequence_again(ground, request):
    seed = request.config.getoption("--seed")
    if seed is None:
        pytest.skip("no --seed")
    where = ground()
    sequence = Sequence(where.server, where.model, seed)
    try:
        sequence.run()
    finally:
        print("\n".join(sequence.log))
