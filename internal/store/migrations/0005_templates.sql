-- Templates in full: what a version carries, what it may be used for, and what
-- its workspaces are.

-- Versions. carried is the hash of the archive with the modules and the lock
-- file that its import resolved; empty when it was imported before there was one.
ALTER TABLE versions ADD COLUMN archived_at BIGINT;
ALTER TABLE versions ADD COLUMN carried TEXT NOT NULL DEFAULT '';

-- How many workspaces a template may have: in all, and of one person; 0: any number.
ALTER TABLE templates ADD COLUMN max_workspaces BIGINT NOT NULL DEFAULT 0;
ALTER TABLE templates ADD COLUMN max_workspaces_each BIGINT NOT NULL DEFAULT 0;

-- What a template's tags have to find in a workspace provider.
ALTER TABLE providers ADD COLUMN tags_json TEXT NOT NULL DEFAULT '{}';

-- Agents that prove by their machine who they are: token, or which cloud's
-- document, and the machine's id there.
ALTER TABLE agents ADD COLUMN auth TEXT NOT NULL DEFAULT 'token';
ALTER TABLE agents ADD COLUMN instance_id TEXT NOT NULL DEFAULT '';
CREATE INDEX agents_instance ON agents (instance_id) WHERE instance_id <> '';

-- An import may look at a workspace instead of a version: what is there, against
-- its state. It changes neither.
ALTER TABLE builds ADD COLUMN looks_at TEXT REFERENCES workspaces (id);
ALTER TABLE builds ADD COLUMN drift_json TEXT NOT NULL DEFAULT 'null';
CREATE INDEX builds_looks_at ON builds (looks_at, created_at) WHERE looks_at IS NOT NULL;

-- What somebody answered last is offered to them again.
CREATE INDEX builds_asked ON builds (initiator_id, template_id, created_at) WHERE transition = 'start';
