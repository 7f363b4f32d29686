#pragma once

#include "domain/json.hpp"

#include <cstdint>

namespace stele {

/// What one request asks of its model, over what its agent is set to. Absent: as the agent has it, or the model's own.
struct ModelParameters {
    std::optional<std::int64_t> max_output_tokens;
    std::optional<double> temperature;
    std::optional<double> top_p;
    std::optional<double> frequency_penalty;
    std::optional<double> presence_penalty;
    std::optional<std::int64_t> seed;
    std::vector<std::string> stop;        ///< texts before which the answer ends
    std::optional<Json> response_format;  ///< as in chat completions; of type text it takes the agent's away
};

}  // namespace stele
