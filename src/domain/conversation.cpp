#include "domain/conversation.hpp"

#include "domain/json_mapping.hpp"

#include <algorithm>

namespace stele {

void check(const ConversationRequest& request, Problems& problems) {
    if (request.context_window_limit.has_value() && *request.context_window_limit < 1)
        problems.add("context_window_limit", "must be at least 1", "greater_than_equal");
    if (request.model.has_value() && request.model->empty())
        problems.add("model", "must be a handle such as openai/gpt-4o", "string_too_short");
}

bool apply(const UpdateConversation& update, Conversation& conversation) {
    const auto leave_null = [](const auto& patch, auto& target) { return !patch.null() && patch.set_into(target); };
    bool changed = leave_null(update.summary, conversation.summary);
    changed = leave_null(update.last_message_at, conversation.last_message_at) || changed;
    changed = update.description.set_into(conversation.description) || changed;
    changed = update.context_window_limit.set_into(conversation.context_window_limit) || changed;
    if (!update.archived.set_into(conversation.archived)) return changed;
    conversation.archived_at = conversation.archived ? std::optional(now()) : std::nullopt;
    return true;
}

void apply_model(const Conversation& conversation, LlmConfig& config) {
    if (conversation.llm_config) config = *conversation.llm_config;
    if (conversation.model_settings) apply(*conversation.model_settings, config);
    if (conversation.context_window_limit)
        config.context_window = std::min(config.context_window, *conversation.context_window_limit);
}

STELE_JSON_WRITTEN(Conversation)
STELE_JSON_READ(CreateConversation)
STELE_JSON_READ(UpdateConversation)
STELE_JSON_READ(ConversationMessageRequest)
STELE_JSON_READ(ConversationCompactionRequest)

}  // namespace stele
