"""The rows of the API's table (data/endpoints.tsv) against what this server has: nothing is missing."""

import csv
import pathlib
import re

import pytest
import stele

ROWS = list(csv.DictReader((pathlib.Path(__file__).parent / "data/endpoints.tsv").open(), delimiter="\t"))
REFUSED = {"PUT /v1/git/{path}", "PATCH /v1/git/{path}", "DELETE /v1/git/{path}"}  # what the table says of them is 405


def shape(path: str) -> str:
    """Names of parameters are no part of a path."""
    return re.sub(r"\{[^}]*\}", "{}", path)


@pytest.fixture(scope="module")
def served(server) -> set:
    document = server.http().get("/openapi.json")
    found = {(verb.upper(), shape(path)) for path, verbs in document["paths"].items() for verb in verbs}
    return found | {("HEAD", path) for verb, path in found if verb == "GET"}


def name(row) -> str:
    return f"{row['method']} {row['path']}"


def test_the_table_is_whole():
    assert len(ROWS) == 428 and len({name(row) for row in ROWS}) == 428


def test_every_row_is_there(served):
    assert {name(row) for row in ROWS if (row["method"], shape(row["path"])) not in served and name(row) not in REFUSED} == set()


def test_no_row_lacks_a_handler_for_its_verb(server, served):
    """In both spellings of its path; what it says to ids that nobody has is the matter of other tests."""
    http = server.http(2)
    for row in ROWS:
        if row["path"] == "/v1/mcp-servers/connect/{mcp_server_id}":
            continue
        if name(row) in REFUSED:
            assert "GET" in stele.refused(http, row["method"], "/v1/git/x", 405).headers["Allow"]
            continue
        path = shape(row["path"]).replace("{}", "x")
        for spelling in {path, path.removeprefix("/v1")}:
            try:
                status, text, _ = http.send(row["method"], spelling, {} if row["method"] not in ("GET", "HEAD") else None)
            except stele.Refused as failed:
                status, text = failed.status, failed.text
            assert status != 405 and not (status == 404 and '"Not Found"' in text) and status < 500, f"{name(row)}: {status} {text[:200]}"
