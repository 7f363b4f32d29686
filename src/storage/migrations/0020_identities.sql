-- 0020_identities.sql: on whose behalf messages are sent.
-- An identity without a project has the project '': so that its key is unique like that of any other.
CREATE TABLE identity (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    identifier_key TEXT NOT NULL,
    name TEXT NOT NULL,
    identity_type TEXT NOT NULL,
    properties TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (organization_id, identifier_key, project_id)
);
CREATE INDEX identity_by_created ON identity (organization_id, created_at, id);
CREATE INDEX identity_by_name ON identity (organization_id, name);

-- `position` orders links by their age.
CREATE TABLE identity_agent (
    identity_id TEXT NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    PRIMARY KEY (identity_id, agent_id)
);
CREATE INDEX identity_agent_by_agent ON identity_agent (agent_id);

CREATE TABLE identity_block (
    identity_id TEXT NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
    block_id TEXT NOT NULL REFERENCES block (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    PRIMARY KEY (identity_id, block_id)
);
CREATE INDEX identity_block_by_block ON identity_block (block_id);

-- So that lists can tell how many blocks they hide.
CREATE INDEX block_hidden ON block (organization_id) WHERE hidden = 1;

-- The runs that were begun on behalf of an identity. No foreign key to it: what was said stays when it is deleted.
CREATE TABLE identity_run (
    identity_id TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    PRIMARY KEY (identity_id, run_id)
);
CREATE INDEX identity_run_by_run ON identity_run (run_id);
