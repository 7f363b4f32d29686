#pragma once

#include "domain/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <map>
#include <string>
#include <vector>

namespace stele::runtime {

struct TurnServices;

/// By the id of an identity, what a model reads before the words that it has sent (sender_mark); empty for one that is
/// no longer there.
using SenderMarks = std::map<std::string, std::string>;

/// Adds those of the identities that have sent `messages` and are not among `marks` yet. Nothing where the operator
/// does not want models to know. References outlive the call.
boost::asio::awaitable<void> learn_senders(const TurnServices& services, const std::string& organization_id,
                                           const std::vector<Message>& messages, SenderMarks& marks);

/// The mark of who has sent `message`, or nothing.
std::string mark_of(const Message& message, const SenderMarks& marks);

/// Puts the marks into the texts themselves, for whoever reads messages that are not made into turns.
void write_marks(std::vector<Message>& messages, const SenderMarks& marks);

}  // namespace stele::runtime
