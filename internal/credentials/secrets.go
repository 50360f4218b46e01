package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// SecretInput is what a person says of a secret. nil fields stay as they are; a
// new secret needs a value and a place.
type SecretInput struct {
	Name        string
	Description *string
	Env, File   *string
	Value       *string
	Disabled    *bool
}

// Secrets lists the actor's secrets by name, without values.
func (s *Service) Secrets(ctx context.Context, actor authz.Actor) (list []berth.Secret, err error) {
	if err := mayHandle(actor, authz.Read); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		list, err = q.Secrets(actor.UserID)
		return err
	})
	return list, err
}

// PutSecret makes a secret of the actor, or changes the one of this name.
func (s *Service) PutSecret(ctx context.Context, actor authz.Actor, in SecretInput) (out berth.Secret, err error) {
	if err := mayHandle(actor, authz.Update); err != nil {
		return out, err
	}
	if err := validateValue(in.Value); err != nil {
		return out, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		out, err = s.putSecret(tx, actor, in)
		return err
	})
	return out, err
}

func (s *Service) putSecret(tx *store.Tx, actor authz.Actor, in SecretInput) (berth.Secret, error) {
	v, err := tx.Secret(actor.UserID, in.Name)
	isNew := errors.Is(err, berth.NotFound)
	if err != nil && !isNew {
		return v, err
	}
	if isNew {
		v = berth.Secret{ID: berth.NewID[berth.Secret](), UserID: actor.UserID, Name: in.Name, CreatedAt: tx.Now}
	}
	before := v
	set(&v.Description, in.Description)
	set(&v.Env, in.Env)
	set(&v.File, in.File)
	set(&v.Disabled, in.Disabled)
	v.UpdatedAt = tx.Now
	if err := v.Validate(); err != nil {
		return v, err
	}
	others, err := tx.Secrets(actor.UserID)
	if err != nil {
		return v, err
	}
	if err := fits(v, others, isNew); err != nil {
		return v, err
	}
	var sealed []byte
	if in.Value != nil {
		if sealed, err = s.keys.Seal([]byte(*in.Value), SecretBound(v.ID)); err != nil {
			return v, fmt.Errorf("sealing a secret: %w", err)
		}
	}
	action := "edit"
	if isNew {
		if sealed == nil {
			return v, berth.InvalidField("value", "you have no secret %s yet: a new one needs a value", v.Name)
		}
		action, err = "create", tx.InsertSecret(v, sealed)
	} else {
		err = tx.UpdateSecret(v, sealed)
	}
	if err != nil {
		return v, err
	}
	c := berth.Changes{}
	if isNew {
		c.Fill(true, secretFields(v))
	} else {
		old := secretFields(before)
		for field, value := range secretFields(v) {
			c.Set(field, old[field], value)
		}
	}
	if sealed != nil {
		c.Secret("value")
	}
	return v, auditSecret(tx, actor, action, v, c)
}

// fits checks a secret against the person's others.
func fits(v berth.Secret, others []berth.Secret, isNew bool) error {
	if isNew && len(others) >= berth.MaxSecrets {
		return berth.Errorf(berth.Limit, "you have %d secrets, which is the most: remove one first", len(others))
	}
	for _, o := range others {
		switch {
		case o.ID == v.ID:
		case v.Env != "" && o.Env == v.Env:
			return &berth.Error{Code: berth.Conflict, Field: "env", Message: fmt.Sprintf("your secret %s is the variable %s already: choose another one", o.Name, v.Env)}
		case v.File != "" && o.File == v.File:
			return &berth.Error{Code: berth.Conflict, Field: "file", Message: fmt.Sprintf("your secret %s is the file %s already: choose another one", o.Name, v.File)}
		}
	}
	return nil
}

// RemoveSecret removes a secret of the actor, by name.
func (s *Service) RemoveSecret(ctx context.Context, actor authz.Actor, name string) error {
	if err := mayHandle(actor, authz.Delete); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		v, err := tx.Secret(actor.UserID, name)
		if errors.Is(err, berth.NotFound) {
			return berth.Errorf(berth.NotFound, "you have no secret %q: berth secrets list shows those that you have", name)
		}
		if err != nil {
			return err
		}
		if err := tx.DeleteSecret(actor.UserID, v.ID); err != nil {
			return err
		}
		c := berth.Changes{}
		c.Fill(false, secretFields(v))
		c.Secret("value")
		return auditSecret(tx, actor, "delete", v, c)
	})
}

// mayHandle is the right to a person's own secrets, which no workspace has.
func mayHandle(actor authz.Actor, action authz.Action) error {
	return authz.Check(actor, action, authz.OfSecret(actor.UserID), "your secrets")
}

func validateValue(value *string) error {
	switch {
	case value == nil:
		return nil
	case *value == "":
		return berth.InvalidField("value", "the value is empty: give one, or disable the secret")
	case len(*value) > berth.MaxSecretSize:
		return &berth.Error{Code: berth.Limit, Field: "value", Message: fmt.Sprintf("the value is too large: at most %d KiB", berth.MaxSecretSize>>10)}
	case strings.ContainsRune(*value, 0):
		return berth.InvalidField("value", "the value has a NUL character in it, which neither variables nor text files can hold: encode it, for example as base64")
	}
	return nil
}

// secretFields is what may be told of a secret.
func secretFields(v berth.Secret) map[string]any {
	return map[string]any{"description": v.Description, "env": v.Env, "file": v.File, "disabled": v.Disabled}
}

func auditSecret(tx *store.Tx, actor authz.Actor, action string, v berth.Secret, changes berth.Changes) error {
	return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: action, Kind: "secret", TargetID: string(v.ID), TargetName: v.Name, Changes: changes})
}

func set[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}

// SecretBound binds a sealed value to its secret.
func SecretBound(id berth.SecretID) []byte { return []byte("berth secret " + id) }
