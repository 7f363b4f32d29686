#pragma once

#include "api/route.hpp"
#include "domain/content.hpp"
#include "domain/message.hpp"

namespace stele::api {

/// Stores the images that a request names by URL (http, https, data) with its messages: what the model sees is what
/// was there when the message was sent, for as long as the conversation lasts. URLs are asked as callbacks are: of
/// public addresses alone unless the server is told otherwise. Throws Error{invalid_argument} for what can't be had in
/// time, is too large, or is no image that models read; and for images by file id, of which there are none.
awaitable<void> bring_images(const Services& services, MessageRequest& body);

/// The same for messages that are sent later, who knows how often.
awaitable<void> bring_images(const Services& services, std::vector<InputMessage>& messages);

/// The same for a body with a `content` of its own.
awaitable<void> bring_images(const Services& services, MessageContent& content);

}  // namespace stele::api
