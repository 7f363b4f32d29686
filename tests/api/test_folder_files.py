"""Files of folders: upload, types, names, duplicates, limits, what becomes of them."""

import pytest
import stele
from folder_files import blocks_of, files_of, finished, folder_of, form, pdf, prompt_of, send, upload
from stele import refused


@pytest.fixture
def folder(http):
    return folder_of(http)


def refused_upload(http, folder, status, file, content="x", kind="text/plain", **query):
    with pytest.raises(stele.Refused) as failed:
        send(http, folder, file, content, kind, **query)
    assert failed.value.status == status, failed.value
    return failed.value.body["detail"]


def test_an_upload_answers_at_once_and_is_worked_on(http, folder):
    status, made, _ = send(http, folder, "test.txt", "Alpha beta gamma.\nThe treasure is under the oak.\n")
    assert status == 200 and made["processing_status"] == "parsing"
    assert list(made) == ["source_id", "file_name", "original_file_name", "file_path", "file_type", "file_size", "file_creation_date", "file_last_modified_date", "processing_status", "error_message",
                          "total_chunks", "chunks_embedded", "content", "id", "organization_id", "created_at", "updated_at"]
    assert (made["source_id"], made["file_name"], made["original_file_name"], made["file_type"], made["file_size"], made["content"]) == (folder, "test.txt", "test.txt", "text/plain", 49, None)
    done = finished(http, made)
    assert (done["processing_status"], done["total_chunks"], done["chunks_embedded"]) == ("completed", 1, 1)
    assert http.get(f"/v1/folders/{folder}/files") == http.get(f"/v1/sources/{folder}/files?check_status_updates=true") == [done]
    full = http.get(f"/v1/folders/{folder}/files/{made['id']}?include_content=true")
    assert full == {**done, "content": "Alpha beta gamma.\nThe treasure is under the oak.\n"}
    assert http.get(f"/v1/folders/{folder}/files?include_content=true")[0]["content"] == full["content"]
    passages = http.get(f"/v1/folders/{folder}/passages")
    assert [each["text"] for each in passages] == ["Alpha beta gamma.\nThe treasure is under the oak."]
    assert (passages[0]["source_id"], passages[0]["file_id"], passages[0]["archive_id"], len(passages[0]["embedding"])) == (folder, made["id"], None, 4096)
    assert passages[0]["file_name"] == http.get(f"/v1/folders/{folder}")["name"] + "/test.txt"
    assert http.get(f"/v1/sources/{folder}/passages") == passages
    status, text, _ = http.send("DELETE", f"/v1/folders/{folder}/{made['id']}")
    assert (status, text) == (204, "")
    refused(http, "DELETE", f"/v1/sources/{folder}/{made['id']}", 404)
    assert http.get(f"/v1/folders/{folder}/files") == http.get(f"/v1/folders/{folder}/passages") == []


def test_names_are_numbered_and_reduced(http, folder):
    names = [send(http, folder, "test.txt", "x")[1] for _ in range(3)]
    assert [each["file_name"] for each in names] == ["test.txt", "test_(1).txt", "test_(2).txt"]
    assert {each["original_file_name"] for each in names} == {"test.txt"}
    http.send("DELETE", f"/v1/folders/{folder}/{names[0]['id']}")
    assert send(http, folder, "test.txt", "x")[1]["file_name"] == "test_(3).txt"  # two are left, and the number 2 is taken
    custom = [send(http, folder, "whatever.bin", "x", name="mine.txt")[1] for _ in range(2)]
    assert [(each["file_name"], each["original_file_name"]) for each in custom] == [("mine.txt", "mine.txt"), ("mine_(1).txt", "mine.txt")]
    for sent, kept in (("../../etc/passwd.txt", "passwd.txt"), ("..\\\\..\\\\boot.ini", "boot.ini"), (".hidden.md", "hidden.md"), ("a<b>|c?.txt", "abc.txt"), ("zip.zip/../../x.txt", "x.txt"), ("x" * 400 + ".txt", None)):
        made = send(http, folder, sent, "x")[1]
        assert made["file_name"] == kept or (kept is None and len(made["file_name"]) <= 255 and made["file_name"].endswith(".txt"))
    assert "name" in refused_upload(http, folder, 400, "...")


def test_duplicates_are_handled_as_asked(http, folder):
    agent = http.post("/v1/agents/", {"folder_ids": [folder]})["id"]
    first = upload(http, folder, "test.txt", "old text")
    status, kept, headers = send(http, folder, "test.txt", "new", duplicate_handling="skip")
    assert status == 200 and kept["id"] == first["id"] and headers["X-Upload-Result"] == "skipped"
    said = refused_upload(http, folder, 400, "test.txt", duplicate_handling="error")
    assert "test.txt" in said and http.get(f"/v1/folders/{folder}")["name"] in said
    replaced = upload(http, folder, "test.txt", "new text", duplicate_handling="replace")
    assert replaced["id"] != first["id"] and (replaced["file_name"], replaced["original_file_name"]) == ("test.txt", "test.txt")
    assert [each["id"] for each in http.get(f"/v1/folders/{folder}/files")] == [replaced["id"]]
    assert [each["value"] for each in blocks_of(http, agent).values()] == ["[Viewing file start (out of 1 lines)]\n1: new text"]
    assert [each["text"] for each in http.get(f"/v1/folders/{folder}/passages")] == ["new text"]
    refused_upload(http, folder, 422, "test.txt", duplicate_handling="maybe")
    assert send(http, folder, "fresh.txt", "x", duplicate_handling="error")[0] == 200


@pytest.mark.parametrize("name, kind, stored", [("a.py", "text/x-python", "text/x-python"), ("a.ts", "video/mp2t", "text/x-typescript"), ("a.md", "application/octet-stream", "text/markdown"),
                                                ("a.csv", None, "text/csv"), ("Dockerfile", "", "text/x-dockerfile"), ("noextension", "text/plain; charset=utf-8", "text/plain")])
def test_types_are_taken_as_sent_or_by_the_extension(http, folder, name, kind, stored):
    assert upload(http, folder, name, "x", kind)["file_type"] == stored


@pytest.mark.parametrize("name, kind", [("a.xyz", "chemical/x-xyz"), ("noextension", "application/octet-stream"), ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
                                        ("bomb.zip", "application/zip"), ("a.png", "image/png")])
def test_other_types_are_refused(http, folder, name, kind):
    said = refused_upload(http, folder, 415, name, "x", kind)
    assert name in said and "PDF" in said


def test_forms_without_a_file_are_refused(http, folder):
    body, kind = form("a.txt", "x", field="other")
    refused(http, "POST", f"/v1/folders/{folder}/upload", 422, raw=body, headers={"Content-Type": kind})
    refused(http, "POST", f"/v1/folders/{folder}/upload", 422, raw=b"{}", headers={"Content-Type": "application/json"})
    nameless = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n'
    refused(http, "POST", f"/v1/folders/{folder}/upload", 422, raw=nameless, headers={"Content-Type": "multipart/form-data; boundary=b"})
    body, kind = form("a.txt", "x", field="upload")
    assert http.send("POST", f"/v1/sources/{folder}/upload", raw=body, headers={"Content-Type": kind})[0] == 200
    refused(http, "POST", "/v1/folders/source-00000000-0000-4000-8000-00000000dead/upload", 404, raw=body, headers={"Content-Type": kind})


def test_odd_bytes_become_text(http, folder):
    def content(made):
        return http.get(f"/v1/folders/{folder}/files/{made['id']}?include_content=true")["content"]

    assert content(upload(http, folder, "a.txt", b"\xef\xbb\xbfbom\r\nx")) == "bom\r\nx"
    assert content(upload(http, folder, "b.txt", b"bad \xff\xfe bytes\x00")) == "bad \ufffd\ufffd bytes"
    empty = upload(http, folder, "c.txt", b"")
    assert (empty["processing_status"], empty["total_chunks"], empty["file_size"], content(empty)) == ("completed", 0, 0, "")


def test_a_seed_client_names_the_file_in_the_query(http, folder):
    made = send(http, folder, "a.txt", "x", word="sources")[1]
    status, _, _ = http.send("DELETE", f"/v1/sources/{folder}/files?file_id={made['id']}")
    assert status == 204
    made = send(http, folder, "a.txt", "x")[1]
    assert http.send("DELETE", f"/v1/sources/{folder}/files", {"file_id": made["id"]})[0] == 204
    refused(http, "DELETE", f"/v1/sources/{folder}/files", 422)


def test_files_go_to_the_agents_that_have_the_folder(http, folder):
    agents = [http.post("/v1/agents/", {"folder_ids": [folder]})["id"] for _ in range(2)]
    made = upload(http, folder, "a.txt", "hello")
    label = http.get(f"/v1/folders/{folder}")["name"] + "/a.txt"
    for agent in agents:
        assert blocks_of(http, agent)[label]["value"] == "[Viewing file start (out of 1 lines)]\n1: hello"
        assert "1: hello" in prompt_of(http, agent)
        assert [each["file_id"] for each in files_of(http, agent)] == [made["id"]]
    http.send("DELETE", f"/v1/folders/{folder}/{made['id']}")
    for agent in agents:
        assert not blocks_of(http, agent) and "hello" not in prompt_of(http, agent)


def test_files_open_until_the_limit_and_the_newest_first(http, folder):
    for number in range(4):
        upload(http, folder, f"{number}.txt", str(number))
    agent = http.post("/v1/agents/", {"max_files_open": 2})["id"]
    http.patch(f"/v1/agents/{agent}/folders/attach/{folder}")
    state = {each["file_name"][-5:]: each["is_open"] for each in files_of(http, agent)}
    assert state == {"0.txt": False, "1.txt": False, "2.txt": True, "3.txt": True}
    upload(http, folder, "4.txt", "4")
    assert len(files_of(http, agent, "?is_open=true")) == 2 and len(files_of(http, agent, "?is_open=false")) == 3
    http.patch(f"/v1/agents/{agent}", {"max_files_open": 1})
    assert len(files_of(http, agent, "?is_open=true")) == 1
    refused(http, "PATCH", f"/v1/agents/{agent}", 400, {"max_files_open": 1001})


def test_files_are_opened_and_closed_by_hand(http, folder):
    ids = [upload(http, folder, f"{number}.txt", str(number))["id"] for number in range(3)]
    called = http.get(f"/v1/folders/{folder}")["name"]
    agent = http.post("/v1/agents/", {"max_files_open": 2, "folder_ids": [folder]})["id"]
    place = {each["file_id"]: each for each in files_of(http, agent)}
    assert [place[each]["is_open"] for each in ids] == [False, True, True]
    assert http.patch(f"/v1/agents/{agent}/files/{ids[0]}/open") in ([f"{called}/1.txt"], [f"{called}/2.txt"])
    assert len(files_of(http, agent, "?is_open=true")) == 2
    assert ids[0] in http.patch(f"/v1/agents/{agent}/files/{ids[0]}/close")["message"]
    assert blocks_of(http, agent)[f"{called}/0.txt"]["value"] == "" and not blocks_of(http, agent)[f"{called}/0.txt"]["is_open"]
    assert http.patch(f"/v1/agents/{agent}/files/{ids[0]}/open") == []
    assert blocks_of(http, agent)[f"{called}/0.txt"]["value"].endswith("\n1: 0")
    assert len(http.patch(f"/v1/agents/{agent}/files/close-all")) == 2
    assert not files_of(http, agent, "?is_open=true") and http.patch(f"/v1/agents/{agent}/files/close-all") == []
    assert 'status="open"' not in prompt_of(http, agent)
    for verb in ("open", "close"):
        refused(http, "PATCH", f"/v1/agents/{agent}/files/file-00000000-0000-4000-8000-00000000dead/{verb}", 404)


def test_a_long_view_is_cut(http, folder):
    agent = http.post("/v1/agents/", {"per_file_view_window_char_limit": 500, "folder_ids": [folder]})["id"]
    upload(http, folder, "a.txt", "a line of text\n" * 1000)
    (value,) = (each["value"] for each in blocks_of(http, agent).values())
    assert len(value) == 500 and "\n...[TRUNCATED]\n" in value
    http.patch(f"/v1/agents/{agent}", {"per_file_view_window_char_limit": 50_000})
    (value,) = (each["value"] for each in blocks_of(http, agent).values())
    assert "TRUNCATED" not in value and value.endswith("\n1000: a line of text")


def test_a_plain_turn_of_an_agent_without_folders_reads_nothing_of_them(own_server):
    http = own_server().start().http()
    agents = {"without": http.post("/v1/agents", {}), "with": http.post("/v1/agents", {"folder_ids": [folder_of(http)]})}

    def cost(agent):
        def total():
            return int(next(line for line in http.send("GET", "/metrics")[1].splitlines() if line.startswith("stele_store_statements_total ")).split()[1])

        http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say warm"})
        before = total()
        http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say plain"})
        return total() - before

    assert cost(agents["without"]) <= 8
    assert cost(agents["with"]) <= 10


def test_the_limit_is_the_operators(own_server):
    http = own_server(environment={"LETTA_MAX_UPLOAD_MB": "1", "LETTA_TRUE_LINE_NUMBERS": "true"}).start().http()
    folder = folder_of(http)
    agent = http.post("/v1/agents", {"folder_ids": [folder]})["id"]
    assert "1048576" in refused_upload(http, folder, 400, "big.txt", b"x" * (2**20 + 1))
    upload(http, folder, "a.txt", "one\n\nthree\n")
    assert [each["value"] for each in blocks_of(http, agent).values()] == ["[Viewing file start (out of 3 lines)]\n1: one\n2: \n3: three"]


def test_a_text_of_fifty_megabytes(own_server):
    http = own_server().start().http()
    folder = http.post("/v1/folders", {"name": "big"})["id"]
    agent = http.post("/v1/agents", {"folder_ids": [folder]})["id"]
    line = b"0123456789 abcdefghij klmnopqrst uvwxyz .,;:-_#+\n"
    made = send(http, folder, "big.csv", line * (50 * 2**20 // len(line)))[1]
    assert blocks_of(http, agent)["big/big.csv"]["value"].startswith("[Viewing file start (out of 1069975 lines)]")
    said = http.post(f"/v1/agents/{agent}/messages", {"input": "@say still here"})
    assert said["messages"][-1]["content"] == "still here"
    assert http.send("DELETE", f"/v1/folders/{folder}/{made['id']}")[0] == 204
    refused_upload(http, folder, 400, "bigger.csv", b"x" * (50 * 2**20 + 1))


def test_pdfs_are_read_behind_walls(walled, http, folder):
    agent = http.post("/v1/agents/", {"folder_ids": [folder]})["id"]
    done = upload(http, folder, "paper.pdf", pdf("Quarterly report\nRevenue grew by nine percent"), "application/pdf")
    assert (done["processing_status"], done["error_message"], done["file_type"]) == ("completed", None, "application/pdf")
    text = http.get(f"/v1/folders/{folder}/files/{done['id']}?include_content=true")["content"]
    assert "Quarterly report" in text and "Revenue grew by nine percent" in text
    (value,) = (each["value"] for each in blocks_of(http, agent).values())
    assert "Revenue grew by nine percent" in value


@pytest.mark.parametrize("content", [b"", b"no pdf at all", b"%PDF-1.7\n" + b"1 0 obj <<" * 10_000, pdf("x")[:300], b"\x00" * 100_000], ids=["empty", "text", "nested", "cut", "zeros"])
def test_hostile_pdfs_end_in_error_with_a_reason(walled, http, folder, content):
    done = upload(http, folder, "evil.pdf", content, "application/pdf")
    assert done["processing_status"] in ("error", "completed")
    if done["processing_status"] == "error":
        assert "PDF can't be read" in done["error_message"] and "/" not in done["error_message"].split("(")[0]
    assert http.get("/v1/health")["status"] == "ok"


def test_without_walls_a_pdf_says_what_is_missing(own_server, tmp_path):
    """bubblewrap is not on this server's path."""
    (tmp_path / "bin").mkdir()
    http = own_server(environment={"PATH": str(tmp_path / "bin")}).start().http()
    folder = folder_of(http)
    done = upload(http, folder, "paper.pdf", pdf("x"), "application/pdf")
    assert done["processing_status"] == "error" and "bubblewrap" in done["error_message"]
    assert upload(http, folder, "a.txt", "x")["processing_status"] == "completed"


def test_switched_off_walls_are_no_reason(own_server):
    http = own_server(arguments=["--tools-sandbox", "unsafe-none"]).start().http()
    done = upload(http, folder_of(http), "paper.pdf", pdf("free"), "application/pdf")
    assert done["processing_status"] == "completed", done
