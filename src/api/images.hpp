#pragma once

#include "api/route.hpp"
#include "domain/content.hpp"
#include "domain/message.hpp"

namespace stele::api {

/// Stores the images that a request names by URL (http, https, data) or by file id with its messages: what the model
/// sees is what was there when the message was sent, for as long as the conversation lasts. URLs are asked as callbacks
/// are: of public addresses alone unless the server is told otherwise. An image by file id is a file of one of the
/// organisation's folders; whoever holds a client-side token may name none. Throws Error{invalid_argument} for what
/// can't be had in time, is too large, or is no image that models read, Error{not_found} for a file that is not there.
awaitable<void> bring_images(const Services& services, const Request& request, MessageRequest& body);

/// The same for messages that are sent later, who knows how often.
awaitable<void> bring_images(const Services& services, const Request& request, std::vector<InputMessage>& messages);

/// The same for a body with a `content` of its own.
awaitable<void> bring_images(const Services& services, const Request& request, MessageContent& content);

}  // namespace stele::api
