package notices_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func (h *house) actor(u berth.User, scopes ...authz.Scope) authz.Actor {
	if len(scopes) == 0 {
		scopes = []authz.Scope{authz.ScopeAll}
	}
	return authz.User(authz.Who{User: u}.In(h.Organization.ID), scopes...)
}

func TestInbox(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		ada, ben := h.actor(h.User), h.actor(h.user("ben", berth.RoleOwner))
		for i := range 5 {
			h.tell(berth.Notice{Kind: notices.KindTest, Title: fmt.Sprint(i)}, h.User.ID)
		}
		first, next, unread, err := h.s.Inbox(t.Context(), ada, false, "", 3)
		if err != nil || len(first) != 3 || next == "" || unread != 5 || first[0].Title != "4" {
			t.Fatalf("%v %q %d %v", first, next, unread, err)
		}
		second, next, _, err := h.s.Inbox(t.Context(), ada, false, next, 3)
		if err != nil || len(second) != 2 || next != "" || second[1].Title != "0" {
			t.Fatalf("%v %q %v", second, next, err)
		}
		// Nobody reads another's, or marks them, an owner of the site neither.
		if all, _, unread, err := h.s.Inbox(t.Context(), ben, false, "", 50); err != nil || len(all) != 0 || unread != 0 {
			t.Errorf("ben finds %v, %v", all, err)
		}
		if err := h.s.Read(t.Context(), ben, []berth.NoticeID{first[0].ID}, false); !errors.Is(err, berth.NotFound) {
			t.Errorf("ben reads ada's: %v", err)
		}
		if d, err := h.s.Deliveries(t.Context(), ben, first[0].ID); err != nil || len(d) != 0 {
			t.Errorf("ben sees %v, %v", d, err)
		}
		// Neither does what runs in a workspace, or a small token.
		for _, scope := range []authz.Scope{authz.ScopeWorkspace, authz.ScopeRead, authz.ScopeConnect} {
			if _, _, _, err := h.s.Inbox(t.Context(), h.actor(h.User, scope), false, "", 50); !errors.Is(err, berth.Forbidden) {
				t.Errorf("with the scope %s: %v", scope, err)
			}
		}
		if err := h.s.Read(t.Context(), ada, []berth.NoticeID{first[0].ID, first[0].ID}, false); err != nil {
			t.Error(err)
		}
		left, _, unread, err := h.s.Inbox(t.Context(), ada, true, "", 50)
		if err != nil || len(left) != 4 || unread != 4 || left[0].Title != "3" {
			t.Errorf("%d left, %d unread, %v", len(left), unread, err)
		}
		if err := h.s.Read(t.Context(), ada, nil, true); err != nil {
			t.Error(err)
		}
		if _, _, unread, _ := h.s.Inbox(t.Context(), ada, true, "", 50); unread != 0 {
			t.Errorf("%d unread after all were read", unread)
		}
		for _, err := range []error{h.s.Read(t.Context(), ada, nil, false), h.s.Read(t.Context(), ada, []berth.NoticeID{"x"}, true)} {
			if !errors.Is(err, berth.Invalid) {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestPreferences(t *testing.T) {
	m := serveMail(t, how{})
	inHouse(t, m.options(notices.Mail{TLS: "none"}), func(t *testing.T, h *house) {
		ada := h.actor(h.User)
		wants := func(kind string, way berth.Way) bool {
			t.Helper()
			all, ways, err := h.s.Preferences(t.Context(), ada)
			if err != nil || len(ways) != 2 {
				t.Fatal(ways, err)
			}
			for _, p := range all {
				if p.Name == kind {
					return p.Wants[way]
				}
			}
			t.Fatal("there is no " + kind)
			return false
		}
		set := func(kind string, way berth.Way, wanted bool) error {
			_, _, err := h.s.Prefer(t.Context(), ada, map[string]map[berth.Way]bool{kind: {way: wanted}})
			return err
		}
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		ok(set(notices.KindDormant, berth.WayEmail, false))
		ok(set(notices.KindDeleted, berth.WayInbox, false))
		ok(set(notices.KindDeleted, berth.WayEmail, false))
		ok(set(notices.KindCreated, berth.WayInbox, true))
		if wants(notices.KindDormant, berth.WayEmail) || !wants(notices.KindDormant, berth.WayInbox) || wants(notices.KindDeleted, berth.WayInbox) || !wants(notices.KindCreated, berth.WayInbox) || wants(notices.KindCreated, berth.WayEmail) {
			t.Error("not as it was said")
		}
		for _, err := range []error{
			set(notices.KindDormant, berth.WayInbox, false), set(notices.KindDeletionSoon, berth.WayInbox, false),
			set("nosuch", berth.WayInbox, false), set(notices.KindDormant, "pigeon", true),
		} {
			if !errors.Is(err, berth.Invalid) {
				t.Errorf("%v", err)
			}
		}
		ws := h.Workspace(t, h.db, "web")
		h.tell(berth.Notice{Kind: notices.KindDormant, WorkspaceID: ws.ID, Data: deleting}, h.User.ID)
		h.tell(berth.Notice{Kind: notices.KindDeleted, WorkspaceID: ws.ID}, h.User.ID)
		h.tell(berth.Notice{Kind: notices.KindCreated, WorkspaceID: ws.ID}, h.User.ID)
		if got := h.inbox(h.User.ID); len(got) != 2 || got[0].Kind != notices.KindCreated || got[1].Kind != notices.KindDormant {
			t.Errorf("told %v", got)
		}
		if n := h.send(); n != 0 {
			t.Errorf("mailed %d", n)
		}
		// Back to what everybody has.
		ok(set(notices.KindDeleted, berth.WayEmail, true))
		h.tell(berth.Notice{Kind: notices.KindDeleted, WorkspaceID: ws.ID}, h.User.ID)
		if n, got := h.send(), h.inbox(h.User.ID); n != 1 || len(got) != 2 {
			t.Errorf("mailed %d, %d in the inbox", n, len(got))
		}
	})
}

func TestPause(t *testing.T) {
	m := serveMail(t, how{})
	inHouse(t, m.options(notices.Mail{TLS: "none"}), func(t *testing.T, h *house) {
		ada, boss := h.actor(h.User), h.actor(h.user("boss-"+h.db.Engine(), berth.RoleOwner))
		if _, err := h.s.Pause(t.Context(), ada, true); !errors.Is(err, berth.Forbidden) {
			t.Errorf("anybody pauses: %v", err)
		}
		for _, err := range []error{
			second(h.s.Sending(t.Context(), ada)), second(h.s.Test(t.Context(), ada)), func() error { _, _, err := h.s.Troubles(t.Context(), ada, "", 0); return err }(),
		} {
			if !errors.Is(err, berth.Forbidden) {
				t.Errorf("anybody looks after the sending: %v", err)
			}
		}
		if s, err := h.s.Pause(t.Context(), boss, true); err != nil || !s.Paused || s.PausedBy != boss.Username || s.PausedAt.IsZero() {
			t.Errorf("%+v %v", s, err)
		}
		n, err := h.s.Test(t.Context(), boss)
		if err != nil || n.Title == "" {
			t.Errorf("%+v %v", n, err)
		}
		if n := h.send(); n != 0 {
			t.Errorf("sent %d while it is paused", n)
		}
		if s, err := h.s.Sending(t.Context(), boss); err != nil || s.Waiting != 1 || len(h.inbox(boss.UserID)) != 1 {
			t.Errorf("%+v %v", s, err)
		}
		if s, err := h.s.Pause(t.Context(), boss, false); err != nil || s.Paused || !s.PausedAt.IsZero() {
			t.Errorf("%+v %v", s, err)
		}
		if n := h.send(); n != 1 {
			t.Errorf("sent %d", n)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// Inboxes do not grow for ever.
func TestPrune(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(t *testing.T) *store.DB) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, open(t), notices.Options{})
			h.tell(berth.Notice{Kind: notices.KindTest, Title: "read"}, h.User.ID)
			if err := h.s.Read(context.Background(), h.actor(h.User), nil, true); err != nil {
				t.Fatal(err)
			}
			h.tell(berth.Notice{Kind: notices.KindTest, Title: "never read"}, h.User.ID)
			for _, step := range []struct {
				after time.Duration
				gone  int64
			}{{29 * 24 * time.Hour, 0}, {2 * 24 * time.Hour, 1}, {58 * 24 * time.Hour, 0}, {2 * 24 * time.Hour, 1}} {
				time.Sleep(step.after)
				if n, err := h.s.Prune(t.Context()); n != step.gone || err != nil {
					t.Errorf("removed %d, %v; want %d", n, err, step.gone)
				}
			}
		})
	})
}
