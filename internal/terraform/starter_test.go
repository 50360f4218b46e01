package terraform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// processSite is a site on which workspaces may be processes of this machine.
func processSite(t *testing.T) (s *site, root string) {
	t.Helper()
	s = newSite(t)
	root = filepath.Join(s.dir, "processes")
	if err := os.Mkdir(root, 0o711); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		s.as = &As{UID: 65534, GID: 65534}
		if err := os.Chown(root, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	return s, root
}

func (s *site) processOptions(root, workspace string, i Installation, tr berth.Transition, state []byte) Options {
	o := s.options(i, tr, state)
	for name, value := range map[string]string{
		"CODER_WORKSPACE_ID": workspace, "CODER_WORKSPACE_BUILD_ID": "b", "CODER_WORKSPACE_TEMPLATE_ID": "t", "CODER_WORKSPACE_TEMPLATE_NAME": "process",
		"CODER_WORKSPACE_TEMPLATE_VERSION": "v", "BERTH_HOST_PROCESSES": "allowed", "BERTH_PROCESS_ROOT": root,
	} {
		o.Env[name] = value
	}
	return o
}

// workspaceProcesses are the processes that carry the mark of a workspace.
func workspaceProcesses(workspace string) []string {
	var found []string
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range all {
		if env, err := os.ReadFile(path); err == nil && strings.Contains(string(env), "BERTH_PROCESS_ID="+workspace+"/") {
			found = append(found, filepath.Base(filepath.Dir(path)))
		}
	}
	return found
}

func pidOf(t *testing.T, state []byte) int {
	t.Helper()
	f, err := parseState(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range f.objects() {
		if o.kind == "berth_process" {
			return o.number("pid")
		}
	}
	t.Fatal("no process in the state")
	return 0
}

func TestStarterProcess(t *testing.T) {
	t.Parallel()
	s, root := processSite(t)
	i := s.must(starter(t, "process"))
	workspace := string(berth.NewID[berth.Workspace]())
	run := func(tr berth.Transition, state []byte, plan *berth.Plan) Result {
		t.Helper()
		rec := &recorder{t: t}
		r, err := Run(t.Context(), s.processOptions(root, workspace, i, tr, state), rec, allow(plan))
		if err != nil {
			t.Fatalf("%s: %v\n%s", tr, err, rec.text())
		}
		return r
	}
	made := run(berth.Start, nil, nil)
	home := filepath.Join(root, workspace, "home")
	if err := os.WriteFile(filepath.Join(home, "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(workspaceProcesses(workspace)) == 0 || made.Agents[0].Resource != "berth_process.workspace[0]" {
		t.Fatalf("processes %v, agents %+v", workspaceProcesses(workspace), made.Agents)
	}
	t.Cleanup(func() { _ = syscall.Kill(-pidOf(t, made.State), syscall.SIGKILL) })

	var plan berth.Plan
	run(berth.Start, made.State, &plan)
	if len(plan.Changes) != 0 {
		t.Errorf("a second start changes %+v", plan.Changes)
	}

	_ = syscall.Kill(pidOf(t, made.State), syscall.SIGKILL)
	time.Sleep(50 * time.Millisecond)
	again := run(berth.Start, made.State, nil)
	if pidOf(t, again.State) == pidOf(t, made.State) || len(workspaceProcesses(workspace)) == 0 {
		t.Error("a dead process was not started again")
	}
	made = again

	stopped := run(berth.Stop, made.State, nil)
	if left := workspaceProcesses(workspace); len(left) > 0 {
		t.Errorf("a stop leaves %v", left)
	}
	if _, err := os.Stat(filepath.Join(home, "kept")); err != nil {
		t.Errorf("a stop lost the home: %v", err)
	}
	run(berth.Delete, stopped.State, nil)
	if _, err := os.Stat(filepath.Join(root, workspace)); !os.IsNotExist(err) {
		t.Errorf("a delete leaves the home: %v", err)
	}
}

func TestProcessesAreRefusedAtThePlan(t *testing.T) {
	t.Parallel()
	s, root := processSite(t)
	i := s.must(starter(t, "process"))
	o := s.processOptions(root, string(berth.NewID[berth.Workspace]()), i, berth.Start, nil)
	delete(o.Env, "BERTH_HOST_PROCESSES")
	var plan berth.Plan
	r, err := Run(t.Context(), o, &recorder{t: t}, allow(&plan))
	if err == nil || !strings.Contains(berth.ErrorMessage(err), "does not run processes on its host") || len(plan.Changes) > 0 || r.State != nil {
		t.Errorf("%v, plan %v", err, plan)
	}
}

// Everything that a build runs is killed while it makes the process, at various
// moments; afterwards the next builds find and end what was started.
func TestKilledBuildLeavesNoStrays(t *testing.T) {
	t.Parallel()
	s, root := processSite(t)
	i := s.must(starter(t, "process"))
	for n := range 6 {
		workspace := string(berth.NewID[berth.Workspace]())
		kill := make(chan struct{})
		o := s.processOptions(root, workspace, i, berth.Start, nil)
		o.Kill = kill
		once := false
		rec := &recorder{t: t, onLog: func(l berth.Log) {
			if strings.Contains(l.Text, "berth_process.workspace[0]: Creating") && !once {
				once = true
				time.AfterFunc(time.Duration(n)*3*time.Millisecond, func() { close(kill) })
			}
		}}
		r, _ := Run(t.Context(), o, rec, allow(nil))
		left := len(workspaceProcesses(workspace))
		state := r.State
		if state == nil {
			state = o.State
		}
		if n%2 == 1 { // a delete right away, which knows of no process
			if _, err := Run(t.Context(), s.processOptions(root, workspace, i, berth.Delete, state), &recorder{t: t}, allow(nil)); err != nil {
				t.Error(err)
			}
			if left := workspaceProcesses(workspace); len(left) > 0 {
				t.Errorf("kill %d: a delete leaves %v", n, left)
			}
			continue
		}
		second, err := Run(t.Context(), s.processOptions(root, workspace, i, berth.Start, state), &recorder{t: t}, allow(nil))
		if err != nil {
			t.Fatalf("kill %d: %v", n, err)
		}
		marks := map[string]bool{}
		for _, pid := range workspaceProcesses(workspace) {
			env, _ := os.ReadFile("/proc/" + pid + "/environ")
			for _, v := range strings.Split(string(env), "\x00") {
				if strings.HasPrefix(v, "BERTH_PROCESS_ID=") {
					marks[v] = true
				}
			}
		}
		if len(marks) != 1 {
			t.Errorf("kill %d (%d processes left by it): %d workspaces of one run: %v", n, left, len(marks), marks)
		}
		if _, err := Run(t.Context(), s.processOptions(root, workspace, i, berth.Delete, second.State), &recorder{t: t}, allow(nil)); err != nil {
			t.Error(err)
		}
		if left := workspaceProcesses(workspace); len(left) > 0 {
			t.Errorf("kill %d: a delete leaves %v", n, left)
		}
	}
}

func TestStateOfAgentsAsWritten(t *testing.T) {
	t.Parallel()
	state := func(resources ...map[string]any) []byte {
		b, err := json.Marshal(map[string]any{"version": 4, "lineage": "l", "serial": 1, "resources": resources})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	resource := func(kind, name string, attributes map[string]any, needs ...string) map[string]any {
		return map[string]any{"mode": "managed", "type": kind, "name": name, "instances": []any{map[string]any{"attributes": attributes, "dependencies": needs}}}
	}
	agent := resource("coder_agent", "main", map[string]any{"id": "A", "token": "T", "startup_script": "s", "startup_script_behavior": "blocking", "shutdown_script": "e",
		"display_apps": []any{map[string]any{"vscode": true, "web_terminal": false}}})
	env := func(name, value, strategy string) map[string]any {
		return resource("coder_env", name, map[string]any{"agent_id": "A", "name": "P", "value": value, "merge_strategy": strategy})
	}
	r, err := ReadState(state(
		agent, env("a", "1", ""), env("b", "2", "append"), env("c", "0", "prepend"),
		resource("machine", "m", map[string]any{"id": "M"}, "coder_agent.main"),
		resource("watch", "a", map[string]any{"id": "W"}, "coder_agent.main", "machine.m"),
	))
	if err != nil || len(r.Agents) != 1 {
		t.Fatalf("%+v %v", r.Agents, err)
	}
	a := r.Agents[0]
	if a.Resource != "machine.m" || a.Env["P"] != "0:1:2" || !slices.Equal(a.DisplayApps, []string{"vscode"}) || len(a.Scripts) != 2 || !a.Scripts[0].StartBlocksLogin || !a.Scripts[1].RunOnStop {
		t.Errorf("%+v", a)
	}
	tied, err := ReadState(state(agent,
		resource("machine", "m", map[string]any{"id": "M"}),
		resource("coder_agent_instance", "i", map[string]any{"agent_id": "A"}, "coder_agent.main", "machine.m")))
	if err != nil || tied.Agents[0].Resource != "machine.m" {
		t.Errorf("%+v %v", tied.Agents, err)
	}
	if _, err := ReadState(state(agent, env("a", "1", ""), env("b", "2", "error"))); err == nil {
		t.Error("merge_strategy error does not fail")
	}
}
