package builds

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
)

// Queue hands builds to runners and keeps what comes of them. It is safe for
// use by many goroutines and by many replicas on one database; all that it knows
// is in the database.
type Queue struct {
	db    *store.DB
	keys  *seal.Keys
	kinds Kinds
	opt   Options
}

// Options are the times of the queue. Zero fields get the default.
type Options struct {
	Beat      time.Duration // how often a holder beats; 10 s
	Lease     time.Duration // how long a holder may be silent; 30 s
	Poll      time.Duration // how often a waiting Take looks by itself; 2 s
	Grace     time.Duration // from the wish to cancel to the kill; 10 min
	Absence   time.Duration // a runner that is silent for longer counts as gone; 90 s
	Attempts  int           // takings of a build that never reached its judge; 5
	LogBytes  int64         // text kept of one build's log; 8 MiB
	Revisions int           // states kept of a workspace; 20
}

// New makes a queue. The kinds may be filled in later than New, but before the
// first Take: their packages need the queue themselves.
func New(db *store.DB, keys *seal.Keys, kinds Kinds, opt Options) *Queue {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&opt.Beat, 10*time.Second)
	def(&opt.Lease, 3*opt.Beat)
	def(&opt.Poll, 2*time.Second)
	def(&opt.Grace, 10*time.Minute)
	def(&opt.Absence, 90*time.Second)
	if opt.Attempts == 0 {
		opt.Attempts = 5
	}
	if opt.LogBytes == 0 {
		opt.LogBytes = 8 << 20
	}
	if opt.Revisions == 0 {
		opt.Revisions = 20
	}
	return &Queue{db: db, keys: keys, kinds: kinds, opt: opt}
}

// SetKinds gives the queue its kinds, where they could not be given to New.
func (q *Queue) SetKinds(kinds Kinds) { q.kinds = kinds }

// Kinds are the sorts of build: those of workspaces, imports, and looks at what
// workspaces are made of.
type Kinds struct{ Workspace, Import, Look Kind }

func (k Kinds) of(b berth.Build) Kind {
	switch {
	case b.LooksAt != "":
		return k.Look
	case b.Transition == berth.Import:
		return k.Import
	}
	return k.Workspace
}

// Kind is what the queue does not know about a sort of build. The functions but
// Prepare run inside of the queue's transactions, perhaps more than once, so they do nothing
// but reads and writes of the store and plain computing.
type Kind struct {
	// Prepare makes what Job reads, before Job and outside of any transaction; it
	// may ask others. Its errors are as Job's. It may be nil.
	Prepare func(ctx context.Context, b berth.Build) error
	// Job gives what a runner needs to run b. An Error of another code than
	// unavailable or internal fails the build with its message and code "input".
	Job func(q *store.Query, b berth.Build) (Input, error)
	// Judge decides whether b may do what it plans, and may reserve what that
	// takes: it writes in the transaction that allows b, or keeps what it refused.
	Judge func(tx *store.Tx, b berth.Build, p berth.Plan) (berth.Verdict, error)
	// Finish does what the end of b means, in the transaction that ends it; b is
	// as it will be stored. An Error of another code than unavailable or internal
	// ends the build as failed instead, with code "result", and Finish is called
	// again for that.
	Finish func(tx *store.Tx, b berth.Build, r Report) error
}

// Input is what Terraform gets for a build.
type Input struct {
	Archive   string            // SHA-256 of the module, hex
	Carried   string            // SHA-256 of what its import resolved, hex; empty: not kept
	Variables map[string]string // of the version
	Env       map[string]string // for the plugins; holds secrets
	Workspace string            // owner/name, for logs
	Timeout   time.Duration     // 0: none
}

// Job is a taken build with all that its runner needs.
type Job struct {
	Build berth.Build
	Input
	State []byte // to start from; nil: none
}

// Call says who calls about which taking of a build.
type Call struct {
	Provider berth.ProviderID // of the token
	Runner   string
	Build    berth.BuildID
	Attempt  int
}

// Hello is what a runner says of itself when it starts, and after a Take whose
// answer it did not get.
type Hello struct {
	Runner    string // durable: it lives on the disk that holds the build directories
	Version   string
	Terraform string // version; empty: there is none
	Problem   string // why it cannot take builds; a sentence with the cure
	Slots     int
	Holds     []Held // every build whose directory is on its disk
}

// Held is one taking that a runner knows of.
type Held struct {
	Build   berth.BuildID
	Attempt int
}

// Orders are the answer to a beat.
type Orders struct {
	Cancel bool // interrupt Terraform
	Force  bool // kill it
}

// Report is how a build ended.
type Report struct {
	Error     string // for the person; empty: it succeeded, or was canceled
	ErrorCode string // one of the words in failure.go of the root package, or "canceled"
	Canceled  bool
	Refused   []berth.Refusal
	Lineage   string
	Serial    int64
	State     []byte // the last one; nil: none was written, the current one stays
	Addresses []string
	Resources []berth.Resource
	Agents    []FoundAgent
	Timings   []berth.Timing
	Contents  *berth.Contents // of an import
	Drift     *[]berth.Drift  // of a look; nil: it did not come to one
	Carried   []byte          // of an import: archive with the modules and the lock file that it resolved
}

// FoundAgent is an agent in a build's state.
type FoundAgent struct {
	ID    berth.AgentID
	Token string
	berth.AgentSpec
}
