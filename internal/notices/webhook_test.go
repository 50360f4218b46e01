package notices_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/store/storetest"
)

// receiver is a program that takes webhooks, and checks them as the Standard
// Webhooks say.
type receiver struct {
	t      *testing.T
	secret []byte
	mu     sync.Mutex
	answer int
	ids    []string
	got    []map[string]any
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		r.t.Error(err)
	}
	id, at := q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte(id + "." + at + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	fine := false
	for signature := range strings.FieldsSeq(q.Header.Get("webhook-signature")) {
		fine = fine || hmac.Equal([]byte(signature), []byte(want))
	}
	if !fine {
		r.t.Errorf("signed %q, want %q", q.Header.Get("webhook-signature"), want)
	}
	if n, err := strconv.ParseInt(at, 10, 64); err != nil || time.Since(time.Unix(n, 0)).Abs() > time.Minute {
		r.t.Errorf("the time %q", at)
	}
	var event map[string]any
	if err := json.Unmarshal(body, &event); err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids, r.got = append(r.ids, id), append(r.got, event)
	if r.answer == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(r.answer)
}

func (r *receiver) answers(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = code
}

const secret = "0123456789abcdef0123456789abcdef"

func TestWebhook(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"plain": secret + "\n", "two while they are changed": "another secret of some length\n" + secret,
		"with the usual prefix": "whsec_" + base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{t: t, secret: []byte(secret), answer: http.StatusNoContent}
			if strings.HasPrefix(name, "two") {
				file = strings.ReplaceAll(file, " ", "-")
			}
			server := httptest.NewServer(r)
			defer server.Close()
			h := newHouse(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/db"), notices.Options{Webhook: &notices.Webhook{URL: server.URL + "/hook", SecretFile: passwordFile(t, file)}})
			ws := h.Workspace(t, h.db, "web")
			h.tell(berth.Notice{Kind: notices.KindDormant, WorkspaceID: ws.ID, Data: deleting}, h.User.ID)
			r.answers(http.StatusFound)
			h.send()
			if d := h.deliveries(h.User.ID)[0]; d.Status != berth.DeliveryPending || !strings.Contains(d.Error, "redirect") {
				t.Errorf("%+v", d)
			}
			r.answers(http.StatusNoContent)
			h.due()
			if n := h.send(); n != 1 {
				t.Fatalf("sent %d: %+v", n, h.deliveries(h.User.ID))
			}
			n := h.inbox(h.User.ID)[0]
			if len(r.ids) != 2 || r.ids[0] != string(n.ID) || r.ids[1] != string(n.ID) {
				t.Errorf("ids %v of %s", r.ids, n.ID)
			}
			event := r.got[1]
			data := event["data"].(map[string]any)
			if event["type"] != "notice.workspace-dormant" || data["title"] != n.Title || data["body"] != n.Body || data["link"] != accessURL+"/@ada/web" ||
				data["user"].(map[string]any)["username"] != "ada" || data["workspace_id"] != string(ws.ID) {
				t.Errorf("%v", event)
			}
		})
	}
}

// A webhook that is away keeps no e-mail waiting, and its address stays secret.
func TestOneWayDoesNotKeepTheOther(t *testing.T) {
	t.Parallel()
	m := serveMail(t, how{})
	away := hang(t)
	o := m.options(notices.Mail{TLS: "none"})
	o.Patience = time.Second
	o.Webhook = &notices.Webhook{URL: "http://" + away + "/secret-path", SecretFile: passwordFile(t, secret)}
	h := newHouse(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/db"), o)
	for range 3 {
		h.tell(berth.Notice{Kind: notices.KindTest}, h.User.ID)
	}
	began := time.Now()
	if n := h.send(); n != 3 || time.Since(began) > 5*time.Second {
		t.Errorf("sent %d in %s", n, time.Since(began))
	}
	for _, d := range h.deliveries(h.User.ID) {
		if d.Way == berth.WayWebhook && (d.Status != berth.DeliveryPending || d.Error == "" || strings.Contains(d.Error, "secret-path")) {
			t.Errorf("%+v", d)
		}
	}
}

func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "sqlite:"+t.TempDir()+"/db")
	missing := t.TempDir() + "/nosuch"
	short := passwordFile(t, "short")
	for want, o := range map[string]notices.Options{
		"--smtp-address":               {Mail: &notices.Mail{Address: "mail.example.com", From: "b@example.com"}},
		"--smtp-from":                  {Mail: &notices.Mail{Address: "mail.example.com:25"}},
		"--smtp-tls none: notices go":  {Mail: &notices.Mail{Address: "mail.example.com:25", From: "b@example.com", TLS: "none"}},
		"--smtp-tls ssl: use":          {Mail: &notices.Mail{Address: "mail.example.com:25", From: "b@example.com", TLS: "ssl"}},
		"--smtp-password-file cannot":  {Mail: &notices.Mail{Address: "mail.example.com:25", From: "b@example.com", Username: "b", PasswordFile: missing}},
		"--smtp-password-file needs":   {Mail: &notices.Mail{Address: "mail.example.com:25", From: "b@example.com", PasswordFile: missing}},
		"--webhook-url:":               {Webhook: &notices.Webhook{URL: "chat.example.com", SecretFile: short}},
		"--webhook-url needs":          {Webhook: &notices.Webhook{URL: "https://chat.example.com"}},
		"--webhook-secret-file: a":     {Webhook: &notices.Webhook{URL: "https://chat.example.com", SecretFile: short}},
		"--webhook-secret-file cannot": {Webhook: &notices.Webhook{URL: "https://chat.example.com", SecretFile: missing}},
	} {
		if _, err := notices.New(db, o); err == nil || !strings.Contains(err.Error(), want) || berth.ErrorCode(err) != berth.Invalid {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("it was made")
	}
}
