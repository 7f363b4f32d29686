-- 0002_message_search: full text over what was said. The owner's id is a column of the index: a search of one agent
-- AND-s it into the MATCH instead of joining afterwards, which costs as much as searching everybody's messages.
-- The row id is the message's position, which is unique in the file and, unlike an implicit rowid, survives VACUUM.
CREATE VIRTUAL TABLE message_search USING fts5 (
    owner, text, content = '', tokenize = "unicode61 remove_diacritics 2"
);
CREATE TRIGGER message_search_insert AFTER INSERT ON message WHEN new.role IN ('user', 'assistant') AND new.text <> '' BEGIN
    INSERT INTO message_search (rowid, owner, text) VALUES (new.position, replace(new.agent_id, '-', ''), new.text);
END;
CREATE TRIGGER message_search_delete AFTER DELETE ON message WHEN old.role IN ('user', 'assistant') AND old.text <> '' BEGIN
    INSERT INTO message_search (message_search, rowid, owner, text)
    VALUES ('delete', old.position, replace(old.agent_id, '-', ''), old.text);
END;
