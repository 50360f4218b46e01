package templates

import (
	"errors"
	"maps"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// unchanged is the version in whose place a push would be the same: the active
// one where the push is to become that, else the newest that was imported.
// not_found when there is none, or when files or variables differ.
func (s *Service) unchanged(q *store.Query, t berth.Template, in Push) (berth.Version, error) {
	var v berth.Version
	var err error
	if in.Activate {
		v, err = FindVersion(q, t, Active)
	} else {
		v, err = q.NewestVersion(t.ID)
	}
	if err != nil {
		return v, err
	}
	values, err := s.Variables(q, v.ID)
	if err == nil && (v.Archive != in.Archive || !v.ArchivedAt.IsZero() || !maps.Equal(values, in.Variables)) {
		err = berth.Errorf(berth.NotFound, "the version %s is another one", v.Name)
	}
	return v, err
}

// sameFiles is the name of the newest version of a template that has the files of
// an archive; empty when there is none.
func sameFiles(q *store.Query, t berth.TemplateID, archive string) (string, error) {
	v, err := q.VersionOfArchive(t, archive)
	if errors.Is(err, berth.NotFound) {
		err = nil
	}
	return v.Name, err
}
