package apps

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTicketsAreWhole(t *testing.T) {
	t.Parallel()
	k, now := newKeys(t), time.Unix(1_800_000_000, 0)
	c := claims{ID: "1", User: "u", Login: "l", Workspace: "w", App: "code--web--ana", Host: "h", Nonce: "n", Issued: now.Unix(), Expires: now.Add(ticketLife).Unix()}
	text, err := sign(t.Context(), k, forTicket, c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open(t.Context(), k, forTicket, text, now); err != nil || got != c {
		t.Fatalf("%+v, %v", got, err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		b := []byte(text)
		i := rapid.IntRange(0, len(b)-1).Draw(rt, "where")
		to := rapid.Byte().Draw(rt, "what")
		if b[i] == to {
			return
		}
		b[i] = to
		if _, err := open(t.Context(), k, forTicket, string(b), now); err == nil {
			rt.Fatalf("a ticket with byte %d changed from %q to %q was taken", i, text[i], to)
		}
	})
	for i := range len(text) {
		if _, err := open(t.Context(), k, forTicket, text[:i], now); err == nil {
			t.Fatalf("a ticket cut at %d was taken", i)
		}
	}
	for name, at := range map[string]time.Time{
		"too late": now.Add(ticketLife), "much too late": now.Add(24 * time.Hour), "the clock was set back": now.Add(-skew - 2*time.Second),
	} {
		if _, err := open(t.Context(), k, forTicket, text, at); err == nil {
			t.Errorf("%s: the ticket was taken", name)
		}
	}
	if _, err := open(t.Context(), k, forSession, text, now); err == nil {
		t.Error("a ticket was taken for a session")
	}
	if _, err := open(t.Context(), newKeys(t), forTicket, text, now); err == nil {
		t.Error("a ticket of another key was taken")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("k1.e30.AAAA")
	f.Add("..")
	k := newKeys(f)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := open(t.Context(), k, forSession, text, time.Now()); err == nil {
			t.Errorf("%q was taken as %+v", text, c)
		}
	})
}
