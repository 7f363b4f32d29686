#include "api/error_response.hpp"

#include "base/json_text.hpp"
#include "domain/answer.hpp"
#include "runtime/run_failure.hpp"

#include <algorithm>
#include <cctype>

namespace stele::api {
namespace {

int model_status(const std::string& type, bool final) {
    if (type == "llm_authentication") return 401;
    if (type == "llm_insufficient_credits") return 402;
    if (type == "llm_rate_limit") return 429;
    if (type == "llm_timeout") return 504;
    if (type == "llm_bad_request" || type == "llm_context_overflow") return 400;
    if (type == "llm_overloaded") return 503;
    if (type == "mcp_timeout") return 408;
    if (type == "mcp_connection_error") return 502;
    return type == "llm_error" && final ? 502 : 500;  // refused for good (403, 404, ...), or failed
}

int status_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid_argument:
            return error.fields.empty() ? 400 : 422;
        case ErrorCode::unauthenticated:
            return 401;
        case ErrorCode::permission_denied:
            return 403;
        case ErrorCode::not_found:
            return 404;
        case ErrorCode::method_not_allowed:
            return 405;
        case ErrorCode::conflict:
            return 409;
        case ErrorCode::precondition_failed:
            return 412;
        case ErrorCode::too_large:
            return 413;
        case ErrorCode::gone:
            return 410;
        case ErrorCode::unsupported_media:
            return 415;
        case ErrorCode::rate_limited:
            return 429;
        case ErrorCode::model_failed:
            return model_status(error.type, error.final);
        case ErrorCode::timed_out:
            return 504;
        case ErrorCode::unavailable:
            return 503;
        case ErrorCode::cancelled:
            return 503;
        case ErrorCode::internal:
            return 500;
    }
    return 500;
}

// "body.memory_blocks.0.label" -> "body","memory_blocks",0,"label"
std::vector<Json> location(std::string_view where) {
    std::vector<Json> parts;
    while (!where.empty()) {
        const std::size_t end = std::min(where.find('.'), where.size());
        const std::string_view part = where.substr(0, end);
        where.remove_prefix(std::min(end + 1, where.size()));
        // A place in a list; a key of digits such as "007" stays a text.
        const bool number = !part.empty() && part.size() <= 9 && (part.front() != '0' || part.size() == 1) &&
                            std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
        parts.push_back(Json{number ? std::string(part) : json_string(part)});
    }
    return parts;
}

std::string validation_body(const Error& error, const std::string& request_id) {
    ValidationError body;
    body.trace_id = request_id;
    for (const Error::Field& field : error.fields) {
        body.detail += (body.detail.empty() ? "" : "; ") + field.where + ": " + field.problem;
        ValidationProblem& problem = body.errors.emplace_back();
        problem.loc = location(field.where);
        problem.msg = field.problem;
        problem.type = field.type;
        if (!field.input_json.empty()) problem.input = Json{field.input_json};
    }
    for (const auto& [name, value] : error.members)
        if (name == "examples") body.examples = std::vector<std::string>{value};
    return to_json(body);
}

std::string body_of(const Error& error, const std::string& request_id) {
    if (error.code == ErrorCode::model_failed) {
        const std::string type = error.type.empty() ? "llm_error" : error.type;
        ModelError failure;
        failure.type = type;
        failure.message = runtime::failure_message(type);
        failure.detail = error.what();
        ErrorBody body;
        body.detail.text = json_string(error.what());
        body.error = std::move(failure);
        return to_json(body);
    }
    if (error.code == ErrorCode::invalid_argument && !error.fields.empty()) return validation_body(error, request_id);
    if (error.code == ErrorCode::internal)
        return "{\"detail\":\"An unknown error occurred\",\"trace_id\":" + json_string(request_id) + "}";
    std::string body = "{\"detail\":" + (error.detail_json.empty() ? json_string(error.what()) : error.detail_json);
    for (const auto& [name, value] : error.members) body += "," + json_string(name) + ":" + json_string(value);
    return body + "}";
}

}  // namespace

net::HttpResponse error_response(const Error& error, const std::string& request_id) {
    net::HttpResponse response;
    response.status = status_of(error);
    response.body = body_of(error, request_id);
    if (error.code == ErrorCode::method_not_allowed) response.headers.add("Allow", error.type);
    if (error.code == ErrorCode::unauthenticated) response.headers.add("WWW-Authenticate", "Bearer");
    // The clients repeat 409s by themselves; most of ours would only fail again.
    if (error.final ||
        (error.code == ErrorCode::conflict && error.type != changed_meanwhile_type && !error.retry_after))
        response.headers.add("x-should-retry", "false");
    if (error.retry_after) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
        response.headers.add("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds)));
    } else if (response.status == 503) {
        response.headers.add("Retry-After", "1");
    }
    return response;
}

std::string error_body(int, const std::string& text) { return "{\"detail\":" + json_string(text) + "}"; }

}  // namespace stele::api
