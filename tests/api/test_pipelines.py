"""Pipelines: outside sources that are read into feeds."""

import http.server
import json
import threading

import pytest
import stele

DEFAULT = "project-00000000-0000-4000-8000-000000000000"
NEVER = "0 0 29 2 *"


class Source:
    """A web server that answers what it is told to."""

    def __init__(self):
        outer = self
        self.status, self.body = 200, "[]"

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                if outer.status == 302:
                    self.send_header("Location", "/elsewhere")
                    outer.status = 200
                self.end_headers()
                self.wfile.write(outer.body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/news?token=hush"


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    """One that may read from this machine."""
    running = stele.Server(tmp_path_factory.mktemp("pipelines"), model.environment(), ["--egress-private", "true"]).start()
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]
    assert "assertion.failed" not in running.log.read_text()


@pytest.fixture
def api(server):
    return server.http(2)


@pytest.fixture
def source():
    made = Source()
    yield made
    made.server.shutdown()


def webhook(source, **more):
    return {"type": "custom_webhook", "data": {"url": source.url, **more}}


def create(api, source, **more):
    return api.post("/v1/pipelines", {"name": "News", "project_id": "default-project", "integration_type": "custom_webhook", "producer_config": webhook(source), **more})["pipeline"]


SLACK = {"type": "slack_channel_reader", "data": {"channels": [{"channel_id": "C1"}]}}


def refused(api, method, path, status, body=None, code=None):
    failed = stele.refused(api, method, path, status, body).body
    assert failed["message"] == failed["detail"] and (code is None or failed["errorCode"] == code), failed
    return failed["detail"]


def texts(api, pipeline):
    return [each["content_preview"] for each in api.get(f"/v1/feeds/{pipeline['feed_id']}/messages")["messages"]]


def test_a_pipeline_has_a_feed_and_subscribers(api, source):
    agent = api.post("/v1/agents", {"memory_blocks": []})
    made = create(api, source, subscriber_agent_ids=[agent["id"]], subscriber_cron_schedule=NEVER, prompt_template="p")
    assert made["id"].startswith("pipeline-") and made["project_id"] == DEFAULT and made["config"] == webhook(source) and made["subscriber_count"] == 1
    assert made["feed_name"] == "News" and made["disabled_at"] is None and made["last_run_at"] is None and made["error_count"] == 0
    assert api.get(f"/v1/pipelines/{made['id']}") == {"pipeline": made}
    (subscription,) = api.get(f"/v1/feeds/{made['feed_id']}/subscriptions")["subscriptions"]
    assert subscription["agent_id"] == agent["id"] and subscription["prompt_template"] == "p" and subscription["cron_schedule"] == NEVER


def test_a_sync_reads_what_is_new(api, source):
    made = create(api, source)
    source.body = json.dumps(["one", {"content": "two"}, {"id": 3}])
    first = api.post(f"/v1/pipelines/{made['id']}/sync")
    assert first["success"] is True and first["messages_ingested"] == 3 and texts(api, made) == ["one", "two", '{"id":3}']
    source.body = '{"messages": ["two", "four", "four"]}'
    assert api.post(f"/v1/pipelines/{made['id']}/sync")["messages_ingested"] == 1 and texts(api, made)[3:] == ["four"]
    source.body = '"five"\n{"text": "six"}\n'
    assert api.post(f"/v1/pipelines/{made['id']}/sync")["messages_ingested"] == 2
    source.status, source.body = 302, "[]"
    assert api.post(f"/v1/pipelines/{made['id']}/sync")["messages_ingested"] == 0
    history = api.get(f"/v1/pipelines/{made['id']}/sync/history")
    assert [run["status"] for run in history["runs"]] == ["completed"] * 4 and history["runs"][3]["workflow_id"] == first["workflow_id"] and history["next_page_token"] is None
    assert api.get(f"/v1/pipelines/{made['id']}")["pipeline"]["last_run_at"]


def test_a_sync_that_fails_says_why_and_is_on_record(api, source):
    made = create(api, source)
    for status, body in ((500, "[]"), (200, "<html>")):
        source.status, source.body = status, body
        said = refused(api, "POST", f"/v1/pipelines/{made['id']}/sync", 400, None, "syncFailed")
        assert "127.0.0.1" in said and "hush" not in said
    runs = api.get(f"/v1/pipelines/{made['id']}/sync/history")["runs"]
    assert [run["status"] for run in runs] == ["failed"] * 2 and runs[0]["error"]["error_message"] == said
    assert api.get(f"/v1/pipelines/{made['id']}")["pipeline"]["error_count"] == 2
    source.status, source.body = 200, "[]"
    api.post(f"/v1/pipelines/{made['id']}/sync")
    assert api.get(f"/v1/pipelines/{made['id']}")["pipeline"]["error_count"] == 0


def test_private_addresses_are_not_read_unasked(own_server, source):
    api = own_server().start().http(2)
    made = create(api, source)
    refused(api, "POST", f"/v1/pipelines/{made['id']}/sync", 400, None, "syncFailed")


def test_what_can_not_be_read(api, source):
    slack = api.post("/v1/pipelines", {"name": "S", "project_id": "p", "integration_type": "slack", "producer_config": SLACK})["pipeline"]
    assert slack["config"] == SLACK and "Slack" in refused(api, "POST", f"/v1/pipelines/{slack['id']}/sync", 400, None, "pipelineNotSyncable")
    pushed = api.post("/v1/pipelines", {"name": "W", "project_id": "p", "integration_type": "custom_webhook", "producer_config": {"type": "custom_webhook", "data": {}}})["pipeline"]
    refused(api, "POST", f"/v1/pipelines/{pushed['id']}/sync", 400, None, "pipelineNotSyncable")
    made = create(api, source)
    assert api.patch(f"/v1/pipelines/{made['id']}", {"disabled": True, "name": "Paused"})["pipeline"]["disabled_at"]
    refused(api, "POST", f"/v1/pipelines/{made['id']}/sync", 400, None, "pipelineDisabled")
    assert api.patch(f"/v1/pipelines/{made['id']}", {"disabled": False})["pipeline"]["name"] == "Paused"


def test_a_preview_reads_and_keeps_nothing(api, source):
    source.body = json.dumps([str(i) for i in range(9)])
    assert api.post("/v1/pipelines/preview", {"integration_type": "custom_webhook", "integration_id": "i", "producer_config": webhook(source)}) == {"sampleMessages": list("01234"), "messageCount": 9}
    source.status = 404
    refused(api, "POST", "/v1/pipelines/preview", 400, {"integration_type": "custom_webhook", "producer_config": webhook(source)}, "invalidProducerConfig")
    refused(api, "POST", "/v1/pipelines/preview", 400, {"integration_type": "slack", "producer_config": SLACK}, "invalidProducerConfig")


@pytest.mark.parametrize("config", [{"type": "x", "data": {}}, {"type": "custom_webhook", "data": {"url": 5}}, {"type": "custom_webhook", "data": []}, SLACK])
def test_bad_configs_are_refused(api, source, config):
    body = {"name": "n", "project_id": "p", "integration_type": "custom_webhook", "producer_config": config}
    refused(api, "POST", "/v1/pipelines", 400, body, "invalidProducerConfig")
    made = create(api, source)
    code = "invalidProducerConfig" if config["type"] == "custom_webhook" else "configTypeMismatch"
    refused(api, "PATCH", f"/v1/pipelines/{made['id']}/config", 400, {"producer_config": config}, code)
    assert api.patch(f"/v1/pipelines/{made['id']}/config", {"producer_config": {"type": "custom_webhook", "data": {}}})["pipeline"]["config"]["data"] == {}


def test_unknown_subscribers_leave_nothing_behind(api, source):
    before = api.get("/v1/pipelines/count"), len(api.get("/v1/feeds?limit=100")["feeds"])
    body = {"name": "n", "project_id": "default-project", "integration_type": "custom_webhook", "producer_config": webhook(source), "subscriber_agent_ids": [f"agent-{stele.GONE}"]}
    refused(api, "POST", "/v1/pipelines", 400, body, "agentNotFound")
    assert (api.get("/v1/pipelines/count"), len(api.get("/v1/feeds?limit=100")["feeds"])) == before


def test_lists_counts_and_deleting(api, source):
    made = [create(api, source, name=f"Listed {i}", integration_id=f"i{i}") for i in range(3)]
    ids = lambda query: [each["id"] for each in api.get(f"/v1/pipelines?{query}")["pipelines"]]
    assert ids("search=LISTED") == [each["id"] for each in made[::-1]] and ids("integration_id=i1") == [made[1]["id"]]
    assert api.get("/v1/pipelines?search=listed&limit=2")["hasNextPage"] is True and api.get("/v1/pipelines/count?search=listed") == {"count": 3}
    assert api.delete(f"/v1/pipelines/{made[0]['id']}") == {"success": True}
    refused(api, "GET", f"/v1/pipelines/{made[0]['id']}", 404, None, "pipelineNotFound")
    refused(api, "GET", f"/v1/feeds/{made[0]['feed_id']}", 404, None, "feedNotFound")
    assert api.get("/v1/pipelines/count?search=listed&integration_type=custom_webhook") == {"count": 2}
