package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

const buildColumns = `b.id, b.organization_id, b.provider_id, b.transition, b.workspace_id, b.template_id, b.version_id,
	b.number, b.reason, b.class, b.initiator_id, b.parameters_json, b.preset, b.allow_destroy_json, b.orphan, b.daily_cost,
	b.created_at, b.started_at, b.canceled_at, b.completed_at, b.abandoned_at,
	b.runner_id, b.attempt, b.lease_at, b.error_code, b.error, b.refused_json, b.policy_json, b.tries, b.next_json, b.looks_at`

// buildInto is where buildColumns are scanned to.
func buildInto(b *berth.Build) []any {
	return []any{&b.ID, &b.OrganizationID, &b.ProviderID, &b.Transition, text(&b.WorkspaceID), &b.TemplateID, &b.VersionID,
		&b.Number, &b.Reason, &b.Class, &b.InitiatorID, fromJSON(&b.Parameters), &b.Preset, fromJSON(&b.AllowDestroy), &b.Orphan, &b.DailyCost,
		at(&b.CreatedAt), at(&b.StartedAt), at(&b.CanceledAt), at(&b.CompletedAt), at(&b.AbandonAt),
		text(&b.RunnerID), &b.Attempt, at(&b.LeaseAt), &b.ErrorCode, &b.Error, fromJSON(&b.Refused),
		fromJSON(&b.Policy), &b.Tries, fromJSON(&b.Next), text(&b.LooksAt)}
}

func scanBuild(s scanner) (b berth.Build, err error) {
	err = s.Scan(buildInto(&b)...)
	return b, err
}

// InsertBuild adds a pending build and makes it the newest of its workspace.
func (tx *Tx) InsertBuild(b berth.Build) error {
	_, err := tx.exec(`
		INSERT INTO builds (id, organization_id, provider_id, transition, workspace_id, template_id, version_id,
			number, reason, class, initiator_id, parameters_json, preset, allow_destroy_json, orphan,
			created_at, attempt, error_code, error, refused_json, resources_json, timings_json, log_bytes, tries, next_json, looks_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, '', '', 'null', 'null', 'null', 0, $17, $18, $19)`,
		b.ID, b.OrganizationID, b.ProviderID, b.Transition, orNull(b.WorkspaceID), b.TemplateID, b.VersionID,
		b.Number, b.Reason, b.Class, b.InitiatorID, asJSON(b.Parameters), b.Preset, asJSON(b.AllowDestroy), b.Orphan,
		stamp(b.CreatedAt), max(b.Tries, 1), asJSON(b.Next), orNull(b.LooksAt))
	if err != nil || b.WorkspaceID == "" {
		return err
	}
	return tx.must("workspace", `UPDATE workspaces SET build_id = $1, build_number = $2, updated_at = $3 WHERE id = $4`,
		b.ID, b.Number, stamp(tx.Now), b.WorkspaceID)
}

// Build is one build.
func (q *Query) Build(id berth.BuildID) (berth.Build, error) {
	return one(q, "build", scanBuild, `SELECT `+buildColumns+` FROM builds b WHERE b.id = $1`, id)
}

// BuildNumber is the build of a workspace with that number.
func (q *Query) BuildNumber(ws berth.WorkspaceID, number int) (berth.Build, error) {
	return one(q, "build", scanBuild, `SELECT `+buildColumns+` FROM builds b WHERE b.workspace_id = $1 AND b.number = $2`, ws, number)
}

// NewestBuild is the build of a workspace with the highest number.
func (q *Query) NewestBuild(ws berth.WorkspaceID) (berth.Build, error) {
	return one(q, "build", scanBuild, `SELECT `+buildColumns+` FROM builds b WHERE b.workspace_id = $1 ORDER BY b.number DESC LIMIT 1`, ws)
}

// ActiveBuild is the build of a workspace that has not ended; not_found if there
// is none.
func (q *Query) ActiveBuild(ws berth.WorkspaceID) (berth.Build, error) {
	return one(q, "build", scanBuild, `SELECT `+buildColumns+` FROM builds b WHERE b.workspace_id = $1 AND b.completed_at IS NULL`, ws)
}

// BuildDetail is what a build found and how long it took: left out of Build
// since lists do not need it.
type BuildDetail struct {
	Resources []berth.Resource
	Timings   []berth.Timing // by its runner's clock
	Drift     *[]berth.Drift // nil: it did not look
	Inside    []berth.Timing // of what ran inside once it was through; see berth.Inside
}

func (q *Query) BuildDetail(id berth.BuildID) (BuildDetail, error) {
	return one(q, "build", func(s scanner) (d BuildDetail, err error) {
		return d, s.Scan(fromJSON(&d.Resources), fromJSON(&d.Timings), fromJSON(&d.Inside), fromJSON(&d.Drift))
	}, `SELECT resources_json, timings_json, agent_timings_json, drift_json FROM builds WHERE id = $1`, id)
}

// BuildFilter says which builds a list has; empty fields do not restrict.
type BuildFilter struct {
	Workspace  berth.WorkspaceID
	Owner      berth.UserID   // of the workspace, or who pushed the version
	Visible    *berth.Visible // of the workspace; nil: all builds, imports too
	Imports    berth.Visible  // of the template, with Visible
	Template   berth.TemplateID
	Version    berth.VersionID
	Provider   berth.ProviderID
	Transition berth.Transition
	Status     berth.BuildStatus
	Name       []string // parts of the workspace's name
	Before     Cursor
	Limit      int // 0: 50
}

// buildStatus is berth.Build.Status in SQL.
var buildStatus = map[berth.BuildStatus]string{
	berth.BuildPending:   `b.completed_at IS NULL AND b.canceled_at IS NULL AND b.started_at IS NULL`,
	berth.BuildRunning:   `b.completed_at IS NULL AND b.canceled_at IS NULL AND b.started_at IS NOT NULL`,
	berth.BuildCanceling: `b.completed_at IS NULL AND b.canceled_at IS NOT NULL`,
	berth.BuildCanceled:  `b.completed_at IS NOT NULL AND b.error = '' AND b.canceled_at IS NOT NULL`,
	berth.BuildSucceeded: `b.completed_at IS NOT NULL AND b.error = '' AND b.canceled_at IS NULL`,
	berth.BuildFailed:    `b.completed_at IS NOT NULL AND b.error <> ''`,
}

// Builds lists builds, newest first.
func (q *Query) Builds(f BuildFilter) ([]berth.Build, error) {
	var w where
	from := ` FROM builds b`
	if f.Owner != "" || len(f.Name) > 0 || f.Visible != nil {
		from += ` LEFT JOIN workspaces w ON w.id = COALESCE(b.workspace_id, b.looks_at)`
	}
	if f.Owner != "" {
		w.add(`COALESCE(w.owner_id, b.initiator_id) = ?`, f.Owner)
	}
	for _, part := range f.Name {
		w.add(`lower(w.name) LIKE ? ESCAPE '\'`, "%"+escapeLike(part)+"%")
	}
	if f.Visible != nil {
		ours := w.seen(workspaceVisible, *f.Visible)
		imports := w.seen(columns{kind: "template", id: "b.template_id", organization: "b.organization_id"}, f.Imports)
		w.add("(w.id IS NOT NULL AND " + ours + " OR w.id IS NULL AND " + imports + ")")
	}
	if f.Status != "" {
		cond, ok := buildStatus[f.Status]
		if !ok {
			return nil, berth.InvalidField("q", "%q is no status of a build: use pending, running, canceling, canceled, succeeded or failed", f.Status)
		}
		w.add(cond)
	}
	equal(&w, `b.workspace_id`, f.Workspace)
	equal(&w, `b.template_id`, f.Template)
	equal(&w, `b.version_id`, f.Version)
	equal(&w, `b.provider_id`, f.Provider)
	equal(&w, `b.transition`, f.Transition)
	w.before("b.created_at", "b.id", f.Before)
	return all(q, scanBuild, `SELECT `+buildColumns+from+w.String()+
		` ORDER BY b.created_at DESC, b.id DESC LIMIT `+w.arg(limit(f.Limit)), w.args...)
}

// equal adds that a column has a value, unless that is empty.
func equal[S ~string](w *where, column string, value S) {
	if value != "" {
		w.add(column+" = ?", string(value))
	}
}

// limit is how many rows to read: 50 unless told, at most 501, which is one more
// than the largest page.
func limit(n int) int {
	if n <= 0 {
		return 50
	}
	return min(n, 501)
}

// escapeLike makes a part of a name literal in a LIKE with ESCAPE '\', in lower
// case.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(s))
}

// Ended is how a build ended.
type Ended struct {
	ErrorCode string
	Error     string
	Refused   []berth.Refusal
	Canceled  bool
	Abandoned bool
	Resources []berth.Resource
	Timings   []berth.Timing
}

// maxError is how many bytes of an error's text are kept.
const maxError = 64 << 10

// EndBuild ends an active build in the attempt that the caller read. Another
// attempt, or an end in between, is conflict. A build that succeeded although
// somebody asked to cancel it counts as succeeded.
func (tx *Tx) EndBuild(id berth.BuildID, attempt int, e Ended) error {
	n, err := tx.exec(`
		UPDATE builds SET completed_at = $3, lease_at = NULL,
			canceled_at = CASE WHEN $4 THEN COALESCE(canceled_at, $3) ELSE NULL END,
			abandoned_at = CASE WHEN $5 THEN $3 ELSE NULL END,
			error_code = $6, error = $7, refused_json = $8, resources_json = $9, timings_json = $10
		WHERE id = $1 AND attempt = $2 AND completed_at IS NULL`,
		id, attempt, tx.Now.UnixMicro(), e.Canceled, e.Abandoned,
		clean(e.ErrorCode, 100), clean(e.Error, maxError), asJSON(e.Refused), asJSON(e.Resources), asJSON(e.Timings))
	if err == nil && n == 0 {
		return berth.Errorf(berth.Conflict, "the build %s has ended or changed hands", id)
	}
	return err
}

// SetDrift stores what a build found that looked at a workspace.
func (tx *Tx) SetDrift(id berth.BuildID, found []berth.Drift) error {
	return tx.must("build", `UPDATE builds SET drift_json = $2 WHERE id = $1`, id, asJSON(found))
}

// SetInside stores how long what ran inside took; see berth.Inside.
func (tx *Tx) SetInside(id berth.BuildID, inside []berth.Timing) error {
	return tx.must("build", `UPDATE builds SET agent_timings_json = $2 WHERE id = $1`, id, asJSON(inside))
}

// CancelBuild notes that somebody wants an active build to end, with force by a
// kill. The first wish stays as it is.
func (tx *Tx) CancelBuild(id berth.BuildID, force bool) error {
	n, err := tx.exec(`
		UPDATE builds SET canceled_at = COALESCE(canceled_at, $2),
			forced_at = CASE WHEN $3 THEN COALESCE(forced_at, $2) ELSE forced_at END
		WHERE id = $1 AND completed_at IS NULL`, id, tx.Now.UnixMicro(), force)
	if err == nil && n == 0 {
		return berth.Errorf(berth.Conflict, "the build has ended already")
	}
	return err
}

// SetNextBuild changes what is wanted behind a build.
func (tx *Tx) SetNextBuild(id berth.BuildID, next berth.NextBuild) error {
	return tx.must("build", `UPDATE builds SET next_json = $2 WHERE id = $1`, id, asJSON(next))
}

// Taking names one taking of a build: what a runner proves that it may speak of.
type Taking struct {
	Build    berth.BuildID
	Attempt  int
	Runner   string
	Provider berth.ProviderID
}

// String is for errors and logs.
func (t Taking) String() string { return string(t.Build) + "." + strconv.Itoa(t.Attempt) }

// lease is the time until which a lease given now lasts.
func (tx *Tx) lease(d time.Duration) int64 { return tx.Now.Add(d).UnixMicro() }
