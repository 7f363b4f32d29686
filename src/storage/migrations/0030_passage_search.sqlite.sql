-- 0030_passage_search.sql: full text over passages.
-- Full text in the row's own transaction: a passage is found as soon as it is stored. The scope is a column of the
-- index, as in 0002. The second index knows every three characters, for languages that write no spaces; a text of
-- ASCII alone has nothing to look for there.
CREATE VIRTUAL TABLE passage_search USING fts5 (
    owner, text, content = '', tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE passage_trigram USING fts5 (
    text, content = '', tokenize = "trigram"
);
CREATE TRIGGER passage_search_insert AFTER INSERT ON passage BEGIN
    INSERT INTO passage_search (rowid, owner, text) VALUES (new.position, replace(new.scope_id, '-', ''), new.text);
    INSERT INTO passage_trigram (rowid, text) SELECT new.position, new.text
    WHERE length(new.text) < length(CAST(new.text AS BLOB));
END;
CREATE TRIGGER passage_search_delete AFTER DELETE ON passage BEGIN
    INSERT INTO passage_search (passage_search, rowid, owner, text)
    VALUES ('delete', old.position, replace(old.scope_id, '-', ''), old.text);
    INSERT INTO passage_trigram (passage_trigram, rowid, text) SELECT 'delete', old.position, old.text
    WHERE length(old.text) < length(CAST(old.text AS BLOB));
END;
CREATE TRIGGER passage_search_update AFTER UPDATE OF text ON passage WHEN old.text <> new.text BEGIN
    INSERT INTO passage_search (passage_search, rowid, owner, text)
    VALUES ('delete', old.position, replace(old.scope_id, '-', ''), old.text);
    INSERT INTO passage_trigram (passage_trigram, rowid, text) SELECT 'delete', old.position, old.text
    WHERE length(old.text) < length(CAST(old.text AS BLOB));
    INSERT INTO passage_search (rowid, owner, text) VALUES (new.position, replace(new.scope_id, '-', ''), new.text);
    INSERT INTO passage_trigram (rowid, text) SELECT new.position, new.text
    WHERE length(new.text) < length(CAST(new.text AS BLOB));
END;
