#pragma once

#include "domain/json.hpp"

#include <boost/describe/class.hpp>

#include <array>

namespace stele {

/// What this server reads of a request in the shape of Anthropic's "Create a message" (API reference, version
/// 2023-06-01); the rest is passed on as it is.
struct AnthropicMessagesRequest {
    std::string model;
    std::vector<Json> messages;
    Patch<Json> system;  ///< a text, or a list of text blocks
    Patch<bool> stream;
};
BOOST_DESCRIBE_STRUCT(AnthropicMessagesRequest, (), (model, messages, system, stream))
constexpr std::array<std::string_view, 2> required_members(const AnthropicMessagesRequest*) {
    return {"model", "messages"};
}

/// An error as clients of that API read it.
struct AnthropicError {
    std::string type;  ///< "invalid_request_error", "api_error", ...
    std::string message;
};
BOOST_DESCRIBE_STRUCT(AnthropicError, (), (type, message))

}  // namespace stele
