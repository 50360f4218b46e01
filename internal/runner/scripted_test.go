package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/terraform"
)

// step is one thing that the scripted Terraform of a test does. The script of
// a build is in its job's environment.
type step struct {
	Log     string `json:",omitempty"`
	Logs    int    `json:",omitempty"` // so many lines
	State   int64  `json:",omitempty"` // a revision with this serial
	Judge   bool   `json:",omitempty"`
	Apply   string `json:",omitempty"` // appends a line to this file
	Sleep   int    `json:",omitempty"` // milliseconds; ends early when interrupted
	Child   bool   `json:",omitempty"` // terraformMain, until it ends
	Stray   string `json:",omitempty"` // starts a process that nobody waits for, and writes its pid there
	Spared  string `json:",omitempty"` // the same, as a workspace
	Deaf    bool   `json:",omitempty"` // waits and hears only the kill
	Stuck   bool   `json:",omitempty"` // waits and hears nothing
	Panic   bool   `json:",omitempty"`
	Fail    string `json:",omitempty"`
	Address string `json:",omitempty"` // is in the final state
	Import  bool   `json:",omitempty"`
	Ensured string `json:",omitempty"` // Ensure waits for this file
}

// scripted is the engine of the tests' keepers: the script, or package
// terraform for jobs without one.
type scripted struct{ realEngine }

const scriptEnv = "TEST_SCRIPT"

func (s scripted) Ensure(ctx context.Context, o order, log func(berth.Log)) (terraform.Installation, error) {
	if o.Job.Env[scriptEnv] == "" {
		return s.realEngine.Ensure(ctx, o, log)
	}
	log(berth.Log{Text: "installing"})
	for _, st := range script(o.Job.Env) {
		for st.Ensured != "" && !exists(st.Ensured) {
			if pause(ctx, 10*time.Millisecond); ctx.Err() != nil {
				return terraform.Installation{}, ctx.Err()
			}
		}
	}
	if _, err := os.Stat(o.Archive); err != nil {
		return terraform.Installation{}, err
	}
	return terraform.Installation{}, nil
}

func script(env map[string]string) (steps []step) {
	if err := json.Unmarshal([]byte(env[scriptEnv]), &steps); err != nil {
		panic(err)
	}
	return steps
}

func (s scripted) Import(ctx context.Context, o terraform.Options, sink terraform.Sink) (berth.Contents, error) {
	if o.Env[scriptEnv] == "" {
		return s.realEngine.Import(ctx, o, sink)
	}
	_, err := s.play(ctx, o, sink, nil)
	return berth.Contents{Readme: "read me"}, err
}

func (s scripted) Run(ctx context.Context, o terraform.Options, sink terraform.Sink, judge terraform.Judge) (terraform.Result, error) {
	if o.Env[scriptEnv] == "" {
		return s.realEngine.Run(ctx, o, sink, judge)
	}
	return s.play(ctx, o, sink, judge)
}

func (s scripted) play(ctx context.Context, o terraform.Options, sink terraform.Sink, judge terraform.Judge) (r terraform.Result, err error) {
	canceled := &terraform.RunError{Code: "canceled", Err: berth.Errorf(berth.Conflict, "interrupted")}
	for _, st := range script(o.Env) {
		switch {
		case st.Log != "":
			sink.Log(berth.Log{Text: st.Log, Stage: "apply"})
		case st.Logs > 0:
			for i := range st.Logs {
				sink.Log(berth.Log{Text: fmt.Sprintf("line %d", i), Stage: "apply"})
			}
		case st.State > 0:
			r.Lineage, r.Serial, r.State = "lineage-of-tests", st.State, state(st.State)
			os.MkdirAll(filepath.Join(o.Dir, "work"), 0o700)
			os.WriteFile(filepath.Join(o.Dir, "work", "terraform.tfstate"), r.State, 0o600)
			sink.State(r.Lineage, r.Serial, r.State)
		case st.Judge:
			v, err := judge(ctx, berth.Plan{Changes: []berth.Change{{Address: "a.b", Type: "a", Actions: []string{"create"}}}})
			if err != nil {
				return r, canceled
			}
			if !v.Allow {
				r.Refused = v.Refused
				return r, &terraform.RunError{Code: "persistence", Err: berth.Errorf(berth.Conflict, "%s", v.Reason)}
			}
		case st.Apply != "":
			f, err := os.OpenFile(st.Apply, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
			if err != nil {
				return r, err
			}
			fmt.Fprintln(f, "applied")
			f.Close()
		case st.Sleep > 0:
			select {
			case <-time.After(time.Duration(st.Sleep) * time.Millisecond):
			case <-ctx.Done():
				return r, canceled
			case <-o.Kill:
				return r, canceled
			}
		case st.Child:
			os.MkdirAll(filepath.Join(o.Dir, "work"), 0o700)
			cmd := self0("terraform", filepath.Join(o.Dir, "work"))
			cmd.Env = append(cmd.Env, marker+"="+o.Env[marker])
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Run(); err != nil {
				return r, err
			}
		case st.Stray != "":
			stray(st.Stray, marker+"="+o.Env[marker])
		case st.Spared != "":
			stray(st.Spared, marker+"="+o.Env[marker], spared+"="+o.Env["CODER_WORKSPACE_ID"]+"/main/1/x")
		case st.Address != "":
			r.Addresses = append(r.Addresses, st.Address)
		case st.Deaf:
			<-o.Kill
			return r, canceled
		case st.Stuck:
			select {}
		case st.Panic:
			panic("scripted")
		case st.Fail != "":
			return r, &terraform.RunError{Code: "terraform", Err: berth.Errorf(berth.Invalid, "%s", st.Fail)}
		}
	}
	return r, nil
}

// self0 is this program under another part.
func self0(args ...string) *exec.Cmd {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}
	return cmd
}

// stray starts a process of another session that nobody waits for.
func stray(pidFile string, env ...string) {
	cmd := exec.Command("sleep", "300")
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err := cmd.Start()
	err = errors.Join(err, os.WriteFile(pidFile, []byte(fmt.Sprint(cmd.Process.Pid)), 0o600))
	if err != nil {
		panic(err)
	}
}
