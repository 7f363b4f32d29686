#pragma once

#include "api/route.hpp"
#include "domain/pipeline.hpp"

namespace stele::api {

/// Throws Error{invalid_argument} with this errorCode for a config that names nothing that this server can read.
void demand_source(const ProducerConfig& config, const char* error_code);

/// What `url` answers, as texts (source_texts). Goes where the egress rules let it go, with no credential of this
/// server. Throws Error{invalid_argument} for whatever goes wrong; the text names the host alone, for the rest of an
/// address may be a secret.
awaitable<std::vector<std::string>> read_source(const Services& services, std::string url);

}  // namespace stele::api
