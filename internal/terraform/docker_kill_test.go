package terraform

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// Terraform or the docker plugin is killed in the middle of making a container:
// the next build finds it, whatever its name is taken by.
func TestKilledInFrontOfDocker(t *testing.T) {
	t.Parallel()
	s := dockerSite(t)
	i := s.must(starter(t, "docker"))
	for who, what := range map[string]string{"terraform": "terraform\x00apply", "plugin": "provider-docker", "journal": "berth-plugin\x00journal"} {
		t.Run(who, func(t *testing.T) {
			hits := 0
			for n := range storm(2) {
				if s.killInDocker(t, i, what, time.Duration(n%4)*60*time.Millisecond) {
					hits++
				}
			}
			t.Logf("%d builds were cut", hits)
			if hits == 0 {
				t.Error("no build was cut")
			}
		})
	}
}

func (s *site) killInDocker(t *testing.T, i Installation, what string, after time.Duration) (cut bool) {
	t.Helper()
	workspace := string(berth.NewID[berth.Workspace]())
	container, volume := "berth-"+workspace, "berth-"+workspace+"-home"
	defer docker(t, "rm", "-f", container)
	build := func(tr berth.Transition, state []byte) Options {
		o := s.dockerOptions(workspace, i, tr, state)
		o.Journal = filepath.Join(filepath.Dir(pluginMirror), "berth-plugin")
		return o
	}
	o := build(berth.Start, nil)
	done := make(chan bool)
	ctx, stop := context.WithCancel(t.Context())
	rec := &recorder{t: t, onLog: func(l berth.Log) {
		if !strings.HasPrefix(l.Text, "docker_container.workspace[0]: Creating") {
			return
		}
		go func() {
			time.Sleep(after)
			hit := false
			for _, pid := range victims(o.Dir, what) {
				hit = syscall.Kill(pid, syscall.SIGKILL) == nil || hit
			}
			select {
			case done <- hit:
			case <-ctx.Done():
			}
		}()
	}}
	var hit bool
	waited := make(chan bool)
	go func() {
		defer close(waited)
		select {
		case hit = <-done:
		case <-ctx.Done():
		}
	}()
	first, err := Run(t.Context(), o, rec, allow(nil))
	time.AfterFunc(2*time.Second, stop)
	<-waited
	stop()
	cut = hit && err != nil
	there := !strings.HasPrefix(docker(t, "inspect", container), "error")
	if what == "terraform\x00apply" && cut && there != strings.Contains(strings.Join(first.Addresses, " "), "docker_container") {
		t.Errorf("after %s: the container is there: %v, and the state has %v\n%s", after, there, first.Addresses, rec.text())
	}
	rec = &recorder{t: t}
	second, err := Run(t.Context(), build(berth.Start, first.State), rec, allow(nil))
	if err != nil {
		t.Fatalf("after %s the next build fails: %v\n%s", after, err, rec.text())
	}
	if id := docker(t, "inspect", "-f", "{{.Id}}", container); second.State != nil && !strings.Contains(string(second.State), id) {
		t.Errorf("the container %s is not in the state", id)
	}
	last, err := Run(t.Context(), build(berth.Delete, newer(second, first).State), &recorder{t: t}, allow(nil))
	if err != nil || len(last.Addresses) > 0 {
		t.Fatalf("the delete leaves %v: %v", last.Addresses, err)
	}
	for _, gone := range [][]string{{"inspect", container}, {"volume", "inspect", volume}} {
		if out := docker(t, gone...); !strings.HasPrefix(out, "error") {
			t.Errorf("left behind: %s", out)
		}
	}
	return cut
}
