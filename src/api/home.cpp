#include "api/route.hpp"

namespace stele::api {
namespace {

constexpr char page_start[] = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stele</title><style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { padding: 1rem; overflow-x: auto; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem }
</style></head><body><main><h1>Stele</h1>
)";

constexpr char page_end[] = R"(<h2>Talk to it</h2>
<pre>pip install letta-client

from letta_client import Letta
client = Letta(base_url="http://localhost:8283")
agent = client.agents.create(memory_blocks=[{"label": "human", "value": ""}])
answer = client.agents.messages.create(agent.id, messages=[{"role": "user", "content": "My name is Ada."}])
print(answer.messages[-1].content)</pre>
<p>The API stands under <code>/v1</code>, its description at <a href="/openapi.json"><code>/openapi.json</code></a>,
a sign of life at <a href="/v1/health"><code>/v1/health</code></a>.</p>
</main></body></html>
)";

awaitable<Response> home(Services& services, const Request&) {
    Response response;
    response.content_type = "text/html; charset=utf-8";
    response.headers.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.body = page_start;
    response.body +=
        "<p>A server for stateful agents, version " + services.facts.version + ", is running here.</p>\n<ul>\n";
    response.body += services.facts.has_model_server
                         ? "<li>A model server is configured; <code>GET /v1/models</code> lists what it offers.</li>\n"
                         : "<li>No model server is configured: agents answer with the built-in offline model, which is "
                           "a set of rules. "
                           "Set <code>OPENAI_API_KEY</code>, <code>OPENAI_BASE_URL</code> or "
                           "<code>OLLAMA_BASE_URL</code> and start again.</li>\n";
    response.body += services.facts.has_password ? "<li>A password is set: clients send it as their API key.</li>\n"
                                                 : "<li>No password is set, so the server listens on this machine "
                                                   "only. Set <code>STELE_PASSWORD</code> to open it.</li>\n";
    response.body += "</ul>\n";
    response.body += page_end;
    co_return response;
}

}  // namespace

std::span<const Route> home_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/", home, "home", "", "text/html", "", Trait::open},
    };
    return routes;
}

}  // namespace stele::api
