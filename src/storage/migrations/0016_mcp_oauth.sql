-- 0016_mcp_oauth.sql: logins are found by whom they are of. Addresses may hold a key, so their hash stands for them; the
-- address itself lies in the sealed part. How Stele is known to an authorization server is kept by its issuer, and used
-- with no other.
ALTER TABLE mcp_oauth_session RENAME COLUMN server_url TO server_url_hash;
CREATE INDEX mcp_oauth_session_by_server ON mcp_oauth_session (organization_id, server_url_hash, user_id);

CREATE TABLE mcp_oauth_client (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    issuer TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    registration TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, issuer, redirect_uri)
);
