package store

import (
	"errors"
	"time"

	"github.com/berthdev/berth"
)

// counted is what a living workspace w costs: what its last build that took
// effect says, and while one is under way (b, or nothing) no less than what that
// was allowed.
const counted = `CASE WHEN b.daily_cost > w.daily_cost THEN b.daily_cost ELSE w.daily_cost END`

// underWay joins the build that a workspace's owner waits for, if there is one.
const underWay = ` LEFT JOIN builds b ON b.id = w.build_id AND b.completed_at IS NULL`

// BudgetGroups is the groups whose allowances make a user's budget in an
// organization: Everyone, and those that they were put into. Who is no member
// has none.
func (q *Query) BudgetGroups(o berth.OrganizationID, u berth.UserID) ([]berth.Group, error) {
	return all(q, scanGroup, `SELECT `+groupColumns+` FROM groups g WHERE g.organization_id = $1
		AND (g.id = $1 OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.id AND m.user_id = $2))
		AND EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = $1 AND m.user_id = $2)
		ORDER BY lower(g.name)`, o, u)
}

// Spent is what a user's workspaces in an organization cost a day, all but one
// (empty: all).
func (q *Query) Spent(o berth.OrganizationID, u berth.UserID, but berth.WorkspaceID) (int, error) {
	return one(q, "cost", single[int], `SELECT CAST(COALESCE(SUM(`+counted+`), 0) AS BIGINT) FROM workspaces w`+underWay+`
		WHERE w.owner_id = $1 AND w.organization_id = $2 AND w.deleted_at IS NULL AND w.id <> $3`, u, o, but)
}

// CostRow is what one workspace costs a day, and whether it counts as running.
type CostRow struct {
	ID        berth.WorkspaceID
	Name      string
	Template  string
	DailyCost int
	Running   bool
}

// Costs is a user's workspaces in an organization, the dearest first, at most n.
func (q *Query) Costs(o berth.OrganizationID, u berth.UserID, n int) ([]CostRow, error) {
	return all(q, func(s scanner) (r CostRow, err error) {
		err = s.Scan(&r.ID, &r.Name, &r.Template, &r.DailyCost, &r.Running)
		return r, err
	}, `SELECT w.id, w.name, t.name, `+counted+` AS cost, `+runs+` FROM workspaces w JOIN templates t ON t.id = w.template_id`+newest+`
		WHERE w.owner_id = $1 AND w.organization_id = $2 AND w.deleted_at IS NULL ORDER BY cost DESC, lower(w.name) LIMIT $3`, u, o, n)
}

// ReserveCost stores what an active build is allowed to cost.
func (tx *Tx) ReserveCost(id berth.BuildID, cost int) error {
	return tx.must("build", `UPDATE builds SET daily_cost = $2 WHERE id = $1 AND completed_at IS NULL`, id, berth.BoundCost(cost))
}

// SettleCost stores what a workspace costs once its build has ended: what that
// was allowed, or what was found if that is more. exact says that the build did
// all that it was allowed to; else the workspace may have some of what it had
// before too, so it costs no less than it did. A build that was never allowed to
// change anything changes nothing here.
func (tx *Tx) SettleCost(b berth.Build, found int, exact bool) error {
	cost := max(berth.BoundCost(b.DailyCost), berth.BoundCost(found))
	_, err := tx.exec(`UPDATE workspaces SET daily_cost = CASE WHEN $3 OR daily_cost < $2 THEN $2 ELSE daily_cost END
		WHERE id = $1 AND EXISTS (SELECT 1 FROM builds b WHERE b.id = $4 AND b.judged_at IS NOT NULL)`, b.WorkspaceID, cost, exact, b.ID)
	return err
}

// newest joins the newest build of a workspace.
const newest = ` JOIN builds b ON b.id = w.build_id`

// runs is whether a workspace w with the newest build b counts as running: it
// may have more than what is left of a stopped one. A start counts from the
// moment it is asked for, a stop once it has succeeded. A build that was refused,
// or canceled before it changed anything, leaves that to the one before; so does
// a delete.
const runs = `(CASE
	WHEN b.transition = 'start' AND b.completed_at IS NULL THEN TRUE
	WHEN b.transition <> 'delete' AND b.judged_at IS NOT NULL THEN NOT (` + stopped + `)
	ELSE COALESCE((SELECT NOT (` + stoppedBefore + `) FROM builds x WHERE x.workspace_id = w.id AND x.judged_at IS NOT NULL
		AND x.transition <> 'delete' ORDER BY x.number DESC LIMIT 1), FALSE) END)`

const (
	stopped       = `b.transition = 'stop' AND b.completed_at IS NOT NULL AND b.error = '' AND b.canceled_at IS NULL`
	stoppedBefore = `x.transition = 'stop' AND x.completed_at IS NOT NULL AND x.error = '' AND x.canceled_at IS NULL`
)

const living = ` WHERE w.deleted_at IS NULL AND w.organization_id = $1`

// WorkspaceCount is how many living workspaces an organization has.
func (q *Query) WorkspaceCount(o berth.OrganizationID) (int, error) {
	return one(q, "workspace", single[int], `SELECT count(*) FROM workspaces w`+living, o)
}

// WorkspaceCountOf is how many living workspaces a user has in an organization.
func (q *Query) WorkspaceCountOf(o berth.OrganizationID, u berth.UserID) (int, error) {
	return one(q, "workspace", single[int], `SELECT count(*) FROM workspaces w`+living+` AND w.owner_id = $2`, o, u)
}

// RunningCount is how many workspaces of an organization count as running, all
// but one (empty: all).
func (q *Query) RunningCount(o berth.OrganizationID, but berth.WorkspaceID) (int, error) {
	return one(q, "workspace", single[int], `SELECT count(*) FROM workspaces w`+newest+living+` AND w.id <> $2 AND `+runs, o, but)
}

// RunningOf is the names of a user's workspaces in an organization that count as
// running, oldest first, all but one (empty: all).
func (q *Query) RunningOf(o berth.OrganizationID, u berth.UserID, but berth.WorkspaceID) ([]string, error) {
	return all(q, single[string], `SELECT w.name FROM workspaces w`+newest+living+` AND w.owner_id = $2 AND w.id <> $3 AND `+runs+`
		ORDER BY w.created_at, w.id`, o, u, but)
}

// Runs tells whether a workspace counts as running.
func (q *Query) Runs(id berth.WorkspaceID) (bool, error) {
	return one(q, "workspace", single[bool], `SELECT `+runs+` FROM workspaces w`+newest+` WHERE w.id = $1`, id)
}

// costPause is how long a version's cost that changes from start to start is
// left as it is: builds of one version must not wait for each other.
const costPause = time.Minute

func scanVersionCost(s scanner) (c berth.VersionCost, err error) {
	err = s.Scan(&c.Preset, &c.DailyCost, at(&c.At))
	return c, err
}

// VersionCost is the last known cost of a version with a preset; not_found when
// nothing is known.
func (q *Query) VersionCost(v berth.VersionID, preset string) (berth.VersionCost, error) {
	return one(q, "cost", scanVersionCost, `SELECT preset, daily_cost, at FROM version_costs WHERE version_id = $1 AND preset = $2`, v, preset)
}

// NoteVersionCost stores the last known cost of a version with a preset; one
// that answers change at every start, once a minute at most.
func (tx *Tx) NoteVersionCost(v berth.VersionID, preset string, cost int) error {
	known, err := tx.VersionCost(v, preset)
	if err == nil && (known.DailyCost == cost || tx.Now.Sub(known.At) < costPause) {
		return nil
	}
	if err != nil && !errors.Is(err, berth.NotFound) {
		return err
	}
	_, err = tx.exec(`INSERT INTO version_costs (version_id, preset, daily_cost, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (version_id, preset) DO UPDATE SET daily_cost = EXCLUDED.daily_cost, at = EXCLUDED.at`,
		v, preset, berth.BoundCost(cost), stamp(tx.Now))
	return err
}

// LastStart is the newest start of a workspace from a version that was allowed
// to change things.
func (q *Query) LastStart(w berth.WorkspaceID, v berth.VersionID) (berth.Build, error) {
	return one(q, "build", scanBuild, `SELECT `+buildColumns+` FROM builds b WHERE b.workspace_id = $1 AND b.version_id = $2
		AND b.transition = 'start' AND b.judged_at IS NOT NULL ORDER BY b.number DESC LIMIT 1`, w, v)
}

// VersionCosts is all that is known of what a version costs, without a preset
// first.
func (q *Query) VersionCosts(v berth.VersionID) ([]berth.VersionCost, error) {
	return all(q, scanVersionCost, `SELECT preset, daily_cost, at FROM version_costs WHERE version_id = $1 ORDER BY preset`, v)
}
