#pragma once

#include "domain/run.hpp"

#include <array>

namespace stele {

/// Body of POST /v1/agents/{agent_id}/generate.
struct GenerateRequest {
    std::string prompt;
    std::optional<std::string> system_prompt;
    std::optional<std::string> override_model;  ///< handle
    Patch<Json> response_schema;                ///< a JSON Schema object that the answer is to fit
};
BOOST_DESCRIBE_STRUCT(GenerateRequest, (), (prompt, system_prompt, override_model, response_schema))
void check(const GenerateRequest& request, Problems& problems);
constexpr std::array<std::string_view, 1> required_members(const GenerateRequest*) { return {"prompt"}; }

struct GenerateResponse {
    std::string content;  ///< with a schema: JSON text
    std::string model;    ///< handle
    UsageStatistics usage;
};
BOOST_DESCRIBE_STRUCT(GenerateResponse, (), (content, model, usage))

}  // namespace stele
