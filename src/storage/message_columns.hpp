#pragma once

// The columns of a message, in the order that MessageRepository::from_rows takes, `m` being the message.
#define STELE_MESSAGE_COLUMNS_AS(conversation, context)        \
    "m.agent_id, m.position, m.id, " conversation ", " context \
    ", m.role, m.text, m.body, m.name,"                        \
    " m.otid, m.sender_id, m.group_id, m.model, m.run_id, m.step_id, m.created_at"
#define STELE_MESSAGE_COLUMNS STELE_MESSAGE_COLUMNS_AS("m.conversation_id", "m.context_position")

// A message that a fork shares, as it stands in the fork (`l`: the link).
#define STELE_SHARED_MESSAGE_COLUMNS STELE_MESSAGE_COLUMNS_AS("l.conversation_id", "l.context_position")
#define STELE_SHARED_MESSAGES \
    "conversation_message l JOIN message m ON m.agent_id = l.agent_id AND m.position = l.position"

// For reads of all agents: without those that an import has stored in part (agent_import_repository.hpp).
#define STELE_AGENT_NOT_STAGED "m.agent_id NOT IN (SELECT i.object_id FROM agent_import i)"
