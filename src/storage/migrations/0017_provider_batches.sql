-- 0017_provider_batches.sql: items of batches that are with a provider, which answers them as a batch of its own. A row is
-- there until the answers are; `remote_id` is missing until the provider is known to have it.
CREATE TABLE provider_batch (
    id TEXT PRIMARY KEY,
    batch_id TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    handle TEXT NOT NULL,
    remote_id TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX provider_batch_by_batch ON provider_batch (batch_id);

ALTER TABLE batch_item ADD COLUMN stage TEXT NOT NULL DEFAULT 'queued';
ALTER TABLE batch_item ADD COLUMN provider_batch_id TEXT;
ALTER TABLE batch_item ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';
ALTER TABLE batch_item ADD COLUMN answer TEXT NOT NULL DEFAULT '';
CREATE INDEX batch_item_of_agent ON batch_item (agent_id, position) WHERE status = 'waiting';
CREATE INDEX batch_item_offered ON batch_item (position) WHERE status = 'waiting' AND stage = 'offered';
CREATE INDEX batch_item_sent ON batch_item (provider_batch_id) WHERE status = 'waiting' AND stage = 'sent';
CREATE INDEX batch_item_queued ON batch_item (position) WHERE status = 'waiting' AND stage = 'queued';
