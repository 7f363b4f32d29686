"""Vectors of passages by a model server that is there, down, slow, wrong, or comes back; and a server that dies meanwhile."""

import json
import threading

import embedding_model
import pytest
import stele
from embedding_model import DIMENSIONS, vector
from stele import refused, wait_until


@pytest.fixture
def model():
    made = embedding_model.EmbeddingModel()
    yield made
    made.let_go.set()
    made.stop()


@pytest.fixture
def server(model, tmp_path):
    """One whose passages are embedded by the mock."""
    arguments = ["--default-embedding", "openai/mock-embed", "--embedding-query-seconds", "1"]
    running = stele.Server(tmp_path, model.environment(), arguments).start()
    yield running
    if running.process.child.poll() is None:
        assert running.stop() == 0, running.log.read_text()[-3000:]
    log = running.log.read_text()
    assert "assertion.failed" not in log and "secret-key-of-the-test" not in log


@pytest.fixture
def http(server):
    return server.http(2)


@pytest.fixture
def agent(http, model):
    """With the mock's true dimension, which its list of models does not tell."""
    return http.post("/v1/agents", {"memory_blocks": [], "embedding_config": model.config()})


def keep(http, agent, text: str) -> dict:
    return http.post(f"/v1/agents/{agent['id']}/archival-memory", {"text": text})[0]


def search(http, agent, query: str, **more):
    """The hits, and whether the answer says that it had to do without vectors."""
    _, text, headers = http.send("POST", "/v1/passages/search", {"query": query, "agent_id": agent["id"], **more})
    return [(r["passage"]["text"], r["metadata"]["search_mode"]) for r in json.loads(text)], headers["X-Letta-Search-Degraded"] == "vector"


def embedded(http, agent) -> list[str]:
    return [p["text"] for p in http.get(f"/v1/agents/{agent['id']}/archival-memory?limit=1000") if p["embedding"]]


def test_passages_are_found_by_meaning(http, agent, model):
    made = keep(http, agent, "A puppy is in the garden")
    keep(http, agent, "The bakery opens early")
    keep(http, agent, "Waves at the beach")
    assert len(made["embedding"]) == 4096 and made["embedding"][:DIMENSIONS] == pytest.approx(vector("A puppy is in the garden"), abs=1e-6) and not any(made["embedding"][DIMENSIONS:])
    assert made["embedding_config"]["embedding_dim"] == DIMENSIONS
    hits, degraded = search(http, agent, "hound")
    assert hits[0] == ("A puppy is in the garden", "hybrid") and not degraded
    asked = len(model.batches)
    search(http, agent, "hound", limit=1)
    assert len(model.batches) == asked  # a query's vector is remembered


def test_a_model_whose_dimension_nobody_tells_has_what_it_has(http):
    agent = http.post("/v1/agents", {"memory_blocks": []})
    assert agent["embedding_config"]["handle"] == "openai/mock-embed" and agent["embedding_config"]["embedding_dim"] == 1536  # a guess
    assert any(keep(http, agent, "A puppy is in the garden")["embedding"])
    assert search(http, agent, "hound") == ([("A puppy is in the garden", "hybrid")], False)


def test_batches_keep_their_order_and_are_halved_when_they_are_too_large(http, agent, model):
    keep(http, agent, "first")
    archive = http.get(f"/v1/archives?agent_id={agent['id']}")[0]["id"]
    model.texts_max = 3
    texts = [f"text {i} " + ["dog", "car", "loaf", "sea", "clinic"][i % 5] for i in range(40)] + ["", " "]
    made = http.post(f"/v1/archives/{archive}/passages/batch", {"passages": [{"text": text} for text in texts]})
    assert [p["text"] for p in made] == texts
    for each in made:
        assert each["embedding"][:DIMENSIONS] == pytest.approx(vector(each["text"] if each["text"].strip() else " "), abs=1e-6)
    assert max(map(len, model.batches)) <= 32 and "" not in sum(model.batches, [])


def test_a_text_that_is_too_long_keeps_no_other_from_its_vector(http, agent, model):
    keep(http, agent, "first")
    archive = http.get(f"/v1/archives?agent_id={agent['id']}")[0]["id"]
    made = http.post(f"/v1/archives/{archive}/passages/batch", {"passages": [{"text": "a dog"}, {"text": "TOOLONG car"}, {"text": "the sea"}]})
    assert [bool(p["embedding"]) for p in made] == [True, False, True]
    assert ("TOOLONG car", "hybrid") in search(http, agent, "toolong")[0]


@pytest.mark.parametrize("mode", ["down", "unauthorized", "broken", "limited", "dimension", "slow"])
def test_nothing_fails_because_the_embedding_service_does(http, agent, model, mode):
    keep(http, agent, "A puppy is in the garden")
    model.mode = mode
    hits, degraded = search(http, agent, "puppy")  # the query needs a vector that can't be had
    assert hits == [("A puppy is in the garden", "fts")] and degraded
    _, _, headers = http.send("GET", f"/v1/agents/{agent['id']}/archival-memory/search?query=puppy")
    assert headers["X-Letta-Search-Degraded"] == "vector"
    made = keep(http, agent, "Stored all the same: a clinic")
    assert made["embedding"] is None
    assert ("Stored all the same: a clinic", "fts") in search(http, agent, "clinic")[0]


def test_what_could_not_be_embedded_is_when_the_service_is_back(http, agent, model):
    keep(http, agent, "A puppy is in the garden")
    model.mode = "down"
    for i in range(3):
        keep(http, agent, f"car {i}")
    assert embedded(http, agent) == ["A puppy is in the garden"]
    model.mode = "ok"
    # It is left alone for a few seconds; then the first success brings the others, which would have waited for a minute.
    wait_until(lambda: keep(http, agent, "the sea")["embedding"] is not None, 60)
    wait_until(lambda: {"car 0", "car 1", "car 2"} <= set(embedded(http, agent)), 60)
    hits, degraded = search(http, agent, "automobile")
    assert not degraded and {text for text, _ in hits[:3]} == {"car 0", "car 1", "car 2"}


def test_nothing_is_lost_when_the_server_dies_before_the_vector_is_there(server, http, agent, model):
    keep(http, agent, "first")
    model.mode = "slow"
    sent = threading.Thread(target=lambda: pytest.raises(Exception, keep, http, agent, "a hound in the fog"))
    sent.start()
    wait_until(lambda: ["a hound in the fog"] in model.batches)
    server.kill()
    sent.join()
    model.mode = "ok"
    model.let_go.set()
    server.start()
    assert [p["text"] for p in http.get(f"/v1/agents/{agent['id']}/archival-memory")] == ["first", "a hound in the fog"]
    wait_until(lambda: "a hound in the fog" in embedded(http, agent), 60)
    assert search(http, agent, "puppy")[0][0] == ("a hound in the fog", "hybrid")


def test_another_embedding_has_everything_embedded_anew(http, agent, model):
    for text in ("a dog", "a car", "the sea"):
        keep(http, agent, text)
    archive = http.get(f"/v1/archives?agent_id={agent['id']}")[0]
    http.patch(f"/v1/agents/{agent['id']}", {"embedding": "stele/hash"})
    assert http.get(f"/v1/archives/{archive['id']}")["embedding_config"]["handle"] == "stele/hash"
    assert [text for text, _ in search(http, agent, "car")[0]][0] == "a car"  # by its word, whether its vector is there or not
    wait_until(lambda: all(p["embedding"] and any(p["embedding"][DIMENSIONS:384]) for p in http.get(f"/v1/agents/{agent['id']}/archival-memory")), 60)
    http.patch(f"/v1/archives/{archive['id']}", {"embedding_config": model.config()})
    wait_until(lambda: search(http, agent, "automobile")[0][:1] == [("a car", "hybrid")], 60)
    http.patch(f"/v1/archives/{archive['id']}", {"embedding": None})
    assert search(http, agent, "car") == ([("a car", "fts")], False)
    assert embedded(http, agent) == []


def test_a_shared_archive_keeps_its_embedding_when_one_of_its_agents_changes(http, agent, model):
    kept = keep(http, agent, "a dog")
    other = http.post("/v1/agents", {"memory_blocks": [], "embedding": "stele/hash"})
    http.patch(f"/v1/agents/{other['id']}/archives/attach/{kept['archive_id']}")
    http.patch(f"/v1/agents/{agent['id']}", {"embedding": "stele/hash"})
    assert http.get(f"/v1/archives/{kept['archive_id']}")["embedding_config"]["handle"] == "openai/mock-embed"
    assert search(http, other, "puppy")[0][0] == ("a dog", "hybrid")


def test_deleted_and_changed_passages_leave_the_vectors_in_memory(http, agent):
    made = [keep(http, agent, text) for text in ("dog one", "dog two", "dog three")]
    assert len(search(http, agent, "puppy")[0]) == 3
    http.delete(f"/v1/agents/{agent['id']}/archival-memory/{made[1]['id']}")
    http.patch(f"/v1/agents/{agent['id']}/archival-memory/{made[2]['id']}", {"text": "the ocean"})
    assert [text for text, _ in search(http, agent, "puppy")[0]][:1] == ["dog one"]
    assert search(http, agent, "waves")[0][0] == ("the ocean", "hybrid")
    assert "dog two" not in str(search(http, agent, "dog two"))


def test_ollama_is_asked_in_its_own_form(model, tmp_path):
    server = stele.Server(tmp_path, {"OLLAMA_BASE_URL": model.url}, ["--default-embedding", "ollama/mock-embed"]).start()
    http = server.http(2)
    wait_until(lambda: any(e["handle"] == "ollama/mock-embed" and e["embedding_dim"] == DIMENSIONS for e in http.get("/v1/models/embedding")), 60)
    agent = http.post("/v1/agents", {"memory_blocks": []})
    keep(http, agent, "a puppy")
    keep(http, agent, "a loaf")
    assert search(http, agent, "hound")[0][0] == ("a puppy", "hybrid") and "/api/embed" in model.paths and "/v1/embeddings" not in model.paths
    assert server.stop() == 0


def test_the_providers_of_an_organisation_are_its_own(model, tmp_path):
    server = stele.Server(tmp_path, {}, ["--providers-private", "true"]).start()
    http = server.http(2)
    http.post("/v1/providers", {"name": "own", "provider_type": "openai", "api_key": "k", "base_url": model.url + "/v1"})
    agent = http.post("/v1/agents", {"memory_blocks": [], "embedding_config": {**model.config(), "handle": "own/mock-embed"}})
    assert keep(http, agent, "a puppy")["embedding"]
    provider = http.get("/v1/providers?name=own")[0]
    http.send("DELETE", f"/v1/providers/{provider['id']}")
    assert keep(http, agent, "a second puppy")["embedding"] is None
    assert search(http, agent, "second") == ([("a second puppy", "fts")], True)
    assert refused(http, "POST", "/v1/archives", 400, {"name": "n", "embedding": "own/mock-embed"})
    assert server.stop() == 0


def test_a_stop_waits_for_an_insert_and_ends_well(server, http, agent, model):
    keep(http, agent, "first")
    model.mode, answers = "slow", []
    sent = threading.Thread(target=lambda: answers.append(keep(http, agent, "a late hound")))
    sent.start()
    wait_until(lambda: ["a late hound"] in model.batches)
    threading.Timer(0.5, model.let_go.set).start()
    assert server.stop() == 0
    sent.join()
    assert answers[0]["text"] == "a late hound" and answers[0]["embedding"]
