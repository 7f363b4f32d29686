"""Packs of a few hundred bytes that say they hold more than the machine has: whoever pushes one is refused, and nobody else
hears of it."""

import hashlib
import struct
import zlib

import pytest
from stele import refused

BLOB, TREE, COMMIT, REFERENCE_DELTA = 3, 2, 1, 7
GIB = 1 << 30


def number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def entry(kind: int, content: bytes, size: int | None = None, base: bytes = b"") -> bytes:
    """An object of a pack; `content` is packed unless it is so already."""
    packed, size = (content, size) if size is not None else (zlib.compress(content, 9), len(content))
    first = kind << 4 | size & 15
    rest = size >> 4
    return (bytes([first | 0x80]) + number(rest) if rest else bytes([first])) + base + packed


def sha(kind: str, content: bytes) -> bytes:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).digest()


def commit_of(tree: bytes, parent: str) -> bytes:
    who = "Grace <g@example> 1700000000 +0000"
    return f"tree {tree.hex()}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nbomb\n".encode()


def tree_of(name: str, blob: bytes) -> bytes:
    return f"100644 {name}\0".encode() + blob


def line(text: bytes) -> bytes:
    return f"{len(text) + 4:04x}".encode() + text


def push(http, agent, entries: list[bytes], old: str, new: bytes) -> str:
    pack = b"PACK" + struct.pack("!II", 2, len(entries)) + b"".join(entries)
    pack += hashlib.sha1(pack).digest()
    body = line(f"{old} {new.hex()} refs/heads/main\0report-status".encode()) + b"0000" + pack
    _, told, _ = http.send("POST", f"/v1/git/{agent['id']}/state.git/git-receive-pack", raw=body, headers={"Content-Type": "application/x-git-receive-pack-request"})
    return told


def zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()


@pytest.fixture
def http(server):
    return server.http(2)


@pytest.fixture
def remembering(http):
    """An agent whose memory is a repository, and the commit of its main."""
    made = http.post("/v1/agents", {"tags": ["git-memory-enabled"], "include_base_tools": False, "memory_blocks": [{"label": "notes", "value": "milk"}]})
    http.send("GET", f"/v1/git/{made['id']}/state.git/info/refs?service=git-receive-pack")
    head = http.get(f"/v1/agents/{made['id']}/memory-files/history?file_path=notes.md")["commits"][0]["sha"]
    return made, head


def test_a_delta_that_repeats_its_base_is_refused(http, remembering):
    agent, head = remembering
    base = bytes((1 << 24) - 1)
    copies = 4 * GIB // len(base)
    delta = number(len(base)) + number(copies * len(base)) + (b"\xf0" + len(base).to_bytes(3, "little")) * copies
    entries = [entry(BLOB, base), entry(REFERENCE_DELTA, delta, base=sha("blob", base))]
    tree = tree_of("bomb.bin", sha("blob", base))
    made = commit_of(sha("tree", tree), head)
    told = push(http, agent, [*entries, entry(TREE, tree), entry(COMMIT, made)], head, sha("commit", made))
    assert "unpack ok" not in told, told
    assert http.get(f"/v1/agents/{agent['id']}/memory-files/content?file_path=notes.md")["content"].endswith("milk\n")


def test_a_file_that_unpacks_to_much_is_shown_by_git_alone(http, remembering):
    agent, head = remembering
    size = 40 << 20
    digest = hashlib.sha1(f"blob {size}\0".encode())
    for _ in range(size >> 20):
        digest.update(bytes(1 << 20))
    tree = tree_of("large.bin", digest.digest())
    made = commit_of(sha("tree", tree), head)
    told = push(http, agent, [entry(BLOB, zeros(size), size), entry(TREE, tree), entry(COMMIT, made)], head, sha("commit", made))
    assert "unpack ok" in told and "ok refs/heads/main" in told
    failed = refused(http, "GET", f"/v1/agents/{agent['id']}/memory-files/content?file_path=large.bin", 413)
    assert f"large.bin has {size} bytes" in failed.body["detail"]
