#include "api/mcp_common.hpp"
#include "tools/mcp/oauth_login.hpp"

// Where people come back to from a login with an MCP server. Open, since a browser is sent here by somebody else: what
// may enter is the state of a login that waits, once.
namespace stele::api {
namespace {

constexpr char page_start[] = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stele</title><style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1rem }
h1 { font-size: 1.25rem }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
</style></head><body><main>
)";

std::string escaped(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '&')
            made += "&amp;";
        else if (c == '<')
            made += "&lt;";
        else if (c == '>')
            made += "&gt;";
        else if (c == '"')
            made += "&quot;";
        else
            made += c;
    }
    return made;
}

std::string page_of(const McpOauthAnswer& told) {
    std::string page = page_start;
    page += told.status == "success" ? "<h1>Logged in</h1>\n" : "<h1>The login did not succeed</h1>\n";
    page += "<p role=\"status\">" + escaped(told.message) + ".</p>\n";
    if (told.server_url.has_value()) page += "<p>MCP server: <code>" + escaped(*told.server_url) + "</code></p>\n";
    return page + "</main></body></html>\n";
}

// Browsers ask for pages by name; everybody else gets JSON.
bool wants_page(const Request& request) {
    const std::string* accept = request.http.headers.find("Accept");
    return accept != nullptr && accept->find("text/html") != std::string::npos;
}

awaitable<Response> callback(Services& services, const Request& request) {
    tools::mcp::OauthLogins::Return from;
    for (const auto& [name, value] : request.path_values)
        if (name == "session_id") from.session_id = value;
    from.state = request.query.text("state").value_or("");
    from.code = request.query.text("code").value_or("");
    from.issuer = request.query.text("iss").value_or("");
    from.error = request.query.text("error").value_or("");
    from.error_description = request.query.text("error_description").value_or("");
    const McpOauthAnswer told = co_await services.mcp_oauth.finish(std::move(from));
    Response response = answer(told);
    if (wants_page(request)) {
        response.content_type = "text/html; charset=utf-8";
        response.headers.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
        response.body = page_of(told);
    }
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("Referrer-Policy", "no-referrer");  // the address holds the code
    co_return response;
}

// Who we are, for authorization servers that know clients by the address of this document.
awaitable<Response> client_document(Services& services, const Request& request) {
    const std::string base = mcp_public_url(services, request);
    McpClientDocument document;
    document.client_id = base + mcp_client_document_path;
    document.client_uri = base;
    document.redirect_uris = {base + mcp_callback_path};
    co_return answer(document);
}

}  // namespace

std::span<const Route> mcp_oauth_routes() {
    constexpr std::string_view query = "state, code, iss, error, error_description";
    static constexpr Route routes[] = {
        {Method::get, "/v1/tools/mcp/oauth/callback", callback, "tools.mcp_oauth_callback", "", "MCPOAuthAnswer", query,
         Trait::open},
        {Method::get, "/v1/tools/mcp/oauth/callback/{session_id}", callback, "tools.mcp_oauth_callback_by_session", "",
         "MCPOAuthAnswer", query, Trait::open},
        {Method::get, "/v1/tools/mcp/oauth/client", client_document, "tools.mcp_oauth_client", "", "MCPClientDocument",
         "", Trait::open},
    };
    return routes;
}

}  // namespace stele::api
