package store

import (
	"time"

	"github.com/berthdev/berth"
)

// usesVersion is true of a living workspace w whose newest build, or whose newest
// build that was allowed to change things, is of a version v: its next start or
// stop may need it.
const usesVersion = `w.template_id = v.template_id AND w.deleted_at IS NULL AND EXISTS (SELECT 1 FROM builds b
	WHERE b.workspace_id = w.id AND b.version_id = v.id AND (
		b.number = (SELECT max(e.number) FROM builds e WHERE e.workspace_id = w.id) OR
		b.number = (SELECT max(e.number) FROM builds e WHERE e.workspace_id = w.id AND e.judged_at IS NOT NULL)))`

// VersionUses is the living workspaces that use a version as owner/name, at most
// limit of them, oldest first.
func (q *Query) VersionUses(id berth.VersionID, limit int) ([]string, error) {
	return all(q, single[string], `SELECT u.username || '/' || w.name FROM versions v JOIN workspaces w ON `+usesVersion+`
		JOIN users u ON u.id = w.owner_id WHERE v.id = $1 ORDER BY w.created_at, w.id LIMIT $2`, id, limit)
}

// UnusedVersions is the versions of a template that may be archived, oldest
// first: those that are not the active one, not archived, not being imported,
// and that no workspace uses; with failed only those whose import did not
// succeed. They come without their contents.
func (q *Query) UnusedVersions(t berth.TemplateID, failed bool) ([]berth.Version, error) {
	return all(q, func(s scanner) (v berth.Version, err error) {
		err = s.Scan(versionInto(&v)...)
		return v, err
	}, `SELECT `+versionColumns+` FROM versions v JOIN templates t ON t.id = v.template_id JOIN builds i ON i.id = v.build_id
		WHERE v.template_id = $1 AND v.archived_at IS NULL AND v.id <> t.active_version_id AND i.completed_at IS NOT NULL
		AND ($2 = FALSE OR i.error <> '' OR i.canceled_at IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM workspaces w WHERE `+usesVersion+`) ORDER BY v.created_at, v.id`, t, failed)
}

// ArchiveVersion marks a version as archived at a time; the zero time ends that.
func (tx *Tx) ArchiveVersion(id berth.VersionID, at time.Time) error {
	return tx.must("version", `UPDATE versions SET archived_at = $2 WHERE id = $1`, id, stamp(at))
}

// VersionBefore is the newest version of the same template that was pushed before
// another one and imported, with its contents.
func (q *Query) VersionBefore(v berth.Version) (berth.Version, error) {
	return one(q, "version", scanVersion, importedVersion+` AND (v.created_at < $2 OR v.created_at = $2 AND v.id < $3)`+newestFirst,
		v.TemplateID, stamp(v.CreatedAt), v.ID)
}

// VersionsBetween is the versions of a template that were imported, are not
// archived, and were pushed after one and not after another, newest first, at
// most limit of them. They come without their contents.
func (q *Query) VersionsBetween(after, last berth.Version, limit int) ([]VersionRow, error) {
	return all(q, func(s scanner) (r VersionRow, err error) {
		r.Build, err = scanBuild(extended{s, append(versionInto(&r.Version), &r.CreatedByName)})
		return r, err
	}, `SELECT `+buildColumns+`, `+versionColumns+`, u.username`+versionFrom+` WHERE v.template_id = $1 AND v.archived_at IS NULL
		AND (v.created_at > $2 OR v.created_at = $2 AND v.id > $3) AND (v.created_at < $4 OR v.created_at = $4 AND v.id <= $5)
		AND b.completed_at IS NOT NULL AND b.error = '' AND b.canceled_at IS NULL ORDER BY v.created_at DESC, v.id DESC LIMIT $6`,
		last.TemplateID, stamp(after.CreatedAt), after.ID, stamp(last.CreatedAt), last.ID, limit)
}

const importedVersion = `SELECT ` + versionColumns + `, v.contents_json FROM versions v JOIN builds i ON i.id = v.build_id
	WHERE v.template_id = $1 AND i.completed_at IS NOT NULL AND i.error = '' AND i.canceled_at IS NULL`

const newestFirst = ` ORDER BY v.created_at DESC, v.id DESC LIMIT 1`

// NewestVersion is the newest version of a template that was imported, with its
// contents.
func (q *Query) NewestVersion(t berth.TemplateID) (berth.Version, error) {
	return one(q, "version", scanVersion, importedVersion+newestFirst, t)
}

// VersionOfArchive is the newest version of a template that was imported from an
// archive, with its contents.
func (q *Query) VersionOfArchive(t berth.TemplateID, archive string) (berth.Version, error) {
	return one(q, "version", scanVersion, importedVersion+` AND v.archive = $2`+newestFirst, t, archive)
}
