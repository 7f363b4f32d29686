#pragma once

#include "app/options.hpp"

namespace stele::app {

/// Runs the server until it is told to stop by SIGINT or SIGTERM (a second signal ends it at once). Throws Error with a
/// text for the operator when it can't start.
void serve(const Options& options);

}  // namespace stele::app
