#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>

namespace stele {

// Small answers that belong to no resource, and the bodies of errors.

/// Answer of GET /v1/health and /v1/ready. `version`: what clients were written against; they only display it.
struct Health {
    std::string version = "0.16.8";
    std::string status = "ok";
    std::string stele_version;
};
BOOST_DESCRIBE_STRUCT(Health, (), (version, status, stele_version))

/// Answer of DELETE /v1/agents/{agent_id}.
struct Deleted {
    std::string message;
};
BOOST_DESCRIBE_STRUCT(Deleted, (), (message))

/// Answer of DELETE /v1/agents/{agent_id}/schedule/{scheduled_message_id}.
struct Success {
    bool success = true;
};
BOOST_DESCRIBE_STRUCT(Success, (), (success))

/// Answer of GET /v1/agents/{agent_id}/core-memory/variables.
struct MemoryVariables {
    TextMap variables;
};
BOOST_DESCRIBE_STRUCT(MemoryVariables, (), (variables))

/// Ends a stream whose run failed, as the data of an `error` event.
struct ErrorMessage {
    std::string message_type = "error_message";
    std::string run_id;
    std::string error_type;
    std::string message;
    std::string detail;
    std::optional<std::int64_t> seq_id;
};
BOOST_DESCRIBE_STRUCT(ErrorMessage, (), (message_type, run_id, error_type, message, detail, seq_id))

/// One violation of a request's schema.
struct ValidationProblem {
    std::vector<Json> loc;  ///< texts and, for elements of lists, numbers
    std::string msg;
    std::string type;
    Patch<Json> input;
};
BOOST_DESCRIBE_STRUCT(ValidationProblem, (), (loc, msg, type, input))

/// Body of a 422.
struct ValidationError {
    std::string trace_id;
    std::string detail;
    Patch<std::vector<std::string>> examples;  ///< for an id in the path
    std::vector<ValidationProblem> errors;
};
BOOST_DESCRIBE_STRUCT(ValidationError, (), (trace_id, detail, examples, errors))

/// Body of every other error; `error` where a model's server failed.
struct ModelError {
    std::string type;
    std::string message;
    std::string detail;
};
BOOST_DESCRIBE_STRUCT(ModelError, (), (type, message, detail))

struct ErrorBody {
    Patch<ModelError> error;
    Json detail;
};
BOOST_DESCRIBE_STRUCT(ErrorBody, (), (error, detail))

}  // namespace stele
