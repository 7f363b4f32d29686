#include "domain/conversation_calls.hpp"

#include "domain/json_mapping.hpp"

namespace stele {
namespace {

constexpr std::size_t messages_max = 10'000;

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

}  // namespace

void check(const EphemeralConversationRequest& request, Problems& problems) {
    if (is_blank(request.model)) problems.add("model", "must be the handle of a model", "string_too_short");
    if (request.context_window_limit.has_value() && *request.context_window_limit < 1)
        problems.add("context_window_limit", "must be positive", "greater_than");
}

void check(const GivenMessage& message, Problems& problems) {
    if (message.role != "user" && message.role != "assistant" && message.role != "system")
        problems.add("role", "must be user, assistant or system", "literal_error",
                     json_string(first_code_points(message.role, 64)));
}

void check(const SummarizeRequest& request, Problems& problems) {
    if (is_blank(request.prompt)) problems.add("prompt", "must say something", "string_too_short");
    if (request.messages.empty()) problems.add("messages", "must not be empty", "too_short");
    if (request.messages.size() > messages_max)
        problems.add("messages", "must have at most 10000 elements", "too_long");
}

STELE_JSON_READ(EphemeralConversationRequest)
STELE_JSON_WRITTEN(EphemeralConversation)
STELE_JSON_READ(SummarizeRequest)
STELE_JSON_WRITTEN(GivenSummary)

}  // namespace stele
