"""Packages that tools require: installed by pip from an index of the tests' own, kept, and removed when they take too much room."""

import os

import pytest
import stele
from package_index import PackageIndex
from web_services import Web

KILOBYTES = 1 << 10


@pytest.fixture
def index():
    made = PackageIndex()
    yield made
    made.close()


@pytest.fixture
def start(walled, own_server, index):
    """Starts a server whose packages come from `index`; again, if one is stopped before."""

    def make(**options):
        return own_server({"STELE_TOOLS_PACKAGE_INDEX": index.index, **options}).start()

    return make


def use(server, package, **more):
    source = f'def f() -> str:\n    """Tells."""\n    import {package}\n    return {package}.__file__ + " " + {package}.VERSION\n'
    return server.http().post("/v1/tools/run", {"source_code": source, "args": {}, "pip_requirements": [{"name": package, **more}]})


def kept(server):
    """Names of the packages in the folders that are there."""
    folder = server.folder / "data/tool-environments"
    return sorted(name for each in folder.iterdir() for name in os.listdir(each) if "." not in name)


def test_a_package_is_installed_once_and_imported(start, index):
    index.offer("stele_one")
    server = start()

    for _ in range(2):
        made = use(server, "stele_one", version="1.0")
        assert (made["status"], made["tool_return"]) == ("success", "/env/stele_one/__init__.py 1.0"), made
    assert len([each for each in index.asked if each[1].startswith("/files/")]) == 1


def test_what_can_not_be_had_says_so_in_the_known_words(start):
    made = use(start(), "stele_none")

    assert made["status"] == "error"
    for words in ("Failed to install", "package version incompatibility", "stele_none"):
        assert words in made["tool_return"]


def test_pip_reaches_the_index_and_nothing_else_that_is_private(start, index):
    closed = Web(host="127.0.0.2")
    index.offer("stele_elsewhere", host=closed.url)

    made = use(start(), "stele_elsewhere")

    assert made["status"] == "error" and "Failed to install" in made["tool_return"]
    assert closed.asked == []
    closed.close()


def test_packages_over_the_limit_go_but_never_those_in_use(start, index):
    for name in ("stele_a", "stele_b", "stele_c"):
        index.offer(name, files={f"{name}/data.bin": os.urandom(80 * KILOBYTES)})
    limited = {"STELE_TOOLS_PACKAGES_BYTES_MAX": str(100 * KILOBYTES)}
    server = start(**limited)
    assert [use(server, name)["status"] for name in ("stele_a", "stele_b", "stele_a")] == ["success"] * 3
    assert kept(server) == ["stele_a", "stele_b"], "their interpreters are warm"
    assert server.stop() == 0

    server = start(**limited)
    assert use(server, "stele_b")["status"] == "success", "from the disk"
    assert use(server, "stele_c")["status"] == "success"
    stele.wait_until(lambda: kept(server) == ["stele_b", "stele_c"])
    asked = len(index.asked)
    assert use(server, "stele_b")["status"] == "success" and len(index.asked) == asked
    made = use(server, "stele_a")
    assert made["status"] == "success" and len(index.asked) > asked, "what was removed is installed anew"


def test_a_folder_that_somebody_has_removed_is_installed_anew(start, index):
    index.offer("stele_lost")
    server = start()
    assert use(server, "stele_lost")["status"] == "success"
    assert server.stop() == 0
    for each in (server.folder / "data/tool-environments").iterdir():
        each.rename(each.with_suffix(".removing"))  # as if the server had been killed while it removed it

    server = start()
    assert use(server, "stele_lost")["status"] == "success"
    stele.wait_until(lambda: kept(server) == ["stele_lost"] and not list((server.folder / "data/tool-environments").glob("*.removing")))
