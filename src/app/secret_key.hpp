#pragma once

#include "app/options.hpp"

namespace stele::app {

/// The key that seals stored secrets: the configured one, else the one in `<data>/secret.key`, which is made at the
/// first start and readable by its owner only. Throws Error{unavailable} when it can't be read or written.
Secret secret_key(const Options& options);

}  // namespace stele::app
