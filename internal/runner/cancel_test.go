package runner

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func (b *bench) cancel(build *fakeBuild, force bool) {
	b.do(func() { build.cancel, build.force = true, force })
}

func TestCancelRunning(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Judge: true}, step{State: 3}, step{Sleep: 60_000})
	b.run(t)
	eventually(t, "the state", b.is(func() bool { return len(build.states) == 1 }))
	b.cancel(build, false)
	f := build.wait(t)
	if !f.Canceled || f.Error != "" || f.Serial != 3 {
		t.Errorf("finish = %+v", f)
	}
	if !strings.Contains(b.logText(build), "was canceled") {
		t.Error("the log does not say so")
	}
	b.clean(t)
}

func TestCancelWhileItWaitsForItsVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	blocked := make(chan struct{})
	defer close(blocked)
	b.block["judge"] = blocked
	applied := filepath.Join(t.TempDir(), "applied")
	build := b.enqueue(step{Judge: true}, step{Apply: applied})
	b.run(t)
	eventually(t, "a question", func() bool { q, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileJudge)); return len(q) == 1 })
	b.cancel(build, false)
	if f := build.wait(t); !f.Canceled || lines(t, applied) != 0 {
		t.Errorf("finish = %+v, applied %d", f, lines(t, applied))
	}
}

func TestCancelBeforeTheKeeperIsStarted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	blocked := make(chan struct{})
	defer close(blocked)
	b.block["archives"] = blocked
	build := b.enqueue(step{Log: "x"})
	b.run(t)
	eventually(t, "a beat", b.is(func() bool { return build.beats > 0 }))
	b.cancel(build, false)
	if f := build.wait(t); !f.Canceled {
		t.Errorf("finish = %+v", f)
	}
	b.clean(t)
}

func TestForceKillsWhatIsDeaf(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]step{"deaf": {Deaf: true}, "stuck": {Stuck: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.opt.Grace = time.Hour
			build := b.enqueue(step{Judge: true}, step{State: 3}, last)
			b.run(t)
			eventually(t, "the state", b.is(func() bool { return len(build.states) == 1 }))
			b.cancel(build, false)
			time.Sleep(150 * time.Millisecond)
			b.do(func() {
				if build.finish != nil {
					t.Error("ended without force")
				}
			})
			b.cancel(build, true)
			if f := build.wait(t); !f.Canceled && f.ErrorCode != "runner" || f.Serial != 3 {
				t.Errorf("finish = %+v", f)
			}
			if !strings.Contains(b.logText(build), "left behind") {
				t.Error("the log does not warn of what a kill may leave")
			}
			b.clean(t)
		})
	}
}

func TestGraceEndsInAKill(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.opt.Grace = 200 * time.Millisecond
	build := b.enqueue(step{Judge: true}, step{State: 3}, step{Deaf: true})
	b.run(t)
	eventually(t, "the state", b.is(func() bool { return len(build.states) == 1 }))
	b.cancel(build, false)
	if f := build.wait(t); !f.Canceled || f.Serial != 3 {
		t.Errorf("finish = %+v", f)
	}
}

// The time in which a build waits for its verdict is not counted.
func TestWaitingForAVerdictCostsNoTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	blocked := make(chan struct{})
	b.block["judge"] = blocked
	build := b.enqueue(step{Judge: true}, step{State: 1})
	build.job.Timeout = 5 // on a busy machine the way to the verdict takes a while
	b.run(t)
	time.Sleep(6 * time.Second)
	close(blocked)
	if f := build.wait(t); f.Error != "" || f.Serial != 1 {
		t.Errorf("finish = %+v", f)
	}
}

// A machine that shuts down asks every process to end.
func TestKeeperEndsGracefullyOnSigterm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Judge: true}, step{State: 3}, step{Sleep: 60_000})
	b.run(t)
	eventually(t, "the state", b.is(func() bool { return len(build.states) == 1 }))
	for _, pid := range keeperPids(b.dir) {
		syscall.Kill(pid, syscall.SIGTERM)
	}
	if f := build.wait(t); f.ErrorCode != "runner" || !strings.Contains(f.Error, "shutting down") || f.Serial != 3 {
		t.Errorf("finish = %+v", f)
	}
}

// A cancel, and then force, is heard long before the next beat.
func TestCancelIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.beat, b.patient, b.opt.Grace = 10, true, time.Hour
	build := b.enqueue(step{Judge: true}, step{State: 3}, step{Deaf: true})
	b.run(t)
	eventually(t, "the state", b.is(func() bool { return len(build.states) == 1 }))
	began := time.Now()
	b.cancel(build, false)
	eventually(t, "word of the cancel", b.is(func() bool { return build.knows.Cancel }))
	b.cancel(build, true)
	build.wait(t)
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it ended after %v", took)
	}
}

// A server that answers beats at once is not asked without a pause.
func TestBeatsOfAnOldServer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.beat = 10
	build := b.enqueue(step{Judge: true}, step{State: 3}, step{Sleep: 60_000})
	build.cancel = true
	b.block["judge"] = make(chan struct{})
	b.run(t)
	build.wait(t)
	b.do(func() {
		if build.beats > 2 {
			t.Errorf("%d beats for one build", build.beats)
		}
	})
}
