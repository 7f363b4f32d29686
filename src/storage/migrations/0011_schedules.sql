-- 0011_schedules.sql: messages that are planned to be sent, and the sendings ("firings") of each.
-- `next_at` is when the message is sent next, null once it will not be any more. `message` and `plan` are JSON. A firing
-- is pending from the commit that takes its time out of `next_at` until the end of its run is on record.
CREATE TABLE schedule (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    conversation_id TEXT,
    recurring BIGINT NOT NULL,
    next_at BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    message TEXT NOT NULL,
    plan TEXT NOT NULL,
    name TEXT,
    description TEXT,
    target_device_id TEXT,
    use_sandbox BIGINT NOT NULL,
    created_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX schedule_sent ON schedule (id) WHERE recurring = 0 AND next_at IS NULL;
CREATE INDEX schedule_by_agent ON schedule (agent_id, next_at, id);

CREATE TABLE schedule_firing (
    id TEXT PRIMARY KEY,
    schedule_id TEXT NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    run_id TEXT NOT NULL,
    response TEXT,
    sent_at BIGINT NOT NULL
);
CREATE INDEX schedule_firing_by_schedule ON schedule_firing (schedule_id, sent_at, id);
CREATE INDEX schedule_firing_by_age ON schedule_firing (sent_at);
CREATE INDEX schedule_firing_pending ON schedule_firing (schedule_id) WHERE status = 'pending';
