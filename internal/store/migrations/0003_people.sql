-- People: users, organizations, groups, sharing, sign-in, quota, audit.

-- Users. sign_in says how they do: by password, not at all (none), or the id of
-- an identity provider. A deleted user's row stays; the names are free again.
ALTER TABLE users ADD COLUMN sign_in TEXT NOT NULL DEFAULT 'password';
ALTER TABLE users ADD COLUMN must_change_password BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN seen_at BIGINT;
ALTER TABLE users ADD COLUMN suspended_at BIGINT;
ALTER TABLE users ADD COLUMN deleted_at BIGINT;
DROP INDEX users_username;
DROP INDEX users_email;
CREATE UNIQUE INDEX users_username ON users (lower(username)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX users_suspended ON users (id) WHERE status = 'suspended';
CREATE INDEX users_page ON users (created_at, id) WHERE deleted_at IS NULL;

-- Organizations. autostart_days has a bit for each weekday, Sunday the lowest;
-- auto_off is microseconds of inactivity, 0 for never; a limit of 0 is none.
ALTER TABLE organizations ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE organizations ADD COLUMN autostart_days BIGINT NOT NULL DEFAULT 127;
ALTER TABLE organizations ADD COLUMN auto_off BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN auto_off_by_user BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE organizations ADD COLUMN sharing BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE organizations ADD COLUMN max_workspaces BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN max_running BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN max_workspaces_per_user BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN max_running_per_user BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN deleted_at BIGINT;
DROP INDEX organizations_name;
CREATE UNIQUE INDEX organizations_name ON organizations (lower(name)) WHERE deleted_at IS NULL;

-- source is who made somebody a member: user, or the id of an identity provider.
ALTER TABLE organization_members ADD COLUMN source TEXT NOT NULL DEFAULT 'user';

-- Which organizations may make workspaces on which provider.
CREATE TABLE organization_providers (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    provider_id     TEXT NOT NULL REFERENCES providers (id),
    PRIMARY KEY (organization_id, provider_id)
);
INSERT INTO organization_providers (organization_id, provider_id) SELECT o.id, p.id FROM organizations o CROSS JOIN providers p;

-- Groups. Everyone has the id of its organization and no rows in group_members:
-- its members are those of the organization. quota_allowance NULL is unlimited.
CREATE TABLE groups (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name            TEXT NOT NULL,
    display_name    TEXT NOT NULL,
    quota_allowance BIGINT,
    source          TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX groups_name ON groups (organization_id, lower(name));
INSERT INTO groups (id, organization_id, name, display_name, quota_allowance, source, created_at, updated_at)
    SELECT id, id, 'Everyone', '', NULL, 'user', created_at, created_at FROM organizations;

CREATE TABLE group_members (
    group_id   TEXT NOT NULL REFERENCES groups (id),
    user_id    TEXT NOT NULL REFERENCES users (id),
    source     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user ON group_members (user_id, group_id);

-- Who a workspace or a template is shared with.
CREATE TABLE grants (
    target_kind  TEXT NOT NULL CHECK (target_kind IN ('workspace', 'template')),
    target_id    TEXT NOT NULL,
    grantee_kind TEXT NOT NULL CHECK (grantee_kind IN ('user', 'group')),
    grantee_id   TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('use', 'admin')),
    created_by   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (target_kind, target_id, grantee_kind, grantee_id)
);
CREATE INDEX grants_grantee ON grants (grantee_id, target_kind, target_id);
-- Templates that are there already stay open to their whole organization.
INSERT INTO grants (target_kind, target_id, grantee_kind, grantee_id, role, created_by, created_at)
    SELECT 'template', id, 'group', organization_id, 'use', created_by, created_at FROM templates;

-- Tokens: what one may do at most, and where it was made and used from. Uses
-- outlive their token, so that a stolen one can be followed.
ALTER TABLE tokens ADD COLUMN scopes_json TEXT NOT NULL DEFAULT '["all"]';
ALTER TABLE tokens ADD COLUMN sign_in TEXT NOT NULL DEFAULT 'password';
CREATE TABLE token_uses (
    token_id   TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    address    TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    first_at   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    PRIMARY KEY (token_id, address, user_agent)
);
CREATE INDEX token_uses_user ON token_uses (user_id, last_at);
CREATE INDEX token_uses_last ON token_uses (last_at);

-- Sign-in by identity providers.
CREATE TABLE identities (
    provider      TEXT NOT NULL,
    subject       TEXT NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id),
    username      TEXT NOT NULL,
    email         TEXT NOT NULL,
    tokens_sealed BYTEA,
    expires_at    BIGINT,
    refused       TEXT NOT NULL,
    next_at       BIGINT,
    lease_by      TEXT NOT NULL,
    lease_at      BIGINT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE UNIQUE INDEX identities_user ON identities (user_id, provider);
CREATE INDEX identities_next ON identities (next_at) WHERE next_at IS NOT NULL;

-- Sign-ins that were begun; id is the SHA-256 of the state that travels, nonce
-- that of what the browser holds.
CREATE TABLE sign_in_attempts (
    id         TEXT PRIMARY KEY,
    provider   TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    nonce      TEXT NOT NULL,
    sealed     BYTEA NOT NULL,
    return_to  TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_expires ON sign_in_attempts (expires_at);

-- Command lines that wait for somebody to let them in by browser.
CREATE TABLE login_requests (
    id         TEXT PRIMARY KEY,
    challenge  TEXT NOT NULL,
    client     TEXT NOT NULL,
    address    TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    sign_in    TEXT NOT NULL,
    code_hash  TEXT NOT NULL,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX login_requests_expires ON login_requests (expires_at);

-- Quota. A workspace costs what its last build that took effect says, and while
-- a build is under way no less than what that was allowed.
ALTER TABLE workspaces ADD COLUMN daily_cost BIGINT NOT NULL DEFAULT 0;
ALTER TABLE builds ADD COLUMN daily_cost BIGINT NOT NULL DEFAULT 0;
CREATE TABLE version_costs (
    version_id TEXT NOT NULL REFERENCES versions (id),
    preset     TEXT NOT NULL,
    daily_cost BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (version_id, preset)
);
CREATE INDEX workspaces_organization ON workspaces (organization_id) WHERE deleted_at IS NULL;

-- Audit: all that a row must tell by itself, also when what it is about is gone.
-- class is write, sign-in, connection or automatic; result is ok or the code of
-- the error; reason is the rule that decided.
ALTER TABLE audit ADD COLUMN class TEXT NOT NULL DEFAULT 'write';
ALTER TABLE audit ADD COLUMN actor_name TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN organization_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN token_id TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN result TEXT NOT NULL DEFAULT 'ok';
ALTER TABLE audit ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN changes_json TEXT NOT NULL DEFAULT '{}';
CREATE INDEX audit_actor ON audit (actor_id, at, id);
CREATE INDEX audit_target ON audit (target_id, at, id);
CREATE INDEX audit_name ON audit (lower(target_name), at, id);
CREATE INDEX audit_organization ON audit (organization_id, at, id);
CREATE INDEX audit_class ON audit (class, at, id);
CREATE INDEX audit_request ON audit (request_id, at, id) WHERE request_id <> '';
CREATE INDEX audit_token ON audit (token_id, at, id) WHERE token_id <> '';
