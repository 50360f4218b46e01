package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/terraform"
)

// markAlive says that there is nothing to wait for when the keeper lives: what
// it writes is shipped as it appears.
func (h *held) markAlive() {
	if lock, err := tryLock(h.rec.path(fileLock)); err == nil {
		lock.Close()
		return
	}
	h.markShipped()
}

// await waits for the keeper's end and gives the result: the keeper's own, or
// what can be said of one that died. over is false when ctx was done first.
func (h *held) await(ctx context.Context) (result api.Finish, over bool) {
	for ctx.Err() == nil {
		ring := h.bell.C()
		// The lock is looked at first: a result cannot appear after it was free.
		lock, lockErr := tryLock(h.rec.path(fileLock))
		found, err := readJSON(h.rec.path(fileResult), &result)
		if err != nil {
			h.r.o.Log.Error("reading the result of a build", "build", h.rec.name(), "error", err)
		}
		switch {
		case found && err == nil:
			if lockErr == nil {
				lock.Close()
			}
			return result, true
		case lockErr == nil:
			defer lock.Close()
			result = h.recover(ctx)
			return result, ctx.Err() == nil
		case !errors.Is(lockErr, errLocked):
			h.r.o.Log.Error("looking whether a keeper lives", "build", h.rec.name(), "error", lockErr)
		}
		rest(ctx, ring, lookEvery)
	}
	return api.Finish{}, false
}

// recover ends what a dead keeper left and makes its build's result from what
// is on disk.
func (h *held) recover(ctx context.Context) api.Finish {
	var keeper identity
	began, err := readJSON(h.rec.path(filePid), &keeper)
	if !began && err == nil {
		return failure(berth.FailedRunner, fmt.Errorf("the keeper of this build could not be started: %s", h.tail()))
	}
	h.r.o.Log.Warn("a keeper died; recovering its build", "build", h.rec.name(), "pid", keeper.Pid)
	// What is there now goes to the server first: Terraform may take long.
	if last, ok := h.newest(terraform.Glance); ok {
		h.sendState(ctx, api.RunnerState{Lineage: last.Lineage, Serial: last.Serial, State: last.State})
	}
	h.markShipped()
	h.endLeftovers(ctx, keeper)
	if ctx.Err() != nil {
		return api.Finish{}
	}
	f := api.Finish{ErrorCode: berth.FailedLost}
	last, kept := h.newest(func(dir string) (terraform.Result, error) {
		return terraform.Recover(dir, h.order.Job.State, h.kept().State)
	})
	if kept {
		f = withResult(f, last)
	}
	f.Error = h.lostText(last, kept)
	if log, err := openLog(h.rec.path(fileLog)); err == nil {
		log.Log(berth.Log{Level: "error", Source: "berth", Text: f.Error})
		log.Close()
	}
	if err := replaceJSON(h.rec.path(fileResult), f); err != nil { // worked out again if need be
		h.r.o.Log.Error("keeping the result of a build", "build", h.rec.name(), "error", err)
	}
	return f
}

func (h *held) endLeftovers(ctx context.Context, keeper identity) {
	patient, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-h.force:
			stop()
		case <-patient.Done():
		}
	}()
	interrupt := !exists(h.rec.path(fileCut))
	if interrupt {
		if err := replaceJSON(h.rec.path(fileCut), "The keeper died."); err != nil {
			h.r.o.Log.Warn("noting that Terraform is interrupted", "build", h.rec.name(), "error", err)
		}
	}
	killed := endLeftovers(patient, h.rec.name(), h.order.Engine.Path, keeper, h.r.o.Grace, interrupt)
	killed += killLeftovers(ctx, h.rec.name(), keeper)
	if killed > 0 {
		h.r.o.Log.Info("killed what a dead keeper left running", "build", h.rec.name(), "processes", killed)
	}
}

// lostText is what a person reads of a build whose keeper died. Nothing is
// applied before a verdict is on disk, so without one nothing has changed.
func (h *held) lostText(last terraform.Result, kept bool) string {
	const died = "The process that ran this build died before its end (killed, out of memory, or the machine went down). "
	var a answer
	if found, err := readJSON(h.rec.path(fileVerdict), &a); err == nil && (!found || !a.Verdict.Allow) {
		return died + "Nothing had been changed yet: start it again."
	}
	if !kept {
		return died + "It had written no new state, and the one before it is kept. Something that Terraform was just making may be left behind; the next build goes on from the kept state."
	}
	saved := died + fmt.Sprintf("Its state is kept as of revision %d: the next build goes on from there. ", last.Serial)
	switch {
	case len(last.Lost) > 0:
		return saved + strings.Join(last.Lost, ". ") + ". The next build looks for it."
	case last.Journaled:
		return saved + "What Terraform had begun was seen through and is in it."
	}
	return saved + "Something that Terraform was just making may be left behind."
}

// newest is the newest state that this build left on disk, as read reads it, if
// it is not the one that it began with.
func (h *held) newest(read func(dir string) (terraform.Result, error)) (terraform.Result, bool) {
	best, err := read(h.r.workDir(h.rec.name()))
	if err != nil { // best holds what could be read all the same
		h.r.o.Log.Warn("reading what Terraform left on disk", "build", h.rec.name(), "error", err)
	}
	if kept := h.kept(); len(kept.State) > 0 && (len(best.State) == 0 || kept.Lineage == best.Lineage && kept.Serial > best.Serial) {
		best = parseState(kept)
	}
	began := stateName(h.order.Job.State)
	return best, len(best.State) > 0 && (best.Lineage != began.Lineage || best.Serial != began.Serial)
}

// kept is the newest revision that the keeper put into the record.
func (h *held) kept() (kept api.RunnerState) {
	if found, err := readJSON(h.rec.path(fileState), &kept); err != nil || !found {
		return api.RunnerState{}
	}
	return kept
}

// parseState has package terraform read a revision that stands alone.
func parseState(s api.RunnerState) terraform.Result {
	r, _ := terraform.ReadState(s.State) // what could not be read of it is left out
	r.Lineage, r.Serial, r.State = s.Lineage, s.Serial, s.State
	return r
}

// stateName reads which revision a state is; zero for none.
func stateName(state []byte) (name struct {
	Lineage string `json:"lineage"`
	Serial  int64  `json:"serial"`
}) {
	json.Unmarshal(state, &name)
	return name
}
