-- 0025_passages.sql: archives, passages and their vectors. BYTEA: SQLite takes any name for a type, and leaves bytes as they are.
-- A shelf of passages; an agent has at most one, several may share one.
CREATE TABLE archive (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    description TEXT,
    embedding_config TEXT,
    metadata TEXT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX archive_by_created ON archive (organization_id, created_at, id);

CREATE TABLE agent_archive (
    agent_id TEXT PRIMARY KEY REFERENCES agent (id) ON DELETE CASCADE,
    archive_id TEXT NOT NULL REFERENCES archive (id) ON DELETE CASCADE,
    position BIGINT NOT NULL
);
CREATE INDEX agent_archive_by_archive ON agent_archive (archive_id, position);

-- The models that passages have or want vectors of. The id follows from the organisation and from what makes vectors
-- comparable, so the same model is the same row whoever writes it first.
CREATE TABLE embedding_model (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    config TEXT NOT NULL
);

-- Texts of archives and chunks of files. Whether an archive's passage is there for its organisation is decided by the
-- archive's row (which may lie in the trash). `embedding_due` is when its vector is to be made; null: nothing is to be
-- done. `scope_id` is the archive or the folder.
CREATE TABLE passage (
    id TEXT PRIMARY KEY,
    position BIGINT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    scope_id TEXT NOT NULL,
    archive_id TEXT REFERENCES archive (id) ON DELETE CASCADE,
    source_id TEXT,
    file_id TEXT,
    file_name TEXT,
    file_position BIGINT,
    unit_start BIGINT,
    unit_end BIGINT,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    tags TEXT,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    embedding_model_id TEXT REFERENCES embedding_model (id),
    embedding_state TEXT NOT NULL,
    embedding_attempts BIGINT NOT NULL,
    embedding_due BIGINT,
    CHECK ((archive_id IS NULL) <> (source_id IS NULL))
);
CREATE INDEX passage_by_scope ON passage (scope_id, created_at, id);
CREATE INDEX passage_by_organization ON passage (organization_id, created_at, id);
CREATE INDEX passage_by_archive ON passage (archive_id) WHERE archive_id IS NOT NULL;
CREATE INDEX passage_by_file ON passage (file_id, file_position) WHERE file_id IS NOT NULL;
CREATE INDEX passage_by_embedding_due ON passage (embedding_due) WHERE embedding_due IS NOT NULL;
CREATE INDEX passage_by_model ON passage (embedding_model_id) WHERE embedding_model_id IS NOT NULL;

CREATE TABLE passage_tag (
    passage_id TEXT NOT NULL REFERENCES passage (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    PRIMARY KEY (passage_id, tag)
);
CREATE INDEX passage_tag_by_scope ON passage_tag (scope_id, tag);

-- Vectors as their models gave them: little-endian floats. `sequence` grows with every write, so that whoever holds the
-- vectors of a scope in memory reads only what is new.
CREATE TABLE passage_vector (
    position BIGINT PRIMARY KEY REFERENCES passage (position) ON DELETE CASCADE,
    scope_id TEXT NOT NULL,
    model_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    vector BYTEA NOT NULL
);
CREATE INDEX passage_vector_by_scope ON passage_vector (scope_id, model_id, sequence, position);
