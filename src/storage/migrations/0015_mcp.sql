-- 0015_mcp.sql: servers of the Model Context Protocol, which of the organisation's tools are theirs, and logins with them
-- that are under way. `config` (address, headers, token, command, environment) and `oauth` are sealed: any part of them
-- may be a secret. A tool keeps the name that its server gave it in `remote_name`; its own may differ.
CREATE TABLE mcp_server (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    server_name TEXT NOT NULL,
    server_type TEXT NOT NULL,
    config TEXT NOT NULL,
    oauth TEXT,
    created_by_id TEXT NOT NULL,
    last_updated_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (organization_id, server_name)
);
CREATE INDEX mcp_server_by_created ON mcp_server (organization_id, created_at, id);

CREATE TABLE mcp_tool (
    server_id TEXT NOT NULL REFERENCES mcp_server (id) ON DELETE CASCADE,
    tool_id TEXT NOT NULL REFERENCES tool (id) ON DELETE CASCADE,
    remote_name TEXT NOT NULL,
    PRIMARY KEY (server_id, remote_name)
);
CREATE INDEX mcp_tool_by_tool ON mcp_tool (tool_id);

CREATE TABLE mcp_oauth_session (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    user_id TEXT NOT NULL,
    server_url TEXT NOT NULL,
    state_hash TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    secrets TEXT NOT NULL,
    failure TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX mcp_oauth_session_by_created ON mcp_oauth_session (created_at);
