-- 0008_message_otid.sql: few messages carry a client's own id, so only those stand in its index: a step writes a page less.
DROP INDEX message_by_otid;
CREATE INDEX message_by_otid ON message (agent_id, otid) WHERE otid IS NOT NULL;
