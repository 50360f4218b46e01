package httpapi_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/server/servertest"
	"github.com/berthdev/berth/internal/tunnel"
)

var loginToken = regexp.MustCompile(`berth_[A-Za-z0-9_-]{20,}`)

// Whoever has an agent's token and nothing else gets, from every operation that
// takes it, neither the owner's secrets nor their key nor a login.
func TestStolenAgentTokenGivesNoSecrets(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, login := s.FirstUser(t)
	r := s.Runner(t)
	servertest.Push(t, c, "plain")
	const precious = "precious-value-of-a-secret"
	if _, err := c.PutSecret(t.Context(), "deploy", api.PutSecret{Env: ptr("DEPLOY"), Value: ptr(precious)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.RegenerateSSHKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := servertest.Create(t, c, "plain", "dev")
	stolen := r.AgentToken("admin/dev")

	asked := 0
	for _, o := range operations(t, s) {
		if o.access != "agent" {
			continue
		}
		for _, in := range []string{"{}", `{"protocol":1,"version":"x","boot":1}`, `{"boot":1,"lifecycle":"ready"}`, `{"checks":[{"kind":"tcp"}]}`} {
			req, err := http.NewRequestWithContext(t.Context(), o.method, s.URL+api.Prefix+o.path, strings.NewReader(in))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+stolen)
			req.Header.Set("Content-Type", "application/json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			asked++
			if loginToken.Match(body) {
				t.Errorf("%s %s gives a login:\n%s", o.method, o.path, body)
			}
			for what, secret := range map[string]string{"a secret": precious, "the caller's login": login, "a private key": "PRIVATE KEY", "an identity": `"ssh_key"`} {
				if strings.Contains(string(body), secret) {
					t.Errorf("%s %s gives %s:\n%s", o.method, o.path, what, body)
				}
			}
		}
	}
	if asked < 20 {
		t.Errorf("asked %d times only", asked)
	}

	// It can link, while the agent is away. Then it is the workspace's agent, and
	// gets what that gets; once the workspace was stopped, nothing any more.
	h := http.Header{"Authorization": {"Bearer " + stolen}}
	first, err := tunnel.DialLink(t.Context(), s.URL+api.Prefix+"/agent/link", h)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ended := make(chan error, 1)
	go func() { ended <- tunnel.Serve(t.Context(), first, tunnel.Handler{HTTP: http.NewServeMux()}) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := c.Ping(t.Context(), w.ID, "-"); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}

	// A second one is refused, and so is its hello: neither takes the first's place.
	second := s.Client(t, stolen)
	if _, err := second.AgentLink(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "linked already") {
		t.Errorf("a second link: %v", err)
	}
	if _, err := second.AgentHello(t.Context(), api.AgentHello{Protocol: api.AgentProtocol, Version: "thief", Boot: time.Now().Add(time.Hour).UnixMilli()}); err == nil || !strings.Contains(err.Error(), "linked already") {
		t.Errorf("a second process's hello: %v", err)
	}
	got, err := c.Workspace(t.Context(), w.ID)
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(got.Agents[0].Notes, "\n"); !strings.Contains(notes, "a second process tried to link") || got.Agents[0].Version == "thief" {
		t.Errorf("%+v", got.Agents[0])
	}

	b, err := c.CreateBuild(t.Context(), w.ID, api.CreateBuild{Transition: "stop"})
	if err != nil {
		t.Fatal(err)
	}
	servertest.Finished(t, c, b.ID)
	if _, err := second.AgentHello(t.Context(), api.AgentHello{Protocol: api.AgentProtocol, Boot: 1}); err == nil {
		t.Error("a hello after the stop was answered")
	}
	if _, err := second.AgentLink(t.Context(), ""); err == nil {
		t.Error("a link after the stop was made")
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("a link outlived the stop")
	}
}

func ptr[T any](v T) *T { return &v }
