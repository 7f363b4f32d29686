-- 0022_projects_and_templates.sql: namespaces within an organisation; agents as patterns, and what was made of them.
-- Every organisation has the default project besides; it has no row (storage/project_repository.cpp).
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, slug)
);
CREATE INDEX project_by_created ON project (organization_id, created_at, id);
CREATE INDEX agent_by_project ON agent (organization_id, project_id, created_at, id);

-- `draft` is the snapshot that is worked on (JSON), `name_key` the name in lower case, `latest` the number of the newest
-- version. The id is what agents carry as base_template_id.
CREATE TABLE template (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT,
    draft TEXT NOT NULL,
    latest BIGINT NOT NULL,
    created_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (organization_id, project_id, name_key)
);
CREATE INDEX template_by_updated ON template (organization_id, updated_at, id);

-- Saved snapshots; a row never changes. The id is what agents carry as template_id. `flags`: how a migration to it is
-- done unless it is asked otherwise (JSON).
CREATE TABLE template_version (
    id TEXT PRIMARY KEY,
    template_id TEXT NOT NULL REFERENCES template (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    flags TEXT NOT NULL,
    message TEXT,
    created_by_id TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (template_id, number)
);

-- What one request made of a version. It outlives the template; `memory_variables` is JSON. `migration`: what it is
-- still to be moved to (JSON), where a saved version asked for that.
CREATE TABLE deployment (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL,
    base_template_id TEXT NOT NULL,
    template_id TEXT NOT NULL,
    memory_variables TEXT NOT NULL,
    migration TEXT,
    created_by_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX deployment_by_template ON deployment (base_template_id);
CREATE INDEX deployment_to_migrate ON deployment (updated_at) WHERE migration IS NOT NULL;
CREATE INDEX agent_by_deployment ON agent (deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX agent_by_base_template ON agent (base_template_id) WHERE base_template_id IS NOT NULL;
CREATE INDEX block_by_deployment ON block (deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX agent_group_by_deployment ON agent_group (deployment_id) WHERE deployment_id IS NOT NULL;
