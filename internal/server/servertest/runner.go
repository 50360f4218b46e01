package servertest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// Runner stands in for a runner and its Terraform: it takes every build of the
// built-in provider and ends it at once, as a template would that has one
// ephemeral computer with one agent, `main`, and one persistent home.
type Runner struct {
	Client *client.Client
	Token  string // of the built-in provider
	// Hold, when set, is called before a build is finished; what it returns is
	// the build's error.
	Hold func(ctx context.Context, job api.Job) string
	// Spec, when set, changes what the template says of the agent.
	Spec func(a *berth.AgentSpec)
	// Drift is what looks at workspaces find.
	Drift []berth.Drift

	mu     sync.Mutex
	tokens map[string]string // of agents, by owner/name of the workspace
	serial int64
}

// RunnerID is the durable id of a Runner.
const RunnerID = "servertest"

// Runner starts one that works until the test ends.
func (s *Server) Runner(t testing.TB) *Runner {
	t.Helper()
	token, err := s.RunnerToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Client: s.Client(t, token), Token: token, tokens: map[string]string{}}
	if _, err := r.Client.RunnerHello(t.Context(), api.RunnerHello{
		Protocol: api.RunnerProtocol, RunnerID: RunnerID, Version: "test", Terraform: "1.11.0", Slots: 2,
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := r.one(ctx); err != nil && ctx.Err() == nil {
				t.Logf("runner: %v", err)
				time.Sleep(50 * time.Millisecond)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

// AgentToken is the token of the agent of a workspace, named owner/name, once
// the workspace was started.
func (r *Runner) AgentToken(workspace string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tokens[workspace]
}

func (r *Runner) one(ctx context.Context) error {
	job, err := r.Client.Take(ctx, api.Take{RunnerID: RunnerID, Wait: 5, Refills: true})
	if err != nil || job == nil {
		return err
	}
	line := berth.Log{Seq: 1, At: time.Now(), Level: "info", Stage: "init", Text: "build of " + job.Workspace}
	if err := r.Client.RunnerLogs(ctx, job.BuildID, api.RunnerLogs{RunnerID: RunnerID, Attempt: job.Attempt, Lines: []berth.Log{line}}); err != nil {
		return err
	}
	finish := api.Finish{RunnerID: RunnerID, Attempt: job.Attempt}
	if r.Hold != nil {
		finish.Error = r.Hold(ctx, *job)
	}
	switch {
	case finish.Error != "":
		finish.ErrorCode = "terraform"
	case job.Look:
		found := append([]berth.Drift{}, r.Drift...)
		finish.Drift = &found
	case job.Transition == string(berth.Import):
		finish.Contents = contents()
	default:
		if _, err := r.Client.RunnerJudge(ctx, job.BuildID, api.RunnerPlan{RunnerID: RunnerID, Attempt: job.Attempt}); err != nil {
			return err
		}
		r.made(job, &finish)
	}
	return r.Client.RunnerFinish(ctx, job.BuildID, finish)
}

func contents() *berth.Contents {
	return &berth.Contents{
		Terraform: "1.11.0", Readme: "# A template", Agents: []string{"main"},
		Resources: []berth.TemplateResource{
			{Address: "berth_directory.home", Type: "berth_directory", Persistent: true},
			{Address: "berth_process.computer", Type: "berth_process"},
		},
	}
}

// made fills in what a build of a workspace leaves behind.
func (r *Runner) made(job *api.Job, finish *api.Finish) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serial++
	finish.Lineage, finish.Serial = lineage(job), r.serial
	if job.Transition != string(berth.Delete) {
		finish.Addresses = []string{"berth_directory.home"}
	}
	if job.Transition == string(berth.Start) {
		id := string(berth.NewID[berth.Agent]())
		token := agentToken(job.Env["BERTH_AGENT_KEY"], id)
		r.tokens[job.Workspace] = token
		finish.Addresses = append(finish.Addresses, "berth_process.computer")
		finish.Resources = []berth.Resource{{Address: "berth_process.computer", Type: "berth_process", Name: "computer"}}
		finish.Agents = []api.FinishedAgent{{ID: id, Token: token, AgentSpec: berth.AgentSpec{
			Name: "main", Address: "coder_agent.main", Resource: "berth_process.computer", OS: "linux", Arch: "amd64", Auth: "token",
			Scripts: []berth.Script{{ID: "s1", DisplayName: "Startup", Script: "true", RunOnStart: true}},
		}}}
		if r.Spec != nil {
			r.Spec(&finish.Agents[0].AgentSpec)
		}
	}
	finish.State, _ = json.Marshal(map[string]any{
		"version": 4, "terraform_version": "1.11.0", "serial": finish.Serial, "lineage": finish.Lineage,
		"outputs": map[string]any{}, "resources": []any{},
	})
}

// lineage keeps that of the state that the build begins with.
func lineage(job *api.Job) string {
	var state struct{ Lineage string }
	if json.Unmarshal(job.State, &state) == nil && state.Lineage != "" {
		return state.Lineage
	}
	return string(berth.NewID[struct{}]())
}

// agentToken derives an agent's token as the plugin does.
func agentToken(key, agent string) string {
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(secret) == 0 {
		return "" // the server gave no key; it refuses the agent then, and a test sees that
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("berth agent token v1\x00" + agent))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Archive is a template's directory as a tar.
func Archive(t testing.TB, files map[string]string) *bytes.Reader {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(out.Bytes())
}

// Push makes a template with one imported, active version. It needs a Runner.
func Push(t testing.TB, c *client.Client, name string) api.TemplateVersion {
	t.Helper()
	archive, err := c.UploadArchive(t.Context(), Archive(t, map[string]string{"main.tf": "# " + name}))
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.PushVersion(t.Context(), "default", name, api.PushVersion{Archive: archive.Hash, Activate: true})
	if err != nil {
		t.Fatal(err)
	}
	Finished(t, c, v.BuildID)
	return v
}

// Create makes a workspace and waits until it was started. It needs a Runner.
func Create(t testing.TB, c *client.Client, template, name string) api.Workspace {
	t.Helper()
	w, err := c.CreateWorkspace(t.Context(), api.CreateWorkspace{Name: name, Template: template})
	if err != nil {
		t.Fatal(err)
	}
	Finished(t, c, w.Build.ID)
	if w, err = c.Workspace(t.Context(), w.ID); err != nil {
		t.Fatal(err)
	}
	return w
}

// Finished waits for the end of a build, which must be a good one.
func Finished(t testing.TB, c *client.Client, build string) api.Build {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var last api.Build
	for e, err := range c.WatchBuild(ctx, build, 0) {
		if err != nil {
			t.Fatal(fmt.Errorf("watching build %s: %w", build, err))
		}
		if e.Build != nil {
			last = *e.Build
		}
	}
	if last.Status != string(berth.BuildSucceeded) {
		t.Fatalf("build %s ended as %s: %s", build, last.Status, last.Error)
	}
	return last
}
