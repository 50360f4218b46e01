package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

func TestLifeOfAnAgent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "for me")
	f := newFake(berth.AgentSpec{Name: "main", Directory: dir, Scripts: []berth.Script{
		onStart("one", "echo start $PWD"),
		{ID: "two", DisplayName: "two", Script: "echo stop", RunOnStop: true},
	}})
	_, end := startAgent(t, f)
	eventually(t, "ready", func() bool { return slices.Contains(f.sawStates(), "ready") })
	end()
	if got := f.sawStates(); !slices.Equal(got, []string{"starting", "ready", "shutting_down", "off"}) {
		t.Errorf("%v", got)
	}
	if got := f.text(""); got != "start "+dir+"\nstop\n" {
		t.Errorf("%q", got)
	}
	for i, l := range f.lines {
		if l.Seq != int64(i+1) || l.Stage != l.Text[:len(l.Stage)] {
			t.Errorf("line %d: %+v", i, l)
		}
	}
	if last := f.hellos[len(f.hellos)-1]; last.Directory != dir || last.Boot == 0 || last.Protocol != api.AgentProtocol {
		t.Errorf("%+v", last)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	slow := func(s berth.Script) berth.Script { s.Timeout = 1; return s }
	tests := []struct {
		name    string
		scripts []berth.Script
		states  []string
	}{
		{"nothing to run", nil, []string{"starting", "ready", "shutting_down", "off"}},
		{"a failure", []berth.Script{onStart("a", "exit 3"), onStart("b", "true")}, []string{"starting", "start_error", "shutting_down", "off"}},
		{"a timeout", []berth.Script{slow(onStart("a", "sleep 60"))}, []string{"starting", "start_timeout", "shutting_down", "off"}},
		{"both", []berth.Script{slow(onStart("a", "sleep 60")), onStart("b", "false")}, []string{"starting", "start_error", "shutting_down", "off"}},
		{"a failing stop", []berth.Script{{ID: "s", Script: "false", RunOnStop: true}}, []string{"starting", "ready", "shutting_down", "shutdown_error"}},
		{"a slow stop", []berth.Script{{ID: "s", Script: "sleep 60", RunOnStop: true, Timeout: 1}}, []string{"starting", "ready", "shutting_down", "shutdown_timeout"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(berth.AgentSpec{Name: "main", Scripts: tt.scripts})
			_, end := startAgent(t, f)
			eventually(t, "end of the start", func() bool { return len(f.sawStates()) == 2 })
			end()
			if got := f.sawStates(); !slices.Equal(got, tt.states) {
				t.Errorf("%v, want %v", got, tt.states)
			}
		})
	}
}

func TestShutdownInterruptsStart(t *testing.T) {
	t.Parallel()
	f := newFake(berth.AgentSpec{Name: "main", Scripts: []berth.Script{
		onStart("one", "trap 'echo interrupted; exit 1' INT; echo up; while :; do :; done"),
	}})
	_, end := startAgent(t, f)
	eventually(t, "the script", func() bool { return strings.Contains(f.text("one"), "up") })
	end()
	if got := f.sawStates(); !slices.Equal(got, []string{"starting", "shutting_down", "off"}) {
		t.Errorf("%v", got)
	}
	if !strings.Contains(f.text("one"), "interrupted\n") {
		t.Errorf("%q", f.text(""))
	}
}

// Safety: scripts run once, however often the agent links.
func TestRelinks(t *testing.T) {
	t.Parallel()
	f := newFake(berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("one", "echo ran")}})
	startAgent(t, f)
	for n := 1; n <= 4; n++ {
		eventually(t, "a link", func() bool { return f.linkCount() == n })
		f.endLink()
	}
	eventually(t, "ready", func() bool { return slices.Contains(f.sawStates(), "ready") })
	eventually(t, "what links are cut", func() bool { return strings.Contains(f.text("agent"), "was cut 3 times in a row") })
	if got := f.text("one"); got != "ran\n" {
		t.Errorf("%q", got)
	}
}

func TestServerAway(t *testing.T) {
	t.Parallel()
	f := newFake(berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("one", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done")}})
	f.goAway(berth.Errorf(berth.Unauthenticated, "this token is nobody's"))
	startAgent(t, f)
	time.Sleep(300 * time.Millisecond)
	f.goAway(nil)
	eventually(t, "first line", func() bool { return strings.Contains(f.text(""), "1\n") })
	f.goAway(berth.Errorf(berth.Unavailable, "restarting"))
	f.endLink()
	time.Sleep(time.Second)
	f.goAway(nil)
	back := time.Now()
	links := f.linkCount()
	eventually(t, "ready", func() bool { return slices.Contains(f.sawStates(), "ready") })
	eventually(t, "all lines", func() bool { return f.text("one") == "1\n2\n3\n4\n5\n6\n" })
	eventually(t, "link", func() bool { return f.linkCount() > links })
	if took := time.Since(back); took > 6*time.Second {
		t.Errorf("the agent was back after %v", took)
	}
}

func TestUnknownHookIsSkipped(t *testing.T) {
	t.Parallel()
	f := newFake(berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("one", "echo ran")}})
	f.manifest.Hooks = []api.Hook{{Kind: "teleport", Name: "beam"}, {Kind: "scripts", Name: "scripts"}}
	startAgent(t, f)
	eventually(t, "ready", func() bool { return slices.Contains(f.sawStates(), "ready") })
	eventually(t, "both lines", func() bool {
		return strings.Contains(f.text("agent"), `"teleport"`) && f.text("one") == "ran\n"
	})
}

func TestShutdownWithoutServer(t *testing.T) {
	t.Parallel()
	f := newFake(berth.AgentSpec{Name: "main"})
	f.goAway(berth.Errorf(berth.Unavailable, "never there"))
	_, end := startAgent(t, f)
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	end()
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func TestDirectoryThatCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	f := newFake(berth.AgentSpec{Name: "main", Directory: file + "/sub", Scripts: []berth.Script{onStart("one", "pwd")}})
	startAgent(t, f)
	home, _ := os.UserHomeDir()
	eventually(t, "home", func() bool { return f.text("one") == home+"\n" && strings.Contains(f.text("agent"), "cannot be made") })
}

func TestCron(t *testing.T) {
	t.Parallel()
	f := newFake(berth.AgentSpec{Name: "main", Scripts: []berth.Script{
		{ID: "c", DisplayName: "c", Script: "echo tick", Cron: "* * * * * *"},
		{ID: "d", DisplayName: "d", Script: "echo never", Cron: "nonsense"},
		onStart("one", "sleep 1.5; echo started"),
	}})
	_, end := startAgent(t, f)
	eventually(t, "two ticks", func() bool { return strings.Count(f.text("c"), "tick") >= 2 })
	if all := f.text(""); strings.Index(all, "tick") < strings.Index(all, "started") {
		t.Error("ran before the start was over")
	}
	if !strings.Contains(f.text("d"), `"nonsense"`) {
		t.Error("nothing was said of a broken schedule")
	}
	end()
	ticks := strings.Count(f.text("c"), "tick")
	time.Sleep(1200 * time.Millisecond)
	if strings.Count(f.text("c"), "tick") != ticks {
		t.Error("ran after the end")
	}
}

// A server that links its agents itself is linked to as it was reached, and
// not as it calls itself.
func TestRelayURL(t *testing.T) {
	t.Parallel()
	for relay, want := range map[string]string{"http://127.0.0.1:1/": "", "http://relay": "http://relay"} {
		f := newFake(berth.AgentSpec{Name: "main"})
		f.manifest.AccessURL, f.manifest.RelayURL = "http://127.0.0.1:1", relay
		_, end := startAgent(t, f)
		eventually(t, "link", func() bool { return f.linkCount() > 0 })
		end()
		if f.relays[0] != want {
			t.Errorf("linked to %q, want %q", f.relays[0], want)
		}
	}
}

// An agent whose clock was set back is greeted all the same.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	f := newFake(berth.AgentSpec{Name: "main"})
	f.lastBoot = time.Now().Add(10 * time.Minute).UnixMilli()
	a, _ := startAgent(t, f)
	eventually(t, "ready", func() bool { return slices.Contains(f.sawStates(), "ready") })
	if a.states.boot < f.lastBoot || a.lines.boot != a.states.boot {
		t.Errorf("reports as process %d, after %d", a.states.boot, f.lastBoot)
	}
}
