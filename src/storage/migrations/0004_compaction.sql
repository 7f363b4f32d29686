-- 0004_compaction.sql: which summary took a message's place in the context window, and where the message stood, so that
-- a compaction can be undone. Null for messages that are in their window or left it in another way.
ALTER TABLE message ADD COLUMN evicted_by TEXT;
ALTER TABLE message ADD COLUMN evicted_position BIGINT;
CREATE INDEX message_evicted ON message (agent_id, evicted_by) WHERE evicted_by IS NOT NULL;
