"""An authorization server (OAuth 2.1) and MCP servers that want its tokens. No dependencies: it checks what the
specifications demand of a client, and can be told to misbehave.

A person's part is played by `log_in(url)`: it follows the address that a login gave, says yes, and comes back.
"""

import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import mcp_server


class OauthServer:
    """`path`: of its issuer. `secrets_for`: how registered clients show who they are: none, client_secret_basic or
    client_secret_post. `lifetime`: of access tokens, in seconds. `rotates`: a refresh token is good for one use, and using
    it twice ends the login. `documents`: path to what is served there instead: an object, bytes, or a function of the
    handler. `metadata`: members of the metadata that are others; None leaves one out."""

    def __init__(self, path="", secrets_for="none", lifetime=3600, rotates=True, documents=None, metadata=None, openid=False, token_status=200):
        self.path, self.secrets_for, self.lifetime, self.rotates, self.openid, self.token_status = path, secrets_for, lifetime, rotates, openid, token_status
        self.documents, self.more = documents or {}, metadata or {}
        self.clients, self.codes, self.access, self.refresh = {}, {}, {}, {}
        self.revocations = []  # (token, hint, whether the client showed who it is)
        self.registrations, self.token_requests, self.log, self.problems = [], [], [], []
        self.before_token = None  # called before a request for tokens is answered; may return (status, body)
        self.says_no = None  # an error instead of a code
        self.iss = None  # what it calls itself in its answers; True: by its name
        self.lock = threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.get(self)

            def do_POST(self):
                server.post(self)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.http.server_port}"
        self.issuer = self.base + path
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    # ---- what it says of itself ----

    def metadata(self):
        told = {"issuer": self.issuer, "authorization_endpoint": self.base + "/authorize", "token_endpoint": self.base + "/token", "registration_endpoint": self.base + "/register",
                "revocation_endpoint": self.base + "/revoke",
                "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"], "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [self.secrets_for], **self.more}
        return {name: value for name, value in told.items() if value is not None}

    def get(self, handler):
        path, _, query = handler.path.partition("?")
        self.log.append(path)
        if path in self.documents:
            made = self.documents[path]
            made = made(handler) if callable(made) else made
            if made is None:
                return
            return self.send(handler, 200, made if isinstance(made, bytes) else json.dumps(made).encode())
        openid, oauth = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
        if path in ([self.path + openid, openid + self.path] if self.openid else [oauth + self.path]):
            return self.send(handler, 200, json.dumps(self.metadata()).encode())
        if path == "/authorize":
            return self.authorize(handler, dict(urllib.parse.parse_qsl(query)))
        self.send(handler, 404, b'{"error":"not_found"}')

    def authorize(self, handler, asked):
        client = self.clients.get(asked.get("client_id"))
        if client is None or asked.get("redirect_uri") not in client["redirect_uris"]:
            return self.send(handler, 400, b"unknown client or redirect_uri")  # nobody is sent anywhere
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            self.problems.append(("authorize", asked))
            return self.send(handler, 400, b"PKCE is missing")
        back = {"state": asked["state"]}
        if self.says_no:
            back |= {"error": self.says_no, "error_description": 'The <b>person</b> said "no"'}
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = asked
        if self.iss:
            back["iss"] = self.issuer if self.iss is True else self.iss
        handler.send_response(302)
        handler.send_header("Location", asked["redirect_uri"] + "?" + urllib.parse.urlencode(back))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def post(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.log.append(handler.path)
        if handler.path == "/register":
            return self.register(handler, json.loads(body))
        if handler.path == "/token":
            return self.token(handler, dict(urllib.parse.parse_qsl(body.decode())))
        if handler.path == "/revoke":
            asked = dict(urllib.parse.parse_qsl(body.decode()))
            self.revocations.append((asked["token"], asked["token_type_hint"], self.client_of(handler, asked) is not None))
            return self.send(handler, 200, b"")
        self.send(handler, 404, b"{}")

    def register(self, handler, asked):
        self.registrations.append(asked)
        client = {**asked, "client_id": "client-" + secrets.token_hex(4)}
        if self.secrets_for != "none":
            client |= {"client_secret": "s3cret+/%= " + secrets.token_hex(8), "token_endpoint_auth_method": self.secrets_for, "client_secret_expires_at": 0}
        self.clients[client["client_id"]] = client
        self.send(handler, 201, json.dumps(client).encode())

    def client_of(self, handler, asked):
        client_id, secret = asked.get("client_id"), asked.get("client_secret")
        header = handler.headers.get("Authorization", "")
        if header.startswith("Basic "):
            client_id, secret = [urllib.parse.unquote(part) for part in base64.b64decode(header[6:]).decode().split(":")]
        client = self.clients.get(client_id)
        way = "client_secret_basic" if header else "client_secret_post" if "client_secret" in asked else "none"
        if client is None or client.get("client_secret") != secret or way != self.secrets_for:
            return None
        return client

    def token(self, handler, asked):
        self.token_requests.append(asked)
        if self.before_token and (made := self.before_token(asked)) is not None:
            return self.send(handler, made[0], made[1])
        client = self.client_of(handler, asked)
        if client is None:
            return self.refuse(handler, 401, "invalid_client")
        with self.lock:
            if asked.get("grant_type") == "authorization_code":
                given = self.codes.pop(asked.get("code"), None)
                proof = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
                wrong = given is None or given["code_challenge"] != proof or given["redirect_uri"] != asked.get("redirect_uri") or given["client_id"] != client["client_id"]
                if wrong or given.get("resource") != asked.get("resource"):
                    self.problems.append(("token", asked))
                    return self.refuse(handler, 400, "invalid_grant", "the code is not good")
                grant = {"scope": given.get("scope", ""), "resource": given.get("resource")}
            else:
                grant = self.refresh.get(asked.get("refresh_token"))
                if grant is None or grant.get("over"):
                    return self.refuse(handler, 400, "invalid_grant", "the refresh token is not good")
                if self.rotates and grant.get("used"):
                    grant["family"]["over"] = True
                    self.problems.append(("reuse", asked))
                    return self.refuse(handler, 400, "invalid_grant", "the refresh token was used before")
                if grant["family"].get("over"):
                    return self.refuse(handler, 400, "invalid_grant", "the login is over")
                grant["used"] = True
            access = "at-" + secrets.token_hex(8)
            self.access[access] = {**grant, "until": time.monotonic() + self.lifetime}
            told = {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime, "scope": grant["scope"]}
            if self.rotates or asked["grant_type"] == "authorization_code":
                told["refresh_token"] = "rt-" + secrets.token_hex(8)
                self.refresh[told["refresh_token"]] = {"scope": grant["scope"], "resource": grant["resource"], "family": grant.get("family", {})}
        self.send(handler, self.token_status, json.dumps(told).encode())

    def end_all(self):
        """Makes every access token that was given invalid."""
        self.access.clear()

    def send(self, handler, status, body, content_type="application/json"):
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def refuse(self, handler, status, error, description=None):
        self.send(handler, status, json.dumps({"error": error, **({"error_description": description} if description else {})}).encode())


class ProtectedMcp(mcp_server.McpServer):
    """An MCP server that wants tokens of `issuer`. `challenge`: what 401 says; {base} is its own address. `documents`: path
    to what is served there instead of its metadata, as OauthServer has it. `scopes_for`: method to the scope that it
    takes."""

    def __init__(self, oauth, challenge='Bearer resource_metadata="{base}/.well-known/oauth-protected-resource/mcp"', documents=None, metadata=None, scopes=("tools",), scopes_for=None, **options):
        super().__init__(**options)
        self.oauth, self.challenge, self.documents, self.more, self.scopes, self.scopes_for = oauth, challenge, documents or {}, metadata or {}, scopes, scopes_for or {}

    def resource_metadata(self):
        told = {"resource": self.url, "authorization_servers": [self.oauth.issuer], "scopes_supported": list(self.scopes) or None, **self.more}
        return {name: value for name, value in told.items() if value is not None}

    def get(self, handler):
        path = handler.path.partition("?")[0]
        if path.startswith("/.well-known/"):
            self.requests.append(("GET " + path, dict(handler.headers), None))
            if path in self.documents:
                made = self.documents[path]
                made = made(handler) if callable(made) else made
                if made is None:
                    return None
                return self.send(handler, 200, made if isinstance(made, bytes) else json.dumps(made).encode())
            if path == "/.well-known/oauth-protected-resource/mcp":
                return self.send(handler, 200, json.dumps(self.resource_metadata()).encode())
            return self.send(handler, 404, b"{}")
        return super().get(handler)

    def allowed(self, handler):
        token = self.oauth.access.get(handler.headers.get("Authorization", "").removeprefix("Bearer "))
        if token is None or token["until"] < time.monotonic() or (token["resource"] or self.url) != self.url:
            self.send(handler, 401, b"{}", **{"WWW-Authenticate": self.challenge.format(base=self.base)})
            return False
        message = self.requests[-1][2]
        wanted = self.scopes_for.get(message and message.get("method"))
        if wanted and wanted not in token["scope"].split():
            self.send(handler, 403, b"{}", **{"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{wanted}"'})
            return False
        return True


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def way_back(url):
    """Says yes at the page `url`, and gives the address that the browser is sent to."""
    try:
        urllib.request.build_opener(_Stays).open(url, timeout=30)
    except urllib.error.HTTPError as redirect:
        if redirect.code != 302:
            raise AssertionError(f"{redirect.code}: {redirect.read().decode()}") from None
        return redirect.headers["Location"]
    raise AssertionError("nobody was sent anywhere")


def open_page(url, accept="application/json"):
    """(status, text, headers) of what a person gets there."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(), refused.headers


def log_in(url):
    """The person's part, and what Stele says then."""
    status, text, _ = open_page(way_back(url))
    return {"http_status": status, **json.loads(text)}


class Connecting:
    """A connect stream that is read as it comes. `request`: a urllib request."""

    def __init__(self, http, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(http.url + path, method=method, data=data, headers={**http.headers, **(headers or {})})
        self.answer = urllib.request.urlopen(request, timeout=120)
        self.events = []

    def next(self):
        """The next event; None at the end."""
        for line in self.answer:
            if line.startswith(b"data: "):
                self.events.append(json.loads(line[6:]))
                return self.events[-1]
        return None

    def until(self, name):
        while (event := self.next()) is not None:
            if event["event"] == name:
                return event
        raise AssertionError(f"{name} did not come: {self.events}")

    def rest(self):
        while self.next() is not None:
            pass
        return [event["event"] for event in self.events]

    def close(self):
        self.answer.close()
