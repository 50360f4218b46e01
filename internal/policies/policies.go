package policies

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// How says how an edit is to be made.
type How struct {
	DryRun  bool // only tell what it would do
	Now     bool // put it on what runs already, too
	Confirm bool // make it even if something is stopped, put to sleep or deleted sooner
}

// In is the transaction in which an edit is made, or what it would do is found
// out: that may take a while where it reaches many workspaces, in which everybody
// else goes on.
func (h How) In(db *store.DB) func(context.Context, func(*store.Tx) error) error {
	if h.DryRun {
		return db.Rehearse
	}
	return db.Write
}

// How an edit reaches what runs, on the wire.
const (
	NextStart = "next-start"
	Now       = "now"
)

// ParseHow reads how from the wire.
func ParseHow(dryRun, confirm bool, apply string) (How, error) {
	if apply != "" && apply != NextStart && apply != Now {
		return How{}, berth.InvalidField("apply", "%q is none: use next-start or now", apply)
	}
	return How{DryRun: dryRun, Confirm: confirm, Now: apply == Now}, nil
}

// Guard knows the workspaces that settings reach. Its methods are called in the
// transaction of the edit, before anything is written and after.
type Guard interface {
	TemplateEffects(q *store.Query, before, after berth.Template, now bool) (berth.Effects, error)
	TemplateEdited(tx *store.Tx, before, after berth.Template, now bool) error
	OrganizationEffects(q *store.Query, before, after berth.Organization, now bool) (berth.Effects, error)
	OrganizationEdited(tx *store.Tx, before, after berth.Organization, now bool) error
}

// Nobody is the Guard of a house without workspaces.
type Nobody struct{}

func (Nobody) TemplateEffects(*store.Query, berth.Template, berth.Template, bool) (berth.Effects, error) {
	return berth.Effects{}, nil
}
func (Nobody) TemplateEdited(*store.Tx, berth.Template, berth.Template, bool) error { return nil }
func (Nobody) OrganizationEffects(*store.Query, berth.Organization, berth.Organization, bool) (berth.Effects, error) {
	return berth.Effects{}, nil
}
func (Nobody) OrganizationEdited(*store.Tx, berth.Organization, berth.Organization, bool) error {
	return nil
}

// Judge refuses an edit that does harm until it is confirmed.
func (h How) Judge(e berth.Effects) error {
	if !e.Harm() || h.Confirm {
		return nil
	}
	return &berth.Error{Code: berth.Conflict, Field: "confirm",
		Message: e.String() + ": nothing was changed; a dry run shows more of it, and confirm (berth … --yes) says that it is wanted"}
}

// Target is whose settings are edited.
type Target struct {
	Kind         string // template or organization
	ID           string
	Name         string
	Organization berth.OrganizationID
	Template     berth.TemplateID // empty of an organization
}

// Record notes an edit, so that it can be taken back. One that changes nothing
// is not noted.
func Record(tx *store.Tx, t Target, by berth.UserID, before, after any, e berth.Effects) error {
	c := store.PolicyChange{Kind: t.Kind, TargetID: t.ID, OrganizationID: t.Organization, MadeBy: by, Effects: e}
	c.Reached = slices.Concat(e.Stops.All, e.Sleeps.All, e.Deletes.All)
	var err error
	if c.Before, err = json.Marshal(before); err != nil {
		return err
	}
	if c.After, err = json.Marshal(after); err != nil {
		return err
	}
	if string(c.Before) == string(c.After) && len(c.Reached) == 0 {
		return nil // there is nothing to take back, and an undo is meant for what came before
	}
	return tx.InsertPolicyChange(c)
}

// takenBack is for how long an edit can be taken back.
const takenBack = 30 * 24 * time.Hour

// Undone is the newest edit of a target, as it is taken back.
type Undone struct {
	store.PolicyChange
	Happened []string // workspaces, as owner/name, that it stopped, put to sleep or deleted already
}

// Last is the newest edit of a target that was not taken back; present is what
// its settings are, which must be what the edit made them. What they were comes
// into before.
func Last(q *store.Query, t Target, present, before any, now time.Time) (u Undone, err error) {
	u.PolicyChange, err = q.LastPolicyChange(t.Kind, t.ID)
	if errors.Is(err, berth.NotFound) || err == nil && now.Sub(u.At) > takenBack {
		return u, berth.Errorf(berth.Conflict, "there is no edit of the rules of %s in the last 30 days to take back", t.Name)
	}
	if err != nil {
		return u, err
	}
	is, err := json.Marshal(present)
	if err != nil {
		return u, err
	}
	if string(is) != string(u.After) {
		return u, berth.Errorf(berth.Conflict, "the rules of %s are not what the last edit made them: edit them instead", t.Name)
	}
	acted, err := q.ActedOnSince(t.Organization, t.Template, u.At)
	for _, a := range acted {
		if slices.Contains(u.Reached, a.ID) {
			u.Happened = append(u.Happened, a.Name)
		}
	}
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(u.Before, before)
}

// Judge refuses to take back an edit that has done something until it is
// confirmed: that stays.
func (u Undone) Judge(h How) error {
	if len(u.Happened) == 0 || h.Confirm || h.DryRun {
		return nil
	}
	names := u.Happened
	more := ""
	if len(names) > berth.EffectsNamed {
		names, more = names[:berth.EffectsNamed], " and others"
	}
	return &berth.Error{Code: berth.Conflict, Field: "confirm",
		Message: "the edit has reached " + strings.Join(names, ", ") + more + " already, which stay as they are: confirm (berth … --yes) takes back the rest"}
}
