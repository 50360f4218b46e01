package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

func TestServerAwayLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	applied := filepath.Join(t.TempDir(), "applied")
	gate := filepath.Join(t.TempDir(), "gate")
	build := b.enqueue(step{Ensured: gate}, step{Logs: 300}, step{State: 1}, step{Judge: true}, step{Apply: applied}, step{State: 2}, step{Logs: 300})
	b.run(t)
	eventually(t, "a keeper", func() bool { return len(keeperPids(b.dir)) == 1 })
	b.do(func() { b.down = true })
	os.WriteFile(gate, nil, 0o600)
	time.Sleep(700 * time.Millisecond)
	if lines(t, applied) != 0 {
		t.Error("applied without a verdict")
	}
	b.do(func() { b.down = false })
	eventually(t, "the apply", func() bool { return lines(t, applied) == 1 })
	b.do(func() { b.down = true })
	time.Sleep(700 * time.Millisecond)
	b.do(func() { b.down = false })
	if f := build.wait(t); f.Error != "" || f.Serial != 2 {
		t.Errorf("finish = %+v", f)
	}
	b.whole(t, build)
	if n := strings.Count(b.logText(build), "line 299"); n != 2 {
		t.Errorf("the last line came %d times, want 2", n)
	}
	b.clean(t)
}

// Answers get lost after the server did the work.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, op := range []string{"hello", "take", "logs", "state", "judge", "finish", "archives"} {
		b.mute[op] = 1
	}
	applied := filepath.Join(t.TempDir(), "applied")
	build := b.enqueue(step{Log: "x"}, step{State: 1}, step{Judge: true}, step{Apply: applied}, step{Sleep: 300}, step{State: 2})
	b.run(t)
	if f := build.wait(t); f.Error != "" || f.Serial != 2 || f.Attempt != 2 {
		t.Errorf("finish = %+v, want the second taking to succeed, since the first got lost", f)
	}
	if n := lines(t, applied); n != 1 {
		t.Errorf("applied %d times", n)
	}
	b.whole(t, build)
	b.clean(t)
}

// A proxy in front of a server that is down may say "not found".
func TestNotFoundIsNoAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	gone := berth.Errorf(berth.NotFound, "no such page")
	b.refuse["beat"], b.refuse["logs"], b.refuse["judge"] = gone, gone, gone
	build := b.enqueue(step{Judge: true}, step{State: 1})
	b.run(t)
	eventually(t, "a keeper", func() bool { return len(keeperPids(b.dir)) == 1 })
	time.Sleep(300 * time.Millisecond)
	b.do(func() { clear(b.refuse) })
	if f := build.wait(t); f.Error != "" || f.Attempt != 1 {
		t.Errorf("finish = %+v", f)
	}
}

func TestRefusedResultStillEndsTheBuild(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.refuse["finish"] = berth.Errorf(berth.Invalid, "agents[0].id is no id")
	build := b.enqueue(step{Judge: true}, step{State: 4})
	b.run(t)
	eventually(t, "a refusal", b.is(func() bool { return b.refused["finish"] > 0 }))
	b.do(func() { clear(b.refuse) })
	if f := build.wait(t); f.Serial != 4 || f.ErrorCode != berth.FailedResult || !strings.Contains(f.Error, "agents[0].id") {
		t.Errorf("finish = %+v", f)
	}
}

func TestRefusedLogLinesDoNotBlock(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.refuse["logs"] = berth.Errorf(berth.Invalid, "no")
	build := b.enqueue(step{Logs: 3000}, step{Judge: true})
	b.run(t)
	if f := build.wait(t); f.Error != "" {
		t.Errorf("finish = %+v", f)
	}
}

// The server gave the build to somebody else: it ends here, and its state is
// kept aside there.
func TestConflictEndsTheBuild(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Judge: true}, step{State: 5}, step{Sleep: 60_000})
	b.run(t)
	eventually(t, "the state", b.is(func() bool { return len(build.states) == 1 }))
	b.do(func() { build.attempt++ })
	eventually(t, "the state, kept aside", b.is(func() bool { return len(build.aside) == 1 }))
	b.do(func() {
		if build.finish != nil || build.aside[0].Serial != 5 || build.aside[0].Attempt != 1 {
			t.Errorf("finish %v, aside %+v", build.finish, build.aside[0])
		}
	})
	b.clean(t)
	eventually(t, "the keeper's end", func() bool { return len(keeperPids(b.dir)) == 0 })
}

// A server that forgot the build, as one restored from a backup has, gets
// nothing: the record stays on this disk.
func TestForgottenBuildStaysOnDisk(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	build := b.enqueue(step{Judge: true}, step{State: 5}, step{Sleep: 60_000})
	_, stop := b.run(t)
	eventually(t, "the state", b.is(func() bool { return len(build.states) == 1 }))
	stop()
	b.do(func() { delete(b.builds, build.job.BuildID) })
	b.run(t)
	aside := filepath.Join(b.dir, asideDir, build.job.BuildID+".1", fileResult)
	eventually(t, "the record, put aside", func() bool { return exists(aside) })
	b.clean(t)
}
