package templates

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// Difference is what lies between two versions of a template.
type Difference struct {
	From, To berth.Version // From is zero for the first version of all
	Changes  []berth.VersionChange
	Files    []berth.FileChange
	Hidden   bool // Files are left out: only who may change the template may have its source
}

// Diff tells what a version of a template changes against another one: by name,
// id or Active, or with "" the one that was imported before it.
func (s *Service) Diff(ctx context.Context, actor authz.Actor, organization, template, from, to string) (d Difference, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, v, err := find(q, actor, authz.Read, organization, template, to)
		if err != nil {
			return err
		}
		var old berth.Version
		if from == "" {
			old, err = q.VersionBefore(v)
			if errors.Is(err, berth.NotFound) {
				err = nil
			}
		} else {
			old, err = FindVersion(q, t, from)
		}
		if err != nil {
			return err
		}
		d, err = s.Between(q, actor, t, old, v)
		return err
	})
	if err != nil {
		return d, err
	}
	return s.WithFiles(ctx, d)
}

// Between tells what a version of a template changes against another one, the
// zero one for nothing. WithFiles adds the files.
func (s *Service) Between(q *store.Query, actor authz.Actor, t berth.Template, from, to berth.Version) (Difference, error) {
	on, err := sharing.Template(q, t.ID, t.OrganizationID)
	return Difference{From: from, To: to, Changes: Compare(from.Contents, to.Contents), Hidden: !authz.Can(actor, authz.Update, on)}, err
}

// WithFiles adds the files to a difference unless they are hidden. It is no part
// of a transaction, since it may have to wait: two archives take as much memory
// as an upload.
func (s *Service) WithFiles(ctx context.Context, d Difference) (Difference, error) {
	if d.Hidden || d.From.Archive == d.To.Archive {
		return d, nil
	}
	select {
	case s.unpacking <- struct{}{}:
		defer func() { <-s.unpacking }()
	case <-ctx.Done():
		return d, ctx.Err()
	}
	err := s.db.Read(ctx, func(q *store.Query) error {
		was, err := archived(q, d.From)
		if err != nil {
			return err
		}
		is, err := archived(q, d.To)
		d.Files = compareFiles(was, is)
		return err
	})
	return d, err
}

// archived is the files of a version; none of the zero one.
func archived(q *store.Query, v berth.Version) (map[string]file, error) {
	if v.ID == "" {
		return nil, nil
	}
	data, err := q.Archive(v.Archive)
	if err != nil {
		return nil, err
	}
	return stored(data)
}
