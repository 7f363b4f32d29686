-- 0034_agent_lists.sql: lists of agents come out of one index, however many agents there are.
ALTER TABLE agent_tag ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
UPDATE agent_tag SET created_at = (SELECT a.created_at FROM agent a WHERE a.id = agent_tag.agent_id);
DROP INDEX agent_tag_by_tag;
CREATE INDEX agent_tag_by_tag ON agent_tag (organization_id, tag, created_at, agent_id);
-- With the name, so that a search for a part of it does not read every agent's settings.
DROP INDEX agent_by_created;
CREATE INDEX agent_by_created ON agent (organization_id, created_at, id, name);
