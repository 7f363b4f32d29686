#pragma once

#include "domain/message.hpp"

namespace stele {

/// Body of PATCH /v1/agents/{agent_id}/messages/{message_id}: what one part of a stored message shall say. The part is
/// named as it is shown; without a name it is the one that a message of its role has.
struct MessageEdit {
    Patch<std::string> message_type;  ///< system_message, user_message, assistant_message or reasoning_message
    Patch<MessageContent> content;
    Patch<std::string> reasoning;  ///< of a reasoning_message
};
BOOST_DESCRIBE_STRUCT(MessageEdit, (), (message_type, content, reasoning))
void check(const MessageEdit& edit, Problems& problems);

/// Answer of DELETE /v1/agents/{agent_id}/messages/{message_id}.
struct DeletedMessages {
    std::vector<std::string> deleted_message_ids;  ///< the one that was named, and those that go with it
};
BOOST_DESCRIBE_STRUCT(DeletedMessages, (), (deleted_message_ids))

/// Changes `message` and returns the type of the part that was changed. What an agent said by a call of send_message is
/// changed in the call. A reasoning loses its signature, which holds for the old words alone. Throws
/// Error{invalid_argument} if the message has no such part.
std::string apply_edit(const MessageEdit& edit, Message& message);

}  // namespace stele
