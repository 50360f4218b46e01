package workspaces

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// maxBetween is how many versions between two are told of.
const maxBetween = 20

// Update is what bringing a workspace to another version would change.
type Update struct {
	Difference templates.Difference
	Refused    string                  // why it would be refused, whatever is answered
	Steps      []templates.VersionView // pushed since the version that it has, newest first
	Earlier    bool                    // there are more of them
	Open       []Open
	Drops      []string // answers that nothing asks for any more
	Destroys   []string // persistent resources that the version does not have any more
	Cost       quota.Estimate
}

// Open is a question that nothing answers, or whose answer does not hold.
type Open struct {
	Question berth.Parameter
	New      bool // the workspace was never asked it
	Says     string
}

// Update tells what bringing a workspace to a version of its template would
// change: by name or id, "" for the active one. Nothing is done. What the
// versions hold is told to who may see the template.
func (s *Service) Update(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, version string) (u Update, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		u, err = s.update(q, actor, id, version)
		return err
	})
	if err != nil {
		return u, err
	}
	u.Difference, err = s.templates.WithFiles(ctx, u.Difference)
	return u, err
}

func (s *Service) update(q *store.Query, actor authz.Actor, id berth.WorkspaceID, version string) (u Update, err error) {
	w, err := find(q, actor, authz.Read, id)
	if err != nil {
		return u, err
	}
	t, err := q.Template(w.TemplateID)
	if err != nil {
		return u, err
	}
	base, err := q.LastEffect(w.ID, 0)
	if err != nil {
		return u, err
	}
	from, err := q.Version(base.VersionID)
	if err != nil {
		return u, err
	}
	if version == "" {
		version = templates.Active
	}
	to, err := templates.FindVersion(q, t, version)
	if err != nil {
		return u, err
	}
	if u.Difference, err = s.templates.Between(q, actor, t, from, to); err != nil {
		return u, err
	}
	if u.Refused, err = refusal(q, actor, w, t, to); err != nil {
		return u, err
	}
	if err := s.openFor(q, w, t, to, base, &u); err != nil {
		return u, err
	}
	u.Destroys = vanishing(from.Contents, to.Contents)
	if u.Cost, err = s.updateCost(q, actor, w, to, base, len(u.Open) > 0); err != nil {
		return u, err
	}
	on, err := sharing.Template(q, t.ID, t.OrganizationID)
	if err != nil {
		return u, err
	}
	if !authz.Can(actor, authz.Read, on) {
		u.Difference.Changes, u.Difference.Hidden = nil, true
		return u, nil
	}
	rows, err := q.VersionsBetween(from, to, maxBetween+1)
	if u.Earlier = len(rows) > maxBetween; u.Earlier {
		rows = rows[:maxBetween]
	}
	for _, r := range rows {
		u.Steps = append(u.Steps, templates.VersionView{Version: r.Version, Template: t.Name, Build: r.Build, CreatedBy: r.CreatedByName})
	}
	return u, err
}

// refusal is why a start from a version would be refused, whatever is answered.
func refusal(q *store.Query, actor authz.Actor, w berth.Workspace, t berth.Template, v berth.Version) (string, error) {
	for _, check := range []func() error{
		func() error { return templates.Imported(q, v) },
		func() error { return mayUse(q, actor, t, v) },
		func() error { return awake(w, berth.Start) },
	} {
		var known *berth.Error
		if err := check(); errors.As(err, &known) && known.Code != berth.Internal && known.Code != berth.Unavailable {
			return known.Message, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", nil
}

// openFor finds what of a version's questions is open after a build, and which of
// its answers nothing asks for.
func (s *Service) openFor(q *store.Query, w berth.Workspace, t berth.Template, v berth.Version, base berth.Build, u *Update) error {
	_, r, _, err := s.asks(q, w, t, v, base, BuildInput{Transition: berth.Start})
	if err != nil {
		return err
	}
	for _, p := range r.Questions {
		if p.Problem != "" {
			_, had := base.Parameters[p.Name]
			u.Open = append(u.Open, Open{Question: p.Parameter, New: !had, Says: p.Problem})
		}
	}
	if !r.Open { // else they may be asked again
		u.Drops = r.Form(base.Parameters).Unknown
	}
	return nil
}

// vanishing is the persistent resources of a version that another one does not
// have.
func vanishing(was, is berth.Contents) (addresses []string) {
	for _, r := range was.Resources {
		stays := func(other berth.TemplateResource) bool { return other.Address == r.Address }
		if r.Persistent && !strings.HasPrefix(r.Type, "coder_") && !slices.ContainsFunc(is.Resources, stays) {
			addresses = append(addresses, r.Address)
		}
	}
	return addresses
}

func (s *Service) updateCost(q *store.Query, actor authz.Actor, w berth.Workspace, v berth.Version, base berth.Build, answers bool) (quota.Estimate, error) {
	owner, err := q.User(w.OwnerID)
	if err != nil {
		return quota.Estimate{}, err
	}
	return quota.Foresee(q, actor, quota.Asked{Organization: w.OrganizationID, Owner: owner, Version: v.ID, Preset: base.Preset,
		Workspace: w, Answers: answers, Restart: true})
}
