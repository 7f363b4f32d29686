#include "api/reference_files.hpp"
#include "api/route.hpp"
#include "base/base64.hpp"

#include <sodium.h>

// The API's reference for people: two views of /openapi.json, each one page that needs nothing from elsewhere.
namespace stele::api {
namespace {

void replace(std::string& text, std::string_view mark, std::string_view by) {
    const std::size_t at = text.find(mark);
    STELE_ASSERT(at != std::string::npos);
    text.replace(at, mark.size(), by);
}

// What the page's policy lets run, and nothing beside it: this very text.
std::string hash_of(std::string_view text) {
    std::string hash(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return "'sha256-" + to_base64(hash) + "'";
}

Response page_of(std::string page, std::string_view script) {
    const std::string_view style = reference_file("style.css"), code = reference_file(script);
    replace(page, "{{style}}", style);
    replace(page, "{{script}}", code);
    Response response;
    response.content_type = "text/html; charset=utf-8";
    response.headers.add("Content-Security-Policy",
                         "default-src 'none'; connect-src 'self'; form-action 'none'; "
                         "base-uri 'none'; frame-ancestors 'none'; style-src " +
                             hash_of(style) + "; script-src " + hash_of(code));
    response.headers.add("X-Content-Type-Options", "nosniff");
    response.headers.add("Referrer-Policy", "no-referrer");
    response.body = std::move(page);
    return response;
}

Response view_of(std::string_view view, std::string_view other, std::string_view other_name) {
    std::string page(reference_file("page.html"));
    replace(page, "{{view}}", view);
    replace(page, "{{other}}", other);
    replace(page, "{{other-name}}", other_name);
    return page_of(std::move(page), "reference.js");
}

awaitable<Response> docs(Services&, const Request&) { co_return view_of("try", "/redoc", "All on one page"); }

awaitable<Response> redoc(Services&, const Request&) { co_return view_of("read", "/docs", "Try it"); }

awaitable<Response> redirect(Services&, const Request&) {
    co_return page_of(std::string(reference_file("redirect.html")), "redirect.js");
}

}  // namespace

std::span<const Route> documentation_routes() {
    static constexpr Route routes[] = {
        {Method::get, "/docs", docs, "docs", "", "text/html", "", Trait::open},
        {Method::get, "/docs/oauth2-redirect", redirect, "docs.oauth2_redirect", "", "text/html", "", Trait::open},
        {Method::get, "/redoc", redoc, "redoc", "", "text/html", "", Trait::open},
    };
    return routes;
}

}  // namespace stele::api
