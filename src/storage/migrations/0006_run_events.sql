-- 0006_run_events.sql: what the readers of a background run are told, so that its stream can be taken up again after cuts
-- and restarts, and what became of a run's callback. A row holds the events from first_seq to last_seq, a line of JSON
-- each; the last row of a run (is_end) holds how it ended and no events.
CREATE TABLE run_event (
    run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    is_end BIGINT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (run_id, first_seq)
);
CREATE INDEX run_event_by_age ON run_event (created_at);

ALTER TABLE run ADD COLUMN callback_sent_at BIGINT;
ALTER TABLE run ADD COLUMN callback_status_code BIGINT;
ALTER TABLE run ADD COLUMN callback_error TEXT;
CREATE INDEX run_callback_due ON run (created_at) WHERE callback_url IS NOT NULL AND callback_sent_at IS NULL;
