#pragma once

#include <string>

namespace stele::api {

/// Appends the document's schemas of the terminal client's own routes to a JSON object's members.
void add_terminal_schemas(std::string& out);

}  // namespace stele::api
