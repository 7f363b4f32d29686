-- 0030_passage_search.sql: full text over passages.
-- Full text: the expression indexes serve passage_search.cpp's queries. Trigrams need the extension pg_trgm, which not
-- every server allows; texts without spaces are scanned within their scope.
CREATE INDEX passage_search ON passage USING gin (to_tsvector('simple', text));
