#pragma once

#include "domain/agent_file.hpp"

#include <boost/json/fwd.hpp>

#include <string>

namespace stele {

/// The legacy agent file `from` (one agent without the member `agents`, as servers 0.6 to 0.12 wrote it) in the form of
/// version 2, without its messages: there are `messages` of them, whose ids are to be those of legacy_message_id.
/// Members of a wrong type are carried over for whoever reads that form to refuse. Throws Error{invalid_argument}
/// (status 400) for what is no agent file at all.
boost::json::value upgraded_agent_file(const boost::json::object& from, std::size_t messages);

/// The legacy form has no ids of messages.
std::string legacy_message_id(std::size_t index);

/// An agent in the legacy form, but for its messages and the numbers of those in the window, which come where the text
/// is parted. `rest`: the blocks and tools that it has.
struct LegacyFrame {
    std::string before_messages, before_indices, behind_indices;
};
LegacyFrame legacy_frame(const FileAgentHead& head, const AgentFileTail& rest);

/// A message in the legacy form: without ids.
std::string legacy_message(const FileMessage& message);

}  // namespace stele
