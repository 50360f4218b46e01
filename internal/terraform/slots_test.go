package terraform

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
	"github.com/berthdev/berth/internal/plugin"
	"github.com/berthdev/berth/internal/warm"
)

// warmHouse keeps plugins for the builds of a site.
func (s *site) warmHouse(t testing.TB) *warm.House {
	t.Helper()
	o := warm.Options{Dir: filepath.Join(s.dir, "warm"), Env: []string{"PATH=" + searchPath}, Slots: []string{plugin.Binary(pluginMirror), plugin.SlotsCommand},
		Peers: []uint32{uint32(os.Getuid())}, Sets: 16, MaxAge: time.Hour, MaxBuilds: 1000, MaxIdle: time.Hour, End: plugin.EndWarm}
	for _, name := range []string{"DOCKER_HOST"} {
		if v, ok := os.LookupEnv(name); ok {
			o.Env = append(o.Env, name+"="+v)
		}
	}
	if s.as != nil {
		o.User = &syscall.Credential{Uid: s.as.UID, Gid: s.as.GID, Groups: s.as.Groups}
	}
	h, err := warm.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// warmed gives o plugins of a house until back is called.
func warmed(t testing.TB, h *warm.House, name string, o *Options) (back func(well bool)) {
	t.Helper()
	binaries, err := o.Installation.Binaries()
	if err != nil {
		t.Fatal(err)
	}
	want := warm.Want{Build: name, Key: warm.Key{Installation: o.Installation.Dir}}
	coder := ""
	for _, b := range binaries {
		if strings.HasSuffix(b.Source, "/coder/coder") {
			coder = b.Source
		} else {
			want.Plugins = append(want.Plugins, warm.Plugin(b))
		}
	}
	lease, err := h.Take(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", lease.Control)
	if err != nil {
		t.Fatal(err)
	}
	slot, err := plugin.OpenSlot(conn, "coder", o.PluginEnv())
	if err != nil {
		t.Fatal(err)
	}
	o.Plugins = append(lease.Plugins, journal.Upstream{Source: coder, Protocol: 5, Address: slot.Address})
	o.Seat = lease.Seat
	return func(well bool) {
		slot.Close()
		if o.Seat != "" {
			if err := o.LeaveSeat(); err != nil && well {
				t.Error(err)
			}
		}
		h.Return(name, well)
	}
}

// tells is a template whose state says what its plugins were told.
const tells = `
terraform {
  required_providers { coder = { source = "coder/coder" } }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_parameter" "p" {
  name    = "p"
  default = "nothing"
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
  env  = { SECRET = data.coder_workspace_owner.me.session_token }
}
resource "terraform_data" "told" {
  input = join(" ", [data.coder_workspace.me.name, data.coder_workspace.me.transition, data.coder_workspace_owner.me.name, data.coder_parameter.p.value])
}
`

// Sixteen builds at once, each of another person: none sees what another one was
// told, neither at its start nor at its stop.
func TestSlotsKeepBuildsApart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if os.Getuid() == 0 {
		s.as = &As{UID: 65534, GID: 65534}
	}
	i := s.must(map[string]string{"main.tf": tells})
	h := s.warmHouse(t)
	var all sync.WaitGroup
	turn := make(chan struct{}, 4)
	for n := range 16 {
		first, second := s.options(i, berth.Start, nil), s.options(i, berth.Stop, nil)
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			var state []byte
			for _, o := range []Options{first, second} {
				me := fmt.Sprintf("person%d", n)
				o.State = state
				o.Env["CODER_WORKSPACE_NAME"], o.Env["CODER_WORKSPACE_OWNER"] = "of-"+me, me
				if n%2 == 0 { // what one build is not told must not be another's either
					o.Env["CODER_WORKSPACE_OWNER_SESSION_TOKEN"] = "token-" + me
					o.Env[parameterVariable("p")] = "answer-" + me
				}
				back := warmed(t, h, fmt.Sprint(n, o.Transition), &o)
				rec := &recorder{t: t}
				r, err := Run(t.Context(), o, rec, allow(nil))
				back(err == nil)
				if err != nil {
					t.Errorf("%s: %v\n%s", me, err, rec.text())
					return
				}
				state = r.State
				want := fmt.Sprintf("of-%s %s %s nothing", me, o.Transition, me)
				if n%2 == 0 {
					want = fmt.Sprintf("of-%s %s %s answer-%s", me, o.Transition, me, me)
				}
				if !strings.Contains(string(state), `"`+want+`"`) {
					t.Errorf("%s: the state lacks %q", me, want)
				}
				for other := range 16 {
					if text := fmt.Sprintf("person%d\"", other); other != n && strings.Contains(string(state), text) {
						t.Errorf("%s: the state has %s", me, text)
					}
				}
				if n%2 == 1 && strings.Contains(string(state), "token-") {
					t.Errorf("%s has somebody's token", me)
				}
			}
		})
	}
	all.Wait()
	h.Close()
	left, _ := filepath.Glob(filepath.Join(s.dir, "warm", "*"))
	for deadline := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		left, _ = filepath.Glob(filepath.Join(s.dir, "warm", "*"))
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
