-- Lifecycle: workspaces that start, stop, sleep and leave by themselves, what
-- decided it, and who is told. Lengths of time are microseconds.

-- Templates. A length of 0 is never; sets of days have a bit for each weekday,
-- Sunday the lowest. activated_at is when the active version became that;
-- tightened_at is when what holds at once was last made to act sooner.
ALTER TABLE templates ADD COLUMN default_ttl BIGINT NOT NULL DEFAULT 0;
ALTER TABLE templates ADD COLUMN activity_bump BIGINT NOT NULL DEFAULT 3600000000;
ALTER TABLE templates ADD COLUMN autostop_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE templates ADD COLUMN autostop_weeks BIGINT NOT NULL DEFAULT 1;
ALTER TABLE templates ADD COLUMN autostart_days BIGINT NOT NULL DEFAULT 127;
ALTER TABLE templates ADD COLUMN failure_ttl BIGINT NOT NULL DEFAULT 0;
ALTER TABLE templates ADD COLUMN dormancy_threshold BIGINT NOT NULL DEFAULT 0;
ALTER TABLE templates ADD COLUMN dormancy_auto_deletion BIGINT NOT NULL DEFAULT 0;
ALTER TABLE templates ADD COLUMN allow_user_autostart BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE templates ADD COLUMN allow_user_autostop BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE templates ADD COLUMN allow_user_cancel BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE templates ADD COLUMN require_active BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE templates ADD COLUMN rollout TEXT NOT NULL DEFAULT 'next-start' CHECK (rollout IN ('next-start', 'when-idle', 'quiet-hours'));
ALTER TABLE templates ADD COLUMN autostop_notify BIGINT NOT NULL DEFAULT 900000000;
ALTER TABLE templates ADD COLUMN deprecated TEXT NOT NULL DEFAULT '';
ALTER TABLE templates ADD COLUMN activated_at BIGINT;
ALTER TABLE templates ADD COLUMN tightened_at BIGINT;

-- Organizations: auto-start wants that a workspace was used within this, 0 does
-- not.
ALTER TABLE organizations ADD COLUMN autostart_used_within BIGINT NOT NULL DEFAULT 345600000000;

-- Users: a daily schedule; empty is that of the server.
ALTER TABLE users ADD COLUMN quiet_hours TEXT NOT NULL DEFAULT '';

-- Workspaces. auto_off NULL is as the organization says, 0 never. noticed_at is
-- when the notice of the present deleting_at was in the owner's inbox.
-- unknown_since is since when an automatic act is put off because nobody can
-- say whether the workspace is used. reminded_for is the stop that was announced
-- last. next_look is when the rules are to be asked again; NULL: when something
-- changes. None of this exists for prebuilds.
ALTER TABLE workspaces ADD COLUMN autostart TEXT;
ALTER TABLE workspaces ADD COLUMN ttl BIGINT;
ALTER TABLE workspaces ADD COLUMN auto_off BIGINT;
ALTER TABLE workspaces ADD COLUMN automatic_updates TEXT NOT NULL DEFAULT 'never' CHECK (automatic_updates IN ('always', 'never'));
ALTER TABLE workspaces ADD COLUMN extended_until BIGINT;
ALTER TABLE workspaces ADD COLUMN dormant_at BIGINT;
ALTER TABLE workspaces ADD COLUMN deleting_at BIGINT;
ALTER TABLE workspaces ADD COLUMN noticed_at BIGINT;
ALTER TABLE workspaces ADD COLUMN unknown_since BIGINT;
ALTER TABLE workspaces ADD COLUMN reminded_for BIGINT;
ALTER TABLE workspaces ADD COLUMN start_takes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN next_look BIGINT;
ALTER TABLE workspaces ADD COLUMN is_prebuild BOOLEAN NOT NULL DEFAULT FALSE CHECK (NOT is_prebuild OR (
    autostart IS NULL AND ttl IS NULL AND auto_off IS NULL AND extended_until IS NULL AND dormant_at IS NULL AND deleting_at IS NULL
    AND noticed_at IS NULL AND unknown_since IS NULL AND reminded_for IS NULL AND next_look IS NULL));
CREATE INDEX workspaces_due ON workspaces (next_look, id) WHERE next_look IS NOT NULL AND deleted_at IS NULL;
-- What is there already is looked at once; no rule says anything of it until
-- somebody sets one.
UPDATE workspaces SET next_look = created_at WHERE deleted_at IS NULL;

-- Builds. policy_json is what a start was to be stopped by when it ended, tries
-- counts builds for one purpose that failed in a row, next_json is the build
-- that is queued when this one succeeded, agent_timings_json is how long what
-- runs inside took.
ALTER TABLE builds ADD COLUMN policy_json TEXT NOT NULL DEFAULT 'null';
ALTER TABLE builds ADD COLUMN tries BIGINT NOT NULL DEFAULT 1;
ALTER TABLE builds ADD COLUMN next_json TEXT NOT NULL DEFAULT 'null';
ALTER TABLE builds ADD COLUMN agent_timings_json TEXT NOT NULL DEFAULT '[]';

-- What Berth did with a workspace by itself, or found itself unable to: the rule
-- that decided, in one sentence, and what it rested on.
CREATE TABLE acts (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    at           BIGINT NOT NULL,
    did          TEXT NOT NULL,
    rule         TEXT NOT NULL,
    why          TEXT NOT NULL,
    facts_json   TEXT NOT NULL,
    build_id     TEXT
);
CREATE INDEX acts_workspace ON acts (workspace_id, at, id);
CREATE INDEX acts_at ON acts (at);

-- Changes of settings that reach what runs or sleeps already, as they can be
-- taken back.
CREATE TABLE policy_changes (
    id              TEXT PRIMARY KEY,
    target_kind     TEXT NOT NULL CHECK (target_kind IN ('organization', 'template', 'workspace', 'user')),
    target_id       TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    made_by         TEXT NOT NULL,
    at              BIGINT NOT NULL,
    before_json     TEXT NOT NULL,
    after_json      TEXT NOT NULL,
    effects_json    TEXT NOT NULL,
    undone_at       BIGINT
);
CREATE INDEX policy_changes_target ON policy_changes (target_kind, target_id, at);

CREATE TABLE favorites (
    user_id      TEXT NOT NULL REFERENCES users (id),
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, workspace_id)
);

-- Notices: one row for each person who is told, which is their inbox, and how it
-- leaves the house.
CREATE TABLE notices (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id),
    kind         TEXT NOT NULL,
    title        TEXT NOT NULL,
    body         TEXT NOT NULL,
    data_json    TEXT NOT NULL,
    workspace_id TEXT,
    template_id  TEXT,
    once         TEXT NOT NULL,
    in_inbox     BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL,
    read_at      BIGINT
);
CREATE INDEX notices_inbox ON notices (user_id, created_at, id) WHERE in_inbox;
CREATE INDEX notices_created ON notices (created_at);
CREATE UNIQUE INDEX notices_once ON notices (user_id, once) WHERE once <> '';

-- lease_by is who sends it at this moment; next_at is when that lapses then.
CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,
    notice_id  TEXT NOT NULL REFERENCES notices (id),
    method     TEXT NOT NULL CHECK (method IN ('email', 'webhook')),
    status     TEXT NOT NULL CHECK (status IN ('pending', 'sent', 'failed', 'dropped')),
    tries      BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    lease_by   TEXT NOT NULL,
    error      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE UNIQUE INDEX deliveries_method ON deliveries (notice_id, method);
CREATE INDEX deliveries_due ON deliveries (method, next_at, id) WHERE status = 'pending';
CREATE INDEX deliveries_troubled ON deliveries (created_at, id) WHERE error <> '';

-- How people want to be told of a kind, where that is not what it is for
-- everybody.
CREATE TABLE notice_switches (
    user_id TEXT NOT NULL REFERENCES users (id),
    kind    TEXT NOT NULL,
    method  TEXT NOT NULL CHECK (method IN ('inbox', 'email', 'webhook')),
    wanted  BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, kind, method)
);
CREATE INDEX notice_switches_wanted ON notice_switches (kind, user_id) WHERE wanted;

-- Settings that people change while the server runs.
CREATE TABLE site_settings (
    name       TEXT PRIMARY KEY,
    value_json TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
