-- 0024_providers.sql: providers of models that organisations bring along. Keys are sealed. A deleted one keeps its row,
-- without its keys, so that its name brings back its id.
CREATE TABLE provider (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    sealed_api_key TEXT,
    sealed_access_key TEXT,
    base_url TEXT,
    region TEXT,
    api_version TEXT,
    deleted BIGINT NOT NULL,
    last_synced BIGINT,
    created_by_id TEXT NOT NULL,
    last_updated_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);
CREATE INDEX provider_by_created ON provider (organization_id, created_at, id);
