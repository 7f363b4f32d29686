"""An agent's memory as a repository of git, spoken with by git itself: what blocks become shows as commits, what is pushed
becomes the blocks, and no crash in between loses either."""

import os
import sqlite3
import subprocess

import pytest
from stele import GONE, refused, wait_until

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8",
               "GIT_AUTHOR_NAME": "Grace", "GIT_AUTHOR_EMAIL": "g@example", "GIT_COMMITTER_NAME": "Grace", "GIT_COMMITTER_EMAIL": "g@example"}


class Clone:
    def __init__(self, folder, url, *options):
        self.folder = folder
        self.git("clone", "--quiet", *options, url, str(folder), at=folder.parent)

    def git(self, *arguments, at=None, ok=True) -> str:
        done = subprocess.run(["git", *arguments], cwd=at or self.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == ok, f"git {arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    def read(self, path):
        return (self.folder / path).read_text()

    def write(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text) if isinstance(text, str) else file.write_bytes(text)

    def push(self, *changes, message="by hand", ok=True):
        for path, text in changes:
            self.write(path, text) if text is not None else (self.folder / path).unlink()
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", message)
        return self.git("push", "--quiet", "origin", "HEAD:main", ok=ok)

    def files(self):
        return sorted(self.git("ls-files").split("\n")[:-1])


@pytest.fixture
def http(server):
    return server.http(2)


def make(http, *blocks, **more):
    return http.post("/v1/agents", {"name": "Ada", "tags": ["git-memory-enabled"], "include_base_tools": False, "memory_blocks": [*blocks], **more})


PERSONA = {"label": "system/persona", "value": "I am Ada.\nI count.", "description": "Who: I am"}
NOTES = {"label": "notes", "value": "- milk"}


def values(http, agent):
    return {block["label"]: block["value"] for block in http.get(f"/v1/agents/{agent['id']}/core-memory/blocks?limit=100")}


def url(http, agent, rest="state.git"):
    return f"{http.url}/v1/git/{agent['id']}/{rest}"


@pytest.mark.parametrize("options", [[], ["-c", "protocol.version=0"], ["--depth", "1"], ["--mirror"]], ids=["v2", "v0", "shallow", "mirror"])
def test_blocks_are_files(http, tmp_path, options):
    agent = make(http, PERSONA, NOTES, {"label": "skills/review/SKILL.md", "value": "---\nname: review\n---\nRead."}, {"label": "a/../b", "value": "no path"})
    assert agent["memory"]["git_enabled"] is True
    clone = Clone(tmp_path / "c", url(http, agent), *options)
    if options == ["--mirror"]:
        assert "main" in clone.git("branch")
        return
    assert clone.files() == ["notes.md", "skills/review/SKILL.md", "system/persona.md"]
    assert clone.read("system/persona.md") == '---\ndescription: "Who: I am"\n---\n\nI am Ada.\nI count.\n' and clone.read("notes.md") == "- milk\n"
    assert clone.git("log", "--format=%an %ae").startswith(f"Ada {agent['id']}@stele")


def test_what_is_pushed_becomes_the_blocks(http, tmp_path):
    agent = make(http, PERSONA, NOTES)
    clone = Clone(tmp_path / "c", url(http, agent))
    clone.push(("system/persona.md", "---\ndescription: 'It''s me'\nlimit: 7\nread_only: true\nmood: kept\n---\n\nI am Eve.\n"), ("system/human.md", "Grace ☃\n\n"),
               ("notes.md", None), ("picture.png", b"\x89PNG"), ("latin.md", b"\xe9"))
    assert values(http, agent) == {"system/persona": "I am Eve.", "system/human": "Grace ☃\n"}
    persona = next(b for b in http.get(f"/v1/agents/{agent['id']}/core-memory/blocks") if b["label"] == "system/persona")
    assert (persona["description"], persona["limit"], persona["read_only"]) == ("It's me", 7, True)
    history = http.get(f"/v1/blocks/{persona['id']}/history")
    assert any(each["value"] == "I am Ada.\nI count." for each in history)
    assert "I am Eve." in http.get(f"/v1/agents/{agent['id']}/context")["core_memory"]
    http.patch(f"/v1/blocks/{persona['id']}", {"description": "Me"})
    clone.git("pull", "--quiet")
    assert clone.read("system/persona.md") == "---\ndescription: Me\nlimit: 7\nread_only: true\nmood: kept\n---\n\nI am Eve.\n"
    assert clone.files() == ["latin.md", "picture.png", "system/human.md", "system/persona.md"]


def test_who_edits_at_the_same_time_has_to_pull_first(http, tmp_path):
    agent = make(http, PERSONA, NOTES)
    first, second = (Clone(tmp_path / name, url(http, agent)) for name in "ab")
    first.push(("notes.md", "- bread\n"))
    assert "rejected" in second.push(("system/persona.md", "I am Eve.\n"), ok=False)
    http.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/notes", {"value": "- bread\n- jam"})
    second.git("pull", "--quiet", "--rebase")
    second.git("push", "--quiet")
    assert values(http, agent) == {"system/persona": "I am Eve.", "notes": "- bread\n- jam"}
    assert second.read("notes.md") == "- bread\n- jam\n"
    assert "rejected" in first.git("push", "--force", "origin", "HEAD~1:main", ok=False) and "rejected" in first.git("push", "origin", ":main", ok=False)
    assert values(http, agent)["notes"] == "- bread\n- jam"


def system_text(http, agent, **request):
    payload = http.post(f"/v1/agents/{agent['id']}/messages/preview-raw-payload", {"messages": [{"role": "user", "content": "x"}], **request})
    return payload["messages"][0]["content"]


def test_prompts_show_what_is_below_system_and_name_the_rest(http):
    agent = make(http, PERSONA, NOTES, {"label": "skills/review/SKILL.md", "value": "Read it twice.", "description": "How I review"})
    text = system_text(http, agent)
    assert "<self>\n<projection>$MEMORY_DIR/system/persona.md</projection>\n<description>Who: I am</description>\nI am Ada." in text
    assert "└── notes.md" in text and "- milk" not in text and "Read it twice" not in text
    assert text.endswith("<available_skills>\n$MEMORY_DIR/skills/\n└── review/\n    └── SKILL.md (How I review)\n</available_skills>")
    core = http.get(f"/v1/agents/{agent['id']}/context")["core_memory"]
    assert core.endswith("</external_projection>") and "I am Ada." in core
    plain = http.post("/v1/agents", {"memory_blocks": [PERSONA, NOTES], "include_base_tools": False})
    assert "- milk" in system_text(http, plain)
    http.patch(f"/v1/agents/{plain['id']}", {"tags": ["git-memory-enabled"]})
    assert "- milk" not in system_text(http, plain) and "I am Ada." in system_text(http, plain)


def test_skills_that_a_request_brings_are_named_for_that_request(http, agent):
    skills = [{"name": "plan", "description": "Plans first", "location": "/home/ada/skills/plan/SKILL.md"}]
    assert "/home/ada/skills/\n└── plan/\n    └── SKILL.md (Plans first)" in system_text(http, agent, client_skills=skills)
    assert "available_skills" not in system_text(http, agent)
    assert "available_skills" not in system_text(http, agent, client_skills=skills, override_system="Be brief.")
    problem = refused(http, "POST", f"/v1/agents/{agent['id']}/messages", 422, {"input": "x", "client_skills": [{"location": "plan/SKILL.md"}]})
    assert "client_skills.0.name" in str(problem)


def test_a_block_that_others_hold_stays_theirs(http, tmp_path):
    agent = make(http, NOTES)
    block = http.get(f"/v1/agents/{agent['id']}/core-memory/blocks")[0]["id"]
    other = http.post("/v1/agents", {"block_ids": [block]})
    clone = Clone(tmp_path / "c", url(http, agent))
    clone.push(("notes.md", None))
    assert values(http, agent) == {} and values(http, other) == {"notes": "- milk"}
    Clone(tmp_path / "d", url(http, agent))


def test_a_crash_behind_the_push_loses_nothing(own_server, tmp_path):
    server = own_server().start()
    http = server.http(2)
    agent = make(http, NOTES)
    clone = Clone(tmp_path / "c", url(http, agent))
    clone.push(("notes.md", "- one\n"))
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        before = store.execute("SELECT commit_id FROM git_memory").fetchone()[0]
    clone.push(("notes.md", "- two\n"), ("more.md", "x\n"))
    server.kill()
    # As if the server had died between git's answer and the blocks.
    with sqlite3.connect(server.folder / "data/stele.db") as store:
        store.execute("UPDATE git_memory SET commit_id = ?", (before,))
        store.execute("UPDATE block SET value = '- one' WHERE label = 'notes'")
        store.execute("DELETE FROM agent_block WHERE label = 'more'")
        store.execute("DELETE FROM block WHERE label = 'more'")
    http = server.start().http(2)
    assert values(http, agent) == {"notes": "- one"}
    assert http.get(f"/v1/agents/{agent['id']}/memory-files/content?file_path=notes.md")["content"] == "- two\n"
    assert values(http, agent) == {"notes": "- two", "more": "x"}
    clone.git("pull", "--quiet")
    assert clone.git("status", "--porcelain") == "" and len(clone.git("log", "--format=%H").split()) == 3


def test_a_lost_folder_is_made_anew_from_the_blocks(own_server, tmp_path):
    import shutil
    server = own_server().start()
    http = server.http(2)
    agent = make(http, NOTES)
    Clone(tmp_path / "c", url(http, agent)).push(("notes.md", "- one\n"))
    shutil.rmtree(server.folder / "data/git-memory" / f"{agent['id']}.git")
    assert Clone(tmp_path / "d", url(http, agent)).read("notes.md") == "- one\n"


def test_folders_of_what_is_gone_go_too(own_server, tmp_path):
    server = own_server().start()
    http = server.http(2)
    agent, kept = make(http, NOTES), make(http, NOTES)
    for each in (agent, kept):
        Clone(tmp_path / each["id"], url(http, each))
    http.delete(f"/v1/agents/{agent['id']}")
    server.stop()
    server.start()
    folders = server.folder / "data/git-memory"
    wait_until(lambda: [each.name for each in folders.iterdir()] == [f"{kept['id']}.git"])


def test_the_password_opens_it(own_server, tmp_path):
    server = own_server({"STELE_PASSWORD": "pw"}).start()
    http = server.http(2, headers={"Authorization": "Bearer pw"})
    agent = make(http, NOTES)
    with_password = url(http, agent).replace("http://", "http://anyone:pw@")
    Clone(tmp_path / "c", with_password).push(("notes.md", "- one\n"))
    assert values(http, agent) == {"notes": "- one"}
    user = http.post("/v1/admin/users", {"name": "u", "organization_id": "org-00000000-0000-4000-8000-000000000000"})
    reader = http.post("/v1/admin/keys", {"name": "k", "user_id": user["id"], "scopes": ["read"]})["key"]
    clone = Clone(tmp_path / "d", url(http, agent).replace("http://", f"http://x:{reader}@"))
    assert "403" in clone.push(("notes.md", "- two\n"), ok=False) and values(http, agent) == {"notes": "- one"}
    done = subprocess.run(["git", "ls-remote", url(http, agent)], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode != 0 and "could not read Username" in done.stderr


def test_what_is_no_memory(http, agent, tmp_path):
    plain = http.post("/v1/agents", {"include_base_tools": False})
    assert "git-memory-enabled" in refused(http, "GET", f"/v1/git/{plain['id']}/state.git/info/refs?service=git-upload-pack", 404).text
    refused(http, "GET", f"/v1/git/agent-{GONE}/state.git/info/refs?service=git-upload-pack", 404)
    mine = make(http, NOTES)
    refused(http, "GET", f"/v1/git/{mine['id']}/state.git/info/refs", 400)
    refused(http, "GET", f"/v1/git/{mine['id']}/state.git/HEAD", 404)
    for verb in ("PUT", "PATCH", "DELETE"):
        assert "GET" in refused(http, verb, f"/v1/git/{mine['id']}/state.git/x", 405).headers["Allow"]
    assert http.send("OPTIONS", "/v1/git/x")[2]["Allow"] == "GET, HEAD, POST, OPTIONS"
    refused(http, "POST", f"/v1/git/{mine['id']}/state.git/git-receive-pack", 415, {})
    headers = {"Content-Type": "application/x-git-receive-pack-request"}
    refused(http, "POST", f"/v1/git/{mine['id']}/state.git/git-receive-pack", 400, raw=b"nonsense", headers=headers)
    for kind in ("directory", "content?file_path=x", "history?file_path=x"):
        failed = refused(http, "GET", f"/v1/agents/{plain['id']}/memory-files/{kind}", 501)
        assert "git-memory-enabled" in failed.body["message"] and failed.body["detail"] == failed.body["message"]


def test_memory_can_be_read_without_git(http, tmp_path):
    agent = make(http, PERSONA, NOTES, {"label": "skills/a/b/deep.md", "value": "x"})
    base = f"/v1/agents/{agent['id']}/memory-files"
    def names(query=""):
        return [(e["name"], e["type"]) for e in http.get(f"{base}/directory{query}")["entries"]]
    assert names() == [("notes.md", "file"), ("skills", "directory"), ("system", "directory")]
    assert names("?path=/system/") == [("persona.md", "file")]
    assert names("?path=skills&depth=2") == [("a", "directory"), ("a/b", "directory")] and ("a/b/deep.md", "file") in names("?path=skills&depth=3")
    first = http.get(f"{base}/history?file_path=notes.md")["commits"][0]
    http.patch(f"/v1/agents/{agent['id']}/core-memory/blocks/notes", {"value": "- tea"})
    shown = http.get(f"{base}/content?file_path=notes.md")
    assert (shown["path"], shown["content"]) == ("notes.md", "- tea\n") and shown["ref"] != first["sha"]
    assert http.get(f"{base}/content?file_path=notes.md&ref={first['sha']}")["content"] == "- milk\n"
    assert http.get(f"{base}/content?file_path=notes.md&ref=main")["content"] == "- tea\n"
    commits = http.get(f"{base}/history?file_path=notes.md")["commits"]
    assert [c["sha"] for c in commits] == [shown["ref"], first["sha"]] and commits[0]["message"] == "Memory: notes.md" and commits[0]["author_name"] == "Ada"
    assert commits[0]["timestamp"].startswith("20") and len(http.get(f"{base}/history?file_path=notes.md&limit=1")["commits"]) == 1
    for query in ("directory?path=nowhere", "content?file_path=nowhere", "history?file_path=nowhere", "content?file_path=notes.md&ref=nowhere", "content?file_path=notes.md&ref=--help",
                  "content?file_path=system"):
        refused(http, "GET", f"{base}/{query}", 404)
    for query in ("directory?depth=0", "content", "history?file_path=x&limit=0"):
        refused(http, "GET", f"{base}/{query}", 422)
    assert http.get(f"/v1/repositories/{agent['id']}/versions?path=notes.md")["commits"] == commits


def test_repositories_are_shared_by_mounting_them(http, tmp_path):
    name = f"team-{os.urandom(4).hex()}"
    made = http.post("/v1/repositories", {"name": name})
    assert made == http.get("/v1/repositories?limit=1")["repositories"][0]
    one, two = make(http, NOTES), http.post("/v1/agents", {})
    rest = f"repositories/{name}.git"
    refused(http, "GET", f"/v1/git/{one['id']}/{rest}/info/refs?service=git-upload-pack", 404)
    for each in (one, two, two):
        mounted = http.post(f"/v1/agents/{each['id']}/repositories", {"repository_id": made["id"]})
    assert mounted == http.get(f"/v1/agents/{two['id']}/repositories")
    assert mounted["repositories"] == [{"id": two["id"], "name": "state", "is_primary": True}, {"id": made["id"], "name": name, "is_primary": False}]
    Clone(tmp_path / "a", url(http, one, rest)).push(("plan.md", "Ship it.\n"), message="a plan")
    clone = Clone(tmp_path / "b", url(http, two, rest))
    assert clone.read("plan.md") == "Ship it.\n" and "plan" not in values(http, one)
    versions = http.get(f"/v1/repositories/{made['id']}/versions?limit=5")["commits"]
    assert [(v["message"], v["author_name"]) for v in versions] == [("a plan", "Grace")] and http.get(f"/v1/repositories/{made['id']}/versions?path=x")["commits"] == []
    http.delete(f"/v1/agents/{two['id']}/repositories/{made['id']}")
    clone.git("fetch", ok=False)
    refused(http, "DELETE", f"/v1/agents/{two['id']}/repositories/{made['id']}", 404)
    refused(http, "DELETE", f"/v1/agents/{two['id']}/repositories/{two['id']}", 400)
    refused(http, "POST", f"/v1/agents/{two['id']}/repositories", 404, {"repository_id": f"repository-{GONE}"})
    refused(http, "POST", "/v1/repositories", 409, {"name": name})
    for bad in ("", "a/b", ".x", "x.git", "state", "ü", "x" * 101):
        assert "body.name" in refused(http, "POST", "/v1/repositories", 422, {"name": bad}).text


def test_what_git_has_acknowledged_survives_a_kill(own_server, tmp_path):
    """Pushes and edits of blocks go on until the server is killed somewhere among them: every one that was answered is there."""
    import random
    import threading
    import time
    server, seed = own_server().start(), random.randrange(1 << 30)
    chance = random.Random(seed)
    agent = make(server.http(2), {"label": "pushed", "value": "0"}, {"label": "edited", "value": "0"})
    for cut in range(5):
        clone = Clone(tmp_path / f"c{cut}", url(server.http(2), agent))
        killer = threading.Timer(chance.uniform(0.05, 0.6), server.kill)
        pushed, edited = int(clone.read("pushed.md")), int(clone.read("edited.md"))
        acknowledged = {"pushed": pushed, "edited": edited}
        killer.start()
        try:
            for number in range(1, 1000):
                server.http(2).patch(f"/v1/agents/{agent['id']}/core-memory/blocks/edited", {"value": str(edited + number)})
                acknowledged["edited"] = edited + number
                clone.git("pull", "--quiet", "--rebase")
                clone.push(("pushed.md", f"{pushed + number}\n"))
                acknowledged["pushed"] = pushed + number
        except (AssertionError, OSError):
            pass  # the server has gone
        killer.join()
        while server.process.child.poll() is None:
            time.sleep(0.01)
        server.start()
        after = Clone(tmp_path / f"d{cut}", url(server.http(2), agent))
        kept = {name: int(value) for name, value in values(server.http(2), agent).items()}
        for name, least in acknowledged.items():
            assert least <= kept[name] <= least + 1 and after.read(f"{name}.md") == f"{kept[name]}\n", f"seed {seed}, cut {cut}: {acknowledged} {kept}"
        after.git("fsck", "--strict")
