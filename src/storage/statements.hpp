#pragma once

#include "storage/database.hpp"

namespace stele::storage {

/// Every statement that the repositories send, one text for each shape of an optional filter. A test prepares them all
/// on PostgreSQL, so that the two engines never drift apart. A new repository adds its statements() to the list.
std::vector<Statement> all_statements();

}  // namespace stele::storage
