#pragma once

#include "domain/model_parameters.hpp"
#include "llm/model.hpp"

namespace stele::runtime {

/// Writes what `parameters` hold over `request`, which is as the agent's settings make it.
void apply(const ModelParameters& parameters, llm::ModelRequest& request);

}  // namespace stele::runtime
