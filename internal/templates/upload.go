package templates

import (
	"context"
	"errors"
	"io"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
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
	if err := s.mayUpload(ctx, actor); err != nil {
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

// mayUpload refuses those who could push to no template anywhere. An archive
// belongs to no organization: the same files are the same archive.
func (s *Service) mayUpload(ctx context.Context, actor authz.Actor) error {
	if may := authz.See(actor, authz.Create, authz.KindArchive); may.All || len(may.Organizations) > 0 {
		return nil
	}
	if err := authz.Barred(actor, authz.Create, authz.KindArchive); err != nil {
		return err
	}
	return s.db.Read(ctx, func(q *store.Query) error {
		mine, _, err := q.TemplatePage(authz.See(actor, authz.Update, authz.KindTemplate), "", store.Page{Limit: 1})
		if err == nil && len(mine) == 0 {
			err = errPush
		}
		return err
	})
}

var errPush = berth.Errorf(berth.Forbidden, "pushing templates needs the role template-admin, or a template that you manage: ask an owner of the site or of the organization")

// mayPush tells whether the actor may push to a template, named by name or id,
// or make it where there is none. Members may know that templates are made, so
// the answer is forbidden, whether there is one of the name or not.
func mayPush(q *store.Query, actor authz.Actor, o berth.OrganizationID, ref string) error {
	if err := authz.Barred(actor, authz.Create, authz.KindTemplate); err != nil && authz.Barred(actor, authz.Update, authz.KindTemplate) != nil {
		return err
	}
	t, err := q.TemplateRef(o, ref)
	on, action := authz.OfTemplate(o), authz.Create
	switch {
	case err == nil:
		action = authz.Update
		if on, err = sharing.Template(q, t.ID, o); err != nil {
			return err
		}
	case !errors.Is(err, berth.NotFound):
		return err
	}
	if authz.Can(actor, action, on) {
		return nil
	}
	if err := authz.Check(actor, authz.Read, authz.OfOrganization(o), "the organization"); err != nil {
		return authz.Missing(actor, authz.Create, authz.KindTemplate, "the organization")
	}
	if err := authz.Barred(actor, action, authz.KindTemplate); err != nil {
		return err
	}
	return errPush
}
