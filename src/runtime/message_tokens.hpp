#pragma once

#include "domain/message.hpp"

#include <string_view>
#include <vector>

/// What messages take of a model's window where no provider has counted them (llm/token_estimate.hpp). Pure.
namespace stele::runtime {

/// Of a message as `json` shows it, with the data of its images.
std::int64_t estimated_json_tokens(const Message& message, std::string_view json);

/// Of what a model is sent of `messages`, one number each.
std::vector<std::int64_t> estimated_message_tokens(const std::vector<Message>& messages);

}  // namespace stele::runtime
