#pragma once

#include <string_view>
#include <utility>

namespace stele::api {

/// A file of the API's reference, src/api/reference/<name>, built into the binary (cmake/reference.cmake). Empty if
/// there is none.
std::string_view reference_file(std::string_view name);

}  // namespace stele::api
