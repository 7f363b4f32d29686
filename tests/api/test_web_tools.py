"""fetch_webpage and web_search: as agents' tools, against pages and search services on real sockets."""

import gzip
import json
import threading

import pytest
import stele
import web_services
from stele import refused
from web_services import Web, answer

KEY = "key-that-must-not-be-seen"


@pytest.fixture(scope="module")
def web():
    made = Web()
    yield made
    made.close()


@pytest.fixture(scope="module")
def reaching(model, tmp_path_factory):
    """A server whose agents may fetch from this machine; no search service is set up."""
    running = stele.Server(tmp_path_factory.mktemp("reaching"), {**model.environment(), "STELE_EGRESS_PRIVATE": "true", **NOTHING_SET}).start()
    yield running
    assert running.stop() == 0
    assert "assertion.failed" not in running.log.read_text()


NOTHING_SET = {name: "" for name in ("EXA_API_KEY", "TAVILY_API_KEY", "BRAVE_API_KEY", "SEARXNG_URL")}


def agent_with(http, tool, **more):
    tool_id = http.get(f"/v1/tools/?name={tool}")[0]["id"]
    return http.post("/v1/agents/", {"tool_ids": [tool_id], "include_base_tools": False, **more})["id"]


def use(http, tool, args, agent=None):
    return http.post(f"/v1/agents/{agent or agent_with(http, tool)}/tools/{tool}/run", {"args": args})


def fetch(http, url, **more):
    return use(http, "fetch_webpage", {"url": url}, **more)


# The tools themselves

@pytest.mark.parametrize("name, required", [("fetch_webpage", ["url"]), ("web_search", ["query"])])
def test_they_are_listed_like_every_built_in(http, name, required):
    tool = next(each for each in http.post("/v1/tools/add-base-tools") if each["name"] == name)

    assert (tool["tool_type"], tool["tags"], tool["source_code"], tool["enable_parallel_execution"]) == ("letta_builtin", ["letta_builtin"], None, True)
    assert tool["json_schema"]["parameters"]["required"] == required
    assert http.get(f"/v1/tools/?tool_types=letta_builtin&name={name}")[0] == tool
    assert refused(http, "PATCH", f"/v1/tools/{tool['id']}", 400, {"description": "mine"})


def test_the_search_takes_what_its_schema_says(http):
    parameters = http.get("/v1/tools/?name=web_search")[0]["json_schema"]["parameters"]

    assert list(parameters["properties"]) == ["query", "num_results", "category", "include_text", "include_domains", "exclude_domains",
                                              "start_published_date", "end_published_date", "user_location"]
    assert parameters["properties"]["category"]["enum"][:2] == ["company", "research paper"]
    assert parameters["properties"]["include_domains"]["type"] == "array"


# Pages

def test_a_page_comes_as_markdown(reaching, web):
    web.html("/page", "<title>The page</title><nav>menu</nav><main><p>Some <b>text</b>, <a href='/next'>more</a>.</p><script>x()</script></main>")

    made = fetch(reaching.http(), web.url + "/page")

    assert made["status"] == "success"
    assert made["func_return"] == f"# The page\n\nSome **text**, [more]({web.url}/next)."
    _, path, headers, _ = web.asked[-1]
    assert path == "/page" and "stele" in headers["User-Agent"] and "Cookie" not in headers and "Authorization" not in headers


BODIES = [
    ("text/plain; charset=iso-8859-1", "caf\xe9".encode("latin1"), "café"),
    ("text/html", b"<meta charset=windows-1252><p>\x80 5", "€ 5"),
    ('text/html; charset="shift_jis"', "<p>日本".encode("shift_jis"), "日本"),
    ("application/json", b'{"a": [1]}', '{"a": [1]}'),
    ("application/ld+json; charset=utf-8", "{}".encode(), "{}"),
    ("text/markdown", b"# Head\n\n<b>as it is</b>", "# Head\n\n<b>as it is</b>"),
    ("application/rss+xml", b"<rss/>", "<rss/>"),
    ("application/xhtml+xml", b"<html><body><p>x</p></body></html>", "x"),
    (None, b"<!DOCTYPE html><p>unsaid", "unsaid"),
    (None, b"plain", "plain"),
    ("text/html", b"<p hidden>x</p><script>y</script>", "The page holds no text. It may be made by scripts, which are not run."),
]


@pytest.mark.parametrize("kind, body, text", BODIES, ids=range(len(BODIES)))
def test_what_is_text_is_read_as_it_says(reaching, web, kind, body, text):
    web.pages["/body"] = (200, {"Content-Type": kind} if kind else {}, body)

    assert fetch(reaching.http(), web.url + "/body")["func_return"] == text


def test_a_packed_page_is_unpacked(reaching, web):
    web.pages["/packed"] = (200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, gzip.compress(b"inside"))

    assert fetch(reaching.http(), web.url + "/packed")["func_return"] == "inside"


def test_redirects_are_followed_to_where_links_are_relative(reaching, web):
    web.pages["/old"] = (301, {"Location": "/a/new?x=1#frag"}, "")
    web.html("/a/new", "<a href=b>b</a>")

    assert fetch(reaching.http(), web.url + "/old#top")["func_return"] == f"[b]({web.url}/a/b)"


HUGE = b"x" * (6 << 20)
UNREADABLE = [
    ("/image", (200, {"Content-Type": "image/png"}, b"\x89PNG"), "image/png"),
    ("/pdf", (200, {"Content-Type": "application/pdf"}, b"%PDF"), "application/pdf"),
    ("/bytes", (200, {}, b"a\0b"), "not a page or text"),
    ("/gone", (410, {}, "gone"), "status 410"),
    ("/loop", (302, {"Location": "/loop"}, ""), "more than 10 redirects"),
    ("/script", (302, {"Location": "javascript:alert(1)"}, ""), "redirects to"),
    ("/file", (302, {"Location": "file:///etc/passwd"}, ""), "redirects to"),
    ("/user", (302, {"Location": "http://me:pass@127.0.0.1/"}, ""), "redirects to"),
    ("/huge", (200, {"Content-Type": "text/plain"}, HUGE), "larger than 5 MiB"),
    ("/bomb", (200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, gzip.compress(b"0" * (64 << 20))), "larger than 5 MiB"),
    ("/brotli", (200, {"Content-Type": "text/plain", "Content-Encoding": "br"}, b"x"), "packed in a way"),
    ("/short", (200, {"Content-Type": "text/plain", "Content-Length": "100"}, b"x"), "closed"),
]


@pytest.mark.parametrize("path, page, why", UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_what_can_not_be_read_says_why(reaching, web, path, page, why):
    if path == "/short":
        def page(handler, _):
            handler.close_connection = True
            return 200, {"Content-Type": "text/plain", "Content-Length": "100", "Connection": "close"}, b"x"
    web.pages[path] = page

    made = fetch(reaching.http(), web.url + path)

    assert made["status"] == "error" and made["func_return"] is None
    assert why in made["stderr"][0], made


BAD_ADDRESSES = ["", "x", "/etc/passwd", "file:///etc/passwd", "ftp://127.0.0.1/", "javascript:1", "http://", "http://user:pw@example.org/",
                 "http://127.0.0.1:99999/", "gopher://127.0.0.1/", "http://[::1", "data:text/html,x", "unix:/run/x.sock"]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_what_is_no_address_is_refused(reaching, address):
    made = fetch(reaching.http(), address)

    assert made["status"] == "error" and "fetch_webpage" in made["stderr"][0]


def test_arguments_that_do_not_fit_say_what_would(reaching):
    http = reaching.http()
    agent = agent_with(http, "fetch_webpage")
    for args, why in [({}, "'url' is missing"), ({"url": 5}, "url"), ({"url": "http://x.org", "depth": 2}, "unknown argument 'depth'")]:
        made = use(http, "fetch_webpage", args, agent)
        assert made["status"] == "error" and why in made["stderr"][0], made


# Every spelling of this machine and of private networks. None may be connected to, whatever stands there.
PRIVATE = ["http://127.0.0.1:{port}/secret", "http://localhost:{port}/secret", "http://2130706433:{port}/secret", "http://0x7f000001:{port}/secret",
           "http://0177.0.0.1:{port}/secret", "http://0x7f.1:{port}/secret", "http://127.1:{port}/secret", "http://0:{port}/secret",
           "http://0.0.0.0:{port}/secret", "http://[::1]:{port}/secret", "http://[::]:{port}/secret", "http://[::ffff:127.0.0.1]:{port}/secret",
           "http://[::ffff:7f00:1]:{port}/secret", "http://[::127.0.0.1]:{port}/secret", "http://[64:ff9b::7f00:1]:{port}/secret",
           "http://[64:ff9b:1::7f00:1]:{port}/secret", "http://[2002:7f00:1::]:{port}/secret", "http://[fe80::1]:{port}/secret",
           "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/meta-data/", "http://10.0.0.1/", "http://172.16.0.1/",
           "http://192.168.0.1/", "http://100.64.0.1/", "http://198.18.0.1/", "http://localhost.:{port}/secret", "http://LOCALHOST:{port}/secret",
           "http://%6c%6f%63%61%6c%68%6f%73%74:{port}/secret", "http://127。0。0。1:{port}/secret", "http://127.0.0.1:{port}\\@example.org/"]


def test_no_spelling_of_a_private_address_is_reached(server, web):
    web.pages["/secret"] = (200, {"Content-Type": "text/plain"}, "SECRET")
    http = server.http()
    agent, before = agent_with(http, "fetch_webpage"), len(web.asked)

    for address in PRIVATE:
        made = fetch(http, address.format(port=web.port), agent=agent)
        assert made["status"] == "error" and "SECRET" not in json.dumps(made), address
    assert len(web.asked) == before


def test_it_works_in_the_loop_side_by_side_and_is_on_record(reaching, model, web):
    both = threading.Barrier(2, timeout=60)

    def page(handler, _):
        both.wait()  # each is answered once the other is asked for too
        return 200, {"Content-Type": "text/html"}, f"<p>page {handler.path[1:]}"

    web.pages["/one"] = web.pages["/two"] = page
    http = reaching.http()
    agent = agent_with(http, "fetch_webpage", model="openai/mock-small", model_settings={"provider_type": "openai", "parallel_tool_calls": True})
    calls = "\n".join(f"@call fetch_webpage {json.dumps({'url': web.url + path})}" for path in ("/one", "/two"))

    answered = http.post(f"/v1/agents/{agent}/messages", {"input": calls})

    returns = [each for message in answered["messages"] if message["message_type"] == "tool_return_message" for each in message["tool_returns"]]
    assert [(each["status"], each["tool_return"]) for each in returns] == [("success", "page one"), ("success", "page two")]
    told = [message["content"] for message in model.requests()[-1]["messages"] if message["role"] == "tool"]
    assert "page one" in told[0] and "page two" in told[1]


def test_a_run_that_is_cancelled_does_not_wait_for_the_page(reaching, web):
    asked, over = threading.Event(), threading.Event()

    def page(handler, _):
        asked.set()
        over.wait(60)
        return 200, {}, "late"

    web.pages["/slow"] = page
    http = reaching.http()
    agent = agent_with(http, "fetch_webpage")
    run = http.post(f"/v1/agents/{agent}/messages/async", {"input": f"@call fetch_webpage {json.dumps({'url': web.url + '/slow'})}"})
    assert asked.wait(60)

    http.post(f"/v1/agents/{agent}/messages/cancel", {"run_ids": [run["id"]]})
    stele.wait_until(lambda: http.get(f"/v1/runs/{run['id']}")["status"] == "cancelled")
    over.set()


# Searching

SERVICES = {"exa": ("/search", web_services.EXA), "tavily": ("/search", web_services.TAVILY), "brave": ("/res/v1/web/search", web_services.BRAVE),
            "searxng": ("/search", web_services.SEARXNG)}


@pytest.fixture
def searching(own_server, web):
    """Makes a server that searches with one service; more of its environment can be said."""

    def make(name, **more):
        path, found = SERVICES[name]
        web.pages[path] = answer(found, pack=True)
        key = {} if name == "searxng" else {f"{name.upper()}_API_KEY": KEY}
        environment = {**NOTHING_SET, f"STELE_{name.upper()}_URL": web.url + "/", **key, **more}
        return own_server(environment).start()

    return make


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_asked_in_its_own_tongue_and_answers_in_ours(searching, web, name):
    server = searching(name)
    made = use(server.http(), "web_search", {"query": "grüße & more", "num_results": 2, "include_text": True, "include_domains": ["a.org", "b.org"],
                                             "start_published_date": "2024-01-31", "end_published_date": "2024-12-31T10:00:00Z", "user_location": "DE"})

    assert made["status"] == "success", made
    assert made["func_return"].startswith('{\n  "query": "grüße & more",\n  "results": [\n    {\n      "title": "First",\n      "url"')
    found = json.loads(made["func_return"])
    assert list(found) == ["query", "results"] and found["query"] == "grüße & more"
    first, second = found["results"]
    assert list(first)[:4] == ["title", "url", "published_date", "author"]
    assert (first["title"], first["url"], second["url"]) == ("First", "https://a.org/1", "https://b.org/2")
    assert first["published_date"].find("2024") >= 0 and second["published_date"] is None
    assert first["highlights"][0] == "of the first"
    assert first.get("text") == ("All of the first." if name in ("exa", "tavily") else None)
    method, path, headers, body = web.asked[-1]
    asked = json.dumps([path, body])
    if name == "exa":
        assert (method, headers["x-api-key"], body["numResults"], body["userLocation"]) == ("POST", KEY, 2, "DE")
        assert (body["startPublishedDate"], body["endPublishedDate"]) == ("2024-01-31T00:00:00.000Z", "2024-12-31T23:59:59.999Z")
        assert body["includeDomains"] == ["a.org", "b.org"] and body["contents"]["text"] is True and first["summary"] == "It is the first."
    elif name == "tavily":
        assert (method, headers["Authorization"], body["max_results"], body["topic"]) == ("POST", "Bearer " + KEY, 2, "general")
        assert (body["start_date"], body["end_date"], body["include_raw_content"]) == ("2024-01-31", "2024-12-31", True)
    elif name == "brave":
        assert (method, headers["X-Subscription-Token"]) == ("GET", KEY)
        assert "freshness=2024-01-31to2024-12-31" in asked and "country=DE" in asked and "count=2" in asked
        assert "q=gr%C3%BC%C3%9Fe%20%26%20more%20%28site%3Aa.org%20OR%20site%3Ab.org%29" in asked
    else:
        assert method == "GET" and "format=json" in asked and "pageno" not in asked
    assert (KEY in asked) is False
    assert KEY not in server.log.read_text() + json.dumps(made)


def test_an_agents_own_key_comes_before_the_operators(searching, web):
    server = searching("exa")
    web.pages["/search"] = answer(web_services.TAVILY)
    http = server.http()
    own = agent_with(http, "web_search", secrets={"EXA_API_KEY": "the agent's own"})
    use(http, "web_search", {"query": "q"}, own)
    assert web.asked[-1][2]["x-api-key"] == "the agent's own"
    use(http, "web_search", {"query": "q"})
    assert web.asked[-1][2]["x-api-key"] == KEY


def test_the_operator_may_name_the_service(searching, web):
    server = searching("tavily", EXA_API_KEY="e", STELE_EXA_URL=web.url, STELE_WEB_SEARCH="tavily")
    use(server.http(), "web_search", {"query": "q"})
    assert web.asked[-1][2]["Authorization"] == "Bearer " + KEY


def test_without_any_service_it_says_what_to_set(reaching):
    made = use(reaching.http(), "web_search", {"query": "q"})

    assert made["status"] == "error"
    for name in ("EXA_API_KEY", "TAVILY_API_KEY", "BRAVE_API_KEY", "SEARXNG_URL"):
        assert name in made["stderr"][0]


FAILURES = [
    ("exa", 401, {"error": f"Invalid API key: {KEY}", "tag": "INVALID_API_KEY"}, "EXA_API_KEY is not accepted"),
    ("tavily", 432, {"detail": {"error": "plan"}}, "plan allows is used up"),
    ("brave", 429, {"type": "ErrorResponse", "error": {"code": "RATE_LIMITED", "status": 429}}, "too many requests"),
    ("searxng", 403, {"detail": "Forbidden"}, "search.formats"),
    ("exa", 500, {}, "Exa answered with status 500"),
    ("exa", 200, [1], "can't be read"),
    ("exa", 200, {"no": "results"}, "can't be read"),
]


@pytest.mark.parametrize("name, status, body, why", FAILURES)
def test_a_service_that_fails_is_told_of_without_the_key(searching, web, name, status, body, why):
    server = searching(name)
    web.pages[SERVICES[name][0]] = answer(body, status)

    made = use(server.http(), "web_search", {"query": "q"})

    failure = json.loads(made["func_return"])
    assert made["status"] == "success" and list(failure) == ["query", "error"]
    assert why in failure["error"]
    assert KEY not in json.dumps(made) + server.log.read_text()


def test_a_service_that_is_not_there_is_told_of(searching):
    server = searching("searxng", STELE_SEARXNG_URL=f"http://127.0.0.1:{stele.free_port()}")

    assert "can't be reached" in json.loads(use(server.http(), "web_search", {"query": "q"})["func_return"])["error"]


def test_pages_of_results_are_asked_for_until_there_are_enough(searching, web):
    server = searching("searxng")

    def page(handler, _):
        number = int(handler.path.split("pageno=")[1]) if "pageno" in handler.path else 1
        results = [{"url": f"https://a.org/{number}/{i}", "title": str(i), "content": "c"} for i in range(4)] if number < 4 else []
        return answer({"query": "q", "results": results})

    web.pages["/search"] = page
    for wanted, found in ((6, 6), (100, 12)):
        made = use(server.http(), "web_search", {"query": "q", "num_results": wanted})
        assert len(json.loads(made["func_return"])["results"]) == found


@pytest.mark.parametrize("later", ["cut off", "no JSON", "refused"])
def test_a_later_page_that_fails_leaves_the_ones_before_it(searching, web, later):
    server = searching("searxng")

    def page(handler, _):
        if "pageno=2" not in handler.path:
            return answer({"query": "q", "results": [{"url": "https://a.org/1", "title": "One", "content": "c"}]})
        if later == "cut off":
            return 200, {"Content-Length": "1000"}, "{"
        return answer({}, 500) if later == "refused" else (200, {}, "<html>")

    web.pages["/search"] = page
    made = use(server.http(), "web_search", {"query": "q", "num_results": 50})

    assert [each["url"] for each in json.loads(made["func_return"])["results"]] == ["https://a.org/1"]


def test_results_from_outside_the_dates_are_left_out(searching, web):
    server = searching("searxng")
    made = use(server.http(), "web_search", {"query": "q", "start_published_date": "2025-01-01"})
    found = json.loads(made["func_return"])["results"]
    assert [each["url"] for each in found] == ["https://b.org/2"]


BAD_SEARCHES = [({"query": " "}, "empty"), ({"query": "q", "category": "x"}, "category"), ({"query": "q", "user_location": "Germany"}, "two letters"),
                ({"query": "q", "start_published_date": "May"}, "2026-01-31"), ({"query": "q", "include_domains": ["a b"]}, "domains"), ({}, "'query' is missing")]


@pytest.mark.parametrize("args, why", BAD_SEARCHES)
def test_a_search_that_makes_no_sense_says_why(reaching, args, why):
    made = use(reaching.http(), "web_search", args)

    assert made["status"] == "error" and why in made["stderr"][0]


def test_with_a_key_a_page_comes_from_the_index(searching, web):
    server = searching("exa", STELE_EGRESS_PRIVATE="true")
    web.pages["/contents"] = answer(web_services.EXA_CONTENTS)

    made = fetch(server.http(), "https://a.org/1")

    assert json.loads(made["func_return"]) == {"title": "First", "published_date": "2024-05-01T10:00:00.000Z", "author": "Ada", "text": "From the index."}
    assert web.asked[-1][2]["x-api-key"] == KEY and web.asked[-1][3] == {"urls": ["https://a.org/1"], "text": True}


@pytest.mark.parametrize("indexed", [answer(web_services.EXA_NOTHING), answer({"error": KEY}, 500)], ids=["nothing", "failure"])
def test_what_the_index_does_not_hold_is_fetched(searching, web, indexed):
    server = searching("exa", STELE_EGRESS_PRIVATE="true")
    web.pages["/contents"] = indexed
    web.html("/here", "<p>fetched")

    assert fetch(server.http(), f"http://localhost:{web.port}/here")["func_return"] == "fetched"
    assert [path for _, path, _, _ in web.asked[-2:]] == ["/contents", "/here"]
    assert KEY not in server.log.read_text()
    assert fetch(server.http(), web.url + "/here")["func_return"] == "fetched"
    assert web.asked[-2][1] == "/here", "nobody else hears of a private address"
