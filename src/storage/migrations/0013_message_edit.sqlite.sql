-- 0013_message_edit: a message whose words change is taken out of the index and queued with the new ones.
CREATE TRIGGER message_search_update AFTER UPDATE OF text ON message
WHEN old.role IN ('user', 'assistant') AND old.text <> new.text BEGIN
    INSERT INTO message_search (message_search, rowid, owner, text)
    SELECT 'delete', old.position, replace(old.agent_id, '-', ''), old.text
    WHERE old.text <> '' AND NOT EXISTS (SELECT 1 FROM message_search_queue q WHERE q.position = old.position);
    DELETE FROM message_search_queue WHERE position = old.position;
    INSERT INTO message_search_queue (position, agent_id) SELECT new.position, new.agent_id WHERE new.text <> '';
END;
