-- 0012_batches.sql: many message requests at once. An item waits from the start until its end is on record; its run has an
-- id from the start, so whether that was begun is told by the table of runs. `position` orders the items of all batches.
CREATE TABLE batch (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    status TEXT NOT NULL,
    callback_url TEXT,
    callback_sent_at BIGINT,
    callback_status_code BIGINT,
    callback_error TEXT,
    created_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    completed_at BIGINT
);
CREATE INDEX batch_by_created ON batch (organization_id, created_at, id);
CREATE INDEX batch_running ON batch (created_at) WHERE status = 'running';
CREATE INDEX batch_callback_due ON batch (created_at) WHERE callback_url IS NOT NULL AND callback_sent_at IS NULL;

CREATE TABLE batch_item (
    id TEXT PRIMARY KEY,
    batch_id TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    request TEXT NOT NULL,
    status TEXT NOT NULL,
    begun BIGINT NOT NULL,
    failure TEXT
);
CREATE INDEX batch_item_by_batch ON batch_item (batch_id, status);
CREATE INDEX batch_item_by_run ON batch_item (run_id);
CREATE INDEX batch_item_waiting ON batch_item (position) WHERE status = 'waiting';
