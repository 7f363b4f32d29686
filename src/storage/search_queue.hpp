#pragma once

#include "storage/sqlite_connection.hpp"

#include <chrono>

namespace stele::storage {

/// Enters what commits have queued (message_search_queue) into the full-text index, in transactions of a bounded number
/// of messages, for as long as `time` allows. True when the queue is empty. Throws SqliteFailure; what was entered
/// before stays entered.
bool drain_search_queue(SqliteConnection& connection, std::chrono::milliseconds time);

}  // namespace stele::storage
