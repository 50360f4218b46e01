package templates

import (
	"context"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
)

// ArchiveVersion puts a version away: lists leave it out, and no workspace is
// made from it or brought to it. It is a conflict while something uses it.
// Archiving one that is archived changes nothing.
func (s *Service) ArchiveVersion(ctx context.Context, actor authz.Actor, organization, template, version string) (VersionView, error) {
	return s.archiving(ctx, actor, organization, template, version, true)
}

// UnarchiveVersion brings an archived version back.
func (s *Service) UnarchiveVersion(ctx context.Context, actor authz.Actor, organization, template, version string) (VersionView, error) {
	return s.archiving(ctx, actor, organization, template, version, false)
}

func (s *Service) archiving(ctx context.Context, actor authz.Actor, organization, template, version string, archive bool) (view VersionView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		t, v, err := find(&tx.Query, actor, authz.Update, organization, template, version)
		if err != nil {
			return err
		}
		if v.ArchivedAt.IsZero() == archive {
			if archive {
				if err := unused(&tx.Query, t, v); err != nil {
					return err
				}
			}
			if err := putAway(tx, actor, t, archive, v); err != nil {
				return err
			}
		}
		r, err := tx.VersionRow(v.ID)
		view = versionView(t, r)
		return err
	})
	return view, err
}

// ArchiveUnused puts away the versions of a template that nothing uses: those
// whose import did not succeed, or all. It gives their names, oldest first; a
// dry run only that.
func (s *Service) ArchiveUnused(ctx context.Context, actor authz.Actor, organization, template string, all, dryRun bool) (names []string, err error) {
	err = policies.How{DryRun: dryRun}.In(s.db)(ctx, func(tx *store.Tx) error {
		t, err := Find(&tx.Query, actor, authz.Update, organization, template)
		if err != nil {
			return err
		}
		found, err := tx.UnusedVersions(t.ID, !all)
		names = make([]string, len(found))
		for i, v := range found {
			names[i] = v.Name
		}
		if err != nil || dryRun || len(found) == 0 {
			return err
		}
		return putAway(tx, actor, t, true, found...)
	})
	return names, err
}

// putAway archives versions of a template or brings them back, and records it.
func putAway(tx *store.Tx, actor authz.Actor, t berth.Template, archive bool, versions ...berth.Version) error {
	action, when := "archive", tx.Now
	if !archive {
		action, when = "unarchive", time.Time{}
	}
	c := berth.Changes{}
	for _, v := range versions {
		if err := tx.ArchiveVersion(v.ID, when); err != nil {
			return err
		}
		c.Set("versions."+v.Name+".archived", !archive, archive)
	}
	return audit(tx, actor, action, t, c, nil)
}

// unused refuses to archive a version that something needs.
func unused(q *store.Query, t berth.Template, v berth.Version) error {
	if v.ID == t.ActiveVersionID {
		return berth.Errorf(berth.Conflict, "%s is the active version of %s: make another one active first", v.Name, t.Name)
	}
	b, err := q.Build(v.BuildID)
	if err != nil {
		return err
	}
	if b.Active() {
		return berth.Errorf(berth.Conflict, "the version %s is still being imported: wait until that has ended, or cancel it", v.Name)
	}
	left, err := some(func(n int) ([]string, error) { return q.VersionUses(v.ID, n) })
	if err != nil || left == "" {
		return err
	}
	return berth.Errorf(berth.Conflict, "workspaces use the version %s (%s): update them first", v.Name, left)
}

// some is the first few of what a listing gives, in words; empty when there is
// nothing.
func some(listing func(limit int) ([]string, error)) (string, error) {
	const shown = 3
	found, err := listing(shown + 1)
	if len(found) <= shown {
		return strings.Join(found, ", "), err
	}
	return strings.Join(found[:shown], ", ") + " and others", err
}
