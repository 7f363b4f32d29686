#pragma once

#include "runtime/open_calls.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace stele::storage {
class MessageRepository;
}

namespace stele::runtime {

/// close_open_calls with what the store knows of the calls: one that was answered, and whose return only the window has
/// lost, is closed as such. Writes nothing. `messages` and `context` outlive the call.
boost::asio::awaitable<Repair> repair_window(const storage::MessageRepository& messages, std::string organization_id,
                                             std::string agent_id, std::vector<Message>& context);

}  // namespace stele::runtime
