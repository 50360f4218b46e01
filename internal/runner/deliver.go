package runner

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// asideDir holds records whose state no server wanted to have.
const asideDir = "aside"

// deliver brings the result to the server. When it returns true, the record is
// not needed any more; false when ctx was done first.
func (h *held) deliver(ctx context.Context, f api.Finish) bool {
	if h.disowned() {
		return h.deliverAside(ctx, f)
	}
	h.finishing.Store(true)
	f.RunnerID, f.Attempt = h.r.id, h.rec.attempt
	tries := 0
	err := h.sendFinish(ctx, f, &tries)
	for n := 0; berth.ErrorCode(err) == berth.Invalid; n++ {
		// It would be refused for ever, and the build would never end. Its
		// state is what matters.
		h.r.o.Log.Error("the server refused the result of a build", "build", h.rec.name(), "error", err)
		pause(ctx, backoff(n))
		f = api.Finish{RunnerID: f.RunnerID, Attempt: f.Attempt, Lineage: f.Lineage, Serial: f.Serial, State: f.State, Addresses: f.Addresses,
			ErrorCode: berth.FailedResult, Error: "The server refused the result of this build: " + errorText(err)}
		err = h.sendFinish(ctx, f, &tries)
	}
	switch {
	case err == nil:
		return true
	case ctx.Err() != nil:
		return false
	case berth.ErrorCode(err) == berth.Conflict && tries > 1:
		return true // an earlier try got through and its answer did not
	default:
		return h.deliverAside(ctx, f)
	}
}

func (h *held) sendFinish(ctx context.Context, f api.Finish, tries *int) error {
	return h.insist(ctx, "finishing a build", sendTime, func(ctx context.Context) error {
		*tries++
		return h.r.o.Client.RunnerFinish(ctx, h.rec.build, f)
	})
}

// deliverAside brings the state of a build that is not ours any more to the
// server, which says conflict and keeps it aside. If it takes it in no way,
// the record moves aside on this disk: a state is not thrown away.
func (h *held) deliverAside(ctx context.Context, f api.Finish) bool {
	if len(f.State) == 0 {
		return true
	}
	s := api.RunnerState{RunnerID: h.r.id, Attempt: h.rec.attempt, Lineage: f.Lineage, Serial: f.Serial, State: f.State}
	unknown := 0
	for n := 0; ; n++ {
		err := within(ctx, sendTime, func(ctx context.Context) error {
			return h.r.o.Client.RunnerState(ctx, h.rec.build, s)
		})
		if err != nil && ctx.Err() != nil {
			return false
		}
		switch berth.ErrorCode(err) {
		case "", berth.Conflict:
			return true
		case berth.NotFound, berth.Invalid, berth.Forbidden:
			if unknown++; unknown >= 5 {
				h.putAside()
				return true
			}
		}
		if n%20 == 0 {
			h.r.o.Log.Warn("shipping the state of a build that is not ours any more", "build", h.rec.name(), "error", err)
		}
		pause(ctx, backoff(n))
	}
}

func (h *held) putAside() {
	dir := filepath.Join(h.r.o.Dir, asideDir)
	to := filepath.Join(dir, h.rec.name())
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.Rename(h.rec.dir, to)
	}
	h.r.o.Log.Error("the server does not know a build that ran here; its record with the state stays on this disk", "dir", to, "error", err)
}

// clear removes the record and the build's directory once the keeper is gone.
func (h *held) clear(ctx context.Context) {
	if !h.awaitDeath(ctx) {
		return // the next run clears it
	}
	if err := h.rec.remove(h.r.workDir(h.rec.name())); err != nil {
		h.r.o.Log.Error("removing a build that is over; the next start tries again", "build", h.rec.name(), "error", err)
	}
}

// awaitDeath gives a keeper that has written its result a moment to go, and
// kills it then.
func (h *held) awaitDeath(ctx context.Context) bool {
	for n := 0; ctx.Err() == nil; n++ {
		if !exists(h.rec.dir) { // never begun, or put aside
			return true
		}
		if lock, err := tryLock(h.rec.path(fileLock)); err == nil {
			lock.Close()
			return true
		}
		var keeper identity
		if found, err := readJSON(h.rec.path(filePid), &keeper); n > 100 && found && err == nil && identify(keeper.Pid) == keeper {
			syscall.Kill(keeper.Pid, syscall.SIGKILL)
		}
		pause(ctx, 50*time.Millisecond)
	}
	return false
}
