package activity_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

func TestHolds(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ws := h.workspace("one")
		ada, inside := h.ada(authz.ScopeAll), h.ada(authz.ScopeWorkspace)
		set := func(actor authz.Actor, n activity.NewHold) berth.Hold {
			t.Helper()
			made, err := h.book.Hold(t.Context(), actor, ws.ID, n)
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		first := set(ada, activity.NewHold{For: 2 * time.Hour, Reason: "  a \n training "})
		if first.Reason != "a training" || first.By != "ada" || time.Until(first.Until) != 2*time.Hour {
			t.Errorf("%+v", first)
		}
		if a := h.ask(ws); !a.Awake() || len(a.Holds) != 1 {
			t.Errorf("with a hold: %+v", a)
		}
		// Renewed from within the workspace, and never shortened.
		time.Sleep(time.Hour)
		if again := set(inside, activity.NewHold{For: 90 * time.Minute, Reason: "a training"}); again.ID != first.ID || time.Until(again.Until) != 90*time.Minute {
			t.Errorf("renewed: %+v", again)
		}
		if again := set(ada, activity.NewHold{For: time.Minute, Reason: "a training"}); time.Until(again.Until) != 90*time.Minute {
			t.Errorf("renewed for less: %+v", again)
		}
		other := set(ada, activity.NewHold{Until: time.Now().Add(24 * time.Hour)})
		if other.ID == first.ID || other.Reason != "held by ada" {
			t.Errorf("another: %+v", other)
		}
		holds, err := h.book.Holds(t.Context(), inside, ws.ID)
		if err != nil || len(holds) != 2 || holds[0].ID != other.ID {
			t.Errorf("list %+v, %v", holds, err)
		}
		if err := h.book.Release(t.Context(), inside, ws.ID, other.ID); err != nil {
			t.Error(err)
		}
		if err := h.book.Release(t.Context(), ada, ws.ID, other.ID); !errors.Is(err, berth.NotFound) {
			t.Errorf("released twice: %v", err)
		}
		// It ends by itself, and is forgotten.
		time.Sleep(91 * time.Minute)
		if a := h.ask(ws); a.Awake() {
			t.Errorf("after its end: %+v", a)
		}
		if n, err := h.book.CleanHolds(t.Context()); n != 1 || err != nil {
			t.Errorf("%d forgotten, %v", n, err)
		}
		if actions := h.audited(); actions != "hold hold release-hold renew-hold" {
			t.Errorf("audited: %s", actions)
		}
	})
}

// audited are the actions in the record, by name: a bubble's time may stand still.
func (h *house) audited() string {
	h.t.Helper()
	var actions []string
	if err := h.db.Read(h.t.Context(), func(q *store.Query) error {
		rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{Limit: 100})
		for _, r := range rows {
			actions = append(actions, r.Action)
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	slices.Sort(actions)
	return strings.Join(actions, " ")
}

func TestHoldsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ws := h.workspace("one")
		ada := h.ada(authz.ScopeAll)
		now := time.Now()
		for name, c := range map[string]struct {
			hold  activity.NewHold
			field string
		}{
			"no length":    {activity.NewHold{}, "seconds"},
			"negative":     {activity.NewHold{For: -time.Hour}, "seconds"},
			"too long":     {activity.NewHold{For: 24*time.Hour + time.Second}, "seconds"},
			"in the past":  {activity.NewHold{Until: now.Add(-time.Second)}, "until"},
			"too late":     {activity.NewHold{Until: now.Add(25 * time.Hour)}, "until"},
			"both":         {activity.NewHold{For: time.Hour, Until: now.Add(time.Hour)}, "until"},
			"much to say":  {activity.NewHold{For: time.Hour, Reason: strings.Repeat("x", 201)}, "reason"},
			"no end":       {activity.NewHold{For: 1<<63 - 1}, "seconds"},
			"the far end":  {activity.NewHold{Until: time.Unix(1<<40, 0)}, "until"},
			"before times": {activity.NewHold{Until: time.Unix(-1<<40, 0)}, "until"},
		} {
			_, err := h.book.Hold(t.Context(), ada, ws.ID, c.hold)
			var e *berth.Error
			if !errors.As(err, &e) || e.Code != berth.Invalid || e.Field != c.field {
				t.Errorf("%s: %v", name, err)
			}
		}
		for i := range 21 {
			_, err := h.book.Hold(t.Context(), ada, ws.ID, activity.NewHold{For: time.Hour, Reason: fmt.Sprint("reason ", i)})
			if i < 20 && err != nil || i == 20 && !errors.Is(err, berth.Limit) {
				t.Errorf("hold %d: %v", i, err)
			}
		}
		if _, err := h.book.Hold(t.Context(), ada, ws.ID, activity.NewHold{For: 2 * time.Hour, Reason: "reason 7"}); err != nil {
			t.Errorf("renewing one of twenty: %v", err)
		}
		if n, err := h.book.ReleaseAll(t.Context(), ada, ws.ID); n != 20 || err != nil {
			t.Errorf("%d released, %v", n, err)
		}
		h.build(ws, 2, berth.Stop, true)
		if _, err := h.book.Hold(t.Context(), ada, ws.ID, activity.NewHold{For: time.Hour}); !errors.Is(err, berth.Conflict) || !strings.Contains(err.Error(), "berth start one") {
			t.Errorf("of a stopped workspace: %v", err)
		}
	})
}

func TestWhoMayHold(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		ws := h.workspace("one")
		of := func(name string, scope authz.Scope, roles ...berth.Role) authz.Actor {
			return authz.User(authz.Who{User: berth.User{ID: berth.NewID[berth.User](), Username: name, Roles: roles}}.In(h.Organization.ID), scope)
		}
		for who, c := range map[string]struct {
			actor     authz.Actor
			set, look error
		}{
			"nobody":                     {authz.Actor{}, berth.Unauthenticated, berth.Unauthenticated},
			"somebody":                   {of("bo", authz.ScopeAll), berth.NotFound, berth.NotFound},
			"a template admin":           {of("tom", authz.ScopeAll, berth.RoleTemplateAdmin), berth.Forbidden, nil},
			"an owner's other workspace": {of("ow", authz.ScopeWorkspace, berth.RoleOwner), berth.NotFound, berth.NotFound},
		} {
			if _, err := h.book.Hold(t.Context(), c.actor, ws.ID, activity.NewHold{For: time.Hour}); !errors.Is(err, c.set) {
				t.Errorf("%s sets a hold: %v", who, err)
			}
			if err := h.book.Release(t.Context(), c.actor, ws.ID, "x"); !errors.Is(err, c.set) {
				t.Errorf("%s releases a hold: %v", who, err)
			}
			if _, err := h.book.ReleaseAll(t.Context(), c.actor, ws.ID); !errors.Is(err, c.set) {
				t.Errorf("%s releases all: %v", who, err)
			}
			if _, err := h.book.Holds(t.Context(), c.actor, ws.ID); !errors.Is(err, c.look) {
				t.Errorf("%s lists holds: %v", who, err)
			}
			if _, err := h.book.Activity(t.Context(), c.actor, ws.ID); !errors.Is(err, c.look) {
				t.Errorf("%s asks for activity: %v", who, err)
			}
		}
	})
}
