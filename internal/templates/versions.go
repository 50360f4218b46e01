package templates

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
)

// Active names a template's active version where a version is asked for.
const Active = "active"

// VersionView is a version as people see it. Lists leave out Version.Contents;
// the values of variables are never shown.
type VersionView struct {
	Version   berth.Version
	Template  string      // name
	Active    bool        // the template's active version
	Build     berth.Build // its import
	CreatedBy string      // username

	Costs   []berth.VersionCost // what is known of its starts' costs; left out of lists
	Effects *berth.Effects      // of its activation, on the workspaces that run

	// In the answer to a push:
	Unchanged bool   // nothing was pushed: this version is the same
	SameFiles string // an earlier version with the same files
}

// FindVersion is a version of a template by name, id or Active, with its
// contents. field names the input that it came from, for the error.
func FindVersion(q *store.Query, t berth.Template, ref string) (berth.Version, error) {
	if ref == Active {
		if t.ActiveVersionID == "" {
			return berth.Version{}, berth.Errorf(berth.NotFound, "the template %s has no active version: none of its imports succeeded yet", t.Name)
		}
		return q.Version(t.ActiveVersionID)
	}
	v, err := q.VersionRef(t.ID, ref)
	if errors.Is(err, berth.NotFound) {
		return v, berth.Errorf(berth.NotFound, "the template %s has no version %s: berth templates versions %s lists them", t.Name, ref, t.Name)
	}
	return v, err
}

// Versions is one page of a template's versions, newest first; archived ones too
// where they are wanted.
func (s *Service) Versions(ctx context.Context, actor authz.Actor, organization, template string, archived bool, after string, limit int) (views []VersionView, next string, err error) {
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, err := Find(q, actor, authz.Read, organization, template)
		if err != nil {
			return err
		}
		rows, n, err := q.VersionPage(t.ID, archived, page)
		views, next = make([]VersionView, len(rows)), n
		for i, r := range rows {
			views[i] = versionView(t, r)
		}
		return err
	})
	return views, next, err
}

func versionView(t berth.Template, r store.VersionRow) VersionView {
	return VersionView{Version: r.Version, Template: t.Name, Active: r.ID == t.ActiveVersionID, Build: r.Build, CreatedBy: r.CreatedByName}
}

// Version is one version by name or id; "active" is the active one.
func (s *Service) Version(ctx context.Context, actor authz.Actor, organization, template, version string) (view VersionView, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, v, err := find(q, actor, authz.Read, organization, template, version)
		if err != nil {
			return err
		}
		r, err := q.VersionRow(v.ID)
		if err != nil {
			return err
		}
		view = versionView(t, r)
		view.Costs, err = q.VersionCosts(v.ID)
		return err
	})
	return view, err
}

func find(q *store.Query, actor authz.Actor, action authz.Action, organization, template, version string) (berth.Template, berth.Version, error) {
	t, err := Find(q, actor, action, organization, template)
	if err != nil {
		return t, berth.Version{}, err
	}
	v, err := FindVersion(q, t, version)
	return t, v, err
}

// Activate makes a version the active one, from which workspaces are made. Where
// the template's rollout stops those that run an older one, that is told before
// and wants to be confirmed.
func (s *Service) Activate(ctx context.Context, actor authz.Actor, organization, template, version string, how policies.How) (view VersionView, err error) {
	err = how.In(s.db)(ctx, func(tx *store.Tx) error {
		t, v, err := find(&tx.Query, actor, authz.Update, organization, template, version)
		if err != nil {
			return err
		}
		if err := Imported(&tx.Query, v); err != nil {
			return err
		}
		effects, err := s.rollout(tx, t, v.ID, how)
		if err != nil {
			return err
		}
		if !how.DryRun {
			c, err := activated(&tx.Query, t, v)
			if err != nil {
				return err
			}
			if err := activate(tx, t, v.ID, v.Contents.Presets); err != nil {
				return err
			}
			if err := audit(tx, actor, "activate", t, c, nil); err != nil {
				return err
			}
			t.ActiveVersionID = v.ID
		}
		r, err := tx.VersionRow(v.ID)
		view = versionView(t, r)
		view.Effects = &effects
		return err
	})
	return view, err
}

// rollout is what the activation of a version does to running workspaces, if it
// may be.
func (s *Service) rollout(tx *store.Tx, t berth.Template, v berth.VersionID, how policies.How) (berth.Effects, error) {
	after := t
	after.ActiveVersionID, after.Policy.ActivatedAt = v, tx.Now
	effects, err := s.guard.TemplateEffects(&tx.Query, t, after, false)
	if err != nil || how.DryRun {
		return effects, err
	}
	return effects, how.Judge(effects)
}

// activated is what the change of the active version to v changes.
func activated(q *store.Query, t berth.Template, v berth.Version) (berth.Changes, error) {
	c := berth.Changes{}
	if t.ActiveVersionID == "" {
		c.Fill(true, map[string]any{"active_version": v.Name})
		return c, nil
	}
	before, err := q.Version(t.ActiveVersionID)
	c.Set("active_version", before.Name, v.Name)
	return c, err
}

// Imported is nil for a version that can be used: one whose import succeeded and
// that is not archived.
func Imported(q *store.Query, v berth.Version) error {
	if !v.ArchivedAt.IsZero() {
		return berth.InvalidField("version", "the version %s is archived: choose another one, or have it brought back with berth templates versions unarchive", v.Name)
	}
	b, err := q.Build(v.BuildID)
	if err != nil {
		return err
	}
	switch b.Status() {
	case berth.BuildSucceeded:
		return nil
	case berth.BuildFailed:
		return berth.InvalidField("version", "the import of version %s failed: correct the template and push it again", v.Name)
	case berth.BuildCanceled, berth.BuildCanceling:
		return berth.InvalidField("version", "the import of version %s was canceled: push it again", v.Name)
	default:
		return berth.Errorf(berth.Conflict, "the version %s is still being imported: wait until that has ended", v.Name)
	}
}

// Archive is a version's archive, a plain tar. Only who may change the template
// may have its source.
func (s *Service) Archive(ctx context.Context, actor authz.Actor, organization, template, version string) (data []byte, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		_, v, err := find(q, actor, authz.Update, organization, template, version)
		if err != nil {
			return err
		}
		data, err = q.Archive(v.Archive)
		return err
	})
	return data, err
}

// RunnerArchive is an archive for a runner of a provider: not_found unless an
// active build of that provider's is made from it.
func (s *Service) RunnerArchive(ctx context.Context, provider berth.ProviderID, hash string) (data []byte, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		needed, err := q.ArchiveNeeded(provider, hash)
		if err != nil {
			return err
		}
		if !needed {
			return berth.Errorf(berth.NotFound, "no build of this provider needs the archive %s", hash)
		}
		data, err = q.Archive(hash)
		return err
	})
	return data, err
}
