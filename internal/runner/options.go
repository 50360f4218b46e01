package runner

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/terraform"
)

// API is what a runner calls, with its provider's token. *client.Client has it.
type API interface {
	RunnerHello(ctx context.Context, hello api.RunnerHello) (api.RunnerWelcome, error)
	Take(ctx context.Context, take api.Take) (*api.Job, error) // nil: there was none
	RunnerBeat(ctx context.Context, build string, beat api.Beat) (api.BeatAnswer, error)
	RunnerLogs(ctx context.Context, build string, logs api.RunnerLogs) error
	RunnerState(ctx context.Context, build string, state api.RunnerState) error
	RunnerJudge(ctx context.Context, build string, plan api.RunnerPlan) (berth.Verdict, error)
	RunnerFinish(ctx context.Context, build string, finish api.Finish) error
	RunnerArchive(ctx context.Context, hash string) (io.ReadCloser, error)
}

// Fetch says where installations get plugins and modules from, beside mirrors
// on the disk.
type Fetch struct {
	PluginURLs    []string                 `json:"plugin_urls,omitempty"`
	ModuleMirrors []terraform.ModuleMirror `json:"module_mirrors,omitempty"`
}

// Options say where a runner works and for whom.
type Options struct {
	Client API
	Dir    string // of the runner alone, durable: its id and records of builds
	Work   string // mirror, installations, builds; the build user must be able to reach it

	Mirrors []string // more directories of plugins, beside Work/mirror

	Fetch Fetch // where what is not there comes from

	Slots     int    // builds at a time; 0: twice the cores
	Terraform string // path of terraform or tofu; empty: looked up in PATH
	As        *terraform.As
	Env       map[string]string // for the plugins of every build, unless the server sends its own
	Pass      []string          // names of variables of this process that plugins may see, such as DOCKER_HOST

	Self    string // executable that knows `keeper DIR`; empty: this one
	Version string // of Berth
	Log     *slog.Logger

	Warm       bool  // plugins stay between builds where that is safe
	WarmMemory int64 // bytes that they may use before unused ones end; 0: no bound

	Grace   time.Duration // from interrupting Terraform to killing it; 0: 5 minutes
	MinFree int64         // bytes that must be free on Dir's and Work's disks to take a build; 0: 64 MiB, negative: not looked at
}

func (o Options) withDefaults() (Options, error) {
	if o.Client == nil || o.Dir == "" || o.Work == "" {
		return o, berth.Errorf(berth.Invalid, "a runner needs a client, a directory of its own and a work directory")
	}
	for _, dir := range []*string{&o.Dir, &o.Work} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return o, err
		}
		*dir = abs
	}
	if o.Slots <= 0 {
		o.Slots = 2 * runtime.NumCPU()
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Minute
	}
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Self == "" {
		o.Self = self()
	}
	return o, nil
}

// self names our own executable so that it can be started even after an
// upgrade has replaced or removed the file.
func self() string {
	const image = "/proc/self/exe"
	if _, err := os.Stat(image); err == nil {
		return image
	}
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
