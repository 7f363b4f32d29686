-- 0003_lists.sql: a walk ordered by last_run_completion keeps its place too when its cursor is deleted (null: the row
-- had no run, or is of a kind that has none), and steps can be found by the tags of their feedback.
ALTER TABLE tombstone ADD COLUMN sort_last_run BIGINT;

CREATE TABLE step_tag (
    step_id TEXT NOT NULL REFERENCES step (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (step_id, tag)
);
