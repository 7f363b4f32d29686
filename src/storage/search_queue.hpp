#pragma once

#include "storage/sqlite_connection.hpp"

namespace stele::storage {

/// Enters what commits have queued (message_search_queue) into the full-text index, in transactions of a bounded number
/// of messages. Returns when the queue is empty. Throws SqliteFailure; what was entered before stays entered.
void drain_search_queue(SqliteConnection& connection);

}  // namespace stele::storage
