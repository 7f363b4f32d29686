#pragma once

#include "api/route.hpp"
#include "api/services.hpp"
#include "domain/message_view.hpp"
#include "storage/message_repository.hpp"

#include <boost/asio/awaitable.hpp>

namespace stele::api {

/// The page of stored messages that `page` asks for (MessageRepository::list), or the next one in its direction of
/// which `view` shows anything: an empty answer would tell a client's iterator that the list has ended, while the page
/// may only hold what this view leaves out (returns of spoken words, types that were not asked for). `view` outlives
/// the call.
boost::asio::awaitable<std::vector<Message>> page_that_shows(const Services& services, std::string organization_id,
                                                             storage::MessageFilter filter, storage::Page page,
                                                             const ViewOptions& view);

/// The list that `view` makes of `messages`, in their order. `view` outlives the call.
boost::asio::awaitable<Response> message_list(std::vector<Message> messages, const ViewOptions& view);

/// Views of messages that are in order of position, the other way round; the views of one message stay in their order.
std::vector<LettaMessage> newest_first(std::vector<LettaMessage> messages);

}  // namespace stele::api
