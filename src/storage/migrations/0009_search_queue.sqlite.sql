-- 0009_search_queue: a step only notes which messages are to be searchable; the writer enters them into the index when it
-- has nothing else to do, and always before a search. Entering them at once made a step write five pages more.
CREATE TABLE message_search_queue (
    position INTEGER PRIMARY KEY,
    agent_id TEXT NOT NULL
);
DROP TRIGGER message_search_insert;
CREATE TRIGGER message_search_insert AFTER INSERT ON message WHEN new.role IN ('user', 'assistant') AND new.text <> '' BEGIN
    INSERT INTO message_search_queue (position, agent_id) VALUES (new.position, new.agent_id);
END;
DROP TRIGGER message_search_delete;
CREATE TRIGGER message_search_delete AFTER DELETE ON message WHEN old.role IN ('user', 'assistant') AND old.text <> '' BEGIN
    INSERT INTO message_search (message_search, rowid, owner, text)
    SELECT 'delete', old.position, replace(old.agent_id, '-', ''), old.text
    WHERE NOT EXISTS (SELECT 1 FROM message_search_queue q WHERE q.position = old.position);
    DELETE FROM message_search_queue WHERE position = old.position;
END;
