"""TLS on both sides: our own certificate, and model servers behind one."""

import json
import ssl
import subprocess

import pytest
import stele
from web_socket import WebSocket
from wire import Wire, request


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost and 127.0.0.1; and one for somebody else."""
    folder = tmp_path_factory.mktemp("certificate")

    def make(name: str, subject: str):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=test", "-addext", f"subjectAltName={subject}", "-keyout", folder / f"{name}.key",
                        "-out", folder / f"{name}.pem"], check=True, capture_output=True)

    make("own", "DNS:localhost,IP:127.0.0.1")
    make("other", "DNS:elsewhere.example")
    return folder


def tls_server(own_server, certificate):
    server = own_server(arguments=["--tls-cert", str(certificate / "own.pem"), "--tls-key", str(certificate / "own.key")])
    server.url = server.url.replace("http:", "https:")
    trust = ssl.create_default_context(cafile=certificate / "own.pem")
    return server.start(tls=trust), trust


def test_the_server_speaks_tls(own_server, certificate):
    server, trust = tls_server(own_server, certificate)
    with Wire(server.port, tls=trust) as wire:
        assert wire.socket.version() in ("TLSv1.2", "TLSv1.3")
        agent = wire.ask("POST", "/v1/agents", b"{}").json()
        wire.send(request("GET", "/v1/health") * 20)
        for _ in range(20):
            assert wire.answer().status == 200
        big = json.dumps({"label": "big", "value": "x" * 90_000}).encode()
        assert wire.ask("POST", "/v1/blocks", big).json()["value"] == "x" * 90_000
        body = json.dumps({"input": "@sleep 200\n@long 2000", "streaming": True, "stream_tokens": True}).encode()
        found = wire.ask("POST", f"/v1/agents/{agent['id']}/messages", body)
        assert b"word1999" in found.body and found.body.endswith(b"data: [DONE]\n\n")
        assert wire.ask("GET", "/v1/health").status == 200
    with Wire(server.port) as plain:  # no TLS: no answer, and no harm
        plain.send(request("GET", "/v1/health"))
        plain.rest()
    with pytest.raises(ssl.SSLCertVerificationError):
        Wire(server.port, tls=ssl.create_default_context())
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        Wire(server.port, tls=old)
    with Wire(server.port, tls=trust) as wire:
        assert wire.ask("GET", "/v1/health").status == 200


def test_a_devices_socket_is_behind_tls_too(own_server, certificate):
    server, trust = tls_server(own_server, certificate)
    with Wire(server.port, tls=trust) as wire:
        made = wire.ask("POST", "/v1/environments/register", b'{"deviceId":"d","connectionName":"c"}').json()
        address = made["wsUrl"]  # by the name that the request had for this server
        assert address.startswith("wss://")
        device = WebSocket(f"wss://127.0.0.1:{server.port}/" + address.split("/", 3)[3], tls=trust)
        assert device.read() == {"type": "connected", "connectionId": made["connectionId"]}
        text = "x" * 300_000
        body = json.dumps({"messages": [{"role": "user", "content": text, "client_message_id": "1"}]}).encode()
        assert wire.ask("POST", f"/v1/environments/{made['connectionId']}/messages", body).status == 200
        device.send({"type": "ping", "note": text})
        assert device.read()["messages"][0]["content"] == text and device.read() == {"type": "pong"}
    assert server.stop() == 0 and device.read() is None


def test_a_certificate_that_cannot_be_used_is_a_clear_refusal(own_server, certificate, tmp_path):
    (tmp_path / "broken.pem").write_text("no certificate")
    server = own_server(arguments=["--tls-cert", str(tmp_path / "broken.pem"), "--tls-key", str(certificate / "own.key")])
    with pytest.raises(RuntimeError, match="TLS certificate or key cannot be used"):
        server.start()


@pytest.fixture
def model_behind_tls(certificate):
    """Makes mock model servers behind TLS."""
    made = []

    def make(name: str):
        made.append(stele.MockModel(["--cert", str(certificate / f"{name}.pem"), "--key", str(certificate / f"{name}.key")]))
        return {"OPENAI_BASE_URL": f"https://localhost:{made[-1].port}/v1"}

    yield make
    for each in made:
        each.stop()


def talk(server) -> str:
    http = server.start().http()
    agent = http.post("/v1/agents", {})
    return http.post(f"/v1/agents/{agent['id']}/messages", {"input": "@say secure"})["messages"][-1]["content"]


def test_a_model_server_with_a_private_authority_is_trusted_by_file(own_server, model_behind_tls, certificate, tmp_path):
    environment = model_behind_tls("own")
    authority = str(certificate / "own.pem")
    assert talk(own_server({**environment, "SSL_CERT_FILE": authority}, folder=tmp_path)) == "secure"
    other = tmp_path / "other"
    other.mkdir()
    assert talk(own_server(environment, ["--ca-file", authority], folder=other)) == "secure"


@pytest.mark.parametrize("name, reason", [("own", "self-signed"), ("other", "another host")])
def test_a_model_server_that_cannot_be_trusted_is_not_talked_to(own_server, model_behind_tls, certificate, name, reason):
    environment = model_behind_tls(name)
    trusted = ["--ca-file", str(certificate / "other.pem")] if name == "other" else []
    with pytest.raises(stele.Refused) as refused:
        talk(own_server(environment, trusted))
    assert refused.value.status == 500 and refused.value.body["error"]["type"] == "llm_connection"
    assert "is not trusted" in refused.value.text and reason in refused.value.text
    assert "--ca-file" in refused.value.text
