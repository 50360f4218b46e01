package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/plugin"
	"github.com/berthdev/berth/internal/terraform"
)

func (r *Runner) recordDir() string { return filepath.Join(r.o.Dir, "builds") }

// launch starts the keeper of a build that was just taken. What keeps it from
// that is the build's result: nothing has been changed.
func (h *held) launch(ctx context.Context) *api.Finish {
	if !h.fresh {
		return nil
	}
	fetch, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-h.quit:
			stop()
		case <-fetch.Done():
		}
	}()
	err := h.prepare(fetch)
	select {
	case <-h.quit:
		return &api.Finish{Canceled: true}
	default:
	}
	if err == nil {
		err = h.start()
	}
	if err != nil {
		if ctx.Err() == nil {
			h.r.o.Log.Error("starting a build", "build", h.rec.name(), "error", err)
		}
		f := failure(berth.FailedRunner, roomError("starting the build", err))
		return &f
	}
	return nil
}

// prepare puts all that a keeper needs on disk, since it has no way to the server.
func (h *held) prepare(ctx context.Context) error {
	archive, err := h.r.archive(ctx, h.order.Job.Archive)
	if err != nil {
		return err
	}
	var carried string
	if hash := h.order.Job.Carried; hash != "" {
		if carried, err = h.r.archive(ctx, hash); err != nil {
			return err
		}
	}
	h.r.mu.Lock()
	engine := h.r.engine
	h.r.mu.Unlock()
	h.order = order{
		Job: h.order.Job, Engine: engine, As: h.r.o.As, Env: h.r.o.Env, Pass: h.r.o.Pass, Archive: archive, Carried: carried,
		Mirror:        strings.Join(append([]string{filepath.Join(h.r.o.Work, "mirror")}, h.r.o.Mirrors...), string(os.PathListSeparator)),
		Fetch:         h.r.o.Fetch,
		Journal:       plugin.Binary(filepath.Join(h.r.o.Work, "mirror")),
		Installations: filepath.Join(h.r.o.Work, "installations"),
		Work:          h.r.workDir(h.rec.name()),
		Grace:         h.r.o.Grace,
		Warm:          h.r.warmth.offers(),
	}
	if err := h.rec.write(h.order); err != nil {
		return err
	}
	return makeWork(h.order.Work, h.r.o.As)
}

// makeWork makes a build's directory, for its user alone.
func makeWork(dir string, as *terraform.As) error {
	if err := os.RemoveAll(dir); err != nil { // of a taking that never began
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if as == nil {
		return nil
	}
	return os.Lchown(dir, int(as.UID), int(as.GID))
}

// start starts the keeper, in a session of its own, so that it outlives us and
// no terminal's or service's signals reach it. It is born holding its lock.
func (h *held) start() error {
	lock, err := tryLock(h.rec.path(fileLock))
	if err != nil {
		return fmt.Errorf("locking the record: %w", err)
	}
	defer lock.Close()
	out, err := os.OpenFile(h.rec.path(fileOutput), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := &exec.Cmd{
		Path: h.r.o.Self, Args: []string{"berth", "keeper", h.rec.dir}, Dir: h.rec.dir,
		Env:    append(keeperEnv(os.Environ()), marker+"="+h.rec.name(), lockEnv+"=3"),
		Stdout: out, Stderr: out, ExtraFiles: []*os.File{lock},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the keeper: %w", err)
	}
	go func() {
		cmd.Wait()
		h.bell.Ring()
	}()
	return nil
}

// keeperEnv is env without what is meant for us: our tokens and settings.
func keeperEnv(env []string) []string {
	out := []string{terraform.Collections} // a keeper is as short-lived as what it runs
	for _, kv := range env {
		if !strings.HasPrefix(kv, "BERTH_") {
			out = append(out, kv)
		}
	}
	return out
}

// reachable tells whether the build user can get into dir.
func reachable(dir string, as *terraform.As) error {
	if as == nil || as.UID == 0 {
		return nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if !mayPass(info, as) {
			return berth.Errorf(berth.Invalid,
				"the build user (uid %d) cannot reach %s, since %s is closed to it: choose another data directory, open that one with chmod o+x, or say --build-user root",
				as.UID, dir, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

func mayPass(info os.FileInfo, as *terraform.As) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := info.Mode().Perm()
	if st.Uid == as.UID {
		return mode&0o100 != 0
	}
	for _, gid := range append([]uint32{as.GID}, as.Groups...) {
		if st.Gid == gid {
			return mode&0o010 != 0
		}
	}
	return mode&0o001 != 0
}

// tail is the end of what a keeper said on its own, for a keeper that could not
// even begin.
func (h *held) tail() string {
	data, err := os.ReadFile(h.rec.path(fileOutput))
	if err != nil || len(data) == 0 {
		return "it said nothing"
	}
	const most = 2000
	if len(data) > most {
		data = data[len(data)-most:]
	}
	return cleanText(strings.TrimSpace(string(data)))
}
