"""Packages that tools require: installed by pip from an index of the tests' own, kept, and removed when they take too much room."""

import concurrent.futures
import os

import pytest
import stele
from package_index import NodeRegistry, PackageIndex
from web_services import Web

KILOBYTES = 1 << 10
TELL = {"name": "tell", "description": "Tells.", "parameters": {"type": "object", "properties": {}}}


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


def test_calls_that_come_together_share_one_installation(start, index):
    index.offer("stele_shared")
    server = start()

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: use(server, "stele_shared"), range(3)))

    assert [each["status"] for each in made] == ["success"] * 3, made
    assert len([each for each in index.asked if each[1].startswith("/files/")]) == 1


def test_packages_are_there_for_the_calls_that_require_them_alone(start, index):
    index.offer("stele_mine")
    server = start()
    assert use(server, "stele_mine")["status"] == "success"

    bare = {"source_code": 'def f() -> str:\n    """Tells."""\n    import stele_mine\n', "args": {}}
    assert "ModuleNotFoundError" in server.http().post("/v1/tools/run", bare)["tool_return"]
    writing = {"source_code": 'def f() -> str:\n    """Writes."""\n    open("/env/stele_mine/__init__.py", "a")\n', "args": {}, "pip_requirements": [{"name": "stele_mine"}]}
    assert server.http().post("/v1/tools/run", writing)["status"] == "error"


def test_packages_that_take_too_much_of_the_disk_are_not_installed(start, index):
    index.offer("stele_large", files={f"stele_large/{n}.bin": os.urandom(700 * KILOBYTES) for n in range(3)})
    index.offer("stele_small")
    server = start(STELE_TOOLS_INSTALL_BYTES_MAX=str(1 << 20))

    made = use(server, "stele_large")

    assert made["status"] == "error" and "more than 1 MiB on the disk" in made["tool_return"], made
    assert use(server, "stele_small")["status"] == "success"
    assert kept(server) == ["stele_small"]


def test_npm_reaches_the_registry_and_nothing_else_that_is_private(own_server, walled):
    registry, closed = NodeRegistry(), Web(host="127.0.0.2")
    registry.offer("stele-node")
    registry.offer("stele-elsewhere", host=closed.url)
    server = own_server({"npm_config_registry": registry.url}).start()

    def use_node(package):
        source = f"import * as found from '{package}'; export function tell() {{ return found.default.version }}"
        return server.http().post("/v1/tools/run", {"source_code": source, "source_type": "typescript", "json_schema": TELL, "args": {}, "npm_requirements": [{"name": package, "version": "1.0.0"}]})

    made = use_node("stele-node")
    assert (made["status"], made["tool_return"]) == ("success", "1.0.0"), made
    made = use_node("stele-elsewhere")
    assert made["status"] == "error" and "Failed to install" in made["tool_return"]
    assert closed.asked == []
    registry.close()
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
