package notices_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
)

var deleting = map[string]string{"why": "it was not used for 30 days", "deleting_at": "2026-11-28T02:00:00Z"}

func TestTell(t *testing.T) {
	inHouse(t, notices.Options{QuietHours: "CRON_TZ=Europe/Dublin 0 0 * * *"}, func(t *testing.T, h *house) {
		ws := h.Workspace(t, h.db, "web")
		h.tell(berth.Notice{Kind: notices.KindDormant, WorkspaceID: ws.ID, Data: deleting}, h.User.ID, h.User.ID)
		got := h.inbox(h.User.ID)
		if len(got) != 1 {
			t.Fatalf("%d notices", len(got))
		}
		n := got[0]
		if n.Title != "web sleeps now, and will be deleted on 28 November 2026" || n.WorkspaceID != ws.ID || n.TemplateID != h.Template.ID || !n.ReadAt.IsZero() {
			t.Errorf("%+v", n)
		}
		want := `Your workspace ada/web sleeps: it is stopped, and nothing starts it until you wake it. It was not used for 30 days.

Unless you wake it, it is deleted with everything in it on Saturday, 28 November 2026, 02:00 (Europe/Dublin).

To keep it:
  berth dormancy wake ada/web`
		if n.Body != want {
			t.Errorf("says\n%s\nwant\n%s", n.Body, want)
		}
		if n.Data["link"] != "https://berth.example.com/@ada/web" {
			t.Errorf("leads to %s", n.Data["link"])
		}
	})
}

// It is told exactly when what it is about happened.
func TestToldInTheTransaction(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		ws := h.Workspace(t, h.db, "web")
		oops := errors.New("oops")
		err := h.db.Write(t.Context(), func(tx *store.Tx) error {
			if err := h.s.Tell(tx, berth.Notice{Kind: notices.KindDormant, WorkspaceID: ws.ID}, h.User.ID); err != nil {
				return err
			}
			return oops
		})
		if !errors.Is(err, oops) || len(h.inbox(h.User.ID)) != 0 {
			t.Errorf("%v, and there are %d", err, len(h.inbox(h.User.ID)))
		}
	})
}

func TestOnce(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		ws := h.Workspace(t, h.db, "web")
		ben := h.user("ben")
		n := berth.Notice{Kind: notices.KindDormant, WorkspaceID: ws.ID, Once: "dormant " + string(ws.ID)}
		h.tell(n, h.User.ID)
		h.tell(n, h.User.ID, ben.ID)
		if a, b := len(h.inbox(h.User.ID)), len(h.inbox(ben.ID)); a != 1 || b != 1 {
			t.Errorf("ada has %d, ben %d", a, b)
		}
	})
}

// What others wrote cannot steer a terminal, or look like more than it is.
func TestWordsAreHarmless(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		h.tell(berth.Notice{Kind: notices.KindDeprecated, TemplateID: h.Template.ID,
			Data: map[string]string{"reason": "use\r\nSubject: other\x1b[2J\u202e\nnow"}}, h.User.ID)
		h.tell(berth.Notice{Kind: notices.KindTest, Title: "one\r\nBcc: all@example.com\x00\u2028two"}, h.User.ID)
		got := h.inbox(h.User.ID)
		if got[0].Title != "one Bcc: all@example.comtwo" {
			t.Errorf("title %q", got[0].Title)
		}
		if !strings.Contains(got[1].Body, "\n\n> use\n> Subject: other[2J\n> now\n\n") {
			t.Errorf("body %q", got[1].Body)
		}
	})
}

func TestWhoIsNobodyIsNotTold(t *testing.T) {
	inHouse(t, notices.Options{}, func(t *testing.T, h *house) {
		ben := h.user("ben")
		h.write(func(tx *store.Tx) error {
			u, err := tx.User(ben.ID)
			if err != nil {
				return err
			}
			u.DeletedAt = tx.Now
			return tx.UpdateUser(u)
		})
		h.tell(berth.Notice{Kind: notices.KindTest}, ben.ID, "nobody")
		if n := len(h.inbox(ben.ID)); n != 0 {
			t.Errorf("told %d", n)
		}
		if err := h.db.Write(t.Context(), func(tx *store.Tx) error { return h.s.Tell(tx, berth.Notice{Kind: "nosuch"}, h.User.ID) }); err == nil {
			t.Error("a kind that is none was told")
		}
	})
}
