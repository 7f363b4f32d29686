-- 0010_groups.sql: agents that work together, and what was said among them.
-- A group goes with the agent that manages it. Members and shared blocks stand in the order in which they were given.
CREATE TABLE agent_group (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    manager_type TEXT NOT NULL,
    manager_agent_id TEXT REFERENCES agent (id) ON DELETE CASCADE,
    description TEXT NOT NULL,
    termination_token TEXT,
    max_turns BIGINT,
    sleeptime_agent_frequency BIGINT,
    turns_counter BIGINT,
    last_processed_message_id TEXT,
    max_message_buffer_length BIGINT,
    min_message_buffer_length BIGINT,
    hidden BIGINT,
    project_id TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX agent_group_by_created ON agent_group (organization_id, created_at, id);
CREATE INDEX agent_group_by_manager ON agent_group (manager_agent_id) WHERE manager_agent_id IS NOT NULL;

CREATE TABLE group_member (
    group_id TEXT NOT NULL REFERENCES agent_group (id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    PRIMARY KEY (group_id, agent_id)
);
CREATE INDEX group_member_by_agent ON group_member (agent_id);

CREATE TABLE group_block (
    group_id TEXT NOT NULL REFERENCES agent_group (id) ON DELETE CASCADE,
    block_id TEXT NOT NULL REFERENCES block (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    PRIMARY KEY (group_id, block_id)
);
CREATE INDEX group_block_by_block ON group_block (block_id);

-- What the group as a whole has said and heard: each utterance once, where it was first stored. The copies with which
-- it is passed on to the other members are in their histories alone (message.group_id marks both).
CREATE TABLE group_message (
    group_id TEXT NOT NULL REFERENCES agent_group (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    PRIMARY KEY (group_id, position),
    FOREIGN KEY (agent_id, position) REFERENCES message (agent_id, position) ON DELETE CASCADE
);
CREATE INDEX group_message_by_message ON group_message (agent_id, position);
CREATE INDEX message_by_group ON message (group_id, agent_id, position) WHERE group_id IS NOT NULL;
