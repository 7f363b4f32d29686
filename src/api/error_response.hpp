#pragma once

#include "base/error.hpp"
#include "net/http.hpp"

namespace stele::api {

/// Status and body for an error, in the API's shapes. The only place that knows HTTP statuses of errors.
net::HttpResponse error_response(const Error& error, const std::string& request_id);

/// The body of an error that is known by its status alone: {"detail": text}.
std::string error_body(int status, const std::string& text);

}  // namespace stele::api
