-- What people do inside a workspace: the steps of its start, what its agent
-- says of itself, credentials, apps, activity.

-- Agents: what the process says of itself. JSON as in package berth.
ALTER TABLE agents ADD COLUMN steps_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN apps_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE agents ADD COLUMN trouble_json TEXT NOT NULL DEFAULT 'null';
ALTER TABLE agents ADD COLUMN second_json TEXT NOT NULL DEFAULT 'null';
ALTER TABLE agents ADD COLUMN resources_json TEXT NOT NULL DEFAULT '[]';

-- Credentials.
CREATE TABLE ssh_keys (
    user_id        TEXT PRIMARY KEY REFERENCES users (id),
    public_key     TEXT NOT NULL,
    private_sealed BYTEA NOT NULL,
    created_at     BIGINT NOT NULL
);

CREATE TABLE user_secrets (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    env_name     TEXT NOT NULL,
    file_path    TEXT NOT NULL,
    value_sealed BYTEA NOT NULL,
    disabled     BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX user_secrets_name ON user_secrets (user_id, lower(name));

CREATE TABLE external_logins (
    user_id       TEXT NOT NULL REFERENCES users (id),
    provider      TEXT NOT NULL,
    tokens_sealed BYTEA NOT NULL,
    account       TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    expires_at    BIGINT,
    refused       TEXT NOT NULL,
    -- Who refreshes the tokens now, and until when that counts: a refresh token
    -- that changes with each use must not be used by two.
    lease_by      TEXT NOT NULL,
    lease_at      BIGINT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (user_id, provider)
);

-- Sign-ins that were begun; id is the SHA-256 of the state that travels.
CREATE TABLE external_attempts (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id),
    provider   TEXT NOT NULL,
    step       TEXT NOT NULL CHECK (step IN ('begun', 'returned', 'exchanged', 'done')),
    nonce      TEXT NOT NULL,
    sealed     BYTEA NOT NULL,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX external_attempts_expires ON external_attempts (expires_at);
CREATE INDEX external_attempts_user ON external_attempts (user_id);

ALTER TABLE users ADD COLUMN dotfiles TEXT NOT NULL DEFAULT '';

-- Apps.
CREATE TABLE signing_keys (
    id             TEXT PRIMARY KEY,
    use_for        TEXT NOT NULL,
    public_key     BYTEA NOT NULL,
    private_sealed BYTEA NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);

CREATE TABLE port_shares (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    agent        TEXT NOT NULL,
    port         BIGINT NOT NULL,
    scheme       TEXT NOT NULL CHECK (scheme IN ('http', 'https')),
    level        TEXT NOT NULL CHECK (level IN ('authenticated', 'organization', 'public')),
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, agent, port)
);

ALTER TABLE templates ADD COLUMN max_share TEXT NOT NULL DEFAULT 'public';

-- Activity: the newest evidence of each kind, and what keeps a workspace awake.
CREATE TABLE activity (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    kind         TEXT NOT NULL,
    detail       TEXT NOT NULL,
    since        BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, kind)
);

CREATE TABLE holds (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    reason       TEXT NOT NULL,
    created_by   TEXT NOT NULL REFERENCES users (id),
    created_at   BIGINT NOT NULL,
    until        BIGINT NOT NULL
);
CREATE INDEX holds_workspace ON holds (workspace_id, until);

ALTER TABLE organizations ADD COLUMN idle_counts BOOLEAN NOT NULL DEFAULT FALSE;

-- Starting a stopped workspace by connecting to it.
ALTER TABLE workspaces ADD COLUMN connect_starts BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE organizations ADD COLUMN connect_starts BOOLEAN NOT NULL DEFAULT TRUE;

-- The key of agent tokens before it was rotated, until a start has used the new
-- one: builds that began before may still report it.
ALTER TABLE workspaces ADD COLUMN agent_key_before BYTEA;
