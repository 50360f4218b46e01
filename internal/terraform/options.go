package terraform

import (
	"context"
	"maps"
	"os"
	"path/filepath"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
)

// As is the user that terraform and its plugins run as. A nil As means the
// user of this process.
type As struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups,omitempty"`
}

// Options say what one build runs.
type Options struct {
	Engine       Engine
	Installation Installation
	// Dir is the build's own directory. It may exist already but must not have
	// been used by another Run or Import.
	Dir        string
	Transition berth.Transition
	// Env is given to the plugins, next to PATH, HOME and Terraform's own
	// variables.
	Env map[string]string
	// Pass names variables of this process that plugins may see, such as
	// DOCKER_HOST.
	Pass []string
	// Variables answer the template's variable blocks. A string is taken as it
	// is, any other type as an HCL expression.
	Variables map[string]string
	// State is the state to start from; empty: none.
	State []byte
	// Orphan makes a delete leave everything that was made where it is.
	Orphan bool
	As     *As
	// Journal is the berth-plugin that is the process of the build's journal. A
	// build without one runs in two steps, whatever it does.
	Journal string
	// Plugins serve already and are for this build alone. Those that the template
	// needs beyond them are started for the build.
	Plugins []journal.Upstream
	// Kept has all plugins of a build in two steps serve both of them, where that is
	// safe, as they do where some serve already.
	Kept bool
	// Seat is the directory in which Plugins work; it becomes the build's own
	// working directory, so that a path in the template means the same to them.
	// It is empty, of the build's user, and on the disk of Dir. Empty: none.
	Seat string
	// Kill ends everything at once when it is closed. The context ends a run
	// gracefully instead.
	Kill <-chan struct{}
}

// Sink receives what happens while terraform runs. Its methods are called from
// one goroutine at a time.
type Sink interface {
	// Log gets one line. Seq is not set.
	Log(berth.Log)
	// State gets each complete revision of the state with a serial higher than
	// the one before.
	State(lineage string, serial int64, state []byte)
}

// Judge decides whether a plan may be applied.
type Judge = func(context.Context, berth.Plan) (berth.Verdict, error)

// Result is what a run left behind. It is filled as far as it is known, also
// when the run failed.
type Result struct {
	State     []byte // final state; nil when none was written
	Lineage   string
	Serial    int64
	Addresses []string         // managed resources in State, with instance keys, sorted
	Resources []berth.Resource // what people are shown of them
	Agents    []FoundAgent
	Timings   []berth.Timing
	Refused   []berth.Refusal // why the judge refused the plan
	Journaled bool            // by Recover: a journal knows of every change
	Lost      []string        // what may have been made and is not in State, a sentence each without its end
}

// FoundAgent is a coder_agent in a state.
type FoundAgent struct {
	ID    string
	Token string
	berth.AgentSpec
}

// RunError is what Run and Import fail with.
type RunError struct {
	Code string // terraform, persistence, canceled or timeout; or what the judge's verdict says
	Err  error
}

func (e *RunError) Error() string { return e.Err.Error() }

func (e *RunError) Unwrap() error { return e.Err }

// PluginEnv is what the plugins of a build see in their environment, next to what
// every process has. It is what a plugin that serves already has to be given.
func (o Options) PluginEnv() map[string]string {
	env := map[string]string{"CODER_WORKSPACE_TRANSITION": transitions[o.Transition]}
	maps.Copy(env, o.Env)
	return env
}

// LeaveSeat puts the working directory of a build that is over back to where its
// seat was. What is in it stays in it.
func (o Options) LeaveSeat() error {
	return os.Rename(filepath.Join(o.Dir, workName), o.Seat)
}
