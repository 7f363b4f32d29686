"""A second server, a read-only folder, a full disk, a foreign file: clear words, and work goes on afterwards."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time

import pytest
import stele
from runs import in_background


def start_and_fail(arguments, environment=None) -> subprocess.CompletedProcess:
    return subprocess.run([stele.BINARY, "serve", "--port", "0", *arguments], capture_output=True, text=True, timeout=30,
                          env={**os.environ, **(environment or {})}, check=False)


def test_a_second_server_is_refused(own_server, tmp_path):
    own_server().start()
    second = start_and_fail(["--data", str(tmp_path / "data")])
    assert second.returncode == 1 and "another server (process" in second.stderr


def test_a_port_in_use_is_said(own_server, tmp_path):
    first = own_server().start()
    second = subprocess.run([stele.BINARY, "serve", "--port", str(first.port), "--data", str(tmp_path / "other")],
                            capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1 and f"port {first.port}" in second.stderr


def test_no_listening_beyond_loopback_without_a_password(tmp_path):
    refused = start_and_fail(["--data", str(tmp_path), "--host", "0.0.0.0"], {"STELE_PASSWORD": ""})
    assert refused.returncode == 2 and "STELE_PASSWORD" in refused.stderr


def test_help_shows_every_command_and_option():
    for arguments in (["help"], ["--help"]):
        shown = subprocess.run([stele.BINARY, *arguments], capture_output=True, text=True, timeout=30, check=True).stdout
        assert "Usage: stele serve [OPTIONS]" in shown and "--durability" in shown
        assert all(f"\n  {command} " in shown for command in ("serve", "version", "help"))


def test_wrong_use_is_exit_code_two(tmp_path):
    assert start_and_fail(["--no-such-option"]).returncode == 2
    (tmp_path / "c.toml").write_text("prot = 1\n")
    wrong = start_and_fail(["--config", str(tmp_path / "c.toml")])
    assert wrong.returncode == 2 and "prot" in wrong.stderr


def test_the_configuration_file_speaks_where_nobody_else_does(own_server, tmp_path):
    (tmp_path / "c.toml").write_text('password = "from the file"\nlog_level = "debug"\n')
    server = own_server(arguments=["--config", str(tmp_path / "c.toml")]).start()
    with pytest.raises(stele.Refused) as refused:
        server.http().get("/v1/agents")
    assert refused.value.status == 401
    assert server.http(headers={"Authorization": "Bearer from the file"}).get("/v1/agents") == []
    assert "from the file" not in server.log.read_text()


def test_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "stele.db").write_bytes(b"this is a letter to my aunt, not a database" * 50)
    foreign = start_and_fail(["--data", str(tmp_path)])
    assert foreign.returncode == 1 and "no database" in foreign.stderr
    (tmp_path / "stele.db").unlink()
    with sqlite3.connect(tmp_path / "stele.db") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    foreign = start_and_fail(["--data", str(tmp_path)])
    assert foreign.returncode == 1 and "another program" in foreign.stderr


def test_a_newer_store_is_refused(own_server, tmp_path):
    own_server().start().stop()
    with sqlite3.connect(tmp_path / "data/stele.db") as store:
        store.execute("INSERT INTO schema_migration VALUES (9999, '9999_future.sql', 'x', 0)")
    refused = start_and_fail(["--data", str(tmp_path / "data")])
    assert refused.returncode == 1 and "newer version" in refused.stderr


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own, in memory: it can fill up and become read-only, also for root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine mounts nothing")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def fill(http) -> tuple[int, stele.Refused]:
    """Writes blocks until the store refuses one."""
    for number in range(2_000):
        try:
            http.post("/v1/blocks", {"label": f"b{number}", "value": "x" * 60_000})
        except stele.Refused as refused:
            return number, refused
    raise AssertionError("the disk does not fill up")


def test_a_full_disk_is_said_and_survived(own_server, disk):
    server = own_server(folder=disk).start()
    http = server.http()
    agent = http.post("/v1/agents", {})
    kept, refused = fill(http)
    assert refused.status == 503 and "no space" in refused.text
    assert http.get("/v1/blocks/count") == kept
    with pytest.raises(stele.Refused) as untold:
        http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say " + "lost " * 20_000})
    assert untold.value.status == 503 and "no space" in untold.value.text
    assert len(http.get(f"/v1/agents/{agent['id']}/messages")) == 1, "nothing of the step that could not be stored is there"
    remount(disk, "size=64m")
    assert http.post("/v1/blocks", {"label": "after", "value": "x"})["value"] == "x"
    assert http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say alive"})["messages"][-1]["content"] == "alive"
    server.kill()
    server.start()
    assert http.get("/v1/blocks/count") == kept + 1
    server.kill()


def test_a_disk_that_fills_up_in_the_middle_of_a_run_ends_it_on_record(own_server, model, disk):
    server = own_server(folder=disk).start()
    http = server.http()
    for megabytes in range(12, 120, 12):  # a log that has just been checkpointed has room for the step, however full the disk is
        remount(disk, f"size={megabytes}m")
        agent = http.post("/v1/agents", {})
        run = in_background(lambda: http.post(f"/v1/agents/{agent['id']}/messages", {"input": '@call conversation_search {"query":"x"}\n@hold'}))
        model.release()
        stele.wait_until(lambda: len(http.get(f"/v1/agents/{agent['id']}/messages")) == 4)  # the first step is stored, the second one asks the model
        fill(http)
        fill_rest(disk)
        model.release()
        run.join()
        if run.failure:
            break
        (disk / "ballast").unlink()
    assert run.failure.status == 503
    remount(disk, "size=150m")
    deadline = time.monotonic() + 30
    while http.get(f"/v1/runs?agent_id={agent['id']}")[0]["status"] == "running":
        assert time.monotonic() < deadline, "the run is called running though it ended"
        time.sleep(0.02)
    assert http.get(f"/v1/runs?agent_id={agent['id']}")[0]["status"] == "failed"
    assert http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say alive"})["messages"][-1]["content"] == "alive"
    server.kill()


def fill_rest(folder):
    """Leaves not one byte, so that the smallest write fails too."""
    with open(folder / "ballast", "ab", buffering=0) as ballast:
        for size in (65_536, 4_096, 1):
            try:
                while ballast.write(b"x" * size):
                    pass
            except OSError:
                pass


def test_a_read_only_folder_is_said_at_the_start(disk):
    remount(disk, "ro")
    refused = start_and_fail(["--data", str(disk / "data")])
    assert refused.returncode == 1 and str(disk) in refused.stderr and "read-only" in refused.stderr.lower(), refused.stderr
    remount(disk, "rw")
    (disk / "data").mkdir()
    remount(disk, "ro")
    refused = start_and_fail(["--data", str(disk / "data")])
    assert refused.returncode == 1 and str(disk) in refused.stderr and "read-only" in refused.stderr.lower(), refused.stderr


def test_a_folder_that_is_a_file_is_said_at_the_start(tmp_path):
    (tmp_path / "data").write_text("a file")
    refused = start_and_fail(["--data", str(tmp_path / "data")])
    assert refused.returncode == 1 and str(tmp_path / "data") in refused.stderr, refused.stderr


def test_a_disk_that_the_kernel_makes_read_only_is_said_and_survived(own_server, tmp_path):
    """As after an error of the medium: files that are open can no longer be written either."""
    image, folder = tmp_path / "disk.img", tmp_path / "failing"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    made = subprocess.run(["mkfs.ext4", "-q", str(image)], check=False).returncode == 0 if shutil.which("mkfs.ext4") else False
    mount = ["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)]
    if not made or os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine mounts no image")
    try:
        device = next(line.split()[0] for line in open("/proc/mounts") if line.split()[1] == str(folder))
        server = own_server(folder=folder).start()
        http = server.http()
        agent = http.post("/v1/agents", {"memory_blocks": [{"label": "human", "value": "x"}]})
        path = f"/v1/agents/{agent['id']}/messages"
        assert http.post(path, {"input": "@say before"})["messages"][-1]["content"] == "before"
        with open(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error", "w") as trigger:
            trigger.write("broken on purpose")
        for _ in range(3):
            with pytest.raises(stele.Refused) as refused:
                http.post(path, {"input": "@say lost"})
            assert refused.value.status == 503 and "retry-after" in {name.lower() for name in refused.value.headers}
            assert "read-only" in refused.value.text or "disk" in refused.value.text, refused.value.text
        with pytest.raises(stele.Refused) as refused:
            http.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/human", {"value": "lost"})
        assert refused.value.status == 503
        events = http.events(path + "/stream", {"input": "@say lost"})
        assert events[-4]["message_type"] == "stop_reason" and events[-3] == "event: error" and events[-1] == "[DONE]"
        assert [m.get("content") for m in http.get(path)][-1] == "before", "what is there can still be read"
        server.kill()
        subprocess.run(["umount", str(folder)], check=True)
        subprocess.run(["fsck.ext4", "-p", "-f", str(image)], capture_output=True, check=False)
        subprocess.run(mount, check=True)
        server.start()
        assert http.post(path, {"input": "@say after"})["messages"][-1]["content"] == "after"
        assert [m.get("content") for m in http.get(path + "?order=asc")][1:] == ["@say before", "before", "@say after", "after"]
        server.kill()
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def listens(server):
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
        return True
    except OSError:
        return False


def test_a_graceful_stop_ends_what_is_at_work(own_server, model):
    server = own_server().start()
    http = server.http()
    agent = http.post("/v1/agents", {})
    answers = []
    talk = threading.Thread(target=lambda: answers.append(
        http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@hold\n@say late but there"})))
    talk.start()
    stele.wait_until(lambda: http.get("/v1/runs?active=true"))
    stopping = in_background(server.stop)
    stele.wait_until(lambda: not listens(server))
    model.release()
    assert stopping.done() == 0
    talk.join(timeout=10)
    assert answers and answers[0]["messages"][-1]["content"] == "late but there"


def test_search_knows_what_was_said_just_before_a_crash_and_forgets_what_was_deleted(own_server):
    server = own_server().start()
    http = server.http()
    kept, gone = http.post("/v1/agents", {})["id"], http.post("/v1/agents", {})["id"]

    def said(agent):
        call = '@call conversation_search {"query": "zanzibar"}'
        found = http.post(f"/v1/agents/{agent}/messages", {"input": call})["messages"][1]["tool_return"]
        return len(json.loads(found)["results"])

    for agent in (kept, gone):
        http.post(f"/v1/agents/{agent}/messages", {"input": "@say noted\nI come from Zanzibar."})
    server.kill()  # the index was not brought up to date yet
    server.start()
    assert said(kept) == 1
    http.post(f"/v1/agents/{gone}/messages", {"input": "@say noted\nZanzibar is an island."})
    http.delete(f"/v1/agents/{gone}")  # one message of it is in the index, one is not
    assert said(kept) >= 1
    server.stop()
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        store.execute("INSERT INTO message_search (message_search) VALUES ('integrity-check')")
        queued = store.execute("SELECT COUNT(*) FROM message_search_queue q LEFT JOIN message m ON m.position = q.position"
                               " WHERE m.position IS NULL").fetchone()[0]
        found = store.execute("SELECT COUNT(*) FROM message_search f LEFT JOIN message m ON m.position = f.rowid"
                              " WHERE m.position IS NULL AND message_search MATCH 'zanzibar'").fetchone()[0]
    assert (queued, found) == (0, 0)
