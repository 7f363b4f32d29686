-- 0028_terminal_client.sql: what the terminal client asks for.
-- Agents that stand behind conversations which have none.
CREATE TABLE ephemeral_agent (
    agent_id TEXT PRIMARY KEY REFERENCES agent (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX ephemeral_agent_by_created ON ephemeral_agent (organization_id, created_at);

-- How far conversations ('': an agent's default one) were gone over by others than its partners.
CREATE TABLE reflection_mark (
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    conversation_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (agent_id, conversation_id)
);

-- Devices that have registered. `connection_id` is of the last registration; `socket_closed_at` is null while its socket
-- may be open.
CREATE TABLE device (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    connection_name TEXT NOT NULL,
    metadata TEXT NOT NULL,
    current_mode TEXT,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    UNIQUE (organization_id, device_id),
    UNIQUE (connection_id)
);
CREATE INDEX device_by_first_seen ON device (organization_id, first_seen_at, id);

-- Where a conversation was last worked on, and its moves from one device to another.
CREATE TABLE teleport (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    conversation_id TEXT NOT NULL,
    source_connection_id TEXT NOT NULL,
    target_connection_id TEXT NOT NULL,
    target_device_id TEXT NOT NULL,
    target_connection_name TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization_id, idempotency_key)
);
CREATE INDEX teleport_by_conversation ON teleport (agent_id, conversation_id, created_at);

-- Folders in which an agent's programs work, kept from call to call.
CREATE TABLE work_folder (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    conversation_id TEXT,
    connection_name TEXT NOT NULL,
    created_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX work_folder_by_created ON work_folder (organization_id, created_at, id);
