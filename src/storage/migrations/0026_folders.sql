-- 0026_folders.sql: folders, the files in them, and what agents see of them.
CREATE TABLE folder (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    instructions TEXT,
    metadata TEXT NOT NULL,
    embedding_config TEXT,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (organization_id, name)
);
CREATE INDEX folder_created ON folder (organization_id, created_at, id);

CREATE TABLE agent_folder (
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    folder_id TEXT NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    PRIMARY KEY (agent_id, folder_id)
);
CREATE INDEX agent_folder_by_folder ON agent_folder (folder_id, agent_id);

-- A file's name is its own: the folder's stands in front of it wherever agents see it.
CREATE TABLE file (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    folder_id TEXT NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    original_name TEXT,
    path TEXT,
    type TEXT,
    kind BIGINT NOT NULL,
    size BIGINT,
    creation_date TEXT,
    last_modified_date TEXT,
    status TEXT NOT NULL,
    error_message TEXT,
    total_chunks BIGINT,
    chunks_embedded BIGINT,
    has_text BIGINT NOT NULL DEFAULT 0,
    begun_at BIGINT,
    created_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (folder_id, name)
);
CREATE INDEX file_created ON file (folder_id, created_at, id);
CREATE INDEX file_by_organization ON file (organization_id);
-- The queue of the work on files.
CREATE INDEX file_unfinished ON file (created_at, id) WHERE status IN ('pending', 'parsing', 'embedding');

CREATE TABLE file_text (
    file_id TEXT PRIMARY KEY REFERENCES file (id) ON DELETE CASCADE,
    content TEXT NOT NULL
);

CREATE TABLE file_agent (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    file_id TEXT NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    is_open BIGINT NOT NULL,
    visible_content TEXT,
    start_line BIGINT,
    end_line BIGINT,
    last_accessed_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (agent_id, file_id)
);
CREATE INDEX file_agent_by_file ON file_agent (file_id);
CREATE INDEX file_agent_created ON file_agent (agent_id, created_at, id);
