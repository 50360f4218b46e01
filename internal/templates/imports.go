package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/source"
	"github.com/berthdev/berth/internal/store"
)

// importTimeout bounds an import; it may download plugins and modules.
const importTimeout = 30 * time.Minute

// Kind is what the queue needs to know of imports.
func (s *Service) Kind() builds.Kind {
	return builds.Kind{Job: s.job, Judge: judge, Finish: s.finish}
}

func (s *Service) job(q *store.Query, b berth.Build) (builds.Input, error) {
	v, err := q.Version(b.VersionID)
	if err != nil {
		return builds.Input{}, err
	}
	variables, err := s.Variables(q, v.ID)
	if err != nil {
		return builds.Input{}, err
	}
	return builds.Input{Archive: v.Archive, Variables: variables, Env: maps.Clone(s.env), Timeout: importTimeout}, nil
}

// judge refuses everything: an import looks and changes nothing.
func judge(*store.Tx, berth.Build, berth.Plan) (berth.Verdict, error) {
	return berth.Verdict{Reason: "an import may not change anything", ErrorCode: berth.FailedResult}, nil
}

// finish stores what a successful import found and makes the version the active
// one if that was asked for. An import that ends late does not push a newer
// version aside.
func (s *Service) finish(tx *store.Tx, b berth.Build, r builds.Report) error {
	if r.Error != "" || r.Canceled {
		return nil
	}
	if r.Contents == nil {
		return berth.Errorf(berth.Invalid, "the runner reported no contents of the version: update the runner and push again")
	}
	v, err := tx.Version(b.VersionID)
	if err != nil {
		return err
	}
	if err := tx.SetContents(v.ID, *r.Contents); err != nil {
		return err
	}
	if err := keepCarried(tx, v.ID, r.Carried); err != nil {
		return err
	}
	if cost := r.Contents.DailyCost; cost != nil {
		if err := tx.NoteVersionCost(v.ID, "", *cost); err != nil {
			return err
		}
	}
	t, err := tx.Template(v.TemplateID)
	if err != nil || !v.Activate || !t.DeletedAt.IsZero() {
		return err
	}
	if t.ActiveVersionID != "" {
		present, err := tx.Version(t.ActiveVersionID)
		if err != nil {
			return err
		}
		if newer(present, v) {
			return nil
		}
	}
	c, err := activated(&tx.Query, t, v)
	if err != nil {
		return err
	}
	if err := activate(tx, t, v.ID, r.Contents.Presets); err != nil {
		return err
	}
	return tx.InsertAudit(store.Audit{Class: berth.AuditAutomatic, ActorID: b.InitiatorID, Action: "activate", Kind: "template", OrganizationID: t.OrganizationID,
		TargetID: string(t.ID), TargetName: t.Name, Changes: c, Reason: "The version was pushed to become the active one, and its import succeeded."})
}

// keepCarried keeps what an import resolved. It came from another machine, and
// others are to unpack it, so it is read first.
func keepCarried(tx *store.Tx, v berth.VersionID, data []byte) error {
	if len(data) == 0 {
		return nil // an older runner, or too large
	}
	if _, err := source.ReadCarried(data); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if err := tx.PutArchive(hash, data); err != nil {
		return err
	}
	return tx.SetCarried(v, hash)
}

// activate makes a version the active one, has the rules of what runs asked, and
// makes ready what its pools need.
func activate(tx *store.Tx, t berth.Template, v berth.VersionID, presets []berth.Preset) error {
	if err := organizations.EnsurePools(tx, t.OrganizationID, presets); err != nil {
		return err
	}
	if err := tx.SetActiveVersion(t.ID, v); err != nil {
		return err
	}
	return tx.LookAgainTemplate(t.ID)
}

// newer tells whether a was pushed after b.
func newer(a, b berth.Version) bool {
	if a.CreatedAt.Equal(b.CreatedAt) {
		return a.ID > b.ID
	}
	return a.CreatedAt.After(b.CreatedAt)
}
