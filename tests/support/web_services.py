"""A web of the tests' own: pages by path, and search services that speak each provider's wire format."""

import gzip
import http.server
import json
import threading
import urllib.parse


class Web:
    """A server on 127.0.0.1 (or another address of this machine). `pages`: path -> (status, headers, body), or a function
    of the handler. `asked`: (method, path with query, headers, parsed body) of each request."""

    def __init__(self, pages=None, host="127.0.0.1"):
        web = self
        self.pages, self.asked = dict(pages or {}), []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                web.asked.append((self.command, self.path, self.headers, body))
                page = web.pages.get(urllib.parse.urlsplit(self.path).path, (404, {}, b"nothing here"))
                status, headers, content = page(self, body) if callable(page) else page
                content = content.encode() if isinstance(content, str) else content
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.port = self.server.server_port
        self.url = f"http://{host}:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def html(self, path, text, **headers):
        self.pages[path] = (200, {"Content-Type": "text/html; charset=utf-8", **headers}, text)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def answer(body, status=200, pack=False):
    text = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Content-Encoding": "gzip"} if pack else {})}
    return status, headers, gzip.compress(text) if pack else text


# What each service answers to a search that finds two pages, in its own words; fields that nobody here reads are left in.

EXA = {
    "requestId": "b5947044c4b78efa9552a7c89b306d95", "resolvedSearchType": "neural",
    "results": [
        {"id": "https://a.org/1", "title": "First", "url": "https://a.org/1", "publishedDate": "2024-05-01T10:00:00.000Z", "author": "Ada", "score": 0.4,
         "text": "All of the first.", "highlights": ["of the first"], "highlightScores": [0.46], "summary": "It is the first.", "image": None},
        {"id": "https://b.org/2", "title": "Second", "url": "https://b.org/2", "publishedDate": None, "author": None},
    ],
    "costDollars": {"total": 0.005},
}
EXA_CONTENTS = {
    "requestId": "e492118ccdedcba5088bfc4357a8a125",
    "results": [{"id": "https://a.org/1", "url": "https://a.org/1", "title": "First", "publishedDate": "2024-05-01T10:00:00.000Z", "author": "Ada", "text": "From the index."}],
    "statuses": [{"id": "https://a.org/1", "status": "success"}],
}
EXA_NOTHING = {"requestId": "e", "results": [], "statuses": [{"id": "x", "status": "error", "error": {"tag": "CRAWL_NOT_FOUND", "httpStatusCode": 404}}]}
TAVILY = {
    "query": "q", "answer": None, "follow_up_questions": None, "images": [], "response_time": 1.09,
    "results": [
        {"title": "First", "url": "https://a.org/1", "content": "of the first", "score": 0.81, "raw_content": "All of the first.", "published_date": "Wed, 01 May 2024 10:00:00 GMT"},
        {"title": "Second", "url": "https://b.org/2", "content": "of the second", "score": 0.7, "raw_content": None},
    ],
}
BRAVE = {
    "type": "search", "query": {"original": "q", "more_results_available": False}, "mixed": {"type": "mixed", "main": []},
    "web": {"type": "search", "family_friendly": True, "results": [
        {"title": "First", "url": "https://a.org/1", "is_source_local": False, "description": "of the first", "page_age": "2024-05-01T10:00:00", "age": "May 1, 2024",
         "profile": {"name": "A"}, "language": "en", "type": "search_result", "subtype": "generic", "extra_snippets": ["more of it"]},
        {"title": "Second", "url": "https://b.org/2", "description": "of the second", "type": "search_result"},
    ]},
}
SEARXNG = {
    "query": "q", "number_of_results": 0, "answers": [], "corrections": [], "infoboxes": [], "suggestions": ["x"], "unresponsive_engines": [["brave", "timeout"]],
    "results": [
        {"url": "https://a.org/1", "title": "First", "content": "of the first", "publishedDate": "2024-05-01T10:00:00", "engine": "bing", "engines": ["bing"],
         "parsed_url": ["https", "a.org", "/1", "", "", ""], "template": "default.html", "positions": [1], "score": 1.0, "category": "general"},
        {"url": "https://b.org/2", "title": "Second", "content": "of the second", "engine": "bing", "score": 0.5, "publishedDate": None},
    ],
}
