package templates

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/store"
)

// Push is a new version of a template.
type Push struct {
	Organization string // name or id; empty or "default": the default one
	Template     string // name (made when new) or id
	Archive      string // hash that Upload gave
	Name         string // of the version; made up when empty
	Message      string
	Variables    map[string]string
	Private      bool   // not for everybody in the organization; an existing template is made so
	Activate     bool   // make it the active version when the import succeeds
	Provider     string // name or id of the workspace provider that imports it; empty: the default one
	Confirm      bool   // it becomes active even if that stops what runs
	IfChanged    bool   // push nothing where that would only repeat the active version, or the newest one where it is not to become active
}

func (in Push) validate() error {
	if !berth.IsID(in.Template) {
		if err := berth.ValidateName("template", in.Template); err != nil {
			return err
		}
	}
	if in.Name != "" {
		if err := berth.ValidateName("name", in.Name); err != nil {
			return err
		}
	}
	if in.Name == Active || berth.IsID(in.Name) {
		return berth.InvalidField("name", "%q has a meaning of its own: choose another name for the version", in.Name)
	}
	if len(in.Message) > 16<<10 {
		return berth.InvalidField("message", "it is too long: at most 16,384 characters")
	}
	size := 0
	for k, v := range in.Variables {
		if size += len(k) + len(v); size > 1<<20 {
			return berth.InvalidField("variables", "they are too large: at most 1 MB in all")
		}
	}
	return nil
}

// Push makes a version, and the template when it is new, and queues the import.
func (s *Service) Push(ctx context.Context, actor authz.Actor, in Push) (v VersionView, err error) {
	// A made-up name can meet another push's, and so can a new template: then
	// the second try sees what the other one made.
	for range 5 {
		v, err = s.push(ctx, actor, in)
		var e *berth.Error
		if !errors.As(err, &e) || e.Code != berth.Conflict || e.Field != "name" || in.Name != "" {
			return v, err
		}
	}
	return v, err
}

func (s *Service) push(ctx context.Context, actor authz.Actor, in Push) (view VersionView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		o, err := tx.OrganizationRef(in.Organization)
		if err != nil {
			return hide(actor, authz.Create, err, "the organization")
		}
		if err := mayPush(&tx.Query, actor, o.ID, in.Template); err != nil {
			return err
		}
		if err := in.validate(); err != nil {
			return err
		}
		if there, err := tx.HasArchive(in.Archive); err != nil {
			return err
		} else if !there {
			return berth.InvalidField("archive", "there is no such archive: upload it first, and give the hash that is answered")
		}
		p, err := providers.Resolve(&tx.Query, actor, o.ID, in.Provider)
		if err != nil {
			return err
		}
		t, err := s.template(tx, actor, o, in.Template, in.Private)
		if err != nil {
			return err
		}
		if in.IfChanged {
			switch same, err := s.unchanged(&tx.Query, t, in); {
			case err == nil:
				r, err := tx.VersionRow(same.ID)
				view = versionView(t, r)
				view.Unchanged = true
				return err
			case !errors.Is(err, berth.NotFound):
				return err
			}
		}
		same, err := sameFiles(&tx.Query, t.ID, in.Archive)
		if err != nil {
			return err
		}
		if in.Activate {
			if _, err := s.rollout(tx, t, berth.NewID[berth.Version](), policies.How{Confirm: in.Confirm}); err != nil {
				return err
			}
		}
		v, b, err := s.version(tx, actor, t, p, in)
		if err != nil {
			return err
		}
		view = VersionView{Version: v, Template: t.Name, Build: b, CreatedBy: actor.Username, SameFiles: same}
		return audit(tx, actor, "push", t, pushed(v, in), map[string]any{"archive": v.Archive, "build": b.ID})
	})
	return view, err
}

// pushed is what a push makes. What variables hold is a secret.
func pushed(v berth.Version, in Push) berth.Changes {
	c := berth.Changes{}
	c.Fill(true, map[string]any{"version": v.Name, "message": v.Message, "activate": in.Activate})
	for name := range in.Variables {
		c.Secret("variables." + name)
	}
	return c
}

// template is the one that is pushed to, made when there is none of the name.
func (s *Service) template(tx *store.Tx, actor authz.Actor, o berth.Organization, ref string, private bool) (berth.Template, error) {
	t, err := tx.TemplateRef(o.ID, ref)
	if err == nil && private {
		err = setPrivate(tx, actor, t, true)
		return t, err
	}
	if !errors.Is(err, berth.NotFound) {
		return t, err
	}
	if berth.IsID(ref) {
		return t, authz.Hidden("template " + ref)
	}
	t = berth.Template{ID: berth.NewID[berth.Template](), OrganizationID: o.ID, Name: ref, CreatedBy: actor.UserID, CreatedAt: tx.Now, UpdatedAt: tx.Now}
	if err := tx.InsertTemplate(t); err != nil || private {
		return t, err
	}
	if err := audit(tx, actor, "create", t, berth.Changes{"name": {New: t.Name}}, nil); err != nil {
		return t, err
	}
	everyone := berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(o.ID))}
	return t, tx.PutGrant(store.TemplateGrants(t.ID), berth.Grant{To: everyone, Role: berth.GrantUse}, actor.UserID)
}

func (s *Service) version(tx *store.Tx, actor authz.Actor, t berth.Template, p berth.Provider, in Push) (berth.Version, berth.Build, error) {
	v := berth.Version{ID: berth.NewID[berth.Version](), OrganizationID: t.OrganizationID, TemplateID: t.ID, Name: in.Name,
		Message: in.Message, Archive: in.Archive, Activate: in.Activate, CreatedBy: actor.UserID, CreatedAt: tx.Now}
	if v.Name == "" {
		n, err := tx.VersionCount(t.ID)
		if err != nil {
			return v, berth.Build{}, err
		}
		if v.Name, err = freeName(tx, t, n); err != nil {
			return v, berth.Build{}, err
		}
	}
	sealed, err := s.sealVariables(v.ID, in.Variables)
	if err != nil {
		return v, berth.Build{}, err
	}
	if err := tx.InsertVersion(v, sealed); err != nil {
		return v, berth.Build{}, err
	}
	b, err := s.queue.Enqueue(tx, berth.Build{OrganizationID: t.OrganizationID, ProviderID: p.ID, Transition: berth.Import,
		TemplateID: t.ID, VersionID: v.ID, Reason: berth.ReasonInitiator, Class: berth.ClassImport, InitiatorID: actor.UserID})
	if err != nil {
		return v, b, err
	}
	v.BuildID = b.ID
	return v, b, tx.SetVersionBuild(v.ID, b.ID)
}

// freeName makes a name up for the version after the first n: v8, or the next
// that nobody took.
func freeName(tx *store.Tx, t berth.Template, n int) (string, error) {
	for {
		n++
		name := "v" + strconv.Itoa(n)
		if _, err := tx.VersionRef(t.ID, name); errors.Is(err, berth.NotFound) {
			return name, nil
		} else if err != nil {
			return "", err
		}
	}
}

// VariablesBound binds sealed variables to their version.
func VariablesBound(v berth.VersionID) []byte { return []byte("berth version variables " + v) }

func (s *Service) sealVariables(v berth.VersionID, values map[string]string) ([]byte, error) {
	if len(values) == 0 {
		return nil, nil
	}
	plain, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	sealed, err := s.keys.Seal(plain, VariablesBound(v))
	if err != nil {
		return nil, fmt.Errorf("sealing the variables of version %s: %w", v, err)
	}
	return sealed, nil
}

// Variables is the values that a version's variables were given at its push.
func (s *Service) Variables(q *store.Query, v berth.VersionID) (map[string]string, error) {
	sealed, err := q.VersionVariables(v)
	if err != nil || len(sealed) == 0 {
		return nil, err
	}
	plain, err := s.keys.Open(sealed, VariablesBound(v))
	if err != nil {
		return nil, fmt.Errorf("opening the variables of version %s: %w", v, err)
	}
	var values map[string]string
	return values, json.Unmarshal(plain, &values)
}
