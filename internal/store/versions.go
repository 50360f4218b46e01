package store

import (
	"github.com/berthdev/berth"
)

// versionColumns leaves the sealed variables out: VersionVariables has them.
const versionColumns = `v.id, v.organization_id, v.template_id, v.name, v.message, v.archive, v.build_id, v.activate, v.created_by, v.created_at, v.archived_at, v.carried`

func versionInto(v *berth.Version) []any {
	return []any{&v.ID, &v.OrganizationID, &v.TemplateID, &v.Name, &v.Message, &v.Archive, &v.BuildID, &v.Activate, &v.CreatedBy, at(&v.CreatedAt), at(&v.ArchivedAt), &v.Carried}
}

func scanVersion(s scanner) (v berth.Version, err error) {
	err = s.Scan(append(versionInto(&v), fromJSON(&v.Contents))...)
	return v, err
}

// InsertVersion stores a new version. The values of its variables come sealed.
func (tx *Tx) InsertVersion(v berth.Version, variables []byte) error {
	_, err := tx.exec(`INSERT INTO versions (id, organization_id, template_id, name, message, archive, build_id, variables_sealed,
		contents_json, activate, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		v.ID, v.OrganizationID, v.TemplateID, v.Name, clean(v.Message, maxError), v.Archive, v.BuildID, variables,
		asJSON(v.Contents), v.Activate, v.CreatedBy, stamp(v.CreatedAt))
	return err
}

// SetVersionBuild names the build that imports a version.
func (tx *Tx) SetVersionBuild(v berth.VersionID, b berth.BuildID) error {
	return tx.must("version", `UPDATE versions SET build_id = $2 WHERE id = $1`, v, b)
}

// SetContents stores what the import of a version found.
func (tx *Tx) SetContents(v berth.VersionID, c berth.Contents) error {
	return tx.must("version", `UPDATE versions SET contents_json = $2 WHERE id = $1`, v, asJSON(c))
}

// SetCarried names the archive with what the import of a version resolved.
func (tx *Tx) SetCarried(v berth.VersionID, hash string) error {
	return tx.must("version", `UPDATE versions SET carried = $2 WHERE id = $1`, v, hash)
}

// Version is a version by id, with its contents.
func (q *Query) Version(id berth.VersionID) (berth.Version, error) {
	return one(q, "version", scanVersion, `SELECT `+versionColumns+`, v.contents_json FROM versions v WHERE v.id = $1`, id)
}

// VersionRef is a version of a template by id or by name without regard to case,
// with its contents.
func (q *Query) VersionRef(t berth.TemplateID, ref string) (berth.Version, error) {
	const from = `SELECT ` + versionColumns + `, v.contents_json FROM versions v WHERE v.template_id = $1 AND `
	if berth.IsID(ref) {
		return one(q, "version", scanVersion, from+`v.id = $2`, t, ref)
	}
	return one(q, "version", scanVersion, from+`lower(v.name) = $2`, t, lowered(ref))
}

// VersionVariables is the sealed values of a version's variables.
func (q *Query) VersionVariables(id berth.VersionID) ([]byte, error) {
	return one(q, "version", single[[]byte], `SELECT variables_sealed FROM versions WHERE id = $1`, id)
}

// VersionCount is how many versions a template has.
func (q *Query) VersionCount(t berth.TemplateID) (int, error) {
	return one(q, "template", single[int], `SELECT count(*) FROM versions WHERE template_id = $1`, t)
}

// VersionRow is a version with what its list shows beside it.
type VersionRow struct {
	berth.Version
	CreatedByName string
	Build         berth.Build // its import
}

const versionFrom = ` FROM versions v JOIN users u ON u.id = v.created_by JOIN builds b ON b.id = v.build_id`

// VersionRow is the row of one version, with its contents.
func (q *Query) VersionRow(id berth.VersionID) (VersionRow, error) {
	return one(q, "version", func(s scanner) (r VersionRow, err error) {
		more := append(versionInto(&r.Version), &r.CreatedByName, fromJSON(&r.Contents))
		r.Build, err = scanBuild(extended{s, more})
		return r, err
	}, `SELECT `+buildColumns+`, `+versionColumns+`, u.username, v.contents_json`+versionFrom+` WHERE v.id = $1`, id)
}

// VersionPage is one page of a template's versions without their contents,
// newest first, and the mark of the next; archived ones too where they are
// wanted.
func (q *Query) VersionPage(t berth.TemplateID, archived bool, p Page) ([]VersionRow, string, error) {
	var w where
	w.add(`v.template_id = ?`, t)
	if !archived {
		w.add(`v.archived_at IS NULL`)
	}
	end := p.bound(&w, "v.created_at", "v.id", true)
	rows, err := all(q, func(s scanner) (r VersionRow, err error) {
		r.Build, err = scanBuild(extended{s, append(versionInto(&r.Version), &r.CreatedByName)})
		return r, err
	}, `SELECT `+buildColumns+`, `+versionColumns+`, u.username`+versionFrom+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(r VersionRow) Cursor { return Cursor{r.CreatedAt, string(r.ID)} })
	return rows, next, nil
}

// ArchiveNeeded tells whether an active build of a provider is made from the
// archive, or from what its version carries: runners may read those and no others.
func (q *Query) ArchiveNeeded(p berth.ProviderID, hash string) (bool, error) {
	return one(q, "archive", single[bool], `SELECT EXISTS (SELECT 1 FROM builds b JOIN versions v ON v.id = b.version_id
		WHERE (v.archive = $2 OR v.carried = $2) AND b.provider_id = $1 AND b.completed_at IS NULL)`, p, hash)
}
