package workspaces

import (
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// intentLasts is how long after a restart was asked for a stop that failed still
// hands it on to the one that is tried in its place. Later, a workspace that
// starts would surprise whoever asked.
const intentLasts = time.Hour

// again queues a restart or rebuild as one intent: a stop that has its start with
// it. The start is checked now, as a start alone would be, so that nothing is
// stopped for one that cannot be; what may have changed once the workspace is
// stopped, goOn looks at again.
func (s *Service) again(tx *store.Tx, actor authz.Actor, id berth.WorkspaceID, in BuildInput) (w berth.Workspace, b berth.Build, err error) {
	if in.Reason.Connection() {
		return w, b, berth.InvalidField("reason", "a connection only starts a workspace as it is: give another reason for a %s", in.Transition)
	}
	if w, err = find(&tx.Query, actor, authz.Start, id); err != nil {
		return w, b, err
	}
	if err := sharing.Check(&tx.Query, actor, authz.Stop, w, "the workspace"); err != nil {
		return w, b, err
	}
	if in.Transition == berth.Rebuild {
		if err := sharing.Check(&tx.Query, actor, authz.Govern, w, "the workspace"); err != nil {
			return w, b, err
		}
	}
	start := in
	start.Transition = berth.Start
	if in.Transition == berth.Rebuild {
		start.Force, start.Update = false, in.Version == ""
	}
	if _, b, err = s.next(tx, actor, id, start); err != nil {
		return w, b, err
	}
	newest, err := tx.NewestBuild(id)
	if err != nil {
		return w, b, err
	}
	stopped := berth.WorkspaceStatus(newest) == berth.StatusStopped
	if in.Transition == berth.Rebuild && !in.Force {
		if err := s.unforced(&tx.Query, actor, w, !stopped); err != nil {
			return w, b, err
		}
	}
	if !stopped {
		next := berth.NextBuild{Version: b.VersionID, Parameters: b.Parameters, Preset: b.Preset, AllowDestroy: b.AllowDestroy,
			Reason: b.Reason, InitiatorID: b.InitiatorID, AskedAt: tx.Now}
		if _, b, err = s.next(tx, actor, id, BuildInput{Transition: berth.Stop, Reason: in.Reason}); err != nil {
			return w, b, err
		}
		b.Next = &next
	}
	detail := map[string]any{}
	if in.Force {
		detail["force"] = true
	}
	b, err = s.enqueue(tx, actor, string(in.Transition), w, b, detail)
	return w, b, err
}

// unforced refuses what a rebuild does only by force: it resets all that is not
// persistent, under somebody's hands or behind its owner's back.
func (s *Service) unforced(q *store.Query, actor authz.Actor, w berth.Workspace, runs bool) error {
	forced := func(format string, args ...any) error {
		return &berth.Error{Code: berth.Conflict, Field: "force", Message: fmt.Sprintf(format, args...) + ": a rebuild resets all that is not persistent, so say it with --force"}
	}
	r, err := q.WorkspaceRow(w.ID)
	if err != nil {
		return err
	}
	if w.OwnerID != actor.UserID {
		return forced("%s is the workspace of %s", w.Name, r.Owner.Username)
	}
	if !runs {
		return nil
	}
	a, err := s.activity(q, r)
	if err != nil || !a.Awake() {
		return err
	}
	var why []string
	if !a.Newest.At.IsZero() && a.At.Sub(a.Newest.At) <= berth.SpellGap {
		why = append(why, fmt.Sprintf("its last use (%s) is %s ago", a.Newest.Kind, a.At.Sub(a.Newest.At).Round(time.Second)))
	}
	for _, h := range a.Holds {
		why = append(why, fmt.Sprintf("%s holds it until %s", h.By, h.Until.UTC().Format("2006-01-02 15:04 MST")))
	}
	return forced("%s is in use (%s)", w.Name, strings.Join(why, "; "))
}

// carried is the start that a stop takes over from one that failed: where Berth
// tries a stop again, what was wanted behind it still comes.
func carried(q *store.Query, b berth.Build, now time.Time) (*berth.NextBuild, error) {
	if b.Transition != berth.Stop || b.Reason != berth.ReasonAutostop {
		return nil, nil
	}
	newest, err := q.NewestBuild(b.WorkspaceID)
	if err != nil || newest.Transition != berth.Stop || newest.Status() != berth.BuildFailed || !newest.Next.Waits() || now.Sub(newest.Next.AskedAt) > intentLasts {
		return nil, err
	}
	return newest.Next, nil
}

// goOn queues the start that was wanted behind a stop, in the transaction that
// ends the stop well, so that no connection or schedule can come between. One
// that may not be any more is given up with the reason; it never keeps the stop
// from ending. A stop that failed keeps it for the next try.
func (s *Service) goOn(tx *store.Tx, stop berth.Build) error {
	if stop.Transition != berth.Stop || !stop.Next.Waits() {
		return nil
	}
	switch stop.Status() {
	case berth.BuildFailed:
		return nil
	case berth.BuildCanceled:
		return drop(tx, stop, "the stop was canceled")
	}
	w, err := tx.Workspace(stop.WorkspaceID)
	if err != nil {
		return err
	}
	actor, err := mayGoOn(tx, w, *stop.Next)
	switch berth.ErrorCode(err) {
	case "":
	case berth.Internal, berth.Unavailable:
		return err
	default:
		return drop(tx, stop, berth.ErrorMessage(err))
	}
	n := stop.Next
	_, err = s.enqueue(tx, actor, string(berth.Start), w, berth.Build{
		OrganizationID: w.OrganizationID, ProviderID: w.ProviderID, WorkspaceID: w.ID, TemplateID: w.TemplateID, VersionID: n.Version,
		Transition: berth.Start, Reason: n.Reason, InitiatorID: n.InitiatorID, Parameters: n.Parameters, Preset: n.Preset, AllowDestroy: n.AllowDestroy},
		map[string]any{"behind": stop.Number})
	return err
}

// mayGoOn looks again at what may have changed since a restart was asked for,
// and gives who asked.
func mayGoOn(tx *store.Tx, w berth.Workspace, n berth.NextBuild) (authz.Actor, error) {
	u, err := tx.User(n.InitiatorID)
	if err != nil {
		return authz.Actor{}, err
	}
	if !u.MaySignIn() {
		return authz.Actor{}, berth.Errorf(berth.Forbidden, "%s, who asked for it, may not sign in any more", u.Username)
	}
	who, err := accounts.WhoIs(&tx.Query, u)
	if err != nil {
		return authz.Actor{}, err
	}
	actor := authz.User(who, authz.ScopeAll)
	switch err := sharing.Check(&tx.Query, actor, authz.Start, w, "the workspace"); berth.ErrorCode(err) {
	case "":
	case berth.NotFound, berth.Forbidden:
		return actor, berth.Errorf(berth.Forbidden, "%s, who asked for it, may not start it any more", u.Username)
	default:
		return actor, err
	}
	if err := special(&tx.Query, actor, w, BuildInput{Transition: berth.Start, AllowDestroy: n.AllowDestroy}); err != nil {
		return actor, err
	}
	if err := idle(tx, w, BuildInput{Transition: berth.Start}, n.Reason); err != nil {
		return actor, err
	}
	if err := awake(w, berth.Start); err != nil {
		return actor, err
	}
	return actor, quota.MayStart(&tx.Query, actor, w)
}

// drop gives up what was wanted behind a build.
func drop(tx *store.Tx, b berth.Build, why string) error {
	next := *b.Next
	next.Dropped = why
	tx.Wake(store.WorkspaceTopic(b.WorkspaceID))
	return tx.SetNextBuild(b.ID, next)
}
