package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// Why a keeper ends its build early.
var (
	errCanceled = errors.New("canceled")
	errTimeout  = errors.New("out of time")
	errSignal   = errors.New("asked to end by a signal")
)

// defaultTimeout bounds a build whose job names no limit.
const defaultTimeout = time.Hour

// KeeperMain is `berth keeper DIR`: it runs the build whose record is DIR, and
// nothing but that, and gives the exit status. It is started by a runner; by
// hand it is good for a build whose runner is gone for ever.
func KeeperMain(args []string) int { return keeperMain(args, realEngine{}) }

func keeperMain(args []string, e engine) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: berth keeper DIR, where DIR is a runner's record of a build")
		return 2
	}
	k, err := openKeeper(args[0], e)
	if err != nil {
		fmt.Fprintf(os.Stderr, "keeper: %v\n", err)
		return 1
	}
	k.run()
	return 0
}

// keeper runs one build.
type keeper struct {
	rec     record
	order   order
	engine  engine
	lock    *os.File
	log     *logWriter
	bell    *doorbell
	reserve *reserve // nil when there was no room for it
	budget  *budget
	lease   atomic.Pointer[lease] // of warm plugins; nil: none

	ctx      context.Context // done: interrupt Terraform; its cause says why
	stop     context.CancelCauseFunc
	ended    sync.Once
	kill     chan struct{} // closed: kill it
	killed   sync.Once
	asked    int         // questions so far
	verdicts chan answer // holds the newest that came in
	serial   int64       // newest state that was kept
}

func openKeeper(dir string, e engine) (*keeper, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	rec, ok := recordAt(filepath.Dir(dir), filepath.Base(dir))
	if !ok {
		return nil, fmt.Errorf("%s is not a record of a build", dir)
	}
	if err := os.Chdir(dir); err != nil { // the socket's path must be short
		return nil, err
	}
	k := &keeper{rec: rec, engine: e, kill: make(chan struct{}), verdicts: make(chan answer, 1)}
	if k.lock, err = keeperLock(); err != nil {
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	if exists(fileResult) || exists(filePid) {
		return nil, fmt.Errorf("the build in %s was begun before", dir)
	}
	if found, err := readJSON(fileJob, &k.order); err != nil || !found {
		return nil, fmt.Errorf("reading the job: %w", errors.Join(err, os.ErrNotExist))
	}
	k.ctx, k.stop = context.WithCancelCause(context.Background())
	os.Setenv(marker, rec.name())
	return k, replaceJSON(filePid, identify(os.Getpid()))
}

// lockEnv names the file descriptor of the lock that a runner hands over, so
// that there is no moment in which nobody holds it.
const lockEnv = "BERTH_KEEPER_LOCK"

func keeperLock() (*os.File, error) {
	defer os.Unsetenv(lockEnv)
	fd, err := strconv.Atoi(os.Getenv(lockEnv))
	if err != nil {
		return tryLock(fileLock)
	}
	syscall.CloseOnExec(fd) // what we start must not prove that we live
	return os.NewFile(uintptr(fd), fileLock), nil
}

// run does the build and writes the result. What it started is gone before
// the result can be seen, since the next build may begin right then.
func (k *keeper) run() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP)
	go func() {
		for range signals {
			k.end(errSignal)
		}
	}()
	result := k.attempt()
	killLeftovers(context.Background(), k.rec.name(), identify(os.Getpid()))
	k.finish(result)
	k.bell.Ring()
	k.lease.Load().giveBack(result.ErrorCode == "" && !result.Canceled)
	time.Sleep(10 * time.Millisecond) // for the ring to leave; the runner looks by itself anyway
}

func (k *keeper) attempt() api.Finish {
	var err error
	if k.log, err = openLog(fileLog); err == nil {
		k.bell, err = openDoorbell(k.obey)
	}
	if k.bell == nil {
		k.bell = &doorbell{}
	}
	if err == nil {
		k.reserve, err = makeReserve(fileReserve, reserveSize(len(k.order.Job.State)))
	}
	if err != nil {
		return failure(berth.FailedRunner, roomError("preparing the build", err))
	}
	k.log.wake = k.bell.Ring
	limit := time.Duration(k.order.Job.Timeout) * time.Second
	if limit <= 0 {
		limit = defaultTimeout
	}
	k.budget = newBudget(limit, func() { k.end(errTimeout) })
	defer k.budget.Stop()
	return k.work(limit)
}

// obey does what a runner tells.
func (k *keeper) obey(c command) {
	if c.Verdict != nil {
		select {
		case <-k.verdicts: // an older one that nobody waits for
		default:
		}
		select {
		case k.verdicts <- answer{N: c.N, Verdict: *c.Verdict}:
		default:
		}
	}
	if c.Cancel || c.Force {
		k.end(errCanceled)
	}
	if c.Force {
		k.force()
	}
}

// end interrupts Terraform, once, and kills it when its grace is over.
func (k *keeper) end(why error) {
	k.ended.Do(func() {
		k.Log(berth.Log{Level: "warn", Source: "berth", Text: endText(why, k.order.Grace)})
		_ = k.keep(fileCut, why.Error()) // should we be killed, nobody may interrupt it again
		k.stop(why)
		time.AfterFunc(k.order.Grace, k.force)
	})
}

func endText(why error, grace time.Duration) string {
	reason := "The build was canceled"
	switch why {
	case errTimeout:
		reason = "The build's time is over"
	case errSignal:
		reason = "The machine of this build is shutting down"
	}
	return fmt.Sprintf("%s: Terraform is interrupted, has %s to save its state, and is killed after that.", reason, grace)
}

func (k *keeper) force() {
	k.killed.Do(func() {
		k.Log(berth.Log{Level: "warn", Source: "berth", Text: "Terraform is killed. Something that it was just making may be left behind."})
		close(k.kill)
	})
}

// Log is terraform.Sink's.
func (k *keeper) Log(l berth.Log) {
	if k.log != nil {
		k.log.Log(l)
	}
}

// State is terraform.Sink's: it keeps the newest revision where the runner finds it.
func (k *keeper) State(lineage string, serial int64, state []byte) {
	if serial < k.serial {
		return
	}
	k.serial = serial
	err := k.keep(fileState, api.RunnerState{Lineage: lineage, Serial: serial, State: state})
	if err != nil { // not lost: it is in Terraform's own file, and will be in the result
		k.Log(berth.Log{Level: "error", Source: "berth", Text: roomError("keeping revision "+strconv.FormatInt(serial, 10)+" of the state", err).Error()})
		return
	}
	k.bell.Ring()
}

// judge waits for a verdict for as long as it takes. A verdict counts only once
// it is on disk, so that it is known later whether anything may have changed.
func (k *keeper) judge(ctx context.Context, plan berth.Plan) (berth.Verdict, error) {
	k.budget.Pause()
	defer k.budget.Resume()
	k.asked++
	if err := k.keep(fileJudge, question{N: k.asked, Plan: plan}); err != nil {
		return berth.Verdict{}, roomError("writing the plan down", err)
	}
	k.bell.Ring()
	for {
		select {
		case a := <-k.verdicts:
			if a.N != k.asked {
				continue
			}
			if err := k.keep(fileVerdict, a); err != nil {
				return berth.Verdict{}, roomError("writing the verdict down", err)
			}
			return a.Verdict, nil
		case <-ctx.Done():
			return berth.Verdict{}, context.Cause(ctx)
		}
	}
}

// keep writes a file of the record, out of the reserve if it must.
func (k *keeper) keep(file string, v any) error {
	err := replaceJSON(file, v)
	if full(err) && k.reserve != nil && k.reserve.Free() {
		err = replaceJSON(file, v)
	}
	return err
}

// finish writes the result, however long the disk stays full: until then this
// process holds it, and its lock tells the runner to wait. The log is completed
// in between, as the runner reads it no further than the result.
func (k *keeper) finish(result api.Finish) {
	data, err := json.Marshal(result)
	if err != nil {
		data, _ = json.Marshal(failure(berth.FailedRunner, fmt.Errorf("writing the result down: %w", err)))
	}
	for said := false; ; said = true {
		staged, err := stage(fileResult, data)
		if err == nil {
			if k.reserve != nil {
				k.reserve.Free()
			}
			if k.log != nil {
				k.log.Flush()
			}
			if err = commit(staged, fileResult); err == nil {
				return
			}
		}
		if full(err) && k.reserve != nil && k.reserve.Free() {
			continue
		}
		if !said {
			fmt.Fprintf(os.Stderr, "keeper: writing the result of build %s: %v; trying again until it works\n", k.rec.name(), err)
		}
		time.Sleep(time.Second)
	}
}
