#pragma once

struct sqlite3;

namespace stele::storage {

/// Gives a connection the functions that SQLite's own lack against PostgreSQL's: LOWER for every script, not only
/// ASCII.
void add_functions(sqlite3* connection);

}  // namespace stele::storage
