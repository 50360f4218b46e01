package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

func (f *fake) kept(t *testing.T) (l login) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, "login.json"))
	if err != nil {
		return l
	}
	if err := json.Unmarshal(b, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLogin(t *testing.T) {
	t.Parallel()
	in := api.LoggedIn{Token: "berth_new", User: api.User{Username: "ana"}}
	for _, c := range []struct {
		name        string
		setup       bool
		stdin       string
		args        []string
		code        int
		says, asked string
	}{
		{"password", false, "pa ss\n", []string{"--username", "ana", "--password-stdin"}, 0, "as ana", `POST /login {"username":"ana","password":"pa ss"}`},
		{"nothing given", false, "", nil, 2, "--username", ""},
		{"no terminal for the password", false, "", []string{"--username", "ana"}, 2, "--password-stdin", ""},
		{"first user", true, "", []string{"--first-user-username", "ana", "--first-user-email", "a@b.c", "--first-user-password", "long enough"}, 0, "as ana", `POST /users/first {"username":"ana","email":"a@b.c","password":"long enough"}`},
		{"first user wants more", true, "", []string{"--first-user-username", "ana"}, 2, "--first-user-email", ""},
		{"first user is there", false, "", []string{"--first-user-username", "ana"}, 5, "already", ""},
		{"nobody is there yet", true, "x", []string{"--username", "ana", "--password-stdin"}, 2, "--first-user-username", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			os.Remove(filepath.Join(f.dir, "login.json"))
			f.answer("GET /version", api.Version{Version: "v1", SetupRequired: c.setup})
			f.answer("POST /users/first", in.User)
			f.answer("POST /login", in)
			out, errs, code := f.runWith(t, c.stdin, append([]string{"login", f.URL}, c.args...)...)
			if code != c.code || !strings.Contains(errs, c.says) || out != "" {
				t.Fatalf("exit %d, %q %q", code, out, errs)
			}
			if asked := strings.Join(f.requests(), "\n"); !strings.Contains(asked, c.asked) {
				t.Errorf("asked:\n%s", asked)
			}
			want := login{}
			if c.code == 0 {
				want = login{URL: f.URL, Token: "berth_new"}
			}
			if got := f.kept(t); got != want {
				t.Errorf("kept %+v", got)
			}
			if info, err := os.Stat(filepath.Join(f.dir, "login.json")); err == nil && info.Mode() != 0o600 {
				t.Errorf("the login has mode %v", info.Mode())
			}
		})
	}
}

func TestWrongPasswordKeepsTheLogin(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.answer("GET /version", api.Version{})
	f.fail("POST /login", 401, berth.Unauthenticated, "the user name or the password is wrong")
	_, errs, code := f.runWith(t, "x", "login", f.URL, "--username", "ana", "--password-stdin")
	if code != 3 || strings.Contains(errs, "berth login") || f.kept(t).Token != "berth_secret" {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// A login of one server is not shown to another.
func TestTokenStaysWithItsServer(t *testing.T) {
	t.Parallel()
	mine, other := newFake(t), newFake(t)
	other.mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s came with a token", r.URL)
		}
	})
	_, errs, code := mine.run(t, "list", "--url", other.URL)
	if code != 3 || !strings.Contains(errs, "berth login "+other.URL) || len(other.requests()) > 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	mine.answer("GET /users/me", api.User{Username: "ana"})
	if _, errs, code := mine.run(t, "whoami", "--url", mine.URL+"/"); code != 0 {
		t.Errorf("the same server with a slash: exit %d %s", code, errs)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.mux.HandleFunc("POST /api/v1/logout", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	if _, errs, code := f.run(t, "logout"); code != 0 || f.kept(t) != (login{}) {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, errs, code := f.run(t, "list", "--url", f.URL); code != 3 || !strings.Contains(errs, "berth login") {
		t.Errorf("after logout: exit %d: %s", code, errs)
	}
	f.signIn(t, "x")
	f.Close()
	if _, errs, code := f.run(t, "logout"); code != 0 || f.kept(t) != (login{}) || !strings.Contains(errs, "could not be told") {
		t.Errorf("with the server away: exit %d: %s", code, errs)
	}
}

func TestDamagedLogin(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	os.WriteFile(filepath.Join(f.dir, "login.json"), []byte("{"), 0o600)
	if _, errs, code := f.run(t, "list"); code != 3 || !strings.Contains(errs, "sign in again") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestServerURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"berth.example.com": "https://berth.example.com", "localhost:7080": "http://localhost:7080", "127.0.0.1": "http://127.0.0.1",
		"[::1]:80": "http://[::1]:80", "10.0.0.1:7080": "https://10.0.0.1:7080", "http://x/": "http://x", " https://x ": "https://x", "": "",
	} {
		if got := serverURL(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "just now", 30 * time.Second: "30 seconds ago", 90 * time.Second: "90 seconds ago", 3 * time.Minute: "3 minutes ago",
		5 * time.Hour: "5 hours ago", 47 * time.Hour: "47 hours ago", 13 * 24 * time.Hour: "13 days ago", 20 * 24 * time.Hour: "2 weeks ago",
		400 * 24 * time.Hour: "1 year ago", -2 * time.Hour: "in 2 hours",
	} {
		if got := ago(now.Add(-d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if ago(time.Time{}, now) != "never" {
		t.Error("zero time")
	}
}

func TestCleanTakesOutWhatSteersATerminal(t *testing.T) {
	t.Parallel()
	if got := clean("a\x1b[31mb\x1b]0;title\x07c\x9b2Jd\re\u202ef\tg\nh"); got != "abcdef\tg\nh" {
		t.Errorf("%q", got)
	}
}
