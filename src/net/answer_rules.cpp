#include "net/answer_rules.hpp"

#include "net/gzip.hpp"

namespace stele::net {
namespace {

constexpr std::size_t compressed_from_bytes = 1u << 10;

// Packing holds up the whole thread, at about 10 ms a megabyte: larger answers are rare and go as they are.
constexpr std::size_t compressed_to_bytes = 1u << 20;

const std::string* allowed_origin(const ServerOptions& options, const HttpRequest& request) {
    if (options.cors_origins.empty() && !options.allows_origin) return nullptr;
    const std::string* origin = request.headers.find("Origin");
    if (origin == nullptr) return nullptr;
    for (const std::string& allowed : options.cors_origins)
        if (allowed == "*" || allowed == *origin) return origin;
    if (options.allows_origin && options.allows_origin(*origin)) return origin;
    return nullptr;
}

}  // namespace

bool answer_preflight(const ServerOptions& options, const HttpRequest& request, HttpResponse& response) {
    if (request.method != Method::options || request.headers.find("Access-Control-Request-Method") == nullptr)
        return false;
    if (allowed_origin(options, request) == nullptr) return false;
    response.status = 204;
    response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    const std::string* names = request.headers.find("Access-Control-Request-Headers");
    if (names != nullptr) response.headers.add("Access-Control-Allow-Headers", *names);
    response.headers.add("Access-Control-Max-Age", "600");
    return true;
}

void add_cors(const ServerOptions& options, const HttpRequest& request, HttpResponse& response) {
    if (options.cors_origins.empty() && !options.allows_origin) return;
    response.headers.add("Vary", "Origin");  // also where it is not allowed: a cache must not give this to one who is
    const std::string* origin = allowed_origin(options, request);
    if (origin == nullptr) return;
    response.headers.add("Access-Control-Allow-Origin", *origin);
    response.headers.add("Access-Control-Expose-Headers", "*");
}

void compress(const HttpRequest& request, HttpResponse& response) {
    if (response.body.size() < compressed_from_bytes || response.body.size() > compressed_to_bytes) return;
    if (response.headers.find("Content-Encoding") != nullptr) return;
    const std::string& type = response.content_type;
    if (!type.starts_with("application/json") && !type.starts_with("text/")) return;
    response.headers.add("Vary", "Accept-Encoding");
    const std::string* accepted = request.headers.find("Accept-Encoding");
    if (accepted == nullptr || !accepts_gzip(*accepted)) return;
    response.body = gzip(response.body);
    response.headers.add("Content-Encoding", "gzip");
}

Refusal unpack_body(const ServerOptions& options, HttpRequest& request) {
    Refusal refusal;
    const std::string* coding = request.headers.find("Content-Encoding");
    if (coding == nullptr || same_name(*coding, "identity")) return refusal;
    if (!same_name(*coding, "gzip")) {
        refusal.status = 415;
        refusal.text = "Of the content codings only gzip is known";
        return refusal;
    }
    GunzipFailure failure = GunzipFailure::none;
    auto text = gunzip(request.body, options.body_bytes_max, failure);
    if (text) {
        request.body = std::move(*text);
    } else if (failure == GunzipFailure::too_large) {
        refusal.status = 413;
        refusal.text =
            "The request's unpacked body is larger than " + std::to_string(options.body_bytes_max) + " bytes";
    } else {
        refusal.status = 400;
        refusal.text = "The request's body is no proper gzip";
    }
    return refusal;
}

HttpResponse own_answer(const ServerOptions& options, int status, const std::string& text) {
    HttpResponse response;
    response.status = status;
    if (options.error_body) {
        response.body = options.error_body(status, text);
    } else {
        response.content_type = "text/plain; charset=utf-8";
        response.body = text;
    }
    if (status == 503) response.headers.add("Retry-After", "1");
    return response;
}

}  // namespace stele::net
