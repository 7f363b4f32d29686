#include "runtime/run_failure.hpp"

#include "base/json_text.hpp"

namespace stele::runtime {

StopReason stop_reason_of(const Error& error) {
    if (error.code == ErrorCode::cancelled) return StopReason::cancelled;
    if (error.code != ErrorCode::model_failed) return StopReason::error;
    if (error.type == "llm_empty_response") return StopReason::invalid_llm_response;
    if (error.type == "llm_insufficient_credits") return StopReason::insufficient_credits;
    return StopReason::llm_api_error;
}

std::string failure_type(const Error& error) {
    if (error.code != ErrorCode::model_failed) return "internal_error";
    return error.type.empty() ? "llm_error" : error.type;
}

std::string failure_message(const std::string& type) {
    struct Sentence {
        std::string_view type;
        const char* text;
    };
    constexpr Sentence sentences[] = {
        {"llm_timeout", "The model did not answer in time."},
        {"llm_rate_limit", "The model's provider refuses more requests for now; wait a moment and try again."},
        {"llm_authentication", "The model's provider did not accept the key."},
        {"llm_insufficient_credits", "The account at the model's provider has no credit left."},
        {"llm_bad_request", "The model's provider did not accept the request."},
        {"llm_context_overflow", "The conversation is longer than the model's context window."},
        {"llm_empty_response", "The model answered with nothing."},
        {"llm_overloaded", "The model's provider is overloaded; try again later."},
        {"llm_connection", "The model's server could not be reached, or the connection broke."},
        {"llm_error", "The model's provider failed."},
        {"mcp_timeout", "The MCP server did not answer in time."},
        {"mcp_connection_error", "The MCP server could not be reached, or did not answer as one does."},
        {"stream_incomplete", "The server stopped before the stream had ended."},
    };
    for (const Sentence& sentence : sentences)
        if (sentence.type == type) return sentence.text;
    return "The request could not be completed.";
}

std::string run_metadata(const std::string& run_type, const std::string& failure, const std::string& identity_id) {
    std::string metadata = "{\"run_type\":" + json_string(run_type);
    if (!identity_id.empty()) metadata += ",\"identity_id\":" + json_string(identity_id);
    if (!failure.empty()) metadata += ",\"error\":" + json_string(failure);
    return metadata + "}";
}

}  // namespace stele::runtime
