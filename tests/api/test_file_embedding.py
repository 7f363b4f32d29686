"""Files whose vectors come from a model server: in order, with failures, within the time that a file may take."""

import embedding_model
import pytest
import stele
from embedding_model import DIMENSIONS, vector
from folder_files import blocks_of, finished, send, upload


@pytest.fixture
def model():
    made = embedding_model.EmbeddingModel()
    yield made
    made.let_go.set()
    made.stop()


@pytest.fixture
def make(model, own_server):
    def started(*arguments):
        return own_server(environment={"LETTA_DEFAULT_LLM_HANDLE": "", **model.environment()}, arguments=["--embedding-query-seconds", "1", *arguments]).start().http()

    return started


@pytest.fixture
def http(make):
    return make()


def folder_of(http, model, **more) -> str:
    return http.post("/v1/folders/", {"name": "papers", "embedding_config": {**model.config(), **more}})["id"]


def search(http, agent, query: str) -> dict:
    return http.post(f"/v1/agents/{agent}/tools/semantic_search_files/run", {"args": {"query": query}})


def file_state(http, file) -> dict:
    return http.get(f"/v1/folders/{file['source_id']}/files/{file['id']}")


def test_vectors_follow_the_order_of_the_chunks_though_batches_are_split(http, model):
    model.texts_max = 3
    folder = folder_of(http, model, embedding_chunk_size=10)
    done = upload(http, folder, "a.txt", "".join(f"dog number {number} barks\n" for number in range(40)))
    passages = http.get(f"/v1/folders/{folder}/passages?limit=1000&order=asc")
    assert done["processing_status"] == "completed" and done["total_chunks"] == done["chunks_embedded"] == len(passages) > 5
    for each in passages:
        assert len(each["embedding"]) == 4096 and each["embedding"][:DIMENSIONS] == pytest.approx(vector(each["text"]), rel=1e-5) and not any(each["embedding"][DIMENSIONS:])


def test_an_empty_file_asks_for_nothing(http, model):
    done = upload(http, folder_of(http, model), "a.txt", "")
    assert (done["processing_status"], done["total_chunks"], model.batches) == ("completed", 0, [])


def test_files_are_found_by_meaning(http, model):
    folder = folder_of(http, model)
    agent = http.post("/v1/agents/", {"model": "stele/offline", "folder_ids": [folder]})["id"]
    for name, text in (("a.txt", "A puppy is in the garden"), ("b.txt", "The bakery opens early"), ("c.txt", "Waves roll")):
        upload(http, folder, name, text)
    made = search(http, agent, "hound")
    assert made["status"] == "success" and made["func_return"].split(" ===\n")[1].strip().startswith("A puppy"), made


def test_a_text_that_the_model_never_takes_ends_in_error_and_stays_usable(http, model):
    folder = folder_of(http, model)
    agent = http.post("/v1/agents/", {"model": "stele/offline", "folder_ids": [folder]})["id"]
    done = upload(http, folder, "a.txt", "TOOLONG treasure")
    assert done["processing_status"] == "error" and "1 of its 1 chunks" in done["error_message"]
    assert "1: TOOLONG treasure" in blocks_of(http, agent)["papers/a.txt"]["value"]
    assert "TOOLONG treasure" in search(http, agent, "treasure")["func_return"]


def test_a_server_that_is_down_holds_nothing_up(http, model):
    model.mode = "down"
    folder = folder_of(http, model)
    agent = http.post("/v1/agents/", {"model": "stele/offline", "folder_ids": [folder]})["id"]
    made = send(http, folder, "a.txt", "The treasure is under the oak")[1]
    stele.wait_until(lambda: file_state(http, made)["processing_status"] == "embedding")
    assert (file_state(http, made)["total_chunks"], file_state(http, made)["chunks_embedded"]) == (1, 0)
    assert "treasure" in search(http, agent, "treasure")["func_return"]


def test_work_that_is_stuck_is_given_up_when_it_is_looked_at(make, model):
    http = make("--file-patience-seconds", "1")
    folder = folder_of(http, model)
    done = upload(http, folder, "done.txt", "x")
    model.mode = "slow"
    made = send(http, folder, "stuck.txt", "y")[1]
    stele.wait_until(lambda: file_state(http, made)["processing_status"] == "error")
    assert "timeout" in file_state(http, made)["error_message"]
    assert file_state(http, done) == done


def test_another_model_embeds_the_folder_anew(http, model):
    folder = folder_of(http, model)
    upload(http, folder, "a.txt", "x")
    changed = http.patch(f"/v1/folders/{folder}", {"embedding_config": {"embedding_endpoint_type": "openai", "embedding_model": "hash", "embedding_dim": 384, "handle": "stele/hash"}})
    assert changed["embedding_config"]["handle"] == "stele/hash"
    stele.wait_until(lambda: (http.get(f"/v1/folders/{folder}/passages")[0]["embedding_config"] or {}).get("handle") == "stele/hash")


def test_what_a_crash_cut_off_is_taken_up(model, own_server):
    model.mode = "slow"
    server = own_server(environment={"LETTA_DEFAULT_LLM_HANDLE": "", **model.environment()}).start()
    http = server.http()
    made = send(http, folder_of(http, model), "a.txt", "x")[1]
    stele.wait_until(lambda: file_state(http, made)["processing_status"] == "embedding")
    server.kill()
    model.mode = "ok"
    model.let_go.set()
    server.start()
    assert finished(http, made)["processing_status"] == "completed"
