#pragma once

#include "net/server.hpp"

// Inside net/ alone: what the server adds to any answer, whoever made it. Pure.
namespace stele::net {

/// True for a CORS preflight of an allowed origin (WHATWG Fetch, "CORS-preflight request"); `response` is then its
/// answer but for add_cors. Every other OPTIONS is the handler's.
bool answer_preflight(const ServerOptions& options, const HttpRequest& request, HttpResponse& response);

/// Lets pages of an allowed origin read the answer.
void add_cors(const ServerOptions& options, const HttpRequest& request, HttpResponse& response);

/// Packs the body when it is text, worth it, and the client takes gzip.
void compress(const HttpRequest& request, HttpResponse& response);

/// Unpacks a gzip'ed body of `request`. 0, or the status to refuse it with and why.
struct Refusal {
    int status = 0;
    std::string text;
};
Refusal unpack_body(const ServerOptions& options, HttpRequest& request);

/// The answer that the server gives on its own.
HttpResponse own_answer(const ServerOptions& options, int status, const std::string& text);

}  // namespace stele::net
