-- 0029_git_memory.sql: repositories of git beside the memory of agents.
-- Memory that agents share by mounting it. Its commits are in a folder of the same id.
CREATE TABLE memory_repository (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_by_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);

CREATE TABLE agent_memory_repository (
    agent_id TEXT NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
    repository_id TEXT NOT NULL REFERENCES memory_repository (id) ON DELETE CASCADE,
    mounted_at BIGINT NOT NULL,
    PRIMARY KEY (agent_id, repository_id)
);

-- The commit of an agent's own repository that its blocks agree with. What was pushed behind it has not reached the
-- blocks yet.
CREATE TABLE git_memory (
    agent_id TEXT PRIMARY KEY REFERENCES agent (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
