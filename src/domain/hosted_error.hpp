#pragma once

#include "base/error.hpp"

namespace stele {

/// An error of the resources that only the hosted product had (projects, templates, feeds, pipelines): their clients
/// read `message` and `errorCode` beside `detail`. An empty `error_code` is left out.
Error hosted_error(ErrorCode code, const std::string& text, const std::string& error_code = {});

}  // namespace stele
