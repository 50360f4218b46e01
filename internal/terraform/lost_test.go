package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// What nobody could find goes from build to build, through failures and kills,
// until the state has it.
func TestWhatIsLostIsLookedForAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(map[string]string{"main.tf": swiftly})
	known := map[string]json.RawMessage{"id": json.RawMessage(`"x"`)}
	gaps := []lost{
		{Type: "box", Addresses: []string{"box.a"}, Known: known, At: time.Now()},
		{Type: "box", Addresses: []string{"box.b[0]", "box.b[1]"}, At: time.Now().Add(-time.Hour)},
	}
	first, err := Run(t.Context(), fast(t, s.options(i, berth.Start, nil)), &recorder{t: t}, allow(nil))
	if err != nil {
		t.Fatal(err)
	}
	names := func(state []byte) (list []string) {
		_, missing := takeLost(state)
		for _, l := range missing {
			list = append(list, l.Addresses[0])
		}
		return list
	}
	both := []string{"box.a", "box.b[0]"}
	state := withLost(first.State, gaps)

	t.Run("a stop", func(t *testing.T) {
		o := fast(t, s.options(i, berth.Stop, state))
		rec := &recorder{t: t}
		r, err := Run(t.Context(), o, rec, allow(nil))
		if err != nil || !slices.Equal(names(r.State), both) {
			t.Errorf("%v, still lost: %v", err, names(r.State))
		}
		for _, shipped := range rec.states {
			if !slices.Equal(names(shipped), both) {
				t.Errorf("a revision that was shipped forgot something: %v", names(shipped))
			}
		}
		if again, err := Recover(o.Dir, state); err != nil || !slices.Equal(names(again.State), both) {
			t.Errorf("had its keeper been killed: %v, %v", err, names(again.State))
		}
	})
	t.Run("a build that is refused", func(t *testing.T) {
		no := func(context.Context, berth.Plan) (berth.Verdict, error) { return berth.Verdict{Reason: "no"}, nil }
		r, err := Run(t.Context(), fast(t, s.options(i, berth.Stop, state)), &recorder{t: t}, no)
		if e := (*RunError)(nil); !errors.As(err, &e) || r.State != nil && !slices.Equal(names(r.State), both) {
			t.Errorf("%v, still lost: %v", err, names(r.State))
		}
	})
	t.Run("it is there", func(t *testing.T) {
		there := withLost(first.State, append(gaps, lost{Type: "berth_directory", Addresses: []string{"berth_directory.home"}}))
		if got := names(there); !slices.Equal(got, both) {
			t.Errorf("lost: %v", got)
		}
		if got := names(withLost(there, gaps)); !slices.Equal(got, both) {
			t.Errorf("twice: %v", got)
		}
	})
}

// What has the name of a lost object is taken only if it carries the id of the
// workspace itself: else it is somebody else's.
func TestOthersObjectsAreNotAdopted(t *testing.T) {
	t.Parallel()
	const workspace = "11111111-2222-4333-8444-555555555555"
	socket := filepath.Join(workDir(t), "docker.sock")
	answers := map[string]string{
		"/containers/ours/json":   `{"Id":"c1","Config":{"Labels":{"coder.workspace_id":"` + workspace + `"}}}`,
		"/containers/theirs/json": `{"Id":"c2","Config":{"Labels":{"coder.workspace_id":"another"}}}`,
		"/volumes/" + workspace:   `{"Name":"` + workspace + `"}`,
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	docker := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers[r.URL.Path] == "" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, answers[r.URL.Path])
	})}
	go docker.Serve(listener)
	t.Cleanup(func() { docker.Close() })
	r := &run{Options: Options{Env: map[string]string{"DOCKER_HOST": "unix://" + socket}}, dir: &directory{}}
	for _, c := range []struct{ kind, known, want, why string }{
		{"docker_container", `{"name":"ours"}`, "c1", ""},
		{"docker_container", `{"name":"theirs"}`, "", notOurs},
		{"docker_container", `{"name":"none"}`, "", ""},
		{"docker_volume", `{"name":"` + workspace + `"}`, workspace, ""},
		{"kubernetes_pod", `{"metadata":[{"name":"ws-` + workspace + `","namespace":"n"}]}`, "n/ws-" + workspace, ""},
		{"kubernetes_pod", `{"metadata":[{"name":"web","namespace":"n"}]}`, "", notOurs},
		{"box", `{"id":"` + workspace + `"}`, workspace, ""},
		{"box", `{"id":"web"}`, "", notOurs},
		{"box", `{}`, "", "nothing of what is known of it tells it from others of its type"},
	} {
		l := lost{Type: c.kind}
		if err := json.Unmarshal([]byte(c.known), &l.Known); err != nil {
			t.Fatal(err)
		}
		if id, why := r.importID(t.Context(), l, workspace); id != c.want || why != c.why {
			t.Errorf("%s %s: %q, %q; want %q, %q", c.kind, c.known, id, why, c.want, c.why)
		}
	}
}

// A creation that failed may have made its object: the next build looks for it.
func TestFailedCreationsInDoubt(t *testing.T) {
	t.Parallel()
	for failed, want := range map[string]bool{
		"Unable to create container: context canceled": true,
		`Unable to create container: Error response from daemon: Conflict. The container name "/x" is already in use by container "y".`: true,
		`persistentvolumeclaims "home" already exists`: true,
		"Unable to find or pull image debian:13":       false,
		"":                                             false,
	} {
		if got := doubt(failed) != ""; got != want {
			t.Errorf("%q: %v", failed, got)
		}
	}
}
