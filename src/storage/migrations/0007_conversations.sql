-- 0007_conversations.sql: several talks with one agent.
-- `llm_config` belongs to `model` and is chosen when that is set. A deleted conversation keeps its row: walks that stand
-- on it find their place, and messages that forks share keep their owner.
CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    summary TEXT,
    description TEXT,
    model TEXT,
    model_settings TEXT,
    llm_config TEXT,
    context_window_limit BIGINT,
    hidden BIGINT NOT NULL,
    archived_at BIGINT,
    last_message_at BIGINT,
    last_run_completion BIGINT,
    deleted_at BIGINT,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX conversation_by_created ON conversation (organization_id, created_at, id);
CREATE INDEX conversation_by_agent ON conversation (agent_id, created_at, id);

-- The block that stands in a conversation where the agent has the one labelled `replaces`; null once it is deleted, for
-- then the conversation has none.
CREATE TABLE conversation_block (
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    replaces TEXT NOT NULL,
    block_id TEXT REFERENCES block (id) ON DELETE SET NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, replaces)
);
CREATE INDEX conversation_block_by_block ON conversation_block (block_id);

-- Messages that a fork has from the conversation it was forked from, with their place in the fork's own window
-- (the columns are those of `message`).
CREATE TABLE conversation_message (
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    context_position BIGINT,
    evicted_by TEXT,
    evicted_position BIGINT,
    PRIMARY KEY (conversation_id, position),
    FOREIGN KEY (agent_id, position) REFERENCES message (agent_id, position) ON DELETE CASCADE
);
CREATE INDEX conversation_message_by_message ON conversation_message (agent_id, position);
CREATE INDEX message_by_conversation ON message (conversation_id, position) WHERE conversation_id <> '';
