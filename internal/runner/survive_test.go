package runner

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

var (
	storm = flag.Int("storm", 6, "how many kills each storm makes")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the storms")
)

func TestAnotherRunnerGoesOnWithTheKeepers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	applied := filepath.Join(t.TempDir(), "applied")
	build := b.enqueue(step{Log: "before"}, step{Judge: true}, step{Apply: applied}, step{State: 1}, step{Sleep: 700}, step{Log: "after"}, step{State: 2})
	_, stop := b.run(t)
	eventually(t, "the apply", func() bool { return lines(t, applied) == 1 })
	stop()
	b.run(t)
	f := build.wait(t)
	if f.Error != "" || f.Attempt != 1 || f.Serial != 2 {
		t.Errorf("finish = %+v, want the first attempt to succeed", f)
	}
	if n := lines(t, applied); n != 1 {
		t.Errorf("applied %d times", n)
	}
	b.whole(t, build)
	if text := b.logText(build); !strings.Contains(text, "before") || !strings.Contains(text, "after") {
		t.Errorf("log = %q", text)
	}
	b.clean(t)
}

// A question that was asked while a runner died is asked again by the next.
func TestVerdictReachesTheKeeperThroughAnotherRunner(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	blocked := make(chan struct{})
	b.block["judge"] = blocked
	applied := filepath.Join(t.TempDir(), "applied")
	build := b.enqueue(step{Judge: true}, step{Apply: applied})
	_, stop := b.run(t)
	eventually(t, "a question", func() bool { q, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileJudge)); return len(q) == 1 })
	stop()
	b.do(func() { delete(b.block, "judge") })
	b.run(t)
	if f := build.wait(t); f.Error != "" || lines(t, applied) != 1 {
		t.Errorf("finish = %+v, applied %d times", f, lines(t, applied))
	}
}

func TestRunnerKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	t.Logf("-seed=%d", *seed)
	random := rand.New(rand.NewPCG(*seed, 1))
	b := newBench(t)
	dir := t.TempDir()
	var builds []*fakeBuild
	for i := range 8 {
		applied := filepath.Join(dir, fmt.Sprint(i))
		builds = append(builds, b.enqueue(step{Logs: 50}, step{Judge: true}, step{Apply: applied}, step{State: 1}, step{Sleep: 100 * random.IntN(10)}, step{Logs: 50}, step{State: 2}, step{Logs: 50}))
	}
	left := func() (n int) {
		b.do(func() {
			for _, build := range builds {
				if build.finish == nil {
					n++
				}
			}
		})
		return n
	}
	kills := 0
	for ; left() > 0 && kills < 2**storm; kills++ {
		kill := b.process(t)
		wait := time.Duration(50+random.IntN(400)) * time.Millisecond
		for until := time.Now().Add(wait); left() > 0 && time.Now().Before(until); {
			time.Sleep(10 * time.Millisecond)
		}
		kill()
	}
	b.run(t)
	for i, build := range builds {
		f := build.wait(t)
		if f.Error != "" || f.Serial != 2 {
			t.Errorf("build %d: %q, serial %d", i, f.Error, f.Serial)
		}
		if n := lines(t, filepath.Join(dir, fmt.Sprint(i))); n != 1 {
			t.Errorf("build %d was applied %d times", i, n)
		}
		b.whole(t, build)
	}
	t.Logf("%d kills", kills)
	b.clean(t)
}

// The keeper is killed while Terraform works. Terraform must be able to save its
// state, and the newest one must be the server's.
func TestKeeperKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	t.Logf("-seed=%d", *seed)
	random := rand.New(rand.NewPCG(*seed, 2))
	for i := range *storm {
		wait := time.Duration(random.IntN(500)) * time.Millisecond
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			strayed := filepath.Join(t.TempDir(), "stray")
			living := filepath.Join(t.TempDir(), "living")
			build := b.enqueue(step{Judge: true}, step{State: 1}, step{Stray: strayed}, step{Spared: living}, step{Child: true})
			b.run(t)
			workspace := pidIn(t, living)
			t.Cleanup(func() { syscall.Kill(workspace, syscall.SIGKILL) })
			leftover := pidIn(t, strayed)
			time.Sleep(wait)
			killKeepers(b.dir)
			f := build.wait(t)
			if f.ErrorCode != "lost" || !strings.Contains(f.Error, "Its state is kept") {
				t.Errorf("finish: %q %q", f.ErrorCode, f.Error)
			}
			if f.Serial < 1 || string(f.State) != string(state(f.Serial)) {
				t.Errorf("state of serial %d: %s", f.Serial, f.State)
			}
			if left := leftovers(build.job.BuildID+".1", identity{}); len(left) > 0 || alive(leftover) && !zombie(leftover) {
				t.Errorf("left running: %v", left)
			}
			if !alive(workspace) {
				t.Error("a workspace was killed with its build")
			}
			b.whole(t, build)
			if !strings.Contains(b.logText(build), "died before its end") {
				t.Error("the log does not say what happened")
			}
			b.clean(t)
		})
	}
}

func zombie(pid int) bool {
	p, ok := readProcess(pid)
	return !ok || p.state == 'Z'
}

// Terraform's own save after its keeper's death is waited for.
func TestTerraformSavesItsStateAfterItsKeepersDeath(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Judge: true}, step{Child: true})
	b.run(t)
	work := filepath.Join(b.work, "builds", build.job.BuildID+".1", "work")
	eventually(t, "terraform's state", func() bool { return exists(filepath.Join(work, "terraform.tfstate")) })
	saved := make(chan string, 1)
	go func() {
		for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if data, err := os.ReadFile(filepath.Join(work, "graceful")); err == nil && len(data) > 0 {
				saved <- string(data)
				return
			}
		}
		saved <- "never"
	}()
	killKeepers(b.dir)
	f := build.wait(t)
	if last := <-saved; fmt.Sprint(f.Serial) != last {
		t.Errorf("the server has serial %d, Terraform's last was %s", f.Serial, last)
	}
}

// A keeper that dies while no runner is there is found by the next one, and all
// that it left is with the server before anything new is taken.
func TestDeadKeeperIsShippedBeforeAnythingIsTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Log: "hello"}, step{Judge: true}, step{State: 7}, step{Sleep: 60_000})
	_, stop := b.run(t)
	eventually(t, "the state", func() bool { f, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileState)); return len(f) == 1 })
	stop()
	killKeepers(b.dir)
	eventually(t, "the keeper's death", func() bool { return len(keeperPids(b.dir)) == 0 })
	var next *fakeBuild
	early := false
	b.do(func() {
		build.states = nil
		b.takes = nil
		b.sees = func(op string, which *fakeBuild) {
			if which == build && op == "state" && len(b.takes) > 0 {
				early = true
			}
		}
	})
	next = b.enqueue(step{Log: "next"})
	b.run(t)
	if f := build.wait(t); f.ErrorCode != "lost" || f.Serial != 7 {
		t.Errorf("finish: %+v", f)
	}
	next.wait(t)
	b.do(func() {
		if early || len(build.states) == 0 || build.states[0].Serial != 7 {
			t.Errorf("a build was taken before the state was shipped: %v, states %d", early, len(build.states))
		}
	})
}

func TestResultOfAnEarlierRunIsDelivered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Judge: true}, step{State: 2}, step{Sleep: 200})
	_, stop := b.run(t)
	eventually(t, "a verdict on disk", func() bool {
		f, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileVerdict))
		return len(f) == 1
	})
	stop()
	eventually(t, "the result", func() bool {
		f, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileResult))
		return len(f) == 1 && len(keeperPids(b.dir)) == 0
	})
	b.run(t)
	if f := build.wait(t); f.Error != "" || f.Serial != 2 {
		t.Errorf("finish: %+v", f)
	}
	b.clean(t)
}

// A record without a started keeper holds nothing: the server gets the build
// back and hands it out again.
func TestHalfWrittenRecordsAreNotHeld(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r, stop := b.run(t)
	eventually(t, "hello", b.is(func() bool { return len(b.hellos) == 1 }))
	stop()
	build := b.enqueue(step{Judge: true})
	b.do(func() { // taken, and then the runner died
		b.pending = nil
		build.attempt, build.held, build.runner = 1, true, r.id
	})
	rec := newRecord(r.recordDir(), build.job.BuildID, 1)
	if err := rec.write(order{Job: build.job}); err != nil {
		t.Fatal(err)
	}
	if err := makeWork(r.workDir(rec.name()), nil); err != nil {
		t.Fatal(err)
	}
	other := newRecord(r.recordDir(), string(berth.NewID[berth.Build]()), 1)
	os.Mkdir(filepath.Join(r.recordDir(), newPrefix+other.name()), 0o700)
	os.Mkdir(filepath.Join(r.recordDir(), gonePrefix+other.name()), 0o700)
	unknown := filepath.Join(b.work, "builds", "somebody.else")
	os.Mkdir(unknown, 0o700)
	b.run(t)
	if f := build.wait(t); f.Attempt != 2 || f.Error != "" {
		t.Errorf("finish = %+v, want the second attempt to succeed", f)
	}
	b.do(func() {
		if len(b.hellos[1].Holds) != 0 || build.released != 1 {
			t.Errorf("hello named %v, released %d times", b.hellos[1].Holds, build.released)
		}
	})
	if !exists(unknown) {
		t.Error("a build directory of which nothing is known was removed")
	}
	os.Remove(unknown)
	b.clean(t)
}

// The keeper cannot be started at all: the build says why, and nothing changed.
func TestKeeperThatCannotStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, self := range []string{"/bin/false", "/does/not/exist"} {
		b.opt.Self = self
		build := b.enqueueJob(api.Job{Env: map[string]string{scriptEnv: `[]`}})
		_, stop := b.run(t)
		if f := build.wait(t); f.ErrorCode != "runner" || !strings.Contains(f.Error, "start") {
			t.Errorf("finish: %+v", f)
		}
		b.clean(t)
		stop()
	}
}
