package runner

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/terraform"
)

func TestABuildFromItsTakingToItsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	gate := filepath.Join(t.TempDir(), "gate")
	applied := filepath.Join(t.TempDir(), "applied")
	build := b.enqueue(step{Ensured: gate}, step{Log: "planning\x00\xff"}, step{Judge: true}, step{Apply: applied},
		step{State: 1}, step{Logs: 2500}, step{Sleep: 300}, step{State: 2})
	b.run(t)
	eventually(t, "a keeper", func() bool { return len(keeperPids(b.dir)) == 1 })
	private(t, b.dir)
	os.WriteFile(gate, nil, 0o600)
	f := build.wait(t)
	if f.Error != "" || f.Canceled || f.Serial != 2 || string(f.State) != string(state(2)) {
		t.Errorf("finish = %+v", f)
	}
	if len(f.Timings) == 0 || f.Timings[0].Stage != "init" {
		t.Errorf("timings = %v, want init first", f.Timings)
	}
	if n := lines(t, applied); n != 1 {
		t.Errorf("applied %d times", n)
	}
	b.whole(t, build)
	text := b.logText(build)
	for _, want := range []string{"installing", "planning", "line 2499"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	b.do(func() {
		if len(build.states) == 0 || build.states[0].Serial != 1 || string(build.states[0].State) != string(state(1)) {
			t.Errorf("states shipped while it ran: %d, want revision 1", len(build.states))
		}
		if build.asked != 1 {
			t.Errorf("judged %d times", build.asked)
		}
	})
	b.clean(t)
}

func TestImport(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueueJob(api.Job{Transition: string(berth.Import), Env: map[string]string{scriptEnv: `[{"Log":"x"}]`}})
	b.run(t)
	if f := build.wait(t); f.Error != "" || f.Contents == nil || f.Contents.Readme != "read me" {
		t.Errorf("finish = %+v", f)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		steps   []step
		timeout int
		code    string
		says    string
	}{
		{"terraform fails", []step{{State: 3}, {Fail: "main.tf:3: no"}}, 0, "terraform", "main.tf:3: no"},
		{"a fault of ours", []step{{Panic: true}}, 0, "runner", "please report"},
		{"too long", []step{{State: 3}, {Sleep: 60_000}}, 1, "timeout", "limit of 1s"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			build := b.enqueue(c.steps...)
			build.job.Timeout = c.timeout
			b.run(t)
			f := build.wait(t)
			if f.ErrorCode != c.code || !strings.Contains(f.Error, c.says) {
				t.Errorf("error = %q %q, want %q with %q", f.ErrorCode, f.Error, c.code, c.says)
			}
			if c.steps[0].State > 0 && f.Serial != 3 {
				t.Errorf("serial = %d, want 3: the state must come with a failure too", f.Serial)
			}
			b.clean(t)
		})
	}
}

func TestRefusedPlanIsNotApplied(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refused := []berth.Refusal{{Address: "a.home", Action: "delete"}}
	b.verdict = berth.Verdict{Reason: "it would destroy a.home", ErrorCode: "persistence", Refused: refused}
	applied := filepath.Join(t.TempDir(), "applied")
	build := b.enqueue(step{Judge: true}, step{Apply: applied})
	b.run(t)
	f := build.wait(t)
	if f.ErrorCode != "persistence" || f.Error != "it would destroy a.home" || len(f.Refused) != 1 {
		t.Errorf("finish = %+v", f)
	}
	if n := lines(t, applied); n != 0 {
		t.Errorf("applied %d times", n)
	}
}

func TestTwoRunnersOnOneDisk(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	eventually(t, "hello", b.is(func() bool { return len(b.hellos) > 0 }))
	err := b.runner(t).Run(t.Context())
	if !errors.Is(err, berth.Conflict) || !strings.Contains(err.Error(), "another") {
		t.Errorf("the second runner: %v, want a conflict", err)
	}
}

func TestIdIsDurable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 2 {
		_, stop := b.run(t)
		eventually(t, "hello", b.is(func() bool { return len(b.hellos) > i }))
		stop()
	}
	b.do(func() {
		if b.hellos[0].RunnerID != b.hellos[1].RunnerID || !berth.IsID(b.hellos[0].RunnerID) {
			t.Errorf("ids %q and %q", b.hellos[0].RunnerID, b.hellos[1].RunnerID)
		}
	})
	os.WriteFile(filepath.Join(b.dir, "id"), []byte("garbage"), 0o600)
	if err := b.runner(t).Run(t.Context()); err == nil {
		t.Error("a damaged id was accepted")
	}
}

func TestRefillsHoldHalfOfTheSlots(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	gate := filepath.Join(t.TempDir(), "gate")
	var builds []*fakeBuild
	for range 4 {
		text := `[{"Ensured":"` + gate + `"}]`
		builds = append(builds, b.enqueueJob(api.Job{Class: int(berth.ClassRefill), Env: map[string]string{scriptEnv: text}}))
	}
	r, _ := b.run(t)
	eventually(t, "a take without refills", b.is(func() bool { return len(b.takes) > 0 && !b.takes[len(b.takes)-1].Refills }))
	if n := len(r.Holds()); n != 2 {
		t.Errorf("%d refills held, want 2 of 4 slots", n)
	}
	os.WriteFile(gate, nil, 0o600)
	for _, build := range builds {
		build.wait(t)
	}
}

func TestWithoutTerraformNothingIsTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Log: "x"})
	r := b.runner(t)
	real := r.locate
	missing := make(chan struct{})
	r.locate = func(ctx context.Context, path string) (terraform.Engine, error) {
		select {
		case <-missing:
			return real(ctx, path)
		default:
			return terraform.Engine{}, berth.Errorf(berth.Unavailable, "there is no terraform: install it")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	eventually(t, "two hellos", b.is(func() bool { return len(b.hellos) >= 2 }))
	b.do(func() {
		if len(b.takes) > 0 || b.hellos[0].Problem != "there is no terraform: install it" {
			t.Errorf("takes %d, problem %q", len(b.takes), b.hellos[0].Problem)
		}
	})
	close(missing)
	build.wait(t)
	b.do(func() {
		if last := b.hellos[len(b.hellos)-1]; last.Problem != "" || last.Terraform != "1.11.4" {
			t.Errorf("last hello: %+v", last)
		}
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLittleRoomOnDiskIsAProblem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.opt.MinFree = 1 << 60
	b.run(t)
	eventually(t, "hello", b.is(func() bool { return len(b.hellos) > 0 }))
	b.do(func() {
		if !strings.Contains(b.hellos[0].Problem, "free some room") {
			t.Errorf("problem = %q", b.hellos[0].Problem)
		}
	})
}

func TestBuildUserMustReachTheWorkDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	closed := filepath.Join(t.TempDir(), "closed")
	os.Mkdir(closed, 0o700)
	os.Chmod(closed, 0o700)
	b.opt.Work, b.opt.As = filepath.Join(closed, "work"), &terraform.As{UID: 65534, GID: 65534}
	_, err := New(b.opt)
	if !errors.Is(err, berth.Invalid) || !strings.Contains(err.Error(), "chmod o+x") {
		t.Errorf("err = %v", err)
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	t.Parallel()
	for n := range 1000 {
		if d := backoff(n); d < 100*time.Millisecond || d > 15*time.Second {
			t.Fatalf("backoff(%d) = %v", n, d)
		}
	}
}

// A process of the workspace that no state tells of ends with a stop or delete
// that leaves none, and with nothing else.
func TestUnrecordedProcessesEndWithTheWorkspace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	for _, c := range []struct {
		job   api.Job
		more  step
		lives bool
	}{
		{job: api.Job{Transition: string(berth.Start)}, lives: true},
		{job: api.Job{Transition: string(berth.Stop)}, more: step{Address: "berth_directory.home"}},
		{job: api.Job{Transition: string(berth.Stop)}, more: step{Address: "module.m.berth_process.kept[0]"}, lives: true},
		{job: api.Job{Transition: string(berth.Stop)}, more: step{Fail: "no"}, lives: true},
		{job: api.Job{Transition: string(berth.Delete)}},
		{job: api.Job{Transition: string(berth.Delete), Orphan: true}, lives: true},
	} {
		file := filepath.Join(t.TempDir(), "pid")
		text, _ := json.Marshal([]step{{Judge: true}, {Spared: file}, c.more})
		c.job.Env = map[string]string{scriptEnv: string(text), "CODER_WORKSPACE_ID": string(berth.NewID[berth.Workspace]())}
		b.enqueueJob(c.job).wait(t)
		pid := pidIn(t, file)
		t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
		if lives := alive(pid) && !zombie(pid); lives != c.lives {
			t.Errorf("%s, orphan %v, %+v: the process lives: %v", c.job.Transition, c.job.Orphan, c.more, lives)
		}
	}
}
