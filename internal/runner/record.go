package runner

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/terraform"
)

// record is the directory that a runner and a keeper share for one taking of a
// build: DIR/builds/BUILD.ATTEMPT, 0700. It holds secrets. Its files:
//
//	job.json      what to do (order); written before the keeper starts
//	lock          locked for as long as the keeper lives
//	pid           who the keeper is (being); its first act, so without it nothing happened
//	socket        where the keeper listens for commands
//	log           the build's log, one JSON line each, numbered from 1
//	state.json    newest revision of the state (api.RunnerState)
//	judge.json    a plan that waits for its verdict (question)
//	verdict.json  the verdict that the keeper received (answer)
//	interrupted   there once Terraform was, or is about to be; a second interrupt would cost its state
//	result.json   how it ended (api.Finish); written once, last
//	acked.json    how much of the log the server has
//	keeper.log    what the keeper said when it could say it nowhere else
//	reserve       room kept for the result should the disk fill up
type record struct {
	dir     string
	build   string
	attempt int
}

const (
	fileJob     = "job.json"
	fileLock    = "lock"
	filePid     = "pid"
	fileSocket  = "socket"
	fileLog     = "log"
	fileState   = "state.json"
	fileJudge   = "judge.json"
	fileVerdict = "verdict.json"
	fileCut     = "interrupted"
	fileResult  = "result.json"
	fileAcked   = "acked.json"
	fileOutput  = "keeper.log"
	fileReserve = "reserve"
)

// order is job.json: a taken build and where to run it. The keeper has no
// other input.
type order struct {
	Job           api.Job           `json:"job"`
	Engine        terraform.Engine  `json:"engine"`
	As            *terraform.As     `json:"as,omitempty"`
	Env           map[string]string `json:"env,omitempty"`
	Pass          []string          `json:"pass,omitempty"`
	Archive       string            `json:"archive"`           // path of the template's archive
	Carried       string            `json:"carried,omitempty"` // path of what the version's import resolved
	Mirror        string            `json:"mirror"`
	Journal       string            `json:"journal,omitempty"` // program of the build's journal; empty: it has none
	Fetch         Fetch             `json:"fetch,omitzero"`
	Installations string            `json:"installations"`
	Work          string            `json:"work"` // of this build; owned by the build user
	Grace         time.Duration     `json:"grace"`
	Warm          bool              `json:"warm_plugins,omitempty"` // there are plugins that stay warm
}

// question is judge.json. A build may ask more than once; N counts.
type question struct {
	N    int        `json:"n"`
	Plan berth.Plan `json:"plan"`
}

// answer is verdict.json.
type answer struct {
	N       int           `json:"n"`
	Verdict berth.Verdict `json:"verdict"`
}

// acked is how far the server has the log.
type acked struct {
	Seq    int64 `json:"seq"`
	Offset int64 `json:"offset"` // in the file, after that line
}

func newRecord(dir, build string, attempt int) record {
	return record{dir: filepath.Join(dir, build+"."+strconv.Itoa(attempt)), build: build, attempt: attempt}
}

// recordAt reads a record's name back; ok is false for other entries.
func recordAt(dir, name string) (rec record, ok bool) {
	build, text, _ := strings.Cut(name, ".")
	attempt, err := strconv.Atoi(text)
	if err != nil || attempt < 1 || !berth.IsID(build) {
		return record{}, false
	}
	rec = newRecord(dir, build, attempt)
	return rec, rec.name() == name
}

func (rec record) name() string            { return filepath.Base(rec.dir) }
func (rec record) path(file string) string { return filepath.Join(rec.dir, file) }
func (rec record) held() api.HeldBuild {
	return api.HeldBuild{BuildID: rec.build, Attempt: rec.attempt}
}

// write makes the record on disk, at once or not at all: a runner that dies in
// between leaves a name that begins with newPrefix, which is swept.
func (rec record) write(o order) error {
	fresh := filepath.Join(filepath.Dir(rec.dir), newPrefix+rec.name())
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	err := replaceJSON(filepath.Join(fresh, fileJob), o)
	if err == nil {
		err = os.Rename(fresh, rec.dir)
	}
	if err != nil {
		os.RemoveAll(fresh)
		return err
	}
	return syncDir(filepath.Dir(rec.dir))
}

// Names of records that are not yet, or no longer, held.
const (
	newPrefix  = ".new-"
	gonePrefix = ".gone-"
)

// remove ends a record whose build is no longer ours, with its work directory.
// The rename comes first and is the point of no return: a runner that dies
// after it sweeps the rest without asking the server again.
func (rec record) remove(work string) error {
	gone := filepath.Join(filepath.Dir(rec.dir), gonePrefix+rec.name())
	if err := os.Rename(rec.dir, gone); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := removeTree(work); err != nil {
		return err
	}
	return removeTree(gone)
}

// removeTree is os.RemoveAll that also gets through directories which were
// made read-only, as Terraform's module caches are.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !os.IsPermission(err) {
		return err
	}
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
