"""HTTP/1.1 as it goes over the wire, against the real binary: good requests, bad ones, and clients that misbehave."""

import gzip
import json
import select

import pytest
from wire import Wire, request


@pytest.fixture
def wire(server):
    with Wire(server.port) as connection:
        yield connection


def healthy(connection: Wire):
    assert connection.ask("GET", "/v1/health").status == 200


def block(label: str, value: str = "") -> bytes:
    return json.dumps({"label": label, "value": value}).encode()


# ---- one connection, many requests ----


def test_a_connection_serves_many_requests(wire):
    for _ in range(20):
        found = wire.ask("GET", "/v1/health")
        assert found.status == 200 and found.header("Connection") is None


def test_a_connection_ends_when_the_client_asks_for_it(wire):
    found = wire.ask("GET", "/v1/health", headers={"Connection": "close"})
    assert found.status == 200 and found.header("Connection") == "close"
    assert wire.is_closed()


def test_http_1_0_gets_one_answer(wire):
    wire.send(b"GET /v1/health HTTP/1.0\r\n\r\n")
    assert wire.answer().status == 200
    assert wire.is_closed()


def test_pipelined_requests_are_answered_in_order_with_a_slow_one_between(wire, agent):
    path = f"/v1/agents/{agent['id']}/messages"
    slow = json.dumps({"input": "@sleep 300\n@say slow"}).encode()
    burst = b"".join(request("POST", "/v1/blocks", block(f"piped-{i}")) for i in range(100))
    wire.send(burst + request("POST", path, slow) + burst)
    for i in range(100):
        assert wire.answer().json()["label"] == f"piped-{i}"
    assert wire.answer().json()["messages"][-1]["content"] == "slow"
    for i in range(100):
        assert wire.answer().json()["label"] == f"piped-{i}"
    healthy(wire)


def test_a_request_that_comes_while_a_stream_is_sent_is_answered_after_it(wire, agent):
    body = json.dumps({"input": "@sleep 200\n@long 50", "streaming": True}).encode()
    wire.send(request("POST", f"/v1/agents/{agent['id']}/messages", body))
    assert wire.head().header("Content-Type").startswith("text/event-stream")
    wire.send(request("GET", "/v1/health") * 3)
    while wire.chunk():
        pass
    for _ in range(3):
        assert wire.answer().status == 200


def test_a_request_may_come_byte_by_byte(wire):
    for byte in request("POST", "/v1/blocks", block("slow-bytes")):
        wire.send(bytes([byte]))
    assert wire.answer().json()["label"] == "slow-bytes"


def test_a_client_that_has_shut_its_sending_side_still_gets_its_answers(wire, agent):
    body = json.dumps({"input": "@sleep 100\n@say late"}).encode()
    wire.send(request("GET", "/v1/health") + request("POST", f"/v1/agents/{agent['id']}/messages", body))
    wire.shut_sending()
    assert wire.answer().status == 200
    assert wire.answer().json()["messages"][-1]["content"] == "late"
    assert wire.is_closed()


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_it_listens_on_an_address_of_ipv6(own_server, host):
    server = own_server(arguments=["--host", host])
    try:
        Wire(1, "::1")
    except ConnectionRefusedError:
        pass
    except OSError:
        pytest.skip("this machine has no IPv6")
    server.url = f"http://[::1]:{server.port}"
    server.start()
    with Wire(server.port, "::1") as wire:
        healthy(wire)


# ---- bodies ----


def test_chunked_bodies_with_extensions_and_trailers(wire):
    text = block("chunked", "x" * 100)
    chunks = b"".join(b"%x;name=value;other=\"quoted\"\r\n%s\r\n" % (len(text[i:i + 7]), text[i:i + 7]) for i in range(0, len(text), 7))
    head = request("POST", "/v1/blocks", headers={"Transfer-Encoding": "chunked"})
    wire.send(head + chunks + b"0\r\nX-Trailer: ignored\r\nContent-Length: 5\r\n\r\n")
    assert wire.answer().json()["value"] == "x" * 100
    wire.send(head + b"%X\r\n%s\r\n000\r\n\r\n" % (len(text), text))
    assert wire.answer().status == 200
    healthy(wire)


@pytest.mark.parametrize("chunks", [
    b"\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"2\n{}\r\n0\r\n\r\n", b"2\r\n{}0\r\n\r\n",
    b"2\r\n{}\n0\r\n\r\n", b"g\r\n{}\r\n0\r\n\r\n", b"fffffffffffffffff\r\n{}", b"1\r\n{}\r\n0\r\n\r\n", b"2;\x01\r\n{}\r\n0\r\n\r\n",
    b"2;" + b"e" * 20_000 + b"\r\n{}\r\n0\r\n\r\n", b"0\r\n" + b"T: t\r\n" * 5_000 + b"\r\n"])
def test_malformed_chunks_are_refused(wire, chunks):
    wire.send(request("POST", "/v1/blocks", headers={"Transfer-Encoding": "chunked"}) + chunks)
    found = wire.answer()
    assert found.status == 400 and found.json()["detail"] and found.header("Connection") == "close"
    assert wire.is_closed()


def test_expect_continue_is_answered_before_the_body(wire):
    body = block("expected")
    wire.send(request("POST", "/v1/blocks", body, {"Expect": "100-continue"})[:-len(body)])
    assert wire.answer().status == 100
    wire.send(body)
    assert wire.answer().json()["label"] == "expected"
    wire.send(request("POST", "/v1/blocks", body, {"Expect": "100-continue"}))  # the body at once: nothing to continue
    assert wire.answer().status == 200
    healthy(wire)


def test_expect_continue_may_be_refused_instead(server):
    with Wire(server.port) as wire:
        wire.send(request("POST", "/v1/blocks", headers={"Expect": "100-continue", "Content-Length": str(1 << 40)}))
        assert wire.answer().status == 413
        assert wire.is_closed()


def test_a_body_that_is_too_large_is_refused_and_the_refusal_can_be_read(own_server):
    server = own_server(arguments=["--body-bytes-max", "100000"]).start()
    with Wire(server.port) as wire:  # announced
        wire.send(request("POST", "/v1/blocks", b"x" * 5_000_000))
        found = wire.answer()
        assert found.status == 413 and "100000" in found.json()["detail"]
        assert wire.is_closed()
    with Wire(server.port) as wire:  # not announced
        wire.send(request("POST", "/v1/blocks", headers={"Transfer-Encoding": "chunked"}))
        try:
            for _ in range(1_000):
                wire.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        except ConnectionError:
            pass
        assert wire.answer().status == 413
    with Wire(server.port) as wire:
        wire.send(request("POST", "/v1/blocks", block("fits", "x" * 90_000)))
        assert wire.answer().status == 200


def test_gzip_bodies_are_unpacked(wire):
    body = gzip.compress(block("packed", "y" * 1000))
    found = wire.ask("POST", "/v1/blocks", body, {"Content-Encoding": "gzip"})
    assert found.json()["value"] == "y" * 1000
    healthy(wire)


@pytest.mark.parametrize("coding, body, status", [
    ("gzip", b"no gzip at all", 400), ("gzip", gzip.compress(b"{}" * 1000)[:-9], 400), ("gzip", b"", 400), ("br", b"x", 415),
    ("gzip", gzip.compress(b" " * (60 << 20), compresslevel=9), 413)], ids=["no gzip", "cut", "empty", "brotli", "bomb"])
def test_bodies_that_cannot_be_unpacked_are_refused(wire, coding, body, status):
    found = wire.ask("POST", "/v1/blocks", body, {"Content-Encoding": coding})
    assert found.status == status and found.json()["detail"]


# ---- answers ----


def test_head_is_get_without_the_body(wire, agent):
    for path in ("/v1/health", f"/v1/agents/{agent['id']}", "/openapi.json", "/nowhere"):
        whole, head = wire.ask("GET", path), wire.ask("HEAD", path)
        assert head.status == whole.status
        assert head.header("Content-Length") == whole.header("Content-Length")
        assert head.header("Content-Type") == whole.header("Content-Type")
    healthy(wire)


@pytest.mark.parametrize("accepted, packed", [
    ("gzip", True), ("gzip, deflate, br", True), ("*", True), ("br;q=1.0, gzip;q=0.5", True), ("GZIP", True), ("gzip;q=0", False),
    ("gzip;q=0.000, *", False), ("*;q=0", False), ("identity", False), ("br", False), ("", False), ("gzip; q=0.1", True)])
def test_answers_are_packed_for_those_who_ask(wire, accepted, packed):
    found = wire.ask("GET", "/openapi.json", headers={"Accept-Encoding": accepted})
    assert (found.header("Content-Encoding") == "gzip") == packed
    assert "Accept-Encoding" in found.all("Vary")
    assert found.json()["openapi"]


def test_small_answers_and_streams_are_not_packed(wire, agent):
    assert wire.ask("GET", "/v1/health", headers={"Accept-Encoding": "gzip"}).header("Content-Encoding") is None
    body = json.dumps({"input": "@long 500", "streaming": True}).encode()
    found = wire.ask("POST", f"/v1/agents/{agent['id']}/messages", body, {"Accept-Encoding": "gzip"})
    assert found.header("Content-Encoding") is None and b"word499" in found.body


# ---- requests that are refused ----

SMUGGLING = {
    "both framings": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 4\r\n\r\n",
    "the same length twice": b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 4\r\n\r\n",
    "a signed length": b"Content-Length: +4\r\n\r\nabcd",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a huge length": b"Content-Length: 99999999999999999999999999\r\n\r\n",
    "an empty length": b"Content-Length: \r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a folded line": b"X-Folded: one\r\n two\r\n\r\n",
    "a folded framing": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a bare line feed": b"X-One: 1\nX-Two: 2\r\n\r\n",
    "a bare carriage return": b"X-One: 1\rX-Two: 2\r\n\r\n",
    "a blank before the colon": b"Content-Length : 0\r\n\r\n",
    "a blank in a name": b"Bad Name: 0\r\n\r\n",
    "no name": b": value\r\n\r\n",
    "no colon": b"nothing\r\n\r\n",
    "a control character": b"X-One: a\x00b\r\n\r\n",
    "a second Host": b"Host: other\r\n\r\n",
}


@pytest.mark.parametrize("rest", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_ambiguous_requests_are_refused_and_the_connection_ends(wire, rest):
    wire.send(b"POST /v1/blocks HTTP/1.1\r\nHost: test\r\n" + rest + request("GET", "/v1/health"))
    found = wire.answer()
    assert found.status in (400, 413, 501) and found.json()["detail"]
    assert wire.is_closed()


HEADS = {
    "no Host": (b"GET /v1/health HTTP/1.1\r\n\r\n", 400),
    "bare line feeds": (b"GET /v1/health HTTP/1.1\nHost: a\n\n", 400),
    "HTTP/2.0": (b"GET /v1/health HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "HTTP/0.9": (b"GET /v1/health HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    "another protocol": (b"GET /v1/health FTP/1.1\r\nHost: a\r\n\r\n", 505),
    "no version": (b"GET /v1/health\r\nHost: a\r\n\r\n", 400),
    "two blanks": (b"GET  /v1/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no slash": (b"GET v1/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a bad method": (b"G@T /v1/health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "TLS to a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS?\r\n\r\n", 400),
    "a long target": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "a very long target": (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "a target without end": (b"GET /" + b"a" * 2_000_000, 414),
    "a large header": (b"GET /v1/health HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    "many headers": (b"GET /v1/health HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
    "headers without end": (b"GET /v1/health HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 200_000, 431),
    "an unknown method": (b"BREW /v1/health HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    "an absolute target": (b"GET http://anywhere/v1/health HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    "empty lines before it": (b"\r\n\r\nGET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n", 200),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads(wire, name):
    head, status = HEADS[name]
    try:
        wire.send(head)
    except ConnectionError:
        pass
    found = wire.answer()
    assert found.status == status and found.json()


# ---- pages of other origins ----


def test_pages_of_configured_origins_may_call(own_server):
    server = own_server({"STELE_PASSWORD": "secret"}, ["--cors-origins", "https://app.example,http://localhost:3000"]).start()
    with Wire(server.port) as wire:
        asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, content-type"}
        allowed = wire.ask("OPTIONS", "/v1/agents", headers={"Origin": "https://app.example", **asked})
        assert allowed.status == 204
        assert allowed.header("Access-Control-Allow-Origin") == "https://app.example"
        assert "PATCH" in allowed.header("Access-Control-Allow-Methods")
        assert allowed.header("Access-Control-Allow-Headers") == "authorization, content-type"
        assert "Origin" in allowed.all("Vary") and allowed.header("Access-Control-Max-Age")
        answered = wire.ask("GET", "/v1/agents", headers={"Origin": "http://localhost:3000"})
        assert answered.status == 401, "a page must be able to read why it was refused"
        assert answered.header("Access-Control-Allow-Origin") == "http://localhost:3000"
        for origin in ("https://evil.example", "https://app.example.evil", "https://app.example:8443", "null"):
            for found in (wire.ask("OPTIONS", "/v1/agents", headers={"Origin": origin, **asked}),
                          wire.ask("GET", "/v1/health", headers={"Origin": origin})):
                assert found.header("Access-Control-Allow-Origin") is None
                assert "Origin" in found.all("Vary"), "a cache must not give this answer to a page that is allowed"
        assert wire.ask("GET", "/v1/health").header("Access-Control-Allow-Origin") is None


def test_without_configured_origins_no_page_may_call(wire):
    found = wire.ask("GET", "/v1/health", headers={"Origin": "https://app.example"})
    assert found.status == 200 and not [name for name, _ in found.headers if name.startswith("Access-Control")]


def test_a_star_lets_every_page_call(own_server):
    server = own_server(arguments=["--cors-origins", "*"]).start()
    with Wire(server.port) as wire:
        assert wire.ask("GET", "/v1/health", headers={"Origin": "https://any.example"}).header("Access-Control-Allow-Origin") in ("*", "https://any.example")


# ---- limits and time-outs ----


def test_a_head_or_body_that_does_not_come_is_408(own_server):
    server = own_server(arguments=["--head-timeout-seconds", "1", "--body-timeout-seconds", "1"]).start()
    late = {"head": b"GET /v1/health HTTP/1.1\r\nHo",
            "body": request("POST", "/v1/blocks", b"12345")[:-1],
            "chunks": request("POST", "/v1/blocks", headers={"Transfer-Encoding": "chunked"}) + b"5\r\n123"}
    for begun in late.values():
        with Wire(server.port) as wire:
            wire.send(begun)
            found = wire.answer()
            assert found.status == 408 and found.json()["detail"] and found.header("Connection") == "close"
            assert wire.is_closed()


def drip(wire: Wire):
    """A byte at a time, until something is answered."""
    for _ in range(1_000):
        try:
            wire.send(b"x")
            wire.more()
            return
        except TimeoutError:
            continue


def test_a_head_that_drips_is_408_all_the_same(own_server):
    server = own_server(arguments=["--head-timeout-seconds", "1"]).start()
    with Wire(server.port) as wire:
        wire.socket.settimeout(0.05)
        wire.send(b"GET /v1/health HTTP/1.1\r\nX-Drip: ")
        drip(wire)
        assert wire.answer().status == 408


def test_a_body_that_drips_is_408_all_the_same(own_server):
    server = own_server(arguments=["--body-timeout-seconds", "1"]).start()
    with Wire(server.port) as wire:
        wire.socket.settimeout(0.2)
        wire.send(request("POST", "/v1/blocks", headers={"Content-Length": "1000"}))
        drip(wire)
        assert wire.answer().status == 408


def test_a_connection_that_idles_is_closed_without_a_word(own_server):
    server = own_server(arguments=["--idle-timeout-seconds", "1"]).start()
    with Wire(server.port) as wire:
        healthy(wire)
        assert wire.is_closed()


def test_more_connections_than_allowed_are_told_to_come_again(own_server):
    server = own_server(arguments=["--connections-max", "4"]).start()
    held = []
    while len(held) < 4:  # those that waited for the start may not have been seen to go
        each = Wire(server.port)
        if each.ask("GET", "/v1/health").status == 200:
            held.append(each)
        else:
            each.close()
    with Wire(server.port) as one_more:
        found = one_more.answer()
        assert found.status == 503 and int(found.header("Retry-After")) >= 1 and found.json()["detail"]
        assert one_more.is_closed()
    for each in held:
        healthy(each)
        each.close()
    while True:  # the places are free again as soon as the server has seen the ends
        with Wire(server.port) as again:
            if again.ask("GET", "/v1/health").status == 200:
                break


def test_more_requests_than_allowed_are_told_to_come_again(own_server, model):
    server = own_server(arguments=["--requests-max", "1"]).start()
    agent = server.http().post("/v1/agents", {})
    with Wire(server.port) as busy, Wire(server.port) as other:
        message = request("POST", f"/v1/agents/{agent['id']}/messages", json.dumps({"input": "@hold\n@say done"}).encode())
        busy.send(message)
        while (found := other.ask("GET", "/v1/health")).status == 200:
            if select.select([busy.socket], [], [], 0)[0]:  # the two have met, and it was the message that had to go
                assert busy.answer().status == 503
                busy.send(message)
        assert found.status == 503 and int(found.header("Retry-After")) >= 1
        model.release()
        assert busy.answer().json()["messages"][-1]["content"] == "done"
        healthy(other)
