package api

import (
	"time"

	"github.com/berthdev/berth"
)

// The calls of a runner, all under /runner and with its provider's token. A
// build is named with the attempt number of its taking; a stale one is
// answered with conflict.

// RunnerHello is a runner's first call and its answer to being restarted. It
// names the builds that it still holds. POST /runner/hello
type RunnerHello struct {
	Protocol  int         `json:"protocol"`
	RunnerID  string      `json:"runner_id" doc:"Durable, bound to the runner's disk"`
	Version   string      `json:"version"`
	Terraform string      `json:"terraform,omitempty" doc:"Version of terraform or tofu; empty if there is none"`
	Problem   string      `json:"problem,omitempty" doc:"Why it cannot take builds now, a sentence with the cure"`
	Slots     int         `json:"slots"`
	Holds     []HeldBuild `json:"holds,omitempty"`
}

type HeldBuild struct {
	BuildID string `json:"build_id"`
	Attempt int    `json:"attempt"`
}

// RunnerWelcome answers which of the held builds are still the runner's. What
// it holds no longer it ends; what the server believes it to hold and it does
// not name is put back or failed by the server.
type RunnerWelcome struct {
	Protocol int         `json:"protocol"`
	Yours    []HeldBuild `json:"yours"`
	Beat     int         `json:"beat_seconds"`
}

// Take asks for a build; it is answered 204 when there was none for Wait
// seconds. POST /runner/take
type Take struct {
	RunnerID string `json:"runner_id"`
	Wait     int    `json:"wait_seconds" minimum:"0" maximum:"30"`
	Refills  bool   `json:"refills" doc:"Pool refills may be given too"`
}

// Job is a taken build with all that it needs. It holds secrets.
type Job struct {
	BuildID    string            `json:"build_id"`
	Attempt    int               `json:"attempt"`
	Transition string            `json:"transition"`
	Class      int               `json:"class"`
	Workspace  string            `json:"workspace,omitempty" doc:"owner/name, for logs"`
	Archive    string            `json:"archive" doc:"Hash; GET /runner/archives/{hash}"`
	Carried    string            `json:"carried,omitempty" doc:"Hash of the archive with the modules and the lock file that the version's import resolved, fetched like the other; empty: there is none"`
	Variables  map[string]string `json:"variables,omitempty"`
	Env        map[string]string `json:"env" doc:"For the plugins"`
	State      []byte            `json:"state,omitempty" doc:"Terraform state to start from; empty: none"`
	Orphan     bool              `json:"orphan,omitempty"`
	Look       bool              `json:"look,omitempty" doc:"Compare what is there with the state, and change neither"`
	Timeout    int               `json:"timeout_seconds"`

	Organization string `json:"organization,omitempty" doc:"Id; plugins that stay warm do not pass from one to another"`
}

// Beat renews the lease, and is answered once there is more than the runner
// knows, at the latest after Wait seconds. POST /runner/builds/{build}/beat
type Beat struct {
	RunnerID string     `json:"runner_id"`
	Attempt  int        `json:"attempt"`
	Wait     int        `json:"wait_seconds,omitempty" minimum:"0" maximum:"10"`
	Knows    BeatAnswer `json:"knows,omitzero" doc:"What an answer told already"`
}

type BeatAnswer struct {
	Cancel bool `json:"cancel,omitempty" doc:"Interrupt it"`
	Force  bool `json:"force,omitempty" doc:"Kill it"`
}

// RunnerLogs: POST /runner/builds/{build}/logs
type RunnerLogs struct {
	RunnerID string      `json:"runner_id"`
	Attempt  int         `json:"attempt"`
	Lines    []berth.Log `json:"lines"`
}

// RunnerState ships one revision of the state. POST /runner/builds/{build}/state
type RunnerState struct {
	RunnerID string `json:"runner_id"`
	Attempt  int    `json:"attempt"`
	Lineage  string `json:"lineage"`
	Serial   int64  `json:"serial"`
	State    []byte `json:"state"`
}

// RunnerPlan asks for the verdict on a plan. POST /runner/builds/{build}/judge
type RunnerPlan struct {
	RunnerID string     `json:"runner_id"`
	Attempt  int        `json:"attempt"`
	Plan     berth.Plan `json:"plan"`
}

// Finish ends a build. POST /runner/builds/{build}/finish
type Finish struct {
	RunnerID  string           `json:"runner_id"`
	Attempt   int              `json:"attempt"`
	Error     string           `json:"error,omitempty" doc:"Empty: it succeeded, or was canceled when Canceled is set"`
	ErrorCode string           `json:"error_code,omitempty"`
	Canceled  bool             `json:"canceled,omitempty"`
	Refused   []berth.Refusal  `json:"refused,omitempty"`
	Lineage   string           `json:"lineage,omitempty"`
	Serial    int64            `json:"serial,omitempty"`
	State     []byte           `json:"state,omitempty" doc:"Final state; empty: none was written"`
	Addresses []string         `json:"addresses,omitempty" doc:"Managed resources in the final state"`
	Resources []berth.Resource `json:"resources,omitempty"`
	Agents    []FinishedAgent  `json:"agents,omitempty"`
	Timings   []berth.Timing   `json:"timings,omitempty"`
	Contents  *berth.Contents  `json:"contents,omitempty" doc:"Of an import"`
	Drift     *[]berth.Drift   `json:"drift,omitempty" doc:"Of a look: what is not as the state has it"`
	Carried   []byte           `json:"carried,omitempty" doc:"Of an import: a tar of the modules and the lock file that it resolved"`
}

// FinishedAgent is an agent found in a build's state.
type FinishedAgent struct {
	ID    string `json:"id"`
	Token string `json:"token"`
	berth.AgentSpec
}

// AWSIdentity is the document of an instance and its signature.
// POST /agent/aws-instance-identity
type AWSIdentity struct {
	Document  string `json:"document" doc:"/latest/dynamic/instance-identity/document of the metadata service, as it came"`
	Signature string `json:"signature" doc:"/latest/dynamic/instance-identity/signature, base64"`
}

// AzureIdentity is the attested document of a machine.
// POST /agent/azure-instance-identity
type AzureIdentity struct {
	Encoding  string `json:"encoding,omitempty" enum:"pkcs7"`
	Signature string `json:"signature" doc:"/metadata/attested/document, base64"`
}

// GoogleIdentity is the identity token of an instance, for the access URL of this
// server as its audience, in the full format. POST /agent/google-instance-identity
type GoogleIdentity struct {
	Token string `json:"json_web_token"`
}

// AgentSession is the token of the agent that runs on a machine.
type AgentSession struct {
	Token string `json:"session_token"`
}

// Hello of a workspace agent. POST /agent/hello
type AgentHello struct {
	Protocol  int    `json:"protocol"`
	Version   string `json:"version"`
	Boot      int64  `json:"boot" doc:"When this agent process started, Unix milliseconds: numbers its log"`
	Directory string `json:"directory,omitempty" doc:"Expanded"`
}

// Manifest tells an agent what it is. It answers POST /agent/hello.
type Manifest struct {
	Protocol       int             `json:"protocol"`
	AgentID        string          `json:"agent_id"`
	OrganizationID string          `json:"organization_id,omitempty"`
	Organization   string          `json:"organization,omitempty" doc:"Its name"`
	Provider       string          `json:"provider,omitempty" doc:"Name of the workspace provider"`
	WorkspaceID    string          `json:"workspace_id"`
	WorkspaceName  string          `json:"workspace_name"`
	OwnerName      string          `json:"owner_name"`
	OwnerFullName  string          `json:"owner_full_name,omitempty"`
	OwnerEmail     string          `json:"owner_email,omitempty"`
	BuildID        string          `json:"build_id"`
	BuildNumber    int             `json:"build_number"`
	BuildReason    string          `json:"build_reason,omitempty"`
	FirstStart     bool            `json:"first_start,omitempty" doc:"No earlier start of the workspace has succeeded"`
	AccessURL      string          `json:"access_url"`
	RelayURL       string          `json:"relay_url" doc:"Where to link: GET {relay_url}/api/v1/agent/link"`
	Agent          berth.AgentSpec `json:"agent"`
	Hooks          []Hook          `json:"hooks" doc:"Steps of the start, in order"`
	Banner         string          `json:"banner,omitempty" doc:"Text that new terminals begin with"`
	Identity       bool            `json:"identity,omitempty" doc:"The server will put an Identity over the link"`
	VSCodeProxyURI string          `json:"vscode_proxy_uri,omitempty" doc:"Where the workspace's ports are, with {{port}} for the port; empty: nowhere"`
}

// Hook is one step that an agent takes at its start.
type Hook struct {
	Kind string `json:"kind" enum:"identity,configure,personalize,dotfiles,scripts" doc:"What to do; an agent skips, and says so, a kind that it does not know"`
	Name string `json:"name"`
}

// AgentState reports the lifecycle. POST /agent/lifecycle
type AgentState struct {
	Boot      int64     `json:"boot"`
	Lifecycle string    `json:"lifecycle"`
	At        time.Time `json:"at"`
}

// AgentLogs: POST /agent/logs
type AgentLogs struct {
	Boot  int64       `json:"boot"`
	Lines []berth.Log `json:"lines"`
}
