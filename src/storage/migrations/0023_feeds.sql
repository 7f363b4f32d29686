-- 0023_feeds.sql: lists of texts that agents read by plan, and what fills them from outside.
-- `next_sequence` is the number of the next text. A deleted feed keeps its row; nothing shows it any more.
CREATE TABLE feed (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    next_sequence BIGINT NOT NULL DEFAULT 1,
    created_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX feed_by_created ON feed (organization_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE feed_message (
    feed_id TEXT NOT NULL REFERENCES feed (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    content TEXT NOT NULL,
    digest TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (feed_id, sequence)
);
CREATE INDEX feed_message_by_digest ON feed_message (feed_id, digest);
CREATE INDEX feed_message_by_age ON feed_message (expires_at);

-- `next_at` is when the agent is given what is new, null while the subscription is disabled; what it was given ends
-- with `last_sequence`.
CREATE TABLE feed_subscription (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    feed_id TEXT NOT NULL REFERENCES feed (id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    cron_schedule TEXT NOT NULL,
    merge_strategy TEXT NOT NULL,
    prompt_template TEXT,
    next_at BIGINT,
    last_sequence BIGINT NOT NULL DEFAULT 0,
    last_consumed_at BIGINT,
    disabled_at BIGINT,
    created_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (feed_id, agent_id)
);
CREATE INDEX feed_subscription_due ON feed_subscription (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX feed_subscription_by_agent ON feed_subscription (agent_id);

-- A range of texts on its way to an agent, piece by piece: all up to `done_sequence` are with it, those up to
-- `piece_end` go with the run `run_id`, `to_sequence` is the last one. It is 'running' until its end is on record.
CREATE TABLE feed_delivery (
    id TEXT PRIMARY KEY,
    subscription_id TEXT NOT NULL REFERENCES feed_subscription (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    run_id TEXT NOT NULL,
    done_sequence BIGINT NOT NULL,
    piece_end BIGINT NOT NULL,
    to_sequence BIGINT NOT NULL,
    error TEXT,
    started_at BIGINT NOT NULL,
    completed_at BIGINT
);
CREATE INDEX feed_delivery_by_subscription ON feed_delivery (subscription_id, started_at, id);
CREATE INDEX feed_delivery_by_age ON feed_delivery (started_at);
CREATE UNIQUE INDEX feed_delivery_running ON feed_delivery (subscription_id)
    WHERE status = 'running' AND type <> 'backfill';
CREATE INDEX feed_delivery_pending ON feed_delivery (status) WHERE status = 'running';

-- What reads an outside source into a feed; `config` is JSON.
CREATE TABLE pipeline (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL,
    feed_id TEXT NOT NULL REFERENCES feed (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    integration_id TEXT,
    integration_type TEXT NOT NULL,
    config TEXT NOT NULL,
    error_count BIGINT NOT NULL DEFAULT 0,
    last_run_at BIGINT,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX pipeline_by_created ON pipeline (organization_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE pipeline_sync (
    id TEXT PRIMARY KEY,
    pipeline_id TEXT NOT NULL REFERENCES pipeline (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    error_type TEXT,
    error_message TEXT,
    started_at BIGINT NOT NULL,
    completed_at BIGINT
);
CREATE INDEX pipeline_sync_by_pipeline ON pipeline_sync (pipeline_id, started_at, id);
