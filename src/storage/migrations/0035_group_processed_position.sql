-- 0035_group_processed_position.sql: what a sleeptime group has read ends at a place in the agent's history. Its last message
-- tells the client, but may be deleted; everything was read once more then.
ALTER TABLE agent_group ADD COLUMN last_processed_position BIGINT;
UPDATE agent_group SET last_processed_position =
    (SELECT m.position FROM message m WHERE m.id = agent_group.last_processed_message_id)
    WHERE last_processed_message_id IS NOT NULL;
