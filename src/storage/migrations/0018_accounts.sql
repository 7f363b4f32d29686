-- 0018_accounts.sql: users and organisations can be made, changed and deleted; keys that belong to a user; tokens that
-- are limited to agents; feedback. Of keys and tokens only the hash is kept, and their first characters for display.
-- An organisation with `deleted_at` is being taken away in slices; nobody can ask for it any more.
ALTER TABLE organization ADD COLUMN privileged_tools BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organization ADD COLUMN deleted_at BIGINT;
ALTER TABLE account ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE account SET updated_at = created_at;
CREATE INDEX organization_by_created ON organization (created_at, id);
CREATE INDEX account_by_created ON account (created_at, id);
CREATE INDEX account_by_organization ON account (organization_id);

-- `scopes` is JSON. A key of a user who is deleted goes with them.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    key_hash TEXT NOT NULL UNIQUE,
    key_start TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    rate_limit BIGINT,
    expires_at BIGINT,
    last_used_at BIGINT,
    created_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX api_key_by_created ON api_key (created_at, id);
CREATE INDEX api_key_by_user ON api_key (user_id);

-- Tokens for browsers. One without an agent left is as good as revoked.
CREATE TABLE access_token (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    user_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    token_start TEXT NOT NULL,
    hostname TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX access_token_by_created ON access_token (organization_id, created_at, id);
CREATE INDEX access_token_by_user ON access_token (user_id);
CREATE INDEX access_token_by_hostname ON access_token (hostname, expires_at);

-- What a token allows with one agent; `access` is JSON.
CREATE TABLE access_token_agent (
    token_id TEXT NOT NULL REFERENCES access_token (id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    access TEXT NOT NULL,
    PRIMARY KEY (token_id, agent_id)
);
CREATE INDEX access_token_agent_by_agent ON access_token_agent (agent_id);

-- The runs that were started with a token. A run may not be stored yet when this is.
CREATE TABLE access_token_run (
    token_id TEXT NOT NULL REFERENCES access_token (id) ON DELETE CASCADE,
    run_id TEXT NOT NULL,
    PRIMARY KEY (token_id, run_id)
);

-- What people say of the software; `details` is the JSON of what their client told beside it.
CREATE TABLE feedback (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    user_id TEXT NOT NULL,
    message TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX feedback_by_organization ON feedback (organization_id, created_at);
