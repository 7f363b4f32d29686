-- 0032_agent_import.sql: what the import of a large agent file has stored so far: agents with their messages and folders
-- with their files, which belong to the trash's organisation until the import's last commit. Rows that no import is at
-- work on are what a crash or a failure has left. organization_id: for whom it is.
CREATE TABLE agent_import (
    object_id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    abandoned BIGINT NOT NULL DEFAULT 0
);
