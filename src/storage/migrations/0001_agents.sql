-- 0001_agents.sql: organisations, agents, blocks, tools, messages, runs and steps.
-- Times are microseconds since 1970 (UTC). Flags are 0 or 1. JSON is kept as text: nothing queries inside it.
-- Every table that grows with agents begins its keys with what it may one day be distributed by.

CREATE TABLE organization (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

INSERT INTO organization (id, name, created_at)
VALUES ('org-00000000-0000-4000-8000-000000000000', 'default_org', 0);
INSERT INTO account (id, organization_id, name, created_at)
VALUES ('user-00000000-0000-4000-8000-000000000000', 'org-00000000-0000-4000-8000-000000000000', 'default_user', 0);

-- What no list filters by stands in `settings` (domain/agent.hpp, AgentSettings).
CREATE TABLE agent (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    hidden BIGINT,
    project_id TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    entity_id TEXT,
    last_run_completion BIGINT,
    last_run_duration_ms BIGINT,
    last_stop_reason TEXT,
    message_count BIGINT NOT NULL DEFAULT 0,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX agent_by_created ON agent (organization_id, created_at, id);
CREATE INDEX agent_by_updated ON agent (organization_id, updated_at, id);
CREATE INDEX agent_by_last_run ON agent (organization_id, last_run_completion, id);
CREATE INDEX agent_by_name ON agent (organization_id, name);

CREATE TABLE agent_tag (
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (agent_id, tag)
);
CREATE INDEX agent_tag_by_tag ON agent_tag (organization_id, tag);

CREATE TABLE agent_variable (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed_value TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by_id TEXT,
    UNIQUE (agent_id, name)
);

CREATE TABLE block (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    char_limit BIGINT NOT NULL,
    read_only BIGINT NOT NULL,
    description TEXT,
    metadata TEXT NOT NULL,
    hidden BIGINT,
    project_id TEXT,
    is_template BIGINT NOT NULL,
    template_name TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    entity_id TEXT,
    preserve_on_migration BIGINT NOT NULL,
    tags TEXT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX block_by_created ON block (organization_id, created_at, id);
CREATE INDEX block_by_label ON block (organization_id, label);

CREATE TABLE block_tag (
    block_id TEXT NOT NULL REFERENCES block (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (block_id, tag)
);

-- An agent holds at most one block per label; the label follows a rename of the block.
CREATE TABLE agent_block (
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    block_id TEXT NOT NULL REFERENCES block (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (agent_id, block_id),
    UNIQUE (agent_id, label)
);
CREATE INDEX agent_block_by_block ON agent_block (block_id);

CREATE TABLE tool (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    tool_type TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);

CREATE TABLE agent_tool (
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    tool_id TEXT NOT NULL REFERENCES tool (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    PRIMARY KEY (agent_id, tool_id)
);
CREATE INDEX agent_tool_by_tool ON agent_tool (tool_id);

-- `position` orders everything an agent ever said and heard. `context_position` is the place in the context window, null
-- once evicted: so a step appends rows and rewrites no list. A plain text stands in `text`, anything else in `body` too.
CREATE TABLE message (
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL DEFAULT '',
    context_position BIGINT,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    body TEXT,
    name TEXT,
    otid TEXT,
    sender_id TEXT,
    group_id TEXT,
    model TEXT,
    run_id TEXT,
    step_id TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (agent_id, position)
);
CREATE UNIQUE INDEX message_by_id ON message (id);
CREATE INDEX message_in_context ON message (agent_id, conversation_id, context_position)
    WHERE context_position IS NOT NULL;
CREATE INDEX message_by_run ON message (run_id);
CREATE INDEX message_by_otid ON message (agent_id, otid);
CREATE INDEX message_by_organization ON message (organization_id, position);

CREATE TABLE run (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    status TEXT NOT NULL,
    stop_reason TEXT,
    background BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    request_config TEXT,
    callback_url TEXT,
    ttft_ns BIGINT,
    total_duration_ns BIGINT,
    step_count BIGINT NOT NULL,
    tools_used TEXT NOT NULL,
    project_id TEXT,
    created_by_id TEXT,
    created_at BIGINT NOT NULL,
    completed_at BIGINT
);
CREATE INDEX run_by_created ON run (organization_id, created_at, id);
CREATE INDEX run_by_agent ON run (agent_id, created_at, id);
CREATE INDEX run_unfinished ON run (status) WHERE status IN ('created', 'running');

-- `details` is the Step of domain/run.hpp; request and answer of the model call are its trace.
CREATE TABLE step (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    model TEXT,
    status TEXT NOT NULL,
    feedback TEXT,
    tid TEXT,
    prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    total_tokens BIGINT NOT NULL,
    started_ns BIGINT NOT NULL,
    model_started_ns BIGINT,
    model_ns BIGINT,
    tools_ns BIGINT,
    total_ns BIGINT,
    project_id TEXT,
    created_at BIGINT NOT NULL,
    details TEXT NOT NULL,
    trace_request TEXT,
    trace_response TEXT
);
CREATE INDEX step_by_created ON step (organization_id, created_at, id);
CREATE INDEX step_by_run ON step (run_id);

-- Keys that clients sent with a POST, and what was answered.
CREATE TABLE idempotency (
    organization_id TEXT NOT NULL,
    request_key TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    status BIGINT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, request_key)
);

-- (key, id) of rows that are gone, so that a walk whose cursor was deleted goes on from where it stood.
CREATE TABLE tombstone (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    sort_created BIGINT NOT NULL,
    sort_updated BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL
);
CREATE INDEX tombstone_by_age ON tombstone (deleted_at);
