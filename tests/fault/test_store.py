"""A second server, a read-only folder, a full disk, a foreign file: clear words, and work goes on afterwards."""

import os
import sqlite3
import subprocess

import pytest
import stele


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


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_is_said_and_survived(own_server, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=False).returncode != 0:
        pytest.skip("this machine mounts nothing")
    try:
        server = own_server(folder=disk).start()
        http = server.http()
        agent = http.post("/v1/agents", {})
        refused = None
        for number in range(2_000):
            try:
                http.post("/v1/blocks", {"label": f"b{number}", "value": "x" * 60_000})
            except stele.Refused as error:
                refused = error
                break
        assert refused is not None and refused.status == 503 and "no space" in refused.text
        kept = http.get("/v1/blocks/count")
        assert kept == number
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert http.post("/v1/blocks", {"label": "after", "value": "x"})["value"] == "x"
        assert http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say alive"})["messages"][-1]["content"] == "alive"
        server.kill()
        server.start()
        assert http.get("/v1/blocks/count") == kept + 1
        server.kill()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_graceful_stop_ends_what_is_at_work(own_server):
    import threading

    server = own_server().start()
    http = server.http()
    agent = http.post("/v1/agents", {})
    answers = []
    talk = threading.Thread(target=lambda: answers.append(
        http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@sleep 600\n@say late but there"})))
    talk.start()
    while not http.get("/v1/runs?active=true"):
        pass
    assert server.stop() == 0
    talk.join(timeout=10)
    assert answers and answers[0]["messages"][-1]["content"] == "late but there"
