-- 0021_history_and_trash.sql: what blocks were before, and what was deleted and may come back.
-- A former state of a block: `version` is the last version that had it, `replaced_...` tells who made the next one.
CREATE TABLE block_version (
    block_id TEXT NOT NULL REFERENCES block (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    char_limit BIGINT NOT NULL,
    read_only BIGINT NOT NULL,
    description TEXT,
    replaced_at BIGINT NOT NULL,
    replaced_by_id TEXT,
    replaced_by_run_id TEXT,
    replaced_by_tool TEXT,
    PRIMARY KEY (block_id, version)
);

-- Deleted objects stay in their own tables, under the organisation of this id, which nobody belongs to: whatever asks
-- for objects of an organisation does not find them. Theirs stands here. `expires_at` 0: being purged already. The
-- organisation itself counts as deleted, so that nobody sees, changes or joins it.
INSERT INTO organization (id, name, created_at, deleted_at)
VALUES ('org-00000000-0000-4000-8000-0000000de1ed', '(trash)', 0, 0);

CREATE TABLE trash (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    deleted_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX trash_by_age ON trash (organization_id, deleted_at, id);
CREATE INDEX trash_by_expiry ON trash (expires_at);

-- Rows of link tables that a deleted object had: `link` names the table, `left_id` and `right_id` its two ids in the
-- order of the columns, `label` and `position` the rest.
CREATE TABLE trash_link (
    object_id TEXT NOT NULL REFERENCES trash (object_id) ON DELETE CASCADE,
    link TEXT NOT NULL,
    left_id TEXT NOT NULL,
    right_id TEXT NOT NULL,
    label TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (object_id, link, left_id, right_id, label)
);
