-- Times are microseconds since 1970 UTC, NULL for "not". Ids are text made in
-- Go. JSON columns (named *_json) are opaque to SQL. The dialect is what SQLite
-- and PostgreSQL share.

CREATE TABLE organizations (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    display_name TEXT NOT NULL,
    is_default   BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX organizations_name ON organizations (lower(name));
CREATE UNIQUE INDEX organizations_one_default ON organizations (is_default) WHERE is_default;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    username      TEXT NOT NULL,
    email         TEXT NOT NULL,
    name          TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('active', 'dormant', 'suspended')),
    roles_json    TEXT NOT NULL,
    is_system     BOOLEAN NOT NULL,
    password_hash TEXT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_username ON users (lower(username));
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE organization_members (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id         TEXT NOT NULL REFERENCES users (id),
    roles_json      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_user ON organization_members (user_id);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    kind         TEXT NOT NULL CHECK (kind IN ('login', 'api', 'workspace')),
    name         TEXT NOT NULL,
    hash         BYTEA NOT NULL,
    workspace_id TEXT,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE UNIQUE INDEX tokens_api_name ON tokens (user_id, name) WHERE kind = 'api';
CREATE INDEX tokens_user ON tokens (user_id, created_at, id);
CREATE INDEX tokens_expires ON tokens (expires_at);
CREATE INDEX tokens_workspace ON tokens (workspace_id) WHERE workspace_id IS NOT NULL;

CREATE TABLE providers (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    token_hash BYTEA,
    relay_url  TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT
);
CREATE UNIQUE INDEX providers_name ON providers (lower(name));
CREATE UNIQUE INDEX providers_token_hash ON providers (token_hash) WHERE token_hash IS NOT NULL;

CREATE TABLE runners (
    id          TEXT PRIMARY KEY,
    provider_id TEXT NOT NULL REFERENCES providers (id),
    version     TEXT NOT NULL,
    terraform   TEXT NOT NULL,
    slots       BIGINT NOT NULL,
    problem     TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL
);
CREATE INDEX runners_provider ON runners (provider_id, seen_at);

CREATE TABLE replicas (
    id         TEXT PRIMARY KEY,
    version    TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);

CREATE TABLE archives (
    hash       TEXT PRIMARY KEY,
    data       BYTEA NOT NULL,
    size       BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE templates (
    id                TEXT PRIMARY KEY,
    organization_id   TEXT NOT NULL REFERENCES organizations (id),
    name              TEXT NOT NULL,
    display_name      TEXT NOT NULL,
    description       TEXT NOT NULL,
    icon              TEXT NOT NULL,
    active_version_id TEXT NOT NULL,
    created_by        TEXT NOT NULL REFERENCES users (id),
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    deleted_at        BIGINT
);
CREATE UNIQUE INDEX templates_name ON templates (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX templates_page ON templates (created_at, id);

CREATE TABLE versions (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    template_id     TEXT NOT NULL REFERENCES templates (id),
    name            TEXT NOT NULL,
    message         TEXT NOT NULL,
    archive         TEXT NOT NULL REFERENCES archives (hash),
    build_id        TEXT NOT NULL,
    variables_sealed BYTEA,
    contents_json   TEXT NOT NULL,
    activate        BOOLEAN NOT NULL,
    created_by      TEXT NOT NULL REFERENCES users (id),
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX versions_name ON versions (template_id, lower(name));
CREATE INDEX versions_page ON versions (template_id, created_at, id);

CREATE TABLE workspaces (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    provider_id     TEXT NOT NULL REFERENCES providers (id),
    owner_id        TEXT NOT NULL REFERENCES users (id),
    template_id     TEXT NOT NULL REFERENCES templates (id),
    name            TEXT NOT NULL,
    build_id        TEXT NOT NULL,
    build_number    BIGINT NOT NULL,
    persistent_json TEXT NOT NULL,
    agent_key       BYTEA NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    last_used_at    BIGINT,
    deleted_at      BIGINT
);
CREATE UNIQUE INDEX workspaces_name ON workspaces (owner_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_page ON workspaces (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_owner ON workspaces (owner_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_template ON workspaces (template_id) WHERE deleted_at IS NULL;

CREATE TABLE builds (
    id                 TEXT PRIMARY KEY,
    organization_id    TEXT NOT NULL REFERENCES organizations (id),
    provider_id        TEXT NOT NULL REFERENCES providers (id),
    transition         TEXT NOT NULL CHECK (transition IN ('start', 'stop', 'delete', 'import')),
    workspace_id       TEXT REFERENCES workspaces (id),
    template_id        TEXT NOT NULL REFERENCES templates (id),
    version_id         TEXT NOT NULL REFERENCES versions (id),
    number             BIGINT NOT NULL,
    reason             TEXT NOT NULL,
    class              BIGINT NOT NULL,
    initiator_id       TEXT NOT NULL REFERENCES users (id),
    parameters_json    TEXT NOT NULL,
    preset             TEXT NOT NULL,
    allow_destroy_json TEXT NOT NULL,
    orphan             BOOLEAN NOT NULL,
    created_at         BIGINT NOT NULL,
    started_at         BIGINT,
    canceled_at        BIGINT,
    forced_at          BIGINT,
    completed_at       BIGINT,
    abandoned_at       BIGINT,
    runner_id          TEXT,
    attempt            BIGINT NOT NULL,
    lease_at           BIGINT,
    -- When the present attempt was allowed to change things; NULL before, so
    -- that an attempt without it is known to have changed nothing.
    judged_at          BIGINT,
    error_code         TEXT NOT NULL,
    error              TEXT NOT NULL,
    refused_json       TEXT NOT NULL,
    resources_json     TEXT NOT NULL,
    timings_json       TEXT NOT NULL,
    log_bytes          BIGINT NOT NULL,
    CHECK ((transition = 'import') = (workspace_id IS NULL))
);
CREATE UNIQUE INDEX builds_number ON builds (workspace_id, number) WHERE workspace_id IS NOT NULL;
-- Two builds of one workspace never run at once: the database refuses it.
CREATE UNIQUE INDEX builds_one_active ON builds (workspace_id) WHERE completed_at IS NULL AND workspace_id IS NOT NULL;
CREATE INDEX builds_queue ON builds (provider_id, class, created_at, id) WHERE started_at IS NULL AND completed_at IS NULL;
CREATE INDEX builds_held ON builds (runner_id) WHERE completed_at IS NULL AND runner_id IS NOT NULL;
CREATE INDEX builds_running ON builds (provider_id, lease_at) WHERE completed_at IS NULL AND runner_id IS NOT NULL;
CREATE INDEX builds_page ON builds (created_at, id);
CREATE INDEX builds_template ON builds (template_id, created_at, id);
CREATE INDEX builds_version ON builds (version_id);

CREATE TABLE build_logs (
    build_id TEXT NOT NULL REFERENCES builds (id),
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    level    TEXT NOT NULL,
    stage    TEXT NOT NULL,
    source   TEXT NOT NULL,
    text     TEXT NOT NULL,
    PRIMARY KEY (build_id, seq)
);

CREATE TABLE state_revisions (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    id           BIGINT NOT NULL,
    build_id     TEXT,
    attempt      BIGINT NOT NULL,
    lineage      TEXT NOT NULL,
    serial       BIGINT NOT NULL,
    is_current   BOOLEAN NOT NULL,
    sealed       BYTEA NOT NULL,
    size         BIGINT NOT NULL,
    created_by   TEXT,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX state_revisions_one_current ON state_revisions (workspace_id) WHERE is_current;

CREATE TABLE agents (
    id              TEXT PRIMARY KEY,
    build_id        TEXT NOT NULL REFERENCES builds (id),
    workspace_id    TEXT NOT NULL REFERENCES workspaces (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    provider_id     TEXT NOT NULL REFERENCES providers (id),
    token_hash      BYTEA NOT NULL,
    name            TEXT NOT NULL,
    spec_json       TEXT NOT NULL,
    lifecycle       TEXT NOT NULL,
    started_at      BIGINT,
    ready_at        BIGINT,
    version         TEXT NOT NULL,
    directory       TEXT NOT NULL,
    boot            BIGINT NOT NULL,
    log_bytes       BIGINT NOT NULL,
    connected_at    BIGINT,
    seen_at         BIGINT,
    disconnected_at BIGINT,
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX agents_token_hash ON agents (token_hash);
CREATE UNIQUE INDEX agents_name ON agents (workspace_id, lower(name));

CREATE TABLE agent_logs (
    agent_id TEXT NOT NULL,
    boot     BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    level    TEXT NOT NULL,
    stage    TEXT NOT NULL,
    source   TEXT NOT NULL,
    text     TEXT NOT NULL,
    PRIMARY KEY (agent_id, boot, seq)
);

CREATE TABLE audit (
    id          TEXT PRIMARY KEY,
    at          BIGINT NOT NULL,
    actor_id    TEXT NOT NULL,
    action      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    target_name TEXT NOT NULL,
    detail_json TEXT NOT NULL
);
CREATE INDEX audit_page ON audit (at, id);
