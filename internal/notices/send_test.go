package notices_test

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func (h *house) send() int64 {
	h.t.Helper()
	n, err := h.s.Send(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// deliveries is how the newest notice of somebody is sent.
func (h *house) deliveries(u berth.UserID) (all []berth.Delivery) {
	h.t.Helper()
	if err := h.db.Read(h.t.Context(), func(q *store.Query) error {
		page, _, err := q.NoticePage(u, false, store.Page{Limit: 1})
		if err != nil {
			return err
		}
		all, err = q.DeliveriesOf(u, page[0].ID)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// due has everything tried at once that waits.
func (h *house) due() {
	h.t.Helper()
	h.write(func(tx *store.Tx) error {
		return errors.Join(tx.HurryDeliveries(berth.WayEmail), tx.HurryDeliveries(berth.WayWebhook))
	})
}

func TestMail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server how
		mail   notices.Mail
	}{
		"starttls and a password": {how{starttls: true, password: "s3cret"}, notices.Mail{Username: "berth", PasswordFile: passwordFile(t, "s3cret\n")}},
		"tls and a password":      {how{tls: true, password: "s3cret"}, notices.Mail{TLS: "tls", Username: "berth", PasswordFile: passwordFile(t, "s3cret")}},
		"in the clear":            {how{}, notices.Mail{TLS: "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := serveMail(t, c.server)
			h := newHouse(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/db"), m.options(c.mail))
			ws := h.Workspace(t, h.db, "web")
			h.tell(berth.Notice{Kind: notices.KindDormant, WorkspaceID: ws.ID, Data: deleting}, h.User.ID)
			if n := h.send(); n != 1 {
				t.Fatalf("sent %d: %+v", n, h.deliveries(h.User.ID))
			}
			if n := h.send(); n != 0 {
				t.Errorf("sent %d again", n)
			}
			got, bodies := m.letters()
			if len(got) != 1 || m.to[0] != "ada@example.com" {
				t.Fatalf("%d letters, to %v", len(got), m.to)
			}
			n := h.inbox(h.User.ID)[0]
			for header, want := range map[string]string{
				"To": "<ada@example.com>", "From": `"Berth" <berth@example.com>`, "Subject": n.Title, "Message-Id": "<" + string(n.ID) + "@berth.example.com>",
				"Auto-Submitted": "auto-generated", "X-Berth-Kind": notices.KindDormant, "X-Berth-Notice": string(n.ID),
			} {
				if h := got[0].Header.Get(header); h != want {
					t.Errorf("%s: %q, want %q", header, h, want)
				}
			}
			if body := unwrapped(bodies[0]); !strings.HasPrefix(body, n.Body+"\n\nhttps://berth.example.com/@ada/web\n\n-- \nBerth,") && !strings.Contains(body, "--=20") {
				t.Errorf("it says\n%s", body)
			}
		})
	}
}

// A mail server that refuses at first is asked again, less and less often.
func TestMailIsTriedAgain(t *testing.T) {
	m := serveMail(t, how{})
	inHouse(t, m.options(notices.Mail{TLS: "none"}), func(t *testing.T, h *house) {
		ben := h.user("ben-" + h.db.Engine())
		m.mu.Lock()
		m.refuse = func(to string) error {
			if strings.HasPrefix(to, "ben") {
				return &smtp.SMTPError{Code: 450, Message: "come back later"}
			}
			return nil
		}
		m.mu.Unlock()
		h.tell(berth.Notice{Kind: notices.KindTest}, ben.ID, h.User.ID)
		if n := h.send(); n != 1 { // one that is refused keeps no other waiting
			t.Errorf("sent %d", n)
		}
		d := h.deliveries(ben.ID)[0]
		if d.Status != berth.DeliveryPending || d.Tries != 1 || !strings.Contains(d.Error, "come back later") {
			t.Errorf("%+v", d)
		}
		if wait := time.Until(d.NextAt); wait < 20*time.Second || wait > 30*time.Second {
			t.Errorf("tried again in %s", wait)
		}
		if n := h.send(); n != 0 {
			t.Errorf("sent %d before its time", n)
		}
		m.mu.Lock()
		m.refuse = nil
		m.mu.Unlock()
		h.due()
		if n := h.send(); n != 1 {
			t.Errorf("sent %d", n)
		}
		if d := h.deliveries(ben.ID)[0]; d.Status != berth.DeliverySent || d.Tries != 2 || d.Error != "" {
			t.Errorf("%+v", d)
		}
	})
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for tries, want := range map[int]time.Duration{1: 30 * time.Second, 2: time.Minute, 5: 8 * time.Minute, 11: 6 * time.Hour, 1000: 6 * time.Hour} {
		if p := notices.Pause(tries); p > want || p < want*9/10 {
			t.Errorf("after %d tries it waits %s, not about %s", tries, p, want)
		}
	}
}

// While the mail server hangs, everything else goes on, and what waited is sent
// as soon as it answers.
func TestMailServerHangs(t *testing.T) {
	away := hang(t)
	inHouse(t, notices.Options{Mail: &notices.Mail{Address: away, From: "berth@example.com"}, Patience: 200 * time.Millisecond}, func(t *testing.T, h *house) {
		for range 3 {
			h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
		}
		began := time.Now()
		if n := h.send(); n != 0 {
			t.Errorf("sent %d", n)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s: each of them waited", took)
		}
		d := h.deliveries(h.User.ID)[0]
		if d.Status != berth.DeliveryPending || !strings.Contains(d.Error, away) {
			t.Errorf("%+v", d)
		}
	})
}

// What waits for its next try is sent at once when a mail server is back.
func TestMailServerIsBack(t *testing.T) {
	m := serveMail(t, how{})
	l, err := net.Listen("tcp", "127.0.0.1:0") // an address at which nobody answers, for now
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	o := m.options(notices.Mail{TLS: "none"})
	o.Mail.Address = address
	h := newHouse(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/db"), o)
	h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
	if n := h.send(); n != 0 {
		t.Fatalf("sent %d by nobody", n)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Skip("the address is taken:", err)
	}
	var done sync.WaitGroup
	t.Cleanup(func() { l.Close(); done.Wait() })
	done.Go(func() { forward(l, m.address) })
	h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
	if n := h.send(); n < 1 {
		t.Errorf("sent %d", n)
	}
	h.send()
	if got, _ := m.letters(); len(got) != 2 {
		t.Errorf("%d letters", len(got))
	}
}

// What is given up is shown.
func TestGivenUp(t *testing.T) {
	m := serveMail(t, how{})
	m.refuse = func(string) error { return &smtp.SMTPError{Code: 550, Message: "no such user"} }
	inHouse(t, m.options(notices.Mail{TLS: "none"}), func(t *testing.T, h *house) {
		notices.Hasten(h.s, 0, time.Nanosecond)
		h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
		h.send()
		d := h.deliveries(h.User.ID)[0]
		if d.Status != berth.DeliveryFailed || !strings.HasPrefix(d.Error, "given up after 1 tries: ") || !strings.Contains(d.Error, "no such user") {
			t.Errorf("%+v", d)
		}
		h.due()
		if h.send(); h.deliveries(h.User.ID)[0].Tries != 1 {
			t.Error("tried again after it was given up")
		}
	})
}

// Nobody writes headers by what they name things.
func TestNoHeaderIsInjected(t *testing.T) {
	t.Parallel()
	m := serveMail(t, how{})
	h := newHouse(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/db"), m.options(notices.Mail{TLS: "none"}))
	const evil = "x\r\nBcc: everybody@example.com\r\n\r\n<b>hello</b> ü\x00"
	h.tell(berth.Notice{Kind: notices.KindUserCreated, Title: evil, Data: map[string]string{"user": evil, "by": evil, "link": evil}}, h.User.ID)
	if h.send() != 1 {
		t.Fatalf("%+v", h.deliveries(h.User.ID))
	}
	got, _ := m.letters()
	subject, err := new(mime.WordDecoder).DecodeHeader(got[0].Header.Get("Subject"))
	if got[0].Header.Get("Bcc") != "" || err != nil || subject != "x Bcc: everybody@example.com <b>hello</b> ü" {
		t.Errorf("%v, subject %q, %v", got[0].Header, subject, err)
	}
	// An address that is none is not sent to, and keeps nobody else waiting.
	h.write(func(tx *store.Tx) error {
		u, err := tx.User(h.User.ID)
		if err != nil {
			return err
		}
		u.Email = "ada@example.com>\r\nRCPT TO:<eve@example.com"
		return tx.UpdateUser(u)
	})
	h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
	h.tell(berth.Notice{Kind: notices.KindTest}, h.user("ben").ID)
	if n := h.send(); n != 1 || m.to[len(m.to)-1] != "ben@example.com" {
		t.Errorf("sent %d, to %v", n, m.to)
	}
}

// Two replicas send everything once.
func TestReplicasSendOnce(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		m := serveMail(t, how{})
		h := newHouse(t, storetest.Open(t, url), m.options(notices.Mail{TLS: "none"}))
		const letters = 50
		for range letters {
			h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
		}
		other, err := notices.New(storetest.Open(t, url), m.options(notices.Mail{TLS: "none"}))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, s := range []*notices.Service{h.s, other, h.s, other} {
			all.Go(func() {
				if _, err := s.Send(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		h.send()
		got, _ := m.letters()
		ids := map[string]bool{}
		for _, l := range got {
			ids[l.Header.Get("Message-Id")] = true
		}
		if len(got) != letters || len(ids) != letters {
			t.Errorf("%d letters of %d notices arrived, %d were told", len(got), len(ids), letters)
		}
	})
}

// A server that dies between the sending and the note of it leaves a letter that
// is sent again, under the same id.
func TestDiesAfterSending(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		m := serveMail(t, how{})
		h := newHouse(t, storetest.Open(t, url), m.options(notices.Mail{TLS: "none"}))
		h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
		dying := storetest.Open(t, url)
		victim, err := notices.New(dying, m.options(notices.Mail{TLS: "none"}))
		if err != nil {
			t.Fatal(err)
		}
		notices.Hasten(victim, time.Nanosecond, 0)
		m.data = func() { dying.Close() }
		if _, err := victim.Send(t.Context()); err == nil {
			t.Error("it could note what it sent")
		}
		m.data = nil
		if n := h.send(); n != 1 {
			t.Errorf("sent %d", n)
		}
		got, _ := m.letters()
		if len(got) != 2 || got[0].Header.Get("Message-Id") != got[1].Header.Get("Message-Id") {
			t.Errorf("%d letters: %v", len(got), got)
		}
	})
}

// Who left is not written to any more, but for that they left.
func TestWhoLeftIsNotWrittenTo(t *testing.T) {
	m := serveMail(t, how{})
	inHouse(t, m.options(notices.Mail{TLS: "none"}), func(t *testing.T, h *house) {
		ben := h.user("ben-" + h.db.Engine())
		h.tell(berth.Notice{Kind: notices.KindTest}, ben.ID)
		h.write(func(tx *store.Tx) error {
			u, err := tx.User(ben.ID)
			if err != nil {
				return err
			}
			u.Status, u.SuspendedAt = berth.UserSuspended, tx.Now
			return tx.UpdateUser(u)
		})
		if n := h.send(); n != 0 {
			t.Errorf("sent %d to who is suspended", n)
		}
		if d := h.deliveries(ben.ID)[0]; d.Status != berth.DeliveryDropped {
			t.Errorf("%+v", d)
		}
		h.tell(berth.Notice{Kind: notices.KindTest}, ben.ID) // stays in the house
		h.tell(berth.Notice{Kind: notices.KindAccountSuspended}, ben.ID)
		if n := h.send(); n != 1 {
			t.Errorf("sent %d", n)
		}
		if n := len(h.inbox(ben.ID)); n != 3 {
			t.Errorf("%d in the inbox", n)
		}
	})
}

// Telling costs no more for a mail server that is away, and a server that is
// told to stop stops.
func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	away := hang(t)
	h := newHouse(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/db"), notices.Options{Mail: &notices.Mail{Address: away, From: "berth@example.com"}, Patience: time.Minute})
	for i := range 30 {
		h.tell(berth.Notice{Kind: notices.KindTest, Once: fmt.Sprint(i)}, h.User.ID)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if n, err := h.s.Send(ctx); n != 0 || err != nil {
		t.Errorf("sent %d, %v", n, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it ended after %s", took)
	}
}
