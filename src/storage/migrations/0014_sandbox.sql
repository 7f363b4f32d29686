-- 0014_sandbox.sql: sandbox configurations and their environment variables; tools get a version.
-- One configuration for each type that an organisation uses. Values of variables are sealed (base/seal.hpp).

CREATE TABLE sandbox_config (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    type TEXT NOT NULL,
    config TEXT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (organization_id, type)
);

CREATE TABLE sandbox_variable (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    sandbox_config_id TEXT NOT NULL REFERENCES sandbox_config (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed_value TEXT NOT NULL,
    description TEXT,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (sandbox_config_id, name)
);
CREATE INDEX sandbox_variable_by_created ON sandbox_variable (sandbox_config_id, created_at, id);

-- Two edits of one tool must not undo each other. A constant default: neither engine rewrites the table.
ALTER TABLE tool ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
