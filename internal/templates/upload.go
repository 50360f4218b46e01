package templates

import (
	"context"
	"io"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// uploads is how many archives are unpacked at once: each takes up to twice
// maxUnpacked of memory.
const uploads = 3

// Archive is an uploaded archive in its normal form.
type Archive struct {
	Hash  string // SHA-256, hex
	Files int
	Size  int // bytes of the normal form
}

// Upload reads a tar, plain or gzip, and stores it in normal form. Uploading
// the same files again gives the same archive.
func (s *Service) Upload(ctx context.Context, actor authz.Actor, r io.Reader) (Archive, error) {
	if err := mayPush(actor, authz.All(authz.KindArchive)); err != nil {
		return Archive{}, err
	}
	select {
	case s.unpacking <- struct{}{}:
		defer func() { <-s.unpacking }()
	case <-ctx.Done():
		return Archive{}, ctx.Err()
	}
	data, hash, files, err := normalise(r)
	if err != nil {
		return Archive{}, err
	}
	a := Archive{Hash: hash, Files: files, Size: len(data)}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.PutArchive(hash, data); err != nil {
			return err
		}
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "upload", Kind: "archive", TargetID: hash,
			Detail: map[string]any{"files": files, "size": len(data)}})
	})
	return a, err
}

// mayPush tells whether the actor may make templates. Everybody may know that
// templates are made, so the answer is forbidden and not not_found.
func mayPush(actor authz.Actor, on authz.Resource) error {
	if actor.Anonymous() || authz.Can(actor, authz.Create, on) {
		return authz.Check(actor, authz.Create, on, "templates")
	}
	return berth.Errorf(berth.Forbidden, "pushing templates needs the role template-admin: ask an owner of the site")
}
