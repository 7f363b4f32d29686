-- 0002_message_search: full text over what was said. The expression index serves message_search.cpp's query.
CREATE INDEX message_search ON message USING gin (to_tsvector('simple', text)) WHERE role IN ('user', 'assistant');
