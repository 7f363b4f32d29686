-- 0027_file_bytes.sql: what was uploaded, until its text has been extracted.
CREATE TABLE file_bytes (
    file_id TEXT PRIMARY KEY REFERENCES file (id) ON DELETE CASCADE,
    content BYTEA NOT NULL
);
