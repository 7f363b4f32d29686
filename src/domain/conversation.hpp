#pragma once

#include "domain/audit.hpp"
#include "domain/compaction.hpp"
#include "domain/message.hpp"
#include "domain/model_config.hpp"

namespace stele {

/// One of several talks with an agent. Conversations share the agent's blocks, unless they isolated some, but not their
/// messages. The agent's own, default conversation has no row.
struct Conversation : Audit {
    std::string id;  ///< "conv-<uuid>"
    std::string agent_id;
    std::optional<std::string> summary;  ///< a title, as users give it
    std::vector<std::string> in_context_message_ids;
    std::vector<std::string> isolated_block_ids;  ///< private copies of blocks of the agent
    std::optional<std::string> model;             ///< handle; absent: the agent's
    std::optional<ModelSettings> model_settings;
    std::optional<Timestamp> last_message_at;
    bool archived = false;
    std::optional<Timestamp> archived_at;
    std::optional<std::int64_t> context_window_limit;
    std::optional<std::string> description;

    bool hidden = false;                  ///< left out of lists; not described
    std::optional<LlmConfig> llm_config;  ///< of `model`; not described
    std::int64_t version = 1;             ///< of the row; not described
};
BOOST_DESCRIBE_STRUCT(Conversation, (Audit),
                      (id, agent_id, summary, in_context_message_ids, isolated_block_ids, model, model_settings,
                       last_message_at, archived, archived_at, context_window_limit, description))

// Members that create and modify share.
struct ConversationRequest {
    Patch<std::string> summary;
    Patch<std::string> description;
    Patch<std::string> model;
    Patch<ModelSettings> model_settings;
    Patch<std::int64_t> context_window_limit;
};
BOOST_DESCRIBE_STRUCT(ConversationRequest, (), (summary, description, model, model_settings, context_window_limit))
void check(const ConversationRequest& request, Problems& problems);

/// Body of POST /v1/conversations.
struct CreateConversation : ConversationRequest {
    Patch<std::vector<std::string>> isolated_block_labels;
    Patch<bool> hidden;
};
BOOST_DESCRIBE_STRUCT(CreateConversation, (ConversationRequest), (isolated_block_labels, hidden))

/// Body of PATCH /v1/conversations/{conversation_id}.
struct UpdateConversation : ConversationRequest {
    Patch<Timestamp> last_message_at;
    Patch<bool> archived;
};
BOOST_DESCRIBE_STRUCT(UpdateConversation, (ConversationRequest), (last_message_at, archived))

/// Applies what needs nothing but the conversation: all but its model. Null clears description and
/// context_window_limit and leaves the rest. True if anything changed.
bool apply(const UpdateConversation& update, Conversation& conversation);

/// Makes `config`, the agent's, what this conversation calls its model with.
void apply_model(const Conversation& conversation, LlmConfig& config);

/// Body of POST /v1/conversations/{conversation_id}/messages and .../preview-raw-payload. `streaming` is true unless
/// it says otherwise.
struct ConversationMessageRequest : MessageRequest {
    Patch<std::string> agent_id;  ///< whose conversation `default` means
};
BOOST_DESCRIBE_STRUCT(ConversationMessageRequest, (MessageRequest), (agent_id))

/// Body of POST /v1/conversations/{conversation_id}/compact.
struct ConversationCompactionRequest : CompactionRequest {
    Patch<std::string> agent_id;  ///< whose conversation `default` means
};
BOOST_DESCRIBE_STRUCT(ConversationCompactionRequest, (CompactionRequest), (agent_id))

}  // namespace stele
